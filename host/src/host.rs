//! The process as a whole, from its first start to its last drain.

use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tessera_engine::{CoreDumpOptions, Engine, EngineError, EngineOptions};
use tokio::sync::{Semaphore, watch};

use crate::admin::{Admin, AdminError, Health, HealthError, Keeper, KeyError};
use crate::auth::{Guard, NoRandomNumbers};
use crate::connection::Patience;
use crate::exchange::Exchange;
use crate::listen::{ClientCounts, ConnectionLimits, Inherited, Ports, provide_descriptors};
use crate::memory;
use crate::metrics::ConnectionCounts;
use crate::notify::{ServiceManager, Watchdog};
use crate::outbound::{Clients, Roots};
use crate::pressure::Pressure;
use crate::server::{
    Cause, Certificates, ControlError, HostTurn, Kind, Loader, Registry, Reloader, Stores,
    WatchError, Watcher, WebServer,
};
use crate::sessions::{SessionStores, Upkeep};
use crate::settings::{HostSettings, Override};
use crate::site::{self, SiteError};
use crate::traces::{Exporting, Traces};
use crate::weblog::WebLogs;

/// Longest wait for components to load before the host begins to answer without them.
const LOADING_TIME_MAX: Duration = Duration::from_secs(10);
/// Part of the machine's memory that all instances together may take: a half.
const MEMORY_SHARE: u64 = 2;

/// How a site is run.
#[derive(Debug)]
pub struct HostOptions {
    /// Its settings.
    pub settings: HostSettings,
    /// What stands above `tessera.toml`, also when it is read again.
    pub overrides: Vec<Override>,
    /// Development mode: error pages show what failed.
    pub development: bool,
    /// Every listener takes a port that the system picks.
    pub free_ports: bool,
    /// Sockets that the service manager opened.
    pub inherited: Inherited,
    /// The service manager, if it wants to be told anything.
    pub service: Option<Arc<ServiceManager>>,
}

/// The site could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The folder cannot be served.
    #[error(transparent)]
    Site(#[from] SiteError),
    /// The engine could not be made.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The authorities that components' requests trust could not be read.
    #[error("{0}")]
    Roots(String),
    /// What the collector of traces is to be sent could not be read.
    #[error("{0}")]
    Traces(String),
    /// The host's web server could not be started: a port, or a certificate.
    #[error("{}", .0.message)]
    Server(ControlError),
    /// The admin endpoint could not be opened.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// The health endpoint could not be opened.
    #[error(transparent)]
    Health(#[from] HealthError),
    /// The access key could not be read or made.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// There are no random numbers.
    #[error(transparent)]
    Guard(#[from] NoRandomNumbers),
    /// The components cannot be watched.
    #[error(transparent)]
    Watch(#[from] WatchError),
}

/// A running site.
pub struct Host {
    registry: Arc<Registry>,
    reloader: Arc<Reloader>,
    admin: Option<Admin>,
    health: Option<Health>,
    exporting: Option<Exporting>,
    watcher: Watcher,
    certificates: Certificates,
    pressure: Pressure,
    /// Takes away sessions that have expired.
    _upkeep: Upkeep,
    /// Tells the service manager that the process is alive.
    _watchdog: Option<Watchdog>,
    drain_timeout: Duration,
    /// Held as long as the site is served.
    _lock: File,
}

/// Lets components reach the servers of the process: by requests, and by what they may start and stop.
fn connect(reloader: &Arc<Reloader>) {
    let runtime = tokio::runtime::Handle::current();
    let (loader, exchange) = (&reloader.loader, &reloader.exchange);
    loader.clients().connect(exchange, runtime.clone());
    loader.steering().connect(reloader, runtime);
}

impl Host {
    /// Starts a site: ports first, so that a wrong one is known at once; then the components; then it answers.
    pub async fn start(options: HostOptions) -> Result<Self, StartError> {
        let HostOptions {
            settings,
            overrides,
            development,
            free_ports,
            inherited,
            service,
        } = options;
        let site = settings.site.clone();
        let server = WebServer::new(&site::name(&site), Kind::Host);
        provide_descriptors(settings.connections.max);
        let limits = connection_limits(&settings);
        let inherited_addresses = inherited.addresses();
        let ports = Ports::new(limits, free_ports, inherited);
        let state_folder = site::prepare(&settings)?;
        let lock = site::lock(&site, &state_folder)?;

        let clients = clients(&settings)?;
        let engine = engine(&settings, &state_folder)?;
        let registry = Arc::new(Registry::new(server.clone()));
        let keeper = keeper(&settings, &state_folder).await?;
        let guard = Guard::new(&state_folder)?;
        let (traces, exporting) = traces(&settings, &clients)?.unzip();
        let exchange = Exchange::new(development, registry.clone(), keeper.clone(), guard, traces);
        let exchange = Arc::new(exchange);
        let session_stores = SessionStores::new(state_folder.clone());
        let drain_timeout = settings.connections.drain_timeout;
        server.status().lock().has_access_key = settings.admin.is_some();
        let reloader = Arc::new(Reloader {
            site: site.clone(),
            overrides,
            registry: registry.clone(),
            loader: Loader::new(engine, Stores::new(state_folder.clone()), clients),
            exchange,
            ports,
            session_stores: session_stores.clone(),
            web_logs: WebLogs::new(&site),
            drain_timeout,
            service,
            host_turn: tokio::sync::Mutex::new(HostTurn::new(settings.clone())),
            turns: Mutex::default(),
            places: Mutex::default(),
            drains: watch::Sender::new(()),
        });
        connect(&reloader);
        // Ports first, so that a wrong one is known before anything else is begun.
        let opened = reloader
            .launch_host(&settings)
            .map_err(StartError::Server)?;

        let watcher = Watcher::start(&site, reloader.clone())?;
        let certificates = Certificates::watch(reloader.registry.clone());
        load_components(&reloader).await;
        reloader.ports.accept(opened);
        warn_of_unused(&inherited_addresses, &registry);
        // Before admin says where it is: a port that is taken ends the start.
        let health = health(&settings, keeper.clone(), &reloader, free_ports).await?;
        let admin = admin(&settings, keeper, &reloader, &state_folder, free_ports).await?;
        Ok(Self {
            pressure: watch_memory(&settings, &reloader),
            _watchdog: watchdog(&reloader),
            _upkeep: session_stores.keep_tidy(),
            registry,
            reloader,
            admin,
            health,
            exporting,
            watcher,
            certificates,
            drain_timeout,
            _lock: lock,
        })
    }

    /// The web server objects.
    pub fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    /// Brings the servers into line with the files.
    pub fn reloader(&self) -> &Arc<Reloader> {
        &self.reloader
    }

    /// The admin endpoint, if it is on.
    pub fn admin(&self) -> Option<&Admin> {
        self.admin.as_ref()
    }

    /// The health endpoint, if it is on.
    pub fn health(&self) -> Option<&Health> {
        self.health.as_ref()
    }

    /// The access logs of all its web servers.
    pub fn web_logs(&self) -> &Arc<WebLogs> {
        &self.reloader.web_logs
    }

    /// Components compiled since the start, and components whose compiled code was found on disk.
    pub fn load_counts(&self) -> (u32, u32) {
        self.reloader.loader.counts()
    }

    /// Closes all ports and ends all connections after their requests, or after the drain timeout. Dropping the future
    /// leaves the rest to the end of the process.
    pub async fn stop(self) {
        drop((self.watcher, self.certificates, self.pressure));
        if let Some(admin) = &self.admin {
            admin.drain();
        }
        if let Some(health) = &self.health {
            health.drain();
        }
        let mut stopping = tokio::task::JoinSet::new();
        for held in self.reloader.end() {
            stopping.spawn(held.drain(self.drain_timeout));
        }
        // Of servers that were stopped before, and ports that a reload gave back.
        let (reloader, drain_timeout) = (self.reloader.clone(), self.drain_timeout);
        stopping.spawn(async move {
            let _ = tokio::time::timeout(drain_timeout, reloader.drains.closed()).await;
        });
        for server in self.registry.all() {
            // Instances that sessions keep are told of their end.
            server.legacy().keep_only(None, None);
            stopping.spawn(async move {
                let ended = async {
                    server.processes().none().await;
                    server.legacy().closed().await;
                };
                let _ = tokio::time::timeout(drain_timeout, ended).await;
            });
        }
        while stopping.join_next().await.is_some() {}
        if let Some(admin) = self.admin {
            admin.stop().await;
        }
        drop(self.health);
        if let Some(exporting) = self.exporting {
            exporting.finish().await;
        }
        let (stores, logs) = (
            self.reloader.session_stores.clone(),
            self.reloader.web_logs.clone(),
        );
        let flush = move || {
            stores.flush();
            logs.flush();
        };
        let _ = tokio::task::spawn_blocking(flush).await;
    }
}

/// Who has the access key, from the first request on.
async fn keeper(
    settings: &HostSettings,
    state_folder: &Path,
) -> Result<Option<Arc<Keeper>>, KeyError> {
    let Some(admin) = &settings.admin else {
        return Ok(None);
    };
    let keeper = Keeper::open(state_folder, admin.access_key.as_ref()).await?;
    Ok(Some(Arc::new(keeper)))
}

fn engine(settings: &HostSettings, state_folder: &Path) -> Result<Arc<Engine>, EngineError> {
    Engine::new(&EngineOptions {
        instances: settings.engine.instances_max,
        memory: memory::available() / MEMORY_SHARE,
        code_cache: settings
            .engine
            .code_cache
            .then(|| state_folder.join("code")),
        spill_folder: state_folder.to_owned(),
        core_dumps: (settings.engine.core_dumps > 0).then(|| CoreDumpOptions {
            folder: state_folder.join("dumps"),
            kept: settings.engine.core_dumps as usize,
        }),
    })
}

/// What is recorded of requests, if the settings say where to send it.
fn traces(
    settings: &HostSettings,
    clients: &Clients,
) -> Result<Option<(Arc<Traces>, Exporting)>, StartError> {
    let Some(settings) = &settings.traces else {
        return Ok(None);
    };
    let seed = getrandom::u64().map_err(|_| NoRandomNumbers)?;
    let started = Traces::start(settings, clients, seed);
    started
        .map(Some)
        .map_err(|error| StartError::Traces(error.to_string()))
}

/// The ways out, which trust whom the settings say.
fn clients(settings: &HostSettings) -> Result<Clients, StartError> {
    let roots = Roots::read(settings.outbound_ca_file.as_deref());
    let roots = roots.map_err(|error| StartError::Roots(error.to_string()))?;
    Ok(Clients::trusting(roots))
}

/// Looks after the memory, which components and files share.
fn watch_memory(settings: &HostSettings, reloader: &Reloader) -> Pressure {
    Pressure::watch(
        settings.engine.memory_pressure,
        reloader.loader.engine().clone(),
        reloader.exchange.clone(),
    )
}

/// The admin endpoint, if the settings have it.
async fn admin(
    settings: &HostSettings,
    keeper: Option<Arc<Keeper>>,
    reloader: &Arc<Reloader>,
    folder: &Path,
    free_port: bool,
) -> Result<Option<Admin>, AdminError> {
    let Some((settings, keeper)) = settings.admin.as_ref().zip(keeper) else {
        return Ok(None);
    };
    let (servers, reloader) = (reloader.registry.clone(), reloader.clone());
    let admin = Admin::start(settings, folder, keeper, servers, reloader, free_port);
    admin.await.map(Some)
}

/// What probes of other machines ask, if the settings have it.
async fn health(
    settings: &HostSettings,
    keeper: Option<Arc<Keeper>>,
    reloader: &Arc<Reloader>,
    free_port: bool,
) -> Result<Option<Health>, HealthError> {
    let Some(settings) = &settings.health else {
        return Ok(None);
    };
    let health = Health::start(settings, keeper, reloader.clone(), free_port);
    health.await.map(Some)
}

/// Says that the process is alive to a service manager that wants to know.
fn watchdog(reloader: &Reloader) -> Option<Watchdog> {
    let engine = reloader.loader.engine().clone();
    Watchdog::start(reloader.service.as_ref()?, move || engine.clock_ticks())
}

fn connection_limits(settings: &HostSettings) -> Arc<ConnectionLimits> {
    let connections = &settings.connections;
    Arc::new(ConnectionLimits {
        places: Arc::new(Semaphore::new(connections.max as usize)),
        patience: Patience {
            header: connections.header_timeout,
            body: connections.body_timeout,
            send: connections.send_timeout,
            rate_min: connections.rate_min,
        },
        handshake_timeout: connections.handshake_timeout,
        addresses: ClientCounts::new(connections.max_per_address),
        proxies: settings.proxies.clone(),
        connections_max: connections.max,
        counts: ConnectionCounts::default(),
    })
}

/// Loads all components, for so long that a broken one cannot keep the site from starting.
async fn load_components(reloader: &Arc<Reloader>) {
    let reloader = reloader.clone();
    let loading = tokio::spawn(async move { reloader.reload(None, Cause::ASKED).await });
    if tokio::time::timeout(LOADING_TIME_MAX, loading)
        .await
        .is_err()
    {
        tracing::warn!(
            "some components are still loading after {LOADING_TIME_MAX:?}; the site starts without them"
        );
    }
}

/// Says which sockets of the service manager no web server listens on: a unit and settings that do not agree.
fn warn_of_unused(inherited: &[SocketAddr], registry: &Registry) {
    let servers = registry.all();
    let is_used = |address: &SocketAddr| {
        let is_held = |server: &Arc<WebServer>| {
            let status = server.status().lock();
            status
                .listeners
                .iter()
                .any(|held| held.address() == *address)
        };
        servers.iter().any(is_held)
    };
    for address in inherited.iter().filter(|address| !is_used(address)) {
        tracing::warn!(
            %address,
            "the service manager handed over a socket that no web server listens on: see HTTPPort, HTTPSPort and \
             IPAddressToListen"
        );
    }
}
