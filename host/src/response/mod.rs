//! Gives every answer its final shape.

// What a response says.
mod answer;
mod text_type;
mod charset;
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
pub use finish::{Asked, Finish, SERVER_NAME, finish};

/// What files and servers without a component take.
const READING_METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");
/// Seconds after which a refused client may try again: processes end within moments.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("1");
/// The same where somebody has to start the web server first.
const RETRY_AFTER_STOPPED_SECONDS: HeaderValue = HeaderValue::from_static("30");

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

/// The response to OPTIONS.
pub fn options() -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(ALLOW, READING_METHODS);
    response
}
