//! The admin endpoint: its own listener on a loopback address, closed unless an access key opens it.

mod access;
mod api;
mod body;
mod control;
mod deploy;
mod discovery;
mod entry;
mod guard;
mod health;
mod info;
mod json;
mod keeper;
mod openapi;
mod page;
mod problem;
mod query;
#[cfg(test)]
mod reference;
mod route;
#[cfg(test)]
mod route_tests;
mod running;
mod sessions;
mod statistics;
mod tail;
mod throttle;

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};

use api::Api;
use deploy::Deploying;
use discovery::Published;
use page::Page;

use crate::server::{Registry, Reloader};
use crate::settings;

pub use access::{KEY_FILE, KeyError, KeyOrigin};
pub use discovery::Discovery;
pub use health::{Health, HealthError};
pub use keeper::{Admitted, Keeper};
pub use running::running_sites;

/// The folder of a site that Tessera writes its own files into.
pub const STATE_FOLDER: &str = ".tessera";

/// Ports after the one of the settings that are tried when it is busy.
const FURTHER_PORTS: u16 = 20;
/// Open connections: a person, a few scripts and a monitor, with room to spare.
const CONNECTIONS_MAX: usize = 128;
/// Also how long a connection may be idle between requests.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of a request's head; the least that hyper takes is 8 KiB.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// What requests in flight get when the host stops.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);
/// Pause after accepting failed, as when the process has no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The admin endpoint could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The port and all that were tried after it are taken.
    #[error(
        "admin: no free port from {first} to {last}: free one, or choose another with --set admin.address=127.0.0.1:PORT"
    )]
    Busy {
        /// The address of the settings.
        first: SocketAddr,
        /// The last port that was tried.
        last: u16,
    },
    /// The address cannot be listened at.
    #[error(
        "admin: cannot listen at {address}: {source}; choose another with --set admin.address=127.0.0.1:PORT"
    )]
    Bind {
        /// The address that was tried.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// `admin.json` cannot be written.
    #[error(
        "admin: the command line could not find this host, for {folder} cannot be written to: {source}"
    )]
    Publish {
        /// The folder of the file.
        folder: std::path::PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// The running admin endpoint. Dropping it closes the port and cuts off requests in flight.
pub struct Admin {
    address: SocketAddr,
    api: Arc<Api>,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
    _published: Published,
}

impl Admin {
    /// Opens the port of the settings, or one of the next 20 if it is busy, or with `free_port` one that the system
    /// picks; tells the command line where it is.
    ///
    /// # Errors
    ///
    /// When there is no port, or when the command line cannot be told.
    pub async fn start(
        settings: &settings::Admin,
        state_folder: &Path,
        keeper: Arc<Keeper>,
        registry: Arc<Registry>,
        reloader: Arc<Reloader>,
        free_port: bool,
    ) -> Result<Self, AdminError> {
        let mut wanted = settings.address;
        if free_port {
            wanted.set_port(0);
        }
        let (listener, address) = bind(wanted).await?;
        let published =
            Published::write(state_folder, address).map_err(|source| AdminError::Publish {
                folder: state_folder.to_owned(),
                source,
            })?;
        let (stop, stopped) = watch::channel(false);
        let api = Arc::new(Api {
            keeper,
            registry,
            deploying: Deploying::new(&reloader.site),
            reloader,
            started: Instant::now(),
            draining: AtomicBool::new(false),
            page: Page::new(address.port()),
            stopped: stopped.clone(),
        });
        Ok(Self {
            address,
            stop,
            serving: tokio::spawn(serve(listener, api.clone(), stopped)),
            api,
            _published: published,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the access key came from; a generated one is in it.
    pub fn key_origin(&self) -> &KeyOrigin {
        self.api.keeper.origin()
    }

    /// Says from now on that the site is not ready: the process ends after the requests in progress.
    pub fn drain(&self) {
        self.api.draining.store(true, Ordering::Relaxed);
    }

    /// Closes the port, and gives requests in flight a second. When dropped midway, they are cut off at once.
    pub async fn stop(mut self) {
        // Fails when the task has ended already.
        let _ = self.stop.send(true);
        if let Err(error) = (&mut self.serving).await {
            tracing::error!(%error, "the admin endpoint broke");
        }
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn bind(wanted: SocketAddr) -> Result<(TcpListener, SocketAddr), AdminError> {
    let last = match wanted.port() {
        0 => 0,
        port => port.saturating_add(FURTHER_PORTS),
    };
    for port in wanted.port()..=last {
        let address = SocketAddr::new(wanted.ip(), port);
        let bound = TcpListener::bind(address)
            .await
            .and_then(|listener| listener.local_addr().map(|bound| (listener, bound)));
        match bound {
            Ok((listener, bound)) => {
                if port != wanted.port() {
                    tracing::warn!(busy = %wanted, taken = %bound, "the admin port is busy: another was taken");
                }
                return Ok((listener, bound));
            }
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            Err(source) => return Err(AdminError::Bind { address, source }),
        }
    }
    Err(AdminError::Busy {
        first: wanted,
        last,
    })
}

/// Accepts connections until told to stop; owns their tasks, which end with it.
async fn serve(listener: TcpListener, api: Arc<Api>, mut stopped: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(HEAD_BYTES_MAX);
    loop {
        let accepting = async {
            let place = places.clone().acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            accepted = accepting => accepted,
            _ = stopped.changed() => break,
        };
        while connections.try_join_next().is_some() {}
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "admin cannot accept connections");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let api = api.clone();
        let service = service_fn(move |request| api.clone().answer(request));
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        connections.spawn(async move {
            let _place = place;
            if let Err(error) = connection.await {
                tracing::debug!(%error, "admin connection ended");
            }
        });
    }
    drop(listener);
    // What is still running after that is cut off when `connections` is dropped.
    let _ = tokio::time::timeout(DRAIN_TIMEOUT, graceful.shutdown()).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_busy_port_is_passed_over() {
        let (first, address) = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let (_second, next) = bind(address).await.unwrap();
        assert!(next.port() > address.port() && next.port() - address.port() <= FURTHER_PORTS);
        drop(first);
    }

    #[tokio::test]
    async fn an_address_of_another_machine_is_an_error_at_once() {
        let error = bind("192.0.2.1:7080".parse().unwrap()).await.unwrap_err();
        assert!(matches!(error, AdminError::Bind { .. }), "{error}");
    }
}
