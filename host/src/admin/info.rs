//! WEB Get server info, and what the process is at beside it.

use serde_json::{Map, Value, json};

use super::statistics;
use crate::server::{State, WebServer};

/// The members of WEB Get server info, of the host's web server. `cache` is there if it is asked for.
pub(super) fn of_host(host: &WebServer, with_cache: bool) -> Map<String, Value> {
    let properties = host.properties();
    let of = |key: &str| properties.get(key).cloned().unwrap_or_default();
    let counts = host.traffic().counts();
    let starts_by_itself = host
        .serving()
        .is_none_or(|serving| serving.web.launch_at_startup);
    let mut info = Map::new();
    let mut put = |key: &str, value: Value| info.insert(key.to_owned(), value);
    put("started", (host.state() == State::Running).into());
    put("uptime", counts.uptime_seconds.into());
    put("httpRequestCount", counts.requests.into());
    let mode = if starts_by_itself {
        "automatic"
    } else {
        "manual"
    };
    put("startMode", mode.into());
    // There is no SOAP server.
    put("SOAPServerStarted", false.into());
    put("options", options(&of));
    put("security", security(&of));
    if with_cache {
        let statistics = statistics::statistics(host);
        put("cache", statistics["cache"].clone());
    }
    info
}

/// Under the names that the command has for them.
fn options(of: &dyn Fn(&str) -> Value) -> Value {
    let addresses = match of("IPAddressToListen") {
        Value::Array(addresses) => addresses,
        address => vec![address],
    };
    let seconds = |minutes: Value| minutes.as_u64().map(|minutes| minutes * 60);
    json!({
        "CORSEnabled": of("CORSEnabled"),
        "CORSSettings": of("CORSSettings"),
        "webCharacterSet": of("characterSet"),
        "webHTTPCompressionLevel": of("HTTPCompressionLevel"),
        "webHTTPCompressionThreshold": of("HTTPCompressionThreshold"),
        "webHTTPSPortID": of("HTTPSPort"),
        "webIPAddressToListen": addresses,
        "webInactiveProcessTimeout": seconds(of("inactiveProcessTimeout")),
        "webInactiveSessionTimeout": seconds(of("inactiveSessionTimeout")),
        "webMaxConcurrentProcesses": of("maxConcurrentProcesses"),
        "webPortID": of("HTTPPort"),
    })
}

fn security(of: &dyn Fn(&str) -> Value) -> Value {
    // As the documents number them.
    let lowest = match of("minTLSVersion").as_u64() {
        Some(4) => "1.3",
        _ => "1.2",
    };
    json!({
        "cipherSuite": of("cipherSuite"),
        "HTTPEnabled": of("HTTPEnabled"),
        "HTTPSEnabled": of("HTTPSEnabled"),
        "HSTSEnabled": of("HSTSEnabled"),
        "HSTSMaxAge": of("HSTSMaxAge"),
        "minTLSVersion": lowest,
        "openSSLVersion": of("openSSLVersion"),
        "perfectForwardSecrecy": of("perfectForwardSecrecy"),
    })
}

fn number(about: &str) -> Value {
    json!({"type": ["integer", "null"], "description": about})
}

fn options_schema() -> Value {
    let flag = json!({"type": ["boolean", "null"]});
    let text = json!({"type": ["string", "null"]});
    json!({
        "type": "object",
        "description": "Of the host's web server.",
        "properties": {
            "CORSEnabled": flag,
            "CORSSettings": {"type": ["array", "null"], "items": {"type": "object"}},
            "webCharacterSet": text,
            "webHTTPCompressionLevel": number("-1 is the library's choice."),
            "webHTTPCompressionThreshold": number("Bytes."),
            "webHTTPSPortID": number("The port that is open, where one is."),
            "webIPAddressToListen": {"type": "array", "items": text},
            "webInactiveProcessTimeout": number("Seconds; not significant with scalable sessions."),
            "webInactiveSessionTimeout": number("Seconds; not significant with scalable sessions."),
            "webMaxConcurrentProcesses": number("Web processes at once."),
            "webPortID": number("The port that is open, where one is."),
        },
    })
}

fn security_schema() -> Value {
    let flag = json!({"type": ["boolean", "null"]});
    let text = json!({"type": ["string", "null"]});
    json!({
        "type": "object",
        "description": "Of the host's web server.",
        "properties": {
            "cipherSuite": text,
            "HTTPEnabled": flag,
            "HTTPSEnabled": flag,
            "HSTSEnabled": flag,
            "HSTSMaxAge": number("Seconds."),
            "minTLSVersion": {"enum": ["1.2", "1.3"]},
            "openSSLVersion": text,
            "perfectForwardSecrecy": flag,
        },
    })
}

/// The schema of all that `/api/v1/info` answers.
pub(super) fn schema() -> Value {
    let count = json!({"type": "integer", "minimum": 0});
    let pair = |a: &str, b: &str| json!({"type": "object", "properties": {a: count, b: count}});
    json!({
        "type": "object",
        "required": [
            "started", "uptime", "httpRequestCount", "startMode", "SOAPServerStarted", "options", "security", "version",
            "pid", "processUptime", "servers", "instances", "memory", "loads", "generations",
        ],
        "properties": {
            "started": {"type": "boolean", "description": "Whether the host's web server runs."},
            "uptime": {"type": "integer", "minimum": 0, "description": "Seconds since the host's web server started."},
            "httpRequestCount": {"type": "integer", "minimum": 0, "description": "Requests that it has answered since."},
            "startMode": {
                "enum": ["automatic", "manual"],
                "description": "Manual: web.launch_at_startup is false.",
            },
            "SOAPServerStarted": {"const": false, "description": "There is no SOAP server."},
            "options": options_schema(),
            "security": security_schema(),
            "cache": {
                "type": ["object", "null"],
                "description": "With `cache=true`: as `cache` of the host's statistics.",
            },
            "version": {"type": "string"},
            "pid": count,
            "processUptime": {"type": "integer", "minimum": 0, "description": "Seconds since admin answers."},
            "servers": pair("all", "running"),
            "instances": {
                "type": "object",
                "properties": {"current": count, "max": count, "waiting": count},
            },
            "memory": {
                "type": "object",
                "description": "Bytes of all instances together.",
                "properties": {"current": count, "max": count},
            },
            "loads": pair("compiled", "fromCache"),
            "generations": {
                "type": "integer",
                "minimum": 0,
                "description": "Versions of components that are in memory: those that serve, and those that wait for \
                                their last request.",
            },
        },
    })
}
