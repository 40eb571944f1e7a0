//! `start(settings)`, `stop()` and session options, for the host's web server and for every component's.

use std::sync::Arc;

use super::control::{Changed, ControlError, ErrorCode};
use super::reload::{HostTurn, Turn};
use super::{Cause, Kind, Outcome, Reloader, UnknownServer, WebServer, discover};
use crate::listen::Held;
use crate::settings::{Origin, Override, Scope, SettingsError};

/// What `start` answers: nothing, or everything that is in the way.
pub type Started = Result<(), Vec<ControlError>>;

impl Reloader {
    /// Starts a web server, with settings that last until it is stopped. Once begun it is done, whether or not the
    /// caller waits for it.
    ///
    /// # Errors
    ///
    /// When there is no server of that name.
    pub async fn start(
        self: &Arc<Self>,
        name: &str,
        settings: Vec<Override>,
    ) -> Result<Started, UnknownServer> {
        let server = self.server(name)?;
        let reloader = self.clone();
        let starting = tokio::spawn(async move {
            match server.kind() {
                Kind::Host => reloader.start_host(&server, settings).await,
                Kind::Component => reloader.start_component(&server, settings).await,
            }
        });
        Ok(starting.await.unwrap_or_else(|panic| {
            tracing::error!(%panic, "a start ended unexpectedly");
            Err(vec![ControlError::new(
                ErrorCode::Internal,
                "the start failed; the log says why",
            )])
        }))
    }

    /// Stops a web server once its requests in progress are finished, and forgets the settings given to `start`.
    /// Says whether it was running. With `wait` it comes back when the requests are finished or their time is over,
    /// else as soon as no new one is taken.
    ///
    /// # Errors
    ///
    /// When there is no server of that name.
    pub async fn stop(self: &Arc<Self>, name: &str, wait: bool) -> Result<bool, UnknownServer> {
        let server = self.server(name)?;
        let reloader = self.clone();
        let stopping = tokio::spawn(async move { reloader.finish(&server, wait).await });
        Ok(stopping.await.unwrap_or_else(|panic| {
            tracing::error!(%panic, "a stop ended unexpectedly");
            false
        }))
    }

    /// Sets session options, and takes those of the keys in `reset` away. They last until the process ends; in a
    /// running server those that need a restart of it wait for its next start.
    ///
    /// # Errors
    ///
    /// When there is no server of that name, or else with all faults of the settings; then nothing was changed.
    pub async fn set(
        self: &Arc<Self>,
        name: &str,
        settings: Vec<Override>,
        reset: &[String],
    ) -> Result<Result<Changed, SettingsError>, UnknownServer> {
        let server = self.server(name)?;
        let (reloader, reset) = (self.clone(), reset.to_vec());
        let setting = tokio::spawn(async move {
            match server.kind() {
                Kind::Host => reloader.set_host(&server, &settings, &reset).await,
                Kind::Component => reloader.set_component(&server, &settings, &reset).await,
            }
        });
        Ok(setting.await.unwrap_or_else(|panic| {
            tracing::error!(%panic, "setting options ended unexpectedly");
            Ok(Changed::default())
        }))
    }

    fn server(&self, name: &str) -> Result<Arc<WebServer>, UnknownServer> {
        let server = self.registry.find(name);
        server.ok_or_else(|| UnknownServer(name.to_owned()))
    }

    async fn start_component(
        self: &Arc<Self>,
        server: &Arc<WebServer>,
        settings: Vec<Override>,
    ) -> Started {
        let turn = self.turn(server.name());
        let mut turn = turn.lock().await;
        if server.is_running() {
            return Err(already_running(server));
        }
        let site = self.site.clone();
        let found = tokio::task::spawn_blocking(move || discover(&site)).await;
        let found = found.ok().and_then(Result::ok).unwrap_or_default();
        let Some(found) = found.into_iter().find(|found| found.name == server.name()) else {
            return Err(vec![ControlError::removed(server.name())]);
        };
        turn.folder.clone_from(&found.folder);
        turn.layers.begin(settings);
        let result = self.bring_up(server, &found, &mut turn, Cause::ASKED).await;
        self.after_start(server, result, &mut turn)
    }

    fn after_start(
        &self,
        server: &Arc<WebServer>,
        result: Result<Outcome, Vec<ControlError>>,
        turn: &mut Turn,
    ) -> Started {
        match result {
            Ok(_) => {
                server.status().lock().is_off = false;
                tracing::info!(server = server.name(), "started");
                Ok(())
            }
            Err(errors) => {
                turn.layers.end();
                Err(errors)
            }
        }
    }

    async fn start_host(
        self: &Arc<Self>,
        host: &Arc<WebServer>,
        settings: Vec<Override>,
    ) -> Started {
        let mut turn = self.host_turn.lock().await;
        if host.is_running() {
            return Err(already_running(host));
        }
        turn.layers.begin(settings);
        match self.bring_up_host(host, &mut turn) {
            Ok(_) => {
                host.status().lock().is_off = false;
                tracing::info!(server = host.name(), "started");
                Ok(())
            }
            Err(errors) => {
                turn.layers.end();
                Err(errors)
            }
        }
    }

    async fn finish(self: &Arc<Self>, server: &Arc<WebServer>, wait: bool) -> bool {
        let (was_running, listeners) = match server.kind() {
            Kind::Host => {
                let mut turn = self.host_turn.lock().await;
                self.stop_host(server, &mut turn)
            }
            Kind::Component => {
                let turn = self.turn(server.name());
                let mut turn = turn.lock().await;
                self.stop_component(server, &mut turn)
            }
        };
        let draining = self.finished(server, listeners);
        if wait {
            draining.await;
        } else {
            tokio::spawn(draining);
        }
        was_running
    }

    /// Waits for the end of a stopped server's requests, or cuts them off.
    fn finished(
        &self,
        server: &WebServer,
        listeners: Vec<Held>,
    ) -> impl Future<Output = ()> + Send + 'static {
        let (drain, draining) = (self.drain_timeout, self.drained(listeners));
        // Requests that came by the host's ports have no connections of their own.
        let (processes, legacy) = (server.processes().clone(), server.legacy().clone());
        let ended = async move {
            processes.none().await;
            legacy.closed().await;
        };
        async move {
            let _ = tokio::join!(draining, tokio::time::timeout(drain, ended));
        }
    }

    fn stop_component(&self, server: &Arc<WebServer>, turn: &mut Turn) -> (bool, Vec<Held>) {
        let was_running = server.is_running();
        turn.layers.end();
        turn.end_trial(server);
        server.status().lock().is_off = true;
        if !was_running {
            return (false, Vec::new());
        }
        let listeners = self.displace(server, None, true);
        tracing::info!(server = server.name(), "stopped");
        self.show_next_start(server, turn);
        (true, listeners)
    }

    fn stop_host(&self, host: &Arc<WebServer>, turn: &mut HostTurn) -> (bool, Vec<Held>) {
        let was_running = host.is_running();
        turn.layers.end();
        host.status().lock().is_off = true;
        if !was_running {
            return (false, Vec::new());
        }
        let listeners = self.displace(host, None, true);
        tracing::info!(server = host.name(), "stopped");
        self.show_next_start_of_host(host, turn);
        (true, listeners)
    }

    async fn set_component(
        self: &Arc<Self>,
        server: &Arc<WebServer>,
        settings: &[Override],
        reset: &[String],
    ) -> Result<Changed, SettingsError> {
        Override::check_reset(Scope::Component, reset)?;
        let turn = self.turn(server.name());
        let mut turn = turn.lock().await;
        let reset = &turn.layers.named(reset);
        let layers = turn.layers.with_session(settings, reset);
        // What the next start will have must be right, too.
        Self::component_settings(server, &turn, &layers.at_next_start(&[]))?;
        let in_use = Self::component_settings(server, &turn, &layers.in_use(&[]))?;
        let before = std::mem::replace(&mut turn.layers, layers);
        let is_running = server.is_running();
        if !is_running {
            self.show_next_start(server, &turn);
        } else if let Err(errors) = self.adopt(server, in_use, &mut turn).await {
            turn.layers = before;
            return Err(not_to_be_had(errors));
        }
        Ok(changed(server, is_running, &turn.layers, settings, reset))
    }

    async fn set_host(
        self: &Arc<Self>,
        host: &Arc<WebServer>,
        settings: &[Override],
        reset: &[String],
    ) -> Result<Changed, SettingsError> {
        Override::check_reset(Scope::Host, reset)?;
        let mut turn = self.host_turn.lock().await;
        let reset = &turn.layers.named(reset);
        let layers = turn.layers.with_session(settings, reset);
        // What the next start will have must be right, too.
        self.read_host(&layers.at_next_start(&self.overrides))?;
        let in_use = self.read_host(&layers.in_use(&self.overrides))?;
        let before = std::mem::replace(&mut turn.layers, layers);
        let is_running = host.is_running();
        if !is_running {
            self.show_next_start_of_host(host, &turn);
        } else if let Err(error) = self.adopt_host(host, &in_use, &mut turn) {
            turn.layers = before;
            return Err(not_to_be_had(vec![error]));
        }
        Ok(changed(host, is_running, &turn.layers, settings, reset))
    }
}

/// Options that are right by themselves, but not beside what else there is.
fn not_to_be_had(errors: Vec<ControlError>) -> SettingsError {
    let reasons = errors.into_iter().map(|error| error.message);
    SettingsError::not_to_be_had(Origin::Session, reasons.collect())
}

/// Says of each key whether its value holds now, and keeps those that wait for the next start to be shown.
fn changed(
    server: &WebServer,
    is_running: bool,
    layers: &super::layers::Layers,
    settings: &[Override],
    reset: &[String],
) -> Changed {
    let keys = settings.iter().map(Override::key);
    let keys = keys.chain(reset.iter().map(String::as_str));
    let mut changed = Changed::default();
    for key in keys {
        if is_running && layers.is_in_use(key) {
            changed.live.push(key.to_owned());
        } else {
            changed.pending.push(key.to_owned());
        }
    }
    let mut status = server.status().lock();
    if is_running {
        status.pending.retain(|key| !changed.live.contains(key));
        for key in &changed.pending {
            if !status.pending.contains(key) {
                status.pending.push(key.clone());
            }
        }
    }
    changed
}

fn already_running(server: &WebServer) -> Vec<ControlError> {
    let message = format!(
        "the web server {:?} runs already; stop it first, or set options that hold while it runs",
        server.name()
    );
    vec![ControlError::new(ErrorCode::AlreadyRunning, message)]
}
