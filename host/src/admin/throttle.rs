//! How long a wrong key waits for its answer.

use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::Semaphore;

use crate::auth::{Failures, Slowness};

const RULES: Slowness = Slowness {
    free: 3,
    first: Duration::from_millis(100),
    longest: Duration::from_secs(5),
    half_life: Duration::from_secs(30),
};
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

impl Throttle {
    pub(super) fn new() -> Self {
        Self {
            failures: Mutex::default(),
            waiting: Semaphore::new(WAITING_MAX),
        }
    }

    /// Counts a wrong key, and waits as long as it must. It counts even if the client has gone away.
    pub(super) async fn failed(&self) -> Slowed {
        let delay = self.failures.lock().add(1, &RULES, Instant::now());
        if delay.is_zero() {
            return Slowed::Waited;
        }
        if delay == RULES.first {
            tracing::warn!("wrong access keys again and again: answers to them are delayed");
        }
        let Ok(_permit) = self.waiting.try_acquire() else {
            return Slowed::TooMany(delay);
        };
        tokio::time::sleep(delay).await;
        Slowed::Waited
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_so_many_wait() {
        let throttle = Throttle::new();
        throttle.failures.lock().count = RULES.free;
        let _all = throttle.waiting.try_acquire_many(16).unwrap();
        assert_eq!(throttle.failed().await, Slowed::TooMany(RULES.first));
    }
}
