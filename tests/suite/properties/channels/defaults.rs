//! What is shown when nothing is set: by servers, and by the description of the API.

use serde_json::{Value, json};
use tessera_tests::Site;

use super::super::table::{Of, READ_ONLY, is_free, rows};
use super::{HOST, SHOP, assert_none};

/// What servers show beside the properties of the class.
const OTHERS: [&str; 5] = ["kind", "state", "error", "pending", "urls"];

#[tokio::test]
async fn without_settings_every_property_has_its_default() {
    let server = Site::new()
        .guest_as_with("silent", "shop", "")
        .start()
        .await;
    let description = server.admin.document("/api/v1/openapi.json").await;
    let schemas = &description["components"]["schemas"];
    let mut faults = Vec::new();
    for (target, schema) in [(HOST, "HostSettings"), (SHOP, "ComponentSettings")] {
        // A server that runs shows the ports that the system picked for this test.
        server.admin.stop(target.name).await;
        let shown = server.properties(target.name).await;
        let expected = |row: &super::Row| {
            row.default_of(target.of)
                .map(|default| target.own(&server, &default))
        };
        for row in target.rows().filter(|row| row.is_shown()) {
            if shown.get(&row.key) != expected(row).as_ref() {
                faults.push(format!("{} {}: {}", target.name, row.key, shown[&row.key]));
            }
        }
        for key in shown.as_object().unwrap().keys() {
            let is_row = rows().iter().any(|row| row.key == *key);
            if !is_row && !READ_ONLY.contains(&key.as_str()) && !OTHERS.contains(&key.as_str()) {
                faults.push(format!("{} shows {key}, which has no row", target.name));
            }
        }
        // What is taken is described: the same settings, and no more.
        let described = keys(&schemas[schema]);
        let mut rows: Vec<_> = target.rows().map(|row| row.key.clone()).collect();
        let is_named = |key: &String| key.split_once('.').is_none_or(|(table, _)| !is_free(table));
        rows.retain(is_named);
        rows.sort();
        assert_eq!(described, rows, "{schema}");
    }
    assert_none(&faults);
}

#[tokio::test]
async fn a_bare_module_has_no_folders() {
    let server = Site::new().guest_as("silent", "shop").start().await;
    let shown = server.properties("shop").await;
    for key in ["rootFolder", "certificateFolder"] {
        assert_eq!(shown[key], Value::Null, "{key}");
        let refused = server
            .admin
            .patch("/api/v1/servers/shop", &json!({key: "public"}))
            .await;
        assert_eq!(refused.status, 422, "{key}: {refused:?}");
        assert!(refused.text().contains("absolute path"), "{refused:?}");
    }
    assert_eq!(shown["HTTPPort"], Value::Null);
    for row in rows().iter().filter(|row| row.of == Of::Component) {
        assert_eq!(shown.get(&row.key), None, "{}", row.key);
    }
}

/// The dotted keys of what a schema of settings takes.
fn keys(schema: &Value) -> Vec<String> {
    let mut keys = Vec::new();
    for (name, property) in schema["properties"].as_object().unwrap() {
        if property["readOnly"] == true {
            continue;
        }
        match property["properties"].as_object() {
            Some(inner) => keys.extend(inner.keys().map(|key| format!("{name}.{key}"))),
            None if property["type"] == "object" => {}
            None => keys.push(name.clone()),
        }
    }
    keys.sort();
    keys
}
