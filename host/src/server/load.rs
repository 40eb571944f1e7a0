//! Makes what a component serves with: module compiled and linked, methods asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tessera_engine::{
    Component, Engine, Generation, GenerationOptions, InstanceLimits, LoadError, PoolOptions,
    PoolPolicy, ServerDirectory,
};

use super::{ComponentDirectory, Found, Registry, Steering};
use crate::settings::{ComponentSettings, Limits, Policy};

/// A component's module could not be loaded.
#[derive(Debug, thiserror::Error)]
#[error("{module}: {source}")]
pub struct ModuleError {
    module: String,
    source: LoadError,
}

/// Loads components.
pub struct Loader {
    engine: Arc<Engine>,
    steering: Arc<Steering>,
    compiled: AtomicU32,
    from_cache: AtomicU32,
}

impl Loader {
    /// Loads into `engine`.
    pub fn new(engine: Arc<Engine>) -> Self {
        Self {
            engine,
            steering: Arc::default(),
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
        let failed = |source| ModuleError {
            module: found.module.display().to_string(),
            source,
        };
        let component = self.component(found).await.map_err(failed)?;
        let count = if component.info().from_cache {
            &self.from_cache
        } else {
            &self.compiled
        };
        count.fetch_add(1, Ordering::Relaxed);
        let control = settings.permissions.control.clone();
        let directory =
            ComponentDirectory::new(registry, self.steering.clone(), &found.name, control);
        let options = generation_options(&found.name, settings, Arc::new(directory));
        Generation::new(self.engine.clone(), component, options)
            .await
            .map_err(failed)
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
        call_size: limits.call_bytes,
        handles: limits.handles as usize,
    }
}

fn generation_options(
    name: &str,
    settings: &ComponentSettings,
    directory: Arc<dyn ServerDirectory>,
) -> GenerationOptions {
    let pool = &settings.pool;
    GenerationOptions {
        name: name.into(),
        pool: PoolOptions {
            policy: match pool.policy {
                Policy::Fresh => PoolPolicy::Fresh,
                Policy::Reuse => PoolPolicy::Reuse,
            },
            min: pool.min as usize,
            max: pool.max as usize,
            max_requests: pool
                .requests_max
                .map_or(0, |max| u32::try_from(max).unwrap_or(u32::MAX)),
            max_growth: pool.growth_bytes_max,
            queue: pool.queue_max as usize,
            queue_timeout: pool.queue_timeout,
        },
        limits: instance_limits(&settings.limits),
        environment: settings
            .environment
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        directory,
    }
}
