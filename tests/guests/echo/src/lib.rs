//! Tells all it was told, as JSON; answers in every way by its methods.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use serde_json::{Value as Tree, json};
use tessera_guest::prelude::{Json, *};

/// Whether COMPILER_WEB ran for this request.
static COMPILED: AtomicBool = AtomicBool::new(false);
/// Requests that this instance has answered.
static ANSWERED: AtomicU32 = AtomicU32::new(0);

#[compiler_web]
fn compile() {
    COMPILED.store(true, Ordering::Relaxed);
}

#[on_web_connection]
fn connection(call: WebCall) -> Json<Tree> {
    let parameters = json!({
        "url": call.url,
        "header": call.header,
        "browserIP": call.browser_ip,
        "serverIP": call.server_ip,
        "user": call.user,
        "password": call.password,
    });
    seen("connection", parameters)
}

/// `/4DACTION/echo/Param`
#[web_method]
fn echo(param: Option<&str>) -> Json<Tree> {
    seen("method", json!(param))
}

fn seen(hook: &str, parameters: Tree) -> Json<Tree> {
    let headers = request::headers();
    let headers: Vec<_> = headers
        .iter()
        .map(|field| [&field.name, &field.value])
        .collect();
    let variables = request::variables().map_err(|error| error.to_string());
    let variables = match &variables {
        Ok(all) => json!(
            all.iter()
                .map(|one| [&one.name, &one.value])
                .collect::<Vec<_>>()
        ),
        Err(error) => json!(error),
    };
    let body = match request::body() {
        Ok(body) => json!(body.len()),
        Err(error) => json!(error.to_string()),
    };
    Json(json!({
        "hook": hook,
        "parameters": parameters,
        "method": request::method(),
        "url": request::url(),
        "version": request::version(),
        "headers": headers,
        "variables": variables,
        "bodyLength": body,
        "secured": request::is_secured_connection(),
        "clientAddress": request::client_address(),
        "serverAddress": request::server_address(),
        "id": request::id(),
        "remainingMilliseconds": request::remaining_time().as_millis() as u64,
        "compiled": COMPILED.swap(false, Ordering::Relaxed),
        "answered": ANSWERED.fetch_add(1, Ordering::Relaxed) + 1,
    }))
}

/// `/4DACTION/status/418`
#[web_method(name = "status")]
fn status_only(code: u16) -> impl Reply {
    status(code)
}

/// `/4DACTION/teapot`: status, headers and body together.
#[web_method]
fn teapot() -> impl Reply {
    html("<p>short and stout")
        .with_header("X-Pot", "tea")
        .with_header("Set-Cookie", "a=1")
        .with_header("Set-Cookie", "b=2")
        .with_status(418)
}

/// `/4DACTION/say?type=text/plain&text=...`: a text of that type; without one, a page.
#[web_method]
fn say() -> Result<(), Error> {
    let variables = request::variables()?;
    let named = |name: &str| {
        let variable = variables.iter().find(|variable| variable.name == name);
        variable.map(|variable| variable.value.as_str())
    };
    let text = named("text").unwrap_or_default();
    match named("type") {
        Some(content_type) => response::send_text(text, content_type)?,
        None => response::send_html(text)?,
    }
    Ok(())
}

/// `/4DACTION/bytes`: every byte once.
#[web_method]
fn bytes() -> impl Reply {
    blob((0..=255).collect::<Vec<u8>>(), "application/octet-stream")
}

/// `/4DACTION/go/a/b`
#[web_method]
fn go(param: &str) -> impl Reply {
    redirect(["/", param].concat())
}

/// `/4DACTION/moved/a/b`
#[web_method]
fn moved(param: &str) -> impl Reply {
    redirect(["/", param].concat()).with_status(301)
}

/// `/4DACTION/environment`: every variable that the guest can read.
#[web_method]
fn environment() -> Json<Tree> {
    Json(
        std::env::vars()
            .map(|(name, value)| (name, json!(value)))
            .collect(),
    )
}

/// `/4DACTION/header/Name:value`: the text of the error if it was refused.
#[web_method]
fn header(param: &str) -> impl Reply {
    let (name, value) = param.split_once(':').unwrap_or((param, ""));
    match response::set_header(name, value) {
        Ok(()) => text("set".to_owned()),
        Err(error) => text(error.to_string()),
    }
}

/// `/4DACTION/servers`: every web server object with its properties.
#[web_method]
fn servers() -> Result<Json<Tree>, Error> {
    let mut servers = Vec::new();
    for name in web_server::servers() {
        let properties = web_server::properties(&name)?;
        let properties = properties
            .into_iter()
            .map(|property| (property.name, tree(property.value)));
        servers.push(json!({ "server": name, "properties": properties.collect::<Tree>() }));
    }
    Ok(Json(json!({
        "own": web_server::server(web_server::Selector::Database),
        "host": web_server::server(web_server::Selector::HostDatabase),
        "receiving": web_server::server(web_server::Selector::ReceivingRequest),
        "servers": servers,
    })))
}

/// `/4DACTION/statistics/name`: the counters of a server.
#[web_method]
fn statistics(param: &str) -> Result<Json<Tree>, Error> {
    let counts = web_server::statistics(param)?;
    Ok(Json(json!({
        "requests": counts.requests,
        "bytesSent": counts.bytes_sent,
        "currentProcesses": counts.current_processes,
        "highestProcesses": counts.highest_processes,
        "cacheHits": counts.cache_hits,
        "cacheMisses": counts.cache_misses,
        "cacheBytes": counts.cache_bytes,
        "uptimeSeconds": counts.uptime_seconds,
    })))
}

fn tree(value: Value) -> Tree {
    match value {
        Value::Null => Tree::Null,
        Value::Boolean(value) => json!(value),
        Value::Number(value) => json!(value),
        Value::Text(value) => json!(value),
        Value::Json(value) => serde_json::from_str(&value).unwrap_or_default(),
    }
}

/// Exists, but not for URLs.
#[web_method(available = false)]
fn hidden() -> impl Reply {
    text("hidden")
}
