//! The table of all settings, with what each takes, shows and refuses. Nothing may be missing in it.
//!
//! A row begins with `key | of | type | effect | default` and, where a component has another one, `| its default`; `-` is
//! a property that is not shown. Below it, values as JSON:
//!
//! - `takes A B` are accepted and shown as they are; `takes A => B` is shown as B. A web server can start with them.
//! - `stored A` is the same, but not every machine can start with it.
//! - `refuses A B => words` are not accepted, and the words are in the message.
//! - `beside {...}` are settings that the lines below it need.
//!
//! `OWN` in a text stands for the folder of the web server.

use std::collections::BTreeSet;
use std::fs;
use std::sync::LazyLock;

use serde_json::{Map, Value};
use tessera_tests::repository;

use super::{class, own, process};

/// The properties that are shown and never set.
pub(super) const READ_ONLY: [&str; 6] = [
    "accessKeyDefined",
    "isRunning",
    "name",
    "openSSLVersion",
    "perfectForwardSecrecy",
    "sessionCookieName",
];

/// The WebServer class as its documentation lists it, with `rules` and `handlers` of a later one.
const CLASS: &str = "accessKeyDefined certificateFolder characterSet cipherSuite CORSEnabled CORSSettings debugLog \
    defaultHomepage handlers HSTSEnabled HSTSMaxAge HTTPCompressionLevel HTTPCompressionThreshold HTTPEnabled HTTPPort HTTPTrace \
    HTTPSEnabled HTTPSPort inactiveProcessTimeout inactiveSessionTimeout IPAddressToListen isRunning keepSession \
    logRecording maxConcurrentProcesses maxRequestSize maxSessions minTLSVersion name openSSLVersion \
    perfectForwardSecrecy rootFolder rules scalableSession sessionCookieDomain sessionCookieName sessionCookiePath \
    sessionCookieSameSite sessionIPAddressValidation";

/// One setting.
pub(super) struct Row {
    pub(super) key: String,
    pub(super) of: Of,
    kind: String,
    pub(super) effect: Effect,
    /// For the host and for a component; as JSON for a property of the class.
    defaults: [String; 2],
    pub(super) cases: Vec<Case>,
}

/// One value of a setting.
pub(super) struct Case {
    pub(super) value: Value,
    pub(super) beside: Map<String, Value>,
    pub(super) outcome: Outcome,
}

/// What comes of a value.
pub(super) enum Outcome {
    /// It is taken and shown like this.
    Shown(Value),
    /// The same, but not every machine can start with it.
    Stored(Value),
    /// It is refused with these words.
    Refused(String),
}

/// Who has a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    Both,
    Host,
    Component,
}

/// When a changed value takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Reload,
    Restart,
    Process,
}

impl Of {
    pub(super) fn covers(self, server: Self) -> bool {
        self == Self::Both || self == server
    }
}

impl Row {
    /// Whether it is a property of the class, which web servers show.
    pub(super) fn is_shown(&self) -> bool {
        !self.key.contains('.')
    }

    /// Whether what stands after an equals sign is a text however it looks.
    pub(super) fn is_text(&self) -> bool {
        self.kind.starts_with("text") && self.kind != "text or number"
    }

    /// What is shown when nothing is set; `None` if it is not shown.
    pub(super) fn default_of(&self, server: Of) -> Option<Value> {
        let text = &self.defaults[usize::from(server == Of::Component)];
        (text != "-").then(|| one(text))
    }

    fn of_head(line: &str) -> Self {
        // A default may hold the bar that separates: only those with spaces around them count.
        let parts: Vec<_> = line.split(" | ").collect();
        let [key, of, kind, effect, host, component @ ..] = &parts[..] else {
            panic!("not the head of a row: {line}");
        };
        let component = component.first().unwrap_or(host);
        Self {
            key: (*key).to_owned(),
            of: match *of {
                "both" => Of::Both,
                "host" => Of::Host,
                "component" => Of::Component,
                other => panic!("{other}: {line}"),
            },
            kind: (*kind).to_owned(),
            effect: match *effect {
                "reload" => Effect::Reload,
                "restart" => Effect::Restart,
                "process" => Effect::Process,
                other => panic!("{other}: {line}"),
            },
            defaults: [(*host).to_owned(), (*component).to_owned()],
            cases: Vec::new(),
        }
    }

    fn add(&mut self, verb: &str, rest: &str, beside: &Map<String, Value>) {
        let (written, result) = match rest.split_once(" => ") {
            Some((written, result)) => (written, Some(result)),
            None => (rest, None),
        };
        for value in all(written) {
            let shown = || result.map_or_else(|| value.clone(), one);
            let outcome = match verb {
                "takes" => Outcome::Shown(shown()),
                "stored" => Outcome::Stored(shown()),
                "refuses" => Outcome::Refused(result.unwrap().to_owned()),
                other => panic!("{}: {other}", self.key),
            };
            self.cases.push(Case {
                value,
                beside: beside.clone(),
                outcome,
            });
        }
    }
}

/// All rows.
pub(super) fn rows() -> &'static [Row] {
    static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
        parse(&[class::ROWS, own::ROWS, process::ROWS, own::OF_COMPONENTS].concat())
    });
    &ROWS
}

fn parse(text: &str) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut beside = Map::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let Some(content) = line.strip_prefix("  ") else {
            rows.push(Row::of_head(line));
            beside.clear();
            continue;
        };
        let (verb, rest) = content.split_once(' ').unwrap();
        match verb {
            "beside" => beside = one(rest).as_object().unwrap().clone(),
            verb => rows.last_mut().unwrap().add(verb, rest, &beside),
        }
    }
    rows
}

fn all(text: &str) -> Vec<Value> {
    let values = serde_json::Deserializer::from_str(text).into_iter();
    let values: Result<Vec<Value>, _> = values.collect();
    values.unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn one(text: &str) -> Value {
    let mut values = all(text);
    assert_eq!(values.len(), 1, "{text}");
    values.remove(0)
}

/// A setting as the reference page has it.
#[derive(Debug, PartialEq, Eq)]
struct Described {
    key: String,
    of: String,
    kind: String,
    default: String,
    effect: String,
}

/// The settings of `docs/settings.md`, and those that are only shown.
fn reference() -> (Vec<Described>, Vec<String>) {
    let page = fs::read_to_string(repository().join("docs/settings.md")).unwrap();
    let (mut table, mut settings, mut shown) = ("", Vec::new(), Vec::new());
    for line in page.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            table = title.trim_matches(['`', '[', ']']);
            continue;
        }
        let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let is_head = !line.starts_with('|') || line.starts_with("|---") || cells[0] == "key";
        let key = cells[0].trim_matches('`');
        match cells.len() {
            _ if is_head => {}
            3 if key != "property" => shown.push(key.to_owned()),
            7 => settings.push(Described {
                key: match (table, key) {
                    (table, _) if table.contains(' ') => key.to_owned(),
                    (table, "any name") => format!("{table}.*"),
                    (table, key) => format!("{table}.{key}"),
                },
                of: cells[1].to_owned(),
                kind: cells[2].to_owned(),
                default: cells[4].to_owned(),
                effect: cells[5].to_owned(),
            }),
            _ => {}
        }
    }
    (settings, shown)
}

/// Whether the names in a table are free.
pub(super) fn is_free(table: &str) -> bool {
    ["environment", "secrets", "config", "keyvalue"].contains(&table)
}

#[test]
fn every_setting_of_the_reference_has_its_row() {
    let (settings, shown) = reference();
    assert_eq!(shown, READ_ONLY);
    let described: Vec<_> = settings.iter().map(|setting| &setting.key).collect();
    let keys = rows().iter().map(|row| match row.key.split_once('.') {
        Some((table, _)) if is_free(table) => format!("{table}.*"),
        _ => row.key.clone(),
    });
    assert_eq!(
        keys.collect::<Vec<_>>(),
        described.into_iter().cloned().collect::<Vec<_>>()
    );
    for (row, setting) in rows().iter().zip(&settings) {
        let of = match row.of {
            Of::Both => "both",
            Of::Host => "host",
            Of::Component => "component",
        };
        let effect = match row.effect {
            Effect::Reload => "reload",
            Effect::Restart => "restart of the web server",
            Effect::Process => "restart of the process",
        };
        assert_eq!(
            (of, &row.kind[..], effect),
            (&setting.of[..], &setting.kind[..], &setting.effect[..]),
            "{}",
            row.key
        );
        let is_told_in_words = ["HTTPPort", "HTTPSPort", "HTTPSEnabled", "certificateFolder"]
            .contains(&&*row.key)
            || row.defaults[0] == "-";
        let expected = row.defaults[0].replace("OWN/", "");
        assert!(
            is_told_in_words || setting.default == expected,
            "{}: {setting:?}",
            row.key
        );
    }
}

#[test]
fn every_property_of_the_class_is_set_or_shown() {
    let class: BTreeSet<_> = CLASS.split_whitespace().collect();
    let set = rows()
        .iter()
        .filter(|row| row.is_shown())
        .map(|row| &*row.key);
    let ours: BTreeSet<_> = set.chain(READ_ONLY).collect();
    assert_eq!(ours, class);
}

#[test]
fn every_row_has_what_is_taken_and_what_is_not() {
    for row in rows() {
        let refused = row
            .cases
            .iter()
            .filter(|case| matches!(case.outcome, Outcome::Refused(_)));
        let types: BTreeSet<_> = refused.map(|case| type_of(&case.value)).collect();
        // Of numbers, texts, booleans, lists and tables, a value has one or two.
        assert!(types.len() >= 3, "{}: {types:?}", row.key);
        let taken = row
            .cases
            .iter()
            .filter(|case| matches!(case.outcome, Outcome::Shown(_)));
        assert!(taken.count() >= 2, "{}", row.key);
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "table",
    }
}
