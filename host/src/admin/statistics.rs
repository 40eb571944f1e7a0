//! What the cache holds of a web server's files, as JSON: the `cache` object of WEB Get server info.

use serde_json::{Value, json};

use crate::files::{Object, Pages};
use crate::server::{WebServer, instances};

/// Pages that are named; there may be hundreds of thousands.
const OBJECTS_MAX: usize = 1000;

/// The statistics of a web server; a stopped one has none of its files in memory.
pub(super) fn statistics(server: &WebServer) -> Value {
    let serving = server.serving();
    let pages = serving.as_ref().and_then(|serving| serving.pages.as_ref());
    let counts = server.traffic().counts();
    json!({
        "name": server.name(),
        "uptime": counts.uptime_seconds,
        "requests": counts.requests,
        "bytesSent": counts.bytes_sent,
        "cacheHits": counts.cache_hits,
        "cacheMisses": counts.cache_misses,
        "cache": pages.map(cache),
    })
}

/// The web processes of a web server.
pub(super) fn processes(server: &WebServer) -> Value {
    let serving = server.serving();
    let max = serving.as_ref().map(|it| it.web.requests.processes_max);
    let generation = serving.as_ref().and_then(|it| it.generation.as_ref());
    let pool = generation.map(|generation| generation.statistics());
    let processes = server.processes();
    json!({
        "name": server.name(),
        "current": processes.current(),
        "highest": processes.highest(),
        "max": max,
        "refused": processes.refused(),
        "instances": pool.as_ref().map(instances),
    })
}

/// The schema of [`processes`].
pub(super) fn processes_schema() -> Value {
    let count = |about: &str| json!({"type": "integer", "minimum": 0, "description": about});
    json!({
        "type": "object",
        "required": ["name", "current", "highest", "max", "refused", "instances"],
        "properties": {
            "name": {"type": "string"},
            "current": count("Web processes that run."),
            "highest": count("Most at once since the web server started."),
            "max": {"type": ["integer", "null"], "description": "maxConcurrentProcesses; null while it does not run."},
            "refused": count("Requests refused at that limit since the start."),
            "instances": {
                "type": ["object", "null"],
                "description": "The process pool: instances kept, made and ended, and requests that wait for one or did in \
                                vain; null where there is none.",
            },
        },
    })
}

fn cache(pages: &Pages) -> Value {
    let statistics = pages.statistics();
    let objects = statistics.objects.iter().take(OBJECTS_MAX).map(object);
    json!({
        "enabled": pages.has_cache(),
        "cacheUsage": (statistics.usage() * 100.0).round() / 100.0,
        "numOfLoads": statistics.loads,
        "currentSize": statistics.current_size,
        "maxSize": statistics.max_size,
        "objectMaxSize": pages.object_bytes_max(),
        "nbCachedObjects": statistics.objects.len(),
        "cachedObjects": objects.collect::<Value>(),
    })
}

fn object(object: &Object) -> Value {
    json!({
        "url": object.url,
        "mimeType": object.mime_type,
        "contentEncoding": object.coding.map(|coding| coding.name()),
        "size": object.length,
        "hits": object.hits,
        "lastModified": object.last_modified,
    })
}

/// The schema of [`statistics`].
pub(super) fn schema() -> Value {
    let count = json!({"type": "integer", "minimum": 0});
    let bytes = |about: &str| json!({"type": "integer", "minimum": 0, "description": about});
    json!({
        "type": "object",
        "required": ["name", "uptime", "requests", "bytesSent", "cacheHits", "cacheMisses", "cache"],
        "properties": {
            "name": {"type": "string"},
            "uptime": {"type": "integer", "minimum": 0, "description": "Seconds since it started; 0 while it does not run."},
            "requests": {"type": "integer", "minimum": 0, "description": "Requests answered since, refused ones included."},
            "bytesSent": bytes("Of response bodies."),
            "cacheHits": {"type": "integer", "minimum": 0, "description": "Requests for files answered from memory."},
            "cacheMisses": {"type": "integer", "minimum": 0, "description": "Files read from disk."},
            "cache": {
                "type": ["object", "null"],
                "description": "Null if the web server has no files, or is stopped.",
                "properties": {
                    "enabled": {"type": "boolean"},
                    "cacheUsage": {"type": "number", "description": "Per cent of maxSize."},
                    "numOfLoads": count,
                    "currentSize": bytes("Bytes in memory, of all web servers that share the cache."),
                    "maxSize": bytes("Most bytes in memory."),
                    "objectMaxSize": bytes("Larger files are not kept."),
                    "nbCachedObjects": count,
                    "cachedObjects": {"type": "array", "items": {
                        "type": "object",
                        "required": ["url", "mimeType", "contentEncoding", "size", "hits", "lastModified"],
                        "properties": {
                            "url": {"type": "string", "description": "The path below the root."},
                            "mimeType": {"type": "string"},
                            "contentEncoding": {"enum": ["zstd", "br", "gzip", null]},
                            "size": count,
                            "hits": count,
                            "lastModified": {"type": ["string", "null"]},
                        },
                    }},
                },
            },
        },
    })
}
