//! The web server object: one for the host, one for each component.
//!
//! A [`WebServer`] lives as long as its name is known; what it serves with is a [`Serving`], which a reload replaces
//! in one step and which requests in flight hold on to.

mod control;
mod directory;
mod discover;
mod listeners;
mod load;
mod processes;
mod properties;
mod registry;
mod reload;
mod steering;
mod watch;

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use parking_lot::Mutex;
use serde_json::{Map, Value};
use tessera_engine::Generation;

use crate::settings::{Mount, Web};

pub use control::{Changed, ControlError, ErrorCode};
pub use directory::ComponentDirectory;
pub use discover::{Fingerprint, Found, discover};
pub use listeners::{Bound, ListenError, Listeners, Receiver};
pub use load::Loader;
pub use processes::{ProcessPermit, Processes};
pub use registry::Registry;
pub(crate) use reload::host_serving;
pub use reload::{Outcome, Reloaded, Reloader, UnknownServer};
pub use steering::{Control, Steering};
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
    status: Mutex<Status>,
}

/// What is known of a server beside what it serves with.
#[derive(Default)]
pub(crate) struct Status {
    /// Why the last load failed, or why it is stopped.
    pub(crate) error: Option<String>,
    /// The files that the last load, good or bad, was made of.
    pub(crate) fingerprint: Option<Fingerprint>,
    /// Its own listeners, if it has ports of its own.
    pub(crate) listeners: Option<Listeners>,
    /// The properties of the next start, while it is stopped.
    pub(crate) stored: Map<String, Value>,
}

/// What a running server serves with. Never changes: a reload makes another.
pub struct Serving {
    /// The settings of the web server object.
    pub web: Web,
    /// Where the host hands requests over.
    pub mount: Option<Mount>,
    /// The component that answers dynamic requests; none on the host.
    pub generation: Option<Arc<Generation>>,
    /// Counts the versions: 1 is the first.
    pub number: u64,
    /// The settings, as properties of the WebServer class.
    pub properties: Map<String, Value>,
}

impl WebServer {
    /// A server object that does not run yet.
    pub fn new(name: &str, kind: Kind) -> Arc<Self> {
        Arc::new(Self {
            name: name.into(),
            kind,
            serving: ArcSwapOption::empty(),
            processes: Arc::default(),
            status: Mutex::default(),
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

    /// What it serves with now.
    pub fn serving(&self) -> Option<Arc<Serving>> {
        self.serving.load_full()
    }

    /// Its web processes.
    pub fn processes(&self) -> &Arc<Processes> {
        &self.processes
    }

    pub(crate) fn status(&self) -> &Mutex<Status> {
        &self.status
    }

    /// Serves with `next` from now on. Requests in flight finish with what they began with.
    pub(crate) fn serve_with(&self, next: Serving) {
        self.processes.set_max(next.web.requests.processes_max);
        self.status.lock().error = None;
        let old = self.serving.swap(Some(Arc::new(next)));
        retire(old);
    }

    /// Stops answering. Requests in flight finish.
    pub(crate) fn stop_serving(&self, why: Option<String>) {
        let old = self.serving.swap(None);
        {
            let mut status = self.status.lock();
            status.error = why;
            if let Some(old) = &old {
                status.stored = old.properties.clone();
            }
        }
        retire(old);
    }
}

/// Ends the idle instances of a replaced generation; the busy ones end with their requests.
fn retire(old: Option<Arc<Serving>>) {
    if let Some(generation) = old.as_ref().and_then(|serving| serving.generation.as_ref()) {
        generation.retire();
    }
}
