//! The open file of a store. After the disk has failed it takes nothing more until it is opened anew, which is done here as
//! soon as it goes.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, RwLock};
use redb::Database;

use super::tables::{self, Abort, Attempt};

/// Time between two attempts to open it anew: whoever asks meanwhile is refused.
const RETRY: Duration = Duration::from_millis(200);

/// A database that is opened anew when it has to be.
pub(super) struct Opened {
    path: PathBuf,
    open: Box<dyn Fn() -> io::Result<Database> + Send + Sync>,
    /// None after it has failed.
    database: RwLock<Option<Database>>,
    /// When it was last tried to open it anew, if that failed.
    tried: Mutex<Option<Instant>>,
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("path", &self.path).finish()
    }
}

impl Opened {
    /// Opens a file, and makes it if there is none. Blocks.
    pub(super) fn at(path: PathBuf) -> io::Result<Self> {
        let file = path.clone();
        Self::by(path, Box::new(move || tables::open(&file)))
    }

    fn by(
        path: PathBuf,
        open: Box<dyn Fn() -> io::Result<Database> + Send + Sync>,
    ) -> io::Result<Self> {
        let database = RwLock::new(Some(open()?));
        Ok(Self {
            path,
            open,
            database,
            tried: Mutex::default(),
        })
    }

    /// Does something with the database. Not to be called by what it is given: a file that failed is closed when nobody uses
    /// it any more.
    pub(super) fn with<T>(&self, work: impl FnOnce(&Database) -> Attempt<T>) -> Attempt<T> {
        let opened = self.database.read();
        let opened = match opened.is_some() {
            true => opened,
            false => {
                drop(opened);
                self.open_anew()?;
                self.database.read()
            }
        };
        let database = opened.as_ref().ok_or(redb::Error::PreviousIo)?;
        let result = work(database);
        if result.as_ref().is_err_and(is_of_the_disk) {
            drop(opened);
            *self.database.write() = None;
        }
        result
    }

    fn open_anew(&self) -> Attempt<()> {
        let mut tried = self.tried.lock();
        if tried.is_some_and(|tried| tried.elapsed() < RETRY) {
            return Err(redb::Error::PreviousIo.into());
        }
        let mut database = self.database.write();
        if database.is_some() {
            // Somebody else has.
            return Ok(());
        }
        match (self.open)() {
            Ok(opened) => {
                *database = Some(opened);
                *tried = None;
                tracing::info!(file = %self.path.display(), "the file was opened anew after the disk had failed");
                Ok(())
            }
            Err(error) => {
                *tried = Some(Instant::now());
                Err(redb::Error::Io(error).into())
            }
        }
    }
}

fn is_of_the_disk(abort: &Abort) -> bool {
    match abort {
        Abort::Refused(_) => false,
        Abort::Failed(error) => matches!(**error, redb::Error::Io(_) | redb::Error::PreviousIo),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use redb::backends::InMemoryBackend;
    use redb::{ReadableDatabase, StorageBackend, TableDefinition};

    use super::*;

    const TABLE: TableDefinition<'_, u64, u64> = TableDefinition::new("numbers");

    /// A disk that can be full, and is the same when it is opened anew.
    #[derive(Clone, Debug, Default)]
    struct Disk {
        bytes: Arc<InMemoryBackend>,
        is_full: Arc<AtomicBool>,
    }

    impl Disk {
        fn check(&self) -> io::Result<()> {
            match self.is_full.load(Ordering::Relaxed) {
                true => Err(io::ErrorKind::StorageFull.into()),
                false => Ok(()),
            }
        }
    }

    impl StorageBackend for Disk {
        fn len(&self) -> io::Result<u64> {
            self.bytes.len()
        }

        fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
            self.bytes.read(offset, out)
        }

        fn set_len(&self, len: u64) -> io::Result<()> {
            self.check()?;
            self.bytes.set_len(len)
        }

        fn sync_data(&self) -> io::Result<()> {
            self.check()?;
            self.bytes.sync_data()
        }

        fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
            self.check()?;
            self.bytes.write(offset, data)
        }
    }

    fn put(opened: &Opened, number: u64) -> Attempt<()> {
        opened.with(|database| {
            let transaction = database.begin_write()?;
            transaction.open_table(TABLE)?.insert(number, number)?;
            transaction.commit()?;
            Ok(())
        })
    }

    fn has(opened: &Opened, number: u64) -> bool {
        let found = opened.with(|database| {
            let table = database.begin_read()?.open_table(TABLE)?;
            Ok(table.get(number)?.is_some())
        });
        found.is_ok_and(|found| found)
    }

    #[test]
    fn a_disk_that_was_full_takes_changes_again_and_has_what_it_had() {
        let disk = Disk::default();
        let (is_full, backend) = (disk.is_full.clone(), disk);
        let open = move || {
            let database = Database::builder().create_with_backend(backend.clone());
            database.map_err(io::Error::other)
        };
        let opened = Opened::by("numbers".into(), Box::new(open)).unwrap();
        assert!(put(&opened, 1).is_ok());
        is_full.store(true, Ordering::Relaxed);
        assert!(put(&opened, 2).is_err());
        assert!(put(&opened, 3).is_err());
        is_full.store(false, Ordering::Relaxed);
        let began = Instant::now();
        while put(&opened, 4).is_err() {
            assert!(began.elapsed() < Duration::from_secs(60));
            std::thread::yield_now();
        }
        assert!(has(&opened, 1) && has(&opened, 4));
        assert!(!has(&opened, 2) && !has(&opened, 3));
    }
}
