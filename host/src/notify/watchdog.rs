//! Tells the service manager that the process is alive, for as long as what serves makes progress.
//!
//! What tells is a task of the runtime that serves: it runs only if that still runs tasks and its clock. Before it tells
//! anything it looks whether each of the threads has done something since the last look, or has nothing to do, and whether
//! the clock that interrupts guests still ticks.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Handle, RuntimeMetrics};
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use super::ServiceManager;

/// Parts of the manager's time after which it is told again: half of it, as sd_watchdog_enabled(3) has it.
const PARTS: u32 = 2;
/// More often than that is of no use to anybody.
const INTERVAL_MIN: Duration = Duration::from_millis(10);

/// Tells until dropped.
#[derive(Debug)]
pub struct Watchdog(JoinHandle<()>);

/// What does not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Stuck {
    /// A thread that serves has been at one piece of work for all the time.
    #[error("{0} of the threads that serve have been at the same work since the last look")]
    Threads(usize),
    /// The engine's clock stands still.
    #[error("the clock that interrupts guests does not tick")]
    Clock,
}

/// How far everything had come when it was looked at last.
#[derive(Debug, Default)]
struct Progress {
    threads: Vec<Thread>,
    ticks: Vec<u64>,
}

/// One of the threads that serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Thread {
    /// How often it went to sleep or woke up: odd while it sleeps.
    turns: u64,
    /// How long it has worked, as it says now and then while it works.
    busy: Duration,
}

impl Watchdog {
    /// Tells the manager, if it wants to know, on the runtime that is entered. `ticks` says how often each clock of the engine
    /// has ticked.
    pub fn start(
        manager: &Arc<ServiceManager>,
        ticks: impl Fn() -> Vec<u64> + Send + 'static,
    ) -> Option<Self> {
        let interval = (manager.watchdog()? / PARTS).max(INTERVAL_MIN);
        let manager = manager.clone();
        let metrics = Handle::current().metrics();
        Some(Self(tokio::spawn(async move {
            let mut looks = tokio::time::interval(interval);
            looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut progress = Progress::default();
            let mut was_stuck = false;
            loop {
                looks.tick().await;
                let stuck = progress.look(threads(&metrics), ticks());
                match stuck {
                    None => manager.alive(),
                    Some(stuck) if !was_stuck => {
                        tracing::error!(
                            "the service manager is not told that the process is alive: {stuck}"
                        );
                    }
                    Some(_) => {}
                }
                was_stuck = stuck.is_some();
            }
        })))
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Progress {
    /// Compares with what was there before, and says what has stood still in between.
    fn look(&mut self, threads: Vec<Thread>, ticks: Vec<u64>) -> Option<Stuck> {
        let is_stuck = |(before, now): &(&Thread, &Thread)| before == now && now.turns % 2 == 0;
        let stuck = self.threads.iter().zip(&threads).filter(is_stuck).count();
        let stands = self
            .ticks
            .iter()
            .zip(&ticks)
            .any(|(before, now)| before == now);
        *self = Self { threads, ticks };
        match stuck {
            0 => stands.then_some(Stuck::Clock),
            _ => Some(Stuck::Threads(stuck)),
        }
    }
}

fn threads(metrics: &RuntimeMetrics) -> Vec<Thread> {
    (0..metrics.num_workers())
        .map(|index| Thread {
            turns: metrics.worker_park_unpark_count(index),
            busy: metrics.worker_total_busy_duration(index),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use tokio::runtime::Builder;

    use super::*;

    #[test]
    fn a_clock_that_stands_still_is_noticed() {
        let mut progress = Progress::default();
        assert_eq!(progress.look(Vec::new(), vec![0]), None, "nothing before");
        assert_eq!(progress.look(Vec::new(), vec![5, 1]), None);
        assert_eq!(progress.look(Vec::new(), vec![6, 1]), Some(Stuck::Clock));
        assert_eq!(progress.look(Vec::new(), vec![7, 2]), None);
    }

    #[test]
    fn a_thread_that_sleeps_or_works_on_is_not_stuck() {
        let thread = |turns, milliseconds| Thread {
            turns,
            busy: Duration::from_millis(milliseconds),
        };
        let mut progress = Progress::default();
        for (now, expected) in [
            ([thread(1, 5), thread(2, 5)], None),
            // Asleep all the time, and at work without ever sleeping.
            ([thread(1, 5), thread(2, 6)], None),
            ([thread(1, 5), thread(2, 6)], Some(Stuck::Threads(1))),
            ([thread(4, 5), thread(4, 6)], None),
            ([thread(4, 5), thread(4, 6)], Some(Stuck::Threads(2))),
        ] {
            assert_eq!(progress.look(now.to_vec(), Vec::new()), expected, "{now:?}");
        }
    }

    #[test]
    fn a_thread_that_is_held_up_is_noticed_though_others_go_on() {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let metrics = runtime.handle().metrics();
        let (release, held) = mpsc::channel::<()>();
        let (begin, begun) = mpsc::channel();
        let stuck = runtime.spawn(async move {
            begin.send(()).unwrap();
            // What no task should do.
            let _ = held.recv();
        });
        begun.recv().unwrap();
        let mut progress = Progress::default();
        let mut look = || {
            // The other thread does whatever there is to do.
            runtime
                .block_on(runtime.spawn(async { tokio::task::yield_now().await }))
                .unwrap();
            progress.look(threads(&metrics), Vec::new())
        };
        look();
        // The other one may be just about to go to sleep.
        let is_noticed = (0..1000).any(|_| {
            let stuck = look();
            assert_ne!(stuck, None);
            stuck == Some(Stuck::Threads(1))
        });
        assert!(is_noticed);
        release.send(()).unwrap();
        runtime.block_on(stuck).unwrap();
        look();
        let goes_on = (0..1000).any(|_| look().is_none());
        assert!(goes_on, "it has nothing to do any more");
    }

    #[tokio::test]
    async fn who_does_not_ask_is_not_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let _socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
        let manager = ServiceManager::at(path.as_os_str(), None).unwrap();
        assert!(Watchdog::start(&manager, Vec::new).is_none());
    }
}
