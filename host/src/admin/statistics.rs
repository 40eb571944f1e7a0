//! What the cache holds of a web server's files, as JSON: the `cache` object of WEB Get server info.

use serde_json::{Value, json};

use crate::files::{Object, Pages};
use crate::server::WebServer;

/// Pages that are named; there may be hundreds of thousands.
const OBJECTS_MAX: usize = 1000;

/// The statistics of a web server; a stopped one has none of its files in memory.
pub(super) fn statistics(server: &WebServer) -> Value {
    let serving = server.serving();
    let pages = serving.as_ref().and_then(|serving| serving.pages.as_ref());
    json!({"name": server.name(), "cache": pages.map(cache)})
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
