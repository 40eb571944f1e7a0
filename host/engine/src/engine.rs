//! The engine of a process: compilers, places for instances, their memory, the threads for long-running guests.

use std::path::PathBuf;
#[cfg(feature = "p3")]
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio::runtime::Handle;
use wasmtime::component::InstancePre;

use crate::code_cache::CodeCache;
use crate::core_dump::{CoreDumpOptions, CoreDumps};
use crate::error::{EngineError, LoadError};
use crate::forge::{Forge, Manner};
use crate::limits::MemoryBudget;
use crate::meters::AllMeters;
use crate::module::Module;
use crate::pool::{Cause, Kept, Pool};
use crate::slots::{NoSlot, Place, Slots};
use crate::state::State;
use crate::threads::{Threads, lower_priority};
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
    /// Folder of what is too large for memory while a request needs it: parts of uploads.
    pub spill_folder: PathBuf,
    /// Where core dumps of traps go; `None` makes none.
    pub core_dumps: Option<CoreDumpOptions>,
}

/// Counts of an engine.
#[derive(Clone, Copy, Debug)]
pub struct EngineStatistics {
    /// Instances that exist.
    pub instances: usize,
    /// Most instances that may.
    pub instances_max: usize,
    /// Requests that wait for an instance.
    pub waiting: usize,
    /// Bytes of memory that the instances hold.
    pub memory: u64,
    /// Most bytes that they may.
    pub memory_max: u64,
    /// Generations of all components that still exist: those that serve, and those that wait for their last request.
    pub generations: usize,
    /// What Wasmtime's pooling allocator has given out; none where the address space did not suffice for one.
    pub allocator: Option<AllocatorStatistics>,
}

/// What the pooling allocator has given out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AllocatorStatistics {
    /// Core instances; a component is several.
    pub core_instances: u64,
    /// Linear memories in use.
    pub memories: u64,
    /// Tables in use.
    pub tables: u64,
    /// Stacks in use.
    pub stacks: u64,
    /// Free places for memories whose pages are still mapped from the instance before.
    pub warm_memories: u64,
    /// Bytes of free places that are still mapped.
    pub resident_bytes: u64,
}

impl AllocatorStatistics {
    fn with(self, other: Self) -> Self {
        Self {
            core_instances: self.core_instances + other.core_instances,
            memories: self.memories + other.memories,
            tables: self.tables + other.tables,
            stacks: self.stacks + other.stacks,
            warm_memories: self.warm_memories + other.warm_memories,
            resident_bytes: self.resident_bytes + other.resident_bytes,
        }
    }
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
    pub(crate) slots: Arc<Slots<Kept>>,
    pub(crate) budget: Arc<MemoryBudget>,
    pub(crate) spill_folder: Arc<PathBuf>,
    pub(crate) core_dumps: Option<Arc<CoreDumps>>,
    /// Every pool, to take idle instances from when slots run out.
    pools: Mutex<Vec<Weak<Pool>>>,
    generations: AtomicUsize,
    pub(crate) meters: AllMeters,
    background: Threads,
}

impl Engine {
    /// Makes an engine.
    pub fn new(options: &EngineOptions) -> Result<Arc<Self>, EngineError> {
        if let Some(folder) = &options.code_cache {
            CodeCache::tidy(folder);
        }
        let plain = Forge::new(
            Manner::Plain,
            options.instances,
            options.code_cache.as_deref(),
            options.core_dumps.is_some(),
        )?;
        let compilers = rayon::ThreadPoolBuilder::new()
            .thread_name(|index| format!("tessera-compile-{index}"))
            .start_handler(|_| lower_priority(COMPILE_NICE))
            .build()
            .map_err(|error| EngineError::Threads(std::io::Error::other(error)))?;
        Ok(Arc::new(Self {
            plain,
            #[cfg(feature = "p3")]
            concurrent: OnceLock::new(),
            #[cfg(feature = "p3")]
            options: options.clone(),
            compilers,
            compiling: Turns::default(),
            slots: Slots::new(options.instances as usize),
            budget: Arc::new(MemoryBudget::new(options.memory)),
            spill_folder: Arc::new(options.spill_folder.clone()),
            core_dumps: options.core_dumps.clone().map(CoreDumps::new),
            pools: Mutex::default(),
            generations: AtomicUsize::new(0),
            meters: AllMeters::default(),
            background: Threads::that_give_way(BACKGROUND_NICE).map_err(EngineError::Threads)?,
        }))
    }

    /// Counts of now.
    pub fn statistics(&self) -> EngineStatistics {
        let (instances, waiting) = self.slots.taken_and_waiting();
        EngineStatistics {
            instances,
            instances_max: self.slots.total(),
            waiting,
            memory: self.budget.used(),
            memory_max: self.budget.limit(),
            generations: self.generations.load(Ordering::Relaxed),
            allocator: self.allocator(),
        }
    }

    /// How often each of its clocks has ticked. One that stands still interrupts no guest any more.
    pub fn clock_ticks(&self) -> Vec<u64> {
        let ticks = vec![self.plain.clock.ticks()];
        #[cfg(feature = "p3")]
        let ticks = match self.concurrent.get() {
            Some(Ok(forge)) => [ticks, vec![forge.clock.ticks()]].concat(),
            _ => ticks,
        };
        ticks
    }

    fn allocator(&self) -> Option<AllocatorStatistics> {
        let plain = self.plain.allocated();
        #[cfg(feature = "p3")]
        let concurrent = match self.concurrent.get() {
            Some(Ok(forge)) => forge.allocated(),
            _ => None,
        };
        #[cfg(not(feature = "p3"))]
        let concurrent = None;
        match (plain, concurrent) {
            (Some(one), Some(other)) => Some(one.with(other)),
            (one, other) => one.or(other),
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
                let dumps = self.options.core_dumps.is_some();
                let made = self.concurrent.get_or_init(|| {
                    Forge::new(manner, instances, code, dumps).map_err(|error| error.to_string())
                });
                made.as_ref()
                    .map_err(|error| LoadError::Compile(error.clone()))
            }
        }
    }

    /// Threads for guests that run long, so that they do not hold up the ones that serve.
    pub(crate) fn background(&self) -> &Handle {
        self.background.handle()
    }

    pub(crate) fn compile(
        &self,
        module: &Module<'_>,
    ) -> Result<(wasmtime::component::Component, bool), LoadError> {
        let forge = self.forge(Manner::of(module.wasm()))?;
        let engine = &forge.engine;
        let Some(cache) = &forge.code_cache else {
            return Ok((self.compile_now(engine, module.wasm())?, false));
        };
        if let Some(component) = cache.load(engine, module) {
            return Ok((component, true));
        }
        // Copies of one module that appear together are compiled once: the others wait, and find the code.
        let _turn = self.compiling.turn(module.digest());
        if let Some(component) = cache.load(engine, module) {
            return Ok((component, true));
        }
        let component = self.compile_now(engine, module.wasm())?;
        let kept = component
            .serialize()
            .map_err(|error| std::io::Error::other(format!("{error:#}")))
            .and_then(|code| cache.store(module, &code));
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

    pub(crate) fn generation_began(&self) {
        self.generations.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn generation_ended(&self) {
        self.generations.fetch_sub(1, Ordering::Relaxed);
    }

    /// A place for one more instance of a pool. Takes that of an idle instance if there is no other; else waits for a
    /// web process to end, and may get its instance.
    pub(crate) async fn place(&self, pool: &Pool) -> Result<Place<Kept>, NoSlot> {
        match self.place_now(pool) {
            Some(place) => Ok(place),
            None => pool.wait().await,
        }
    }

    /// The same without a wait.
    pub(crate) fn place_now(&self, pool: &Pool) -> Option<Place<Kept>> {
        loop {
            if let Some(slot) = pool.holder().try_take() {
                return Some(Place::Slot(slot));
            }
            if !self.drop_one_idle() {
                return None;
            }
        }
    }

    /// Drops an idle instance of the component that keeps most of them, of those that have more than their share.
    fn drop_one_idle(&self) -> bool {
        let may_give = |pool: &Arc<Pool>| pool.idle() > 0 && pool.holder().has_beyond();
        let pools = self.pools().into_iter().filter(may_give);
        pools
            .max_by_key(|pool| pool.idle())
            .is_some_and(|pool| pool.drop_oldest(Cause::Room))
    }

    /// Drops all instances that wait for a request, because memory is short; says how many.
    pub fn drop_idle_instances(&self) -> usize {
        let pools = self.pools();
        pools.iter().map(|pool| pool.drop_idle(Cause::Memory)).sum()
    }

    /// Whether requests may wait for an instance; where they may not, those that find none are refused at once.
    pub fn let_wait(&self, may: bool) {
        self.slots.let_wait(may);
    }

    fn pools(&self) -> Vec<Arc<Pool>> {
        self.pools.lock().iter().filter_map(Weak::upgrade).collect()
    }
}
