//! What seldom happens to a web server, by cause: requests that its component failed to answer, and reloads.

use std::sync::atomic::{AtomicU64, Ordering};

use tessera_engine::{Limit, ProcessError};

/// Causes of failures, as metrics call them.
const FAILURES: [&str; 12] = [
    "trap",
    "memory",
    "instantiate",
    "deadline",
    "queue",
    "error",
    "cpu_time",
    "table_elements",
    "handles",
    "call_size",
    "all_memory",
    "sessions",
];
/// What reloads come to, as metrics call it.
const OUTCOMES: [&str; 4] = ["started", "swapped", "stopped", "failed"];

/// Counters of one web server since the process began.
#[derive(Debug, Default)]
pub(crate) struct Events {
    failures: [AtomicU64; FAILURES.len()],
    reloads: [AtomicU64; OUTCOMES.len()],
}

impl Events {
    /// Its component failed to answer a request.
    pub(crate) fn failed(&self, error: &ProcessError) {
        count(&FAILURES, &self.failures, cause(error));
    }

    /// Its files were read again, and that was of consequence; by the name of the outcome.
    pub(crate) fn reloaded(&self, outcome: &str) {
        count(&OUTCOMES, &self.reloads, outcome);
    }

    /// Failures by cause.
    pub(super) fn failures(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        listed(&FAILURES, &self.failures)
    }

    /// Reloads by outcome.
    pub(super) fn reloads(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        listed(&OUTCOMES, &self.reloads)
    }
}

fn count(names: &[&str], counters: &[AtomicU64], name: &str) {
    let index = names.iter().position(|other| *other == name);
    if let Some(counter) = index.and_then(|index| counters.get(index)) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

fn listed<'a>(
    names: &'static [&'static str],
    counters: &'a [AtomicU64],
) -> impl Iterator<Item = (&'static str, u64)> + 'a {
    let counts = counters
        .iter()
        .map(|counter| counter.load(Ordering::Relaxed));
    names.iter().copied().zip(counts)
}

fn cause(error: &ProcessError) -> &'static str {
    match error {
        ProcessError::Trap { .. } => "trap",
        ProcessError::OutOfMemory { .. } => "memory",
        ProcessError::Instantiate(_) => "instantiate",
        ProcessError::Deadline(_) => "deadline",
        ProcessError::Busy(_) | ProcessError::QueueFull(_) | ProcessError::SessionBusy(_) => {
            "queue"
        }
        ProcessError::Failed { .. } => "error",
        ProcessError::NoSessions => "sessions",
        ProcessError::Limit { limit, .. } => match limit {
            Limit::CpuTime => "cpu_time",
            Limit::TableElements => "table_elements",
            Limit::Handles => "handles",
            Limit::CallSize => "call_size",
            Limit::AllMemory => "all_memory",
        },
        // Answers to their clients rather than failures.
        ProcessError::Unauthorized { .. }
        | ProcessError::NoHook(_)
        | ProcessError::BodyTooLarge => "",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn failures_are_counted_by_cause_and_refusals_are_none() {
        let events = Events::default();
        events.failed(&ProcessError::Deadline(Duration::ZERO));
        events.failed(&ProcessError::QueueFull(1));
        events.failed(&ProcessError::Limit {
            hook: "",
            limit: Limit::Handles,
            value: String::new(),
            message: String::new(),
        });
        events.failed(&ProcessError::BodyTooLarge);
        let counted: Vec<_> = events.failures().filter(|(_, count)| *count > 0).collect();
        assert_eq!(counted, [("deadline", 1), ("queue", 1), ("handles", 1)]);
        events.reloaded("swapped");
        events.reloaded("unchanged");
        let counted: Vec<_> = events.reloads().filter(|(_, count)| *count > 0).collect();
        assert_eq!(counted, [("swapped", 1)]);
    }
}
