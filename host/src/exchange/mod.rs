//! The life of one request; the only module that knows all stages. Read [`handle`] first.

mod admit;
mod dynamic;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ::http::Method;
use arc_swap::ArcSwap;

use crate::files;
use crate::http::{Peer, Reject, Request, Response};
use crate::response;
use crate::route::{Mounts, Special, special};
use crate::server::Receiver;
use admit::{Visit, admit};

/// What requests share beside the server that answers them.
pub struct Exchange {
    mounts: ArcSwap<Mounts>,
    requests: AtomicU64,
    /// Development mode: error pages show why.
    shows_details: bool,
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
    let (method, version) = (request.method().clone(), request.version());
    let response = match admit(receiver, &request) {
        Ok(visit) => answer(receiver, visit, request, peer).await,
        Err(reject) => response::from_reject(reject, None),
    };
    response::finish(response, &method, version)
}

/// Special URL, file, component: in the order of the documents.
async fn answer(receiver: &Receiver, visit: Visit, request: Request, peer: Peer) -> Response {
    match special(visit.path()) {
        Some(Special::Action { method, parameter }) => {
            return dynamic::method(receiver, visit, request, peer, &method, parameter).await;
        }
        Some(Special::Cgi) => return dynamic::connection(receiver, visit, request, peer).await,
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
