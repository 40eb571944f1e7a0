//! From settings and module to a server that serves, for the host and for components.

use std::sync::Arc;
use std::time::Instant;

use tessera_engine::Generation;

use super::control::{ControlError, ErrorCode};
use super::reload::{HostTurn, Turn};
use super::succession::is_tried;
use super::{Cause, Found, Outcome, Reloaded, Reloader, Serving, WebServer, discover};
use crate::files::{ErrorPages, Pages};
use crate::listen::Port;
use crate::sessions::{LegacySessions, ServerSessions};
use crate::settings::{
    Change, ComponentSettings, Effect, HostSettings, Override, SettingsError, Web,
};
use crate::weblog::WebLog;

impl Reloader {
    /// Loads a component with the settings of its turn, and lets it take over. After an error all is as before.
    pub(super) async fn bring_up(
        self: &Arc<Self>,
        server: &Arc<WebServer>,
        found: &Found,
        turn: &mut Turn,
        cause: Cause,
    ) -> Result<Outcome, Vec<ControlError>> {
        let overrides = turn.layers.in_use(&[]);
        let settings = ComponentSettings::load(&found.name, found.folder.as_deref(), &overrides)
            .map_err(|error| ControlError::of_settings(&error))?;
        let began = Instant::now();
        let (mut draft, component) = self.loader.compile(found, &settings).await;
        let generation = match component {
            Ok(component) => {
                let may_import_more = cause.accepts_new_imports();
                self.successor(server, found, &settings, component, may_import_more)
                    .await
            }
            Err(error) => Err(error.into()),
        };
        draft.took = began.elapsed();
        let number = turn.number + 1;
        let before = server.serving().zip(turn.settings.clone());
        let before = before.map(|before| turn.proven(before));
        let before = before.filter(|before| is_tried(before, &settings.reload));
        let placed = generation.and_then(|generation| {
            let web = with_declared(server, &settings.web, &generation)?;
            let serving = Serving {
                pages: self.pages(server, &settings.web),
                web,
                mount: settings.mount.clone(),
                sessions: self.sessions(server, &settings.web),
                legacy: LegacySessions::new(server.legacy(), settings.web.legacy.as_ref()),
                generation: Some(generation.clone()),
                number,
                properties: settings.properties(),
                error_pages: ErrorPages::default(),
                log: self.log(server, &settings.web),
                debug: self.web_logs.debug_of(server, &settings.web.logs),
            };
            let reserve = before
                .as_ref()
                .and_then(|(before, _)| before.generation.as_ref());
            let outcome = self.place_noted(server, serving, |history| {
                history.add(draft.clone(), number, &generation);
                history.set_reserve(reserve.map(Arc::downgrade).unwrap_or_default());
            })?;
            Ok((outcome, generation))
        });
        let (outcome, generation) = match placed {
            Ok(placed) => placed,
            Err(error) => {
                server.history().lock().refuse(draft, error.message.clone());
                return Err(vec![error]);
            }
        };
        turn.number = number;
        turn.taken_back = None;
        turn.trial = before.map(|before| self.trial(server, &generation, before, &settings.reload));
        turn.settings = Some(settings);
        server.status().lock().fingerprint = Some(found.fingerprint.clone());
        Ok(outcome)
    }

    /// Lets a running component serve with other settings. Its instances stay, unless the settings are about them. What
    /// cannot be had leaves the old ones in use.
    pub(super) async fn adopt(
        self: &Arc<Self>,
        server: &Arc<WebServer>,
        settings: ComponentSettings,
        turn: &mut Turn,
    ) -> Result<Outcome, Vec<ControlError>> {
        let serving = server.serving();
        let same = turn
            .settings
            .as_ref()
            .is_some_and(|old| makes_same_instances(old, &settings));
        let Some(serving) = serving.filter(|_| same) else {
            return match self.found(server.name()).await {
                Some(found) if turn.taken_back.as_ref() == Some(&found.fingerprint) => {
                    Err(vec![ControlError::taken_back(server.name())])
                }
                Some(found) => self.bring_up(server, &found, turn, Cause::Settings).await,
                None => Err(vec![ControlError::removed(server.name())]),
            };
        };
        let web = match &serving.generation {
            Some(generation) => with_declared(server, &settings.web, generation),
            None => Ok(settings.web.clone()),
        };
        let next = Serving {
            pages: self.pages(server, &settings.web),
            web: web.map_err(|error| vec![error])?,
            mount: settings.mount.clone(),
            sessions: self.sessions(server, &settings.web),
            legacy: LegacySessions::new(server.legacy(), settings.web.legacy.as_ref()),
            generation: serving.generation.clone(),
            number: serving.number,
            properties: settings.properties(),
            error_pages: ErrorPages::default(),
            log: self.log(server, &settings.web),
            debug: self.web_logs.debug_of(server, &settings.web.logs),
        };
        let error = server.error();
        // Whoever changes something now looks after it: the version before would bring its old settings along.
        turn.end_trial(server);
        let outcome = self.place(server, next).map_err(|error| vec![error])?;
        // The module on disk is as wrong as before.
        server.status().lock().error = error;
        turn.settings = Some(settings);
        Ok(outcome)
    }

    /// Reads `tessera.toml` again, and lets the host's web server serve with it.
    pub(super) async fn reload_host(&self) -> Reloaded {
        let host = self.registry.host();
        let mut turn = self.host_turn.lock().await;
        let outcome = self.refresh_host(&host, &mut turn);
        self.note(host.name(), &outcome);
        Reloaded {
            name: host.name().to_owned(),
            outcome,
        }
    }

    fn refresh_host(&self, host: &Arc<WebServer>, turn: &mut HostTurn) -> Outcome {
        let is_running = host.is_running();
        let newer = match self.read_host(&turn.layers.in_use(&self.overrides)) {
            Ok(newer) => newer,
            Err(error) => {
                tracing::error!("the settings in use stay: {error}");
                host.status().lock().error = Some(error.to_string());
                return Outcome::Failed(error.to_string());
            }
        };
        host.status().lock().error = None;
        if !is_running {
            self.show_next_start_of_host(host, turn);
            return Outcome::Unchanged;
        }
        let changes = turn.settings.changes(&newer);
        let of_process = |change: &&Change| change.effect == Effect::ProcessRestart;
        for change in changes.iter().filter(of_process) {
            tracing::warn!(
                setting = change.key,
                "changed, but takes effect when the process is started again"
            );
        }
        if changes
            .iter()
            .all(|change| change.effect == Effect::ProcessRestart)
        {
            return Outcome::Unchanged;
        }
        match self.adopt_host(host, &newer, turn) {
            Ok(outcome) => outcome,
            Err(error) => {
                tracing::error!("the settings in use stay: {}", error.message);
                host.status().lock().error = Some(error.message.clone());
                Outcome::Failed(error.message)
            }
        }
    }

    /// Lets the running host's web server serve with other settings. What cannot be had leaves the old ones in use.
    pub(super) fn adopt_host(
        &self,
        host: &Arc<WebServer>,
        newer: &HostSettings,
        turn: &mut HostTurn,
    ) -> Result<Outcome, ControlError> {
        let mut settings = turn.settings.clone();
        settings.adopt(newer);
        let outcome = self.place(host, self.host_serving(&settings, turn.next_number()))?;
        turn.settings = settings;
        Ok(outcome)
    }

    /// Makes the host's web server ready at the start of the process: its ports are opened, and on what comes back no
    /// connection is accepted yet. One that does not launch at startup is only shown.
    pub(crate) fn launch_host(
        &self,
        settings: &HostSettings,
    ) -> Result<Vec<Arc<Port>>, ControlError> {
        let host = self.registry.host();
        // Components have a share in it whether or not the host serves.
        self.exchange.caches().share(&settings.web.cache);
        if !settings.web.launch_at_startup {
            let mut status = host.status().lock();
            status.is_off = true;
            status.stored = settings.properties();
            return Ok(Vec::new());
        }
        let claimed = self.claim(&host, &settings.web.listen)?;
        let opened = self.take(&host, claimed);
        host.serve_with(self.host_serving(settings, 1), |_| ());
        Ok(opened)
    }

    /// Starts the host's web server with the settings of its turn.
    pub(super) fn bring_up_host(
        &self,
        host: &Arc<WebServer>,
        turn: &mut HostTurn,
    ) -> Result<Outcome, Vec<ControlError>> {
        let newer = self
            .read_host(&turn.layers.in_use(&self.overrides))
            .map_err(|error| ControlError::of_settings(&error))?;
        let mut settings = turn.settings.clone();
        settings.adopt(&newer);
        let serving = self.host_serving(&settings, turn.next_number());
        let outcome = self.place(host, serving).map_err(|error| vec![error])?;
        turn.settings = settings;
        Ok(outcome)
    }

    pub(super) fn read_host(&self, overrides: &[Override]) -> Result<HostSettings, SettingsError> {
        HostSettings::load(&self.site, overrides)
    }

    /// Reads the settings of a component as it was found last.
    pub(super) fn component_settings(
        server: &WebServer,
        turn: &Turn,
        overrides: &[Override],
    ) -> Result<ComponentSettings, SettingsError> {
        ComponentSettings::load(server.name(), turn.folder.as_deref(), overrides)
    }

    /// Lets a component that does not run show the values of its next start, and keeps its place if it is stopped by
    /// hand. Wrong settings are told by that start.
    pub(super) fn show_next_start(&self, server: &Arc<WebServer>, turn: &Turn) {
        let overrides = turn.layers.at_next_start(&[]);
        let Ok(settings) = Self::component_settings(server, turn, &overrides) else {
            return;
        };
        let is_off = {
            let mut status = server.status().lock();
            status.stored = settings.properties();
            status.pending.clear();
            status.is_off
        };
        if is_off {
            self.reserve(server, settings.mount.as_ref());
        }
    }

    /// Lets the stopped host show the values of its next start.
    pub(super) fn show_next_start_of_host(&self, host: &WebServer, turn: &HostTurn) {
        let overrides = turn.layers.at_next_start(&self.overrides);
        if let Ok(settings) = self.read_host(&overrides) {
            let mut status = host.status().lock();
            status.stored = settings.properties();
            status.pending.clear();
        }
    }

    /// What the host serves with.
    fn host_serving(&self, settings: &HostSettings, number: u64) -> Serving {
        self.exchange.caches().share(&settings.web.cache);
        Serving {
            pages: self.pages(&self.registry.host(), &settings.web),
            web: settings.web.clone(),
            mount: None,
            sessions: self.sessions(&self.registry.host(), &settings.web),
            // No code of its own runs, which a session could keep.
            legacy: None,
            generation: None,
            number,
            properties: settings.properties(),
            error_pages: ErrorPages::default(),
            log: self.log(&self.registry.host(), &settings.web),
            debug: self
                .web_logs
                .debug_of(&self.registry.host(), &settings.web.logs),
        }
    }

    /// The access log of a web server, if it writes one.
    pub(super) fn log(&self, server: &WebServer, web: &Web) -> Option<Arc<WebLog>> {
        self.web_logs.of(server, &web.logs)
    }

    pub(super) fn pages(&self, server: &WebServer, web: &Web) -> Option<Pages> {
        let files = web.files.as_ref()?;
        let caches = self.exchange.caches();
        let pages = caches.pages(server.name(), files, &web.cache);
        Some(pages.counting(server.traffic().reads()))
    }

    /// The sessions of a web server; where nothing about them has changed those that it has.
    fn sessions(&self, server: &WebServer, web: &Web) -> Option<Arc<ServerSessions>> {
        let before = server.serving();
        let before = before
            .as_ref()
            .and_then(|serving| serving.sessions.as_ref());
        ServerSessions::new(
            server.shared_name(),
            &web.sessions,
            &self.session_stores,
            before,
        )
    }

    async fn found(&self, name: &str) -> Option<Found> {
        let site = self.site.clone();
        let found = tokio::task::spawn_blocking(move || discover(&site)).await;
        let found = found.ok()?.ok()?;
        found.into_iter().find(|found| found.name == name)
    }
}

/// Whether instances made by one are as good as those made by the other.
fn makes_same_instances(one: &ComponentSettings, other: &ComponentSettings) -> bool {
    one.pool == other.pool
        && one.limits == other.limits
        && one.environment == other.environment
        && one.grants == other.grants
        && one.permissions == other.permissions
}

/// The settings of a component's web server, with the handlers that it declares after its own.
fn with_declared(
    server: &WebServer,
    web: &Web,
    generation: &Generation,
) -> Result<Web, ControlError> {
    let mut web = web.clone();
    if !generation.handlers().is_empty() {
        let all = web.requests.handlers.with_declared(generation.handlers());
        web.requests.handlers = all.map_err(|reason| {
            let message = format!("the handlers that {} declares: {reason}", server.name());
            ControlError::new(ErrorCode::Component, message)
        })?;
    }
    Ok(web)
}
