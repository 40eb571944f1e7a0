//! The web processes of one server: how many run, how many may.
//!
//! The host's limit is one for all components that it hands requests to. A quarter of it is kept for them in equal shares;
//! all else is for whoever comes first. So one component that is busy or hangs does not take the places of the others.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use tokio::sync::Notify;

/// Counts web processes against `maxConcurrentProcesses`.
#[derive(Debug, Default)]
pub struct Processes {
    current: AtomicU32,
    highest: AtomicU32,
    max: AtomicU32,
    refused: AtomicU64,
    /// How many components share the limit.
    sharers: AtomicU32,
    /// Processes beyond the shares of their components: of the host all, of a component its own.
    beyond: AtomicU32,
    /// Processes of this component that have a place of the host.
    with_host: AtomicU32,
    ended: Notify,
}

/// One running web process; gives its place back when dropped.
#[derive(Debug)]
pub struct ProcessPermit(Arc<Processes>);

/// A place of a web process under the host's limit; given back when dropped.
#[derive(Debug)]
pub struct SharedPermit {
    component: Arc<Processes>,
    place: ProcessPermit,
}

/// Of all places, one of so many is kept as some component's share.
const SHARED_PART: u32 = 4;

impl Processes {
    /// Sets the limit for processes that begin from now on.
    pub fn set_max(&self, max: u32) {
        self.max.store(max, Ordering::Relaxed);
    }

    /// Counts anew what is counted since the start of the server.
    pub fn restart(&self) {
        self.highest.store(self.current(), Ordering::Relaxed);
        self.refused.store(0, Ordering::Relaxed);
    }

    /// Processes that run.
    pub fn current(&self) -> u32 {
        self.current.load(Ordering::Relaxed)
    }

    /// Most that ran at once since the server started.
    pub fn highest(&self) -> u32 {
        self.highest.load(Ordering::Relaxed)
    }

    /// Processes that were refused at the limit since the server started.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Sets how many components share the limit.
    pub fn share_among(&self, components: usize) {
        let components = u32::try_from(components).unwrap_or(u32::MAX);
        self.sharers.store(components, Ordering::Relaxed);
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
        let counted = self
            .current
            .fetch_update(Ordering::AcqRel, Ordering::Relaxed, count);
        match counted {
            Ok(before) => {
                self.highest.fetch_max(before + 1, Ordering::Relaxed);
                Some(ProcessPermit(self.clone()))
            }
            Err(_) => {
                self.refused.fetch_add(1, Ordering::Relaxed);
                None
            }
        }
    }

    /// Begins a web process of a component under this server's limit, or refuses it: at the limit, and where the rest is
    /// kept for other components.
    pub fn begin_for(self: &Arc<Self>, component: &Arc<Self>) -> Option<SharedPermit> {
        let (share, common) = self.shares();
        let before = component.with_host.fetch_add(1, Ordering::AcqRel);
        let is_beyond = before >= share;
        let count = |beyond: u32| (beyond < common).then_some(beyond + 1);
        let has_place = !is_beyond
            || self
                .beyond
                .fetch_update(Ordering::AcqRel, Ordering::Relaxed, count)
                .is_ok();
        let place = if has_place {
            self.begin()
        } else {
            self.refused.fetch_add(1, Ordering::Relaxed);
            None
        };
        match place {
            Some(place) => {
                if is_beyond {
                    component.beyond.fetch_add(1, Ordering::AcqRel);
                }
                Some(SharedPermit {
                    component: component.clone(),
                    place,
                })
            }
            None => {
                component.with_host.fetch_sub(1, Ordering::AcqRel);
                if is_beyond && has_place {
                    self.beyond.fetch_sub(1, Ordering::AcqRel);
                }
                None
            }
        }
    }

    /// The share of each component, and what is for all of them.
    fn shares(&self) -> (u32, u32) {
        let allowed = self.max.load(Ordering::Relaxed).saturating_sub(1);
        match self.sharers.load(Ordering::Relaxed) {
            0 => (0, allowed),
            // More components than places: nobody has one of its own.
            sharers if sharers > allowed => (0, allowed),
            sharers => {
                let share = (allowed / SHARED_PART / sharers).max(1);
                (share, allowed - share * sharers)
            }
        }
    }
}

impl Drop for SharedPermit {
    fn drop(&mut self) {
        self.component.with_host.fetch_sub(1, Ordering::AcqRel);
        // Whichever ends: what is left is within the share as far as it goes.
        let one_less = |beyond: u32| beyond.checked_sub(1);
        let beyond = &self.component.beyond;
        if beyond
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, one_less)
            .is_ok()
        {
            self.place.0.beyond.fetch_sub(1, Ordering::AcqRel);
        }
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

    #[test]
    fn each_component_keeps_a_share_of_the_hosts_limit() {
        let host = Arc::new(Processes::default());
        host.set_max(41);
        host.share_among(5);
        let components: Vec<Arc<Processes>> = (0..5).map(|_| Arc::default()).collect();
        let take_all = |component: &Arc<Processes>| -> Vec<_> {
            std::iter::from_fn(|| host.begin_for(component)).collect()
        };
        let mut taken: Vec<_> = components.iter().map(take_all).collect();
        let counts: Vec<_> = taken.iter().map(Vec::len).collect();
        assert_eq!(counts, [32, 2, 2, 2, 2]);
        assert_eq!((host.current(), host.refused()), (40, 5));
        taken[3].clear();
        assert!(host.begin_for(&components[0]).is_none());
        assert!(host.begin_for(&components[3]).is_some());
        // Whichever of them ends, the place is free again: it is for all.
        drop(taken[0].remove(0));
        taken[1].extend(host.begin_for(&components[1]));
        assert_eq!(taken[1].len(), 3);
        assert!(host.begin_for(&components[0]).is_none());
        // The limit holds however the shares change.
        host.share_among(1);
        assert_eq!(take_all(&components[0]).len(), 0);
        assert_eq!(take_all(&components[3]).len(), 2);
        taken.clear();
        host.share_among(100);
        assert_eq!(take_all(&components[4]).len(), 40);
        let beyond = host.beyond.load(Ordering::Relaxed);
        assert_eq!((host.current(), beyond), (0, 0));
    }
}
