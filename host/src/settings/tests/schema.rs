//! The settings as JSON Schema: what the host accepts, the schema accepts.

use super::*;

/// Checks a value against the parts of JSON Schema that are used here, but for patterns.
fn is_valid(schema: &Json, value: &Json) -> bool {
    let is_type = |name: &str| match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("{other}"),
    };
    let number = value.as_f64();
    let items = value.as_array();
    let members = value.as_object();
    schema
        .as_object()
        .unwrap()
        .iter()
        .all(|(keyword, rule)| match keyword.as_str() {
            "type" => match rule {
                Json::Array(names) => names.iter().any(|name| is_type(name.as_str().unwrap())),
                name => is_type(name.as_str().unwrap()),
            },
            "enum" => rule.as_array().unwrap().contains(value),
            "anyOf" => rule
                .as_array()
                .unwrap()
                .iter()
                .any(|schema| is_valid(schema, value)),
            "minimum" => number.is_none_or(|number| number >= rule.as_f64().unwrap()),
            "maximum" => number.is_none_or(|number| number <= rule.as_f64().unwrap()),
            "minItems" => items.is_none_or(|items| items.len() as u64 >= rule.as_u64().unwrap()),
            "maxItems" => items.is_none_or(|items| items.len() as u64 <= rule.as_u64().unwrap()),
            "items" => items.is_none_or(|items| items.iter().all(|item| is_valid(rule, item))),
            "properties" => members.is_none_or(|members| {
                members.iter().all(|(name, member)| {
                    rule.get(name).is_none_or(|schema| is_valid(schema, member))
                })
            }),
            "required" => members.is_none_or(|members| {
                let mut names = rule.as_array().unwrap().iter();
                names.all(|name| members.contains_key(name.as_str().unwrap()))
            }),
            "additionalProperties" if rule == &json!(false) => members.is_none_or(|members| {
                members
                    .keys()
                    .all(|name| schema["properties"].get(name).is_some())
            }),
            "additionalProperties" => {
                members.is_none_or(|members| members.values().all(|member| is_valid(rule, member)))
            }
            "minLength" => value
                .as_str()
                .is_none_or(|text| text.len() as u64 >= rule.as_u64().unwrap()),
            "maxLength" => value
                .as_str()
                .is_none_or(|text| text.len() as u64 <= rule.as_u64().unwrap()),
            "default" | "description" | "pattern" | "readOnly" | "writeOnly" => true,
            other => panic!("{other} is not known to this test"),
        })
}

#[test]
fn what_is_shown_is_valid() {
    let host = host_settings("scalableSession = false", &[]).unwrap();
    let component = component_settings("scalableSession = false").unwrap();
    for (scope, properties) in [
        (Scope::Host, host.properties()),
        (Scope::Component, component.properties()),
        (Scope::Both, component.properties()),
    ] {
        let schema = schema(scope);
        for (key, value) in properties {
            let known = &schema["properties"][&key];
            assert!(
                known.is_object() && is_valid(known, &value),
                "{key} = {value}: {known}"
            );
        }
    }
}

#[test]
fn every_setting_is_described_with_its_default() {
    for definition in SETTINGS {
        let (schema, key) = (definition.schema(), definition.key());
        let default = &schema["default"];
        assert!(
            default.is_null() || is_valid(&schema, default),
            "{key}: {schema}"
        );
        let written = definition.default_text();
        let is_value =
            written.starts_with('"') && !written.contains(' ') && !key.starts_with("mount");
        if is_value || written.parse::<f64>().is_ok() || written.parse::<bool>().is_ok() {
            assert!(!default.is_null(), "{key}: {schema}");
        }
    }
}

#[test]
fn what_is_out_of_range_is_not_valid() {
    let cases = [
        ("HTTPPort", json!(65536), json!(65535)),
        ("minTLSVersion", json!(2), json!(4)),
        ("HTTPCompressionLevel", json!(0), json!(-1)),
        ("debugLog", json!(2), json!(7)),
        (
            "CORSSettings",
            json!([{"hots": "*"}]),
            json!([{"host": "*", "methods": null}]),
        ),
        ("sessionCookieSameSite", json!("lax"), json!("Lax")),
        (
            "keep_alive",
            json!({"timeout": 3601}),
            json!({"timeout": "1 h"}),
        ),
        (
            "pool",
            json!({"mux": 1}),
            json!({"max": 1, "policy": "fresh"}),
        ),
        ("limits", json!({"memory": 1}), json!({"memory": "1 MiB"})),
        (
            "permissions",
            json!({"control": "*"}),
            json!({"control": ["*"]}),
        ),
        (
            "permissions",
            json!({"folders": [{"path": "a"}]}),
            json!({"folders": [{"path": "a", "guest": "/a", "write": true}]}),
        ),
        ("environment", json!({"A": 1}), json!({"A": "1"})),
        ("secrets", json!({"A": 1}), json!({"A": "token"})),
        ("config", json!({"A": 1}), json!({"A": "1"})),
        (
            "keyvalue",
            json!({"A": {"share": "x"}}),
            json!({"A": {"store": "file", "share": "x", "size": "1 MiB"}, "B": "memory"}),
        ),
        ("unknown", json!(1), json!(null)),
    ];
    let schema = schema(Scope::Component);
    for (key, wrong, right) in cases {
        assert!(
            !is_valid(&schema, &json!({ key: wrong })),
            "{key} = {wrong}"
        );
        assert!(
            right.is_null() || is_valid(&schema, &json!({ key: right })),
            "{key} = {right}"
        );
    }
}

#[test]
fn each_kind_of_server_has_its_own() {
    let (host, component) = (schema(Scope::Host), schema(Scope::Component));
    let both = schema(Scope::Both);
    assert!(host["properties"]["pool"].is_null() && component["properties"]["admin"].is_null());
    assert!(component["properties"]["cache"]["properties"]["size"].is_null());
    for name in ["pool", "admin", "cache", "HTTPPort"] {
        assert!(both["properties"][name].is_object(), "{name}");
    }
    for property in READ_ONLY {
        assert_eq!(host["properties"][property.name]["readOnly"], true);
    }
    assert_eq!(
        host["properties"]["admin"]["properties"]["access_key"]["writeOnly"],
        true
    );
    let text = host["properties"]["HTTPTrace"]["description"]
        .as_str()
        .unwrap();
    assert!(text.contains("TRACE") && text.contains("reload"), "{text}");
}
