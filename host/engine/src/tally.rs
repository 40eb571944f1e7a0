//! What a generation has done so far, counted. The counts outlive it, so that they can be shown when it is gone.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

/// Counts of one generation.
#[derive(Debug, Default)]
pub struct Tally {
    requests: AtomicU64,
    traps: AtomicU64,
    trial: Option<Trial>,
}

/// The first requests of a generation, while it may still be taken back.
#[derive(Debug, Default)]
struct Trial {
    /// How many requests it lasts.
    length: u64,
    ended: AtomicU64,
    traps: AtomicU64,
    news: Notify,
}

/// How a trial stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrialReport {
    /// Requests that have ended of those that count.
    pub requests: u64,
    /// How many of them trapped.
    pub traps: u64,
    /// Whether all requests that count have ended.
    pub is_over: bool,
}

impl Tally {
    /// Counts of a generation whose first `trial_requests` requests are watched; 0 is none.
    pub(crate) fn new(trial_requests: u64) -> Self {
        let trial = (trial_requests > 0).then(|| Trial {
            length: trial_requests,
            ..Trial::default()
        });
        Self {
            trial,
            ..Self::default()
        }
    }

    /// Counts a request that goes to the generation.
    pub fn begin(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts its end. A request whose client goes away has none.
    pub fn end(&self, trapped: bool) {
        if trapped {
            self.traps.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(trial) = &self.trial {
            trial.end(trapped);
        }
    }

    /// Counts that a request which had ended well trapped after all, in the midst of its answer.
    pub fn break_off(&self) {
        self.traps.fetch_add(1, Ordering::Relaxed);
        if let Some(trial) = &self.trial {
            trial.break_off();
        }
    }

    /// Requests so far, those in progress included.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Requests so far that trapped.
    pub fn traps(&self) -> u64 {
        self.traps.load(Ordering::Relaxed)
    }

    /// Waits until a request of the trial has trapped, or the trial is over. What has happened before the call counts.
    /// Without a trial it is over at once.
    pub async fn trial_news(&self) -> TrialReport {
        let Some(trial) = &self.trial else {
            return TrialReport {
                requests: 0,
                traps: 0,
                is_over: true,
            };
        };
        trial.news.notified().await;
        trial.report()
    }
}

impl Trial {
    fn end(&self, trapped: bool) {
        if self.ended.load(Ordering::Relaxed) >= self.length {
            return;
        }
        let ordinal = self.ended.fetch_add(1, Ordering::Relaxed);
        if ordinal >= self.length {
            return;
        }
        if trapped {
            self.traps.fetch_add(1, Ordering::Relaxed);
        }
        if trapped || ordinal + 1 == self.length {
            self.news.notify_one();
        }
    }

    /// One of those that have ended counts as a trap now, as long as the trial lasts.
    fn break_off(&self) {
        if self.ended.load(Ordering::Relaxed) < self.length {
            self.traps.fetch_add(1, Ordering::Relaxed);
            self.news.notify_one();
        }
    }

    fn report(&self) -> TrialReport {
        let requests = self.ended.load(Ordering::Relaxed).min(self.length);
        TrialReport {
            requests,
            traps: self.traps.load(Ordering::Relaxed),
            is_over: requests == self.length,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn news(tally: &Tally) -> Option<TrialReport> {
        let mut waiting = pin!(tally.trial_news());
        match waiting
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Ready(report) => Some(report),
            Poll::Pending => None,
        }
    }

    #[test]
    fn a_trial_tells_of_traps_and_of_its_end_and_then_no_more() {
        let report = |requests, traps, is_over| {
            Some(TrialReport {
                requests,
                traps,
                is_over,
            })
        };
        let tally = Tally::new(3);
        tally.begin();
        tally.end(false);
        assert_eq!(news(&tally), None);
        tally.begin();
        tally.end(true);
        assert_eq!(news(&tally), report(2, 1, false));
        assert_eq!(news(&tally), None, "told once");
        tally.end(false);
        assert_eq!(news(&tally), report(3, 1, true));
        tally.end(true);
        assert_eq!(news(&tally), None, "a trap after the trial is no news");
        assert_eq!((tally.requests(), tally.traps()), (2, 2));
    }

    #[test]
    fn an_answer_that_breaks_off_is_one_request_and_a_trap() {
        let tally = Tally::new(3);
        tally.end(false);
        tally.break_off();
        let report = |requests, traps, is_over| {
            Some(TrialReport {
                requests,
                traps,
                is_over,
            })
        };
        assert_eq!(news(&tally), report(1, 1, false));
        tally.end(false);
        tally.end(false);
        assert_eq!(news(&tally), report(3, 1, true));
        tally.break_off();
        assert_eq!(news(&tally), None, "the trial is over");
        assert_eq!(tally.traps(), 2);
    }

    #[test]
    fn without_a_trial_it_is_over_at_once() {
        let tally = Tally::new(0);
        tally.end(true);
        assert!(news(&tally).unwrap().is_over);
        assert_eq!(tally.traps(), 1);
    }
}
