//! The registry as components see it, through `tessera:web/web-server`.

use serde_json::Value;
use tessera_engine::{Property, PropertyValue, ServerDirectory};

use super::Registry;

impl ServerDirectory for Registry {
    fn host(&self) -> String {
        self.host().name().to_owned()
    }

    fn names(&self) -> Vec<String> {
        self.all()
            .iter()
            .map(|server| server.name().to_owned())
            .collect()
    }

    fn properties(&self, name: &str) -> Option<Vec<Property>> {
        let properties = self.find(name)?.properties();
        Some(
            properties
                .into_iter()
                .map(|(name, value)| Property {
                    name,
                    value: property_value(value),
                })
                .collect(),
        )
    }
}

fn property_value(value: Value) -> PropertyValue {
    match value {
        Value::Null => PropertyValue::Null,
        Value::Bool(value) => PropertyValue::Boolean(value),
        Value::Number(number) => PropertyValue::Number(number.as_f64().unwrap_or_default()),
        Value::String(text) => PropertyValue::Text(text),
        list_or_object => PropertyValue::Json(list_or_object.to_string()),
    }
}
