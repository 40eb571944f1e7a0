//! Requests that a component answers: limits first, then the web process, then its answer or its failure.

use std::fmt;
use std::sync::Arc;

use ::http::Uri;
use tessera_engine::{Answer, Call, Cost, Document, Generation, Limit, ProcessError, Target};

use super::admit::Visit;
use super::authentication::{self, WasRefused};
use super::calls::{call, plain_call};
use super::{bound, semi_dynamic};
use crate::http::{Peer, PlainGet, Reject, Request, Response, Teller, UnknownCoding};
use crate::response;
use crate::server::{FailedRequest, Kind, ProcessPermit, Receiver, SharedPermit, WebServer};
use crate::traces::Answering;

/// What is to be run.
pub(super) struct Job {
    /// Whose component: the server that answers, or another whose method handles the URL.
    pub(super) server: Arc<WebServer>,
    pub(super) generation: Arc<Generation>,
    pub(super) target: Target,
}

impl Job {
    /// A page of the server that answers, whose tags call methods.
    pub(super) fn page(visit: &Visit, generation: &Arc<Generation>, document: Document) -> Self {
        Self::own(visit, generation, Target::Page(document))
    }

    /// A hook or method of the server that answers.
    fn own(visit: &Visit, generation: &Arc<Generation>, target: Target) -> Self {
        Self {
            server: visit.server.clone(),
            generation: generation.clone(),
            target,
        }
    }
}

/// What came of a web process.
pub(super) type Outcome = Result<Answer, ProcessError>;

/// `/4DACTION/Method/Param`. What is not available is refused before anything runs.
pub(super) fn method(visit: &Visit, name: &str, parameter: Option<String>) -> Result<Job, Reject> {
    let generation = visit.serving.generation.as_ref().ok_or(Reject::NotFound)?;
    match generation.method(name) {
        None => Err(Reject::NotFound),
        Some(method) if !method.available => {
            tracing::debug!(
                server = visit.server.name(),
                method = name,
                "not available through tags and URLs"
            );
            Err(Reject::MethodNotAvailable)
        }
        Some(method) => {
            let target = Target::Method {
                name: method.name.clone(),
                parameter,
                is_handler: false,
            };
            Ok(Job::own(visit, generation, target))
        }
    }
}

/// On Web Connection.
pub(super) fn connection(visit: &Visit) -> Result<Job, Reject> {
    let generation = visit.serving.generation.as_ref().ok_or(Reject::NotFound)?;
    match generation.info().hooks.connection {
        true => Ok(Job::own(visit, generation, Target::Connection)),
        false => Err(Reject::NotFound),
    }
}

/// Runs the component.
///
/// Begins at once and not when it is first waited for: the future would else hold the request, and be moved with it.
pub(super) fn run<'a>(
    receiver: &'a Receiver,
    visit: &'a Visit,
    request: Request,
    peer: Peer,
    job: Job,
) -> impl Future<Output = Response> + Send + use<'a> {
    let server = job.server.clone();
    let sessions = visit.serving.sessions.as_ref();
    let renewal = sessions.and_then(|it| it.renewal(request.headers(), peer.secured));
    let is_own = Arc::ptr_eq(&job.server, &visit.server);
    let begun = match visit.serving.legacy.as_ref().filter(|_| is_own) {
        None => Ok(begin(receiver, visit, request, peer, job)),
        Some(sessions) => Err(Box::pin(bound::run(
            receiver, visit, request, peer, job, sessions,
        ))),
    };
    async move {
        let begun = match begun {
            Ok(begun) => begun,
            Err(in_session) => return in_session.await,
        };
        match begun {
            Ok((work, process)) => {
                let outcome = process.await;
                let mut response = answered(receiver, visit, &server, work, outcome);
                if let Some(renewal) = renewal
                    && let Some(cookie) = Box::pin(renewal.renew()).await
                {
                    response::add_session_cookie(response.headers_mut(), cookie);
                }
                response
            }
            Err(reject) => response::from_reject(reject, None),
        }
    }
}

/// What a web process was begun for.
pub(super) struct Work {
    pub(super) request: FailedRequest,
    generation: Arc<Generation>,
}

/// What the web process is for, and the process.
fn begin(
    receiver: &Receiver,
    visit: &Visit,
    request: Request,
    peer: Peer,
    job: Job,
) -> Result<(Work, impl Future<Output = Outcome> + Send + use<>), Reject> {
    let places = places(receiver, &job.server).ok_or(Reject::Unavailable)?;
    let (mut call, uri) =
        call(receiver, visit, request, peer).map_err(|UnknownCoding| Reject::UnknownCoding)?;
    call.folder = semi_dynamic::folder(visit, &job.server);
    Ok(start(
        call,
        uri,
        Box::new(places),
        job.generation,
        job.target,
    ))
}

/// The same for a request of which no more than its head is there, which is all of it.
pub(super) fn begin_plain(
    receiver: &Receiver,
    visit: &Visit,
    request: &PlainGet<'_>,
    peer: Peer,
    job: Job,
    trace: Option<&Answering>,
) -> Result<(Work, impl Future<Output = Outcome> + Send + use<>), Reject> {
    let places = places(receiver, &job.server).ok_or(Reject::Unavailable)?;
    let mut call = plain_call(receiver, visit, request, peer, trace);
    call.folder = semi_dynamic::folder(visit, &job.server);
    // Known when somebody needs it, which is when something fails.
    let uri = Uri::default();
    Ok(start(
        call,
        uri,
        Box::new(places),
        job.generation,
        job.target,
    ))
}

/// Places under the limits.
pub(super) type Places = (ProcessPermit, Option<SharedPermit>);

/// Begins a web process, which gives back its places when it has ended.
pub(super) fn start(
    mut call: Call,
    uri: Uri,
    permit: Box<dyn Send + Sync>,
    generation: Arc<Generation>,
    target: Target,
) -> (Work, impl Future<Output = Outcome> + Send + use<>) {
    call.permit = Some(permit);
    let request = FailedRequest {
        id: call.id,
        method: call.method.clone(),
        uri,
    };
    generation.tally().begin();
    let process = generation.run(call, target);
    let work = Work {
        request,
        generation,
    };
    (work, process)
}

/// The response that came of it.
pub(super) fn answered(
    receiver: &Receiver,
    visit: &Visit,
    server: &Arc<WebServer>,
    work: Work,
    outcome: Outcome,
) -> Response {
    let (name, settings) = (server.name(), &visit.serving.web.responses);
    let id = work.request.id;
    work.generation
        .tally()
        .end(outcome.as_ref().is_err_and(is_trap));
    match outcome {
        Ok(answer) => {
            let mut response = semi_dynamic::from_answer(answer, settings);
            response.body_mut().tell(|| cut(server.clone(), work));
            response
        }
        Err(ProcessError::Unauthorized { reason, answer }) => {
            if let Some(reason) = reason {
                tracing::warn!(server = name, request = %format_args!("{id:016x}"), "On Web Authentication failed: {reason}");
            }
            let mut response = semi_dynamic::from_refusal(*answer, settings);
            if authentication::asks(visit) {
                response.extensions_mut().insert(WasRefused);
            }
            response
        }
        Err(error) => failed(receiver, server, &work, &error),
    }
}

/// Whether the component broke, rather than answer or refuse.
fn is_trap(error: &ProcessError) -> bool {
    match error {
        ProcessError::Limit { limit, .. } => *limit != Limit::AllMemory,
        ProcessError::Trap { .. }
        | ProcessError::OutOfMemory { .. }
        | ProcessError::Instantiate(_) => true,
        _ => false,
    }
}

/// Takes a place under `maxConcurrentProcesses`: of the component, and of the host where its server handed the request
/// over.
pub(super) fn places(receiver: &Receiver, server: &WebServer) -> Option<Places> {
    let reached = |server: &WebServer| {
        tracing::debug!(server = server.name(), "maxConcurrentProcesses reached");
    };
    let Some(own) = server.processes().begin() else {
        reached(server);
        return None;
    };
    if receiver.server.kind() == Kind::Component {
        return Some((own, None));
    }
    let hosts = receiver.server.processes().begin_for(server.processes());
    if hosts.is_none() {
        reached(&receiver.server);
    }
    Some((own, Some(hosts?)))
}

/// The one place where a guest's failure becomes a status, a line in the log and one of the server's recent errors. The
/// line begins with server and request: a backtrace is long, and the fields come after it.
fn failed(receiver: &Receiver, server: &WebServer, work: &Work, error: &ProcessError) -> Response {
    let name = server.name();
    let request = format_args!("{:016x}", work.request.id);
    let method = work.request.method.as_str();
    let cost = work.generation.cost_of(work.request.id);
    let taken = Taken(cost);
    let reject = match error {
        ProcessError::Unauthorized { .. } => Reject::Unauthorized,
        ProcessError::NoHook(_) => Reject::NotFound,
        ProcessError::BodyTooLarge => Reject::BodyTooLarge,
        ProcessError::Busy(_) | ProcessError::QueueFull(_) | ProcessError::SessionBusy(_) => {
            tracing::warn!(server = name, %request, method, "{name}, request {request}: {error}");
            Reject::Unavailable
        }
        // Not the guest's own fault, and over when others have ended.
        ProcessError::Limit {
            limit: Limit::AllMemory,
            ..
        } => {
            tracing::warn!(server = name, %request, method, "{name}, request {request}: {error}");
            Reject::Unavailable
        }
        // The store has told what it suffers from.
        ProcessError::NoSessions => {
            tracing::debug!(server = name, %request, method, "{name}, request {request}: {error}");
            Reject::Unavailable
        }
        ProcessError::Deadline(_)
        | ProcessError::Limit {
            limit: Limit::CpuTime,
            ..
        } => {
            tracing::warn!(server = name, %request, method, "{name}, request {request}: {error}");
            Reject::Deadline
        }
        ProcessError::Failed { .. }
        | ProcessError::Trap { .. }
        | ProcessError::OutOfMemory { .. }
        | ProcessError::Limit { .. }
        | ProcessError::Instantiate(_) => {
            let memory = cost.map(|cost| cost.memory_bytes);
            let milliseconds = cost.map(|cost| cost.time.as_secs_f64() * 1e3);
            tracing::error!(
                server = name, %request, method, memory, milliseconds,
                "{name}, request {request}, {method}: {error}{taken}"
            );
            Reject::Failed
        }
    };
    if !matches!(
        reject,
        Reject::Unauthorized | Reject::NotFound | Reject::BodyTooLarge
    ) {
        let status = Some(reject.status().as_u16());
        server.note_failure(&work.request, error, status, &work.generation, cost);
    }
    let details = receiver
        .exchange
        .shows_details
        .then(|| format!("request {request}, {method}\n{error}{taken}"));
    response::from_reject(reject, details.as_deref())
}

/// Tells that an answer was cut off after its head was sent. The client sees that it was, but not why.
fn cut(server: Arc<WebServer>, work: Work) -> Teller {
    Box::new(move |error| {
        let request = format_args!("{:016x}", work.request.id);
        let name = server.name();
        tracing::error!(server = name, %request, "{name}, request {request}: the answer was cut off: {error}");
        if is_trap(error) {
            work.generation.tally().break_off();
        }
        let cost = work.generation.cost_of(work.request.id);
        server.note_failure(&work.request, error, None, &work.generation, cost);
    })
}

/// What a web process that trapped had taken, in words.
struct Taken(Option<Cost>);

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(cost) = &self.0 else {
            return Ok(());
        };
        let kibibytes = cost.memory_bytes.div_ceil(1024);
        write!(
            f,
            "\nafter {:.1?}, with {kibibytes} KiB of memory at most",
            cost.time
        )
    }
}
