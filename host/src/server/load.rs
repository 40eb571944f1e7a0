//! Makes what a component serves with: module compiled and linked, methods asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tessera_engine::{
    Component, Engine, Generation, GenerationOptions, InstanceLimits, LoadError, PoolOptions,
    PoolPolicy, ServerDirectory, digest,
};

use super::generations::Draft;
use super::{ComponentDirectory, Found, Registry, Steering};
use crate::settings::{ComponentSettings, Policy};

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
                    draft.digest = digest(&wasm);
                    draft.bytes = wasm.len() as u64;
                    (draft, Component::load(&engine, &wasm))
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
        let control = settings.permissions.control.clone();
        let directory =
            ComponentDirectory::new(registry, self.steering.clone(), &found.name, control);
        let options = generation_options(&found.name, settings, Arc::new(directory));
        Generation::new(self.engine.clone(), component, options)
            .await
            .map_err(|source| ModuleError::of(found, source))
    }
}

impl ModuleError {
    fn of(found: &Found, source: LoadError) -> Self {
        Self {
            module: found.module.display().to_string(),
            source,
        }
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
            queue_timeout: pool.queue_timeout,
        },
        limits: InstanceLimits {
            memory: settings.limits.memory_bytes,
            deadline: settings.limits.deadline,
            response_size: settings.limits.response_bytes,
        },
        environment: settings
            .environment
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        directory,
        trial_requests: settings.reload.trial_requests,
    }
}
