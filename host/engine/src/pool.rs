//! The process pool: instances kept for the next web process, and what became of those before them.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;

use crate::generation::PoolOptions;
use crate::instance::Instance;
use crate::slots::{Holder, NoSlot, Passed, Place};
#[cfg(feature = "p3")]
use crate::wasi_http::Tenancy;

/// How many of the instances used last are looked through for one of a thread's own.
const LATEST: usize = 8;

/// Idle instances of one generation. Those used last are taken first: their memory is the warmest.
pub(crate) struct Pool {
    idle: Mutex<Idle>,
    options: PoolOptions,
    holder: Holder<Kept>,
    created: AtomicU64,
    retired: [AtomicU64; CAUSES],
}

/// An instance with nothing to do.
#[allow(
    clippy::large_enum_variant,
    reason = "few are kept, and a box would be allocated for each request"
)]
pub(crate) enum Kept {
    /// It serves one request at a time.
    Instance(Instance),
    /// It may have several at a time.
    #[cfg(feature = "p3")]
    Tenancy(Tenancy),
}

impl Kept {
    /// One that serves one request at a time.
    pub(crate) fn instance(self) -> Option<Instance> {
        match self {
            Self::Instance(instance) => Some(instance),
            #[cfg(feature = "p3")]
            Self::Tenancy(_) => None,
        }
    }

    /// One that may have several.
    #[cfg(feature = "p3")]
    pub(crate) fn tenancy(self) -> Option<Tenancy> {
        match self {
            Self::Instance(_) => None,
            Self::Tenancy(tenancy) => Some(tenancy),
        }
    }
}

struct Idle {
    /// The one used last is the last, each with the thread that had it.
    instances: VecDeque<(Thread, Kept)>,
    closed: bool,
}

/// One of the process's threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Thread(usize);

impl Thread {
    fn this() -> Self {
        static THREADS: AtomicUsize = AtomicUsize::new(0);
        thread_local! {
            static THIS: Thread = Thread(THREADS.fetch_add(1, Ordering::Relaxed));
        }
        THIS.with(|this| *this)
    }
}

/// The place of the one that a thread had last, if that is among the latest; else the latest.
fn nearest<T>(instances: &VecDeque<(Thread, T)>, this: Thread) -> Option<usize> {
    let last = instances.len().checked_sub(1)?;
    let mut latest = instances.iter().rev().take(LATEST);
    let own = latest.position(|(thread, _)| *thread == this);
    Some(last - own.unwrap_or(0))
}

/// Why an instance came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// It had served its number of requests, or its only one.
    Requests,
    /// It held much more memory than when it was made.
    Growth,
    /// It had been refused memory or table elements.
    Limit,
    /// It trapped.
    Trap,
    /// As many were kept as may be, or its generation ended.
    Surplus,
    /// Another component needed the place.
    Room,
    /// Memory was short.
    Memory,
    /// The session that it belonged to ended.
    Session,
}

const CAUSES: usize = 8;

/// Counts of a generation's instances.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolStatistics {
    /// Instances kept for the next request.
    pub idle: usize,
    /// Instances made so far.
    pub created: u64,
    /// Instances that ended by a trap.
    pub trapped: u64,
    /// Instances that ended in other ways.
    pub retired: Retired,
    /// Requests that wait for an instance.
    pub waiting: usize,
    /// Requests that waited for an instance in vain, or found too many waiting.
    pub refused: u64,
}

/// Instances that ended without a trap, by cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retired {
    /// Had served their number of requests.
    pub requests: u64,
    /// Held much more memory than when they were made.
    pub growth: u64,
    /// Had been refused memory or table elements.
    pub limit: u64,
    /// Were more than are kept.
    pub surplus: u64,
    /// Gave their place to another component.
    pub room: u64,
    /// Were dropped because memory was short.
    pub memory: u64,
    /// Belonged to a session that ended.
    pub session: u64,
}

impl Pool {
    pub(crate) fn new(options: PoolOptions, holder: Holder<Kept>) -> Self {
        Self {
            idle: Mutex::new(Idle {
                instances: VecDeque::new(),
                closed: false,
            }),
            options,
            holder,
            created: AtomicU64::new(0),
            retired: Default::default(),
        }
    }

    /// The component's claim to its share of places.
    pub(crate) fn holder(&self) -> &Holder<Kept> {
        &self.holder
    }

    /// Waits in the component's queue.
    pub(crate) async fn wait(&self) -> Result<Place<Kept>, NoSlot> {
        let PoolOptions {
            queue,
            queue_timeout,
            ..
        } = self.options;
        let idle = || self.take();
        self.holder.wait(queue, queue_timeout, idle).await
    }

    /// Counts an instance that was made, and gives its number.
    pub(crate) fn count_new(&self) -> u64 {
        self.created.fetch_add(1, Ordering::Relaxed)
    }

    /// Counts an instance that comes to its end.
    pub(crate) fn count(&self, cause: Cause, instances: usize) {
        if let Some(counter) = self.retired.get(cause as usize) {
            counter.fetch_add(instances as u64, Ordering::Relaxed);
        }
    }

    /// The instance that was used last, or another one of the last few that this thread had: its core has more of that at hand.
    pub(crate) fn take(&self) -> Option<Kept> {
        let this = Thread::this();
        let instances = &mut self.idle.lock().instances;
        let (_, instance) = instances.remove(nearest(instances, this)?)?;
        Some(instance)
    }

    /// Keeps an instance, unless the pool is full or closed; says whether it did.
    pub(crate) fn put(&self, instance: Kept) -> bool {
        let mut idle = self.idle.lock();
        if idle.closed || idle.instances.len() >= self.options.max {
            // Dropped after the lock: giving memory back takes a while.
            drop(idle);
            drop(instance);
            self.count(Cause::Surplus, 1);
            return false;
        }
        idle.instances.push_back((Thread::this(), instance));
        drop(idle);
        if self.holder.does_anybody_wait() {
            self.share();
        }
        true
    }

    /// Gives an idle instance to who waits for it, or its place to who needs that.
    fn share(&self) {
        let Some(instance) = self.take() else {
            return;
        };
        match self.holder.pass_on(instance) {
            Passed::HandedOver => {}
            Passed::Dropped => self.count(Cause::Room, 1),
            Passed::Kept(instance) => {
                let mut idle = self.idle.lock();
                if idle.closed {
                    // Dropped after the lock.
                    drop(idle);
                    drop(instance);
                } else {
                    idle.instances.push_back((Thread::this(), instance));
                }
            }
        }
    }

    pub(crate) fn idle(&self) -> usize {
        self.idle.lock().instances.len()
    }

    /// Drops the instance that has waited longest; says whether there was one.
    pub(crate) fn drop_oldest(&self, cause: Cause) -> bool {
        let oldest = self.idle.lock().instances.pop_front();
        self.count(cause, usize::from(oldest.is_some()));
        oldest.is_some()
    }

    /// Drops all that wait; says how many.
    pub(crate) fn drop_idle(&self, cause: Cause) -> usize {
        let instances = std::mem::take(&mut self.idle.lock().instances);
        self.count(cause, instances.len());
        instances.len()
    }

    /// Keeps instances again after it was closed.
    pub(crate) fn open(&self) {
        self.idle.lock().closed = false;
    }

    pub(crate) fn close(&self) {
        self.idle.lock().closed = true;
        self.drop_idle(Cause::Surplus);
    }

    /// Counts of now.
    pub(crate) fn statistics(&self) -> PoolStatistics {
        let count = |cause: Cause| {
            let counter = self.retired.get(cause as usize);
            counter.map_or(0, |counter| counter.load(Ordering::Relaxed))
        };
        let (waiting, refused) = self.holder.waiting_and_refused();
        PoolStatistics {
            idle: self.idle(),
            created: self.created.load(Ordering::Relaxed),
            trapped: count(Cause::Trap),
            retired: Retired {
                requests: count(Cause::Requests),
                growth: count(Cause::Growth),
                limit: count(Cause::Limit),
                surplus: count(Cause::Surplus),
                room: count(Cause::Room),
                memory: count(Cause::Memory),
                session: count(Cause::Session),
            },
            waiting,
            refused,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_takes_what_it_had_itself_if_that_is_not_long_ago() {
        let taken = |threads: &[usize], this| {
            let instances = threads.iter().map(|thread| (Thread(*thread), ()));
            nearest(&instances.collect(), Thread(this))
        };
        assert_eq!(taken(&[], 1), None);
        assert_eq!(taken(&[1, 2, 1, 2], 2), Some(3));
        assert_eq!(taken(&[1, 2, 1, 2], 1), Some(2));
        assert_eq!(taken(&[1, 2, 1, 2], 3), Some(3));
        assert_eq!(taken(&[1, 2, 2, 2, 2, 2, 2, 2], 1), Some(0));
        assert_eq!(taken(&[1, 2, 2, 2, 2, 2, 2, 2, 2], 1), Some(8));
    }
}
