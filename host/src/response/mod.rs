//! Gives every answer its final shape.

// What a response says.
mod answer;
mod text_type;
mod charset;
mod declared;
mod html;
mod error_page;

// How it is sent.
mod finish;
mod compress;
mod media_type;

use ::http::header::{ACCEPT_ENCODING, ALLOW, CONNECTION, RETRY_AFTER};
use ::http::{HeaderValue, StatusCode};

use crate::http::{Coding, Reject, Response};

pub use answer::{from_answer, from_refusal};
pub use compress::is_compressible;
pub use declared::{Declared, declared, into_utf8};
pub use error_page::OwnPages;
pub use finish::{Asked, Finish, SERVER_NAME, finish};

/// What components take.
const ANY_METHODS: HeaderValue =
    HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
/// Seconds after which a refused client may try again: processes end within moments.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("1");
/// The same where somebody has to start the web server first.
const RETRY_AFTER_STOPPED_SECONDS: HeaderValue = HeaderValue::from_static("30");

/// The response to a request that was refused or failed. `details` is shown in development mode only.
pub fn from_reject(reject: Reject, details: Option<&str>) -> Response {
    let mut response = error_page::refused(reject, details);
    let headers = response.headers_mut();
    match reject {
        Reject::MethodNotAllowed | Reject::TraceDisabled => {
            headers.insert(ALLOW, reading_methods(false));
        }
        Reject::Unavailable => {
            headers.insert(RETRY_AFTER, RETRY_AFTER_SECONDS);
        }
        Reject::TooMany(seconds) => {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        Reject::Stopped => {
            headers.insert(RETRY_AFTER, RETRY_AFTER_STOPPED_SECONDS);
        }
        Reject::UnknownCoding => {
            headers.insert(ACCEPT_ENCODING, Coding::LIST);
        }
        // What is left of the request cannot be told from the next one, or is not worth waiting for.
        Reject::BodyTooLarge | Reject::BodyLate | Reject::Malformed(_) | Reject::UrlTooLong => {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        _ => {}
    }
    response
}

/// The response to a method that is not for this URL. `trace` says whether TRACE is answered, `is_component` whether all
/// other methods are.
pub fn not_allowed(reject: Reject, trace: bool, is_component: bool) -> Response {
    let methods = match is_component {
        true => ANY_METHODS,
        false => reading_methods(trace),
    };
    let mut response = from_reject(reject, None);
    response.headers_mut().insert(ALLOW, methods);
    response
}

/// The response to OPTIONS where there is a file; `trace` says whether TRACE is answered.
pub fn options(trace: bool) -> Response {
    allow(reading_methods(trace))
}

/// The response to OPTIONS where these methods are answered.
pub fn allow(methods: HeaderValue) -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(ALLOW, methods);
    response
}

/// What files and servers without a component take.
fn reading_methods(trace: bool) -> HeaderValue {
    HeaderValue::from_static(match trace {
        true => "GET, HEAD, OPTIONS, TRACE",
        false => "GET, HEAD, OPTIONS",
    })
}
