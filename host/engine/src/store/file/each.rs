//! A store in a file that has each change on the disk before it says so.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use redb::Database;

use super::super::{Change, KeyPage, Space, Store, StoreError, Waiting, charge};
use super::on_disk;
use super::opened::Opened;
use super::operations::{self, Entries};
use super::tables::{
    Abort, Attempt, Entry, ROOM_LOOK_MAX, Tables, is_over, living, now, stored, stored_keys,
    stored_over,
};

/// Buckets in a file.
#[derive(Debug)]
pub struct FileStore {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    file: Opened,
}

impl FileStore {
    /// Opens the file, and makes it if there is none. Only its owner may read it. Blocks.
    ///
    /// # Errors
    ///
    /// Of the file system, and for a file that is no store or is in use.
    pub fn open(path: &Path) -> io::Result<Self> {
        let inner = Inner {
            path: path.to_owned(),
            file: Opened::at(path.to_owned())?,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Does what waits for the disk on a thread for that.
    fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Attempt<T> + Send + 'static,
    ) -> Waiting<'static, T> {
        let inner = self.inner.clone();
        let path = inner.path.clone();
        on_disk(path, move || work(&inner))
    }

    /// Changes the entries of a bucket: all that `work` does, or nothing.
    fn change<T: Send + 'static>(
        &self,
        space: &Space,
        work: impl FnOnce(&mut Changing<'_>) -> Attempt<T> + Send + 'static,
    ) -> Waiting<'static, T> {
        let space = space.clone();
        self.work(move |inner| {
            inner.file.with(|database| {
                let transaction = database.begin_write()?;
                let done = {
                    let mut changing = Changing::begin(Tables::open(&transaction)?, &space)?;
                    let done = work(&mut changing)?;
                    changing.end()?;
                    done
                };
                transaction.commit()?;
                Ok(done)
            })
        })
    }
}

/// The entries of one bucket while they are changed.
struct Changing<'a> {
    tables: Tables<'a>,
    space: &'a Space,
    bytes: u64,
    now: u64,
}

impl<'a> Changing<'a> {
    fn begin(tables: Tables<'a>, space: &'a Space) -> Attempt<Self> {
        let bytes = tables.size(&space.name)?;
        Ok(Self {
            tables,
            space,
            bytes,
            now: now(),
        })
    }

    fn replace(&mut self, key: &str, entry: Option<(u64, &[u8])>) -> Attempt<()> {
        let charged = self.tables.put(&self.space.name, key, entry)?;
        let charge = entry.map_or(0, |(_, value)| charge(key, value));
        self.bytes = (self.bytes + charge).saturating_sub(charged);
        Ok(())
    }

    /// Takes away what has expired, those first that did so first, until there is room: no more than has to go, and no
    /// more than a few are looked at, since all others wait meanwhile.
    fn make_room(&mut self) -> Attempt<()> {
        for (_, bucket, key) in self.tables.over(ROOM_LOOK_MAX)? {
            if self.bytes <= self.space.bytes_max {
                break;
            }
            if bucket == *self.space.name {
                self.replace(&key, None)?;
            }
        }
        Ok(())
    }

    fn end(mut self) -> Attempt<()> {
        if self.bytes > self.space.bytes_max {
            self.make_room()?;
        }
        if self.bytes > self.space.bytes_max {
            return Err(Abort::Refused(StoreError::Full(self.space.bytes_max)));
        }
        self.tables.set_size(&self.space.name, self.bytes)
    }
}

impl Entries for Changing<'_> {
    fn now(&self) -> u64 {
        self.now
    }

    fn get(&self, key: &str) -> Attempt<Option<Entry>> {
        let entry = self.tables.get(&self.space.name, key)?;
        Ok(entry.filter(|(until, _)| !is_over(*until, self.now)))
    }

    fn put(&mut self, key: String, entry: Option<Entry>) -> Attempt<()> {
        self.replace(
            &key,
            entry.as_ref().map(|(until, value)| (*until, &**value)),
        )
    }
}

impl Store for FileStore {
    fn read<'a>(&'a self, space: &'a Space, keys: Vec<String>) -> Waiting<'a, Vec<Option<Bytes>>> {
        let space = space.clone();
        self.work(move |inner| {
            let now = now();
            let stored = inner.file.with(|it| stored(it, &space.name, &keys));
            let entries = stored?.into_iter();
            Ok(entries.map(|entry| living(entry, now)).collect())
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
            let page =
                |database: &Database| stored_keys(database, &space.name, from.as_deref(), max);
            inner.file.with(page)
        })
    }

    fn sweep(&self, max: usize) -> Waiting<'_, usize> {
        self.work(move |inner| inner.file.with(|database| swept(database, max)))
    }
}

/// Takes away some of what has expired, and says how much.
fn swept(database: &Database, max: usize) -> Attempt<usize> {
    let mut over = BTreeMap::<String, Vec<String>>::new();
    for (_, bucket, key) in stored_over(database, max)? {
        over.entry(bucket).or_default().push(key);
    }
    if over.is_empty() {
        return Ok(0);
    }
    let transaction = database.begin_write()?;
    let mut swept = 0;
    for (name, keys) in over {
        let space = Space {
            name: name.into(),
            bytes_max: u64::MAX,
        };
        let mut changing = Changing::begin(Tables::open(&transaction)?, &space)?;
        for key in keys {
            // It may have been written again since.
            if changing.get(&key)?.is_none() {
                changing.replace(&key, None)?;
                swept += 1;
            }
        }
        changing.end()?;
    }
    transaction.commit()?;
    Ok(swept)
}
