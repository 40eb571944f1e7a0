//! What the web processes of a component cost, summed up over all its generations that are in memory.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Sums of one component. They begin anew when no generation of it is left.
#[derive(Debug, Default)]
pub struct Meters {
    instantiations: Sum,
    guest: Sum,
}

/// The sums at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Costs {
    /// Instances that were made, or failed to be.
    pub instantiations: u64,
    /// How long that took.
    pub instantiation_time: Duration,
    /// Requests that instances were at.
    pub guest_calls: u64,
    /// How long they were at them, by the clock on the wall: from the first hook to the end of the last one.
    pub guest_time: Duration,
}

#[derive(Debug, Default)]
struct Sum {
    count: AtomicU64,
    nanoseconds: AtomicU64,
}

/// Something that takes its time, until dropped. What is given up halfway has taken it, too.
pub(crate) struct Timed<'a> {
    sum: &'a Sum,
    began: Instant,
}

impl Meters {
    /// An instance is being made.
    pub(crate) fn instantiation(&self) -> Timed<'_> {
        self.instantiations.begin()
    }

    /// An instance is at a request.
    pub(crate) fn guest(&self) -> Timed<'_> {
        self.guest.begin()
    }

    /// The sums now.
    pub fn costs(&self) -> Costs {
        let (instantiations, instantiation_time) = self.instantiations.now();
        let (guest_calls, guest_time) = self.guest.now();
        Costs {
            instantiations,
            instantiation_time,
            guest_calls,
            guest_time,
        }
    }
}

impl Sum {
    fn begin(&self) -> Timed<'_> {
        Timed {
            sum: self,
            began: Instant::now(),
        }
    }

    fn now(&self) -> (u64, Duration) {
        let nanoseconds = self.nanoseconds.load(Ordering::Relaxed);
        (
            self.count.load(Ordering::Relaxed),
            Duration::from_nanos(nanoseconds),
        )
    }
}

impl Timed<'_> {
    /// When it began.
    pub(crate) fn began(&self) -> Instant {
        self.began
    }
}

impl Drop for Timed<'_> {
    fn drop(&mut self) {
        let nanoseconds = u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.sum
            .nanoseconds
            .fetch_add(nanoseconds, Ordering::Relaxed);
        self.sum.count.fetch_add(1, Ordering::Relaxed);
    }
}

/// The meters of all components by name, for as long as a generation holds them.
#[derive(Debug, Default)]
pub(crate) struct AllMeters(Mutex<HashMap<Arc<str>, Weak<Meters>>>);

impl AllMeters {
    /// Those of a component: what its other generations have, or new ones.
    pub(crate) fn of(&self, component: &Arc<str>) -> Arc<Meters> {
        let mut all = self.0.lock();
        if let Some(meters) = all.get(component).and_then(Weak::upgrade) {
            return meters;
        }
        all.retain(|_, meters| meters.strong_count() > 0);
        let meters = Arc::<Meters>::default();
        all.insert(component.clone(), Arc::downgrade(&meters));
        meters
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generations_of_one_component_share_and_the_last_takes_it_along() {
        let all = AllMeters::default();
        let name: Arc<str> = "shop".into();
        let first = all.of(&name);
        drop(first.guest());
        let second = all.of(&name);
        drop(first);
        drop(second.instantiation());
        let costs = second.costs();
        assert_eq!((costs.guest_calls, costs.instantiations), (1, 1));
        assert_eq!(all.of(&"other".into()).costs(), Costs::default());
        drop(second);
        assert_eq!(all.of(&name).costs(), Costs::default());
        assert_eq!(all.0.lock().len(), 1);
    }
}
