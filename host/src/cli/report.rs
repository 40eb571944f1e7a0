//! What `tessera check` has found, for people and for programs.

use std::collections::HashMap;
use std::path::PathBuf;

use serde::Serialize;
use serde_json::Value;
use tessera_host::settings::Mount;

use super::failure::Failure;
use super::output::{self, printable};
use super::ports::{self, Listening};

/// A site, or one component. An error is a text with one fault per line.
#[derive(Serialize)]
pub(super) struct Report {
    pub(super) ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) settings: Option<SettingsReport>,
    pub(super) components: Vec<ComponentReport>,
}

/// The host's settings.
#[derive(Serialize)]
pub(super) struct SettingsReport {
    pub(super) file: PathBuf,
    pub(super) exists: bool,
    pub(super) error: Option<String>,
    /// What is not wrong, but should be known.
    pub(super) notes: Vec<String>,
    #[serde(skip)]
    pub(super) listening: Option<Listening>,
}

/// A component: what it exports and imports, as far as it could be looked at.
#[derive(Serialize)]
pub(super) struct ComponentReport {
    pub(super) name: String,
    pub(super) module: PathBuf,
    pub(super) error: Option<String>,
    pub(super) hooks: Vec<&'static str>,
    pub(super) methods: Vec<MethodReport>,
    /// The handlers that it declares, as settings would write them.
    pub(super) handlers: Vec<Value>,
    pub(super) exports: Vec<String>,
    pub(super) imports: Vec<String>,
    /// What is not wrong, but should be known.
    pub(super) notes: Vec<String>,
    #[serde(skip)]
    pub(super) mount: Option<Mount>,
    #[serde(skip)]
    pub(super) listening: Option<Listening>,
}

/// A method, and whether it is available through URLs.
#[derive(Serialize)]
pub(super) struct MethodReport {
    pub(super) name: String,
    pub(super) available: bool,
}

impl Report {
    pub(super) fn new(
        mut settings: Option<SettingsReport>,
        mut components: Vec<ComponentReport>,
    ) -> Self {
        find_conflicts(&mut components);
        find_clashes(settings.as_mut(), &mut components);
        let settings_error = settings
            .as_ref()
            .and_then(|settings| settings.error.as_ref());
        Self {
            ok: settings_error.is_none() && components.iter().all(|one| one.error.is_none()),
            settings,
            components,
        }
    }

    /// Fails if anything is wrong.
    pub(super) fn verdict(&self) -> Result<(), Failure> {
        if self.ok {
            return Ok(());
        }
        let wrong = self.components.iter().filter(|one| one.error.is_some());
        let settings = match &self.settings {
            Some(SettingsReport {
                error: Some(_),
                file,
                ..
            }) => format!("{} is wrong; ", file.display()),
            _ => String::new(),
        };
        Err(Failure::usage(format!(
            "{settings}{} of {} wrong: mend what is named above",
            wrong.count(),
            output::count(self.components.len(), "component")
        )))
    }

    /// The report for people.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        if let Some(settings) = &self.settings {
            let (state, error) = match &settings.error {
                Some(error) => ("wrong", error.as_str()),
                None if settings.exists => ("ok", ""),
                None => ("not there, so defaults", ""),
            };
            let file = settings.file.display();
            text.push_str(&entry(
                &format!("{file}: {state}"),
                &[("error", error), ("notes", &settings.notes.join("\n"))],
            ));
            if self.components.is_empty() {
                text.push_str("components: none\n");
            }
        }
        for component in &self.components {
            text.push_str(&component.text());
        }
        text
    }
}

impl ComponentReport {
    fn text(&self) -> String {
        let state = if self.error.is_none() { "ok" } else { "wrong" };
        let available = |method: &MethodReport| match method.available {
            true => method.name.clone(),
            false => format!("{} (not through URLs)", method.name),
        };
        let methods: Vec<_> = self.methods.iter().map(available).collect();
        let handlers: Vec<_> = self.handlers.iter().map(handler_text).collect();
        entry(
            &format!("{}: {state}", self.name),
            &[
                ("error", self.error.as_deref().unwrap_or_default()),
                ("hooks", &self.hooks.join(", ")),
                ("methods", &methods.join(", ")),
                ("handlers", &handlers.join("\n")),
                ("exports", &self.exports.join("\n")),
                ("imports", &self.imports.join("\n")),
                ("notes", &self.notes.join("\n")),
            ],
        )
    }
}

/// `GET, POST ^/books/ -> list`
fn handler_text(handler: &Value) -> String {
    let text = |name: &str| handler.get(name).and_then(Value::as_str);
    let pattern = match (text("pattern"), text("regexPattern")) {
        (Some(prefix), _) => format!("/{}/", prefix.trim_matches('/')),
        (None, regex) => regex.unwrap_or_default().to_owned(),
    };
    let verbs = text("verbs").unwrap_or("all methods");
    format!(
        "{verbs} {pattern} -> {}",
        text("method").unwrap_or_default()
    )
}

/// A title, and indented below it what there is to say; of several lines the first is named.
fn entry(title: &str, parts: &[(&str, &str)]) -> String {
    let mut text = format!("{}\n", printable(title));
    for (name, content) in parts {
        let mut name = *name;
        for line in content.lines() {
            text.push_str(&format!("  {name:8} {}\n", printable(line)));
            name = "";
        }
    }
    text
}

/// Each component can be right by itself, and yet two want the same place.
fn find_conflicts(components: &mut [ComponentReport]) {
    let mut places: HashMap<(Option<String>, String), String> = HashMap::new();
    for component in components.iter_mut().filter(|one| one.error.is_none()) {
        let Some(mount) = component.mount.clone() else {
            continue;
        };
        let place = (mount.host, mount.path.clone());
        if let Some(other) = places.get(&place) {
            component.error = Some(format!(
                "cannot be mounted at {}: component {other} is; change [mount] in one of their settings.toml",
                mount.path
            ));
        } else {
            places.insert(place, component.name.clone());
        }
    }
}

/// The same for ports. What is wrong is told of the later one of two.
fn find_clashes(host: Option<&mut SettingsReport>, components: &mut [ComponentReport]) {
    let mut servers = Vec::with_capacity(components.len() + 1);
    let mut places: Vec<(&mut Option<String>, &mut Vec<String>)> = Vec::new();
    if let Some(host) = host
        && let Some(listening) = host.listening.take()
    {
        servers.push(listening);
        places.push((&mut host.error, &mut host.notes));
    }
    for component in components.iter_mut() {
        if let Some(listening) = component.listening.take() {
            servers.push(listening);
            places.push((&mut component.error, &mut component.notes));
        }
    }
    for clash in ports::clashes(&servers) {
        let Some((error, notes)) = places.get_mut(clash.later) else {
            continue;
        };
        if clash.is_fine {
            notes.push(clash.text);
            continue;
        }
        match error {
            Some(error) => *error = format!("{error}\n{}", clash.text),
            None => **error = Some(clash.text),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;
    use tessera_host::settings::HostSettings;

    use super::*;

    fn component(name: &str, path: &str) -> ComponentReport {
        ComponentReport {
            name: name.to_owned(),
            module: PathBuf::from(format!("components/{name}.wasm")),
            error: None,
            hooks: vec!["On Web Connection", "methods"],
            methods: vec![
                MethodReport {
                    name: "greet".to_owned(),
                    available: true,
                },
                MethodReport {
                    name: "hidden".to_owned(),
                    available: false,
                },
            ],
            handlers: vec![
                json!({"pattern": "books", "verbs": "GET", "method": "hidden"}),
                json!({"regexPattern": "^/$", "method": "greet"}),
            ],
            exports: vec![
                "tessera:web/connection@0.1.0".to_owned(),
                "tessera:web/actions@0.1.0".to_owned(),
            ],
            imports: Vec::new(),
            notes: Vec::new(),
            listening: None,
            mount: Some(Mount {
                path: path.to_owned(),
                host: None,
                strip: true,
            }),
        }
    }

    #[test]
    fn a_component_is_described() {
        let expected = "\
hello: ok
  hooks    On Web Connection, methods
  methods  greet, hidden (not through URLs)
  handlers GET /books/ -> hidden
           all methods ^/$ -> greet
  exports  tessera:web/connection@0.1.0
           tessera:web/actions@0.1.0
";
        assert_eq!(component("hello", "/hello").text(), expected);
    }

    #[test]
    fn two_components_at_one_place_are_a_conflict() {
        let mut components = [
            component("a", "/shop"),
            component("b", "/b"),
            component("c", "/shop"),
        ];
        find_conflicts(&mut components);
        let wrong: Vec<_> = components
            .iter()
            .filter(|one| one.error.is_some())
            .collect();
        assert_eq!(wrong.len(), 1);
        assert_eq!(wrong[0].name, "c");
        assert!(wrong[0].text().contains("component a is"));
    }
    /// Where the host of a site with these settings would listen.
    fn listening(name: &str, settings: &str) -> Option<Listening> {
        let site = tempfile::tempdir().unwrap();
        fs::write(site.path().join("tessera.toml"), settings).unwrap();
        let settings = HostSettings::load(site.path(), &[]).unwrap();
        Some(Listening::new(name, &settings.web))
    }

    #[test]
    fn two_servers_on_one_port_are_a_conflict_of_the_later() {
        let host = SettingsReport {
            file: PathBuf::from("tessera.toml"),
            exists: true,
            error: None,
            notes: Vec::new(),
            listening: listening("site", "HTTPPort = 8080\n"),
        };
        let mut components = ["a", "b"].map(|name| component(name, &format!("/{name}")));
        components[0].listening = listening("a", "HTTPPort = 8081\n");
        components[1].listening = listening("b", "HTTPPort = 8080\nIPAddressToListen = \"::1\"\n");
        let report = Report::new(Some(host), components.into());
        assert!(report.components[0].error.is_none());
        let error = report.components[1].error.as_deref().unwrap();
        for part in ["site (HTTPPort)", "b (HTTPPort)", "8080", "::1"] {
            assert!(error.contains(part), "{part}: {error}");
        }
        assert!(!report.ok);
    }

    #[test]
    fn a_note_is_no_fault() {
        let mut noted = component("a", "/a");
        noted
            .notes
            .push("shop: no component has that name".to_owned());
        let report = Report::new(None, vec![noted]);
        assert!(report.ok && report.verdict().is_ok());
        assert!(report.text().contains("  notes    shop"));
    }
}
