//! From one generation of a component to the next: what a new version must pass before it takes over, and how the one
//! before comes back if it fails its trial.

use std::sync::{Arc, Weak};

use ::http::header::{HOST, USER_AGENT};
use ::http::{HeaderMap, HeaderValue, StatusCode};
use tessera_engine::{
    Call, Component, ComponentInfo, Generation, Peer, ProcessError, Target, TrialReport,
    new_imports,
};
use tokio::task::JoinHandle;

use super::control::{ControlError, ErrorCode};
use super::generations::History;
use super::reload::Turn;
use super::{Folder, Found, Reloader, Serving, WebServer};
use crate::files::ErrorPages;
use crate::response;
use crate::route::{Special, special};
use crate::settings::{ComponentSettings, Reload};

/// What a generation that was just swapped in is watched with.
pub(crate) struct Trial {
    newcomer: Weak<Generation>,
    /// What comes back if the newcomer fails, and the settings it was made by.
    before: Arc<Serving>,
    settings: ComponentSettings,
    rules: Reload,
    task: JoinHandle<()>,
}

impl Drop for Trial {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Reloader {
    /// Makes a component ready to take over: it imports no more than it may, and answers its probe. Nothing of it runs
    /// before its imports are known to be wanted.
    pub(super) async fn successor(
        &self,
        server: &Arc<WebServer>,
        found: &Found,
        settings: &ComponentSettings,
        component: Component,
        may_import_more: bool,
    ) -> Result<Arc<Generation>, ControlError> {
        if !may_import_more && !settings.reload.accept_new_imports {
            check_imports(server, found, component.info())?;
        }
        let directory = self.registry.clone();
        let generation = self
            .loader
            .generation(found, settings, component, directory)
            .await?;
        if let Some(url) = &settings.reload.probe {
            self.probe(server, settings, &generation, url)
                .await
                .map_err(|reason| {
                    let message = format!(
                        "{}: does not take over, for [reload] probe {url:?} {reason}",
                        found.module.display()
                    );
                    ControlError::new(ErrorCode::Component, message)
                })?;
        }
        Ok(generation)
    }

    /// Asks a generation that does not serve yet.
    async fn probe(
        &self,
        server: &WebServer,
        settings: &ComponentSettings,
        generation: &Arc<Generation>,
        url: &str,
    ) -> Result<(), String> {
        let target = probe_target(generation, url)?;
        let mut call = probe_call(self.exchange.next_id(), server, url);
        call.folder = Some(Arc::new(Folder {
            pages: self.pages(server, &settings.web),
            charset: settings.web.responses.charset,
        }));
        match generation.run(call, target).await {
            Ok(answer) => {
                let response = response::from_answer(answer, &settings.web.responses);
                judge_probe(response.status())
            }
            Err(ProcessError::Unauthorized { answer, .. }) => {
                judge_probe(answer.status.unwrap_or(StatusCode::UNAUTHORIZED))
            }
            Err(error) => Err(format!("failed: {error}")),
        }
    }

    /// Watches the first requests of a generation that has just taken over from `before`.
    pub(super) fn trial(
        self: &Arc<Self>,
        server: &Arc<WebServer>,
        generation: &Arc<Generation>,
        before: (Arc<Serving>, ComponentSettings),
        rules: &Reload,
    ) -> Trial {
        let (before, settings) = before;
        let (reloader, watched) = (Arc::downgrade(self), server.clone());
        let tally = generation.tally().clone();
        let newcomer = Arc::downgrade(generation);
        let task = tokio::spawn(async move {
            loop {
                let report = tally.trial_news().await;
                let Some(reloader) = reloader.upgrade() else {
                    return;
                };
                reloader.judge(&watched, &newcomer, report).await;
            }
        });
        Trial {
            newcomer: Arc::downgrade(generation),
            before,
            settings,
            rules: rules.clone(),
            task,
        }
    }

    /// Ends the trial of a generation that has passed, or takes it back if it has not.
    async fn judge(
        self: &Arc<Self>,
        server: &Arc<WebServer>,
        newcomer: &Weak<Generation>,
        report: TrialReport,
    ) {
        let turn = self.turn(server.name());
        let mut turn = turn.lock().await;
        // From here on nothing is waited for: the trial's end is that of the task which runs this.
        let is_it = |trial: &mut Trial| Weak::ptr_eq(&trial.newcomer, newcomer);
        let Some(trial) = turn.trial.take_if(is_it) else {
            return;
        };
        if report.traps >= trial.rules.rollback_after_traps {
            self.take_back(server, &mut turn, &trial, report);
        } else if report.is_over {
            server.history().lock().set_reserve(Weak::new());
            tracing::info!(
                server = server.name(),
                requests = report.requests,
                traps = report.traps,
                "the new version has passed its trial"
            );
        } else {
            turn.trial = Some(trial);
        }
    }

    /// Lets the version before serve again.
    fn take_back(
        &self,
        server: &Arc<WebServer>,
        turn: &mut Turn,
        trial: &Trial,
        report: TrialReport,
    ) {
        let serving = server.serving();
        let (Some(serving), Some(newcomer)) = (serving, trial.newcomer.upgrade()) else {
            server.history().lock().set_reserve(Weak::new());
            return;
        };
        if let Some(generation) = &trial.before.generation {
            generation.revive();
        }
        let name = server.name();
        let error = format!(
            "generation {} was taken back: {} of its first {} requests trapped ([reload] rollback_after_traps = {}); \
             generation {} serves again; replace the module, or try this one again with `tessera reload {name}`",
            serving.number,
            report.traps,
            report.requests,
            trial.rules.rollback_after_traps,
            trial.before.number,
        );
        let again = self.again(server, &trial.before);
        let note = |history: &mut History| {
            history.take_back(&newcomer, &error);
            history.set_reserve(Weak::new());
        };
        if let Err(error) = self.place_noted(server, again, note) {
            tracing::error!(
                server = name,
                "the new version traps, and the one before cannot come back: {}",
                error.message
            );
            server.history().lock().set_reserve(Weak::new());
            return;
        }
        tracing::error!(server = name, "{error}");
        turn.settings = Some(trial.settings.clone());
        let mut status = server.status().lock();
        turn.taken_back.clone_from(&status.fingerprint);
        status.error = Some(error);
    }

    /// What a server served with, to be served with once more.
    fn again(&self, server: &WebServer, before: &Serving) -> Serving {
        Serving {
            pages: self.pages(server, &before.web),
            web: before.web.clone(),
            mount: before.mount.clone(),
            sessions: before.sessions.clone(),
            legacy: before.legacy.clone(),
            generation: before.generation.clone(),
            number: before.number,
            properties: before.properties.clone(),
            error_pages: ErrorPages::default(),
            log: self.log(server, &before.web),
            debug: self.web_logs.debug_of(server, &before.web.logs),
        }
    }
}

impl Turn {
    /// What comes back if the next version fails its trial, given what serves now: where that is on trial itself, the one
    /// that was proven before it.
    pub(super) fn proven(
        &self,
        now: (Arc<Serving>, ComponentSettings),
    ) -> (Arc<Serving>, ComponentSettings) {
        match &self.trial {
            Some(trial) => (trial.before.clone(), trial.settings.clone()),
            None => now,
        }
    }

    /// Ends a trial without a verdict: the version before does not come back.
    pub(super) fn end_trial(&mut self, server: &WebServer) {
        if self.trial.take().is_some() {
            server.history().lock().set_reserve(Weak::new());
        }
    }
}

/// Whether what takes over from `before` is on trial.
pub(super) fn is_tried(before: &(Arc<Serving>, ComponentSettings), rules: &Reload) -> bool {
    rules.trial_requests > 0 && before.0.generation.is_some()
}

/// A running component must not come to import more without anybody's knowing.
fn check_imports(
    server: &WebServer,
    found: &Found,
    next: &ComponentInfo,
) -> Result<(), ControlError> {
    let Some(serving) = server.serving() else {
        return Ok(());
    };
    let Some(generation) = &serving.generation else {
        return Ok(());
    };
    let new = new_imports(&generation.info().imports, &next.imports);
    if new.is_empty() {
        return Ok(());
    }
    let message = format!(
        "{}: imports what the version before does not: {}; generation {} goes on serving; accept this version with \
         `tessera reload --accept {name}`, or every later one with accept_new_imports = true under [reload] in \
         components/{name}/settings.toml",
        found.module.display(),
        new.join(", "),
        serving.number,
        name = found.name,
    );
    Err(ControlError::new(ErrorCode::Component, message))
}

fn probe_target(generation: &Generation, url: &str) -> Result<Target, String> {
    let path = url.split_once('?').map_or(url, |(path, _)| path);
    match special(path) {
        Some(Special::Action { method, parameter }) => match generation.method(&method) {
            Some(method) => Ok(Target::Method {
                name: method.name.clone(),
                parameter,
                is_handler: false,
            }),
            None => Err(format!("asks for a method that there is not: {method}")),
        },
        _ if generation.info().hooks.connection => Ok(Target::Connection),
        _ => Err("asks for On Web Connection, which there is not".to_owned()),
    }
}

fn probe_call(id: u64, server: &WebServer, url: &str) -> Call {
    let mut headers = HeaderMap::new();
    headers.insert(HOST, HeaderValue::from_static("localhost"));
    headers.insert(USER_AGENT, HeaderValue::from_static("tessera-probe"));
    let here = [127, 0, 0, 1].into();
    let peer = Peer {
        client: here,
        server: here,
        secured: false,
    };
    let name = server.shared_name();
    Call::get(id, url.to_owned(), headers.into(), peer, name)
}

fn judge_probe(status: StatusCode) -> Result<(), String> {
    if status.is_success() || status.is_redirection() {
        Ok(())
    } else {
        Err(format!("answered {}", status.as_u16()))
    }
}
