//! Brings the servers into line with the files: starts what appeared, swaps what changed, stops what vanished.
//!
//! A component that cannot be loaded leaves the version before it serving. Each component has its turn by itself:
//! one that is slow to load holds up no other.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde::Serialize;
use tokio::task::JoinSet;

use super::load::Loaded;
use super::{
    Bound, Fingerprint, Found, Kind, Listeners, Loader, Receiver, Registry, Serving, WebServer,
    discover,
};
use crate::exchange::Exchange;
use crate::listen::ConnectionLimits;
use crate::route::Mounts;
use crate::settings::{Effect, HostSettings, Listen, Override};

/// Reloads the servers of a site.
pub struct Reloader {
    pub(crate) site: PathBuf,
    pub(crate) overrides: Vec<Override>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) loader: Loader,
    pub(crate) exchange: Arc<Exchange>,
    pub(crate) connections: Arc<ConnectionLimits>,
    pub(crate) drain_timeout: Duration,
    pub(crate) free_ports: bool,
    /// The settings of the host that are in use.
    pub(crate) host_settings: Mutex<HostSettings>,
    /// One turn at a time for each component.
    pub(crate) turns: Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<Turn>>>>,
    /// Held while a loaded component takes its place: mounts and ports are shared by all.
    pub(crate) places: Mutex<()>,
}

/// What only the reload of a component knows of it.
#[derive(Default)]
pub(crate) struct Turn {
    /// Where the component's own listeners were opened.
    listen: Option<Listen>,
    number: u64,
}

/// There is no server of that name.
#[derive(Debug, thiserror::Error)]
#[error("there is no server {0:?}; `tessera list` shows all")]
pub struct UnknownServer(pub String);

/// What a reload did to one server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reloaded {
    /// The server.
    pub name: String,
    /// What was done.
    pub outcome: Outcome,
}

/// What a reload did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It was not running and now is.
    Started,
    /// A new version took over.
    Swapped,
    /// Nothing had changed.
    Unchanged,
    /// Its files are gone.
    Stopped,
    /// It could not be loaded; what ran before still runs.
    Failed(String),
}

impl Reloader {
    /// Brings all servers, or one of them, into line with the files.
    pub async fn reload(
        self: &Arc<Self>,
        name: Option<&str>,
    ) -> Result<Vec<Reloaded>, UnknownServer> {
        let reloader = self.clone();
        let found = match tokio::task::spawn_blocking(move || discover(&reloader.site)).await {
            Ok(Ok(found)) => found,
            Ok(Err(error)) => return Ok(vec![self.unreadable(&error.to_string())]),
            Err(panic) => return Ok(vec![self.unreadable(&panic.to_string())]),
        };
        let mut work: BTreeMap<String, Option<Found>> = self
            .registry
            .components()
            .iter()
            .map(|server| (server.name().to_owned(), None))
            .collect();
        work.extend(
            found
                .into_iter()
                .map(|found| (found.name.clone(), Some(found))),
        );

        let mut results = Vec::new();
        let host = self.registry.host();
        match name {
            None => results.push(self.reload_host()),
            Some(name) if work.contains_key(name) => work.retain(|other, _| other == name),
            Some(name) if name == host.name() => {
                results.push(self.reload_host());
                work.clear();
            }
            Some(name) => return Err(UnknownServer(name.to_owned())),
        }
        let mut tasks = JoinSet::new();
        for (name, found) in work {
            let reloader = self.clone();
            tasks.spawn(async move { reloader.reload_component(name, found).await });
        }
        while let Some(result) = tasks.join_next().await {
            match result {
                Ok(reloaded) => results.push(reloaded),
                Err(panic) => tracing::error!(%panic, "a reload ended unexpectedly"),
            }
        }
        // The host's, if it is there, stays first.
        let first_component = results.len().min(usize::from(
            results.first().is_some_and(|r| r.name == host.name()),
        ));
        results[first_component..].sort_by(|a, b| a.name.cmp(&b.name));
        Ok(results)
    }

    /// Reloads a component that the watcher saw change; what it saw may be gone again.
    pub(crate) async fn reload_if_there(self: &Arc<Self>, name: &str) {
        // The name came from the disk; that no server has it is nothing to report.
        let _ = self.reload(Some(name)).await;
    }

    /// What the files of a component looked like when it was last loaded.
    pub(crate) fn loaded_fingerprint(&self, name: &str) -> Option<Fingerprint> {
        self.registry
            .find(name)?
            .status()
            .lock()
            .fingerprint
            .clone()
    }

    fn unreadable(&self, error: &str) -> Reloaded {
        let error = format!(
            "{}: cannot be read: {error}",
            self.site.join("components").display()
        );
        tracing::error!("{error}");
        Reloaded {
            name: self.registry.host().name().to_owned(),
            outcome: Outcome::Failed(error),
        }
    }

    /// Reads `tessera.toml` again. What needs a restart is said, and not applied.
    fn reload_host(&self) -> Reloaded {
        let host = self.registry.host();
        let mut current = self.host_settings.lock();
        let outcome = match HostSettings::load(&self.site, &self.overrides) {
            Err(error) => {
                tracing::error!("the settings in use stay: {error}");
                host.status().lock().error = Some(error.to_string());
                Outcome::Failed(error.to_string())
            }
            Ok(newer) => {
                let changes = current.changes(&newer);
                for change in changes
                    .iter()
                    .filter(|change| change.effect != Effect::Reload)
                {
                    tracing::warn!(
                        setting = change.key,
                        "changed, but takes effect at the next start"
                    );
                }
                if changes.iter().any(|change| change.effect == Effect::Reload) {
                    let number = host.serving().map_or(1, |serving| serving.number + 1);
                    current.adopt(&newer);
                    host.serve_with(host_serving(&current, number));
                    Outcome::Swapped
                } else {
                    host.status().lock().error = None;
                    Outcome::Unchanged
                }
            }
        };
        Reloaded {
            name: host.name().to_owned(),
            outcome,
        }
    }

    async fn reload_component(self: Arc<Self>, name: String, found: Option<Found>) -> Reloaded {
        let turn = self.turns.lock().entry(name.clone()).or_default().clone();
        let mut turn = turn.lock().await;
        let outcome = match found {
            Some(found) => self.load(&found, &mut turn).await,
            None => self.stop(&name, &mut turn),
        };
        match &outcome {
            Outcome::Unchanged => {}
            Outcome::Failed(error) => tracing::error!(server = name, "not loaded: {error}"),
            outcome => tracing::info!(server = name, ?outcome, "reloaded"),
        }
        Reloaded { name, outcome }
    }

    async fn load(&self, found: &Found, turn: &mut Turn) -> Outcome {
        let host = self.registry.host();
        if found.name == host.name() {
            return name_is_taken(&host, found);
        }
        let server = self.registry.component(&found.name);
        {
            let status = server.status().lock();
            // One that failed is tried again: what was wrong may have been elsewhere, a port or a mount of another's.
            if status.error.is_none() && status.fingerprint.as_ref() == Some(&found.fingerprint) {
                return Outcome::Unchanged;
            }
        }
        let number = turn.number + 1;
        let result = match self.loader.load(found, number, self.registry.clone()).await {
            Ok(loaded) => self.place(&server, loaded, turn),
            Err(error) => Err(error.to_string()),
        };
        server.status().lock().fingerprint = Some(found.fingerprint.clone());
        match result {
            Ok(outcome) => {
                turn.number = number;
                outcome
            }
            Err(error) => {
                server.status().lock().error = Some(error.clone());
                Outcome::Failed(error)
            }
        }
    }

    /// Lets a loaded component take over: its ports, then itself, then its mount.
    fn place(
        &self,
        server: &Arc<WebServer>,
        loaded: Loaded,
        turn: &mut Turn,
    ) -> Result<Outcome, String> {
        let _places = self.places.lock();
        let mounts = self.mounts_with(server, loaded.settings.mount.as_ref())?;
        if turn.listen.as_ref() != Some(&loaded.settings.web.listen) {
            self.listen(server, &loaded.settings.web.listen)?;
            turn.listen = Some(loaded.settings.web.listen.clone());
        }
        let was_running = server.is_running();
        server.serve_with(loaded.serving);
        self.exchange.set_mounts(mounts);
        Ok(if was_running {
            Outcome::Swapped
        } else {
            Outcome::Started
        })
    }

    /// All mounts, with that of `server` as it is going to be.
    fn mounts_with(
        &self,
        server: &Arc<WebServer>,
        mount: Option<&crate::settings::Mount>,
    ) -> Result<Mounts, String> {
        let mut mounts = Mounts::default();
        for other in self
            .registry
            .components()
            .iter()
            .filter(|other| !Arc::ptr_eq(other, server))
        {
            if let Some(mount) = other
                .serving()
                .as_ref()
                .and_then(|serving| serving.mount.as_ref())
            {
                mounts.add(other.clone(), mount)?;
            }
        }
        if let Some(mount) = mount {
            mounts.add(server.clone(), mount).map_err(|other| {
                let host = mount.host.as_deref().unwrap_or("any host");
                format!("cannot be mounted at {} of {host}: component {other} is; change [mount] in one of their settings.toml", mount.path)
            })?;
        }
        Ok(mounts)
    }

    /// Moves a server to other ports. The old ones are closed first, since the new ones may be among them.
    fn listen(&self, server: &Arc<WebServer>, listen: &Listen) -> Result<(), String> {
        let old = server.status().lock().listeners.take();
        if let Some(old) = old {
            self.drain(old);
        }
        let bound = Bound::open(server.name(), listen, self.free_ports)
            .map_err(|error| error.to_string())?;
        let receiver = Receiver {
            exchange: self.exchange.clone(),
            server: server.clone(),
        };
        server.status().lock().listeners =
            bound.map(|bound| bound.accept(receiver, &self.connections));
        Ok(())
    }

    fn stop(&self, name: &str, turn: &mut Turn) -> Outcome {
        let Some(server) = self
            .registry
            .find(name)
            .filter(|server| server.kind() == Kind::Component)
        else {
            return Outcome::Unchanged;
        };
        if server.status().lock().fingerprint.take().is_none() {
            return Outcome::Unchanged;
        }
        let _places = self.places.lock();
        server.stop_serving(Some("its module was removed from components/".to_owned()));
        if let Ok(mounts) = self.mounts_with(&server, None) {
            self.exchange.set_mounts(mounts);
        }
        turn.listen = None;
        let listeners = server.status().lock().listeners.take();
        if let Some(listeners) = listeners {
            self.drain(listeners);
        }
        Outcome::Stopped
    }

    fn drain(&self, listeners: Listeners) {
        tokio::spawn(listeners.stop(self.drain_timeout));
    }
}

/// A server is known by its name, so a component cannot have the host's. Said once for each state of its files.
fn name_is_taken(host: &WebServer, found: &Found) -> Outcome {
    let error = format!(
        "{}: is named as the site, whose own web server has that name; rename the module, or the site's folder",
        found.module.display()
    );
    let mut status = host.status().lock();
    status.fingerprint = Some(found.fingerprint.clone());
    status.error = Some(error.clone());
    Outcome::Failed(error)
}

/// What the host serves with.
pub(crate) fn host_serving(settings: &HostSettings, number: u64) -> Serving {
    Serving {
        web: settings.web.clone(),
        mount: None,
        generation: None,
        number,
        properties: settings.properties(),
    }
}
