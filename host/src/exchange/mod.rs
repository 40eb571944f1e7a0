//! The life of one request; the only module that knows all stages. Read [`handle`] first.

mod admit;
mod dynamic;
mod trace;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ::http::header::VARY;
use ::http::uri::Authority;
use ::http::{HeaderValue, Method};
use arc_swap::ArcSwap;
use tessera_engine::Target;

use crate::cors::{self, Grant, Here, Verdict};
use crate::files::{Caches, FileError, Folder, Found, Listings, Reply, Sought, Wish};
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
    caches: Caches,
    listings: Listings,
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
            caches: Caches::default(),
            listings: Listings::default(),
        }
    }

    /// Hands requests over by these mounts from now on.
    pub fn set_mounts(&self, mounts: Mounts) {
        self.mounts.store(Arc::new(mounts));
    }

    /// What is kept of files in memory.
    pub(crate) fn caches(&self) -> &Caches {
        &self.caches
    }

    fn next_id(&self) -> u64 {
        self.requests.fetch_add(1, Ordering::Relaxed)
    }
}

/// What is to be done about a request.
enum Next {
    /// Nothing more: this is the response.
    Respond(Response),
    /// The same, from a file.
    Send(Reply),
    /// Say why not.
    Refuse(Reject),
    /// List this folder.
    List(Folder),
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
            let end = Ending::of(serving.as_deref(), None);
            return finished(receiver, asked, end, peer, response);
        }
    };
    let (next, grant) = guard(&visit, &request, &asked, peer).await;
    let mut end = Ending::of(Some(&visit.serving), grant);
    let response = match next {
        Next::Respond(response) => response,
        Next::Send(reply) => {
            end.is_final = reply.is_final;
            reply.response
        }
        Next::Refuse(reject) => response::from_reject(reject, None),
        // Boxed: a future is as large as all that it may become, and is moved before it begins. Hardly a request is this
        // one, and no other should pay for it.
        Next::Echo => Box::pin(trace::echo(request))
            .await
            .unwrap_or_else(|reject| response::from_reject(reject, None)),
        Next::List(folder) => Box::pin(folder.list(&receiver.exchange.listings))
            .await
            .unwrap_or_else(|| response::from_reject(Reject::NotFound, None)),
        Next::Run(target) => dynamic::run(receiver, &visit, request, peer, target).await,
    };
    finished(receiver, asked, end, peer, response)
}

/// The response to a request that belongs to another web server of the same port. Browsers that reuse a connection for
/// every name of its certificate then open one to that server: RFC 9113, section 9.1.2.
pub fn misdirected(receiver: &Receiver, request: &Request, peer: Peer) -> Response {
    let response = response::from_reject(Reject::Misdirected, None);
    let serving = receiver.server.serving();
    let asked = Asked::of(request);
    let end = Ending::of(serving.as_deref(), None);
    finished(receiver, asked, end, peer, response)
}

/// What decides about the last steps.
struct Ending<'a> {
    /// What the server serves with that answered; none if it has stopped.
    serving: Option<&'a Serving>,
    grant: Option<Grant>,
    /// Nothing is left to do about its coding.
    is_final: bool,
}

impl<'a> Ending<'a> {
    fn of(serving: Option<&'a Serving>, grant: Option<Grant>) -> Self {
        Self {
            serving,
            grant,
            is_final: false,
        }
    }
}

/// Takes the last steps, as the server that answered has them.
fn finished(
    receiver: &Receiver,
    asked: Asked,
    end: Ending<'_>,
    peer: Peer,
    mut response: Response,
) -> Response {
    let hsts = match peer.secured {
        true => receiver.server.serving(),
        // Browsers must not believe it: RFC 6797, section 7.2.
        false => None,
    };
    let finish = Finish {
        asked,
        settings: end.serving.map(|serving| &serving.web.responses),
        grant: end.grant,
        hsts: hsts.and_then(|serving| serving.web.responses.hsts),
        encoders: &receiver.exchange.encoders,
        is_final: end.is_final,
    };
    response::finish(&mut response, finish);
    response
}

/// Holds the request to its server's limits: what is too large, TRACE, and the requests of other hosts' pages may go no
/// further.
async fn guard(
    visit: &Visit,
    request: &Request,
    asked: &Asked,
    peer: Peer,
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
    let next = match is_trace {
        true => Next::Echo,
        false => answer(visit, request, asked)
            .await
            .unwrap_or_else(Next::Refuse),
    };
    (next, grant)
}

/// Special URL, file, component: in the order of the documents.
async fn answer(visit: &Visit, request: &Request, asked: &Asked) -> Result<Next, Reject> {
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
    match file(visit, request, asked).await? {
        Some(next) => Ok(next),
        None if visit.serving.generation.is_some() => dynamic::connection(visit).map(Next::Run),
        None if request.method() == Method::OPTIONS => Ok(Next::Respond(response::options())),
        None => Err(nothing_there(request.method())),
    }
}

/// The file of the URL, if there is one.
async fn file(visit: &Visit, request: &Request, asked: &Asked) -> Result<Option<Next>, Reject> {
    let Some(pages) = &visit.serving.pages else {
        return Ok(None);
    };
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let path = visit.path(request.uri());
    let has_component = visit.serving.generation.is_some();
    if !reads && has_component && path == "/" {
        // A form posted to the root is the component's, whether or not there is a home page.
        return Ok(None);
    }
    let sought = Sought {
        path,
        query: request.uri().query(),
        method: request.method(),
        headers: request.headers(),
    };
    let found = pages.find(sought).await.map_err(|error| match error {
        FileError::BadPath => Reject::Malformed("the path is not percent-encoded as it should be"),
        FileError::Exhausted => Reject::Unavailable,
    })?;
    let (page, is_instead) = match found {
        None => return Ok(None),
        // `/` without a home page is the component's, and so is what is sent to a folder.
        Some(Found::Folder(_)) if has_component && (!reads || path == "/") => return Ok(None),
        Some(_) if *request.method() == Method::OPTIONS => {
            return Ok(Some(Next::Respond(response::options())));
        }
        Some(_) if !reads => return Err(Reject::MethodNotAllowed),
        Some(Found::Redirect(redirect)) => return Ok(Some(Next::Respond(redirect))),
        Some(Found::Folder(folder)) => return Ok(Some(Next::List(folder))),
        Some(Found::Page(page)) => (page, false),
        Some(Found::Instead(page)) => (page, true),
    };
    let wish = Wish {
        method: request.method(),
        headers: request.headers(),
        accepting: asked.accepting(),
        compression: visit.serving.web.responses.compression,
    };
    let mut reply = pages.reply(&page, wish).await;
    if is_instead {
        let headers = reply.response.headers_mut();
        headers.append(VARY, HeaderValue::from_static("Accept"));
    }
    Ok(Some(Next::Send(reply)))
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
