//! Makes what a component serves with: module compiled and linked, methods asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tessera_engine::{
    Component, Engine, Generation, GenerationOptions, Grants, InstanceLimits, LoadError, Outbound,
    PoolOptions, PoolPolicy, ServerDirectory,
};

use super::grants::{GrantError, Stores, environment, grants};
use super::{ComponentDirectory, Found, Registry, Steering};
use crate::outbound::Clients;
use crate::settings::{ComponentSettings, Limits, Policy};

/// A component's module could not be loaded.
#[derive(Debug, thiserror::Error)]
#[error("{module}: {source}")]
pub struct ModuleError {
    module: String,
    source: Cause,
}

#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Grant(#[from] GrantError),
}

/// What a component is given beside requests.
struct Given {
    environment: Vec<(String, String)>,
    grants: Grants,
}

/// Loads components.
pub struct Loader {
    engine: Arc<Engine>,
    steering: Arc<Steering>,
    stores: Arc<Stores>,
    clients: Clients,
    compiled: AtomicU32,
    from_cache: AtomicU32,
}

impl Loader {
    /// Loads into `engine`; `stores` are what components keep values in.
    pub fn new(engine: Arc<Engine>, stores: Stores) -> Self {
        Self {
            engine,
            stores: Arc::new(stores),
            steering: Arc::default(),
            clients: Clients::default(),
            compiled: AtomicU32::new(0),
            from_cache: AtomicU32::new(0),
        }
    }

    /// The engine.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// What the loaded components ask of other servers; to be connected to what starts and stops them.
    pub fn steering(&self) -> &Arc<Steering> {
        &self.steering
    }

    /// Components compiled so far, and components whose compiled code was on disk.
    pub fn counts(&self) -> (u32, u32) {
        (
            self.compiled.load(Ordering::Relaxed),
            self.from_cache.load(Ordering::Relaxed),
        )
    }

    /// Loads a component, off the serving threads.
    pub async fn load(
        &self,
        found: &Found,
        settings: &ComponentSettings,
        registry: Arc<Registry>,
    ) -> Result<Arc<Generation>, ModuleError> {
        let failed = |source: Cause| ModuleError {
            module: found.module.display().to_string(),
            source,
        };
        let component = self.component(found).await;
        let component = component.map_err(|error| failed(error.into()))?;
        let given = self.given(&found.name, settings).await;
        let given = given.map_err(|error| failed(error.into()))?;
        let count = if component.info().from_cache {
            &self.from_cache
        } else {
            &self.compiled
        };
        count.fetch_add(1, Ordering::Relaxed);
        let control = settings.permissions.control.clone();
        let directory =
            ComponentDirectory::new(registry, self.steering.clone(), &found.name, control);
        let outbound = self
            .clients
            .for_component(&found.name, &settings.permissions.hosts);
        let options =
            generation_options(&found.name, settings, given, Arc::new(directory), outbound);
        Generation::new(self.engine.clone(), component, options)
            .await
            .map_err(|error| failed(error.into()))
    }

    /// Whether the secrets of a loaded component are still what their files hold.
    pub async fn has_same_secrets(
        &self,
        generation: &Generation,
        settings: &ComponentSettings,
    ) -> bool {
        if settings.grants.secrets.is_empty() {
            return true;
        }
        let settings = settings.clone();
        let reading = tokio::task::spawn_blocking(move || environment(&settings)).await;
        // What cannot be read any more is told by the load.
        matches!(reading, Ok(Ok(environment)) if generation.has_environment(&environment))
    }

    async fn given(&self, name: &str, settings: &ComponentSettings) -> Result<Given, GrantError> {
        let (name, settings, stores) = (name.to_owned(), settings.clone(), self.stores.clone());
        let reading = tokio::task::spawn_blocking(move || {
            let environment = environment(&settings)?;
            let grants = grants(&name, &settings, &environment, &stores)?;
            Ok(Given {
                environment,
                grants,
            })
        });
        reading
            .await
            .unwrap_or_else(|panic| Err(GrantError::Internal(panic.to_string())))
    }

    async fn component(&self, found: &Found) -> Result<Component, LoadError> {
        let (engine, module) = (self.engine.clone(), found.module.clone());
        let loading = tokio::task::spawn_blocking(move || {
            let wasm = std::fs::read(&module).map_err(|source| LoadError::Read {
                path: module,
                source,
            })?;
            Component::load(&engine, &wasm)
        });
        loading.await.unwrap_or_else(|panic| {
            Err(LoadError::Compile(format!("the compiler failed: {panic}")))
        })
    }
}

/// The limits of `[limits]`, as the engine takes them.
pub fn instance_limits(limits: &Limits) -> InstanceLimits {
    InstanceLimits {
        memory: limits.memory_bytes,
        table_elements: limits.table_elements as usize,
        deadline: limits.deadline,
        cpu_time: limits.cpu_time,
        response_size: limits.response_bytes,
        outbound_calls: limits.outbound_calls,
        call_size: limits.call_bytes,
        handles: limits.handles as usize,
    }
}

fn generation_options(
    name: &str,
    settings: &ComponentSettings,
    given: Given,
    directory: Arc<dyn ServerDirectory>,
    outbound: Arc<dyn Outbound>,
) -> GenerationOptions {
    let pool = &settings.pool;
    GenerationOptions {
        name: name.into(),
        pool: PoolOptions {
            policy: match pool.policy {
                Policy::Auto => PoolPolicy::Auto,
                Policy::Concurrent => PoolPolicy::Concurrent,
                Policy::Fresh => PoolPolicy::Fresh,
                Policy::Reuse => PoolPolicy::Reuse,
            },
            min: pool.min as usize,
            max: pool.max as usize,
            concurrency: pool.concurrency,
            max_requests: pool
                .requests_max
                .map_or(0, |max| u32::try_from(max).unwrap_or(u32::MAX)),
            max_growth: pool.growth_bytes_max,
            queue: pool.queue_max as usize,
            queue_timeout: pool.queue_timeout,
        },
        limits: instance_limits(&settings.limits),
        environment: given.environment,
        grants: given.grants,
        directory,
        outbound,
    }
}
