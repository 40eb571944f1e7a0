//! Wasmtime in one configuration, with what components made for it need: linker, compiled code, clock.

use std::path::Path;

use wasmtime::component::{Component, InstancePre, Linker};
use wasmtime::{Config, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::clock::EpochClock;
use crate::code_cache::CodeCache;
use crate::engine::AllocatorStatistics;
use crate::error::{EngineError, LoadError};
use crate::imports;
use crate::limits::TABLE_ELEMENTS_MAX;
use crate::state::State;
#[cfg(feature = "p3")]
use crate::wasi_http;

/// Memory of an instance that stays mapped when its slot is freed: covers the stack, data and heap of a small guest, so
/// that the next instance takes no page fault on them; more would cost more to clear than the faults do.
const MEMORY_KEPT_RESIDENT: usize = 256 * 1024;
const TABLE_KEPT_RESIDENT: usize = 16 * 1024;
/// Free slots whose memory stays mapped, for the next instance of the same module. A module that is new takes a slot that
/// was never used as long as there are fewer, so each reload takes some until then, and gives none back.
const WARM_SLOTS_MAX: u32 = 100;
/// What tells the compilers' way for components of WASI 0.3 from the others': their names of it.
#[cfg(feature = "p3")]
const CONCURRENT_HANDLER: &[u8] = b"wasi:http/handler@0.3.";

/// What a component wants of Wasmtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// One call into an instance at a time.
    Plain,
    /// Several, as WASI 0.3 has it. The means for that make each call dearer, so only those get them who need them.
    #[cfg(feature = "p3")]
    Concurrent,
}

impl Manner {
    /// What a component wants. The names of imports and exports stand in it as they are; one that merely has the name in
    /// its data is served as well, only slower.
    pub(crate) fn of(wasm: &[u8]) -> Self {
        #[cfg(feature = "p3")]
        if names_concurrent_handler(wasm) {
            return Self::Concurrent;
        }
        let _ = wasm;
        Self::Plain
    }

    fn is_concurrent(self) -> bool {
        self != Self::Plain
    }
}

#[cfg(feature = "p3")]
fn names_concurrent_handler(wasm: &[u8]) -> bool {
    // By its first byte first: modules are megabytes long.
    let mut rest = wasm;
    while let Some(at) = rest.iter().position(|byte| *byte == b'w') {
        rest = rest.get(at..).unwrap_or_default();
        if rest.starts_with(CONCURRENT_HANDLER) {
            return true;
        }
        rest = rest.get(1..).unwrap_or_default();
    }
    false
}

/// Makes components, and instances of them.
pub(crate) struct Forge {
    pub(crate) engine: wasmtime::Engine,
    pub(crate) linker: Linker<State>,
    pub(crate) code_cache: Option<CodeCache>,
    pub(crate) clock: EpochClock,
}

impl Forge {
    pub(crate) fn new(
        manner: Manner,
        instances: u32,
        code_cache: Option<&Path>,
        makes_dumps: bool,
    ) -> Result<Self, EngineError> {
        let engine = new_engine(manner, instances, makes_dumps)?;
        let refused = |error: wasmtime::Error| EngineError::Configuration(format!("{error:#}"));
        let linker = new_linker(&engine, manner).map_err(refused)?;
        let code_cache = code_cache.and_then(|folder| {
            CodeCache::open(folder, &engine)
                .inspect_err(|error| {
                    tracing::warn!(folder = %folder.display(), %error, "compiled code is not kept: components compile at every start");
                })
                .ok()
        });
        Ok(Self {
            linker,
            code_cache,
            clock: EpochClock::start(&engine).map_err(EngineError::Threads)?,
            engine,
        })
    }

    /// What its allocator has given out; none if it has no pool.
    pub(crate) fn allocated(&self) -> Option<AllocatorStatistics> {
        let metrics = self.engine.pooling_allocator_metrics()?;
        let resident =
            metrics.unused_memory_bytes_resident() + metrics.unused_table_bytes_resident();
        Some(AllocatorStatistics {
            core_instances: metrics.core_instances(),
            memories: metrics.memories() as u64,
            tables: metrics.tables() as u64,
            stacks: metrics.stacks() as u64,
            warm_memories: metrics.unused_warm_memories().into(),
            resident_bytes: resident as u64,
        })
    }

    pub(crate) fn link(&self, component: &Component) -> Result<InstancePre<State>, LoadError> {
        self.linker
            .instantiate_pre(component)
            .map_err(|error| imports::link_error(&self.linker, component, &error))
    }
}

fn new_linker(engine: &wasmtime::Engine, manner: Manner) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    #[cfg(feature = "p3")]
    if manner == Manner::Concurrent {
        wasmtime_wasi::p3::add_to_linker(&mut linker)?;
        wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
        wasi_http::add_to_linker(&mut linker)?;
    }
    let _ = manner;
    imports::add_to_linker(&mut linker)?;
    Ok(linker)
}

fn new_engine(
    manner: Manner,
    instances: u32,
    makes_dumps: bool,
) -> Result<wasmtime::Engine, EngineError> {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .coredump_on_trap(makes_dumps)
        .wasm_component_model(true)
        .concurrency_support(manner.is_concurrent())
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
        .table_keep_resident(TABLE_KEPT_RESIDENT)
        // Of what is kept only pages that were written are cleared, where the system (Linux 6.7) tells which.
        .pagemap_scan(wasmtime::Enabled::Auto);
    pooling
}

#[cfg(all(test, feature = "p3"))]
mod tests {
    use super::*;

    #[test]
    fn components_of_0_3_are_known_by_a_name() {
        for (wasm, expected) in [
            (&b"\0asm"[..], false),
            (b"..wasi:http/handler@0.3.0..", true),
            (b"wwasi:http/wasi:http/handler@0.3.", true),
            (b"wasi:http/handler@0.3", false),
            (b"wasi:http/incoming-handler@0.2.3", false),
        ] {
            assert_eq!(names_concurrent_handler(wasm), expected);
        }
    }
}
