//! Spans as OTLP has them in JSON: <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Serialize, Serializer};

use super::span::{Span, Value};

/// What a collector is sent.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Export<'a> {
    resource_spans: [ResourceSpans<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceSpans<'a> {
    resource: Resource<'a>,
    scope_spans: [ScopeSpans<'a>; 1],
}

#[derive(Serialize)]
struct Resource<'a> {
    attributes: &'a [Attribute<'a>],
}

#[derive(Serialize)]
struct ScopeSpans<'a> {
    scope: Scope,
    spans: Vec<OneSpan<'a>>,
}

#[derive(Serialize)]
struct Scope {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OneSpan<'a> {
    /// Identifiers are hexadecimal here, unlike other bytes in JSON of protobuf.
    trace_id: String,
    span_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_span_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_state: Option<&'a str>,
    flags: u32,
    name: &'a str,
    kind: u8,
    start_time_unix_nano: String,
    end_time_unix_nano: String,
    attributes: Vec<Attribute<'a>>,
    status: Status,
}

#[derive(Serialize)]
struct Attribute<'a> {
    key: &'static str,
    value: AnyValue<'a>,
}

/// Numbers of 64 bits are texts.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum AnyValue<'a> {
    StringValue(&'a str),
    #[serde(serialize_with = "as_text")]
    IntValue(i64),
}

#[derive(Serialize)]
struct Status {
    #[serde(skip_serializing_if = "is_unset")]
    code: u8,
}

/// It failed; whatever else is not said.
const ERROR: u8 = 2;
/// The flag of a trace that is recorded.
const SAMPLED: u32 = 1;

fn is_unset(code: &u8) -> bool {
    *code == 0
}

fn as_text<S: Serializer>(number: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}

/// The body of a request to a collector.
pub(super) fn encoded(service: &str, spans: &[Span]) -> serde_json::Result<Vec<u8>> {
    let process = i64::from(std::process::id());
    let resource = [
        ("service.name", AnyValue::StringValue(service)),
        (
            "service.version",
            AnyValue::StringValue(env!("CARGO_PKG_VERSION")),
        ),
        ("process.pid", AnyValue::IntValue(process)),
    ]
    .map(|(key, value)| Attribute { key, value });
    serde_json::to_vec(&Export {
        resource_spans: [ResourceSpans {
            resource: Resource {
                attributes: &resource,
            },
            scope_spans: [ScopeSpans {
                scope: Scope {
                    name: "tessera",
                    version: env!("CARGO_PKG_VERSION"),
                },
                spans: spans.iter().map(one).collect(),
            }],
        }],
    })
}

fn one(span: &Span) -> OneSpan<'_> {
    OneSpan {
        trace_id: format!("{:032x}", span.trace),
        span_id: format!("{:016x}", span.id),
        parent_span_id: span.parent.map(|parent| format!("{parent:016x}")),
        trace_state: span.state.as_deref(),
        flags: SAMPLED,
        name: &span.name,
        kind: span.kind as u8,
        start_time_unix_nano: nanoseconds(span.began),
        end_time_unix_nano: nanoseconds(span.ended),
        attributes: span
            .attributes
            .iter()
            .map(|(key, value)| Attribute {
                key,
                value: match value {
                    Value::Text(text) => AnyValue::StringValue(text),
                    Value::Number(number) => AnyValue::IntValue(*number),
                },
            })
            .collect(),
        status: Status {
            code: if span.is_error { ERROR } else { 0 },
        },
    }
}

fn nanoseconds(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_nanos().to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::super::span::SpanKind;
    use super::*;

    #[test]
    fn a_span_is_written_as_collectors_read_it() {
        let began = UNIX_EPOCH + Duration::new(1_700_000_000, 5);
        let span = Span {
            trace: 0xabc,
            id: 0xdef,
            parent: Some(1),
            state: Some("a=1".into()),
            name: "GET /shop".into(),
            kind: SpanKind::Server,
            began,
            ended: began + Duration::from_millis(1),
            attributes: vec![
                ("url.path", Value::text("/shop/\"a\"")),
                ("http.response.status_code", Value::Number(500)),
            ],
            is_error: true,
        };
        let inner = Span {
            parent: None,
            state: None,
            attributes: Vec::new(),
            is_error: false,
            kind: SpanKind::Internal,
            ..span.clone()
        };
        let body = encoded("mysite", &[span, inner]).unwrap();
        let document: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let resource = &document["resourceSpans"][0];
        let name = json!({"key": "service.name", "value": {"stringValue": "mysite"}});
        assert_eq!(resource["resource"]["attributes"][0], name);
        let spans = &resource["scopeSpans"][0]["spans"];
        let expected = json!({
            "traceId": "00000000000000000000000000000abc",
            "spanId": "0000000000000def",
            "parentSpanId": "0000000000000001",
            "traceState": "a=1",
            "flags": 1,
            "name": "GET /shop",
            "kind": 2,
            "startTimeUnixNano": "1700000000000000005",
            "endTimeUnixNano": "1700000000001000005",
            "attributes": [
                {"key": "url.path", "value": {"stringValue": "/shop/\"a\""}},
                {"key": "http.response.status_code", "value": {"intValue": "500"}},
            ],
            "status": {"code": 2},
        });
        assert_eq!(spans[0], expected);
        assert_eq!(spans[1]["status"], json!({}));
        assert_eq!(spans[1].get("parentSpanId"), None);
    }
}
