//! The response to a request for a file that is there: its conditions first, then its ranges.

use ::http::header::{ACCEPT_RANGES, CONTENT_RANGE, CONTENT_TYPE};
use ::http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::conditional::{self, Outcome, Validators};
use super::range::{self, Plan};
use crate::http::{Body, Content, Response};

const BYTES: HeaderValue = HeaderValue::from_static("bytes");

/// What is sent of a file.
pub(super) struct Representation<'a> {
    pub(super) content: &'a Content,
    pub(super) content_type: &'a HeaderValue,
    pub(super) validators: &'a Validators,
}

/// The response, with what conditions and ranges decide: status, Content-Type, Accept-Ranges, Content-Range and body.
/// What the file's version says is the caller's to add.
pub(super) fn reply(
    representation: &Representation<'_>,
    method: &Method,
    headers: &HeaderMap,
) -> Response {
    match conditional::evaluate(headers, representation.validators) {
        Outcome::Full => in_part(representation, method, headers),
        Outcome::NotModified => {
            // Type and length decide what else a 304 must say; neither is sent.
            let body = Body::unsent(representation.content.length());
            with(StatusCode::NOT_MODIFIED, representation, body)
        }
        Outcome::PreconditionFailed => bare(StatusCode::PRECONDITION_FAILED),
    }
}

fn in_part(representation: &Representation<'_>, method: &Method, headers: &HeaderMap) -> Response {
    let (content, content_type) = (representation.content, representation.content_type);
    let length = content.length();
    match range::plan(headers, method, length, representation.validators) {
        Plan::Whole => with(StatusCode::OK, representation, content.whole()),
        Plan::Unsatisfiable => {
            let mut response = bare(StatusCode::RANGE_NOT_SATISFIABLE);
            say_range(&mut response, format!("bytes */{length}"));
            response
        }
        Plan::Part(range) => {
            let last = range.end.saturating_sub(1);
            let what = format!("bytes {}-{last}/{length}", range.start);
            let mut response = with(
                StatusCode::PARTIAL_CONTENT,
                representation,
                content.part(range),
            );
            say_range(&mut response, what);
            response
        }
        Plan::Parts(ranges) => match content.parts(ranges, content_type) {
            Ok((multipart, body)) => {
                let content_type = &multipart;
                let parts = Representation {
                    content_type,
                    ..*representation
                };
                with(StatusCode::PARTIAL_CONTENT, &parts, body)
            }
            // All of it is an answer, too.
            Err(_) => with(StatusCode::OK, representation, content.whole()),
        },
    }
}

fn with(status: StatusCode, representation: &Representation<'_>, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, representation.content_type.clone());
    headers.insert(ACCEPT_RANGES, BYTES);
    response
}

fn say_range(response: &mut Response, content_range: String) {
    if let Ok(value) = HeaderValue::try_from(content_range) {
        response.headers_mut().insert(CONTENT_RANGE, value);
    }
}

/// A response without a body.
pub(super) fn bare(status: StatusCode) -> Response {
    let mut response = Response::default();
    *response.status_mut() = status;
    response
}
