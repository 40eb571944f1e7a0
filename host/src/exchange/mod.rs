//! The life of one request; the only module that knows all stages. Read [`handle`] first.

mod admit;
mod dynamic;
mod handlers;
mod rules;
mod special;
mod trace;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ::http::Method;
use ::http::uri::Authority;
use arc_swap::ArcSwap;

use crate::cors::{self, Grant, Here, Verdict};
use crate::files::{self, FileError};
use crate::http::{Encoders, Peer, Reject, Request, Response};
use crate::response::{self, Asked, Finish, OwnPages};
use crate::route::{Mounts, Special};
use crate::rules::{Access, Plan, redirect};
use crate::server::{Receiver, Registry, Serving};
use admit::{Visit, admit, check_length};
use dynamic::Job;

/// What requests share beside the server that answers them.
pub struct Exchange {
    mounts: ArcSwap<Mounts>,
    /// Where handlers find the components whose methods they are.
    registry: Arc<Registry>,
    requests: AtomicU64,
    /// Development mode: error pages show why.
    shows_details: bool,
    encoders: Encoders,
}

impl Exchange {
    /// Without mounts yet.
    pub fn new(shows_details: bool, registry: Arc<Registry>) -> Self {
        // Numbers of requests differ from one start of the process to the next, so that logs can be searched.
        let started = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
        let first =
            u64::try_from(started.as_micros() << 12 & u128::from(u64::MAX)).unwrap_or_default();
        Self {
            mounts: ArcSwap::default(),
            registry,
            requests: AtomicU64::new(first),
            shows_details,
            encoders: Encoders::default(),
        }
    }

    /// Hands requests over by these mounts from now on.
    pub fn set_mounts(&self, mounts: Mounts) {
        self.mounts.store(Arc::new(mounts));
    }

    fn next_id(&self) -> u64 {
        self.requests.fetch_add(1, Ordering::Relaxed)
    }
}

/// What is to be done about a request.
enum Next {
    /// Nothing more: this is the response.
    Respond(Response),
    /// Say why not.
    Refuse(Reject),
    /// Send it back as it came.
    Echo,
    /// Have a component answer it.
    Run(Job),
}

/// What was decided about the response before there is one.
#[derive(Default)]
struct Decided {
    /// What pages of another host may do with it.
    grant: Option<Grant>,
    /// What rules say.
    plan: Plan,
}

/// Carries one request from its head to its response. Whatever happens in between, there is one.
pub async fn handle(receiver: &Receiver, mut request: Request, peer: Peer) -> Response {
    let mut asked = Asked::of(&request);
    let visit = match admit(receiver, &request) {
        Ok(visit) => visit,
        // No server was found to answer; what the receiving one says of all responses holds.
        Err(reject) => {
            asked.note_form(request.headers());
            let serving = receiver.server.serving();
            let plan = rules::plan_of_refused(serving.as_deref(), &request);
            let decided = Decided { grant: None, plan };
            let response = response::from_reject(reject, None);
            return finished(receiver, asked, serving.as_deref(), peer, response, decided);
        }
    };
    let plan = rules::plan(receiver, &visit, &mut request);
    let (next, grant) = guard(receiver, &visit, &request, peer, plan.access());
    let is_no_error = |response: &Response| response.status().as_u16() < 400;
    if plan.has_status() || !matches!(&next, Next::Respond(response) if is_no_error(response)) {
        asked.note_form(request.headers());
    }
    let response = match next {
        Next::Respond(response) => response,
        Next::Refuse(reject) => refused(&visit, reject),
        // Boxed: a future is as large as all that it may become, and is moved before it begins. Hardly a request is this
        // one, and no other should pay for it.
        Next::Echo => Box::pin(trace::echo(request))
            .await
            .unwrap_or_else(|reject| response::from_reject(reject, None)),
        Next::Run(job) => dynamic::run(receiver, &visit, request, peer, job).await,
    };
    let decided = Decided { grant, plan };
    finished(
        receiver,
        asked,
        Some(&visit.serving),
        peer,
        response,
        decided,
    )
}

/// The response to a request that belongs to another web server of the same port. Browsers that reuse a connection for
/// every name of its certificate then open one to that server: RFC 9113, section 9.1.2.
pub fn misdirected(receiver: &Receiver, request: &Request, peer: Peer) -> Response {
    let response = response::from_reject(Reject::Misdirected, None);
    let serving = receiver.server.serving();
    let asked = Asked::of(request);
    let decided = Decided::default();
    finished(receiver, asked, serving.as_deref(), peer, response, decided)
}

/// Takes the last steps, as the server that answered has them.
fn finished(
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
    };
    response::finish(&mut response, finish);
    response
}

/// The response to a request that is refused; of methods that are not for its URL it says which are.
fn refused(visit: &Visit, reject: Reject) -> Response {
    let is_component = visit.serving.generation.is_some();
    match reject {
        Reject::MethodNotAllowed => {
            response::not_allowed(reject, visit.serving.web.requests.trace, false)
        }
        Reject::TraceDisabled => response::not_allowed(reject, false, is_component),
        _ => response::from_reject(reject, None),
    }
}

/// Holds the request to its server's limits: what is too large, TRACE, the requests of other hosts' pages, and what rules
/// deny may go no further.
fn guard(
    receiver: &Receiver,
    visit: &Visit,
    request: &Request,
    peer: Peer,
    access: &Access,
) -> (Next, Option<Grant>) {
    if let Err(reject) = check_length(visit, request) {
        return (Next::Refuse(reject), None);
    }
    let web = &visit.serving.web;
    let is_trace = *request.method() == Method::TRACE;
    if is_trace && !web.requests.trace {
        return (Next::Refuse(Reject::TraceDisabled), None);
    }
    let verdict = match &web.responses.cors {
        None => Verdict::Own,
        Some(cors) => {
            let here = Here {
                secured: peer.secured,
                host: visit.host.as_ref().map(Authority::as_str),
            };
            cors::judge(cors, request.method(), request.headers(), here)
        }
    };
    let grant = match verdict {
        Verdict::Own => None,
        Verdict::Allowed(grant) => Some(grant),
        Verdict::Preflight(grant, response) => return (Next::Respond(response), Some(grant)),
        Verdict::Refused => return (Next::Refuse(Reject::CrossSite), None),
    };
    let next = match access {
        Access::Denied => Next::Refuse(Reject::Denied),
        Access::Redirected(location) => Next::Respond(redirect(location.clone())),
        Access::Free if is_trace => Next::Echo,
        Access::Free => answer(receiver, visit, request, peer).unwrap_or_else(Next::Refuse),
    };
    (next, grant)
}

/// Handler, special URL, file, component: in the order of the documents.
fn answer(
    receiver: &Receiver,
    visit: &Visit,
    request: &Request,
    peer: Peer,
) -> Result<Next, Reject> {
    if let Some(next) = receiver.exchange.handled(visit, request)? {
        return Ok(next);
    }
    match crate::route::special(visit.path(request.uri())) {
        None => {}
        Some(Special::Action { method, parameter }) => {
            return dynamic::method(visit, &method, parameter).map(Next::Run);
        }
        Some(Special::Sync) if !visit.serving.web.requests.sync_urls => {
            return Err(Reject::SyncDisabled);
        }
        Some(Special::Cgi | Special::Sync) => return dynamic::connection(visit).map(Next::Run),
        Some(other) => return special::built_in(visit, &other, request, peer),
    }
    let trace = visit.serving.web.requests.trace;
    match file(visit, request)? {
        Some(response) => Ok(Next::Respond(response)),
        None if visit.serving.generation.is_some() => dynamic::connection(visit).map(Next::Run),
        None if request.method() == Method::OPTIONS => Ok(Next::Respond(response::options(trace))),
        None => Err(nothing_there(request.method())),
    }
}

/// The file of the URL, if there is one.
fn file(visit: &Visit, request: &Request) -> Result<Option<Response>, Reject> {
    let Some(files) = &visit.serving.web.files else {
        return Ok(None);
    };
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if !reads && visit.serving.generation.is_some() && visit.path(request.uri()) == "/" {
        // A form posted to the root is the component's, whether or not there is a home page.
        return Ok(None);
    }
    let response = files::answer(
        files,
        visit.path(request.uri()),
        request.uri().query(),
        request.headers(),
    )
    .map_err(|error| match error {
        FileError::BadPath => Reject::Malformed("the path is not percent-encoded as it should be"),
        FileError::Exhausted => Reject::Unavailable,
    })?;
    match response {
        Some(response) if reads => Ok(Some(response)),
        Some(_) if request.method() == Method::OPTIONS => {
            let trace = visit.serving.web.requests.trace;
            Ok(Some(response::options(trace)))
        }
        Some(_) if is_known(request.method()) => Err(Reject::MethodNotAllowed),
        Some(_) => Err(Reject::NotImplemented),
        None => Ok(None),
    }
}

/// What a server without a component says of a URL it has no file for.
fn nothing_there(method: &Method) -> Reject {
    match is_known(method) {
        true => Reject::NotFound,
        false => Reject::NotImplemented,
    }
}

/// Whether it is a method that this server knows, wherever it takes it.
fn is_known(method: &Method) -> bool {
    matches!(
        *method,
        Method::GET | Method::HEAD | Method::POST | Method::PUT | Method::DELETE | Method::PATCH
    )
}
