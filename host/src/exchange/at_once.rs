//! What is answered before there is a request: plain GETs for pages that are in memory, and for components, as
//! [`handle`](super::handle) would answer them, and only where nothing else has a say in it.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use super::admit::{self, Visit};
use super::begun::{self, AtOnce};
use super::logged;
use crate::files::{AtHand, Pages};
use crate::http::{Peer, PlainGet, ReadyMade, date_and_end};
use crate::metrics::Answered;
use crate::server::Receiver;
use crate::traces::{self, Told};

/// The response, if all of it is at hand. Where a component answers and `may_call` says so, it is called.
pub fn at_once(receiver: &Receiver, request: PlainGet<'_>, peer: Peer, may_call: bool) -> AtOnce {
    let path = request.path();
    let began = Instant::now();
    let Ok(visit) = admit::find(receiver, || request.host.parse().ok(), path) else {
        return AtOnce::Nothing;
    };
    if !is_free(receiver, &visit) {
        return AtOnce::Nothing;
    }
    if receiver.exchange.traces().is_some() && traces::may_name_a_trace(request.fields) {
        return AtOnce::Nothing;
    }
    let path = visit.below(path);
    let sessions = visit.serving.sessions.as_ref();
    let is_named = || {
        let legacy = visit.serving.legacy.as_ref();
        sessions.is_some_and(|sessions| sessions.may_be_named(request.fields))
            || legacy.is_some_and(|sessions| sessions.may_be_named(request.fields))
    };
    if path == "/" && request.has_cookie && is_named() {
        // Its client may have a home page of its own.
        return AtOnce::Nothing;
    }
    let special = crate::route::special(path);
    let pages = visit.serving.pages.as_ref().filter(|_| special.is_none());
    // Conditions are a page's: what components answer is held to none.
    let may_call = may_call && request.is_simple && request.held.is_nothing();
    let may_call = may_call && visit.serving.generation.is_some();
    let is_bare = may_call && pages.is_some_and(|pages| pages.is_bare(began));
    let page = |pages| page(receiver, &visit, pages, &request, peer, began);
    if let Some(page) = pages.filter(|_| !is_bare).and_then(page) {
        return AtOnce::Made(page);
    }
    match may_call && pages.is_none_or(|pages| pages.has_nothing(path, is_bare)) {
        true => begun::begin(receiver, visit, special, &request, peer, began),
        false => AtOnce::Nothing,
    }
}

/// A page that is in memory.
fn page(
    receiver: &Receiver,
    visit: &Visit,
    pages: &Pages,
    request: &PlainGet<'_>,
    peer: Peer,
    began: Instant,
) -> Option<ReadyMade> {
    let compression = visit.serving.web.responses.compression;
    let path = visit.below(request.path());
    let AtHand { status, head, body } = pages.at_hand(path, request, compression)?;
    let hsts = match peer.secured {
        true => hsts(receiver)?,
        // Browsers must not believe it: RFC 6797, section 7.2.
        false => Bytes::new(),
    };
    // One look at the clock for both.
    let now = Instant::now();
    let traffic = visit.server.traffic();
    traffic.note_page(status, body.len(), now - began);
    let told = (status, body.len());
    logged::at_once(visit, request, peer, told, began, || now);
    if let Some(traces) = receiver.exchange.traces()
        && let Some(trace) = traces.begin_plain(request, peer, began)
    {
        trace.end(Told {
            server: visit.server.name(),
            mount: 0,
            kind: Answered::Memory.name(),
            status,
        });
    }
    Some(ReadyMade {
        head: [head, hsts, date_and_end(now)],
        body,
        made: None,
    })
}

/// Whether responses depend on nothing but the URL and what the client takes.
fn is_free(receiver: &Receiver, visit: &Visit) -> bool {
    let web = &visit.serving.web;
    let own = web.responses.rules.patterns.is_empty()
        && web.requests.handlers.patterns.is_empty()
        && web.requests.rate.is_none()
        && web.responses.cors.is_none()
        && visit.serving.debug.is_none();
    // The host's rules hold for what it hands over, too.
    let is_handed_over = || !Arc::ptr_eq(&visit.server, &receiver.server);
    let has_rules = || {
        let serving = receiver.server.serving();
        serving.is_none_or(|serving| !serving.web.responses.rules.patterns.is_empty())
    };
    own && !(is_handed_over() && has_rules())
}

/// The field that the server which received the request sends over TLS.
fn hsts(receiver: &Receiver) -> Option<Bytes> {
    let serving = receiver.server.serving()?;
    Some(match serving.web.responses.hsts {
        Some(seconds) => Bytes::from(format!("strict-transport-security: max-age={seconds}\r\n")),
        None => Bytes::new(),
    })
}
