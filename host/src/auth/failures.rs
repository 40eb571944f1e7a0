//! Failures that are counted and forgiven, and the waits that come of them.

use std::time::{Duration, Instant};

/// How failures are held against whoever makes them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slowness {
    /// Failures that cost nothing: anybody may mistype.
    pub(crate) free: u32,
    /// The first wait; each further failure doubles it.
    pub(crate) first: Duration,
    /// The longest wait.
    pub(crate) longest: Duration,
    /// Quiet time that halves the count of failures.
    pub(crate) half_life: Duration,
}

/// Failures of one kind.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Failures {
    pub(crate) count: u32,
    last: Option<Instant>,
}

impl Failures {
    /// Forgives what quiet time has earned.
    pub(crate) fn forgive(&mut self, rules: &Slowness, now: Instant) {
        let Some(last) = self.last else {
            return;
        };
        let quiet = now.saturating_duration_since(last).as_secs() / rules.half_life.as_secs();
        if quiet > 0 {
            let halvings = u32::try_from(quiet).unwrap_or(u32::MAX);
            self.count = self.count.checked_shr(halvings).unwrap_or(0);
            self.last = Some(now);
        }
    }

    /// Counts failures, and gives the wait that follows.
    pub(crate) fn add(&mut self, many: u32, rules: &Slowness, now: Instant) -> Duration {
        self.forgive(rules, now);
        self.last = Some(now);
        self.count = self.count.saturating_add(many);
        self.wait(rules)
    }

    /// The wait for as many failures as there are.
    pub(crate) fn wait(&self, rules: &Slowness) -> Duration {
        match self.count.checked_sub(rules.free + 1) {
            None => Duration::ZERO,
            Some(doublings) => rules
                .first
                .saturating_mul(2_u32.saturating_pow(doublings))
                .min(rules.longest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Slowness = Slowness {
        free: 3,
        first: Duration::from_millis(100),
        longest: Duration::from_secs(5),
        half_life: Duration::from_secs(30),
    };

    #[test]
    fn waits_grow_to_a_limit_and_are_forgiven() {
        let mut failures = Failures::default();
        let start = Instant::now();
        let mut add = |at| failures.add(1, &RULES, at);
        let delays: Vec<_> = (0..12).map(|_| add(start).as_millis()).collect();
        assert_eq!(
            delays,
            [0, 0, 0, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]
        );
        // Twelve are three after two half-lives, and the next is the fourth.
        assert_eq!(add(start + 2 * RULES.half_life), RULES.first);
        let much_later = start + Duration::from_secs(86_400);
        assert_eq!(add(much_later), Duration::ZERO);

        failures.count = u32::MAX;
        assert_eq!(failures.add(1, &RULES, much_later), RULES.longest);
    }
}
