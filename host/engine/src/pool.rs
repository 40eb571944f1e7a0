//! The process pool: instances kept for the next web process.

use parking_lot::Mutex;

use crate::instance::Instance;

/// Idle instances of one generation. The one used last is taken first: its memory is the warmest.
pub(crate) struct Pool {
    idle: Mutex<Idle>,
    max: usize,
}

struct Idle {
    instances: Vec<Instance>,
    closed: bool,
}

impl Pool {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            idle: Mutex::new(Idle {
                instances: Vec::new(),
                closed: false,
            }),
            max,
        }
    }

    pub(crate) fn take(&self) -> Option<Instance> {
        self.idle.lock().instances.pop()
    }

    /// Keeps an instance, unless the pool is full or closed; says whether it did.
    pub(crate) fn put(&self, instance: Instance) -> bool {
        let mut idle = self.idle.lock();
        if idle.closed || idle.instances.len() >= self.max {
            // Dropped after the lock: giving memory back takes a while.
            drop(idle);
            drop(instance);
            return false;
        }
        idle.instances.push(instance);
        true
    }

    pub(crate) fn idle(&self) -> usize {
        self.idle.lock().instances.len()
    }

    pub(crate) fn drop_idle(&self) {
        let instances = std::mem::take(&mut self.idle.lock().instances);
        drop(instances);
    }

    /// Keeps instances again after it was closed.
    pub(crate) fn open(&self) {
        self.idle.lock().closed = false;
    }

    pub(crate) fn close(&self) {
        self.idle.lock().closed = true;
        self.drop_idle();
    }
}
