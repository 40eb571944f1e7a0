//! The life of one request; the only module that knows all stages. Read [`handle`] first.

mod admit;
mod dynamic;
mod trace;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ::http::Method;
use ::http::uri::Authority;
use arc_swap::ArcSwap;
use tessera_engine::Target;

use crate::cors::{self, Grant, Here, Verdict};
use crate::files::{self, FileError};
use crate::http::{Encoders, Peer, Reject, Request, Response};
use crate::response::{self, Asked, Finish};
use crate::route::{Mounts, Special, special};
use crate::server::{Receiver, Serving};
use admit::{Visit, admit, check_length};

/// What requests share beside the server that answers them.
pub struct Exchange {
    mounts: ArcSwap<Mounts>,
    requests: AtomicU64,
    /// Development mode: error pages show why.
    shows_details: bool,
    encoders: Encoders,
}

impl Exchange {
    /// Without mounts yet.
    pub fn new(shows_details: bool) -> Self {
        // Numbers of requests differ from one start of the process to the next, so that logs can be searched.
        let started = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
        let first =
            u64::try_from(started.as_micros() << 12 & u128::from(u64::MAX)).unwrap_or_default();
        Self {
            mounts: ArcSwap::default(),
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
    /// Have the component answer it.
    Run(Target),
}

/// Carries one request from its head to its response. Whatever happens in between, there is one.
pub async fn handle(receiver: &Receiver, request: Request, peer: Peer) -> Response {
    let asked = Asked::of(&request);
    let visit = match admit(receiver, &request) {
        Ok(visit) => visit,
        // No server was found to answer; what the receiving one says of all responses holds.
        Err(reject) => {
            let response = response::from_reject(reject, None);
            let serving = receiver.server.serving();
            return finished(receiver, asked, serving.as_deref(), peer, response, None);
        }
    };
    let (next, grant) = guard(&visit, &request, peer);
    let response = match next {
        Next::Respond(response) => response,
        Next::Refuse(reject) => response::from_reject(reject, None),
        // Boxed: a future is as large as all that it may become, and is moved before it begins. Hardly a request is this
        // one, and no other should pay for it.
        Next::Echo => Box::pin(trace::echo(request))
            .await
            .unwrap_or_else(|reject| response::from_reject(reject, None)),
        Next::Run(target) => dynamic::run(receiver, &visit, request, peer, target).await,
    };
    finished(receiver, asked, Some(&visit.serving), peer, response, grant)
}

/// The response to a request that is refused for what the connection knows of it.
pub fn refused(receiver: &Receiver, asked: Asked, peer: Peer, reject: Reject) -> Response {
    let response = response::from_reject(reject, None);
    let serving = receiver.server.serving();
    finished(receiver, asked, serving.as_deref(), peer, response, None)
}

/// Takes the last steps, as the server that answered has them.
fn finished(
    receiver: &Receiver,
    asked: Asked,
    serving: Option<&Serving>,
    peer: Peer,
    mut response: Response,
    grant: Option<Grant>,
) -> Response {
    let hsts = match peer.secured {
        true => receiver.server.serving(),
        // Browsers must not believe it: RFC 6797, section 7.2.
        false => None,
    };
    let finish = Finish {
        asked,
        settings: serving.map(|serving| &serving.web.responses),
        grant,
        hsts: hsts.and_then(|serving| serving.web.responses.hsts),
        encoders: &receiver.exchange.encoders,
    };
    response::finish(&mut response, finish);
    response
}

/// Holds the request to its server's limits: what is too large, TRACE, and the requests of other hosts' pages may go no
/// further.
fn guard(visit: &Visit, request: &Request, peer: Peer) -> (Next, Option<Grant>) {
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
    let next = match is_trace {
        true => Next::Echo,
        false => answer(visit, request).unwrap_or_else(Next::Refuse),
    };
    (next, grant)
}

/// Special URL, file, component: in the order of the documents.
fn answer(visit: &Visit, request: &Request) -> Result<Next, Reject> {
    match special(visit.path(request.uri())) {
        Some(Special::Action { method, parameter }) => {
            return dynamic::method(visit, &method, parameter).map(Next::Run);
        }
        Some(Special::Sync) if !visit.serving.web.requests.sync_urls => {
            return Err(Reject::SyncDisabled);
        }
        Some(Special::Cgi | Special::Sync) => return dynamic::connection(visit).map(Next::Run),
        None => {}
    }
    match file(visit, request)? {
        Some(response) => Ok(Next::Respond(response)),
        None if visit.serving.generation.is_some() => dynamic::connection(visit).map(Next::Run),
        None if request.method() == Method::OPTIONS => Ok(Next::Respond(response::options())),
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
        Some(_) if request.method() == Method::OPTIONS => Ok(Some(response::options())),
        Some(_) => Err(Reject::MethodNotAllowed),
        None => Ok(None),
    }
}

/// What a server without a component says of a URL it has no file for.
fn nothing_there(method: &Method) -> Reject {
    match *method {
        Method::GET
        | Method::HEAD
        | Method::POST
        | Method::PUT
        | Method::DELETE
        | Method::PATCH => Reject::NotFound,
        _ => Reject::NotImplemented,
    }
}
