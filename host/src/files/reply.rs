//! The response to a request for a page: in the form that the client likes best, as its conditions ask.

use std::sync::Arc;

use ::http::header::{
    CONTENT_ENCODING, CONTENT_TYPE, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    IF_UNMODIFIED_SINCE, RANGE,
};
use ::http::{HeaderMap, HeaderName, StatusCode};

use super::caches::Pages;
use super::conditional::{self, Outcome};
use super::page::Page;
use super::variant::Choice;
use crate::http::{Accepting, Body, Response};
use crate::settings::Compression;

/// What a request says of how its page is to be sent.
pub struct Wish<'a> {
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
}

impl Pages {
    /// Makes the response.
    pub async fn reply(&self, page: &Arc<Page>, wish: Wish<'_>) -> Reply {
        let compression = wish.compression;
        let is_large = page.length() >= compression.threshold;
        let is_worth_it = page.is_compressible() && is_large;
        if !is_worth_it && !page.has_siblings() {
            return Reply {
                response: respond(page, wish.headers),
                is_final: !wish.accepting.may_refuse_identity(),
            };
        }
        let accepted = wish.accepting.read();
        let choice = self.choose(page, accepted, is_worth_it.then_some(compression.level));
        let (response, is_final) = match choice.await {
            Choice::Coded(coded) => (respond(&coded, wish.headers), true),
            Choice::Plain => (respond(page, wish.headers), !accepted.refuses_identity),
            Choice::OnItsWay => (respond(page, wish.headers), false),
        };
        Reply { response, is_final }
    }
}

/// By the page's validators and the request's conditions.
fn respond(page: &Page, asked: &HeaderMap) -> Response {
    let is_conditional = asked.keys().any(is_condition);
    let outcome = match is_conditional {
        true => conditional::evaluate(asked, page.validators()),
        false => Outcome::Full,
    };
    match outcome {
        Outcome::Full => {
            let mut response = Response::new(page.body());
            *response.headers_mut() = page.head().clone();
            response
        }
        Outcome::NotModified => {
            // Type and length decide what else a 304 must say; neither is sent.
            let mut response = Response::new(Body::unsent(page.length()));
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            *response.headers_mut() = page.head().clone();
            response
        }
        Outcome::PreconditionFailed => {
            let mut response = Response::default();
            *response.status_mut() = StatusCode::PRECONDITION_FAILED;
            let mut headers = page.head().clone();
            headers.remove(CONTENT_TYPE);
            headers.remove(CONTENT_ENCODING);
            *response.headers_mut() = headers;
            response
        }
    }
}

fn is_condition(name: &HeaderName) -> bool {
    matches!(
        *name,
        IF_MATCH | IF_NONE_MATCH | IF_MODIFIED_SINCE | IF_UNMODIFIED_SINCE | RANGE
    )
}
