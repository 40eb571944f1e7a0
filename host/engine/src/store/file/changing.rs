//! One change of a bucket: what it sees, and what it leaves behind if it is not refused.

use std::collections::BTreeMap;

use super::super::{Space, StoreError, charge};
use super::grouped::Grouped;
use super::operations::Entries;
use super::tables::{Abort, Attempt, Entry, ROOM_LOOK_MAX, is_over, stored, stored_over};

/// The entries of one bucket while they are changed.
pub(super) struct Changing<'a> {
    pub(super) store: &'a Grouped,
    pub(super) space: &'a Space,
    pub(super) bytes: u64,
    pub(super) changes: BTreeMap<String, Option<Entry>>,
    pub(super) now: u64,
}

impl Changing<'_> {
    /// The entry of a key, also one that has expired.
    fn entry(&self, key: &str) -> Attempt<Option<Entry>> {
        if let Some(entry) = self.changes.get(key) {
            return Ok(entry.clone());
        }
        let bucket = &*self.space.name;
        // In this order: what leaves memory is on the disk by then.
        if let Some(entry) = self.store.pending.lock().find(bucket, key) {
            return Ok(entry);
        }
        let keys = [key.to_owned()];
        let stored = self.store.file.with(|it| stored(it, bucket, &keys))?;
        Ok(stored.into_iter().flatten().next())
    }

    /// Takes an entry away if it has expired, and says whether it had.
    pub(super) fn take_expired(&mut self, key: String) -> Attempt<bool> {
        let entry = self.entry(&key)?;
        let has_expired = entry.is_some_and(|(until, _)| is_over(until, self.now));
        if has_expired {
            self.put(key, None)?;
        }
        Ok(has_expired)
    }

    /// Sees to it that there is room: no more of what has expired goes than has to.
    pub(super) fn fit(&mut self) -> Attempt<()> {
        let max = self.space.bytes_max;
        if self.bytes <= max {
            return Ok(());
        }
        let name = &*self.space.name;
        let stored = self.store.file.with(|it| stored_over(it, ROOM_LOOK_MAX))?;
        let stored = stored.into_iter();
        let stored = stored.filter_map(|(_, bucket, key)| (bucket == name).then_some(key));
        let pending = self.store.pending.lock().expired(name, self.now);
        for key in pending.into_iter().chain(stored) {
            if self.bytes <= max {
                break;
            }
            self.take_expired(key)?;
        }
        if self.bytes > max {
            return Err(Abort::Refused(StoreError::Full(max)));
        }
        Ok(())
    }
}

impl Entries for Changing<'_> {
    fn now(&self) -> u64 {
        self.now
    }

    fn get(&self, key: &str) -> Attempt<Option<Entry>> {
        let entry = self.entry(key)?;
        Ok(entry.filter(|(until, _)| !is_over(*until, self.now)))
    }

    fn put(&mut self, key: String, entry: Option<Entry>) -> Attempt<()> {
        let charge = |entry: &Option<Entry>| {
            let charge = entry.as_ref().map(|(_, value)| charge(&key, value));
            charge.unwrap_or_default()
        };
        let (old, new) = (charge(&self.entry(&key)?), charge(&entry));
        self.bytes = (self.bytes + new).saturating_sub(old);
        self.changes.insert(key, entry);
        Ok(())
    }
}
