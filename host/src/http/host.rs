//! The host that a request asks for.

use ::http::Request;
use ::http::header::{HOST, HeaderValue};
use ::http::uri::Authority;

/// The one in the request line, or HTTP/2's, goes before the field. None if there is none, or what is there is no host.
pub fn asked_host<B>(request: &Request<B>) -> Option<Authority> {
    let asked = request.uri().authority().cloned();
    asked.or_else(|| authority(request.headers().get(HOST)?))
}

/// The host that a field names.
pub fn authority(field: &HeaderValue) -> Option<Authority> {
    field.to_str().ok()?.parse().ok()
}
