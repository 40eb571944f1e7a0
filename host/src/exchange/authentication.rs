//! Requests for a component whose web server asks for BASIC or DIGEST credentials: what stands before the web process, and
//! what follows when it has refused.

use std::pin::Pin;

use ::http::StatusCode;
use tessera_engine::Target;

use super::admit::Visit;
use super::dynamic::{self, Job};
use crate::auth::{Asked, Refused};
use crate::http::{Peer, Reject, Request, Response};
use crate::response;
use crate::server::Receiver;
use crate::settings::Mode;

/// Marks the response to a request that On Web Authentication refused.
#[derive(Clone, Copy, Debug)]
pub(super) struct WasRefused;

/// Runs the component, if the client may.
pub(super) fn run<'a>(
    receiver: &'a Receiver,
    visit: &'a Visit,
    request: Request,
    peer: Peer,
    job: Job,
) -> Pin<Box<dyn Future<Output = Response> + Send + 'a>> {
    match asks(visit) && !is_handler(&job) {
        true => Box::pin(guarded(receiver, visit, request, peer, job)),
        false => Box::pin(dynamic::run(receiver, visit, request, peer, job)),
    }
}

/// Whether the server asks for credentials.
pub(super) fn asks(visit: &Visit) -> bool {
    visit.serving.web.authentication.mode != Mode::Custom
}

/// The documents: for a request with a handler "no other processing features are called".
fn is_handler(job: &Job) -> bool {
    let Target::Method { is_handler, .. } = &job.target else {
        return false;
    };
    *is_handler
}

async fn guarded(
    receiver: &Receiver,
    visit: &Visit,
    mut request: Request,
    peer: Peer,
    job: Job,
) -> Response {
    let guard = &receiver.exchange.guard;
    let settings = &visit.serving.web.authentication;
    let asked = Asked {
        server: visit.server.name(),
        client: peer.client.ip(),
        method: request.method(),
        uri: request.uri(),
        headers: request.headers(),
        has_hook: job.generation.info().hooks.authentication,
    };
    let admission = match guard.admit(settings, asked).await {
        Ok(admission) => admission,
        Err(refused) => {
            let (server, client) = (visit.server.name(), peer.client.ip());
            tracing::debug!(server, %client, "{refused}");
            let mut response = response::from_reject(reject(refused), None);
            if refused == Refused::Challenged {
                guard.challenge(settings, None, response.headers_mut());
            }
            return response;
        }
    };
    request.extensions_mut().insert(admission.clone());
    let mut response = dynamic::run(receiver, visit, request, peer, job).await;
    let is_refused = response.extensions_mut().remove::<WasRefused>().is_some();
    guard.settle(settings, &admission, is_refused);
    if is_refused && response.status() == StatusCode::UNAUTHORIZED {
        guard.challenge(settings, Some(&admission), response.headers_mut());
    }
    response
}

fn reject(refused: Refused) -> Reject {
    match refused {
        Refused::Challenged => Reject::Unauthorized,
        Refused::Unavailable => Reject::Unavailable,
        Refused::Later(wait) => {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            Reject::TooMany(u32::try_from(seconds).unwrap_or(u32::MAX))
        }
    }
}
