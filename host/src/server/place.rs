//! Puts a web server object in its place, and takes it out again: certificate, ports, mount.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::control::{ControlError, ErrorCode};
use super::generations::History;
use super::{Kind, Outcome, Receiver, Reloader, Serving, WebServer};
use crate::listen::{Claim, Held, Port};
use crate::route::Mounts;
use crate::settings::{Listen, Mount, Web, is_inside};
use crate::tls::ServerTls;

/// Ports that are a server's, with the certificate for them.
pub(crate) struct Claimed {
    ports: Claim,
    tls: Option<Arc<ServerTls>>,
}

impl Reloader {
    /// Lets a server serve with `serving`: its ports, then itself, then its mount. After an error all is as before.
    pub(super) fn place(
        &self,
        server: &Arc<WebServer>,
        serving: Serving,
    ) -> Result<Outcome, ControlError> {
        self.place_noted(server, serving, |_| ())
    }

    /// The same, and whoever asks for the generations from then on sees what `note` makes of their history.
    pub(super) fn place_noted(
        &self,
        server: &Arc<WebServer>,
        serving: Serving,
        note: impl FnOnce(&mut History),
    ) -> Result<Outcome, ControlError> {
        let is_ending = self.places.lock();
        if *is_ending {
            let message = "the process is ending";
            return Err(ControlError::new(ErrorCode::Internal, message));
        }
        let mounts = self.mounts_with(server, serving.mount.as_ref())?;
        self.check_keys(server, &serving.web)?;
        let claimed = self.claim(server, &serving.web.listen)?;
        let was_running = server.is_running();
        server.status().lock().mount.clone_from(&serving.mount);
        server.serve_with(serving, note);
        let opened = self.take(server, claimed);
        self.ports.accept(opened);
        self.exchange.set_mounts(mounts);
        Ok(if was_running {
            Outcome::Swapped
        } else {
            Outcome::Started
        })
    }

    /// Opens a server's ports, without answering on them.
    pub(crate) fn claim(
        &self,
        server: &Arc<WebServer>,
        listen: &Listen,
    ) -> Result<Claimed, ControlError> {
        let tls = certificate(server, listen)?;
        let status = server.status().lock();
        let ports = self
            .ports
            .claim(server.name(), listen, tls.as_ref(), &status.listeners)?;
        Ok(Claimed { ports, tls })
    }

    /// Makes a server answer on claimed ports; those held before and not claimed are given back. On what comes back no
    /// connection is accepted yet.
    pub(crate) fn take(&self, server: &Arc<WebServer>, claimed: Claimed) -> Vec<Arc<Port>> {
        let receiver = Arc::new(Receiver {
            exchange: self.exchange.clone(),
            server: server.clone(),
        });
        let mut status = server.status().lock();
        let taken = claimed.ports.take(&receiver, &mut status.listeners);
        let is_same = match (&status.tls, &claimed.tls) {
            (Some(old), Some(new)) => Arc::ptr_eq(old, new),
            _ => false,
        };
        if !is_same {
            // What was wrong with the files of the one before.
            status.certificate_error = None;
        }
        status.tls = claimed.tls;
        drop(status);
        if !taken.given_back.is_empty() {
            tokio::spawn(self.drained(taken.given_back));
        }
        taken.opened
    }

    /// Lets the requests on ports that were given back end, or cuts them off.
    pub(super) fn drained(
        &self,
        listeners: Vec<Held>,
    ) -> impl Future<Output = ()> + Send + 'static {
        let (drain, drains) = (self.drain_timeout, self.drains.subscribe());
        async move {
            let mut draining = JoinSet::new();
            for held in listeners {
                draining.spawn(held.drain(drain));
            }
            while draining.join_next().await.is_some() {}
            drop(drains);
        }
    }

    /// Takes a server out of its place: its ports are given back at once, and it answers nothing any more. What comes
    /// back is to be drained. A server that is only stopped keeps its mount, which answers that it is unavailable.
    pub(super) fn displace(
        &self,
        server: &Arc<WebServer>,
        why: Option<String>,
        keeps_mount: bool,
    ) -> Vec<Held> {
        let _places = self.places.lock();
        let listeners = {
            let mut status = server.status().lock();
            status.tls = None;
            status.certificate_error = None;
            if !keeps_mount {
                status.mount = None;
            }
            std::mem::take(&mut status.listeners)
        };
        for held in &listeners {
            held.leave(&self.ports);
        }
        server.stop_serving(why);
        if !keeps_mount && let Ok(mounts) = self.mounts_with(server, None) {
            self.exchange.set_mounts(mounts);
        }
        listeners
    }

    /// Gives all ports back, for the process is ending: no server gets one from here on. What comes back is to be drained.
    pub(crate) fn end(&self) -> Vec<Held> {
        let mut is_ending = self.places.lock();
        *is_ending = true;
        let mut listeners = Vec::new();
        for server in self.registry.all() {
            listeners.append(&mut server.status().lock().listeners);
        }
        for held in &listeners {
            held.leave(&self.ports);
        }
        listeners
    }

    /// Makes sure that no server has the private key of another one among its files.
    fn check_keys(&self, server: &Arc<WebServer>, web: &Web) -> Result<(), ControlError> {
        let check = |(owner, key): (&WebServer, &Web), (holder, files): (&WebServer, &Web)| {
            let (Some(https), Some(files)) = (&key.listen.https, &files.files) else {
                return Ok(());
            };
            let folder = &https.tls.certificate_folder;
            if !is_inside(folder, &files.root) {
                return Ok(());
            }
            let message = format!(
                "certificateFolder of {}, {}, is in rootFolder of {}: the private key could be fetched; choose another \
                 folder for one of them",
                owner.name(),
                folder.display(),
                holder.name()
            );
            Err(ControlError::new(ErrorCode::Certificate, message))
        };
        for other in self.registry.all() {
            let serving = other.serving().filter(|_| !Arc::ptr_eq(&other, server));
            if let Some(serving) = serving {
                check((server, web), (&other, &serving.web))?;
                check((&other, &serving.web), (server, web))?;
            }
        }
        Ok(())
    }

    /// Keeps the place of a stopped component's next start for it, if it is free: who asks there is told that the
    /// server is stopped. A place that is another's is told by that start.
    pub(super) fn reserve(&self, server: &Arc<WebServer>, mount: Option<&Mount>) {
        let _places = self.places.lock();
        let mount = mount.filter(|mount| self.mounts_with(server, Some(mount)).is_ok());
        if let Ok(mounts) = self.mounts_with(server, mount) {
            server.status().lock().mount = mount.cloned();
            self.exchange.set_mounts(mounts);
        }
    }

    /// All mounts, with that of `server` as it is going to be. Those that are there never contradict each other.
    fn mounts_with(
        &self,
        server: &Arc<WebServer>,
        mount: Option<&Mount>,
    ) -> Result<Mounts, ControlError> {
        let mut mounts = Mounts::default();
        let taken = |mount: &Mount, other: String| {
            let host = mount.host.as_deref().unwrap_or("any host");
            ControlError::new(
                ErrorCode::MountTaken,
                format!(
                    "cannot be mounted at {} of {host}: component {other} is; change [mount] in one of their settings.toml",
                    mount.path
                ),
            )
        };
        for other in self.registry.components() {
            if Arc::ptr_eq(&other, server) {
                continue;
            }
            let mount = other.status().lock().mount.clone();
            if let Some(mount) = mount {
                mounts
                    .add(other, &mount)
                    .map_err(|third| taken(&mount, third))?;
            }
        }
        if let Some(mount) = mount.filter(|_| server.kind() == Kind::Component) {
            mounts
                .add(server.clone(), mount)
                .map_err(|other| taken(mount, other))?;
        }
        Ok(mounts)
    }
}

/// The certificate of a server's HTTPS port; the one in use, if the settings of TLS are the same.
fn certificate(
    server: &WebServer,
    listen: &Listen,
) -> Result<Option<Arc<ServerTls>>, ControlError> {
    let Some(https) = &listen.https else {
        return Ok(None);
    };
    if let Some(tls) = &server.status().lock().tls
        && *tls.settings() == https.tls
    {
        return Ok(Some(tls.clone()));
    }
    match ServerTls::load(&https.tls) {
        Ok(tls) => Ok(Some(Arc::new(tls))),
        Err(error) => Err(ControlError::new(ErrorCode::Certificate, error.to_string())),
    }
}
