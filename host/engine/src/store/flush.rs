//! Brings changes of a file to the disk in groups: one wait for the disk serves all of them.

use std::io;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::file::Inner;

/// Wakes the thread that writes when there is something to be written.
#[derive(Debug)]
pub(super) struct Flusher {
    window: Duration,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    is_dirty: bool,
    is_over: bool,
}

impl Flusher {
    /// One that has every change on the disk `window` after it at the latest, but for the time that the disk takes.
    pub(super) fn new(window: Duration) -> Arc<Self> {
        Arc::new(Self {
            window,
            state: Mutex::default(),
            changed: Condvar::new(),
        })
    }

    /// Begins to write, until [`Flusher::end`].
    pub(super) fn begin(self: &Arc<Self>, inner: &Arc<Inner>) -> io::Result<()> {
        let (flusher, inner) = (self.clone(), Arc::downgrade(inner));
        std::thread::Builder::new()
            .name("tessera-flush".to_owned())
            .spawn(move || flusher.run(&inner))
            .map(drop)
    }

    /// There is something to be written.
    pub(super) fn note_change(&self) {
        let mut state = self.state.lock();
        if !state.is_dirty {
            state.is_dirty = true;
            self.changed.notify_all();
        }
    }

    /// Ends the thread; what is left is the caller's to write.
    pub(super) fn end(&self) {
        self.state.lock().is_over = true;
        self.changed.notify_all();
    }

    fn run(&self, inner: &Weak<Inner>) {
        while self.wait_for_group() {
            let Some(inner) = inner.upgrade() else {
                return;
            };
            flush(&inner);
        }
    }

    /// Waits for a change, and half of the window for others: the rest is for the disk. False at the end.
    fn wait_for_group(&self) -> bool {
        let mut state = self.state.lock();
        while !state.is_dirty && !state.is_over {
            self.changed.wait(&mut state);
        }
        if !state.is_over {
            self.changed.wait_for(&mut state, self.window / 2);
        }
        state.is_dirty = false;
        !state.is_over
    }
}

/// Brings all changes so far to the disk.
pub(super) fn flush(inner: &Inner) {
    let flushed = inner.database.begin_write().map_err(redb::Error::from);
    let flushed = flushed.and_then(|mut transaction| {
        // After a crash the file is opened without walking through all of it.
        transaction.set_quick_repair(true);
        transaction.commit().map_err(redb::Error::from)
    });
    if let Err(error) = flushed {
        tracing::error!(file = %inner.path.display(), %error, "what was changed last could not be written");
    }
}
