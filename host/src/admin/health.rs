//! The health endpoint: a listener of its own on any address, where probes from other machines learn whether the process
//! runs and whether the site is ready, and Prometheus reads the metrics if it may. Nothing else of admin is there.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinHandle};

use super::api::should_run;
use super::entry::check_key;
use super::keeper::Keeper;
use super::problem::Problem;
use super::{ACCEPT_PAUSE, HEAD_BYTES_MAX};
use crate::metrics;
use crate::server::{Registry, Reloader};
use crate::settings;

/// Open connections; with one more the oldest is closed, so that whoever only holds them open keeps no probe out.
const CONNECTIONS_MAX: usize = 64;
/// How long a connection has for its one request.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(10);

/// The health endpoint could not be opened.
#[derive(Debug, thiserror::Error)]
#[error(
    "health: cannot listen at {address}: {source}; choose another with --set admin.health_address=IP:PORT"
)]
pub struct HealthError {
    address: SocketAddr,
    source: io::Error,
}

/// The running health endpoint. Dropping it closes the port and cuts off requests in flight.
pub struct Health {
    address: SocketAddr,
    site: Arc<Site>,
    serving: JoinHandle<()>,
}

/// What it tells of.
struct Site {
    reloader: Arc<Reloader>,
    /// Who has the access key; none where metrics are not told.
    keeper: Option<Arc<Keeper>>,
    started: Instant,
    draining: AtomicBool,
}

impl Health {
    /// Opens the port of the settings, or with `free_port` one that the system picks. Without a keeper there are no metrics.
    ///
    /// # Errors
    ///
    /// When the port cannot be opened.
    pub async fn start(
        settings: &settings::Health,
        keeper: Option<Arc<Keeper>>,
        reloader: Arc<Reloader>,
        free_port: bool,
    ) -> Result<Self, HealthError> {
        let mut address = settings.address;
        if free_port {
            address.set_port(0);
        }
        let failed = |source| HealthError { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let bound = listener.local_addr().map_err(failed)?;
        let site = Arc::new(Site {
            reloader,
            keeper: keeper.filter(|_| settings.metrics),
            started: Instant::now(),
            draining: AtomicBool::new(false),
        });
        Ok(Self {
            address: bound,
            serving: tokio::spawn(serve(listener, site.clone())),
            site,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The paths that it has.
    pub fn paths(&self) -> &'static [&'static str] {
        match self.site.keeper {
            Some(_) => &["/healthz", "/readyz", "/metrics"],
            None => &["/healthz", "/readyz"],
        }
    }

    /// Says from now on that the site is not ready: the process ends after the requests in progress.
    pub fn drain(&self) {
        self.site.draining.store(true, Ordering::Relaxed);
    }
}

impl Drop for Health {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// The names of the web servers that should run and do not; empty when the site is ready.
pub(super) fn missing(registry: &Registry) -> Vec<String> {
    let all = registry.all();
    let missing = all
        .iter()
        .filter(|server| should_run(server) && !server.is_running());
    missing.map(|server| server.name().to_owned()).collect()
}

/// Accepts connections until dropped; owns their tasks, which end with it.
async fn serve(listener: TcpListener, site: Arc<Site>) {
    let mut open = Open::default();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(CONNECTION_TIMEOUT)
        .max_buf_size(HEAD_BYTES_MAX)
        .keep_alive(false);
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "the health endpoint cannot accept connections");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let site = site.clone();
        let service = service_fn(move |request| {
            let site = site.clone();
            async move { Ok::<_, Infallible>(site.answer(&request).await) }
        });
        let connection = http.serve_connection(TokioIo::new(stream), service);
        let connection = tokio::time::timeout(CONNECTION_TIMEOUT, connection);
        open.take(tokio::spawn(async move {
            if let Ok(Err(error)) = connection.await {
                tracing::debug!(%error, "a connection to the health endpoint ended");
            }
        }));
    }
}

/// The tasks of open connections, the oldest first.
#[derive(Default)]
struct Open(VecDeque<AbortHandle>);

impl Open {
    fn take(&mut self, connection: JoinHandle<()>) {
        self.0.retain(|connection| !connection.is_finished());
        if self.0.len() >= CONNECTIONS_MAX
            && let Some(oldest) = self.0.pop_front()
        {
            oldest.abort();
        }
        self.0.push_back(connection.abort_handle());
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        for connection in &self.0 {
            connection.abort();
        }
    }
}

impl Site {
    async fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        let mut response = match self.document(request).await {
            Ok((text, kind)) => {
                let mut response = Response::new(Full::from(text));
                let kind = HeaderValue::from_static(kind);
                response.headers_mut().insert(CONTENT_TYPE, kind);
                response
            }
            Err(problem) => problem.into(),
        };
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        response
    }

    async fn document(
        &self,
        request: &Request<Incoming>,
    ) -> Result<(String, &'static str), Problem> {
        let path = request.uri().path();
        let is_known =
            matches!(path, "/healthz" | "/readyz") || (path == "/metrics" && self.keeper.is_some());
        if !is_known {
            return Err(Problem::nothing_at_health(path));
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Err(Problem::method_not_allowed("GET, HEAD"));
        }
        let json = |status: &str| Ok((json!({"status": status}).to_string(), "application/json"));
        match (path, &self.keeper) {
            ("/metrics", Some(keeper)) => {
                check_key(keeper, request.headers()).await?;
                Ok((self.metrics().await, metrics::CONTENT_TYPE))
            }
            ("/readyz", _) => {
                self.check_ready()?;
                json("ready")
            }
            _ => json("ok"),
        }
    }

    fn check_ready(&self) -> Result<(), Problem> {
        if self.draining.load(Ordering::Relaxed) {
            return Err(Problem::draining());
        }
        match missing(&self.reloader.registry).len() {
            0 => Ok(()),
            // Anybody may ask here, and names are nobody's business.
            count => Err(Problem::not_all_ready(count)),
        }
    }

    async fn metrics(&self) -> String {
        let whole = metrics::Whole {
            registry: &self.reloader.registry,
            reloader: &self.reloader,
            started: self.started,
        };
        metrics::collect(whole).await.finish()
    }
}
