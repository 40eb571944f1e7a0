//! What is in the file: entries, when they end, and what each bucket holds.

use std::fs::OpenOptions;
use std::io;
use std::ops::Bound;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use redb::backends::FileBackend;
use redb::{
    Database, ReadOnlyTable, ReadableDatabase, ReadableTable, Table, TableDefinition, TableError,
    WriteTransaction,
};

use super::super::{KeyPage, StoreError, charge};

/// By bucket and key: when the value expires (milliseconds since 1970, 0 is never), and the value.
const ENTRIES: TableDefinition<'_, (&str, &str), (u64, &[u8])> = TableDefinition::new("entries");
/// By bucket: what its entries are charged with.
const SIZES: TableDefinition<'_, &str, u64> = TableDefinition::new("sizes");
/// When values end (milliseconds since 1970), by that, bucket and key; of those that do.
const ENDS: TableDefinition<'_, (u64, &str, &str), ()> = TableDefinition::new("ends");
/// Memory for pages of the file; the system keeps others.
const CACHE_BYTES: usize = 8 << 20;

/// Ends of values that one write looks at where there is no room for another: all others wait meanwhile.
pub(super) const ROOM_LOOK_MAX: usize = 1_000;

/// A value and when it ends, also if that is over.
pub(super) type Entry = (u64, Bytes);

/// A value's end, bucket and key.
pub(super) type End = (u64, String, String);

type Ends<'txn> = Table<'txn, (u64, &'static str, &'static str), ()>;
type Entries<'txn> = Table<'txn, (&'static str, &'static str), (u64, &'static [u8])>;
type StoredEntries = ReadOnlyTable<(&'static str, &'static str), (u64, &'static [u8])>;

/// What ends a transaction without a trace in the file.
pub(super) enum Abort {
    Refused(StoreError),
    Failed(Box<redb::Error>),
}

impl<E: Into<redb::Error>> From<E> for Abort {
    fn from(error: E) -> Self {
        Self::Failed(Box::new(error.into()))
    }
}

pub(super) type Attempt<T> = Result<T, Abort>;

/// Opens the file, and makes it if there is none. Only its owner may read it. Blocks.
pub(super) fn open(path: &Path) -> io::Result<Database> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)?;
    let backend = FileBackend::new(file).map_err(io::Error::other)?;
    Database::builder()
        .set_cache_size(CACHE_BYTES)
        .create_with_backend(backend)
        .map_err(io::Error::other)
}

/// The tables while they are changed.
pub(super) struct Tables<'txn> {
    entries: Entries<'txn>,
    ends: Ends<'txn>,
    sizes: Table<'txn, &'static str, u64>,
}

impl<'txn> Tables<'txn> {
    pub(super) fn open(transaction: &'txn WriteTransaction) -> Attempt<Self> {
        Ok(Self {
            entries: transaction.open_table(ENTRIES)?,
            ends: transaction.open_table(ENDS)?,
            sizes: transaction.open_table(SIZES)?,
        })
    }

    pub(super) fn get(&self, bucket: &str, key: &str) -> Attempt<Option<Entry>> {
        let entry = self.entries.get((bucket, key))?;
        Ok(entry.map(|entry| owned(entry.value())))
    }

    /// Puts an entry in place, or takes it away, and says what the one before was charged with.
    pub(super) fn put(
        &mut self,
        bucket: &str,
        key: &str,
        entry: Option<(u64, &[u8])>,
    ) -> Attempt<u64> {
        let old = match entry {
            Some(entry) => self.entries.insert((bucket, key), entry)?,
            None => self.entries.remove((bucket, key))?,
        };
        let (old_end, charged) = old.map_or((0, 0), |old| {
            let (until, value) = old.value();
            (until, charge(key, value))
        });
        let end = entry.map_or(0, |(until, _)| until);
        if end != old_end {
            if old_end != 0 {
                self.ends.remove((old_end, bucket, key))?;
            }
            if end != 0 {
                self.ends.insert((end, bucket, key), ())?;
            }
        }
        Ok(charged)
    }

    pub(super) fn size(&self, bucket: &str) -> Attempt<u64> {
        Ok(self.sizes.get(bucket)?.map_or(0, |bytes| bytes.value()))
    }

    pub(super) fn set_size(&mut self, bucket: &str, bytes: u64) -> Attempt<()> {
        self.sizes.insert(bucket, bytes)?;
        Ok(())
    }

    /// At most `max` values that have expired, those first that did so first.
    pub(super) fn over(&self, max: usize) -> Attempt<Vec<End>> {
        ended(&self.ends, max)
    }
}

/// The entries as they are now; none if nothing was ever written.
fn entries(database: &Database) -> Attempt<Option<StoredEntries>> {
    there(database.begin_read()?.open_table(ENTRIES))
}

fn there<T>(table: Result<T, TableError>) -> Attempt<Option<T>> {
    match table {
        Ok(table) => Ok(Some(table)),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The entries of keys, in their order.
pub(super) fn stored(
    database: &Database,
    bucket: &str,
    keys: &[String],
) -> Attempt<Vec<Option<Entry>>> {
    let Some(entries) = entries(database)? else {
        return Ok(vec![None; keys.len()]);
    };
    let entry = |key: &String| {
        let entry = entries.get((bucket, key.as_str()))?;
        Ok(entry.map(|entry| owned(entry.value())))
    };
    keys.iter().map(entry).collect()
}

/// What the entries of a bucket are charged with.
pub(super) fn stored_size(database: &Database, bucket: &str) -> Attempt<u64> {
    let Some(sizes) = there(database.begin_read()?.open_table(SIZES))? else {
        return Ok(0);
    };
    Ok(sizes.get(bucket)?.map_or(0, |bytes| bytes.value()))
}

/// At most `max` keys of values that have not expired, in order.
pub(super) fn stored_keys(
    database: &Database,
    bucket: &str,
    from: Option<&str>,
    max: usize,
) -> Attempt<KeyPage> {
    let Some(entries) = entries(database)? else {
        return Ok(KeyPage::default());
    };
    let now = now();
    let from = match from {
        None => Bound::Included((bucket, "")),
        Some(key) => Bound::Excluded((bucket, key)),
    };
    let mut keys = Vec::new();
    for entry in entries.range::<(&str, &str)>((from, Bound::Unbounded))? {
        let (place, entry) = entry?;
        let (name, key) = place.value();
        if name != bucket || keys.len() == max {
            break;
        }
        if !is_over(entry.value().0, now) {
            keys.push(key.to_owned());
        }
    }
    let next = keys.last().filter(|_| keys.len() == max).cloned();
    Ok(KeyPage { keys, next })
}

/// At most `max` values that have expired, those first that did so first.
pub(super) fn stored_over(database: &Database, max: usize) -> Attempt<Vec<End>> {
    match there(database.begin_read()?.open_table(ENDS))? {
        Some(ends) => ended(&ends, max),
        None => Ok(Vec::new()),
    }
}

fn ended(
    ends: &impl ReadableTable<(u64, &'static str, &'static str), ()>,
    max: usize,
) -> Attempt<Vec<End>> {
    let after = now().saturating_add(1);
    let ended = ends.range(..(after, "", ""))?.take(max);
    ended
        .map(|end| {
            let (end, _) = end?;
            let (until, bucket, key) = end.value();
            Ok((until, bucket.to_owned(), key.to_owned()))
        })
        .collect()
}

fn owned((until, value): (u64, &[u8])) -> Entry {
    (until, Bytes::copy_from_slice(value))
}

/// Milliseconds since 1970: what is in a file outlives the clock of a process.
pub(super) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    milliseconds(since.unwrap_or_default())
}

pub(super) fn until(lifetime: Option<Duration>, now: u64) -> u64 {
    lifetime.map_or(0, |lifetime| now.saturating_add(milliseconds(lifetime)))
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

pub(super) fn is_over(until: u64, now: u64) -> bool {
    until != 0 && until <= now
}

/// The value of an entry, if it has not expired.
pub(super) fn living(entry: Option<Entry>, now: u64) -> Option<Bytes> {
    let (until, value) = entry?;
    (!is_over(until, now)).then_some(value)
}
