//! The life of one request; the only module that knows all stages. Read [`handle`] first.

mod admit;
mod at_once;
mod authentication;
mod begun;
mod bound;
mod cache;
mod calls;
mod conclude;
mod dynamic;
pub(crate) mod explain;
mod handlers;
mod inside;
mod logged;
mod rules;
mod semi_dynamic;
mod special;
mod trace;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use ::http::header::VARY;
use ::http::uri::Authority;
use ::http::{HeaderValue, Method};
use arc_swap::ArcSwap;

use crate::admin::Keeper;
use crate::auth::Guard;
use crate::cors::{self, Grant, Here, Verdict};
use crate::files::{Caches, FileError, Folder, Found, Listings, Page, Reply, Sought, Wish};
use crate::http::{Encoders, Peer, Reject, Request, Response, asked_host};
use crate::metrics::Answered;
use crate::response::{self, Asked};
use crate::route::{Mounts, Special};
use crate::rules::{Access, redirect};
use crate::server::{Receiver, Registry};
use crate::traces::Traces;
use admit::{Visit, admit, check_length};
pub use at_once::at_once;
pub use begun::{AtOnce, Begun, go_on};
use conclude::{Decided, concluded, finished};
pub use conclude::{refused, refused_after_all};
use dynamic::Job;
pub use logged::refused_unseen;

/// What requests share beside the server that answers them.
pub struct Exchange {
    mounts: ArcSwap<Mounts>,
    /// Where handlers find the components whose methods they are.
    registry: Arc<Registry>,
    requests: AtomicU64,
    /// Development mode: error pages show why.
    shows_details: bool,
    encoders: Encoders,
    caches: Caches,
    listings: Listings,
    /// Who has the access key of the host's data, if there is one.
    keeper: Option<Arc<Keeper>>,
    /// What is recorded of requests, if anything is.
    traces: Option<Arc<Traces>>,
    /// Who may reach components whose web servers ask for credentials.
    guard: Guard,
}

impl Exchange {
    /// Without mounts yet.
    pub(crate) fn new(
        shows_details: bool,
        registry: Arc<Registry>,
        keeper: Option<Arc<Keeper>>,
        guard: Guard,
        traces: Option<Arc<Traces>>,
    ) -> Self {
        Self {
            mounts: ArcSwap::default(),
            registry,
            requests: AtomicU64::new(calls::first_id()),
            shows_details,
            encoders: Encoders::default(),
            caches: Caches::default(),
            listings: Listings::default(),
            keeper,
            guard,
            traces,
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

    /// What is recorded of requests, if anything is.
    pub(crate) fn traces(&self) -> Option<&Traces> {
        self.traces.as_deref()
    }

    /// A number for a request, that no other one has.
    pub(crate) fn next_id(&self) -> u64 {
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
    /// Carry out the tags of this page; which field of the request it depends on, if it is sent instead of another.
    Render(Arc<Page>, Option<&'static str>),
    /// Have a component answer it.
    Run(Job),
}

impl Next {
    /// Whether the client may have to be told of an error.
    fn may_be_error(&self) -> bool {
        match self {
            Self::Respond(response) => response.status().as_u16() >= 400,
            Self::Send(reply) => reply.response.status().as_u16() >= 400,
            _ => true,
        }
    }
}

/// Carries one request from its head to its response. Whatever happens in between, there is one.
pub async fn handle(receiver: &Receiver, mut request: Request, peer: Peer) -> Response {
    let began = Instant::now();
    let mut asked = Asked::of(&request);
    let visit = match admit(receiver, &request) {
        Ok(visit) => visit,
        Err(reject) => return unadmitted(receiver, asked, &mut request, peer, reject, began),
    };
    let traces = receiver.exchange.traces();
    let trace = traces.and_then(|traces| traces.begin(&mut request, peer, began));
    let log = logged::begin(&visit.serving, &mut request, peer);
    let plan = rules::plan(receiver, &visit, &mut request);
    let (mut is_final, mut answered) = (false, Answered::Host);
    let (stopped, grant) = match too_many(&visit, peer) {
        Some(reject) => (Some(Next::Refuse(reject)), None),
        None => guard(&visit, &request, peer, plan.access()),
    };
    let next = match stopped {
        Some(next) => next,
        None => answer(receiver, &visit, &request, &asked, peer)
            .await
            .unwrap_or_else(Next::Refuse),
    };
    if plan.has_status() || next.may_be_error() {
        asked.note_form(request.headers());
    }
    let response = match next {
        Next::Respond(response) => response,
        Next::Send(reply) => {
            is_final = reply.is_final;
            answered = match reply.is_from_memory {
                true => Answered::Memory,
                false => Answered::File,
            };
            reply.response
        }
        Next::Refuse(reject) => refused_here(&visit, reject),
        // Boxed: a future is as large as all that it may become, and is moved before it begins. Hardly a request is this
        // one, and no other should pay for it.
        Next::Echo => Box::pin(trace::echo(request))
            .await
            .unwrap_or_else(|reject| response::from_reject(reject, None)),
        Next::List(folder) => Box::pin(folder.list(&receiver.exchange.listings))
            .await
            .unwrap_or_else(|| refused_here(&visit, Reject::NotFound)),
        Next::Render(page, varies) => {
            answered = Answered::Component;
            let rendering = semi_dynamic::answer(receiver, &visit, request, peer, page);
            let mut response = Box::pin(rendering).await;
            if let Some(name) = varies {
                let name = HeaderValue::from_static(name);
                response.headers_mut().append(VARY, name);
            }
            response
        }
        Next::Run(job) => {
            answered = Answered::Component;
            authentication::run(receiver, &visit, request, peer, job).await
        }
    };
    let decided = Decided {
        began,
        answered,
        grant,
        plan,
        is_final,
        log,
        trace,
    };
    concluded(receiver, asked, &visit, peer, response, decided)
}

/// The response to a request that no server was found for; what the receiving one says of all responses holds.
fn unadmitted(
    receiver: &Receiver,
    mut asked: Asked,
    request: &mut Request,
    peer: Peer,
    reject: Reject,
    began: Instant,
) -> Response {
    asked.note_form(request.headers());
    let serving = receiver.server.serving();
    let begin = |serving| logged::begin(serving, request, peer);
    let decided = Decided {
        log: serving.as_deref().and_then(begin),
        plan: rules::plan_of_refused(serving.as_deref(), request),
        ..Decided::nothing(began, Answered::Host)
    };
    let response = response::from_reject(reject, None);
    let has_body = !asked.is_head();
    let mut response = finished(receiver, asked, serving.as_deref(), peer, response, decided);
    let traffic = receiver.server.traffic();
    traffic.note(&mut response, Answered::Host, began, has_body);
    response
}

/// Whether its client asks the server more often than the settings let it.
fn too_many(visit: &Visit, peer: Peer) -> Option<Reject> {
    let rate = visit.serving.web.requests.rate?;
    let wait = visit.server.rates().take(peer.client.ip(), rate).err()?;
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    Some(Reject::TooMany(u32::try_from(seconds).unwrap_or(u32::MAX)))
}

/// The response to a request that is refused; of methods that are not for its URL it says which are.
fn refused_here(visit: &Visit, reject: Reject) -> Response {
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
/// deny may go no further. Gives what is to be done about those.
fn guard(
    visit: &Visit,
    request: &Request,
    peer: Peer,
    access: &Access,
) -> (Option<Next>, Option<Grant>) {
    let refuse = |reject| (Some(Next::Refuse(reject)), None);
    if let Err(reject) = check_length(visit, request) {
        return refuse(reject);
    }
    let web = &visit.serving.web;
    let is_trace = *request.method() == Method::TRACE;
    if is_trace && !web.requests.trace {
        return refuse(Reject::TraceDisabled);
    }
    let verdict = match &web.responses.cors {
        None => Verdict::Own,
        Some(cors) => {
            // Read where it matters: on most servers no request's host does.
            let host = asked_host(request);
            let here = Here {
                secured: peer.secured,
                host: host.as_ref().map(Authority::as_str),
            };
            cors::judge(cors, request.method(), request.headers(), here)
        }
    };
    let grant = match verdict {
        Verdict::Own => None,
        Verdict::Allowed(grant) => Some(grant),
        Verdict::Preflight(grant, response) => {
            return (Some(Next::Respond(*response)), Some(grant));
        }
        Verdict::Refused => return refuse(Reject::CrossSite),
    };
    let next = match access {
        Access::Denied => Some(Next::Refuse(Reject::Denied)),
        Access::Redirected(location) => Some(Next::Respond(redirect(location.clone()))),
        Access::Free => is_trace.then_some(Next::Echo),
    };
    (next, grant)
}

/// Handler, special URL, file, component: in the order of the documents.
async fn answer(
    receiver: &Receiver,
    visit: &Visit,
    request: &Request,
    asked: &Asked,
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
        Some(other) => {
            let answered = special::built_in(receiver, visit, &other, request, peer);
            // Boxed: hardly a request is one of these.
            return Box::pin(answered).await;
        }
    }
    let trace = visit.serving.web.requests.trace;
    match file(visit, request, asked).await? {
        Some(next) => Ok(next),
        None if visit.serving.generation.is_some() => dynamic::connection(visit).map(Next::Run),
        None if request.method() == Method::OPTIONS => Ok(Next::Respond(response::options(trace))),
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
    let own = match reads && path == "/" {
        true => semi_dynamic::own_home_page(visit, request).await,
        false => None,
    };
    let sought = Sought {
        path: own.as_deref().unwrap_or(path),
        query: request.uri().query(),
        method: request.method(),
        headers: request.headers(),
    };
    let found = pages.find(sought).await.map_err(|error| match error {
        FileError::BadPath => Reject::Malformed("the path is not percent-encoded as it should be"),
        FileError::Exhausted => Reject::Unavailable,
    })?;
    let (page, varies) = match found {
        None => return Ok(None),
        // `/` without a home page is the component's, and so is what is sent to a folder.
        Some(Found::Folder(_)) if has_component && (!reads || path == "/") => return Ok(None),
        Some(_) if !reads => return only_read(visit, request.method()),
        Some(Found::Redirect(redirect)) => return Ok(Some(Next::Respond(redirect))),
        Some(Found::Folder(folder)) => return Ok(Some(Next::List(folder))),
        Some(Found::Page(page)) if own.is_some() => (page, Some("Cookie")),
        Some(Found::Page(page)) => (page, None),
        Some(Found::Instead(page)) => (page, Some("Accept")),
    };
    if page.is_semi_dynamic() {
        return Ok(Some(Next::Render(page, varies)));
    }
    let wish = Wish {
        method: request.method(),
        headers: request.headers(),
        accepting: asked.accepting(),
        compression: visit.serving.web.responses.compression,
    };
    let mut reply = pages.reply(&page, wish).await;
    if let Some(name) = varies {
        let names = match page.varies() {
            true => HeaderValue::try_from([name, ", Accept-Encoding"].concat()),
            false => Ok(HeaderValue::from_static(name)),
        };
        if let Ok(names) = names {
            reply.response.headers_mut().insert(VARY, names);
        }
    }
    Ok(Some(Next::Send(reply)))
}

/// What is said of a file to those who do not want to read it.
fn only_read(visit: &Visit, method: &Method) -> Result<Option<Next>, Reject> {
    if *method == Method::OPTIONS {
        let trace = visit.serving.web.requests.trace;
        return Ok(Some(Next::Respond(response::options(trace))));
    }
    Err(match is_known(method) {
        true => Reject::MethodNotAllowed,
        false => Reject::NotImplemented,
    })
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
