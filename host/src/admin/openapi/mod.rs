//! `/api/v1/openapi.json`: the API described in OpenAPI 3.1, made from the table of routes and from the settings.

mod generations;
mod schemas;

use hyper::StatusCode;
use serde_json::{Map, Value, json};

use super::api::EVENTS;
use super::route::{self, Action, OPERATIONS, Operation, Takes};
use super::{control, query};
use crate::metrics;
use crate::server::Kind;

/// The security scheme of all that needs the key.
const KEY: &str = "accessKey";

/// Describes the API.
pub(super) fn description() -> Value {
    document(
        &control::settings_schema(Kind::Host),
        &control::settings_schema(Kind::Component),
    )
}

/// Describes the API, with the settings of the host and those of a component as JSON schemas.
fn document(host: &Value, component: &Value) -> Value {
    let mut paths = Map::new();
    for operation in OPERATIONS {
        let path = paths
            .entry(operation.path)
            .or_insert_with(|| Value::Object(path(operation)));
        path[operation.method.to_ascii_lowercase()] = described(operation);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tessera admin",
            "description": "Lists, starts, stops and changes the web servers of a site. On a loopback address only.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "The admin endpoint that gave this document."}],
        "tags": [
            {"name": "servers", "description": "The web servers of the site."},
            {"name": "process", "description": "The process as a whole."},
        ],
        "paths": paths,
        "components": {
            "schemas": schemas::all(host, component),
            "responses": responses(),
            "securitySchemes": {
                KEY: {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The access key of the site: in `.tessera/access-key`.",
                },
            },
        },
    })
}

/// What the operations of a path have in common.
fn path(operation: &Operation) -> Map<String, Value> {
    let mut path = Map::new();
    if operation.is_of_one_server() {
        let name = json!({
            "name": "name",
            "in": "path",
            "required": true,
            "description": "The web server: a component's name, or the host's, which is that of the site's folder.",
            "schema": {"type": "string", "minLength": 1},
        });
        let mut parameters = vec![name];
        if operation.is_of_one_id() {
            parameters.push(json!({
                "name": "id",
                "in": "path",
                "required": true,
                "description": "The identifier, as it is listed.",
                "schema": {"type": "string", "minLength": 1},
            }));
        }
        path.insert("parameters".to_owned(), parameters.into());
    }
    path
}

fn described(operation: &Operation) -> Value {
    let needs_key = route::needs_key(operation.path);
    let is_of_servers = operation.path.contains("/servers")
        || matches!(operation.action, Action::Reload | Action::Deploy);
    let mut answers = Map::new();
    let schema = json!({"$ref": schema_path(operation.answers)});
    let good = json!({
        "description": "Done.",
        "content": {media_type(operation): {"schema": schema}},
    });
    answers.insert("200".to_owned(), good);
    for status in problems(operation) {
        let response = json!({"$ref": format!("#/components/responses/{}", response_name(status))});
        answers.insert(status.to_string(), response);
    }
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "description": operation.details,
        "tags": [if is_of_servers { "servers" } else { "process" }],
        "security": if needs_key { json!([{KEY: []}]) } else { json!([]) },
        "responses": answers,
    });
    if operation.takes != Takes::Nothing {
        described["requestBody"] = body(operation.takes);
    }
    let texts = query::texts(operation.action).iter().map(text);
    let flags = query::flags(operation.action).iter().map(flag);
    let limit = query::limit_max(operation.action).map(limit);
    let flags: Vec<_> = flags.chain(texts).chain(limit).collect();
    if !flags.is_empty() {
        described["parameters"] = flags.into();
    }
    described
}

/// What an operation answers with.
fn media_type(operation: &Operation) -> &'static str {
    match operation.action {
        Action::Metrics => metrics::CONTENT_TYPE,
        Action::Events => EVENTS,
        _ => "application/json",
    }
}

fn flag(flag: &query::Flag) -> Value {
    json!({
        "name": flag.name,
        "in": "query",
        "description": flag.about,
        "schema": {"type": "boolean", "default": false},
    })
}

fn limit(max: usize) -> Value {
    json!({
        "name": query::LIMIT,
        "in": "query",
        "description": "How many are listed at most.",
        "schema": {"type": "integer", "minimum": 1, "maximum": max, "default": max},
    })
}

fn text((name, about): &(&str, &str)) -> Value {
    let schema = match *name {
        query::URL => json!({"type": "string", "pattern": "^(/|https?://)"}),
        // What an answer gave is never empty.
        query::AFTER => json!({"type": "string", "minLength": 1}),
        _ => json!({"type": "string"}),
    };
    json!({
        "name": name,
        "in": "query",
        "required": *name == query::URL,
        "description": about,
        "schema": schema,
    })
}

fn body(takes: Takes) -> Value {
    if takes == Takes::Module {
        let schema = json!({"type": "string", "contentMediaType": "application/wasm"});
        return json!({"required": true, "content": {"application/wasm": {"schema": schema}}});
    }
    let (host, component) = match takes {
        Takes::Patch => ("HostOptions", "ComponentOptions"),
        Takes::Settings | Takes::Module | Takes::Nothing => ("HostSettings", "ComponentSettings"),
    };
    let schema = json!({"anyOf": [
        {"$ref": schema_path(host)},
        {"$ref": schema_path(component)},
    ]});
    let types = takes.media_types().iter();
    let content: Map<_, _> = types
        .map(|name| ((*name).to_owned(), json!({"schema": schema})))
        .collect();
    json!({"required": takes == Takes::Patch, "content": content})
}

/// The statuses of the problems that an operation can end with.
fn problems(operation: &Operation) -> Vec<u16> {
    // Whoever sends anything may name a foreign host, or send a body that is too long or never ends.
    let mut statuses = vec![400, 408, 413, 421];
    if route::needs_key(operation.path) {
        statuses.extend([401, 403, 429]);
    }
    if operation.is_of_one_server() {
        statuses.push(404);
    }
    if operation.takes != Takes::Nothing {
        statuses.push(415);
    }
    if operation.method != "GET" {
        statuses.push(500);
    }
    statuses.extend(operation.problems);
    statuses.sort_unstable();
    statuses
}

/// The problems of all operations, each described once.
fn responses() -> Map<String, Value> {
    let mut responses = Map::new();
    for status in OPERATIONS.iter().flat_map(problems) {
        let phrase = StatusCode::from_u16(status)
            .ok()
            .and_then(|status| status.canonical_reason());
        let schema = if status == 422 {
            "RefusedSettings"
        } else {
            "Problem"
        };
        let response = json!({
            "description": phrase.unwrap_or_default(),
            "content": {"application/problem+json": {"schema": {"$ref": schema_path(schema)}}},
        });
        responses.insert(response_name(status), response);
    }
    responses
}

fn response_name(status: u16) -> String {
    format!("Problem{status}")
}

fn schema_path(name: &str) -> String {
    format!("#/components/schemas/{name}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn sample() -> Value {
        let host = json!({
            "type": "object",
            "properties": {"HTTPPort": {"type": "integer"}, "log": {"type": "object", "properties": {}}},
            "additionalProperties": false,
        });
        let component = json!({"type": "object", "properties": {"HTTPPort": {"type": "integer"}}});
        document(&host, &component)
    }

    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str));
                members
                    .values()
                    .for_each(|member| references(member, found));
            }
            Value::Array(values) => values.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        for document in [description(), sample()] {
            let mut found = Vec::new();
            references(&document, &mut found);
            assert!(found.len() > 20, "{found:?}");
            for reference in found {
                let pointer = reference.strip_prefix('#').unwrap();
                assert!(document.pointer(pointer).is_some(), "{reference}");
            }
        }
    }

    #[test]
    fn nothing_is_described_that_nothing_leads_to() {
        let document = description();
        let mut found = Vec::new();
        references(&document, &mut found);
        for kind in ["schemas", "responses"] {
            for name in document["components"][kind].as_object().unwrap().keys() {
                let reference = format!("#/components/{kind}/{name}");
                assert!(found.contains(&&*reference), "{reference}");
            }
        }
    }

    #[test]
    fn every_operation_says_what_it_answers_and_to_whom() {
        let document = description();
        assert_eq!(document["openapi"], "3.1.0");
        let mut count = 0;
        for (path, item) in document["paths"].as_object().unwrap() {
            let has_name = item["parameters"][0]["name"] == "name";
            assert_eq!(path.contains("{name}"), has_name, "{path}");
            for (method, operation) in item.as_object().unwrap() {
                if method == "parameters" {
                    continue;
                }
                count += 1;
                let responses = operation["responses"].as_object().unwrap();
                assert!(responses.contains_key("200"), "{method} {path}");
                let is_open = operation["security"] == json!([]);
                assert_eq!(is_open, !route::needs_key(path), "{method} {path}");
                assert_eq!(!is_open, responses.contains_key("401"), "{method} {path}");
                for text in ["operationId", "summary", "description"] {
                    assert!(operation[text].is_string(), "{text}: {method} {path}");
                }
                let takes_body = operation["requestBody"].is_object();
                assert_eq!(takes_body, responses.contains_key("415"), "{method} {path}");
            }
        }
        assert_eq!(count, OPERATIONS.len());
    }

    #[test]
    fn statuses_are_listed_once() {
        for operation in OPERATIONS {
            let statuses = problems(operation);
            let once: BTreeSet<_> = statuses.iter().collect();
            assert_eq!(statuses.len(), once.len(), "{}", operation.id);
        }
    }
}
