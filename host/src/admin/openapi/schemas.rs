//! The schemas of what admin takes and answers.

use serde_json::{Map, Value, json};

use super::generations;
use crate::admin::{deploy, info, sessions, statistics, tail};
use crate::exchange::explain;
use crate::server::ErrorCode;

/// All schemas by name.
pub(super) fn all(host: &Value, component: &Value) -> Value {
    json!({
        "HostSettings": host,
        "ComponentSettings": component,
        "HostOptions": nullable(host),
        "ComponentOptions": nullable(component),
        "Server": server(host, component),
        "ServerList": {"type": "array", "items": {"$ref": "#/components/schemas/Server"}},
        "ChangedServer": changed_server(),
        "StartResult": start_result(),
        "StopResult": stop_result(),
        "Statistics": statistics::schema(),
        "Done": {
            "type": "object",
            "required": ["success"],
            "properties": {"success": {"const": true}},
        },
        "ReloadList": {"type": "array", "items": {"$ref": "#/components/schemas/Reloaded"}},
        "Reloaded": reloaded(),
        "GenerationList": generations::list(),
        "ErrorList": generations::errors(),
        "SessionList": sessions::schema(),
        "Metrics": {"type": "string", "description": "The text format of Prometheus, version 0.0.4."},
        "Info": info::schema(),
        "Processes": statistics::processes_schema(),
        "SettingList": crate::settings::listing_schema(),
        "LogTail": tail::schema(),
        "Deployed": deploy::schema(),
        "Figures": crate::metrics::live_schema(),
        "Explained": explain::schema(),
        "Description": {"type": "object", "description": "An OpenAPI 3.1 document."},
        "Status": {
            "type": "object",
            "required": ["status"],
            "properties": {"status": {"enum": ["ok", "ready"]}},
        },
        "Problem": problem(),
        "RefusedSettings": refused_settings(),
    })
}

/// Settings of which each may be null, as a merge patch has them (RFC 7396).
fn nullable(settings: &Value) -> Value {
    let mut options = settings.clone();
    if let Some(properties) = options.get_mut("properties").and_then(Value::as_object_mut) {
        for property in properties.values_mut() {
            let inner = if is_table(property) {
                nullable(property)
            } else {
                property.take()
            };
            *property = or_null(inner);
        }
    }
    options
}

fn or_null(schema: Value) -> Value {
    json!({"anyOf": [schema, {"type": "null"}]})
}

fn is_table(schema: &Value) -> bool {
    schema["type"] == "object"
}

/// A web server shows the properties of the class. Where it has no value for one it shows null.
fn server(host: &Value, component: &Value) -> Value {
    let mut properties = Map::new();
    for settings in [host, component] {
        let of_class = settings["properties"].as_object().into_iter().flatten();
        for (name, schema) in of_class.filter(|(_, schema)| !is_table(schema)) {
            properties.insert(name.clone(), or_null(schema.clone()));
        }
    }
    properties.extend(read_only());
    json!({
        "type": "object",
        "description": "Running: the values in use. Stopped: the values of the next start.",
        "required": ["name", "isRunning", "kind", "error", "urls"],
        "properties": properties,
    })
}

/// What a web server shows and nobody sets: first what the class has, then what only Tessera knows.
fn read_only() -> Map<String, Value> {
    let own = [of_the_class(), of_every_server(), of_components()];
    let members = own.iter().filter_map(Value::as_object).flatten();
    members
        .map(|(name, schema)| {
            let mut schema = schema.clone();
            schema["readOnly"] = true.into();
            (name.clone(), schema)
        })
        .collect()
}

fn of_the_class() -> Value {
    json!({
        "name": {"type": "string"},
        "isRunning": {"type": "boolean"},
        "accessKeyDefined": {"type": "boolean"},
        "openSSLVersion": {"type": "string", "description": "Name and version of the TLS library."},
        "perfectForwardSecrecy": {"type": "boolean"},
        "sessionCookieName": {"type": "string"},
    })
}

fn of_every_server() -> Value {
    let count = json!({"type": "integer", "minimum": 0});
    json!({
        "kind": {"enum": ["host", "component"]},
        "error": {
            "type": ["string", "null"],
            "description": "Why the last load failed, or why the web server is stopped.",
        },
        "state": {
            "enum": ["running", "stopped", "failed", "loading"],
            "description": "Stopped is what somebody stopped, or what does not launch at startup.",
        },
        "pending": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Session options that hold from the next start.",
        },
        "certificate": {
            "type": "object",
            "description": "The certificate in use: whom it is for, and until when.",
            "properties": {
                "names": {"type": "array", "items": {"type": "string"}},
                "notAfter": {"type": ["string", "null"]},
            },
        },
        "urls": {
            "type": "array",
            "items": {"type": "string", "format": "uri"},
            "description": "Where it is reached: its own ports, then its mount on the host's.",
        },
        "processes": {
            "type": "object",
            "description": "Web processes.",
            "properties": {"current": count, "highest": count, "refused": count},
        },
        "accessLog": {
            "type": "object",
            "description": "The access log: its file, the lines that were lost, and why it cannot be written.",
            "properties": {"file": {"type": "string"}, "lost": count, "error": {"type": ["string", "null"]}},
        },
    })
}

fn of_components() -> Value {
    let count = json!({"type": "integer", "minimum": 0});
    json!({
        "mount": {
            "type": ["object", "null"],
            "properties": {
                "path": {"type": "string"},
                "host": {"type": ["string", "null"]},
                "strip": {"type": "boolean"},
            },
        },
        "generation": {"type": "integer", "minimum": 1, "description": "Counts the loaded versions."},
        "hooks": {"type": "object", "additionalProperties": {"type": "boolean"}},
        "methods": {"type": "array", "items": {
            "type": "object",
            "required": ["name", "available"],
            "properties": {
                "name": {"type": "string"},
                "available": {"type": "boolean", "description": "Whether URLs reach it."},
            },
        }},
        "declaredHandlers": {
            "type": "array",
            "description": "The handlers that the component declares; they are tried after those of `handlers`.",
            "items": {
                "type": "object",
                "required": ["method"],
                "properties": {
                    "pattern": {"type": "string"},
                    "regexPattern": {"type": "string"},
                    "verbs": {"type": "string"},
                    "method": {"type": "string"},
                },
            },
        },
        "instances": {
            "type": "object",
            "description": "The process pool: instances kept, made and ended, and requests that wait for one or did in vain.",
            "properties": {
                "idle": count,
                "created": count,
                "trapped": count,
                "retired": {
                    "type": "object",
                    "description": "Instances that ended without a trap, by cause.",
                    "additionalProperties": count,
                },
                "waiting": count,
                "refused": count,
            },
        },
    })
}

fn changed_server() -> Value {
    let keys =
        |about: &str| json!({"type": "array", "items": {"type": "string"}, "description": about});
    json!({"allOf": [
        {"$ref": "#/components/schemas/Server"},
        {
            "type": "object",
            "required": ["changed"],
            "properties": {"changed": {
                "type": "object",
                "required": ["live", "pending"],
                "properties": {
                    "live": keys("Keys that are in use now."),
                    "pending": keys("Keys that hold from the next start of the web server."),
                },
            }},
        },
    ]})
}

fn start_result() -> Value {
    let mut signatures: Vec<_> = ErrorCode::ALL.iter().map(|code| code.signature()).collect();
    signatures.sort_unstable();
    signatures.dedup();
    let codes = ErrorCode::ALL.iter().map(|code| {
        json!({"const": code.number(), "title": format!("{code:?}"), "description": code.meaning()})
    });
    let codes: Vec<_> = codes.collect();
    json!({
        "type": "object",
        "required": ["success"],
        "properties": {
            "success": {"type": "boolean"},
            "errors": {
                "type": "array",
                "minItems": 1,
                "description": "Absent on success.",
                "items": {
                    "type": "object",
                    "required": ["errCode", "message", "componentSignature"],
                    "properties": {
                        "errCode": {"type": "integer", "oneOf": codes},
                        "message": {"type": "string", "description": "What is wrong, and what to do."},
                        "componentSignature": {
                            "enum": signatures,
                            "description": "The part of Tessera that raised it.",
                        },
                    },
                },
            },
        },
    })
}

fn stop_result() -> Value {
    json!({
        "type": "object",
        "required": ["success", "wasRunning"],
        "properties": {
            "success": {"const": true},
            "wasRunning": {"type": "boolean", "description": "False: there was nothing to stop."},
        },
    })
}

fn reloaded() -> Value {
    json!({
        "type": "object",
        "required": ["name", "outcome", "error"],
        "properties": {
            "name": {"type": "string"},
            "outcome": {"enum": ["started", "swapped", "unchanged", "stopped", "failed"]},
            "error": {"type": ["string", "null"]},
        },
    })
}

fn problem() -> Value {
    json!({
        "type": "object",
        "description": "RFC 9457.",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": ["string", "null"]},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": {"type": "string", "description": "What is wrong, and what to do."},
        },
    })
}

fn refused_settings() -> Value {
    json!({"allOf": [
        {"$ref": "#/components/schemas/Problem"},
        {
            "type": "object",
            "required": ["errors"],
            "properties": {"errors": {
                "type": "array",
                "minItems": 1,
                "description": "All that is wrong.",
                "items": {
                    "type": "object",
                    "required": ["key", "value", "reason"],
                    "properties": {
                        "key": {"type": ["string", "null"]},
                        "value": {"type": ["string", "null"], "description": "A secret is hidden."},
                        "reason": {"type": "string"},
                        "place": {"type": "string", "description": "File and line, if it was not in the request."},
                    },
                },
            }},
        },
    ]})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_may_be_null_and_so_may_a_table() {
        let settings = json!({
            "type": "object",
            "properties": {
                "HTTPPort": {"type": "integer"},
                "pool": {"type": "object", "properties": {"max": {"type": "integer"}}},
            },
            "additionalProperties": false,
        });
        let number = or_null(json!({"type": "integer"}));
        let pool = or_null(json!({"type": "object", "properties": {"max": number}}));
        let expected = json!({
            "type": "object",
            "properties": {"HTTPPort": number, "pool": pool},
            "additionalProperties": false,
        });
        assert_eq!(nullable(&settings), expected);
    }

    #[test]
    fn a_server_shows_the_properties_of_the_class_and_no_tables() {
        let host =
            json!({"properties": {"HTTPPort": {"type": "integer"}, "log": {"type": "object"}}});
        let component =
            json!({"properties": {"pool": {"type": "object"}, "name": {"type": "number"}}});
        let server = server(&host, &component);
        let properties = server["properties"].as_object().unwrap();
        assert!(properties.contains_key("HTTPPort"));
        assert!(!properties.contains_key("log") && !properties.contains_key("pool"));
        assert_eq!(
            properties["name"],
            json!({"type": "string", "readOnly": true})
        );
    }

    #[test]
    fn every_error_of_start_is_described() {
        let result = start_result();
        let codes = &result["properties"]["errors"]["items"]["properties"]["errCode"]["oneOf"];
        let numbers: Vec<_> = codes
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["const"].as_u64())
            .collect();
        let expected: Vec<_> = ErrorCode::ALL
            .iter()
            .map(|it| Some(it.number().into()))
            .collect();
        assert_eq!(numbers, expected);
    }
}
