//! What would answer a URL, told without answering it: the same stages in the same order, and nothing is run.

use std::sync::Arc;

use ::http::uri::Authority;
use ::http::{HeaderMap, Method, Uri};
use serde_json::{Map, Value, json};

use super::Exchange;
use super::admit::{self, Visit};
use crate::files::{FileError, Found, Page, Sought};
use crate::route::{Handled, Special, handled, special};
use crate::server::{Kind, Receiver, WebServer};

/// Tells what would answer a GET: the web server, where it is mounted, and the stage that has the answer. `None` if it is no
/// URL of HTTP.
pub(crate) async fn explain(
    exchange: &Arc<Exchange>,
    servers: &[Arc<WebServer>],
    url: &Uri,
) -> Option<Value> {
    let path = url.path();
    if !path.starts_with('/') {
        return None;
    }
    let is_secured = match url.scheme_str() {
        None => None,
        Some("http") => Some(false),
        Some("https") => Some(true),
        Some(_) => return None,
    };
    let host = url.authority().cloned();
    let mut told = Map::new();
    told.insert("url".into(), url.to_string().into());
    let Some(server) = receiving(servers, host.as_ref(), is_secured) else {
        let detail = "no web server listens on that port";
        told.extend(stage("nothing", 0, detail));
        return Some(told.into());
    };
    told.insert("receivedBy".into(), server.name().into());
    let receiver = Receiver {
        exchange: exchange.clone(),
        server,
    };
    let visit = match admit::find(&receiver, || host, path) {
        Ok(visit) => visit,
        Err(reject) => {
            let detail = "the web server that is mounted there does not run";
            told.extend(stage("nothing", reject.status().as_u16(), detail));
            return Some(told.into());
        }
    };
    told.insert("server".into(), visit.server.name().into());
    let prefix = visit.prefix(url);
    told.insert("mount".into(), prefix.into());
    told.insert("path".into(), visit.path(url).into());
    told.extend(by(&visit, url).await);
    Some(told.into())
}

/// The server whose port it is; the host where the URL names none.
fn receiving(
    servers: &[Arc<WebServer>],
    host: Option<&Authority>,
    is_secured: Option<bool>,
) -> Option<Arc<WebServer>> {
    let the_host = || servers.iter().find(|it| it.kind() == Kind::Host).cloned();
    let Some(host) = host else {
        return the_host();
    };
    let is_secured = is_secured.unwrap_or(false);
    let standard = if is_secured { 443 } else { 80 };
    let port = host.port_u16().unwrap_or(standard);
    let listens = |server: &&Arc<WebServer>| {
        let status = server.status().lock();
        let mut listeners = status.listeners.iter();
        listeners.any(|held| held.address().port() == port && held.is_secured() == is_secured)
    };
    let has_name = |server: &&Arc<WebServer>| {
        let tls = server.status().lock().tls.clone();
        tls.is_some_and(|tls| tls.covers(host.host()))
    };
    let mut named = servers.iter().filter(|it| listens(it) && has_name(it));
    let named = named.next();
    named.or_else(|| servers.iter().find(listens)).cloned()
}

/// The stage that answers: handler, special URL, file, component, or none of them.
async fn by(visit: &Visit, url: &Uri) -> Map<String, Value> {
    let web = &visit.serving.web;
    let path = visit.path(url);
    match handled(&web.requests.handlers, path, &Method::GET) {
        Some(Handled::By(handler)) => {
            let class = handler.class.as_deref();
            let class = class.unwrap_or_else(|| visit.server.name());
            let detail = format!("{} of {class}, by {}", handler.method, handler.pattern);
            return stage("handler", 200, &detail);
        }
        Some(Handled::Only(methods)) => {
            let methods = methods.to_str().unwrap_or_default();
            return stage("handler", 405, &format!("a handler takes only {methods}"));
        }
        None => {}
    }
    match special(path) {
        None => {}
        Some(Special::Action { method, .. }) => return action(visit, &method),
        Some(Special::Cgi | Special::Sync) => return component(visit),
        Some(_) => return stage("special", 200, "a special URL of the host"),
    }
    let headers = HeaderMap::new();
    let sought = Sought {
        path,
        query: url.query(),
        method: &Method::GET,
        headers: &headers,
    };
    let found = match &visit.serving.pages {
        Some(pages) => pages.find(sought).await,
        None => Ok(None),
    };
    match found {
        Err(FileError::BadPath) => stage(
            "nothing",
            400,
            "the path is not percent-encoded as it should be",
        ),
        Err(FileError::Exhausted) => stage(
            "nothing",
            503,
            "the system has no file left to open it with",
        ),
        Ok(Some(Found::Folder(_) | Found::Instead(_))) if path == "/" && has_component(visit) => {
            component(visit)
        }
        Ok(Some(Found::Page(page) | Found::Instead(page))) => file(visit, &page),
        Ok(Some(Found::Redirect(_))) => stage(
            "file",
            308,
            "a folder: redirected to the path with a slash at its end",
        ),
        Ok(Some(Found::Folder(_))) => stage("file", 200, "the listing of a folder"),
        Ok(None) if has_component(visit) => component(visit),
        Ok(None) => stage(
            "nothing",
            404,
            "there is no such file, and the web server has no component",
        ),
    }
}

fn has_component(visit: &Visit) -> bool {
    visit.serving.generation.is_some()
}

fn action(visit: &Visit, name: &str) -> Map<String, Value> {
    let generation = visit.serving.generation.as_ref();
    match generation.and_then(|generation| generation.method(name)) {
        Some(method) if method.available => stage("method", 200, &method.name),
        Some(method) => {
            let detail = format!("{} is not available through tags and URLs", method.name);
            stage("method", 403, &detail)
        }
        None => stage("nothing", 404, "the web server has no such method"),
    }
}

fn component(visit: &Visit) -> Map<String, Value> {
    let generation = visit.serving.generation.as_ref();
    match generation.is_some_and(|it| it.info().hooks.connection) {
        true => stage("component", 200, "On Web Connection"),
        false => stage("nothing", 404, "the component has no On Web Connection"),
    }
}

fn file(visit: &Visit, page: &Page) -> Map<String, Value> {
    let root = visit.serving.web.files.as_ref().map(|files| &files.root);
    let name = String::from_utf8_lossy(page.path());
    let shown = match root {
        Some(root) => root.join(&*name).display().to_string(),
        None => name.into_owned(),
    };
    let mut told = stage("file", 200, "");
    told.insert("file".into(), shown.into());
    told.insert("inMemory".into(), page.is_hit().into());
    told.insert("hasTags".into(), page.is_semi_dynamic().into());
    told
}

fn stage(by: &str, status: u16, detail: &str) -> Map<String, Value> {
    let mut told = Map::new();
    told.insert("by".into(), by.into());
    told.insert("status".into(), (status > 0).then_some(status).into());
    told.insert("detail".into(), detail.into());
    told
}

/// The schema of [`explain`].
pub(crate) fn schema() -> Value {
    let text = |about: &str| json!({"type": ["string", "null"], "description": about});
    json!({
        "type": "object",
        "required": ["url", "by", "status", "detail"],
        "properties": {
            "url": {"type": "string"},
            "receivedBy": text("The web server whose port it is."),
            "server": text("The web server that answers."),
            "mount": text("The prefix of the mount, which that server does not see; null without one."),
            "path": text("The path as that server sees it."),
            "by": {"enum": ["handler", "special", "method", "file", "component", "nothing"]},
            "status": {
                "type": ["integer", "null"],
                "description": "Of the answer, unless a component chooses another; null if nobody would answer.",
            },
            "detail": {"type": "string"},
            "file": text("The file."),
            "inMemory": {"type": "boolean", "description": "Whether the file was in the cache."},
            "hasTags": {"type": "boolean", "description": "Whether the file has tags to be carried out."},
        },
    })
}
