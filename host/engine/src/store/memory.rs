//! A store in memory: as quick as can be, and gone with the process.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::Mutex;

use super::{Change, KeyPage, Space, Store, StoreError, Waiting, add, charge};

/// Buckets in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    spaces: Mutex<HashMap<Arc<str>, Entries>>,
}

#[derive(Debug, Default)]
struct Entries {
    all: BTreeMap<String, Entry>,
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
                self.all.insert(key.to_owned(), entry)
            }
            None => self.all.remove(key),
        };
        if let Some(old) = &old {
            self.bytes -= charge(key, &old.value);
        }
        old
    }

    fn sweep(&mut self) -> u64 {
        let now = Instant::now();
        let before = self.all.len();
        let bytes = &mut self.bytes;
        self.all.retain(|key, entry| {
            let is_over = entry.is_over(now);
            if is_over {
                *bytes -= charge(key, &entry.value);
            }
            !is_over
        });
        (before - self.all.len()) as u64
    }

    /// Makes all changes, or none if the bucket then held too much.
    fn apply(&mut self, changes: Vec<(String, Option<Entry>)>, max: u64) -> Result<(), StoreError> {
        let mut undo = Vec::with_capacity(changes.len());
        for (key, entry) in changes {
            let old = self.put(&key, entry);
            undo.push((key, old));
        }
        if self.bytes > max {
            self.sweep();
        }
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
        let from = from.map_or(Bound::Unbounded, Bound::Excluded);
        let now = Instant::now();
        done(Ok(self.with(space, |entries| {
            let all = entries.all.range((from, Bound::Unbounded));
            let there = all.filter(|(_, entry)| !entry.is_over(now));
            let keys: Vec<String> = there.map(|(key, _)| key.clone()).take(max).collect();
            let next = keys.last().filter(|_| keys.len() == max).cloned();
            KeyPage { keys, next }
        })))
    }

    fn sweep(&self) -> Waiting<'_, u64> {
        let mut spaces = self.spaces.lock();
        let swept = spaces.values_mut().map(Entries::sweep).sum();
        drop(spaces);
        done(Ok(swept))
    }
}
