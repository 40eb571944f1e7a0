//! The engine of a process: Wasmtime's configuration, the linker, the clock, the threads for long-running guests.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::component::{InstancePre, Linker};
use wasmtime::{Config, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::clock::EpochClock;
use crate::code_cache::CodeCache;
use crate::error::{EngineError, LoadError};
use crate::imports;
use crate::limits::{MemoryBudget, TABLE_ELEMENTS_MAX};
use crate::pool::Pool;
use crate::state::State;
use crate::turns::Turns;

/// Memory of an instance that stays mapped when its slot is freed: covers the stack, data and heap of a small guest, so
/// that the next instance takes no page fault on them; more would cost more to clear than the faults do.
const MEMORY_KEPT_RESIDENT: usize = 256 * 1024;
const TABLE_KEPT_RESIDENT: usize = 16 * 1024;
/// Free slots whose memory stays mapped, for the next instance of the same module. A module that is new takes a slot that
/// was never used as long as there are fewer, so each reload takes some until then, and gives none back.
const WARM_SLOTS_MAX: u32 = 100;
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
    /// Generations of all components that still exist: those that serve, and those that wait for their last request.
    pub generations: usize,
}

/// Compiles components and gives them instances, memory and time.
pub struct Engine {
    engine: wasmtime::Engine,
    linker: Linker<State>,
    code_cache: Option<CodeCache>,
    compilers: rayon::ThreadPool,
    compiling: Turns,
    slots: Arc<Semaphore>,
    slots_max: usize,
    pub(crate) budget: Arc<MemoryBudget>,
    /// Every pool, to take idle instances from when slots run out.
    pools: Mutex<Vec<Weak<Pool>>>,
    generations: AtomicUsize,
    background: Background,
    _clock: EpochClock,
}

impl Engine {
    /// Makes an engine.
    pub fn new(options: &EngineOptions) -> Result<Arc<Self>, EngineError> {
        let engine = new_engine(options.instances)?;
        let refused = |error: wasmtime::Error| EngineError::Configuration(format!("{error:#}"));
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).map_err(refused)?;
        imports::add_to_linker(&mut linker).map_err(refused)?;

        let code_cache = options.code_cache.as_ref().and_then(|folder| {
            CodeCache::tidy(folder);
            CodeCache::open(folder, &engine)
                .inspect_err(|error| {
                    tracing::warn!(folder = %folder.display(), %error, "compiled code is not kept: components compile at every start");
                })
                .ok()
        });
        let compilers = rayon::ThreadPoolBuilder::new()
            .thread_name(|index| format!("tessera-compile-{index}"))
            .start_handler(|_| lower_priority(COMPILE_NICE))
            .build()
            .map_err(|error| EngineError::Threads(std::io::Error::other(error)))?;
        let slots_max = options.instances as usize;
        Ok(Arc::new(Self {
            linker,
            code_cache,
            compilers,
            compiling: Turns::default(),
            slots: Arc::new(Semaphore::new(slots_max)),
            slots_max,
            budget: Arc::new(MemoryBudget::new(options.memory)),
            pools: Mutex::default(),
            generations: AtomicUsize::new(0),
            background: Background::start()?,
            _clock: EpochClock::start(&engine).map_err(EngineError::Threads)?,
            engine,
        }))
    }

    /// Counts of now.
    pub fn statistics(&self) -> EngineStatistics {
        EngineStatistics {
            instances: self.slots_max - self.slots.available_permits(),
            instances_max: self.slots_max,
            memory: self.budget.used(),
            memory_max: self.budget.limit(),
            generations: self.generations.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn wasmtime(&self) -> &wasmtime::Engine {
        &self.engine
    }

    /// Threads for guests that run long, so that they do not hold up the ones that serve.
    pub(crate) fn background(&self) -> &Handle {
        &self.background.handle
    }

    pub(crate) fn compile(
        &self,
        wasm: &[u8],
    ) -> Result<(wasmtime::component::Component, bool), LoadError> {
        let Some(cache) = &self.code_cache else {
            return Ok((self.compile_now(wasm)?, false));
        };
        if let Some(component) = cache.load(&self.engine, wasm) {
            return Ok((component, true));
        }
        // Copies of one module that appear together are compiled once: the others wait, and find the code.
        let _turn = self.compiling.turn(wasm);
        if let Some(component) = cache.load(&self.engine, wasm) {
            return Ok((component, true));
        }
        let component = self.compile_now(wasm)?;
        let kept = component
            .serialize()
            .map_err(|error| std::io::Error::other(format!("{error:#}")))
            .and_then(|code| cache.store(wasm, &code));
        if let Err(error) = kept {
            tracing::warn!(%error, "compiled code could not be kept");
        }
        Ok((component, false))
    }

    fn compile_now(&self, wasm: &[u8]) -> Result<wasmtime::component::Component, LoadError> {
        self.compilers
            .install(|| wasmtime::component::Component::from_binary(&self.engine, wasm))
            .map_err(|error| LoadError::Compile(format!("{error:#}")))
    }

    pub(crate) fn link(
        &self,
        component: &wasmtime::component::Component,
    ) -> Result<InstancePre<State>, LoadError> {
        self.linker
            .instantiate_pre(component)
            .map_err(|error| imports::link_error(&self.linker, component, &error))
    }

    pub(crate) fn register(&self, pool: &Arc<Pool>) {
        let mut pools = self.pools.lock();
        pools.retain(|pool| pool.strong_count() > 0);
        pools.push(Arc::downgrade(pool));
    }

    pub(crate) fn generation_began(&self) {
        self.generations.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn generation_ended(&self) {
        self.generations.fetch_sub(1, Ordering::Relaxed);
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

fn new_engine(instances: u32) -> Result<wasmtime::Engine, EngineError> {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .wasm_component_model(true)
        .wasm_backtrace_details(wasmtime::WasmBacktraceDetails::Enable)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pooling(instances)));
    match wasmtime::Engine::new(&config) {
        Ok(engine) => Ok(engine),
        Err(error) => {
            tracing::warn!(
                error = %format_args!("{error:#}"),
                "no address space for a pool of {instances} instances: components start slower (set [engine] max_instances lower, or raise `ulimit -v`)"
            );
            config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
            wasmtime::Engine::new(&config)
                .map_err(|error| EngineError::Configuration(format!("{error:#}")))
        }
    }
}

fn pooling(instances: u32) -> PoolingAllocationConfig {
    let mut pooling = PoolingAllocationConfig::new();
    pooling
        .total_component_instances(instances)
        // A component is several core modules: the program, adapters, shims.
        .total_core_instances(instances.saturating_mul(4))
        .total_memories(instances)
        .total_tables(instances.saturating_mul(2))
        .total_stacks(instances)
        .total_gc_heaps(instances)
        .max_unused_warm_slots(instances.min(WARM_SLOTS_MAX))
        .max_core_instance_size(10 << 20)
        .max_component_instance_size(10 << 20)
        .max_core_instances_per_component(64)
        .max_memories_per_component(16)
        .max_tables_per_component(32)
        .table_elements(TABLE_ELEMENTS_MAX)
        .linear_memory_keep_resident(MEMORY_KEPT_RESIDENT)
        .table_keep_resident(TABLE_KEPT_RESIDENT);
    pooling
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
