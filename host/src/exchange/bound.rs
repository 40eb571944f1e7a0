//! Requests whose session keeps an instance: they run on that one, each in its turn.

use std::sync::Arc;

use tessera_engine::ProcessError;

use super::admit::Visit;
use super::calls::call;
use super::dynamic::{self, Job};
use super::semi_dynamic;
use crate::http::{Peer, Reject, Request, Response};
use crate::response;
use crate::server::Receiver;
use crate::sessions::{LegacySessions, NoSeat};

const OTHER_ADDRESS: Reject = Reject::Malformed("the session belongs to another address");

/// Runs the component in the session of the request.
pub(super) async fn run(
    receiver: &Receiver,
    visit: &Visit,
    request: Request,
    peer: Peer,
    job: Job,
    sessions: &Arc<LegacySessions>,
) -> Response {
    let Job {
        server,
        generation,
        target,
    } = job;
    let refused = |reject| response::from_reject(reject, None);
    let Some(places) = dynamic::places(receiver, &server) else {
        return refused(Reject::Unavailable);
    };
    let client = peer.client.ip();
    let seat = match sessions.enter(request.headers(), client, &generation).await {
        Ok(seat) => seat,
        Err(NoSeat::OtherAddress) => return refused(OTHER_ADDRESS),
        Err(NoSeat::Full) => {
            tracing::warn!(
                server = server.name(),
                "no session can begin: as many as may keep an instance (maxSessions, and a quarter of [engine] \
                 max_instances), and all are at work"
            );
            return refused(Reject::Unavailable);
        }
    };
    let stay = seat.stay();
    let Ok((mut call, uri)) = call(receiver, visit, request, peer) else {
        seat.discard();
        return refused(Reject::UnknownCoding);
    };
    call.folder = semi_dynamic::folder(visit, &server);
    call.sessions = Some(seat.sessions());
    call.context = Some(seat.context().clone());
    // What its session keeps is perhaps of another version than the one that serves by now.
    let generation = seat.context().generation().clone();
    let (work, process) = dynamic::start(call, uri, Box::new((stay, places)), generation, target);
    // A client that goes away does not end the work: the instance would go with it, and all that the session holds.
    let outcome = tokio::spawn(process).await.unwrap_or_else(|error| {
        Err(ProcessError::Trap {
            hook: "the host",
            message: format!("the web process ended unexpectedly: {error}"),
        })
    });
    let has_begun = matches!(outcome, Ok(_) | Err(ProcessError::Failed { .. }));
    let is_discarded = !has_begun && seat.discard();
    let mut response = dynamic::answered(receiver, visit, &server, work, outcome);
    if !is_discarded && let Some(cookie) = seat.cookie(peer.secured) {
        response::add_session_cookie(response.headers_mut(), cookie);
    }
    response
}
