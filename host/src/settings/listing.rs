//! The settings with their values, for a form: what each is, what is allowed, what it is now, and when a change holds.

use serde_json::{Value as Json, json};

use super::component::ComponentSettings;
use super::host::HostSettings;
use super::setting::{Scope, Values};
use super::table::SETTINGS;

/// Says which operator's layer the value of a key is from.
type Source<'a> = &'a dyn Fn(&str) -> Option<&'static str>;

impl HostSettings {
    /// Lists the host's settings.
    pub(crate) fn listed(&self, source: Source<'_>) -> Json {
        listed(Scope::Host, self.values(), source)
    }
}

impl ComponentSettings {
    /// Lists a component's settings.
    pub(crate) fn listed(&self, source: Source<'_>) -> Json {
        listed(Scope::Component, self.values(), source)
    }
}

/// Tables that take any name are left out: what is in them are variables and secrets of the component.
fn listed(scope: Scope, values: &Values, source: Source<'_>) -> Json {
    let shown = SETTINGS
        .iter()
        .filter(|it| it.scope().covers(scope) && !it.is_any_name());
    shown
        .map(|it| {
            json!({
                "key": it.key(),
                "table": it.table(),
                "type": it.type_name(),
                "schema": it.schema(),
                "allowed": it.allowed(),
                "default": it.default_text(),
                "description": it.doc(),
                "effect": it.effect().to_string(),
                "isSecret": it.is_secret(),
                "value": values.get(*it).filter(|_| !it.is_secret()),
                "source": source(it.key()),
            })
        })
        .collect()
}

/// The schema of the list.
pub(crate) fn schema() -> Json {
    let text = |about: &str| json!({"type": "string", "description": about});
    json!({"type": "array", "items": {
        "type": "object",
        "required": ["key", "table", "type", "schema", "allowed", "default", "description", "effect", "isSecret", "value", "source"],
        "properties": {
            "key": text("With its table: `pool.max`."),
            "table": text("Empty for the properties of the class."),
            "type": text("As docs/settings.md calls it."),
            "schema": {"type": "object", "description": "What is accepted, as JSON Schema."},
            "allowed": text("The same in words, with units."),
            "default": text("In words."),
            "description": text("What it is about."),
            "effect": {"enum": ["reload", "restart of the web server", "restart of the process"]},
            "isSecret": {"type": "boolean"},
            "value": {"description": "Null where there is none, and of a secret."},
            "source": {
                "enum": ["start", "session", null],
                "description": "Null: the file, --set or the default.",
            },
        },
    }})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_listed_with_its_value_and_no_secret() {
        let site = tempfile::tempdir().unwrap();
        let toml = "HTTPPort = 81\n[admin]\naccess_key = \"correct-horse-battery\"\n";
        std::fs::write(site.path().join("tessera.toml"), toml).unwrap();
        let settings = HostSettings::load(site.path(), &[]).unwrap();
        let list = settings.listed(&|key| (key == "HTTPPort").then_some("session"));
        let list = list.as_array().unwrap();
        let of = |key: &str| list.iter().find(|it| it["key"] == key).unwrap();
        assert_eq!(of("HTTPPort")["value"], 81);
        assert_eq!(of("HTTPPort")["source"], "session");
        assert_eq!(of("cache.enabled")["table"], "cache");
        assert_eq!(of("admin.access_key")["isSecret"], true);
        assert!(!json!(list).to_string().contains("correct-horse"));
        assert!(list.iter().all(|it| it["key"] != "pool.max"));
        let of_component = ComponentSettings::load("a", None, &[]).unwrap();
        let list = of_component.listed(&|_| None);
        let list = list.as_array().unwrap();
        assert!(list.iter().any(|it| it["key"] == "pool.max"));
        assert!(list.iter().all(|it| it["key"] != "admin.address"));
    }
}
