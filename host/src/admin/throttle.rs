//! How long a wrong key waits for its answer.

use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::Semaphore;

/// Wrong keys that cost nothing: anybody may mistype.
const FREE: u32 = 3;
/// The first wait; each further wrong key doubles it.
const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);
/// Quiet time that halves the count of wrong keys.
const HALF_LIFE: Duration = Duration::from_secs(30);
/// Wrong keys that wait at once; further ones are told to come back later.
const WAITING_MAX: usize = 16;

/// Slows down those who try keys.
///
/// A good key is never slowed down, so nobody can lock the operator out. On a loopback address all clients look
/// alike: the count is one for all.
pub(super) struct Throttle {
    failures: Mutex<Failures>,
    waiting: Semaphore,
}

/// What became of a wrong key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slowed {
    /// It has waited: say that it is wrong.
    Waited,
    /// Too many wait already: say when to try again.
    TooMany(Duration),
}

#[derive(Default)]
struct Failures {
    count: u32,
    last: Option<Instant>,
}

impl Throttle {
    pub(super) fn new() -> Self {
        Self {
            failures: Mutex::default(),
            waiting: Semaphore::new(WAITING_MAX),
        }
    }

    /// Counts a wrong key, and waits as long as it must. It counts even if the client has gone away.
    pub(super) async fn failed(&self) -> Slowed {
        let delay = self.failures.lock().add(Instant::now());
        if delay.is_zero() {
            return Slowed::Waited;
        }
        let Ok(_permit) = self.waiting.try_acquire() else {
            return Slowed::TooMany(delay);
        };
        tokio::time::sleep(delay).await;
        Slowed::Waited
    }
}

impl Failures {
    fn add(&mut self, now: Instant) -> Duration {
        if let Some(last) = self.last {
            let quiet = now.duration_since(last).as_secs() / HALF_LIFE.as_secs();
            self.count = self
                .count
                .checked_shr(u32::try_from(quiet).unwrap_or(u32::MAX))
                .unwrap_or(0);
        }
        self.last = Some(now);
        self.count = self.count.saturating_add(1);
        match self.count.checked_sub(FREE + 1) {
            None => Duration::ZERO,
            Some(0) => {
                tracing::warn!("wrong access keys again and again: answers to them are delayed");
                FIRST
            }
            Some(doublings) => FIRST
                .saturating_mul(2_u32.saturating_pow(doublings))
                .min(LONGEST),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_limit_and_are_forgiven() {
        let mut failures = Failures::default();
        let start = Instant::now();
        let delays: Vec<_> = (0..12).map(|_| failures.add(start).as_millis()).collect();
        assert_eq!(
            delays,
            [0, 0, 0, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]
        );
        // Twelve are three after two half-lives, and the next is the fourth.
        assert_eq!(failures.add(start + 2 * HALF_LIFE), FIRST);
        assert_eq!(
            failures.add(start + Duration::from_secs(86_400)),
            Duration::ZERO
        );

        failures.count = u32::MAX;
        assert_eq!(failures.add(start + Duration::from_secs(86_400)), LONGEST);
    }

    #[tokio::test]
    async fn only_so_many_wait() {
        let throttle = Throttle::new();
        throttle.failures.lock().count = FREE;
        let _all = throttle.waiting.try_acquire_many(16).unwrap();
        assert_eq!(throttle.failed().await, Slowed::TooMany(FIRST));
    }
}
