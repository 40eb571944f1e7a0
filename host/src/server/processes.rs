//! The web processes of one server: how many run, how many may.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::Notify;

/// Counts web processes against `maxConcurrentProcesses`.
#[derive(Debug, Default)]
pub struct Processes {
    current: AtomicU32,
    highest: AtomicU32,
    max: AtomicU32,
    ended: Notify,
}

/// One running web process; gives its place back when dropped.
#[derive(Debug)]
pub struct ProcessPermit(Arc<Processes>);

impl Processes {
    /// Sets the limit for processes that begin from now on.
    pub fn set_max(&self, max: u32) {
        self.max.store(max, Ordering::Relaxed);
    }

    /// Counts anew what is counted since the start of the server.
    pub fn restart(&self) {
        self.highest.store(self.current(), Ordering::Relaxed);
    }

    /// Processes that run.
    pub fn current(&self) -> u32 {
        self.current.load(Ordering::Relaxed)
    }

    /// Most that ran at once since the server started.
    pub fn highest(&self) -> u32 {
        self.highest.load(Ordering::Relaxed)
    }

    /// Waits until none runs.
    pub async fn none(&self) {
        loop {
            let mut ended = pin!(self.ended.notified());
            // Listens from here on: one that ends between the look and the wait is not missed.
            ended.as_mut().enable();
            if self.current() == 0 {
                return;
            }
            ended.await;
        }
    }

    /// Begins a web process, or refuses it at the limit.
    ///
    /// The documents refuse "when this number (minus one) is reached", so one place of the limit is never used.
    pub fn begin(self: &Arc<Self>) -> Option<ProcessPermit> {
        let allowed = self.max.load(Ordering::Relaxed).saturating_sub(1);
        let count = |current: u32| (current < allowed).then_some(current + 1);
        let before = self
            .current
            .fetch_update(Ordering::AcqRel, Ordering::Relaxed, count)
            .ok()?;
        self.highest.fetch_max(before + 1, Ordering::Relaxed);
        Some(ProcessPermit(self.clone()))
    }
}

impl Drop for ProcessPermit {
    fn drop(&mut self) {
        if self.0.current.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.ended.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_less_than_the_limit_may_run() {
        let processes = Arc::new(Processes::default());
        processes.set_max(10);
        let mut permits: Vec<_> = std::iter::from_fn(|| processes.begin()).collect();
        assert_eq!((permits.len(), processes.current()), (9, 9));
        permits.pop();
        assert!(processes.begin().is_some());
        drop(permits);
        assert_eq!((processes.current(), processes.highest()), (0, 9));
        let permit = processes.begin();
        processes.restart();
        drop(permit);
        assert_eq!((processes.current(), processes.highest()), (0, 1));
    }
}
