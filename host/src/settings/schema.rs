//! The settings as JSON Schema (2020-12), for the description of the admin API.

use serde_json::{Map, Value as Json, json};

use super::setting::{Definition, Scope};
use super::table::{READ_ONLY, SETTINGS, TABLES};

/// Describes the settings of the host, of components, or of both as an object: what is accepted, its default, and what
/// it is about. Tables are objects in it, and the properties that are only shown are `readOnly`.
pub fn schema(scope: Scope) -> Json {
    let mut properties = members(scope, "");
    for property in READ_ONLY {
        let schema = json!({
            "type": property.schema_type,
            "readOnly": true,
            "description": property.doc,
        });
        properties.insert(property.name.to_owned(), schema);
    }
    for table in TABLES.iter().filter(|table| is_in(scope, table.scope)) {
        let mut schema = json!({"type": "object", "description": table.doc});
        let settings = SETTINGS.iter().filter(|it| it.table() == table.name);
        match settings.clone().find(|it| it.is_any_name()) {
            Some(any) => schema["additionalProperties"] = described(*any),
            None => {
                schema["properties"] = members(scope, table.name).into();
                schema["additionalProperties"] = false.into();
            }
        }
        properties.insert(table.name.to_owned(), schema);
    }
    json!({"type": "object", "properties": properties, "additionalProperties": false})
}

fn members(scope: Scope, table: &str) -> Map<String, Json> {
    SETTINGS
        .iter()
        .filter(|it| it.table() == table && !it.is_any_name() && is_in(scope, it.scope()))
        .map(|it| (it.name().to_owned(), described(*it)))
        .collect()
}

fn is_in(scope: Scope, other: Scope) -> bool {
    scope == Scope::Both || other.covers(scope)
}

fn described(definition: &dyn Definition) -> Json {
    let doc = definition.doc();
    let effect = format!("Takes effect with: {}.", definition.effect());
    let mut schema = definition.schema();
    schema["description"] = format!("{doc} Allowed: {}. {effect}", definition.allowed()).into();
    schema
}
