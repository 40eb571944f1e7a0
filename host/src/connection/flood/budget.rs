//! How much of what asks for nothing a connection may still send.

use std::time::Duration;

use tokio::time::Instant;

/// What a connection begins with, and what time alone brings back.
const IDLE_MAX: u32 = 1_000;
/// What useful work may add up to. A client that was sent much answers with many frames at once.
const EARNED_MAX: u32 = 20_000;
/// How long it takes for one to come back.
const ONE_BACK: Duration = Duration::from_millis(10);

/// A budget that work and time refill.
#[derive(Debug)]
pub(super) struct Budget {
    left: u32,
    /// Until when time has been counted.
    counted: Instant,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self {
            left: IDLE_MAX,
            counted: Instant::now(),
        }
    }

    /// Work was done.
    pub(super) fn earn(&mut self, amount: u32) {
        self.left = self.left.saturating_add(amount).min(EARNED_MAX);
    }

    /// Takes so much off; false if there is not so much.
    pub(super) fn spend(&mut self, amount: u32) -> bool {
        if self.left < amount {
            // Only here: the clock costs more than all else.
            self.wait_pays();
        }
        match self.left.checked_sub(amount) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }

    fn wait_pays(&mut self) {
        let now = Instant::now();
        let back = now.duration_since(self.counted).as_nanos() / ONE_BACK.as_nanos();
        if back == 0 {
            return;
        }
        let back = u32::try_from(back).unwrap_or(IDLE_MAX);
        self.left = self.left.max(self.left.saturating_add(back).min(IDLE_MAX));
        self.counted = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many frames of one each go through.
    fn most(budget: &mut Budget) -> u32 {
        (0..).take_while(|_| budget.spend(1)).count() as u32
    }

    #[tokio::test(start_paused = true)]
    async fn time_brings_back_what_a_quiet_client_needs_and_no_more() {
        let mut budget = Budget::new();
        assert_eq!(most(&mut budget), 1_000);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(most(&mut budget), 100);
        tokio::time::advance(Duration::from_secs(1_000_000)).await;
        assert_eq!(most(&mut budget), 1_000);
    }

    #[tokio::test(start_paused = true)]
    async fn work_brings_back_more_than_time_but_not_without_end() {
        let mut budget = Budget::new();
        budget.earn(5_000);
        assert_eq!(most(&mut budget), 6_000);
        budget.earn(u32::MAX);
        budget.earn(u32::MAX);
        assert_eq!(most(&mut budget), 20_000);
        // Time does not take away what was earned.
        budget.earn(5_000);
        tokio::time::advance(Duration::from_secs(10)).await;
        assert!(!budget.spend(5_001));
        assert_eq!(most(&mut budget), 5_000);
    }
}
