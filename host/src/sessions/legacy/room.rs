//! How many sessions keep an instance: each has a place, from before the instance is made until it is gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The places of one web server.
#[derive(Clone, Debug, Default)]
pub(super) struct Rooms(Arc<AtomicUsize>);

/// A place, until dropped.
#[derive(Debug)]
pub(super) struct Room(Arc<AtomicUsize>);

impl Rooms {
    /// A place, if fewer than `max` are taken.
    pub(super) fn take(&self, max: usize) -> Option<Room> {
        let count = |taken: usize| (taken < max).then_some(taken + 1);
        let counted = self
            .0
            .fetch_update(Ordering::AcqRel, Ordering::Relaxed, count);
        counted.ok().map(|_| Room(self.0.clone()))
    }

    /// Places that are taken.
    pub(super) fn taken(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
