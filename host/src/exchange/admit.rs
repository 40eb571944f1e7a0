//! May a request run at all, and which server answers it?

use std::sync::Arc;

use ::http::header::{CONTENT_LENGTH, EXPECT, HOST, HeaderValue};
use ::http::uri::Authority;
use ::http::{Method, Uri, Version};

use crate::http::{HEADER_FIELDS_MAX, Reject, Request, TARGET_BYTES_MAX, asked_host, authority};
use crate::server::{Kind, Receiver, Serving, WebServer};

const BAD_HOST: Reject = Reject::Malformed("the Host header must be there once, and be a host");

/// A request that may run, and where.
pub(super) struct Visit {
    /// The server that answers.
    pub(super) server: Arc<WebServer>,
    /// What it answers with, the same from here to the end.
    pub(super) serving: Arc<Serving>,
    /// How many bytes of the path are the mount's prefix, which that server does not see.
    prefix_length: usize,
}

impl Visit {
    /// The path as the server sees it, still percent-encoded.
    pub(super) fn path<'a>(&self, uri: &'a Uri) -> &'a str {
        self.below(whole_path(uri))
    }

    /// The path below the mount.
    pub(super) fn below<'a>(&self, path: &'a str) -> &'a str {
        let path = path.get(self.prefix_length..);
        path.filter(|path| !path.is_empty()).unwrap_or("/")
    }

    /// The target below the mount: path and query as the server sees them.
    pub(super) fn url_below(&self, target: &str) -> String {
        match target.get(self.prefix_length..) {
            Some(url) if url.starts_with('/') => url.to_owned(),
            // The prefix without a slash behind it, and perhaps a query.
            url => ["/", url.unwrap_or_default()].concat(),
        }
    }

    /// Path and query as the server sees them.
    pub(super) fn url(&self, uri: &Uri) -> String {
        match uri.query() {
            Some(query) => [self.path(uri), "?", query].concat(),
            None => self.path(uri).to_owned(),
        }
    }

    /// How many bytes of the path are the mount's prefix.
    pub(super) fn prefix_length(&self) -> usize {
        self.prefix_length
    }

    /// The mount's prefix that was taken off.
    pub(super) fn prefix<'a>(&self, uri: &'a Uri) -> Option<&'a str> {
        self.prefix_of(whole_path(uri))
    }

    /// The mount's prefix at the beginning of a path.
    pub(super) fn prefix_of<'a>(&self, path: &'a str) -> Option<&'a str> {
        let prefix = path.get(..self.prefix_length);
        prefix.filter(|prefix| !prefix.is_empty())
    }
}

/// `OPTIONS *` asks about the server as a whole.
pub(super) fn whole_path(uri: &Uri) -> &str {
    match uri.path() {
        "*" => "/",
        path => path,
    }
}

/// Checks the head, and finds the server. What comes by HTTP/1 has passed the gate: one host where there must be one, no
/// CONNECT, a target that is a path or belongs to a host.
pub(super) fn admit(receiver: &Receiver, request: &Request) -> Result<Visit, Reject> {
    if request.version() == Version::HTTP_2 {
        check_http2(request)?;
    }
    let path = whole_path(request.uri());
    if !path.starts_with('/') {
        return Err(Reject::Malformed("the path does not begin with a slash"));
    }
    find(receiver, || asked_host(request), path)
}

/// What the library lets through in HTTP/2.
fn check_http2(request: &Request) -> Result<(), Reject> {
    let uri = request.uri();
    if uri.path().len() + uri.query().map_or(0, str::len) > TARGET_BYTES_MAX {
        return Err(Reject::UrlTooLong);
    }
    check_host(request)?;
    check_method(request)?;
    check_values(request)
}

/// Exactly one host: two that differ are how requests are smuggled past whoever looks at the other one.
fn check_host(request: &Request) -> Result<(), Reject> {
    let mut fields = request.headers().get_all(HOST).iter();
    let field = match (fields.next(), fields.next()) {
        (field, None) => field
            .map(|field| authority(field).ok_or(BAD_HOST))
            .transpose()?,
        (_, Some(_)) => return Err(BAD_HOST),
    };
    let asked = request.uri().authority();
    let has_user = |authority: &Authority| authority.as_str().contains('@');
    if asked.is_some_and(has_user) || field.as_ref().is_some_and(has_user) {
        return Err(BAD_HOST);
    }
    match (asked, field) {
        (None, None) => Err(BAD_HOST),
        (Some(asked), Some(field)) if *asked != field => {
            Err(Reject::Malformed(":authority and Host are not the same"))
        }
        _ => Ok(()),
    }
}

/// White space around a value (RFC 9113, section 8.2.1), more fields than HTTP/1.1 may have, and expectations.
fn check_values(request: &Request) -> Result<(), Reject> {
    let headers = request.headers();
    if headers.len() > HEADER_FIELDS_MAX {
        return Err(Reject::TooManyFields);
    }
    let is_space = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    let is_padded = |value: &HeaderValue| {
        let bytes = value.as_bytes();
        is_space(bytes.first()) || is_space(bytes.last())
    };
    if headers.values().any(is_padded) {
        return Err(Reject::Malformed(
            "a header value has white space around it",
        ));
    }
    let is_known = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"100-continue");
    match headers.get_all(EXPECT).iter().all(is_known) {
        true => Ok(()),
        false => Err(Reject::Expectation),
    }
}

fn check_method(request: &Request) -> Result<(), Reject> {
    match *request.method() {
        Method::CONNECT => Err(Reject::NotImplemented),
        Method::OPTIONS => Ok(()),
        _ if request.uri().path() == "*" => Err(Reject::Malformed("only OPTIONS may ask for *")),
        _ => Ok(()),
    }
}

/// The server that answers requests for a host and a path. The host is asked for only where it matters.
pub(super) fn find(
    receiver: &Receiver,
    host: impl FnOnce() -> Option<Authority>,
    path: &str,
) -> Result<Visit, Reject> {
    let mounts = receiver.exchange.mounts.load();
    let mounted = match receiver.server.kind() {
        Kind::Host => mounts.find(host, path),
        Kind::Component => None,
    };
    let (server, prefix_length) = match mounted {
        None => (&receiver.server, 0),
        Some(mounted) if mounted.strip => (&mounted.server, mounted.prefix.len()),
        Some(mounted) => (&mounted.server, 0),
    };
    let serving = server.serving().ok_or(Reject::Stopped)?;
    Ok(Visit {
        server: server.clone(),
        serving,
        prefix_length,
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
