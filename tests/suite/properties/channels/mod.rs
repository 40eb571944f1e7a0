//! Every row of the table through every channel, for the host and for a component.

mod admin;
mod command_line;
mod defaults;
mod file;
mod guest;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Map, Value, json};
use tessera_tests::{CertificatePair, Server, Site};

use super::table::{Case, Effect, Of, Outcome, Row, rows};

/// One of the two web servers that the values are tried on.
#[derive(Clone, Copy, Debug)]
struct Target {
    name: &'static str,
    of: Of,
    /// Where its settings are, in the site.
    folder: &'static str,
    file: &'static str,
}

const HOST: Target = Target {
    name: "site",
    of: Of::Host,
    folder: "",
    file: "tessera.toml",
};
const SHOP: Target = Target {
    name: "shop",
    of: Of::Component,
    folder: "components/shop/",
    file: "components/shop/settings.toml",
};
const TARGETS: [Target; 2] = [HOST, SHOP];

/// The ports of `shop` in its file: without them it has no settings about listening.
const SHOP_PORTS: [(&str, u16); 2] = [("HTTPPort", 8099), ("HTTPSPort", 8449)];

/// Values that may be set at once: of no setting two.
struct Pack {
    settings: Map<String, Value>,
    cases: Vec<(&'static Row, &'static Case)>,
}

impl Target {
    fn path(self, server: &Server) -> String {
        let path = server.site.path().join(self.folder);
        path.to_string_lossy().trim_end_matches('/').to_owned()
    }

    /// With the folder of this web server where the table says `OWN`.
    fn own(self, server: &Server, value: &Value) -> Value {
        own(value, &self.path(server))
    }

    fn own_all(self, server: &Server, settings: &Map<String, Value>) -> Map<String, Value> {
        let settings = settings.iter();
        settings
            .map(|(key, value)| (key.clone(), self.own(server, value)))
            .collect()
    }

    /// The rows of this web server.
    fn rows(self) -> impl Iterator<Item = &'static Row> {
        rows().iter().filter(move |row| row.of.covers(self.of))
    }

    /// The text of its file with these settings; of a component's without a port most would be refused.
    fn document(self, server: &Server, settings: &Map<String, Value>) -> String {
        let mut all = Map::new();
        if self.of == Of::Component {
            all.extend(SHOP_PORTS.map(|(key, port)| (key.to_owned(), json!(port))));
        }
        all.extend(self.own_all(server, settings));
        document(&all)
    }

    /// The values that are taken, in as few packs as possible; `starts`: only those that it can start with.
    fn taken(self, starts: bool, is_asked: impl Fn(&Row) -> bool) -> Vec<Pack> {
        self.packs(is_asked, |outcome| match outcome {
            Outcome::Shown(_) => true,
            Outcome::Stored(_) => !starts,
            Outcome::Refused(_) => false,
        })
    }

    /// The values that are refused.
    fn refused(self, is_asked: impl Fn(&Row) -> bool) -> Vec<Pack> {
        self.packs(is_asked, |outcome| matches!(outcome, Outcome::Refused(_)))
    }

    fn packs(
        self,
        is_asked: impl Fn(&Row) -> bool,
        is_wanted: impl Fn(&Outcome) -> bool,
    ) -> Vec<Pack> {
        let mut packs: Vec<Pack> = Vec::new();
        for row in self.rows().filter(|row| is_asked(row)) {
            for case in row.cases.iter().filter(|case| is_wanted(&case.outcome)) {
                let beside = case.beside.iter();
                let settings: Vec<_> = beside.chain([(&row.key, &case.value)]).collect();
                let fits = |pack: &&mut Pack| {
                    let is_free = |(key, value): &(&String, &Value)| {
                        pack.settings.get(*key).is_none_or(|other| other == *value)
                    };
                    // A second value of the same setting is another case, be it the same value.
                    !pack.cases.iter().any(|(other, _)| other.key == row.key)
                        && settings.iter().all(is_free)
                };
                if packs.iter_mut().find(fits).is_none() {
                    packs.push(Pack {
                        settings: Map::new(),
                        cases: Vec::new(),
                    });
                }
                let pack = packs.iter_mut().find(fits).unwrap();
                let settings = settings.iter();
                pack.settings
                    .extend(settings.map(|(key, value)| ((*key).clone(), (*value).clone())));
                pack.cases.push((row, case));
            }
        }
        assert!(!packs.is_empty());
        packs
    }

    /// What is wrong with the properties that a web server shows with the settings of a pack.
    fn differences(self, server: &Server, pack: &Pack, shown: &Value) -> Vec<String> {
        let mut differences = Vec::new();
        for (row, case) in pack.cases.iter().filter(|(row, _)| row.is_shown()) {
            let (Outcome::Shown(expected) | Outcome::Stored(expected)) = &case.outcome else {
                continue;
            };
            let expected = self.own(server, expected);
            // The ports of a server that runs are the system's choice in these tests.
            let is_port = shown["isRunning"] == true && row.key.ends_with("Port");
            if !is_port && shown.get(&row.key) != Some(&expected) {
                let shown = &shown[&row.key];
                differences.push(format!("{} = {}: shown as {shown}", row.key, case.value));
            }
        }
        differences
    }
}

impl Pack {
    /// What is wrong with the messages about the values of a pack, one for each: each with its key and its words.
    fn untold(&self, told: &[String]) -> Vec<String> {
        let mut untold = Vec::new();
        for (row, case) in &self.cases {
            let Outcome::Refused(words) = &case.outcome else {
                continue;
            };
            let of_key = told.iter().filter(|line| {
                line.contains(&format!("{} = ", row.key))
                    || line.contains(&format!("[{}]", row.key))
            });
            let of_key: Vec<_> = of_key.collect();
            if of_key.len() != 1 || !of_key[0].contains(words.as_str()) {
                untold.push(format!(
                    "{} = {}: {words:?} is not in {of_key:?}",
                    row.key, case.value
                ));
            }
        }
        if told.len() != self.cases.len() {
            untold.push(format!(
                "{} of {} told: {told:#?}",
                told.len(),
                self.cases.len()
            ));
        }
        untold
    }
}

/// What a running process takes: of the process itself nothing is changed.
fn is_of_server(row: &Row) -> bool {
    row.effect != Effect::Process
}

/// A host and `shop`, both with certificates in all the folders that the table names.
fn stage() -> Site {
    let pair = CertificatePair::for_names(&["localhost"]);
    let ports = SHOP_PORTS.map(|(key, port)| format!("{key} = {port}\n"));
    let site = Site::new().guest_as_with("silent", "shop", &ports.concat());
    for target in TARGETS {
        for folder in ["", "tls/", "more/tls/", "WebFolder/tls/"] {
            site.put_certificate(&format!("{}{folder}", target.folder), &pair);
        }
    }
    for secret in ["token", "secrets/token"] {
        let path = format!("{}{secret}", SHOP.folder);
        site.write(&path, "secret");
        let private = fs::Permissions::from_mode(0o600);
        fs::set_permissions(site.at(&path), private).unwrap();
    }
    site
}

/// Both web servers of a stage, stopped.
async fn stopped(stage: Site) -> Server {
    let server = stage.start().await;
    for target in TARGETS {
        server.admin.stop(target.name).await;
    }
    server
}

#[track_caller]
fn assert_none(faults: &[String]) {
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn own(value: &Value, folder: &str) -> Value {
    match value {
        Value::String(text) => text.replace("OWN", folder).into(),
        Value::Array(list) => list.iter().map(|value| own(value, folder)).collect(),
        other => other.clone(),
    }
}

/// A settings file.
fn document(settings: &Map<String, Value>) -> String {
    let mut tables: Vec<(&str, String)> = vec![("", String::new())];
    for (key, value) in settings {
        let (table, name) = key.split_once('.').unwrap_or(("", key));
        let line = format!("{name} = {}\n", toml(value));
        match tables.iter_mut().find(|(other, _)| *other == table) {
            Some((_, lines)) => lines.push_str(&line),
            None => tables.push((table, format!("[{table}]\n{line}"))),
        }
    }
    tables.into_iter().map(|(_, lines)| lines).collect()
}

/// A value as TOML. Texts of JSON are texts of TOML as well.
fn toml(value: &Value) -> String {
    match value {
        Value::Array(list) => format!("[{}]", list.iter().map(toml).collect::<Vec<_>>().join(", ")),
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(name, value)| format!("{} = {}", key(name), toml(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// A key as TOML: quoted unless it is a bare one.
fn key(name: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    match name.chars().all(is_bare) {
        true => name.to_owned(),
        false => format!("{name:?}"),
    }
}
