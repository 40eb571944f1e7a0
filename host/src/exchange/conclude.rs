//! The last steps of every response, after which it is counted.

use std::time::Instant;

use super::admit::Visit;
use super::logged;
use crate::cors::Grant;
use crate::http::{Peer, Reject, Response};
use crate::metrics::Answered;
use crate::response::{self, Asked, Finish, OwnPages};
use crate::rules::Plan;
use crate::server::{Receiver, Serving};
use crate::traces::{Answering, Told};
use crate::weblog::Pending;

/// What was decided about the response before there is one.
pub(super) struct Decided {
    /// When its request was there.
    pub(super) began: Instant,
    /// Where it comes from.
    pub(super) answered: Answered,
    /// What pages of another host may do with it.
    pub(super) grant: Option<Grant>,
    /// What rules say.
    pub(super) plan: Plan,
    /// It is a page whose head says all that follows from its content.
    pub(super) is_final: bool,
    /// Its line in the access log.
    pub(super) log: Option<Box<Pending>>,
    /// Its span, if it has one.
    pub(super) trace: Option<Box<Answering>>,
}

impl Decided {
    /// Nothing yet.
    pub(super) fn nothing(began: Instant, answered: Answered) -> Self {
        Self {
            began,
            answered,
            grant: None,
            plan: Plan::default(),
            is_final: false,
            log: None,
            trace: None,
        }
    }
}

/// Takes the last steps, and counts the response.
pub(super) fn concluded(
    receiver: &Receiver,
    asked: Asked,
    visit: &Visit,
    peer: Peer,
    response: Response,
    mut decided: Decided,
) -> Response {
    let (began, answered, has_body) = (decided.began, decided.answered, !asked.is_head());
    let trace = decided.trace.take();
    let serving = Some(&*visit.serving);
    let mut response = finished(receiver, asked, serving, peer, response, decided);
    let traffic = visit.server.traffic();
    traffic.note(&mut response, answered, began, has_body);
    if let Some(trace) = trace {
        trace.end(Told {
            server: visit.server.name(),
            mount: match answered {
                Answered::Component => visit.prefix_length(),
                _ => 0,
            },
            kind: answered.name(),
            status: response.status().as_u16(),
        });
    }
    response
}

/// The response to a request that is refused for what the connection knows of it.
pub fn refused(receiver: &Receiver, asked: Asked, peer: Peer, reject: Reject) -> Response {
    refused_with(receiver, asked, peer, reject, None)
}

/// The same, with its line in the access log.
pub(super) fn refused_with(
    receiver: &Receiver,
    asked: Asked,
    peer: Peer,
    reject: Reject,
    log: Option<Box<Pending>>,
) -> Response {
    let (began, has_body) = (Instant::now(), !asked.is_head());
    let mut response = refusal(receiver, asked, peer, reject, log);
    let traffic = receiver.server.traffic();
    traffic.note(&mut response, Answered::Host, began, has_body);
    response
}

/// The same in place of a response that was made, and counted, before.
pub fn refused_after_all(
    receiver: &Receiver,
    asked: Asked,
    peer: Peer,
    reject: Reject,
) -> Response {
    refusal(receiver, asked, peer, reject, None)
}

fn refusal(
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
        ..Decided::nothing(Instant::now(), Answered::Host)
    };
    finished(receiver, asked, serving.as_deref(), peer, response, decided)
}

/// Takes the last steps, as the server that answered has them.
pub(super) fn finished(
    receiver: &Receiver,
    asked: Asked,
    serving: Option<&Serving>,
    peer: Peer,
    mut response: Response,
    decided: Decided,
) -> Response {
    let hsts = match peer.secured {
        true => receiver.server.serving(),
        // Browsers must not believe it: RFC 6797, section 7.2.
        false => None,
    };
    let own_pages = serving.and_then(|serving| {
        Some(OwnPages {
            pages: &serving.error_pages,
            root: &serving.web.files.as_ref()?.root,
        })
    });
    let finish = Finish {
        asked,
        settings: serving.map(|serving| &serving.web.responses),
        grant: decided.grant,
        hsts: hsts.and_then(|serving| serving.web.responses.hsts),
        encoders: &receiver.exchange.encoders,
        plan: &decided.plan,
        own_pages,
        is_final: decided.is_final,
    };
    response::finish(&mut response, finish);
    logged::attach(decided.log, &mut response);
    response
}
