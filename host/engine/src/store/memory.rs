//! A store in memory: as quick as can be, and gone with the process.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::Mutex;

use super::{Change, KeyPage, Space, Store, StoreError, Waiting, add, charge};

/// Expired values that are taken away at a time where there is no room for another.
const MAKE_ROOM_STEP: usize = 16;

/// Buckets in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    spaces: Mutex<HashMap<Arc<str>, Entries>>,
}

#[derive(Debug, Default)]
struct Entries {
    all: BTreeMap<Arc<str>, Entry>,
    /// What expires, what does so first at the front.
    ends: BTreeSet<(Instant, Arc<str>)>,
    bytes: u64,
}

#[derive(Clone, Debug)]
struct Entry {
    value: Bytes,
    until: Option<Instant>,
}

impl Entry {
    fn new(value: Bytes, lifetime: Option<Duration>) -> Self {
        Self {
            value,
            // A lifetime beyond what the clock can count is no limit.
            until: lifetime.and_then(|lifetime| Instant::now().checked_add(lifetime)),
        }
    }

    fn is_over(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

impl Entries {
    fn get(&self, key: &str) -> Option<&Entry> {
        self.all
            .get(key)
            .filter(|entry| !entry.is_over(Instant::now()))
    }

    /// Puts an entry in place, or takes it away; what was there comes back.
    fn put(&mut self, key: &str, entry: Option<Entry>) -> Option<Entry> {
        let old = match entry {
            Some(entry) => {
                self.bytes += charge(key, &entry.value);
                let key: Arc<str> = key.into();
                if let Some(until) = entry.until {
                    self.ends.insert((until, key.clone()));
                }
                let until = entry.until;
                let old = self.all.insert(key, entry);
                // A key with the same end as before has the one end that it needs.
                old.map(|old| (old.until != until, old))
            }
            None => self.all.remove(key).map(|old| (true, old)),
        };
        let (has_other_end, old) = old?;
        if let Some(until) = old.until
            && has_other_end
        {
            self.ends.remove(&(until, key.into()));
        }
        self.bytes -= charge(key, &old.value);
        Some(old)
    }

    fn sweep(&mut self, max: usize) -> usize {
        let now = Instant::now();
        let mut swept = 0;
        while swept < max
            && let Some((until, _)) = self.ends.first()
            && *until <= now
            && let Some((_, key)) = self.ends.pop_first()
        {
            if let Some(old) = self.all.remove(&key) {
                self.bytes -= charge(&key, &old.value);
            }
            swept += 1;
        }
        swept
    }

    /// Makes all changes, or none if the bucket then held too much.
    fn apply(&mut self, changes: Vec<(String, Option<Entry>)>, max: u64) -> Result<(), StoreError> {
        let mut undo = Vec::with_capacity(changes.len());
        for (key, entry) in changes {
            let old = self.put(&key, entry);
            undo.push((key, old));
        }
        // No more than has to go: all others wait meanwhile.
        while self.bytes > max && self.sweep(MAKE_ROOM_STEP) == MAKE_ROOM_STEP {}
        if self.bytes <= max {
            return Ok(());
        }
        // Backwards: of a key that was changed twice the first value is the one to have back.
        for (key, old) in undo.into_iter().rev() {
            self.put(&key, old);
        }
        Err(StoreError::Full(max))
    }
}

impl MemoryStore {
    fn with<T>(&self, space: &Space, work: impl FnOnce(&mut Entries) -> T) -> T {
        let mut spaces = self.spaces.lock();
        work(spaces.entry(space.name.clone()).or_default())
    }
}

/// Nothing here waits.
fn done<'a, T: Send + 'a>(result: Result<T, StoreError>) -> Waiting<'a, T> {
    Box::pin(std::future::ready(result))
}

impl Store for MemoryStore {
    fn read<'a>(&'a self, space: &'a Space, keys: Vec<String>) -> Waiting<'a, Vec<Option<Bytes>>> {
        let value = |entries: &Entries, key: &String| entries.get(key).map(|it| it.value.clone());
        done(Ok(self.with(space, |entries| {
            keys.iter().map(|key| value(entries, key)).collect()
        })))
    }

    fn write<'a>(
        &'a self,
        space: &'a Space,
        changes: Vec<Change>,
        lifetime: Option<Duration>,
    ) -> Waiting<'a, ()> {
        let entry = |(key, value): Change| (key, value.map(|value| Entry::new(value, lifetime)));
        let changes = changes.into_iter().map(entry).collect();
        done(self.with(space, |entries| entries.apply(changes, space.bytes_max)))
    }

    fn swap<'a>(
        &'a self,
        space: &'a Space,
        expected: Option<Bytes>,
        (key, value): Change,
        lifetime: Option<Duration>,
    ) -> Waiting<'a, bool> {
        done(self.with(space, |entries| {
            if entries.get(&key).map(|entry| &entry.value) != expected.as_ref() {
                return Ok(false);
            }
            let entry = value.map(|value| Entry::new(value, lifetime));
            entries.apply(vec![(key, entry)], space.bytes_max)?;
            Ok(true)
        }))
    }

    fn increment<'a>(&'a self, space: &'a Space, key: String, delta: i64) -> Waiting<'a, i64> {
        done(self.with(space, |entries| {
            let old = entries.get(&key);
            let sum = add(old.map(|entry| &*entry.value), delta)?;
            let entry = Entry {
                value: sum.to_string().into(),
                until: old.and_then(|entry| entry.until),
            };
            entries.apply(vec![(key, Some(entry))], space.bytes_max)?;
            Ok(sum)
        }))
    }

    fn keys<'a>(
        &'a self,
        space: &'a Space,
        from: Option<String>,
        max: usize,
    ) -> Waiting<'a, KeyPage> {
        let from = from.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let now = Instant::now();
        done(Ok(self.with(space, |entries| {
            let all = entries.all.range::<str, _>((from, Bound::Unbounded));
            let there = all.filter(|(_, entry)| !entry.is_over(now));
            let keys: Vec<String> = there.map(|(key, _)| key.to_string()).take(max).collect();
            let next = keys.last().filter(|_| keys.len() == max).cloned();
            KeyPage { keys, next }
        })))
    }

    fn sweep(&self, max: usize) -> Waiting<'_, usize> {
        let mut spaces = self.spaces.lock();
        let swept = spaces.values_mut().fold(0, |swept, entries| {
            swept + entries.sweep(max.saturating_sub(swept))
        });
        drop(spaces);
        done(Ok(swept))
    }
}
