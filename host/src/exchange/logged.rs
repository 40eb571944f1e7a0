//! Where requests meet the access log of the server that answers them. One that logs nothing costs a look at that.

use std::time::{Duration, Instant, SystemTime};

use super::admit::Visit;
use super::{Decided, finished};
use crate::http::{Peer, PlainGet, Reject, Request, Response};
use crate::response::{self, Asked};
use crate::server::{Receiver, Serving};
use crate::weblog::{Entry, Fields, Line, Pending};

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

/// The time, if somebody will want to know how long a request took.
pub(super) fn clock(visit: &Visit) -> Option<Instant> {
    visit.serving.log.as_ref().map(|_| Instant::now())
}

/// The line of a request that is answered already, with a body of so many bytes.
pub(super) fn at_once(
    visit: &Visit,
    request: &PlainGet<'_>,
    peer: Peer,
    (status, sent): (u16, usize),
    began: Option<Instant>,
) {
    let Some(log) = &visit.serving.log else {
        return;
    };
    log.record(&Entry {
        peer,
        moment: SystemTime::now(),
        took: began.map_or(Duration::ZERO, |began| began.elapsed()),
        line: Line::Read {
            method: "GET",
            target: request.target,
            version: ::http::Version::HTTP_11,
        },
        fields: Fields::in_lines(request.fields),
        status,
        sent: sent as u64,
        received: Some(0),
    });
}

/// The response to a request that is refused for what the connection knows of it.
pub fn refused(receiver: &Receiver, asked: Asked, peer: Peer, reject: Reject) -> Response {
    refused_with(receiver, asked, peer, reject, None)
}

/// The same for a request that nobody has seen yet, so that it has no line in the log; of one that could not be read
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

fn refused_with(
    receiver: &Receiver,
    asked: Asked,
    peer: Peer,
    reject: Reject,
    log: Option<Box<Pending>>,
) -> Response {
    let response = response::from_reject(reject, None);
    let serving = receiver.server.serving();
    let decided = Decided {
        log,
        ..Decided::default()
    };
    finished(receiver, asked, serving.as_deref(), peer, response, decided)
}
