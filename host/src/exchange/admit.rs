//! May a request run at all, and which server answers it?

use std::sync::Arc;

use ::http::header::{CONTENT_LENGTH, HOST};
use ::http::uri::Authority;
use ::http::{Method, Version};

use crate::http::{Reject, Request};
use crate::server::{Kind, Receiver, Serving, WebServer};

/// Longest URL that is served: what browsers and proxies commonly take.
const URL_BYTES_MAX: usize = 8 * 1024;

/// A request that may run, and where.
pub(super) struct Visit {
    /// The server that answers.
    pub(super) server: Arc<WebServer>,
    /// What it answers with, the same from here to the end.
    pub(super) serving: Arc<Serving>,
    /// Path and query as that server sees them.
    pub(super) url: String,
    /// The mount's prefix that was taken off.
    pub(super) prefix: Option<String>,
    /// The host that the client asked for.
    pub(super) host: Option<Authority>,
    path_length: usize,
}

impl Visit {
    /// The path as the server sees it, still percent-encoded.
    pub(super) fn path(&self) -> &str {
        &self.url[..self.path_length]
    }
}

/// Checks the head, and finds the server.
pub(super) fn admit(receiver: &Receiver, request: &Request) -> Result<Visit, Reject> {
    let host = checked_host(request)?;
    check_method(request)?;
    let uri = request.uri();
    let (path, query) = (uri.path(), uri.query());
    if path.len() + query.map_or(0, str::len) > URL_BYTES_MAX {
        return Err(Reject::UrlTooLong);
    }
    // `OPTIONS *` asks about the server as a whole.
    let path = if path == "*" { "/" } else { path };
    if !path.starts_with('/') {
        return Err(Reject::Malformed("the path does not begin with a slash"));
    }
    find(receiver, host, path, query)
}

/// The host that is asked for. HTTP/1.1 requires exactly one, and so do we: two that differ are how requests are
/// smuggled past whoever looks at the other one.
fn checked_host(request: &Request) -> Result<Option<Authority>, Reject> {
    const BAD_HOST: Reject = Reject::Malformed("the Host header must be there once, and be a host");
    let mut fields = request.headers().get_all(HOST).iter();
    let field = match (fields.next(), fields.next()) {
        (None, _) => None,
        (Some(field), None) => {
            let authority: Authority = field
                .to_str()
                .ok()
                .and_then(|host| host.parse().ok())
                .ok_or(BAD_HOST)?;
            if authority.as_str().contains('@') {
                return Err(BAD_HOST);
            }
            Some(authority)
        }
        (Some(_), Some(_)) => return Err(BAD_HOST),
    };
    if field.is_none() && request.version() == Version::HTTP_11 {
        return Err(BAD_HOST);
    }
    // The one in the request line, or HTTP/2's, goes before the field.
    Ok(request.uri().authority().cloned().or(field))
}

fn check_method(request: &Request) -> Result<(), Reject> {
    match *request.method() {
        Method::CONNECT => Err(Reject::NotImplemented),
        Method::OPTIONS => Ok(()),
        _ if request.uri().path() == "*" => Err(Reject::Malformed("only OPTIONS may ask for *")),
        _ => Ok(()),
    }
}

fn find(
    receiver: &Receiver,
    host: Option<Authority>,
    path: &str,
    query: Option<&str>,
) -> Result<Visit, Reject> {
    let mounts = receiver.exchange.mounts.load();
    let mounted = match receiver.server.kind() {
        Kind::Host => mounts.find(host.as_ref().map(Authority::host), path),
        Kind::Component => None,
    };
    let (server, stripped) = match mounted {
        None => (receiver.server.clone(), None),
        Some(mounted) => {
            let stripped =
                (mounted.strip && !mounted.prefix.is_empty()).then_some(mounted.prefix.as_str());
            (mounted.server.clone(), stripped)
        }
    };
    let serving = server.serving().ok_or(Reject::Stopped)?;
    let path = match stripped {
        Some(prefix) => path
            .get(prefix.len()..)
            .filter(|rest| !rest.is_empty())
            .unwrap_or("/"),
        None => path,
    };
    let url = match query {
        Some(query) => [path, "?", query].concat(),
        None => path.to_owned(),
    };
    Ok(Visit {
        path_length: path.len(),
        url,
        prefix: stripped.map(str::to_owned),
        host,
        server,
        serving,
    })
}

/// A body that says it is too large is refused before it is read.
pub(super) fn check_length(visit: &Visit, request: &Request) -> Result<(), Reject> {
    let Some(max) = visit.serving.web.requests.body_bytes_max else {
        return Ok(());
    };
    let length = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > max) {
        Err(Reject::BodyTooLarge)
    } else {
        Ok(())
    }
}
