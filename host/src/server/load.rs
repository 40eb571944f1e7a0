//! Makes what a component serves with: module compiled and linked, methods asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tessera_engine::{
    Component, Engine, Generation, GenerationOptions, Grants, InstanceLimits, LoadError, Module,
    Outbound, PoolOptions, PoolPolicy, ServerDirectory,
};

use super::generations::Draft;
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
    /// Loads into `engine`; `stores` are what components keep values in, and `clients` their ways out.
    pub(crate) fn new(engine: Arc<Engine>, stores: Stores, clients: Clients) -> Self {
        Self {
            engine,
            stores: Arc::new(stores),
            steering: Arc::default(),
            clients,
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

    /// The ways out of the loaded components; to be connected to what answers those that stay inside.
    pub(crate) fn clients(&self) -> &Clients {
        &self.clients
    }

    /// Components compiled so far, and components whose compiled code was on disk.
    pub fn counts(&self) -> (u32, u32) {
        (
            self.compiled.load(Ordering::Relaxed),
            self.from_cache.load(Ordering::Relaxed),
        )
    }

    /// Reads and compiles a module, off the serving threads. What is known of it is told even if it is refused.
    pub(super) async fn compile(
        &self,
        found: &Found,
        settings: &ComponentSettings,
    ) -> (Draft, Result<Component, ModuleError>) {
        let (engine, module) = (self.engine.clone(), found.module.clone());
        let mut draft = Draft::of_settings(settings);
        let loading = tokio::task::spawn_blocking(move || {
            let wasm = std::fs::read(&module).map_err(|source| LoadError::Read {
                path: module,
                source,
            });
            match wasm {
                Ok(wasm) => {
                    let module = Module::of(&wasm);
                    draft.digest = module.digest().to_string();
                    draft.bytes = wasm.len() as u64;
                    (draft, Component::load(&engine, &module))
                }
                Err(error) => (draft, Err(error)),
            }
        });
        let (mut draft, component) = loading.await.unwrap_or_else(|panic| {
            let error = LoadError::Compile(format!("the compiler failed: {panic}"));
            (Draft::of_settings(settings), Err(error))
        });
        if let Ok(component) = &component {
            draft.info = Some(component.info().clone());
            let count = if component.info().from_cache {
                &self.from_cache
            } else {
                &self.compiled
            };
            count.fetch_add(1, Ordering::Relaxed);
        }
        (
            draft,
            component.map_err(|source| ModuleError::of(found, source)),
        )
    }

    /// Makes a generation of a component: it is asked for its methods, and its first instances are made.
    pub(super) async fn generation(
        &self,
        found: &Found,
        settings: &ComponentSettings,
        component: Component,
        registry: Arc<Registry>,
    ) -> Result<Arc<Generation>, ModuleError> {
        let given = self.given(&found.name, settings).await;
        let given = given.map_err(|error| ModuleError::of(found, error))?;
        let control = settings.permissions.control.clone();
        let directory =
            ComponentDirectory::new(registry, self.steering.clone(), &found.name, control);
        let outbound = self
            .clients
            .for_component(&found.name, &settings.permissions);
        let options =
            generation_options(&found.name, settings, given, Arc::new(directory), outbound);
        Generation::new(self.engine.clone(), component, options)
            .await
            .map_err(|error| ModuleError::of(found, error))
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
}

impl ModuleError {
    fn of(found: &Found, source: impl Into<Cause>) -> Self {
        Self {
            module: found.module.display().to_string(),
            source: source.into(),
        }
    }
}

/// The limits of `[limits]`, as the engine takes them.
pub fn instance_limits(limits: &Limits) -> InstanceLimits {
    InstanceLimits {
        memory: limits.memory_bytes,
        table_elements: limits.table_elements as usize,
        deadline: limits.deadline,
        stream_time: limits.stream_time,
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
                Policy::Session => PoolPolicy::Session,
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
        trial_requests: settings.reload.trial_requests,
    }
}
