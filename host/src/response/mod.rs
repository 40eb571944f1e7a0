//! Gives every answer its final shape.

mod answer;
mod error_page;

use ::http::header::{ALLOW, CONNECTION, CONTENT_LENGTH, RETRY_AFTER, SERVER};
use ::http::{HeaderValue, Method, StatusCode, Version};

use crate::http::{Body, Reject, Response};

pub use answer::{from_answer, from_refusal};

const SERVER_NAME: HeaderValue =
    HeaderValue::from_static(concat!("Tessera/", env!("CARGO_PKG_VERSION")));
/// What files and servers without a component take.
const READING_METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");
/// Seconds after which a refused client may try again: processes end within moments.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("1");

/// The response to a request that was refused or failed. `details` is shown in development mode only.
pub fn from_reject(reject: Reject, details: Option<&str>) -> Response {
    let status = reject.status();
    let mut response = error_page::page(status, reject.visitor_text(), details);
    let headers = response.headers_mut();
    match reject {
        Reject::MethodNotAllowed | Reject::TraceDisabled => {
            headers.insert(ALLOW, READING_METHODS);
        }
        Reject::Unavailable => {
            headers.insert(RETRY_AFTER, RETRY_AFTER_SECONDS);
        }
        // What is left of the request cannot be told from the next one.
        Reject::BodyTooLarge | Reject::Malformed(_) | Reject::UrlTooLong => {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        _ => {}
    }
    response
}

/// The response to OPTIONS.
pub fn options() -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(ALLOW, READING_METHODS);
    response
}

/// The last steps: what every response has, and what its method and status must not have.
pub fn finish(mut response: Response, method: &Method, version: Version) -> Response {
    response.headers_mut().insert(SERVER, SERVER_NAME);
    if version == Version::HTTP_2 {
        // HTTP/2 has no such field; its connections end otherwise.
        response.headers_mut().remove(CONNECTION);
    }
    let status = response.status();
    if status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED {
        response.headers_mut().remove(CONTENT_LENGTH);
        *response.body_mut() = Body::empty();
    } else {
        let length = response.body().length();
        response
            .headers_mut()
            .insert(CONTENT_LENGTH, HeaderValue::from(length));
        if method == Method::HEAD {
            *response.body_mut() = Body::empty();
        }
    }
    response
}
