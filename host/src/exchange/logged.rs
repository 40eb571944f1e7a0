//! Where requests meet the access log of the server that answers them. One that logs nothing costs a look at that.

use std::time::Instant;

use super::admit::Visit;
use super::conclude::refused_with;
use crate::http::{Peer, PlainGet, Reject, Request, Response, wall_clock};
use crate::response::Asked;
use crate::server::{Receiver, Serving};
use crate::weblog::{Entry, Fields, Line, Pending, Wanted};

/// What the line of a request will say, if one is written.
pub(super) fn begin(serving: &Serving, request: &mut Request, peer: Peer) -> Option<Box<Pending>> {
    if serving.log.is_none() && serving.debug.is_none() {
        return None;
    }
    let (log, debug) = (serving.log.clone(), serving.debug.clone());
    Some(Pending::new(log, debug, request, peer))
}

/// Lets it go with the response.
pub(super) fn attach(pending: Option<Box<Pending>>, response: &mut Response) {
    if let Some(pending) = pending {
        pending.attach(response);
    }
}

/// The line of a request that is answered `now`, which is asked only if there is a log, with a body of so many bytes.
pub(super) fn at_once(
    visit: &Visit,
    request: &PlainGet<'_>,
    peer: Peer,
    (status, sent): (u16, usize),
    began: Instant,
    now: impl FnOnce() -> Instant,
) {
    let Some(log) = &visit.serving.log else {
        return;
    };
    let wanted = match request.is_simple {
        true => log.wanted().without(Wanted::AUTHORIZATION),
        false => log.wanted(),
    };
    let now = now();
    log.record(&Entry {
        peer,
        moment: wall_clock(now),
        took: now - began,
        line: Line::Read {
            method: b"GET",
            target: request.target.as_bytes(),
            version: ::http::Version::HTTP_11,
        },
        fields: Fields::in_lines(request.fields, wanted),
        status,
        sent: sent as u64,
        received: Some(0),
    });
}

/// The response to a request that is refused before anybody has seen it, so that it has no line in the log; of one that could not be read
/// `line` is how it began.
pub fn refused_unseen(
    receiver: &Receiver,
    request: &mut Request,
    line: Option<&[u8]>,
    peer: Peer,
    reject: Reject,
) -> Response {
    let serving = receiver.server.serving();
    let mut pending = serving.and_then(|serving| begin(&serving, request, peer));
    if let (Some(pending), Some(line)) = (&mut pending, line) {
        pending.refused_as(line);
    }
    refused_with(receiver, Asked::of(request), peer, reject, pending)
}
