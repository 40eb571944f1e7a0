//! The time that a web process has computed: what counts is the guest's own, not what it waits.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::clock::TICK;

/// Nanoseconds that a guest computes between two ticks at least, if it waits for nothing but a processor.
const STALL: u64 = TICK.as_nanos() as u64 / 4;

/// Counts the time of one web process.
///
/// Nothing is asked of the system while a call is young, as most are until they end. One that is slow goes on in a task
/// of its own ([`Metered`]), and what counts is the processor's time that its thread took for that task: neither waiting
/// nor what other threads do is in it.
#[derive(Debug)]
pub(crate) struct CpuMeter {
    limit: Duration,
    slow: AtomicBool,
    /// Nanoseconds that were taken until the task was interrupted last.
    spent: AtomicU64,
    /// What the clock of its thread showed when the task went on; 0 while nobody measures.
    began: AtomicU64,
    /// What it showed when the guest went on after it had given way; 0 once the task was interrupted otherwise.
    went_on: AtomicU64,
    has_stalled: AtomicBool,
}

/// The guest has computed for as long as it may.
#[derive(Debug, thiserror::Error)]
#[error("has computed for {0:?}")]
pub(crate) struct CpuSpent(pub(crate) Duration);

impl CpuMeter {
    pub(crate) fn new(limit: Duration) -> Arc<Self> {
        Arc::new(Self {
            limit,
            slow: AtomicBool::new(false),
            spent: AtomicU64::new(0),
            began: AtomicU64::new(0),
            went_on: AtomicU64::new(0),
            has_stalled: AtomicBool::new(false),
        })
    }

    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }

    /// Whether the guest has run for so long that it should make room for others.
    pub(crate) fn is_slow(&self) -> bool {
        self.slow.load(Ordering::Relaxed)
    }

    /// The clock has ticked while the guest was about to run, or ran.
    ///
    /// # Errors
    ///
    /// With what was spent, when that is too much.
    pub(crate) fn tick(&self) -> Result<(), CpuSpent> {
        let was_slow = self.slow.swap(true, Ordering::Relaxed);
        let went_on = self.went_on.swap(0, Ordering::Relaxed);
        if went_on > 0 && thread_time().saturating_sub(went_on) >= STALL {
            self.has_stalled.store(true, Ordering::Relaxed);
        }
        if was_slow && self.began.load(Ordering::Relaxed) == 0 {
            // Where nobody measures, at most a tick has passed since the guest gave way last.
            self.add(TICK);
        }
        let spent = self.spent();
        if spent < self.limit {
            Ok(())
        } else {
            Err(CpuSpent(spent))
        }
    }

    /// What was taken so far.
    pub(crate) fn spent(&self) -> Duration {
        let running = match self.began.load(Ordering::Relaxed) {
            0 => 0,
            began => thread_time().saturating_sub(began),
        };
        Duration::from_nanos(self.spent.load(Ordering::Relaxed) + running)
    }

    /// The guest goes on after it has given way, on the thread that calls.
    pub(crate) fn go_on(&self) {
        self.went_on.store(thread_time().max(1), Ordering::Relaxed);
    }

    /// Its task was interrupted, for whatever reason.
    #[cfg(feature = "p3")]
    pub(crate) fn interrupted(&self) {
        self.went_on.store(0, Ordering::Relaxed);
    }

    /// The guest has nothing to do, and is as quick as any with what comes next.
    #[cfg(feature = "p3")]
    pub(crate) fn rest(&self) {
        self.slow.store(false, Ordering::Relaxed);
        self.has_stalled.store(false, Ordering::Relaxed);
    }

    /// Whether a guest, having given way once, went on to compute until the clock ticked again. Told once.
    #[cfg(feature = "p3")]
    pub(crate) fn take_stall(&self) -> bool {
        self.has_stalled.load(Ordering::Relaxed) && self.has_stalled.swap(false, Ordering::Relaxed)
    }

    fn add(&self, time: Duration) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.spent.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// Counts the time of a step of the work.
    pub(crate) fn during<T>(&self, step: impl FnOnce() -> T) -> T {
        self.measure();
        let done = step();
        self.pause();
        done
    }

    fn measure(&self) {
        self.began.store(thread_time().max(1), Ordering::Relaxed);
    }

    fn pause(&self) {
        let began = self.began.swap(0, Ordering::Relaxed);
        if began > 0 {
            let taken = thread_time().saturating_sub(began);
            self.spent.fetch_add(taken, Ordering::Relaxed);
        }
    }
}

/// Nanoseconds of a processor that the thread has taken.
fn thread_time() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let nanoseconds = u64::try_from(time.tv_nsec).unwrap_or_default();
    seconds * 1_000_000_000 + nanoseconds
}

/// Work whose time is counted.
pub(crate) struct Metered<F> {
    pub(crate) work: Pin<Box<F>>,
    pub(crate) meter: Arc<CpuMeter>,
}

impl<F: Future> Future for Metered<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let Self { work, meter } = &mut *self;
        meter.during(|| work.as_mut().poll(context))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn compute(time: Duration) {
        let began = Instant::now();
        while began.elapsed() < time {
            std::hint::black_box(0_u64);
        }
    }

    #[tokio::test]
    async fn computing_counts_and_waiting_does_not() {
        let meter = CpuMeter::new(Duration::from_secs(60));
        let work = Box::pin(async {
            compute(Duration::from_millis(5));
            tokio::time::sleep(Duration::from_millis(300)).await;
            compute(Duration::from_millis(5));
        });
        let metered = Metered {
            work,
            meter: meter.clone(),
        };
        metered.await;
        let spent = meter.spent();
        assert!(spent > Duration::ZERO, "{spent:?}");
        assert!(spent < Duration::from_millis(200), "{spent:?}");
        assert!(meter.tick().is_ok() && meter.is_slow());
    }

    #[tokio::test]
    async fn what_is_spent_at_once_is_refused_while_it_is_being_spent() {
        let meter = CpuMeter::new(Duration::from_millis(3));
        let other = meter.clone();
        let work = Box::pin(async move {
            assert!(other.tick().is_ok());
            while other.tick().is_ok() {
                compute(Duration::from_micros(100));
            }
        });
        Metered { work, meter }.await;
    }

    #[cfg(feature = "p3")]
    #[test]
    fn a_guest_that_computes_on_after_it_gave_way_has_stalled_and_one_that_waited_has_not() {
        let meter = CpuMeter::new(Duration::MAX);
        compute(TICK);
        meter.tick().unwrap();
        assert!(!meter.take_stall(), "it has not given way yet");
        meter.go_on();
        meter.tick().unwrap();
        assert!(
            !meter.take_stall(),
            "the tick came while it waited for its turn"
        );
        meter.go_on();
        meter.interrupted();
        compute(TICK);
        meter.tick().unwrap();
        assert!(!meter.take_stall(), "others computed");
        meter.go_on();
        let began = thread_time();
        while thread_time() - began < STALL {}
        meter.tick().unwrap();
        assert!(meter.take_stall() && !meter.take_stall());
    }

    #[test]
    fn where_nobody_measures_ticks_are_counted() {
        let meter = CpuMeter::new(3 * TICK);
        let results: Vec<_> = (0..4).map(|_| meter.tick().is_ok()).collect();
        assert_eq!(results, [true, true, true, false]);
    }
}
