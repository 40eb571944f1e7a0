//! The process as a whole, from its first start to its last drain.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tessera_engine::{Engine, EngineError, EngineOptions};
use tokio::sync::Semaphore;

use crate::admin::{Admin, AdminError};
use crate::connection::Timeouts;
use crate::exchange::Exchange;
use crate::files;
use crate::listen::ConnectionLimits;
use crate::server::{
    Bound, Kind, ListenError, Loader, Receiver, Registry, Reloader, WatchError, Watcher, WebServer,
    host_serving,
};
use crate::settings::{HostSettings, Override};

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
}

/// The site could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The folder of the state, or the home page, could not be made.
    #[error(
        "{path}: cannot be made: {source}; the user that runs tessera must be able to write there"
    )]
    Folder {
        /// What was to be made.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another host serves the site.
    #[error(
        "{0} is served already by another tessera process: stop that one first, or serve a copy of the site"
    )]
    AlreadyServed(PathBuf),
    /// The engine could not be made.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A port of the host's could not be opened.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The admin endpoint could not be opened.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// The components cannot be watched.
    #[error(transparent)]
    Watch(#[from] WatchError),
}

/// A running site.
pub struct Host {
    registry: Arc<Registry>,
    reloader: Arc<Reloader>,
    admin: Option<Admin>,
    watcher: Watcher,
    drain_timeout: Duration,
    /// Held as long as the site is served.
    _lock: File,
}

impl Host {
    /// Starts a site: ports first, so that a wrong one is known at once; then the components; then it answers.
    pub async fn start(options: HostOptions) -> Result<Self, StartError> {
        let HostOptions {
            settings,
            overrides,
            development,
            free_ports,
        } = options;
        let site = settings.site.clone();
        let server = WebServer::new(&site_name(&site), Kind::Host);
        let bound = Bound::open(server.name(), &settings.web.listen, free_ports)?;
        let state_folder = prepare_site(&settings)?;
        let lock = lock_site(&site, &state_folder)?;

        let engine = engine(&settings, &state_folder)?;
        let connections = connection_limits(&settings);
        let exchange = Arc::new(Exchange::new(development));
        let registry = Arc::new(Registry::new(server.clone()));
        let drain_timeout = settings.connections.drain_timeout;
        server.serve_with(host_serving(&settings, 1));
        let admin_settings = settings.admin.clone();
        let reloader = Arc::new(Reloader {
            site: site.clone(),
            overrides,
            registry: registry.clone(),
            loader: Loader::new(engine),
            exchange: exchange.clone(),
            connections: connections.clone(),
            drain_timeout,
            free_ports,
            host_settings: Mutex::new(settings),
            turns: Mutex::default(),
            places: Mutex::new(()),
        });

        let watcher = Watcher::start(&site, reloader.clone())?;
        load_components(&reloader).await;
        if let Some(bound) = bound {
            let receiver = Receiver {
                exchange,
                server: server.clone(),
            };
            server.status().lock().listeners = Some(bound.accept(receiver, &connections));
        }
        let admin = match admin_settings {
            Some(settings) => Some(
                Admin::start(
                    &settings,
                    &state_folder,
                    registry.clone(),
                    reloader.clone(),
                    free_ports,
                )
                .await?,
            ),
            None => None,
        };
        Ok(Self {
            registry,
            reloader,
            admin,
            watcher,
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

    /// Components compiled since the start, and components whose compiled code was found on disk.
    pub fn load_counts(&self) -> (u32, u32) {
        self.reloader.loader.counts()
    }

    /// Closes all ports and ends all connections after their requests, or after the drain timeout. Dropping the future
    /// leaves the rest to the end of the process.
    pub async fn stop(self) {
        drop(self.watcher);
        let mut stopping = tokio::task::JoinSet::new();
        for server in self.registry.all() {
            let listeners = server.status().lock().listeners.take();
            if let Some(listeners) = listeners {
                stopping.spawn(listeners.stop(self.drain_timeout));
            }
        }
        while stopping.join_next().await.is_some() {}
        if let Some(admin) = self.admin {
            admin.stop().await;
        }
    }
}

fn engine(settings: &HostSettings, state_folder: &Path) -> Result<Arc<Engine>, EngineError> {
    Engine::new(&EngineOptions {
        instances: settings.engine.instances_max,
        memory: memory_of_the_machine() / MEMORY_SHARE,
        code_cache: settings
            .engine
            .code_cache
            .then(|| state_folder.join("code")),
    })
}

fn connection_limits(settings: &HostSettings) -> Arc<ConnectionLimits> {
    let connections = &settings.connections;
    Arc::new(ConnectionLimits {
        places: Arc::new(Semaphore::new(connections.max as usize)),
        timeouts: Timeouts {
            header: connections.header_timeout,
            keep_alive: settings.web.keep_alive.timeout,
        },
    })
}

/// Loads all components, for so long that a broken one cannot keep the site from starting.
async fn load_components(reloader: &Arc<Reloader>) {
    let reloader = reloader.clone();
    let loading = tokio::spawn(async move { reloader.reload(None).await });
    if tokio::time::timeout(LOADING_TIME_MAX, loading)
        .await
        .is_err()
    {
        tracing::warn!(
            "some components are still loading after {LOADING_TIME_MAX:?}; the site starts without them"
        );
    }
}

/// Makes `.tessera/`, and on the first start the home page.
fn prepare_site(settings: &HostSettings) -> Result<PathBuf, StartError> {
    use std::os::unix::fs::DirBuilderExt;
    let state = settings.site.join(".tessera");
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| StartError::Folder { path, source }
    };
    let first_start = !state.exists();
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&state)
        .map_err(failed(&state))?;
    if first_start {
        if let Some(files) = &settings.web.files {
            files::create_home_page(files).map_err(failed(&files.root))?;
        }
    }
    Ok(state)
}

/// Keeps a second host from the site: they would write over each other's state. The system lets go of the lock with the
/// process, however that ends.
fn lock_site(site: &Path, state: &Path) -> Result<File, StartError> {
    let path = state.join("lock");
    let failed = |source| StartError::Folder {
        path: path.clone(),
        source,
    };
    let file = File::create(&path).map_err(failed)?;
    match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(StartError::AlreadyServed(site.to_owned())),
        Err(error) => Err(failed(error.into())),
    }
}

/// The host's server is named as the site's folder.
fn site_name(site: &Path) -> String {
    let path = site.canonicalize().unwrap_or_else(|_| site.to_owned());
    path.file_name().map_or_else(
        || "host".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// The memory that this process may take: the machine's, or its control group's if that is less.
fn memory_of_the_machine() -> u64 {
    let total = std::fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| {
            let line = text
                .lines()
                .find_map(|line| line.strip_prefix("MemTotal:"))?;
            line.split_whitespace()
                .next()?
                .parse::<u64>()
                .ok()
                .map(|kibibytes| kibibytes * 1024)
        });
    let group = std::fs::read_to_string("/sys/fs/cgroup/memory.max")
        .ok()
        .and_then(|text| text.trim().parse().ok());
    // Where neither is told, as much as a small machine has.
    total.into_iter().chain(group).min().unwrap_or(1 << 30)
}
