//! The thread that brings changes to the disk in groups: one wait for the disk serves all of them.

use std::io;
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::grouped::Grouped;

/// Time between two attempts at a disk that fails.
const RETRY: Duration = Duration::from_secs(1);

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
    pub(super) fn begin(self: &Arc<Self>, store: &Arc<Grouped>) -> io::Result<JoinHandle<()>> {
        let (flusher, store) = (self.clone(), Arc::downgrade(store));
        std::thread::Builder::new()
            .name("tessera-flush".to_owned())
            .spawn(move || flusher.run(&store))
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

    fn run(&self, store: &Weak<Grouped>) {
        while self.wait_for_group() {
            let Some(store) = store.upgrade() else {
                return;
            };
            if !store.flush_and_tell() {
                // What waits has to be tried again, whether more comes or not.
                self.pause(RETRY);
                self.note_change();
            }
        }
    }

    /// Waits for a change, and half of the window for others: the rest is for the disk. False at the end.
    fn wait_for_group(&self) -> bool {
        let mut state = self.state.lock();
        while !state.is_dirty && !state.is_over {
            self.changed.wait(&mut state);
        }
        drop(state);
        self.pause(self.window / 2);
        let mut state = self.state.lock();
        state.is_dirty = false;
        !state.is_over
    }

    /// Waits this long, or until the end.
    fn pause(&self, time: Duration) {
        let mut state = self.state.lock();
        if !state.is_over {
            self.changed
                .wait_while_for(&mut state, |state| !state.is_over, time);
        }
    }
}
