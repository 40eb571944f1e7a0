//! The response to a request for a page: in the form that the client likes best, as its conditions ask.

use ::http::header::{
    CONTENT_ENCODING, CONTENT_RANGE, CONTENT_TYPE, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    IF_UNMODIFIED_SINCE, RANGE, X_CONTENT_TYPE_OPTIONS,
};
use ::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use super::caches::Pages;
use super::conditional::{self, Outcome};
use super::page::Page;
use super::range::{self, Plan};
use super::variant::{Choice, Making};
use crate::http::{Accepted, Accepting, Body, Content, Response};
use crate::settings::Compression;

/// What a request says of how its page is to be sent.
pub struct Wish<'a> {
    /// GET or HEAD.
    pub method: &'a Method,
    /// All its fields.
    pub headers: &'a HeaderMap,
    /// The codings.
    pub accepting: &'a Accepting,
    /// When and how much the server compresses.
    pub compression: Compression,
}

/// The response, and what is left to do.
pub struct Reply {
    /// The response.
    pub response: Response,
    /// Nothing is left to do about its coding, its Vary and its Server.
    pub is_final: bool,
    /// Its file was in memory already.
    pub is_from_memory: bool,
}

impl Pages {
    /// Makes the response.
    pub async fn reply(&self, page: &Page, wish: Wish<'_>) -> Reply {
        let Some(making) = making(page, wish.compression) else {
            return Reply {
                response: respond(page, wish.method, wish.headers),
                is_final: !wish.accepting.may_refuse_identity(),
                is_from_memory: page.is_hit(),
            };
        };
        let accepted = wish.accepting.read();
        let choice = match self.chosen(page, accepted, making) {
            Some(choice) => choice,
            // Boxed: what is kept is sent without, and its future should be small.
            None => Box::pin(self.choose(page, accepted, making)).await,
        };
        reply_with(page, &wish, accepted, choice)
    }
}

/// Whether there may be a compressed form, and at which level one is made; the outer none is that there is none, the inner
/// one that none is to be made.
pub(super) fn making(page: &Page, compression: Compression) -> Option<Making> {
    let is_worth_it = page.is_compressible() && page.length() >= compression.threshold;
    (is_worth_it || page.has_siblings()).then(|| is_worth_it.then_some(compression.level))
}

fn reply_with(page: &Page, wish: &Wish<'_>, accepted: Accepted, choice: Choice) -> Reply {
    let (response, is_final) = match choice {
        Choice::Coded(coded) => (respond(&coded, wish.method, wish.headers), true),
        Choice::Plain => (
            respond(page, wish.method, wish.headers),
            !accepted.refuses_identity,
        ),
        Choice::OnItsWay => (respond(page, wish.method, wish.headers), false),
    };
    Reply {
        response,
        is_final,
        is_from_memory: page.is_hit(),
    }
}

/// By the page's validators and the request's conditions, then its ranges.
pub(super) fn respond(page: &Page, method: &Method, headers: &HeaderMap) -> Response {
    let whole = || Response::new(page.content().map(Content::whole).unwrap_or_default());
    let is_special = headers.keys().any(is_condition);
    let mut response = match is_special {
        true => on_condition(page, method, headers).unwrap_or_else(whole),
        false => whole(),
    };
    let own = std::mem::take(response.headers_mut());
    let headers = response.headers_mut();
    headers.clone_from(page.head());
    if !own.is_empty() {
        headers.extend(own);
    }
    if response.status().is_client_error() {
        // What is sent is not the page.
        let headers = response.headers_mut();
        for name in [CONTENT_TYPE, CONTENT_ENCODING, X_CONTENT_TYPE_OPTIONS] {
            headers.remove(name);
        }
    }
    response
}

/// What is sent instead of the whole page; `None` if that is what is asked for.
fn on_condition(page: &Page, method: &Method, headers: &HeaderMap) -> Option<Response> {
    let bare = |status, body| {
        let mut response = Response::new(body);
        *response.status_mut() = status;
        Some(response)
    };
    match conditional::evaluate(headers, page.validators()) {
        Outcome::Full => in_part(page, method, headers),
        // Type and length decide what else a 304 must say; neither is sent.
        Outcome::NotModified => bare(StatusCode::NOT_MODIFIED, Body::unsent(page.length())),
        Outcome::PreconditionFailed => bare(StatusCode::PRECONDITION_FAILED, Body::empty()),
    }
}

fn in_part(page: &Page, method: &Method, headers: &HeaderMap) -> Option<Response> {
    let (content, length) = (page.content()?, page.length());
    let mut response = Response::default();
    let part = StatusCode::PARTIAL_CONTENT;
    let (status, name, value) = match range::plan(headers, method, length, page.validators()) {
        Plan::Whole => return None,
        Plan::Unsatisfiable => {
            let what = HeaderValue::try_from(format!("bytes */{length}"));
            (StatusCode::RANGE_NOT_SATISFIABLE, CONTENT_RANGE, what.ok()?)
        }
        Plan::Part(range) => {
            let last = range.end.saturating_sub(1);
            let what = format!("bytes {}-{last}/{length}", range.start);
            *response.body_mut() = content.part(range);
            (part, CONTENT_RANGE, HeaderValue::try_from(what).ok()?)
        }
        Plan::Parts(ranges) => {
            // Nobody could tell whether a coding is that of the parts or of all that is around them. All of it is an
            // answer, too, also if the parts cannot be had.
            let head = page.head();
            let is_coded = head.contains_key(CONTENT_ENCODING);
            let content_type = head.get(CONTENT_TYPE).filter(|_| !is_coded)?;
            let (multipart, body) = content.parts(ranges, content_type).ok()?;
            *response.body_mut() = body;
            (part, CONTENT_TYPE, multipart)
        }
    };
    *response.status_mut() = status;
    response.headers_mut().insert(name, value);
    Some(response)
}

fn is_condition(name: &HeaderName) -> bool {
    matches!(
        *name,
        IF_MATCH | IF_NONE_MATCH | IF_MODIFIED_SINCE | IF_UNMODIFIED_SINCE | RANGE
    )
}
