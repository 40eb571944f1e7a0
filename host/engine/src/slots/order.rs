//! Whose place is whose: shares, what is beyond them, and the order of those that wait.

use tokio::sync::oneshot;

use super::{Holder, Next, NoSlot, Owner, Place, SHARED_PART, State, Waiter};

impl<T> State<T> {
    pub(super) fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// The share of each component; none where there are more components than places.
    pub(super) fn share(&self, total: usize) -> usize {
        match self.owners.len() {
            0 => 0,
            owners if owners > total => 0,
            owners => (total / SHARED_PART / owners).max(1),
        }
    }

    pub(super) fn is_within(&self, total: usize, id: u64) -> bool {
        let share = self.share(total);
        self.taken < total
            && self
                .owners
                .get(&id)
                .is_some_and(|owner| owner.within < share)
    }

    pub(super) fn may_take_beyond(&self, total: usize) -> bool {
        let common = total - self.share(total) * self.owners.len();
        self.taken < total && self.beyond < common
    }

    /// Takes a place, if one is there for that owner.
    pub(super) fn take(&mut self, total: usize, id: u64) -> bool {
        let is_within = self.is_within(total, id);
        if !is_within && !self.may_take_beyond(total) {
            return false;
        }
        let Some(owner) = self.owners.get_mut(&id) else {
            return false;
        };
        self.taken += 1;
        if is_within {
            owner.within += 1;
        } else {
            owner.beyond += 1;
            self.beyond += 1;
        }
        true
    }

    pub(super) fn give_back(&mut self, id: u64) {
        let Some(owner) = self.owners.get_mut(&id) else {
            return;
        };
        self.taken -= 1;
        // The places of one owner are alike: what it gives back first is what others may have.
        if owner.beyond > 0 {
            owner.beyond -= 1;
            self.beyond -= 1;
        } else {
            owner.within -= 1;
        }
        self.forget_if_gone(id);
    }

    pub(super) fn forget_if_gone(&mut self, id: u64) {
        let is_gone = |owner: &Owner<T>| {
            owner.holders == 0 && owner.within + owner.beyond == 0 && owner.waiting.is_empty()
        };
        if self.owners.get(&id).is_some_and(is_gone) {
            self.owners.remove(&id);
        }
    }

    /// Takes a place for the next who waits: first for one that has not all of its share, then by turns.
    pub(super) fn next_waiter(&mut self, total: usize) -> Option<(u64, Waiter<T>)> {
        let within = (self.turns.iter()).position(|id| self.is_within(total, *id));
        let position = match within {
            Some(position) => position,
            None if self.may_take_beyond(total) => 0,
            None => return None,
        };
        let id = *self.turns.get(position)?;
        if !self.take(total, id) {
            return None;
        }
        self.turns.remove(position);
        let owner = self.owners.get_mut(&id)?;
        let waiter = owner.waiting.pop_front();
        if !owner.waiting.is_empty() {
            self.turns.push_back(id);
        }
        if waiter.is_none() {
            self.give_back(id);
        }
        waiter.map(|waiter| (id, waiter))
    }

    /// Whose turn it is when a generation has an instance to give.
    pub(super) fn next_for(&mut self, holder: &Holder<T>) -> Next<T> {
        let total = holder.slots.total;
        let share = self.share(total);
        let Some(own) = self.owners.get(&holder.owner) else {
            return Next::Nobody;
        };
        // Others may have its place if it is beyond the share, or if they have not theirs.
        let is_needy = |id: &u64| {
            let of_other = *id != holder.owner && self.owners.contains_key(id);
            let within = self.owners.get(id).map_or(0, |owner| owner.within);
            of_other && (own.beyond > 0 || own.within > share || within < share)
        };
        let mut turns = self.turns.iter().take_while(|id| **id != holder.owner);
        if turns.any(is_needy) {
            return Next::Others;
        }
        let Some(own) = self.owners.get_mut(&holder.owner) else {
            return Next::Nobody;
        };
        let is_same = |waiter: &Waiter<T>| waiter.holder == holder.number;
        let waiter = match own.waiting.iter().position(is_same) {
            Some(position) => own.waiting.remove(position),
            // Of another generation: it needs an instance of its own.
            None if !own.waiting.is_empty() => return Next::Others,
            None => None,
        };
        let waits_on = !own.waiting.is_empty();
        self.turns.retain(|id| *id != holder.owner);
        if waits_on {
            self.turns.push_back(holder.owner);
        }
        waiter.map_or(Next::Nobody, Next::Own)
    }

    pub(super) fn enqueue(
        &mut self,
        id: u64,
        holder: u64,
        queue_max: usize,
    ) -> Result<(u64, oneshot::Receiver<Place<T>>), NoSlot> {
        let (number, is_short) = (self.number(), self.is_short);
        let Some(owner) = self.owners.get_mut(&id) else {
            return Err(NoSlot::QueueFull);
        };
        if is_short || owner.waiting.len() >= queue_max {
            owner.refused += 1;
            return Err(NoSlot::QueueFull);
        }
        if owner.waiting.is_empty() {
            self.turns.push_back(id);
        }
        let (sender, waiting) = oneshot::channel();
        owner.waiting.push_back(Waiter {
            number,
            holder,
            sender,
        });
        Ok((number, waiting))
    }

    pub(super) fn leave(&mut self, id: u64, number: u64) {
        let Some(owner) = self.owners.get_mut(&id) else {
            return;
        };
        let before = owner.waiting.len();
        owner.waiting.retain(|waiter| waiter.number != number);
        if before > 0 && owner.waiting.is_empty() {
            self.turns.retain(|turn| *turn != id);
        }
        self.forget_if_gone(id);
    }
}
