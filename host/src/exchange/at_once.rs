//! What is answered before there is a request: plain GETs for pages that are in memory, as [`handle`](super::handle) would
//! answer them, and only where nothing else has a say in it.

use std::sync::Arc;

use bytes::Bytes;

use super::admit::{self, Visit};
use crate::http::{PlainGet, ReadyMade, date_and_end};
use crate::server::Receiver;

/// The response, if all of it is at hand. `secured` says whether TLS brought the request.
pub fn at_once(receiver: &Receiver, request: PlainGet<'_>, secured: bool) -> Option<ReadyMade> {
    let path = request.path();
    let visit = admit::find(receiver, || request.host.parse().ok(), path).ok()?;
    let path = visit.below(path);
    if !is_free(receiver, &visit) || crate::route::special(path).is_some() {
        return None;
    }
    let compression = visit.serving.web.responses.compression;
    let pages = visit.serving.pages.as_ref()?;
    let (head, body) = pages.at_hand(path, request.codings, compression)?;
    let hsts = match secured {
        true => hsts(receiver)?,
        // Browsers must not believe it: RFC 6797, section 7.2.
        false => Bytes::new(),
    };
    visit.server.traffic().note_page(body.len());
    Some(ReadyMade {
        head: [head, hsts, date_and_end()],
        body,
    })
}

/// Whether responses depend on nothing but the URL and what the client takes.
fn is_free(receiver: &Receiver, visit: &Visit) -> bool {
    let web = &visit.serving.web;
    let own = web.responses.rules.patterns.is_empty()
        && web.requests.handlers.patterns.is_empty()
        && web.requests.rate.is_none()
        && web.responses.cors.is_none();
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
