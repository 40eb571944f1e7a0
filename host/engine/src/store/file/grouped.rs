//! A store in a file that answers before the disk has it.
//!
//! Changes wait in memory for a moment, and go to the disk in groups; nobody waits for the disk but those who read what
//! only it has. A process that is killed loses the changes of that moment, and those that came after them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use redb::Database;

use super::super::{Change, KeyPage, Space, Store, StoreError, Waiting, charge};
use super::changing::Changing;
use super::flush::Flusher;
use super::on_disk;
use super::opened::Opened;
use super::operations;
use super::tables::{
    Abort, Attempt, Entry, ROOM_LOOK_MAX, Tables, is_over, living, now, stored, stored_keys,
    stored_over, stored_size,
};

/// Bytes that wait for the disk at most; who has more to write waits as well.
const PENDING_BYTES_MAX: u64 = 32 << 20;
/// Expired values that are taken away in one step, while other changes wait.
const SWEEP_STEP: usize = 25;

/// Buckets in a file.
#[derive(Debug)]
pub struct GroupedStore {
    inner: Arc<Grouped>,
    /// Writes to the disk; none once it was waited for.
    thread: Option<JoinHandle<()>>,
}

/// By bucket and key: new entries, none for those that are taken away.
type Changes = HashMap<Arc<str>, BTreeMap<String, Option<Entry>>>;

#[derive(Debug)]
pub(super) struct Grouped {
    path: PathBuf,
    pub(super) file: Opened,
    /// What the buckets hold, as far as they were changed. Who changes something holds it, so that what a change was
    /// decided by is still so when it is made. Never held while the disk writes.
    sizes: Mutex<HashMap<Arc<str>, u64>>,
    /// Locked for moments only, after `sizes` where both are.
    pub(super) pending: Mutex<Pending>,
    /// Held by the one who writes to the disk.
    writing: Mutex<()>,
    /// The disk did not take the last group; it waits for the next attempt.
    is_failing: AtomicBool,
    flusher: Arc<Flusher>,
}

#[derive(Debug, Default)]
pub(super) struct Pending {
    /// What was changed since the last group.
    changed: Changes,
    /// About what that takes, so that it is bounded.
    bytes: u64,
    /// The group that is being written.
    leaving: Arc<Changes>,
}

impl Pending {
    /// The entry of a key that the disk may not have yet; the inner none says that it is taken away.
    pub(super) fn find(&self, bucket: &str, key: &str) -> Option<Option<Entry>> {
        let find = |changes: &Changes| changes.get(bucket)?.get(key).cloned();
        find(&self.changed).or_else(|| find(&self.leaving))
    }

    /// Keys that expired before the disk had them: some, as others wait meanwhile.
    pub(super) fn expired(&self, bucket: &str, now: u64) -> Vec<String> {
        let changes = [&self.changed, &*self.leaving].map(|changes| changes.get(bucket));
        let looked_at = changes.into_iter().flatten().flatten().take(ROOM_LOOK_MAX);
        let expired = looked_at.filter(|(_, entry)| {
            let until = entry.as_ref().map(|(until, _)| *until);
            until.is_some_and(|until| is_over(until, now))
        });
        expired.map(|(key, _)| key.clone()).collect()
    }
}

impl Drop for GroupedStore {
    fn drop(&mut self) {
        self.inner.flusher.end();
        if let Some(thread) = self.thread.take() {
            // One that panicked has said so.
            let _ = thread.join();
        }
        self.inner.flush_and_tell();
    }
}

impl GroupedStore {
    /// Opens the file, and makes it if there is none. Only its owner may read it. Changes are on the disk `window` later
    /// at most, but for the time that it takes. Blocks.
    ///
    /// # Errors
    ///
    /// Of the file system, and for a file that is no store or is in use.
    pub fn open(path: &Path, window: Duration) -> io::Result<Self> {
        let inner = Arc::new(Grouped {
            path: path.to_owned(),
            file: Opened::at(path.to_owned())?,
            sizes: Mutex::default(),
            pending: Mutex::default(),
            writing: Mutex::default(),
            is_failing: AtomicBool::new(false),
            flusher: Flusher::new(window),
        });
        let thread = Some(inner.flusher.begin(&inner)?);
        Ok(Self { inner, thread })
    }

    /// Has everything on the disk that was changed so far, if it takes it. Blocks.
    pub fn flush(&self) {
        self.inner.flush_and_tell();
    }

    fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Grouped) -> Attempt<T> + Send + 'static,
    ) -> Waiting<'static, T> {
        let inner = self.inner.clone();
        on_disk(inner.path.clone(), move || work(&inner))
    }

    /// Changes the entries of a bucket: all that `work` does, or nothing.
    fn change<T: Send + 'static>(
        &self,
        space: &Space,
        work: impl FnOnce(&mut Changing<'_>) -> Attempt<T> + Send + 'static,
    ) -> Waiting<'static, T> {
        let space = space.clone();
        self.work(move |inner| inner.change(&space, work))
    }
}

impl Grouped {
    fn change<T>(
        &self,
        space: &Space,
        work: impl FnOnce(&mut Changing<'_>) -> Attempt<T>,
    ) -> Attempt<T> {
        if self.is_failing.load(Ordering::Relaxed) {
            // What cannot be kept is not promised. The log has the reason already.
            return Err(Abort::Refused(StoreError::Unavailable));
        }
        if self.pending.lock().bytes > PENDING_BYTES_MAX {
            self.flush()?;
        }
        let mut sizes = self.sizes.lock();
        let known = sizes.get(&space.name).copied();
        let stored = || {
            self.file
                .with(|database| stored_size(database, &space.name))
        };
        let bytes = known.map_or_else(stored, Ok)?;
        let mut changing = Changing {
            store: self,
            space,
            bytes,
            changes: BTreeMap::new(),
            now: now(),
        };
        let done = work(&mut changing)?;
        changing.fit()?;
        if changing.changes.is_empty() {
            return Ok(done);
        }
        sizes.insert(space.name.clone(), changing.bytes);
        let charge = |(key, entry): (&String, &Option<Entry>)| {
            charge(key, entry.as_ref().map_or(&[], |(_, value)| value))
        };
        let mut pending = self.pending.lock();
        pending.bytes += changing.changes.iter().map(charge).sum::<u64>();
        let bucket = pending.changed.entry(space.name.clone()).or_default();
        bucket.extend(changing.changes);
        drop(pending);
        self.flusher.note_change();
        Ok(done)
    }

    /// Brings all changes so far to the disk, and says whether it took them. Tells the operator when that changes.
    pub(super) fn flush_and_tell(&self) -> bool {
        let file = self.path.display();
        match self.flush() {
            Ok(()) => {
                if self.is_failing.swap(false, Ordering::Relaxed) {
                    tracing::info!(%file, "the disk takes changes again; nothing was lost");
                }
                true
            }
            Err(error) => {
                if !self.is_failing.swap(true, Ordering::Relaxed) {
                    let error = match &error {
                        Abort::Failed(error) => error.to_string(),
                        Abort::Refused(error) => error.to_string(),
                    };
                    tracing::error!(%file, error, "what was changed last could not be written; it is tried again, and nothing else is taken meanwhile");
                }
                false
            }
        }
    }

    fn flush(&self) -> Attempt<()> {
        let _writing = self.writing.lock();
        let (group, sizes) = self.group();
        if group.is_empty() {
            return Ok(());
        }
        self.file.with(|database| write(database, &group, &sizes))?;
        self.pending.lock().leaving = Arc::default();
        Ok(())
    }

    /// What has to be written, and what its buckets hold then. What the disk did not take before goes along.
    fn group(&self) -> (Arc<Changes>, Vec<(Arc<str>, u64)>) {
        let sizes = self.sizes.lock();
        let mut pending = self.pending.lock();
        pending.bytes = 0;
        let changed = std::mem::take(&mut pending.changed);
        let leaving = Arc::make_mut(&mut pending.leaving);
        for (bucket, changes) in changed {
            leaving.entry(bucket).or_default().extend(changes);
        }
        let size = |bucket: &Arc<str>| Some((bucket.clone(), *sizes.get(bucket)?));
        let sizes = leaving.keys().filter_map(size).collect();
        (pending.leaving.clone(), sizes)
    }
}

fn write(database: &Database, group: &Changes, sizes: &[(Arc<str>, u64)]) -> Attempt<()> {
    let mut transaction = database.begin_write()?;
    // After a crash the file is opened without walking through all of it.
    transaction.set_quick_repair(true);
    {
        let mut tables = Tables::open(&transaction)?;
        for (bucket, changes) in group {
            for (key, entry) in changes {
                let entry = entry.as_ref().map(|(until, value)| (*until, &**value));
                tables.put(bucket, key, entry)?;
            }
        }
        for (bucket, bytes) in sizes {
            tables.set_size(bucket, *bytes)?;
        }
    }
    transaction.commit()?;
    Ok(())
}

impl Store for GroupedStore {
    fn read<'a>(&'a self, space: &'a Space, keys: Vec<String>) -> Waiting<'a, Vec<Option<Bytes>>> {
        let now = now();
        let pending = self.inner.pending.lock();
        let found = keys.iter().map(|key| pending.find(&space.name, key));
        let found: Vec<_> = found.collect();
        drop(pending);
        if found.iter().all(Option::is_some) {
            let values = found.into_iter().map(|entry| living(entry.flatten(), now));
            return Box::pin(std::future::ready(Ok(values.collect())));
        }
        let space = space.clone();
        self.work(move |inner| {
            let stored = inner.file.with(|it| stored(it, &space.name, &keys))?;
            let entries = found.into_iter().zip(stored);
            let value =
                |(found, stored): (Option<Option<Entry>>, _)| living(found.unwrap_or(stored), now);
            Ok(entries.map(value).collect())
        })
    }

    fn write<'a>(
        &'a self,
        space: &'a Space,
        changes: Vec<Change>,
        lifetime: Option<Duration>,
    ) -> Waiting<'a, ()> {
        self.change(space, move |changing| {
            operations::write(changing, changes, lifetime)
        })
    }

    fn swap<'a>(
        &'a self,
        space: &'a Space,
        expected: Option<Bytes>,
        change: Change,
        lifetime: Option<Duration>,
    ) -> Waiting<'a, bool> {
        self.change(space, move |changing| {
            operations::swap(changing, expected.as_ref(), change, lifetime)
        })
    }

    fn increment<'a>(&'a self, space: &'a Space, key: String, delta: i64) -> Waiting<'a, i64> {
        self.change(space, move |changing| {
            operations::increment(changing, key, delta)
        })
    }

    fn keys<'a>(
        &'a self,
        space: &'a Space,
        from: Option<String>,
        max: usize,
    ) -> Waiting<'a, KeyPage> {
        let space = space.clone();
        self.work(move |inner| {
            let pending = inner.pending.lock();
            let of_bucket = [&*pending.leaving, &pending.changed].map(|it| it.get(&*space.name));
            let newer: Vec<(String, Option<u64>)> = of_bucket
                .into_iter()
                .flatten()
                .flatten()
                .filter(|(key, _)| from.as_ref().is_none_or(|from| *key > from))
                .map(|(key, entry)| (key.clone(), entry.as_ref().map(|(until, _)| *until)))
                .collect();
            drop(pending);
            let page = |it: &Database| stored_keys(it, &space.name, from.as_deref(), max);
            let page = inner.file.with(page)?;
            let mut keys: BTreeSet<String> = page.keys.into_iter().collect();
            let now = now();
            let is_of_page = |key: &String| page.next.as_ref().is_none_or(|last| key <= last);
            for (key, until) in newer.into_iter().filter(|(key, _)| is_of_page(key)) {
                if until.is_some_and(|until| !is_over(until, now)) {
                    keys.insert(key);
                } else {
                    keys.remove(&key);
                }
            }
            let is_cut = keys.len() > max;
            let keys: Vec<String> = keys.into_iter().take(max).collect();
            let next = if is_cut {
                keys.last().cloned()
            } else {
                page.next
            };
            Ok(KeyPage { keys, next })
        })
    }

    fn sweep(&self, max: usize) -> Waiting<'_, usize> {
        self.work(move |inner| {
            // What is found is what the disk has.
            inner.flush()?;
            let mut over = BTreeMap::<String, Vec<String>>::new();
            for (_, bucket, key) in inner.file.with(|it| stored_over(it, max))? {
                over.entry(bucket).or_default().push(key);
            }
            let mut swept = 0;
            for (name, keys) in over {
                let space = Space {
                    name: name.into(),
                    bytes_max: u64::MAX,
                };
                for step in keys.chunks(SWEEP_STEP) {
                    swept += inner.change(&space, |changing| {
                        step.iter().try_fold(0, |swept, key| {
                            Ok(swept + usize::from(changing.take_expired(key.clone())?))
                        })
                    })?;
                }
            }
            // The next step finds others.
            inner.flush()?;
            Ok(swept)
        })
    }
}
