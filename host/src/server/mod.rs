//! The web server object: one for the host, one for each component.
//!
//! A [`WebServer`] lives as long as its name is known; what it serves with is a [`Serving`], which a reload replaces
//! in one step and which requests in flight hold on to.

mod bring_up;
mod candidate;
mod certificates;
mod control;
mod directory;
mod discover;
mod failures;
mod folder;
mod generations;
mod grants;
mod layers;
mod lifecycle;
mod load;
mod place;
mod processes;
mod properties;
mod rate;
mod registry;
mod reload;
mod shown;
mod steering;
mod succession;
mod traffic;
mod urls;
mod watch;

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use parking_lot::Mutex;
use serde_json::{Map, Value};
use tessera_engine::{Cost, Generation, ProcessError};

use crate::exchange::Exchange;
use crate::files::{ErrorPages, Pages};
use crate::listen::Held;
use crate::metrics::Events;
use crate::sessions::{LegacyHome, LegacySessions, ServerSessions};
use crate::settings::{KeepAlive, Mount, Web};
use crate::tls::ServerTls;
use crate::weblog::{DebugLog, WebLog};

use failures::{Failure, Failures};
use generations::History;

pub(crate) use candidate::{Candidate, Unfit};
pub(crate) use certificates::Certificates;
pub use control::{Changed, ControlError, ErrorCode};
pub use directory::ComponentDirectory;
pub use discover::{Fingerprint, Found, discover};
pub(crate) use failures::{FailedRequest, KEPT as FAILURES_KEPT};
pub(crate) use folder::Folder;
pub(crate) use generations::KEPT as GENERATIONS_KEPT;
pub(crate) use grants::read_secret;
pub use grants::{GrantError, Stores, environment, grants};
pub use lifecycle::Started;
pub use load::{Loader, instance_limits};
pub use processes::{ProcessPermit, Processes, SharedPermit};
pub(crate) use properties::instances;
pub use rate::RateLimiter;
pub use registry::Registry;
pub(crate) use reload::HostTurn;
pub use reload::{Cause, Outcome, Reloaded, Reloader, UnknownServer};
pub use steering::{Control, Steering};
pub use traffic::{Counts, Traffic};
pub use urls::{server_document, server_documents};
pub use watch::{WatchError, Watcher};

/// Whose server it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The site's own.
    Host,
    /// A component's.
    Component,
}

/// A web server object.
pub struct WebServer {
    name: Arc<str>,
    kind: Kind,
    serving: ArcSwapOption<Serving>,
    processes: Arc<Processes>,
    traffic: Traffic,
    events: Events,
    rates: RateLimiter,
    legacy: Arc<LegacyHome>,
    status: Mutex<Status>,
    history: Mutex<History>,
    failures: Mutex<Failures>,
}

/// What is known of a server beside what it serves with.
#[derive(Default)]
pub(crate) struct Status {
    /// Why the last load failed, or why it is stopped.
    pub(crate) error: Option<String>,
    /// The files that the last load, good or bad, was made of.
    pub(crate) fingerprint: Option<Fingerprint>,
    /// The ports that it answers on.
    pub(crate) listeners: Vec<Held>,
    /// Certificate and key of its HTTPS port.
    pub(crate) tls: Option<Arc<ServerTls>>,
    /// Why the certificate on disk is not the one in use.
    pub(crate) certificate_error: Option<String>,
    /// Where the host hands requests over, also while it is stopped.
    pub(crate) mount: Option<Mount>,
    /// There is an access key for admin (the host's only).
    pub(crate) has_access_key: bool,
    /// Stopped by hand, or not to start by itself.
    pub(crate) is_off: bool,
    /// The properties of the next start, while it is stopped.
    pub(crate) stored: Map<String, Value>,
    /// Keys of session options that hold from the next start.
    pub(crate) pending: Vec<String>,
}

/// What a connection needs to know of the server that it belongs to.
pub struct Receiver {
    /// The way of a request.
    pub exchange: Arc<Exchange>,
    /// The server.
    pub server: Arc<WebServer>,
}

/// What a server is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It answers requests.
    Running,
    /// It was stopped, or is not to start by itself.
    Stopped,
    /// It cannot be started; `error` says why.
    Failed,
    /// It is about to start.
    Loading,
}

/// What a running server serves with. Never changes: a reload makes another.
pub struct Serving {
    /// The settings of the web server object.
    pub web: Web,
    /// Its static files, as far as it has any.
    pub pages: Option<Pages>,
    /// Where the host hands requests over.
    pub mount: Option<Mount>,
    /// Its scalable sessions, if it has those.
    pub sessions: Option<Arc<ServerSessions>>,
    /// Its legacy sessions, if it has those.
    pub legacy: Option<Arc<LegacySessions>>,
    /// The component that answers dynamic requests; none on the host.
    pub generation: Option<Arc<Generation>>,
    /// Counts the versions: 1 is the first.
    pub number: u64,
    /// The settings, as properties of the WebServer class.
    pub properties: Map<String, Value>,
    /// Its own pages for errors.
    pub error_pages: ErrorPages,
    /// Its access log, if it writes one.
    pub log: Option<Arc<WebLog>>,
    /// Its debug log, if it writes one.
    pub debug: Option<Arc<DebugLog>>,
}

impl WebServer {
    /// A server object that does not run yet.
    pub fn new(name: &str, kind: Kind) -> Arc<Self> {
        Arc::new(Self {
            name: name.into(),
            kind,
            serving: ArcSwapOption::empty(),
            processes: Arc::default(),
            traffic: Traffic::default(),
            events: Events::default(),
            rates: RateLimiter::default(),
            legacy: LegacyHome::new(name.into()),
            status: Mutex::default(),
            history: Mutex::default(),
            failures: Mutex::default(),
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn shared_name(&self) -> Arc<str> {
        self.name.clone()
    }

    /// Whose it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether it answers requests.
    pub fn is_running(&self) -> bool {
        self.serving.load().is_some()
    }

    /// Why the last load failed, or why the server is stopped.
    pub fn error(&self) -> Option<String> {
        self.status.lock().error.clone()
    }

    /// Whether it is the server of a component whose files were removed: known only so that it can be said why it does not
    /// run.
    pub(crate) fn is_gone(&self) -> bool {
        let status = self.status.lock();
        self.kind == Kind::Component
            && !self.is_running()
            && status.fingerprint.is_none()
            && status.error.is_some()
    }

    /// What it is at.
    pub fn state(&self) -> State {
        let status = self.status.lock();
        match (self.is_running(), status.is_off, &status.error) {
            (true, ..) => State::Running,
            (_, true, _) => State::Stopped,
            (.., Some(_)) => State::Failed,
            _ => State::Loading,
        }
    }

    /// How long its connections are kept; of one that is being stopped, the defaults.
    pub fn keep_alive(&self) -> KeepAlive {
        let serving = self.serving.load();
        serving
            .as_ref()
            .map_or_else(KeepAlive::default, |serving| serving.web.keep_alive)
    }

    /// What it serves with now.
    pub fn serving(&self) -> Option<Arc<Serving>> {
        self.serving.load_full()
    }

    /// Its web processes.
    pub fn processes(&self) -> &Arc<Processes> {
        &self.processes
    }

    /// What it has answered.
    pub fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// What has happened to it, counted.
    pub(crate) fn events(&self) -> &Events {
        &self.events
    }

    /// What its clients have asked of late.
    pub fn rates(&self) -> &RateLimiter {
        &self.rates
    }

    /// The legacy sessions that it has, or had until a moment ago.
    pub(crate) fn legacy(&self) -> &Arc<LegacyHome> {
        &self.legacy
    }

    pub(crate) fn status(&self) -> &Mutex<Status> {
        &self.status
    }

    pub(crate) fn history(&self) -> &Mutex<History> {
        &self.history
    }

    /// The last generations of its component as JSON, at most `max`, the newest first; none of the host.
    pub fn generations(&self, max: usize) -> Value {
        // What serves is exchanged and noted in one step, with this lock held.
        let history = self.history.lock();
        let serving = self.serving();
        let current = serving.as_ref().and_then(|it| it.generation.as_ref());
        history.document(current, max)
    }

    /// The last requests that its component failed to answer, as JSON, at most `max`, the newest first.
    pub fn errors(&self, max: usize) -> Value {
        self.failures.lock().document(max)
    }

    /// Remembers a request that its component failed to answer.
    pub(crate) fn note_failure(
        &self,
        request: &FailedRequest,
        error: &ProcessError,
        status: Option<u16>,
        generation: &Arc<Generation>,
        cost: Option<Cost>,
    ) {
        self.events.failed(error);
        let number = self.history.lock().number_of(generation);
        let failure = Failure::new(request, error, status, number, cost);
        self.failures.lock().add(failure);
    }

    /// Serves with `next` from now on, which `note` tells the history. Requests in flight finish with what they began
    /// with.
    pub(crate) fn serve_with(&self, next: Serving, note: impl FnOnce(&mut History)) {
        self.processes.set_max(next.web.requests.processes_max);
        {
            let mut status = self.status.lock();
            status.error = None;
            if !self.is_running() {
                self.processes.restart();
                self.traffic.restart();
                status.pending.clear();
            }
        }
        let next = Arc::new(next);
        let kept = next.generation.as_ref();
        let old = {
            let mut history = self.history.lock();
            let old = self.serving.swap(Some(next.clone()));
            note(&mut history);
            old
        };
        retire(old, kept);
        self.legacy.keep_only(next.legacy.as_deref(), kept);
    }

    /// Stops answering. Requests in flight finish.
    pub(crate) fn stop_serving(&self, why: Option<String>) {
        let old = self.serving.swap(None);
        self.traffic.stop();
        {
            let mut status = self.status.lock();
            status.error = why;
            if let Some(old) = &old {
                status.stored = old.properties.clone();
            }
        }
        retire(old, None);
        self.legacy.keep_only(None, None);
    }
}

/// Ends the idle instances of a replaced generation; the busy ones end with their requests.
fn retire(old: Option<Arc<Serving>>, kept: Option<&Arc<Generation>>) {
    let Some(generation) = old.as_ref().and_then(|serving| serving.generation.as_ref()) else {
        return;
    };
    if !kept.is_some_and(|kept| Arc::ptr_eq(kept, generation)) {
        generation.retire();
    }
}
