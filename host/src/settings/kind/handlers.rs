//! `handlers`: which web methods answer URLs by pattern.

use serde_json::{Map, Value as Json, json};
use tessera_engine::{DeclaredHandler, DeclaredPattern};

use super::rules::{TEXT_BYTES_MAX, check_pattern, entries, text};
use super::{Kind, Preset, Refusal};
use crate::settings::error::shown;
use crate::settings::file::Loose;
use crate::settings::rule::{Handler, Handlers, Patterns};

/// The path of every request is held against all of them.
const HANDLERS_MAX: usize = 1_000;

/// Where the documents let no handler be.
const FORBIDDEN: [&str; 4] = ["4daction", "rest", "$lib/renderer", "$shared"];

/// A list of handlers.
#[derive(Debug)]
pub(in crate::settings) struct HandlerList;

impl Kind for HandlerList {
    type Value = Handlers;
    const TYPE: &'static str = "list of tables";

    fn read(&self, loose: &Loose) -> Result<Handlers, Refusal> {
        let list = entries(loose, HANDLERS_MAX, handler)?;
        let patterns = Patterns::compile(list.iter().map(|handler| handler.pattern.as_str()))
            .map_err(|reason| Refusal::Because(format!("the patterns together: {reason}")))?;
        Ok(Handlers { list, patterns })
    }

    fn allowed(&self) -> String {
        format!(
            "a list of at most {HANDLERS_MAX} {{pattern or regexPattern, verbs, class, method}}; verbs are joined by \
             commas, none are all; class is a component, on a component's server itself; method is one of its web \
             methods; other keys are ignored"
        )
    }

    fn default_text(&self) -> String {
        "[]".to_owned()
    }

    fn json(&self, value: &Handlers) -> Json {
        let handlers = value.list.iter();
        handlers.map(|handler| handler.shown.clone()).collect()
    }

    fn schema(&self) -> Json {
        let text = json!({"type": "string"});
        let names = ["pattern", "regexPattern", "verbs", "class", "method"];
        let properties: Map<String, Json> = names
            .into_iter()
            .map(|name| (name.to_owned(), text.clone()))
            .collect();
        json!({
            "type": "array",
            "maxItems": HANDLERS_MAX,
            "items": {"type": "object", "properties": properties, "required": ["method"]},
            "default": [],
        })
    }
}

impl Preset for HandlerList {
    fn preset(&self) -> Handlers {
        Handlers::default()
    }
}

/// Says what is wrong with one handler.
pub(in crate::settings) fn check(entry: &Loose) -> Result<(), String> {
    handler(entry).map(drop)
}

fn handler(entry: &Loose) -> Result<Handler, String> {
    let Loose::Table(members) = entry else {
        let found = entry.type_name();
        return Err(format!("must be {{pattern, method, ...}}, not {found}"));
    };
    let (mut prefix, mut regex, mut verbs, mut class, mut method) = (None, None, None, None, None);
    let mut shown = Map::new();
    for (name, value) in members {
        let member = match name.as_str() {
            "pattern" => &mut prefix,
            "regexPattern" => &mut regex,
            "verbs" => &mut verbs,
            "class" => &mut class,
            "method" => &mut method,
            _ => continue,
        };
        let text = text(name, value)?;
        if text.len() > TEXT_BYTES_MAX {
            return Err(format!("{name} must be at most {TEXT_BYTES_MAX} bytes"));
        }
        *member = Some(text);
        shown.insert(name.clone(), text.into());
    }
    let named = |name: &str, text: Option<&str>| match text {
        Some("") => Err(format!("{name} must not be empty")),
        text => Ok(text.map(str::to_owned)),
    };
    let class = named("class", class)?;
    let method = named("method", method)?.ok_or("needs method")?;
    Ok(Handler {
        pattern: pattern(prefix, regex)?,
        verbs: verbs.map(read_verbs).unwrap_or_default(),
        class,
        method,
        shown: Json::Object(shown),
    })
}

/// Of both only `regexPattern` counts.
fn pattern(prefix: Option<&str>, regex: Option<&str>) -> Result<String, String> {
    let (name, written, pattern) = match (prefix, regex) {
        (_, Some(regex)) => ("regexPattern", regex, regex.to_owned()),
        (Some(prefix), None) => {
            let prefix = prefix.trim_matches('/');
            if prefix.is_empty() {
                return Err(
                    "pattern must be the beginning of URLs, such as \"docs\"; for all of them write \
                     regexPattern = \"/\""
                        .to_owned(),
                );
            }
            check_pattern("pattern", prefix)?;
            ("pattern", prefix, format!("^/(?:{prefix})/"))
        }
        (None, None) => return Err("needs pattern or regexPattern".to_owned()),
    };
    check_pattern(name, &pattern)?;
    if let Some(forbidden) = forbidden(written) {
        return Err(format!(
            "{name} \"{}\" must not be of /{forbidden}: those URLs have a meaning of their own",
            shown(written)
        ));
    }
    Ok(pattern)
}

/// Which of the forbidden URLs a pattern spells out. One that matches them beside others is allowed, and is not asked
/// for them.
fn forbidden(pattern: &str) -> Option<&'static str> {
    let plain = pattern.replace('\\', "").to_ascii_lowercase();
    let plain = plain.trim_start_matches('^').trim_start_matches('/');
    FORBIDDEN.into_iter().find(|forbidden| {
        let rest = plain.strip_prefix(forbidden);
        rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
    })
}

/// The handlers of the settings, and after them those that a component declares.
pub(in crate::settings) fn joined(
    own: &Handlers,
    declared: &[DeclaredHandler],
) -> Result<Handlers, String> {
    if declared.len() > HANDLERS_MAX {
        return Err(format!(
            "has {} handlers; {HANDLERS_MAX} are allowed",
            declared.len()
        ));
    }
    let mut list = own.list.clone();
    for (index, declared) in declared.iter().enumerate() {
        let entry = Loose::from(&declared_json(declared));
        let handler =
            handler(&entry).map_err(|reason| format!("handler {}: {reason}", index + 1))?;
        list.push(handler);
    }
    let patterns = Patterns::compile(list.iter().map(|handler| handler.pattern.as_str()))
        .map_err(|reason| format!("the patterns of all handlers together: {reason}"))?;
    Ok(Handlers { list, patterns })
}

/// A declared handler as settings write it.
pub(in crate::settings) fn declared_json(declared: &DeclaredHandler) -> Json {
    let (key, pattern) = match &declared.pattern {
        DeclaredPattern::Prefix(prefix) => ("pattern", prefix),
        DeclaredPattern::Regex(regex) => ("regexPattern", regex),
    };
    let mut all = Map::new();
    all.insert(key.to_owned(), pattern.as_str().into());
    if !declared.verbs.is_empty() {
        all.insert("verbs".to_owned(), declared.verbs.join(", ").into());
    }
    all.insert("method".to_owned(), declared.method.as_str().into());
    Json::Object(all)
}

fn read_verbs(text: &str) -> Vec<String> {
    let verbs = text.split(',').map(str::trim);
    verbs
        .filter(|verb| !verb.is_empty())
        .map(str::to_ascii_uppercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(handlers: Json) -> Result<Handlers, Refusal> {
        HandlerList.read(&Loose::from(&handlers))
    }

    #[test]
    fn a_prefix_is_a_regular_expression_between_slashes() {
        let both = json!({"pattern": "x", "regexPattern": "/docs/.+/index\\.html", "method": "m"});
        let written = json!([
            {"pattern": "info", "method": "m"},
            {"pattern": "/userAccount/update/", "method": "m", "verbs": "put, Post,"},
            both,
        ]);
        let handlers = read(written.clone()).unwrap();
        for (path, expected) in [
            ("/info/", &[0][..]),
            ("/info/general", &[0]),
            ("/info", &[]),
            ("/information/", &[]),
            ("/a/info/", &[]),
            ("/userAccount/update/profile", &[1]),
            ("/docs/a/b/index.html", &[2]),
            ("/docs/index.html", &[]),
            ("/x/", &[]),
        ] {
            let found: Vec<_> = handlers.patterns.matching(path).collect();
            assert_eq!(found, expected, "{path}");
        }
        assert_eq!(handlers.list[1].verbs, ["PUT", "POST"]);
        assert!(handlers.list[1].takes(&http::Method::POST));
        assert!(!handlers.list[1].takes(&http::Method::GET));
        assert!(handlers.list[0].takes(&http::Method::from_bytes(b"BREW").unwrap()));
        assert_eq!(HandlerList.json(&handlers), written);
    }

    #[test]
    fn what_a_component_declares_comes_after_the_settings() {
        let own = read(json!([{"pattern": "a", "method": "own", "verbs": "GET"}])).unwrap();
        let declared = |pattern, verbs: &[&str]| DeclaredHandler {
            pattern,
            verbs: verbs.iter().map(|&verb| verb.to_owned()).collect(),
            method: "declared".to_owned(),
        };
        let prefix = |text: &str| DeclaredPattern::Prefix(text.to_owned());
        let regex = |text: &str| DeclaredPattern::Regex(text.to_owned());
        let both = [
            declared(prefix("a"), &["get", "POST"]),
            declared(regex("^/b$"), &[]),
        ];
        let all = joined(&own, &both).unwrap();
        assert_eq!(all.list.len(), 3);
        assert_eq!(all.patterns.matching("/a/x").collect::<Vec<_>>(), [0, 1]);
        assert_eq!(all.patterns.matching("/b").collect::<Vec<_>>(), [2]);
        assert_eq!(all.list[0].pattern, all.list[1].pattern);
        assert_eq!(all.list[1].verbs, ["GET", "POST"]);
        let shown = json!({"pattern": "a", "verbs": "get, POST", "method": "declared"});
        assert_eq!(declared_json(&both[0]), shown);
        for (pattern, expected) in [
            (prefix(""), "handler 1: pattern must be"),
            (prefix("rest"), "must not be of /rest"),
            (regex("("), "unclosed group"),
            (regex("/4DACTION"), "must not be of /4daction"),
        ] {
            let error = joined(&own, &[declared(pattern, &[])]).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        let many = vec![declared(prefix("a"), &[]); HANDLERS_MAX + 1];
        assert!(
            joined(&own, &many)
                .unwrap_err()
                .contains("1000 are allowed")
        );
    }

    #[test]
    fn what_has_a_meaning_of_its_own_is_not_to_be_had() {
        for (pattern, is_forbidden) in [
            ("/4DACTION", true),
            ("^/4daction/add", true),
            ("/rest", true),
            ("rest/(.*)", true),
            ("/\\$lib/renderer", true),
            ("/$shared/a", true),
            ("/restaurant", false),
            ("/4DCGI/x", false),
            ("/(.*)", false),
            ("/a/rest", false),
        ] {
            let handlers = read(json!([{"regexPattern": pattern, "method": "m"}]));
            assert_eq!(handlers.is_err(), is_forbidden, "{pattern}");
        }
        assert!(read(json!([{"pattern": "rest", "method": "m"}])).is_err());
    }
}
