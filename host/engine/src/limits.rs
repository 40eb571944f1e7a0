//! What one instance may take of memory and tables, and what all of them together may.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use wasmtime::ResourceLimiter;

/// Entries of one table: enough for the largest language runtimes, and what the pool has room for.
pub(crate) const TABLE_ELEMENTS_MAX: usize = 100_000;

/// The memory that all instances of an engine hold together, against its limit.
#[derive(Debug)]
pub(crate) struct MemoryBudget {
    limit: u64,
    used: AtomicU64,
}

impl MemoryBudget {
    pub(crate) fn new(limit: u64) -> Self {
        Self {
            limit,
            used: AtomicU64::new(0),
        }
    }

    pub(crate) fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    pub(crate) fn limit(&self) -> u64 {
        self.limit
    }

    pub(crate) fn take(&self, bytes: u64) -> bool {
        self.used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
                used.checked_add(bytes).filter(|sum| *sum <= self.limit)
            })
            .is_ok()
    }

    pub(crate) fn give_back(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Holds one instance to its limits.
#[derive(Debug)]
pub(crate) struct InstanceLimiter {
    memory_max: u64,
    memory_used: u64,
    budget: Arc<MemoryBudget>,
    /// Set when a growth was refused, so that the trap that follows can be told from others.
    refused: AtomicBool,
}

impl InstanceLimiter {
    pub(crate) fn new(memory_max: u64, budget: Arc<MemoryBudget>) -> Self {
        Self {
            memory_max,
            memory_used: 0,
            budget,
            refused: AtomicBool::new(false),
        }
    }

    pub(crate) fn memory_max(&self) -> u64 {
        self.memory_max
    }

    pub(crate) fn memory_used(&self) -> u64 {
        self.memory_used
    }

    pub(crate) fn was_refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }
}

impl ResourceLimiter for InstanceLimiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current) as u64;
        if self.memory_used + more > self.memory_max || !self.budget.take(more) {
            self.refused.store(true, Ordering::Relaxed);
            return Ok(false);
        }
        self.memory_used += more;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let granted = desired <= TABLE_ELEMENTS_MAX;
        if !granted {
            self.refused.store(true, Ordering::Relaxed);
        }
        Ok(granted)
    }
}

impl Drop for InstanceLimiter {
    fn drop(&mut self) {
        self.budget.give_back(self.memory_used);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_keeps_to_its_limit_and_returns_what_it_took() {
        let budget = Arc::new(MemoryBudget::new(1000));
        let mut limiter = InstanceLimiter::new(600, budget.clone());
        assert!(limiter.memory_growing(0, 400, None).unwrap());
        assert!(!limiter.memory_growing(400, 700, None).unwrap());
        assert!(limiter.was_refused());
        assert!(limiter.memory_growing(400, 600, None).unwrap());
        assert_eq!(budget.used(), 600);
        drop(limiter);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn all_instances_keep_to_the_budget() {
        let budget = Arc::new(MemoryBudget::new(1000));
        let mut one = InstanceLimiter::new(800, budget.clone());
        let mut two = InstanceLimiter::new(800, budget);
        assert!(one.memory_growing(0, 800, None).unwrap());
        assert!(!two.memory_growing(0, 300, None).unwrap());
        assert!(two.memory_growing(0, 200, None).unwrap());
    }
}
