//! One web server object: a name, and whatever properties there are.

use serde_json::{Map, Value as Json};
use tessera_guest::Value;
use tessera_guest::web_server::Property;

/// A web server object.
pub(crate) struct Server {
    pub(crate) name: String,
    /// In the order in which the host gave them.
    pub(crate) properties: Vec<(String, Json)>,
}

impl Server {
    pub(crate) fn new(name: String, properties: Vec<Property>) -> Self {
        let properties = properties
            .into_iter()
            .map(|Property { name, value }| (name, plain(value)));
        Self {
            name,
            properties: properties.collect(),
        }
    }

    pub(crate) fn json(&self) -> Json {
        let mut all: Map<String, Json> = self.properties.iter().cloned().collect();
        all.insert("name".to_owned(), self.name.as_str().into());
        all.into()
    }

    pub(crate) fn is_running(&self) -> bool {
        self.property("isRunning") == &Json::Bool(true)
    }

    /// Why it does not run, or why its newest module was not taken.
    pub(crate) fn error(&self) -> Option<&str> {
        self.property("error").as_str()
    }

    pub(crate) fn port(&self) -> Option<u64> {
        self.property("HTTPPort").as_u64()
    }

    /// The host name, if the mount has one, and the path.
    pub(crate) fn mount(&self) -> Option<(Option<&str>, &str)> {
        let mount = self.property("mount");
        Some((mount["host"].as_str(), mount["path"].as_str()?))
    }

    fn property(&self, name: &str) -> &Json {
        let found = self.properties.iter().find(|(other, _)| other == name);
        found.map_or(&Json::Null, |(_, value)| value)
    }
}

fn plain(value: Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Boolean(value) => value.into(),
        // A port is a whole number, and JSON should not say 8080.0.
        Value::Number(value) if value.fract() == 0.0 && value.abs() < 1e15 => (value as i64).into(),
        Value::Number(value) => value.into(),
        Value::Text(value) => value.into(),
        Value::Json(value) => serde_json::from_str(&value).unwrap_or(Json::String(value)),
    }
}
