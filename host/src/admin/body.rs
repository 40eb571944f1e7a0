//! The body of a request to admin: read within bounds, and turned into settings.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::HeaderMap;
use hyper::body::Incoming;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE};
use serde_json::{Map, Value};

use super::json;
use super::problem::Problem;
use super::route::Takes;

/// Far more than all settings together take.
const BYTES_MAX: usize = 64 * 1024;
const TIMEOUT: Duration = Duration::from_secs(10);

/// What a merge patch asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Patch {
    /// Options that get a value: as they were sent, without those that are null.
    pub(super) settings: Map<String, Value>,
    /// Options that are taken back: a dotted key, or the name of a table for all of its keys.
    pub(super) reset: Vec<String>,
}

impl Takes {
    /// The media types of the body.
    pub(super) fn media_types(self) -> &'static [&'static str] {
        match self {
            Self::Nothing => &[],
            Self::Module => &["application/wasm"],
            Self::Settings => &["application/json"],
            Self::Patch => &["application/merge-patch+json", "application/json"],
        }
    }
}

/// Reads a body to its end, so that the connection can be used again.
pub(super) async fn read(body: Incoming) -> Result<Bytes, Problem> {
    let reading = Limited::new(body, BYTES_MAX).collect();
    match tokio::time::timeout(TIMEOUT, reading).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Problem::body_too_large(BYTES_MAX)),
        Ok(Err(_)) => Err(Problem::bad_body("the body of the request cannot be read")),
        Err(_) => Err(Problem::body_timeout()),
    }
}

/// The settings in the body of `start`; an empty body has none.
pub(super) fn settings(headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, Problem> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    object(Takes::Settings, headers, body)
}

/// The session options in the body of a PATCH.
pub(super) fn patch(headers: &HeaderMap, body: &[u8]) -> Result<Patch, Problem> {
    let mut patch = Patch::default();
    for (key, value) in object(Takes::Patch, headers, body)? {
        match value {
            Value::Null => patch.reset.push(key),
            Value::Object(table) => {
                let (resets, rest): (Map<_, _>, Map<_, _>) =
                    table.into_iter().partition(|(_, value)| value.is_null());
                let dotted = |name: &String| format!("{key}.{name}");
                patch.reset.extend(resets.keys().map(dotted));
                // A table that had nothing but nulls asks for nothing more.
                if resets.is_empty() || !rest.is_empty() {
                    patch.settings.insert(key, Value::Object(rest));
                }
            }
            value => drop(patch.settings.insert(key, value)),
        }
    }
    Ok(patch)
}

/// Whether a body says that it is a module, and is not compressed.
pub(super) fn check_module(headers: &HeaderMap) -> Result<(), Problem> {
    check_type(Takes::Module, headers)
}

fn check_type(takes: Takes, headers: &HeaderMap) -> Result<(), Problem> {
    let is_encoded = headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"));
    match !is_encoded && has_media_type(headers, takes.media_types()) {
        true => Ok(()),
        false => Err(Problem::unsupported_body(takes)),
    }
}

fn object(takes: Takes, headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, Problem> {
    check_type(takes, headers)?;
    let value = json::parse(body).map_err(|error| {
        Problem::bad_body(&format!("the body is not the JSON it should be: {error}"))
    })?;
    let Value::Object(members) = value else {
        let detail = "the body must be a JSON object, such as {\"HTTPPort\": 8080}";
        return Err(Problem::bad_body(detail));
    };
    refuse_contradictions(&members)?;
    Ok(members)
}

fn has_media_type(headers: &HeaderMap, accepted: &[&str]) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return false;
    };
    let text = value.to_str().unwrap_or_default();
    let essence = text.split(';').next().unwrap_or_default().trim();
    accepted.iter().any(|it| it.eq_ignore_ascii_case(essence))
}

/// `{"pool": {"max": 3}}` and `{"pool.max": 3}` are one key in two spellings: whoever sends both means neither.
fn refuse_contradictions(members: &Map<String, Value>) -> Result<(), Problem> {
    let mut keys = BTreeSet::new();
    let mut tables = BTreeSet::new();
    for (key, value) in members {
        let names: Vec<String> = match value {
            Value::Object(table) => table.keys().map(|name| format!("{key}.{name}")).collect(),
            Value::Null => {
                tables.insert(key.as_str());
                vec![key.clone()]
            }
            _ => vec![key.clone()],
        };
        for name in names {
            if keys.contains(&name) {
                let detail = format!("{name} is there twice: in its table and by its dotted key");
                return Err(Problem::bad_body(&detail));
            }
            keys.insert(name);
        }
    }
    let below_a_reset = |key: &&String| {
        let table = key.split_once('.').map(|(table, _)| table);
        table.is_some_and(|table| tables.contains(table))
    };
    match keys.iter().find(below_a_reset) {
        Some(key) => Err(Problem::bad_body(&format!(
            "{key} is given a value, or null, while its whole table is null"
        ))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;
    use serde_json::json;

    use super::*;

    fn headers(types: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in types {
            headers.append(CONTENT_TYPE, HeaderValue::from_static(value));
        }
        headers
    }

    fn patch_of(body: Value) -> Result<Patch, Problem> {
        patch(&headers(&["application/json"]), body.to_string().as_bytes())
    }

    #[test]
    fn a_body_says_what_it_is() {
        let json = "application/json";
        let merge = "Application/Merge-Patch+JSON; charset=utf-8";
        for (types, for_start, for_patch) in [
            (&[json][..], true, true),
            (&["application/json;charset=UTF-8"], true, true),
            (&[merge], false, true),
            (&[], false, false),
            (&["application/x-www-form-urlencoded"], false, false),
            (&["text/json"], false, false),
            (&["application/jsonp"], false, false),
            (&[json, json], false, false),
        ] {
            let headers = headers(types);
            assert_eq!(settings(&headers, b"{}").is_ok(), for_start, "{types:?}");
            assert_eq!(patch(&headers, b"{}").is_ok(), for_patch, "{types:?}");
        }
        let mut compressed = headers(&[json]);
        compressed.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        assert_eq!(
            settings(&compressed, b"{}"),
            Err(Problem::unsupported_body(Takes::Settings))
        );
    }

    #[test]
    fn no_body_is_no_settings_but_no_patch() {
        for types in [&[][..], &["text/plain"]] {
            assert_eq!(settings(&headers(types), b""), Ok(Map::new()));
        }
        assert!(patch(&headers(&["application/json"]), b"").is_err());
    }

    #[test]
    fn only_an_object_is_settings() {
        for body in [
            "[]",
            "null",
            "7",
            "\"HTTPPort\"",
            "{",
            "{\"a\":1,\"a\":2}",
            " ",
        ] {
            assert!(
                settings(&headers(&["application/json"]), body.as_bytes()).is_err(),
                "{body:?}"
            );
        }
    }

    #[test]
    fn nulls_take_options_back() {
        let patch = patch_of(json!({
            "HTTPPort": 81,
            "defaultHomepage": null,
            "pool": {"max": 3, "min": null},
            "limits": {"memory": null},
            "mount": null,
            "log": {},
            "CORSSettings": [{"host": null}],
        }));
        let settings = json!({
            "HTTPPort": 81, "pool": {"max": 3}, "log": {}, "CORSSettings": [{"host": null}],
        });
        let expected = Patch {
            settings: settings.as_object().unwrap().clone(),
            reset: ["defaultHomepage", "limits.memory", "mount", "pool.min"]
                .map(str::to_owned)
                .to_vec(),
        };
        assert_eq!(patch, Ok(expected));
        assert_eq!(patch_of(json!({})), Ok(Patch::default()));
    }

    #[test]
    fn contradictions_are_refused() {
        for body in [
            json!({"pool": {"max": 3}, "pool.max": 4}),
            json!({"pool": {"max": null}, "pool.max": 4}),
            json!({"pool": null, "pool.max": 4}),
        ] {
            assert!(patch_of(body.clone()).is_err(), "{body}");
        }
        let both = json!({"pool": {"max": 3}, "pool.min": 1, "limits.memory": null});
        assert!(patch_of(both).is_ok());
    }
}
