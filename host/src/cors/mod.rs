//! Requests of pages that other hosts sent: `CORSEnabled` and `CORSSettings`.
//!
//! Decided here, for the documents leave it open: the request's own origin is never refused. Of the entries that are
//! about an origin and let the method, the one that says most of it decides: one that spells the origin out, then one
//! with its host or a pattern of it, then `*`. Browsers may send cookies and passwords along, and show the page the
//! answer, only where an entry spells out the whole origin, scheme and all: a pattern lets in hosts that nobody thought
//! of, and an entry without a scheme lets in whoever can read and change plain HTTP on the way.

mod origin;
mod rule;

use ::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN,
};
use ::http::{HeaderMap, HeaderValue, Method, StatusCode};

use crate::http::Response;
use crate::settings::{Cors, CorsRule};
use origin::Origin;

/// The methods that an entry without methods lets.
const METHODS: HeaderValue =
    HeaderValue::from_static("GET, HEAD, POST, PUT, DELETE, OPTIONS, TRACE, PATCH");
/// Seconds for which browsers need not ask again: long enough to spare nearly all questions, short enough that an entry
/// that was taken away is gone soon.
const MAX_AGE_SECONDS: HeaderValue = HeaderValue::from_static("600");
/// Longest list of header names that a browser may ask for, in bytes.
const REQUESTED_HEADERS_BYTES_MAX: usize = 4 * 1024;

/// What a request is, seen from its page.
#[derive(Debug)]
pub enum Verdict {
    /// Of no page, or of a page of this server's: answered as any other.
    Own,
    /// Of a page that may ask.
    Allowed(Grant),
    /// The question of a browser whether a page may ask, and it may.
    Preflight(Grant, Box<Response>),
    /// Of a page that may not ask.
    Refused,
}

/// What the page may do with the response.
#[derive(Clone, Debug)]
pub struct Grant {
    origin: HeaderValue,
    credentials: bool,
}

/// Where a request was sent to.
#[derive(Clone, Copy, Debug)]
pub struct Here<'a> {
    /// Whether over TLS.
    pub secured: bool,
    /// The host that it names, with or without a port.
    pub host: Option<&'a str>,
}

/// Judges a request to a server where CORS is enabled.
pub fn judge(cors: &Cors, method: &Method, headers: &HeaderMap, here: Here<'_>) -> Verdict {
    let mut fields = headers.get_all(ORIGIN).iter();
    let Some(field) = fields.next() else {
        return Verdict::Own;
    };
    // Whoever sends two hides one of them.
    let text = match fields.next() {
        None => field.to_str().ok(),
        Some(_) => None,
    };
    let origin = text.and_then(Origin::parse);
    if origin.is_some_and(|origin| here.is(&origin)) {
        return Verdict::Own;
    }
    let asked_for = match *method {
        Method::OPTIONS => headers.get(ACCESS_CONTROL_REQUEST_METHOD),
        _ => None,
    };
    let wanted = asked_for.map_or(method.as_str().as_bytes(), HeaderValue::as_bytes);
    // The first of those that say most.
    let rule = cors
        .rules
        .iter()
        .filter(|rule| rule.lets(wanted) && rule::matches(&rule.host, origin.as_ref()))
        .min_by_key(|rule| rule.vagueness(text));
    let Some(rule) = rule else {
        return Verdict::Refused;
    };
    let grant = Grant {
        origin: match rule.vagueness(text) {
            Vagueness::Everybody => HeaderValue::from_static(rule::ANYBODY),
            Vagueness::Whole | Vagueness::Part => field.clone(),
        },
        credentials: rule.vagueness(text) == Vagueness::Whole,
    };
    match asked_for {
        None => Verdict::Allowed(grant),
        Some(_) => Verdict::Preflight(grant, Box::new(preflight(rule, headers))),
    }
}

impl Grant {
    /// Tells the browser. What a component said of its own does not count beside the settings.
    pub fn put_into(self, headers: &mut HeaderMap) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, self.origin);
        if self.credentials {
            let value = HeaderValue::from_static("true");
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, value);
        } else {
            headers.remove(ACCESS_CONTROL_ALLOW_CREDENTIALS);
        }
    }
}

impl Here<'_> {
    fn is(self, origin: &Origin<'_>) -> bool {
        let scheme = if self.secured { "https" } else { "http" };
        let own = self.host.and_then(|host| Origin::at(scheme, host));
        own.is_some_and(|own| own.is(origin))
    }
}

/// How little an entry says of an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Vagueness {
    /// All of it.
    Whole,
    /// Its host, or a pattern.
    Part,
    /// Nothing.
    Everybody,
}

impl CorsRule {
    fn vagueness(&self, origin: Option<&str>) -> Vagueness {
        if self.host == rule::ANYBODY {
            Vagueness::Everybody
        } else if origin.is_some_and(|origin| origin.eq_ignore_ascii_case(&self.host)) {
            Vagueness::Whole
        } else {
            Vagueness::Part
        }
    }

    fn lets(&self, method: &[u8]) -> bool {
        self.methods.is_empty() || self.methods.iter().any(|one| one.as_bytes() == method)
    }
}

fn preflight(rule: &CorsRule, headers: &HeaderMap) -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    let methods = match rule.methods.is_empty() {
        true => METHODS,
        false => HeaderValue::try_from(rule.methods.join(", ")).unwrap_or(METHODS),
    };
    let into = response.headers_mut();
    into.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
    if let Some(names) = requested_headers(headers) {
        into.insert(ACCESS_CONTROL_ALLOW_HEADERS, names);
    }
    into.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE_SECONDS);
    response
}

/// The header names that the page wants to send, if they are names, and not too many.
fn requested_headers(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut fields = headers.get_all(ACCESS_CONTROL_REQUEST_HEADERS).iter();
    // Browsers send one field.
    let (Some(field), None) = (fields.next(), fields.next()) else {
        return None;
    };
    let is_token_byte =
        |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let is_name = |name: &str| !name.is_empty() && name.bytes().all(is_token_byte);
    let are_names = field.to_str().ok()?.split(',').map(str::trim).all(is_name);
    (are_names && field.len() <= REQUESTED_HEADERS_BYTES_MAX).then(|| field.clone())
}

#[cfg(test)]
mod tests;
