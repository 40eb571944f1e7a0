//! The epoch clock: a thread that lets the engine interrupt running guests.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Time between two ticks. A guest that runs longer than [`TICKS_INLINE`] of them gives way to others.
pub(crate) const TICK: Duration = Duration::from_millis(10);
/// Ticks that a call may run where it started before it moves to the runtime for long-running guests. Two, not
/// one: a tick may come right after the call began.
pub(crate) const TICKS_INLINE: u64 = 2;

/// Ticks until dropped.
pub(crate) struct EpochClock {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    ticks: Arc<AtomicU64>,
}

impl EpochClock {
    /// Starts the clock. A thread of its own: no guest can hold up its ticks, as it could a runtime's timer.
    pub(crate) fn start(engine: &wasmtime::Engine) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel::<()>();
        let engine = Arc::new(engine.weak());
        let ticks = Arc::new(AtomicU64::new(0));
        let counter = ticks.clone();
        let thread = std::thread::Builder::new()
            .name("tessera-epoch".into())
            .spawn(move || {
                while stopped.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                    let Some(engine) = engine.upgrade() else {
                        return;
                    };
                    engine.increment_epoch();
                    counter.fetch_add(1, Ordering::Relaxed);
                }
            })?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
            ticks,
        })
    }

    /// Ticks since the start.
    pub(crate) fn ticks(&self) -> u64 {
        self.ticks.load(Ordering::Relaxed)
    }
}

impl Drop for EpochClock {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            // The thread ends within a tick; that it might have panicked changes nothing here.
            let _ = thread.join();
        }
    }
}
