//! The engine of a process: compilers, places for instances, their memory, the threads for long-running guests.

use std::path::PathBuf;
#[cfg(feature = "p3")]
use std::sync::OnceLock;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::component::InstancePre;

use crate::error::{EngineError, LoadError};
use crate::forge::{Forge, Manner};
use crate::limits::MemoryBudget;
use crate::pool::Pool;
use crate::state::State;
use crate::turns::Turns;

/// Nice value of the threads that compile, and of those that run long-running guests: serving comes first.
const COMPILE_NICE: i32 = 10;
const BACKGROUND_NICE: i32 = 5;

/// How an engine is made.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// Most instances that exist at once, those kept for reuse included.
    pub instances: u32,
    /// Most memory that all instances hold together, in bytes.
    pub memory: u64,
    /// Folder of the compiled code; `None` compiles at every start.
    pub code_cache: Option<PathBuf>,
}

/// Counts of an engine.
#[derive(Clone, Copy, Debug)]
pub struct EngineStatistics {
    /// Instances that exist.
    pub instances: usize,
    /// Most instances that may.
    pub instances_max: usize,
    /// Bytes of memory that the instances hold.
    pub memory: u64,
    /// Most bytes that they may.
    pub memory_max: u64,
}

/// Compiles components and gives them instances, memory and time.
pub struct Engine {
    plain: Forge,
    /// For components of WASI 0.3; made for the first of them.
    #[cfg(feature = "p3")]
    concurrent: OnceLock<Result<Forge, String>>,
    #[cfg(feature = "p3")]
    options: EngineOptions,
    compilers: rayon::ThreadPool,
    compiling: Turns,
    slots: Arc<Semaphore>,
    slots_max: usize,
    pub(crate) budget: Arc<MemoryBudget>,
    /// Every pool, to take idle instances from when slots run out.
    pools: Mutex<Vec<Weak<Pool>>>,
    background: Background,
}

impl Engine {
    /// Makes an engine.
    pub fn new(options: &EngineOptions) -> Result<Arc<Self>, EngineError> {
        let plain = Forge::new(
            Manner::Plain,
            options.instances,
            options.code_cache.as_deref(),
        )?;
        let compilers = rayon::ThreadPoolBuilder::new()
            .thread_name(|index| format!("tessera-compile-{index}"))
            .start_handler(|_| lower_priority(COMPILE_NICE))
            .build()
            .map_err(|error| EngineError::Threads(std::io::Error::other(error)))?;
        let slots_max = options.instances as usize;
        Ok(Arc::new(Self {
            plain,
            #[cfg(feature = "p3")]
            concurrent: OnceLock::new(),
            #[cfg(feature = "p3")]
            options: options.clone(),
            compilers,
            compiling: Turns::default(),
            slots: Arc::new(Semaphore::new(slots_max)),
            slots_max,
            budget: Arc::new(MemoryBudget::new(options.memory)),
            pools: Mutex::default(),
            background: Background::start()?,
        }))
    }

    /// Counts of now.
    pub fn statistics(&self) -> EngineStatistics {
        EngineStatistics {
            instances: self.slots_max - self.slots.available_permits(),
            instances_max: self.slots_max,
            memory: self.budget.used(),
            memory_max: self.budget.limit(),
        }
    }

    #[cfg(test)]
    pub(crate) fn wasmtime(&self) -> &wasmtime::Engine {
        &self.plain.engine
    }

    /// What makes a component of this manner.
    fn forge(&self, manner: Manner) -> Result<&Forge, LoadError> {
        match manner {
            Manner::Plain => Ok(&self.plain),
            #[cfg(feature = "p3")]
            Manner::Concurrent => {
                let (instances, code) =
                    (self.options.instances, self.options.code_cache.as_deref());
                let made = self.concurrent.get_or_init(|| {
                    Forge::new(manner, instances, code).map_err(|error| error.to_string())
                });
                made.as_ref()
                    .map_err(|error| LoadError::Compile(error.clone()))
            }
        }
    }

    /// Threads for guests that run long, so that they do not hold up the ones that serve.
    pub(crate) fn background(&self) -> &Handle {
        &self.background.handle
    }

    pub(crate) fn compile(
        &self,
        wasm: &[u8],
    ) -> Result<(wasmtime::component::Component, bool), LoadError> {
        let forge = self.forge(Manner::of(wasm))?;
        let engine = &forge.engine;
        let Some(cache) = &forge.code_cache else {
            return Ok((self.compile_now(engine, wasm)?, false));
        };
        if let Some(component) = cache.load(engine, wasm) {
            return Ok((component, true));
        }
        // Copies of one module that appear together are compiled once: the others wait, and find the code.
        let _turn = self.compiling.turn(wasm);
        if let Some(component) = cache.load(engine, wasm) {
            return Ok((component, true));
        }
        let component = self.compile_now(engine, wasm)?;
        let kept = component
            .serialize()
            .map_err(|error| std::io::Error::other(format!("{error:#}")))
            .and_then(|code| cache.store(wasm, &code));
        if let Err(error) = kept {
            tracing::warn!(%error, "compiled code could not be kept");
        }
        Ok((component, false))
    }

    fn compile_now(
        &self,
        engine: &wasmtime::Engine,
        wasm: &[u8],
    ) -> Result<wasmtime::component::Component, LoadError> {
        self.compilers
            .install(|| wasmtime::component::Component::from_binary(engine, wasm))
            .map_err(|error| LoadError::Compile(format!("{error:#}")))
    }

    pub(crate) fn link(
        &self,
        component: &wasmtime::component::Component,
    ) -> Result<InstancePre<State>, LoadError> {
        #[cfg(feature = "p3")]
        if !wasmtime::Engine::same(component.engine(), &self.plain.engine) {
            return self.forge(Manner::Concurrent)?.link(component);
        }
        self.plain.link(component)
    }

    pub(crate) fn register(&self, pool: &Arc<Pool>) {
        let mut pools = self.pools.lock();
        pools.retain(|pool| pool.strong_count() > 0);
        pools.push(Arc::downgrade(pool));
    }

    /// A place for one more instance. Takes that of an idle instance if there is no other; else waits, at most
    /// `patience`, for a web process to end.
    pub(crate) async fn slot(&self, patience: Duration) -> Option<OwnedSemaphorePermit> {
        if let Ok(permit) = self.slots.clone().try_acquire_owned() {
            return Some(permit);
        }
        self.drop_idle_instances();
        tokio::time::timeout(patience, self.slots.clone().acquire_owned())
            .await
            .ok()?
            .ok()
    }

    fn drop_idle_instances(&self) {
        let pools: Vec<Arc<Pool>> = self.pools.lock().iter().filter_map(Weak::upgrade).collect();
        for pool in pools {
            pool.drop_idle();
        }
    }
}

/// A runtime of its own for guests that run long.
struct Background {
    handle: Handle,
    runtime: Option<Runtime>,
}

impl Background {
    fn start() -> Result<Self, EngineError> {
        let runtime = Builder::new_multi_thread()
            .thread_name("tessera-guest")
            .on_thread_start(|| lower_priority(BACKGROUND_NICE))
            .enable_all()
            .build()
            .map_err(EngineError::Threads)?;
        Ok(Self {
            handle: runtime.handle().clone(),
            runtime: Some(runtime),
        })
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Not a plain drop: that would block, which a runtime's own thread may not.
            runtime.shutdown_background();
        }
    }
}

/// On Linux a nice value belongs to the thread that sets it.
fn lower_priority(nice: i32) {
    // Refused only where even lowering is forbidden; the thread then runs as the others do.
    let _ = rustix::process::nice(nice);
}
