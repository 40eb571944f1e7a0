//! What is known of web processes that trapped, beside the trap itself. Kept until it is asked for, and only of the last
//! ones: nobody may ask.

use std::collections::VecDeque;
use std::time::Duration;

use parking_lot::Mutex;

/// Web processes of one generation that are remembered.
const KEPT: usize = 64;

/// What a web process that trapped had taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// The most bytes of linear memory that its instance held. Memory never shrinks, so it is what it held at the end.
    pub memory_bytes: u64,
    /// From the beginning of the web process to the trap.
    pub time: Duration,
}

/// Costs by number of request, the last ones.
#[derive(Debug, Default)]
pub(crate) struct Costs(Mutex<VecDeque<(u64, Cost)>>);

impl Costs {
    pub(crate) fn note(&self, request: u64, cost: Cost) {
        let mut costs = self.0.lock();
        if costs.len() >= KEPT {
            costs.pop_front();
        }
        costs.push_back((request, cost));
    }

    pub(crate) fn take(&self, request: u64) -> Option<Cost> {
        let mut costs = self.0.lock();
        let index = costs.iter().position(|(other, _)| *other == request)?;
        costs.remove(index).map(|(_, cost)| cost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_costs_are_given_once() {
        let costs = Costs::default();
        let cost = |memory_bytes| Cost {
            memory_bytes,
            time: Duration::ZERO,
        };
        for request in 0..100 {
            costs.note(request, cost(request));
        }
        assert_eq!(costs.take(35), None, "forgotten");
        assert_eq!(costs.take(36), Some(cost(36)));
        assert_eq!(costs.take(36), None);
        assert_eq!(costs.take(99), Some(cost(99)));
    }
}
