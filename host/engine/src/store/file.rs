//! A store in a file that survives the process, also one that is killed.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io;
use std::ops::Bound;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use redb::backends::FileBackend;
use redb::{
    Database, Durability, ReadableDatabase, ReadableTable, Table, TableDefinition, TableError,
    WriteTransaction,
};

use super::flush::{self, Flusher};
use super::{Change, KeyPage, Space, Store, StoreError, Waiting, add, charge};

/// By bucket and key: when the value expires (milliseconds since 1970, 0 is never), and the value.
const ENTRIES: TableDefinition<'_, (&str, &str), (u64, &[u8])> = TableDefinition::new("entries");
/// By bucket: what its entries are charged with.
const SIZES: TableDefinition<'_, &str, u64> = TableDefinition::new("sizes");
/// When values end (milliseconds since 1970), by that, bucket and key; of those that do.
const ENDS: TableDefinition<'_, (u64, &str, &str), ()> = TableDefinition::new("ends");
/// Ends of values that one write looks at where there is no room for another.
const ROOM_LOOK_MAX: usize = 1_000;
/// Memory for pages of the file; the system keeps others.
const CACHE_BYTES: usize = 8 << 20;

/// Buckets in a file.
#[derive(Debug)]
pub struct FileStore {
    inner: Arc<Inner>,
}

/// When a change is on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commit {
    /// Before it is said to be done.
    Each,
    /// This much later at most, together with others; a process that is killed loses no more than that.
    Within(Duration),
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) path: PathBuf,
    pub(super) database: Database,
    /// Writes to the disk what is not there yet; none where each change is.
    flusher: Option<Arc<Flusher>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(flusher) = &self.flusher {
            flusher.end();
            flush::flush(self);
        }
    }
}

type Ends<'txn> = Table<'txn, (u64, &'static str, &'static str), ()>;
type Entries<'txn> = Table<'txn, (&'static str, &'static str), (u64, &'static [u8])>;

/// What ends a transaction without a trace in the file.
enum Abort {
    Refused(StoreError),
    Failed(Box<redb::Error>),
}

impl<E: Into<redb::Error>> From<E> for Abort {
    fn from(error: E) -> Self {
        Self::Failed(Box::new(error.into()))
    }
}

type Attempt<T> = Result<T, Abort>;

impl FileStore {
    /// Opens the file, and makes it if there is none. Only its owner may read it. Blocks.
    pub fn open(path: &Path, commit: Commit) -> io::Result<Self> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)?;
        let database = Database::builder()
            .set_cache_size(CACHE_BYTES)
            .create_with_backend(FileBackend::new(file).map_err(io::Error::other)?)
            .map_err(io::Error::other)?;
        let flusher = match commit {
            Commit::Each => None,
            Commit::Within(window) => Some(Flusher::new(window)),
        };
        let inner = Arc::new(Inner {
            path: path.to_owned(),
            database,
            flusher,
        });
        if let Some(flusher) = &inner.flusher {
            flusher.begin(&inner)?;
        }
        Ok(Self { inner })
    }

    /// Has everything on the disk that was changed so far. Blocks.
    pub fn flush(&self) {
        if self.inner.flusher.is_some() {
            flush::flush(&self.inner);
        }
    }

    /// Does what waits for the disk on a thread for that.
    fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Attempt<T> + Send + 'static,
    ) -> Waiting<'static, T> {
        let inner = self.inner.clone();
        Box::pin(async move {
            let path = inner.path.clone();
            let failed = |error: &dyn std::fmt::Display| {
                tracing::error!(file = %path.display(), %error, "the key-value store failed");
                StoreError::Unavailable
            };
            match tokio::task::spawn_blocking(move || work(&inner)).await {
                Ok(Ok(done)) => Ok(done),
                Ok(Err(Abort::Refused(error))) => Err(error),
                Ok(Err(Abort::Failed(error))) => Err(failed(&error)),
                Err(panic) => Err(failed(&panic)),
            }
        })
    }

    /// Changes the entries of a bucket: all that `work` does, or nothing.
    fn change<T: Send + 'static>(
        &self,
        space: &Space,
        work: impl FnOnce(&mut Changing<'_>) -> Attempt<T> + Send + 'static,
    ) -> Waiting<'static, T> {
        let space = space.clone();
        self.work(move |inner| {
            let transaction = inner.begin_write()?;
            let done = {
                let mut changing = Changing::begin(&transaction, &space)?;
                let done = work(&mut changing)?;
                changing.end(&transaction)?;
                done
            };
            inner.commit(transaction)?;
            Ok(done)
        })
    }
}

impl Inner {
    fn begin_write(&self) -> Attempt<WriteTransaction> {
        let mut transaction = self.database.begin_write()?;
        if self.flusher.is_some() {
            transaction
                .set_durability(Durability::None)
                .map_err(|error| {
                    Abort::Failed(Box::new(redb::Error::Io(io::Error::other(error))))
                })?;
        }
        Ok(transaction)
    }

    fn commit(&self, transaction: WriteTransaction) -> Attempt<()> {
        transaction.commit()?;
        if let Some(flusher) = &self.flusher {
            flusher.note_change();
        }
        Ok(())
    }
}

/// The entries of one bucket while they are changed.
struct Changing<'a> {
    entries: Entries<'a>,
    ends: Ends<'a>,
    space: &'a Space,
    bytes: u64,
    now: u64,
}

impl<'a> Changing<'a> {
    fn begin(transaction: &'a WriteTransaction, space: &'a Space) -> Attempt<Self> {
        let bytes = transaction
            .open_table(SIZES)?
            .get(&*space.name)?
            .map_or(0, |bytes| bytes.value());
        Ok(Self {
            entries: transaction.open_table(ENTRIES)?,
            ends: transaction.open_table(ENDS)?,
            space,
            bytes,
            now: now(),
        })
    }

    fn get(&self, key: &str) -> Attempt<Option<(u64, Bytes)>> {
        let entry = self.entries.get((&*self.space.name, key))?;
        let entry = entry.map(|entry| {
            let (until, value) = entry.value();
            (until, Bytes::copy_from_slice(value))
        });
        Ok(entry.filter(|(until, _)| !is_over(*until, self.now)))
    }

    fn put(&mut self, key: &str, entry: Option<(u64, &[u8])>) -> Attempt<()> {
        let place = (&*self.space.name, key);
        let old = match entry {
            Some(entry) => {
                self.bytes += charge(key, entry.1);
                self.entries.insert(place, entry)?
            }
            None => self.entries.remove(place)?,
        };
        let mut old_end = 0;
        if let Some(old) = old {
            let (until, value) = old.value();
            old_end = until;
            self.bytes = self.bytes.saturating_sub(charge(key, value));
        }
        let end = entry.map_or(0, |(until, _)| until);
        if end != old_end {
            if old_end != 0 {
                self.ends.remove((old_end, place.0, place.1))?;
            }
            if end != 0 {
                self.ends.insert((end, place.0, place.1), ())?;
            }
        }
        Ok(())
    }

    /// Takes away what has expired, those first that did so first, until there is room: no more than has to go, and no
    /// more than a few are looked at, since all others wait meanwhile.
    fn make_room(&mut self) -> Attempt<()> {
        let mut over = Vec::new();
        let after = self.now.saturating_add(1);
        for end in self.ends.range(..(after, "", ""))?.take(ROOM_LOOK_MAX) {
            let (end, _) = end?;
            let (_, name, key) = end.value();
            if name == &*self.space.name {
                over.push(key.to_owned());
            }
        }
        for key in over {
            if self.bytes <= self.space.bytes_max {
                break;
            }
            self.put(&key, None)?;
        }
        Ok(())
    }

    fn end(mut self, transaction: &WriteTransaction) -> Attempt<()> {
        if self.bytes > self.space.bytes_max {
            self.make_room()?;
        }
        if self.bytes > self.space.bytes_max {
            return Err(Abort::Refused(StoreError::Full(self.space.bytes_max)));
        }
        let mut sizes = transaction.open_table(SIZES)?;
        sizes.insert(&*self.space.name, self.bytes)?;
        Ok(())
    }
}

impl Store for FileStore {
    fn read<'a>(&'a self, space: &'a Space, keys: Vec<String>) -> Waiting<'a, Vec<Option<Bytes>>> {
        let space = space.clone();
        self.work(move |inner| {
            let transaction = inner.database.begin_read()?;
            let entries = match transaction.open_table(ENTRIES) {
                Ok(entries) => entries,
                // Nothing was ever written.
                Err(TableError::TableDoesNotExist(_)) => return Ok(vec![None; keys.len()]),
                Err(error) => return Err(error.into()),
            };
            let now = now();
            let mut values = Vec::with_capacity(keys.len());
            for key in &keys {
                let entry = entries.get((&*space.name, key.as_str()))?;
                let value = entry.and_then(|entry| {
                    let (until, value) = entry.value();
                    (!is_over(until, now)).then(|| Bytes::copy_from_slice(value))
                });
                values.push(value);
            }
            Ok(values)
        })
    }

    fn write<'a>(
        &'a self,
        space: &'a Space,
        changes: Vec<Change>,
        lifetime: Option<Duration>,
    ) -> Waiting<'a, ()> {
        self.change(space, move |changing| {
            let until = until(lifetime, changing.now);
            for (key, value) in &changes {
                changing.put(key, value.as_deref().map(|value| (until, value)))?;
            }
            Ok(())
        })
    }

    fn swap<'a>(
        &'a self,
        space: &'a Space,
        expected: Option<Bytes>,
        (key, value): Change,
        lifetime: Option<Duration>,
    ) -> Waiting<'a, bool> {
        self.change(space, move |changing| {
            if changing.get(&key)?.map(|(_, value)| value) != expected {
                return Ok(false);
            }
            let until = until(lifetime, changing.now);
            changing.put(&key, value.as_deref().map(|value| (until, value)))?;
            Ok(true)
        })
    }

    fn increment<'a>(&'a self, space: &'a Space, key: String, delta: i64) -> Waiting<'a, i64> {
        self.change(space, move |changing| {
            let old = changing.get(&key)?;
            let value = old.as_ref().map(|(_, value)| &**value);
            let sum = add(value, delta).map_err(Abort::Refused)?;
            let until = old.as_ref().map_or(0, |(until, _)| *until);
            changing.put(&key, Some((until, sum.to_string().as_bytes())))?;
            Ok(sum)
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
            let transaction = inner.database.begin_read()?;
            let entries = match transaction.open_table(ENTRIES) {
                Ok(entries) => entries,
                Err(TableError::TableDoesNotExist(_)) => return Ok(KeyPage::default()),
                Err(error) => return Err(error.into()),
            };
            let now = now();
            let from = match &from {
                None => Bound::Included((&*space.name, "")),
                Some(key) => Bound::Excluded((&*space.name, key.as_str())),
            };
            let mut keys = Vec::new();
            for entry in entries.range::<(&str, &str)>((from, Bound::Unbounded))? {
                let (place, entry) = entry?;
                let (name, key) = place.value();
                if name != &*space.name || keys.len() == max {
                    break;
                }
                if !is_over(entry.value().0, now) {
                    keys.push(key.to_owned());
                }
            }
            let next = keys.last().filter(|_| keys.len() == max).cloned();
            Ok(KeyPage { keys, next })
        })
    }

    fn sweep(&self, max: usize) -> Waiting<'_, usize> {
        self.work(move |inner| {
            let over = over(inner, max)?;
            if over.is_empty() {
                return Ok(0);
            }
            let transaction = inner.begin_write()?;
            let mut swept = 0;
            for (name, keys) in over {
                let space = Space {
                    name: name.into(),
                    bytes_max: u64::MAX,
                };
                let mut changing = Changing::begin(&transaction, &space)?;
                for key in keys {
                    // It may have been written again since.
                    if changing.get(&key)?.is_none() {
                        changing.put(&key, None)?;
                        swept += 1;
                    }
                }
                changing.end(&transaction)?;
            }
            inner.commit(transaction)?;
            Ok(swept)
        })
    }
}

/// At most `max` keys by bucket that have expired, those first that did so first.
fn over(inner: &Inner, max: usize) -> Attempt<BTreeMap<String, Vec<String>>> {
    let mut over = BTreeMap::<String, Vec<String>>::new();
    let transaction = inner.database.begin_read()?;
    let ends = match transaction.open_table(ENDS) {
        Ok(ends) => ends,
        Err(TableError::TableDoesNotExist(_)) => return Ok(over),
        Err(error) => return Err(error.into()),
    };
    let after = now().saturating_add(1);
    for end in ends.range(..(after, "", ""))?.take(max) {
        let (end, _) = end?;
        let (_, name, key) = end.value();
        over.entry(name.to_owned())
            .or_default()
            .push(key.to_owned());
    }
    Ok(over)
}

/// Milliseconds since 1970: what outlives the process cannot be counted by a clock that does not.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    milliseconds(since.unwrap_or_default())
}

fn until(lifetime: Option<Duration>, now: u64) -> u64 {
    lifetime.map_or(0, |lifetime| now.saturating_add(milliseconds(lifetime)))
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn is_over(until: u64, now: u64) -> bool {
    until != 0 && until <= now
}
