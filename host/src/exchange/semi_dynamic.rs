//! Pages with tags, and the files that components send.

use std::sync::Arc;

use ::http::header::{CACHE_CONTROL, CONTENT_TYPE, COOKIE, X_CONTENT_TYPE_OPTIONS};
use ::http::{HeaderMap, HeaderValue, Method, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tessera_engine::{Answer, AnswerBody, SentFile, WebFolder, render_alone};

use super::admit::Visit;
use super::authentication;
use super::dynamic::Job;
use crate::files::{self, Page};
use crate::http::{Peer, Reject, Request, Response};
use crate::response;
use crate::server::{Receiver, WebServer};
use crate::settings::Responses;

/// Of what anybody may be sent, but not from what was kept: the next one may be another.
const EACH_TIME: HeaderValue = HeaderValue::from_static("no-cache");
/// The same of what a component made or chose, for this client perhaps.
const EACH_TIME_HERE: HeaderValue = HeaderValue::from_static("private, no-cache");
/// What is encoded in a path that is made of names of files.
const NOT_IN_PATHS: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'.')
    .remove(b'-')
    .remove(b'_');
const NO_GUESSING: HeaderValue = HeaderValue::from_static("nosniff");

/// The HTML root that a component sends files of: that of its own server, as it serves now.
pub(super) fn folder(visit: &Visit, server: &Arc<WebServer>) -> Option<Arc<dyn WebFolder>> {
    if Arc::ptr_eq(server, &visit.server) {
        return Some(visit.serving.clone());
    }
    Some(server.serving()?)
}

/// The path of the home page that a component has set for the client of a request.
pub(super) async fn own_home_page(visit: &Visit, request: &Request) -> Option<String> {
    let serving = &visit.serving;
    if !request.headers().contains_key(COOKIE) {
        return None;
    }
    let page = match (&serving.sessions, &serving.legacy) {
        (Some(sessions), _) => Box::pin(sessions.home_page(request.headers())).await?,
        (None, Some(sessions)) => sessions.home_page(request.headers())?,
        (None, None) => return None,
    };
    let pages = visit.serving.pages.as_ref()?;
    // One that is not there any more leaves the client with everybody's.
    let is_there = pages
        .document(&page, visit.serving.web.responses.charset)
        .await;
    is_there?;
    let encoded = utf8_percent_encode(&page, NOT_IN_PATHS);
    Some(format!("/{encoded}"))
}

/// Answers a GET for a page that may have tags. As long as they call no method, no instance is needed.
pub(super) async fn answer(
    receiver: &Receiver,
    visit: &Visit,
    request: Request,
    peer: Peer,
    page: Arc<Page>,
) -> Response {
    let settings = &visit.serving.web.responses;
    let Some(pages) = &visit.serving.pages else {
        return response::from_reject(Reject::NotFound, None);
    };
    let Ok(document) = pages.semi_dynamic(&page, settings.charset).await else {
        tracing::error!(
            server = visit.server.name(),
            "a page with tags cannot be read, or is longer than {} bytes: {}",
            tessera_engine::PAGE_BYTES_MAX,
            visit.path(request.uri()),
        );
        return response::from_reject(Reject::Failed, None);
    };
    if document.template.is_none() {
        return files::send(&page, request.method(), request.headers());
    }
    let folder: Arc<dyn WebFolder> = visit.serving.clone();
    let generation = visit.serving.generation.as_ref();
    let method = |name: &str| Some(generation?.method(name)?.available);
    let id = receiver.exchange.next_id();
    let rendered = render_alone(&document, &folder, visit.server.name(), id, method).await;
    let (mut response, caching) = match (rendered, generation) {
        (Some(answer), _) => (response::from_answer(answer, settings), EACH_TIME),
        (None, Some(generation)) => {
            let job = Job::page(visit, generation, document);
            let response = authentication::run(receiver, visit, request, peer, job).await;
            (response, EACH_TIME_HERE)
        }
        (None, None) => return response::from_reject(Reject::Failed, None),
    };
    if response.status() == StatusCode::OK {
        let headers = response.headers_mut();
        headers.entry(CACHE_CONTROL).or_insert(caching);
        let guessing = headers.entry(X_CONTENT_TYPE_OPTIONS);
        guessing.or_insert(NO_GUESSING);
    }
    response
}

/// The response with what a component sent.
pub(super) fn from_answer(mut answer: Answer, settings: &Responses) -> Response {
    match take_file(&mut answer) {
        None => response::from_answer(answer, settings),
        Some(file) => with_file(response::from_answer(answer, settings), *file),
    }
}

/// The response with what On Web Authentication sent before it refused.
pub(super) fn from_refusal(mut answer: Answer, settings: &Responses) -> Response {
    match take_file(&mut answer) {
        None => response::from_refusal(answer, settings),
        Some(file) => {
            answer.status.get_or_insert(StatusCode::UNAUTHORIZED);
            with_file(response::from_answer(answer, settings), *file)
        }
    }
}

fn take_file(answer: &mut Answer) -> Option<Box<SentFile>> {
    match std::mem::take(&mut answer.body) {
        AnswerBody::File(file) => Some(file),
        body => {
            answer.body = body;
            None
        }
    }
}

/// Puts a file into a response. Fields that the component set stand in place of the file's. Where it set a status, the file
/// is sent whole.
fn with_file(mut response: Response, file: SentFile) -> Response {
    let Ok(page) = file.document.file.downcast::<Page>() else {
        return response::from_reject(Reject::Failed, None);
    };
    let is_read = matches!(file.method, Method::GET | Method::HEAD);
    let sent = match is_read && response.status() == StatusCode::OK {
        true => {
            let sent = files::send(&page, &file.method, &file.headers);
            *response.status_mut() = sent.status();
            sent
        }
        false => files::send(&page, &file.method, &HeaderMap::new()),
    };
    let (head, body) = sent.into_parts();
    *response.body_mut() = body;
    let set = std::mem::replace(response.headers_mut(), head.headers);
    let headers = response.headers_mut();
    let is_in_parts = headers
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"multipart/"));
    for name in set.keys() {
        if *name == CONTENT_TYPE && is_in_parts {
            continue;
        }
        headers.remove(name);
        for value in set.get_all(name) {
            headers.append(name, value.clone());
        }
    }
    headers.entry(CACHE_CONTROL).or_insert(EACH_TIME_HERE);
    response
}
