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
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::layers::Layers;
use super::succession::Trial;
use super::{Fingerprint, Found, Kind, Loader, Registry, WebServer, discover};
use crate::exchange::Exchange;
use crate::listen::Ports;
use crate::notify::{self, ServiceManager};
use crate::sessions::SessionStores;
use crate::settings::{ComponentSettings, HostSettings, Override};
use crate::weblog::WebLogs;

/// Reloads, starts and stops the servers of a site.
pub struct Reloader {
    pub(crate) site: PathBuf,
    pub(crate) overrides: Vec<Override>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) loader: Loader,
    pub(crate) exchange: Arc<Exchange>,
    pub(crate) ports: Arc<Ports>,
    /// Where sessions are kept.
    pub(crate) session_stores: Arc<SessionStores>,
    /// The access logs of all web servers.
    pub(crate) web_logs: Arc<WebLogs>,
    pub(crate) drain_timeout: Duration,
    /// Told of reloads, if there is one.
    pub(crate) service: Option<Arc<ServiceManager>>,
    /// The host's turn: one change of its web server at a time.
    pub(crate) host_turn: tokio::sync::Mutex<HostTurn>,
    /// One turn at a time for each component.
    pub(crate) turns: Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<Turn>>>>,
    /// Held while a server takes its place: mounts and ports are shared by all. Whether there are none to be had any more,
    /// for the process is ending.
    pub(crate) places: Mutex<bool>,
    /// Watched by whatever drains ports that were given back: the process ends after them.
    pub(crate) drains: watch::Sender<()>,
}

/// What only the one whose turn it is knows of the host.
pub(crate) struct HostTurn {
    pub(super) layers: Layers,
    /// In use, or in use last.
    pub(super) settings: HostSettings,
    number: u64,
}

/// What only the one whose turn it is knows of a component.
#[derive(Default)]
pub(crate) struct Turn {
    pub(super) layers: Layers,
    /// Where its settings are; none for a bare module.
    pub(super) folder: Option<PathBuf>,
    /// In use, or in use last.
    pub(super) settings: Option<ComponentSettings>,
    pub(super) number: u64,
    /// The version that was swapped in last, while it may still be taken back.
    pub(super) trial: Option<Trial>,
    /// What the files of a version that was taken back looked like: it is not loaded again by itself.
    pub(super) taken_back: Option<Fingerprint>,
}

/// Why a component is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Its files changed.
    Files,
    /// One of its settings did, that is about its instances.
    Settings,
    /// Somebody asked for it.
    Asked {
        /// Whether it may import more than the version before, whatever its settings say.
        accept_new_imports: bool,
    },
}

impl Cause {
    /// Somebody asked, for no more than the settings allow.
    pub const ASKED: Self = Self::Asked {
        accept_new_imports: false,
    };

    pub(super) fn accepts_new_imports(self) -> bool {
        matches!(
            self,
            Self::Asked {
                accept_new_imports: true
            }
        )
    }
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

impl Outcome {
    /// What was done, in one word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Swapped => "swapped",
            Self::Unchanged => "unchanged",
            Self::Stopped => "stopped",
            Self::Failed(_) => "failed",
        }
    }
}

impl HostTurn {
    /// The host before its first start.
    pub(crate) fn new(settings: HostSettings) -> Self {
        Self {
            layers: Layers::default(),
            settings,
            number: 1,
        }
    }

    /// Counts the versions: 1 is that of the process's start.
    pub(super) fn next_number(&mut self) -> u64 {
        self.number += 1;
        self.number
    }
}

impl Reloader {
    /// Brings all servers, or one of them, into line with the files.
    ///
    /// # Errors
    ///
    /// When there is no server of that name.
    pub async fn reload(
        self: &Arc<Self>,
        name: Option<&str>,
        cause: Cause,
    ) -> Result<Vec<Reloaded>, UnknownServer> {
        let told = self.service.as_ref().filter(|_| name.is_none());
        let _reloading = told.map(ServiceManager::reloading);
        let result = self.bring_into_line(name, cause).await;
        if let Some(service) = &self.service {
            service.status(&notify::summary(&self.registry));
        }
        result
    }

    async fn bring_into_line(
        self: &Arc<Self>,
        name: Option<&str>,
        cause: Cause,
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
            None => results.push(self.reload_host().await),
            Some(name) if work.contains_key(name) => work.retain(|other, _| other == name),
            Some(name) if name == host.name() => {
                results.push(self.reload_host().await);
                work.clear();
            }
            Some(name) => return Err(UnknownServer(name.to_owned())),
        }
        let mut tasks = JoinSet::new();
        for (name, found) in work {
            let reloader = self.clone();
            tasks.spawn(async move { reloader.reload_component(name, found, cause).await });
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
        let _ = self.reload(Some(name), Cause::Files).await;
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

    pub(super) fn turn(&self, name: &str) -> Arc<tokio::sync::Mutex<Turn>> {
        self.turns
            .lock()
            .entry(name.to_owned())
            .or_default()
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

    async fn reload_component(
        self: Arc<Self>,
        name: String,
        found: Option<Found>,
        cause: Cause,
    ) -> Reloaded {
        let turn = self.turn(&name);
        let mut turn = turn.lock().await;
        let outcome = match found {
            Some(found) => self.refresh(&found, &mut turn, cause).await,
            None => self.remove(&name, &mut turn),
        };
        match &outcome {
            Outcome::Unchanged => {}
            Outcome::Failed(error) => tracing::error!(server = name, "not loaded: {error}"),
            outcome => tracing::info!(server = name, ?outcome, "reloaded"),
        }
        self.note(&name, &outcome);
        Reloaded { name, outcome }
    }

    /// Counts what a reload came to.
    pub(super) fn note(&self, name: &str, outcome: &Outcome) {
        if let Some(server) = self.registry.find(name) {
            server.events().reloaded(outcome.word());
        }
    }

    async fn refresh(self: &Arc<Self>, found: &Found, turn: &mut Turn, cause: Cause) -> Outcome {
        let host = self.registry.host();
        if found.name == host.name() {
            return name_is_taken(&host, found);
        }
        let server = self.registry.component(&found.name);
        let (is_off, is_same) = {
            let status = server.status().lock();
            let is_same = status.fingerprint.as_ref() == Some(&found.fingerprint);
            let waits =
                cause == Cause::Files && turn.taken_back.as_ref() == Some(&found.fingerprint);
            // One that failed is tried again: what was wrong may have been elsewhere, a port or a mount of another's.
            if is_same && waits {
                return Outcome::Unchanged;
            }
            (status.is_off, is_same && status.error.is_none())
        };
        if is_same && self.has_same_secrets(&server, turn).await {
            return Outcome::Unchanged;
        }
        turn.folder.clone_from(&found.folder);
        let result = if is_off || self.waits_for_start(&server, found, turn) {
            let mut status = server.status().lock();
            status.is_off = true;
            status.error = None;
            status.fingerprint = Some(found.fingerprint.clone());
            drop(status);
            self.show_next_start(&server, turn);
            Ok(Outcome::Unchanged)
        } else {
            self.bring_up(&server, found, turn, cause).await
        };
        match result {
            Ok(outcome) => outcome,
            Err(errors) => {
                let messages: Vec<_> = errors.into_iter().map(|error| error.message).collect();
                let error = messages.join("\n");
                let mut status = server.status().lock();
                status.fingerprint = Some(found.fingerprint.clone());
                status.error = Some(error.clone());
                drop(status);
                if !server.is_running() {
                    self.show_next_start(&server, turn);
                }
                Outcome::Failed(error)
            }
        }
    }

    /// Whether the secrets that a running component has read are still those of their files.
    async fn has_same_secrets(&self, server: &WebServer, turn: &Turn) -> bool {
        let serving = server.serving();
        let generation = serving.as_ref().and_then(|it| it.generation.as_ref());
        match (generation, &turn.settings) {
            (Some(generation), Some(settings)) => {
                self.loader.has_same_secrets(generation, settings).await
            }
            _ => true,
        }
    }

    /// Whether a component that does not run yet is not to start by itself.
    fn waits_for_start(&self, server: &Arc<WebServer>, found: &Found, turn: &Turn) -> bool {
        let overrides = turn.layers.in_use(&[]);
        // Wrong settings are told by the load.
        let settings = ComponentSettings::load(&found.name, found.folder.as_deref(), &overrides);
        !server.is_running() && settings.is_ok_and(|settings| !settings.web.launch_at_startup)
    }

    fn remove(&self, name: &str, turn: &mut Turn) -> Outcome {
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
        turn.layers.end();
        turn.end_trial(&server);
        let why = "its module was removed from components/".to_owned();
        let listeners = self.displace(&server, Some(why), false);
        // Put back, it starts.
        server.status().lock().is_off = false;
        tokio::spawn(self.drained(listeners));
        if let Some(forgotten) = self.registry.note_gone(name) {
            let mut turns = self.turns.lock();
            // One that somebody has is needed.
            if turns
                .get(&forgotten)
                .is_some_and(|turn| Arc::strong_count(turn) == 1)
            {
                turns.remove(&forgotten);
            }
        }
        Outcome::Stopped
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
