//! The places for instances: so many for all components, a share of them kept for each, and queues where all are taken.
//!
//! Half of the places are shares, the same for each component; the other half is for whoever comes first. A component
//! that everybody asks for, or that never ends, takes its share and what is for all, and the others find theirs free.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering, fence};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::oneshot;

/// Of all places, one of so many is kept as somebody's share.
const SHARED_PART: usize = 2;

/// The places of an engine, for instances of type `T`.
pub(crate) struct Slots<T> {
    total: usize,
    /// All that wait, to be looked at without the lock.
    waiting: AtomicUsize,
    state: Mutex<State<T>>,
}

struct State<T> {
    owners: BTreeMap<u64, Owner<T>>,
    /// The number that the next owner or waiter gets.
    next: u64,
    taken: usize,
    /// How many of the taken places are beyond the share of who took them.
    beyond: usize,
    /// The owners that wait, each once, in the order of their turns.
    turns: VecDeque<u64>,
    /// Nobody may wait: there is too little memory to hold requests in.
    is_short: bool,
}

/// What a component has.
struct Owner<T> {
    name: Arc<str>,
    /// Its generations.
    holders: usize,
    within: usize,
    beyond: usize,
    waiting: VecDeque<Waiter<T>>,
    refused: u64,
}

/// A request that waits.
struct Waiter<T> {
    number: u64,
    /// The generation that it is for.
    holder: u64,
    sender: oneshot::Sender<Place<T>>,
}

/// A generation's claim to its component's share.
pub(crate) struct Holder<T> {
    slots: Arc<Slots<T>>,
    owner: u64,
    number: u64,
}

/// A place, until dropped.
pub(crate) struct Slot<T> {
    slots: Arc<Slots<T>>,
    owner: u64,
}

/// What a request gets that needs an instance.
pub(crate) enum Place<T> {
    /// Room for a new one.
    Slot(Slot<T>),
    /// One that has just become idle, with its place.
    Instance(T),
}

/// What became of an instance that was idle.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Passed<T> {
    /// Nobody needs it now.
    Kept(T),
    /// It serves who waited for it.
    HandedOver,
    /// It is gone, and its place somebody's who needs one.
    Dropped,
}

/// Whose turn it is.
enum Next<T> {
    Nobody,
    /// A request of the same generation.
    Own(Waiter<T>),
    /// Another component, or another generation.
    Others,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoSlot {
    /// None became free in time.
    Late,
    /// No more requests may wait.
    QueueFull,
}

impl<T> Slots<T> {
    pub(crate) fn new(total: usize) -> Arc<Self> {
        Arc::new(Self {
            total,
            waiting: AtomicUsize::new(0),
            state: Mutex::new(State {
                owners: BTreeMap::new(),
                next: 0,
                taken: 0,
                beyond: 0,
                turns: VecDeque::new(),
                is_short: false,
            }),
        })
    }

    pub(crate) fn total(&self) -> usize {
        self.total
    }

    /// Places that are taken, and requests that wait for one.
    pub(crate) fn taken_and_waiting(&self) -> (usize, usize) {
        let state = self.state.lock();
        let waiting = state.owners.values().map(|owner| owner.waiting.len());
        (state.taken, waiting.sum())
    }

    /// Whether requests may wait for a place.
    pub(crate) fn let_wait(&self, may: bool) {
        self.state.lock().is_short = !may;
    }

    /// A claim for a generation of the component of a name.
    pub(crate) fn holder(self: &Arc<Self>, name: &Arc<str>) -> Holder<T> {
        let mut state = self.state.lock();
        let known = state.owners.iter().find(|(_, owner)| owner.name == *name);
        let id = match known {
            Some((id, _)) => *id,
            None => state.number(),
        };
        let owner = state.owners.entry(id).or_insert_with(|| Owner {
            name: name.clone(),
            holders: 0,
            within: 0,
            beyond: 0,
            waiting: VecDeque::new(),
            refused: 0,
        });
        owner.holders += 1;
        Holder {
            slots: self.clone(),
            owner: id,
            number: state.number(),
        }
    }

    /// Gives places that are free to those whose turn it is.
    fn hand_out(self: &Arc<Self>) {
        loop {
            let next = self.state.lock().next_waiter(self.total);
            let Some((owner, waiter)) = next else {
                return;
            };
            // One who has given up meanwhile does not take the place, which then comes back and is handed out again.
            let _ = waiter.sender.send(Place::Slot(Slot {
                slots: self.clone(),
                owner,
            }));
        }
    }
}

impl<T> Holder<T> {
    /// A place that is free.
    pub(crate) fn try_take(&self) -> Option<Slot<T>> {
        let taken = self.slots.state.lock().take(self.slots.total, self.owner);
        taken.then(|| self.slot())
    }

    fn slot(&self) -> Slot<T> {
        Slot {
            slots: self.slots.clone(),
            owner: self.owner,
        }
    }

    /// Waits for a place or an instance, with at most `queue_max` others of the component, at most `patience`. Dropping
    /// the future leaves the queue. `idle` looks once more for an instance that was kept before anybody knew of the wait.
    pub(crate) async fn wait(
        &self,
        queue_max: usize,
        patience: Duration,
        idle: impl FnOnce() -> Option<T>,
    ) -> Result<Place<T>, NoSlot> {
        let (number, waiting) = {
            let mut state = self.slots.state.lock();
            // One may have become free since somebody looked.
            if state.take(self.slots.total, self.owner) {
                drop(state);
                return Ok(Place::Slot(self.slot()));
            }
            state.enqueue(self.owner, self.number, queue_max)?
        };
        self.slots.waiting.fetch_add(1, Ordering::SeqCst);
        let _place = InQueue {
            holder: self,
            number,
        };
        if let Some(instance) = idle() {
            return Ok(Place::Instance(instance));
        }
        match tokio::time::timeout(patience, waiting).await {
            Ok(Ok(place)) => Ok(place),
            _ => {
                let mut state = self.slots.state.lock();
                if let Some(owner) = state.owners.get_mut(&self.owner) {
                    owner.refused += 1;
                }
                Err(NoSlot::Late)
            }
        }
    }

    /// Whether anybody waits. Asked after an instance was kept, it misses none who did not see that instance.
    pub(crate) fn does_anybody_wait(&self) -> bool {
        fence(Ordering::SeqCst);
        self.slots.waiting.load(Ordering::SeqCst) > 0
    }

    /// Gives an idle instance to who waits for it. Where it is the turn of another component the instance is dropped, and
    /// its place is that component's.
    pub(crate) fn pass_on(&self, mut instance: T) -> Passed<T> {
        loop {
            let next = self.slots.state.lock().next_for(self);
            match next {
                Next::Nobody => return Passed::Kept(instance),
                Next::Others => return Passed::Dropped,
                Next::Own(waiter) => match waiter.sender.send(Place::Instance(instance)) {
                    Ok(()) => return Passed::HandedOver,
                    Err(Place::Instance(returned)) => instance = returned,
                    Err(Place::Slot(_)) => return Passed::Dropped,
                },
            }
        }
    }

    /// Whether it has places that another component could have.
    pub(crate) fn has_beyond(&self) -> bool {
        let state = self.slots.state.lock();
        let share = state.share(self.slots.total);
        let has_more = |owner: &Owner<T>| owner.beyond > 0 || owner.within > share;
        state.owners.get(&self.owner).is_some_and(has_more)
    }

    /// Requests that wait, and those that waited in vain or could not.
    pub(crate) fn waiting_and_refused(&self) -> (usize, u64) {
        let state = self.slots.state.lock();
        let owner = state.owners.get(&self.owner);
        owner.map_or((0, 0), |owner| (owner.waiting.len(), owner.refused))
    }
}

/// Somebody in the queue, until dropped.
struct InQueue<'a, T> {
    holder: &'a Holder<T>,
    number: u64,
}

impl<T> Drop for InQueue<'_, T> {
    fn drop(&mut self) {
        self.holder.slots.waiting.fetch_sub(1, Ordering::SeqCst);
        let mut state = self.holder.slots.state.lock();
        state.leave(self.holder.owner, self.number);
    }
}

impl<T> Drop for Holder<T> {
    fn drop(&mut self) {
        let mut state = self.slots.state.lock();
        if let Some(owner) = state.owners.get_mut(&self.owner) {
            owner.holders -= 1;
        }
        state.forget_if_gone(self.owner);
        drop(state);
        // Where there are fewer components, there is more for each.
        self.slots.hand_out();
    }
}

impl<T> Drop for Slot<T> {
    fn drop(&mut self) {
        self.slots.state.lock().give_back(self.owner);
        self.slots.hand_out();
    }
}

mod order;

#[cfg(test)]
mod tests;
