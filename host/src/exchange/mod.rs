//! The life of one request; the only module that knows all stages. Read [`handle`] first.

mod admit;
mod dynamic;
mod trace;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ::http::Method;
use ::http::uri::Authority;
use arc_swap::ArcSwap;

use crate::cors::{self, Grant, Here, Verdict};
use crate::files;
use crate::http::{Encoders, Peer, Reject, Request, Response};
use crate::response::{self, Asked, Finish};
use crate::route::{Mounts, Special, special};
use crate::server::Receiver;
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

/// Carries one request from its head to its response. Whatever happens in between, there is one.
pub async fn handle(receiver: &Receiver, request: Request, peer: Peer) -> Response {
    let asked = Asked::of(&request);
    let (serving, (response, grant)) = match admit(receiver, &request) {
        Ok(visit) => {
            let serving = visit.serving.clone();
            (Some(serving), guard(receiver, visit, request, peer).await)
        }
        // No server was found to answer; what the receiving one says of all responses holds.
        Err(reject) => (receiver.server.serving(), refused(reject)),
    };
    let settings = serving.as_ref().map(|serving| &serving.web.responses);
    let hsts = match peer.secured {
        true => receiver.server.serving(),
        // Browsers must not believe it: RFC 6797, section 7.2.
        false => None,
    };
    let finish = Finish {
        asked,
        settings,
        grant,
        hsts: hsts.and_then(|serving| serving.web.responses.hsts),
        encoders: &receiver.exchange.encoders,
    };
    response::finish(response, finish)
}

/// Holds the request to its server's limits: what is too large, TRACE, and the requests of other hosts' pages may go no
/// further.
async fn guard(
    receiver: &Receiver,
    visit: Visit,
    request: Request,
    peer: Peer,
) -> (Response, Option<Grant>) {
    if let Err(reject) = check_length(&visit, &request) {
        return refused(reject);
    }
    let web = &visit.serving.web;
    let is_trace = *request.method() == Method::TRACE;
    if is_trace && !web.requests.trace {
        return refused(Reject::TraceDisabled);
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
        Verdict::Preflight(grant, response) => return (response, Some(grant)),
        Verdict::Refused => return refused(Reject::CrossSite),
    };
    let response = match is_trace {
        true => trace::echo(request)
            .await
            .unwrap_or_else(|reject| response::from_reject(reject, None)),
        false => answer(receiver, visit, request, peer).await,
    };
    (response, grant)
}

fn refused(reject: Reject) -> (Response, Option<Grant>) {
    (response::from_reject(reject, None), None)
}

/// Special URL, file, component: in the order of the documents.
async fn answer(receiver: &Receiver, visit: Visit, request: Request, peer: Peer) -> Response {
    match special(visit.path()) {
        Some(Special::Action { method, parameter }) => {
            return dynamic::method(receiver, visit, request, peer, &method, parameter).await;
        }
        Some(Special::Sync) if !visit.serving.web.requests.sync_urls => {
            return response::from_reject(Reject::SyncDisabled, None);
        }
        Some(Special::Cgi | Special::Sync) => {
            return dynamic::connection(receiver, visit, request, peer).await;
        }
        None => {}
    }
    match file(&visit, &request) {
        Ok(Some(response)) => response,
        Ok(None) if visit.serving.generation.is_some() => {
            dynamic::connection(receiver, visit, request, peer).await
        }
        Ok(None) if request.method() == Method::OPTIONS => response::options(),
        Ok(None) => response::from_reject(nothing_there(request.method()), None),
        Err(reject) => response::from_reject(reject, None),
    }
}

/// The file of the URL, if there is one.
fn file(visit: &Visit, request: &Request) -> Result<Option<Response>, Reject> {
    let Some(files) = &visit.serving.web.files else {
        return Ok(None);
    };
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if !reads && visit.serving.generation.is_some() && visit.path() == "/" {
        // A form posted to the root is the component's, whether or not there is a home page.
        return Ok(None);
    }
    let response = files::answer(
        files,
        visit.path(),
        request.uri().query(),
        request.headers(),
    )
    .map_err(|_| Reject::Malformed("the path is not percent-encoded as it should be"))?;
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
