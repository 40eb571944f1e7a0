//! Whether a component is likely to be slow: one that often is does not begin on the threads that serve.

use std::sync::atomic::{AtomicU32, Ordering};

/// How many quick web processes make one slow one forgotten.
const WEIGHT: u32 = 16;
/// Slow ones that are remembered at most, so that a component that is quick again is soon taken for it.
const REMEMBERED: u32 = 8;

/// How the last web processes of a generation went.
#[derive(Debug, Default)]
pub(crate) struct Pace(AtomicU32);

impl Pace {
    /// Whether the next one had better begin elsewhere: where it is slow, it holds up what comes after it.
    pub(crate) fn is_slow(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }

    /// One was slow.
    pub(crate) fn slow(&self) {
        let more = |weight: u32| Some((weight + WEIGHT).min(WEIGHT * REMEMBERED));
        let _ = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
    }

    /// One was quick, where this is of interest: not on the way of every request.
    pub(crate) fn quick(&self) {
        let less = |weight: u32| weight.checked_sub(1);
        let _ = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slow_process_is_forgotten_after_some_quick_ones() {
        let pace = Pace::default();
        pace.quick();
        assert!(!pace.is_slow());
        pace.slow();
        for _ in 0..WEIGHT {
            assert!(pace.is_slow());
            pace.quick();
        }
        assert!(!pace.is_slow());
        for _ in 0..1000 {
            pace.slow();
        }
        for _ in 0..WEIGHT * REMEMBERED {
            pace.quick();
        }
        assert!(!pace.is_slow());
    }
}
