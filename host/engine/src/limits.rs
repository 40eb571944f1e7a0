//! What one instance may take of memory and tables, and what all of them together may.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use wasmtime::ResourceLimiter;

use crate::generation::InstanceLimits;

/// Elements of one table: enough for the largest language runtimes, and what the pool has room for.
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
    table_elements_max: usize,
    table_elements: usize,
    budget: Arc<MemoryBudget>,
    /// Set when a growth was refused, so that the trap that follows can be told from others.
    refused: Option<Refused>,
}

/// What an instance was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// More memory than one may have.
    Memory,
    /// More memory than there is for all.
    AllMemory,
    /// More elements of tables than one may have.
    Tables,
}

impl InstanceLimiter {
    pub(crate) fn new(limits: &InstanceLimits, budget: Arc<MemoryBudget>) -> Self {
        Self {
            memory_max: limits.memory,
            memory_used: 0,
            table_elements_max: limits.table_elements.min(TABLE_ELEMENTS_MAX),
            table_elements: 0,
            budget,
            refused: None,
        }
    }

    pub(crate) fn budget(&self) -> &Arc<MemoryBudget> {
        &self.budget
    }

    pub(crate) fn memory_max(&self) -> u64 {
        self.memory_max
    }

    /// Bytes that the instance holds.
    pub(crate) fn memory_used(&self) -> u64 {
        self.memory_used
    }

    pub(crate) fn all_memory_max(&self) -> u64 {
        self.budget.limit()
    }

    pub(crate) fn table_elements_max(&self) -> usize {
        self.table_elements_max
    }

    /// What was refused last.
    pub(crate) fn refused(&self) -> Option<Refused> {
        self.refused
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
        if self.memory_used.saturating_add(more) > self.memory_max {
            self.refused = Some(Refused::Memory);
            return Ok(false);
        }
        if !self.budget.take(more) {
            self.refused = Some(Refused::AllMemory);
            return Ok(false);
        }
        self.memory_used += more;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current);
        let all = self.table_elements.saturating_add(more);
        if all > self.table_elements_max {
            self.refused = Some(Refused::Tables);
            return Ok(false);
        }
        self.table_elements = all;
        Ok(true)
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
    use std::time::Duration;

    fn limits(memory: u64) -> InstanceLimits {
        InstanceLimits {
            memory,
            table_elements: 100,
            deadline: Duration::from_secs(1),
            cpu_time: Duration::from_secs(1),
            response_size: 1,
            call_size: 1,
            stream_time: Duration::from_secs(1),
            outbound_calls: 0,
            handles: 1,
        }
    }

    #[test]
    fn an_instance_keeps_to_its_limit_and_returns_what_it_took() {
        let budget = Arc::new(MemoryBudget::new(1000));
        let mut limiter = InstanceLimiter::new(&limits(600), budget.clone());
        assert!(limiter.memory_growing(0, 400, None).unwrap());
        assert!(!limiter.memory_growing(400, 700, None).unwrap());
        assert_eq!(limiter.refused(), Some(Refused::Memory));
        assert!(limiter.memory_growing(400, 600, None).unwrap());
        assert_eq!(budget.used(), 600);
        drop(limiter);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn all_instances_keep_to_the_budget() {
        let budget = Arc::new(MemoryBudget::new(1000));
        let mut one = InstanceLimiter::new(&limits(800), budget.clone());
        let mut two = InstanceLimiter::new(&limits(800), budget);
        assert!(one.memory_growing(0, 800, None).unwrap());
        assert!(!two.memory_growing(0, 300, None).unwrap());
        assert_eq!(two.refused(), Some(Refused::AllMemory));
        assert!(two.memory_growing(0, 200, None).unwrap());
    }

    #[test]
    fn the_tables_of_an_instance_count_together() {
        let mut limiter = InstanceLimiter::new(&limits(0), Arc::new(MemoryBudget::new(0)));
        assert!(limiter.table_growing(0, 60, None).unwrap());
        assert!(limiter.table_growing(0, 30, None).unwrap());
        assert!(!limiter.table_growing(60, 71, None).unwrap());
        assert_eq!(limiter.refused(), Some(Refused::Tables));
        assert!(limiter.table_growing(60, 70, None).unwrap());
    }
}
