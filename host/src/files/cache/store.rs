//! The pages in memory: so many bytes of them, those that are asked for most.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use moka::sync::Cache;
use tokio::sync::{Mutex, MutexGuard, Semaphore};

use super::key::{Key, is_of, parts};
use super::statistics::{Object, Statistics, Usage};
use crate::files::page::Page;

/// What an entry takes beside its content and its key, in bytes, as measured: the head of its response, its places in the
/// tables, and what the allocator adds.
const OVERHEAD_BYTES: usize = 2900;
/// Paths that are known to name no file. They are asked for by mistake or by the dozen, and must not push out pages.
const ABSENT_MAX: u64 = 4096;
/// Loads that may go on side by side; two of the same file never do.
const TURNS: usize = 64;
/// Contents that may be compressed at the same time, each on a thread of its own that takes a core.
const CODERS: usize = 2;

/// What is known of a path that names no file.
#[derive(Clone, Copy)]
pub(in crate::files) struct Absent {
    /// When it was found.
    pub(in crate::files) since: u64,
    /// How many changes of the root were known then.
    pub(in crate::files) changes: u64,
    /// It is a folder.
    pub(in crate::files) is_folder: bool,
}

/// The pages in memory.
pub(in crate::files) struct Store {
    pages: Cache<Arc<[u8]>, Arc<Page>>,
    absent: Cache<Arc<[u8]>, Absent>,
    turns: [Mutex<()>; TURNS],
    coders: Semaphore,
    size: u64,
    loads: AtomicU64,
    began: Instant,
}

impl Store {
    /// With room for so many bytes.
    pub(in crate::files) fn new(size: u64) -> Self {
        let weigh = |key: &Arc<[u8]>, page: &Arc<Page>| {
            let bytes = key.len() + page.bytes_in_memory() + OVERHEAD_BYTES;
            u32::try_from(bytes).unwrap_or(u32::MAX)
        };
        Self {
            pages: Cache::builder().max_capacity(size).weigher(weigh).build(),
            absent: Cache::new(ABSENT_MAX),
            turns: std::array::from_fn(|_| Mutex::default()),
            coders: Semaphore::new(CODERS),
            size,
            loads: AtomicU64::default(),
            began: Instant::now(),
        }
    }

    pub(in crate::files) fn size(&self) -> u64 {
        self.size
    }

    /// Bytes that it holds.
    pub(in crate::files) fn bytes(&self) -> u64 {
        self.pages.run_pending_tasks();
        self.pages.weighted_size()
    }

    /// What it holds, and what it was given.
    pub(in crate::files) fn usage(&self) -> Usage {
        let bytes = self.bytes();
        Usage {
            bytes,
            bytes_max: self.size,
            objects: self.pages.entry_count(),
            loads: self.loads.load(Ordering::Relaxed),
        }
    }

    /// Milliseconds since the store was made.
    pub(in crate::files) fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    pub(in crate::files) fn get(&self, key: &Key<'_>) -> Option<Arc<Page>> {
        key.with(|key| self.pages.get(key))
    }

    pub(in crate::files) fn keep(&self, key: &Key<'_>, page: Arc<Page>) {
        self.loads.fetch_add(1, Ordering::Relaxed);
        key.with(|key| self.pages.insert(key.into(), page));
    }

    /// Weighs a page anew, which has come to take more.
    pub(in crate::files) fn weigh_again(&self, key: &Key<'_>, page: &Arc<Page>) {
        key.with(|key| {
            let is_kept = self.pages.get(key);
            if is_kept.is_some_and(|kept| Arc::ptr_eq(&kept, page)) {
                self.pages.insert(key.into(), page.clone());
            }
        });
    }

    pub(in crate::files) fn drop_page(&self, key: &Key<'_>) {
        key.with(|key| self.pages.invalidate(key));
    }

    /// What is known of a path that names no file.
    pub(in crate::files) fn absent(&self, key: &Key<'_>) -> Option<Absent> {
        key.with(|key| self.absent.get(key))
    }

    pub(in crate::files) fn keep_absent(&self, key: &Key<'_>, absent: Absent) {
        key.with(|key| self.absent.insert(key.into(), absent));
    }

    /// Waits for one's turn to load what a key stands for: who comes next finds it loaded.
    pub(in crate::files) async fn turn(&self, key: &Key<'_>) -> MutexGuard<'_, ()> {
        // FNV: whoever makes two files meet here only makes them wait for each other.
        let hash = key.with(|key| {
            key.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
            })
        });
        let index = usize::try_from(hash % TURNS as u64).unwrap_or_default();
        let [first, ..] = &self.turns;
        self.turns.get(index).unwrap_or(first).lock().await
    }

    /// The places for contents that are being compressed.
    pub(in crate::files) fn coders(&self) -> &Semaphore {
        &self.coders
    }

    /// Forgets all that is of a root.
    pub(in crate::files) fn clear(&self, root: u32) {
        for (key, _) in &self.pages {
            if is_of(&key, root) {
                self.pages.invalidate(&**key);
            }
        }
        self.absent.invalidate_all();
        self.pages.run_pending_tasks();
    }

    /// Drops about half of the pages by bytes, those that are asked for least; says how many bytes.
    pub(in crate::files) fn trim(&self) -> u64 {
        self.pages.run_pending_tasks();
        let weight = |key: &[u8], page: &Page| {
            u64::try_from(key.len() + page.bytes_in_memory() + OVERHEAD_BYTES).unwrap_or(u64::MAX)
        };
        let mut pages: Vec<_> = self.pages.iter().collect();
        pages.sort_by_key(|(_, page)| page.hits());
        let half = self.pages.weighted_size().div_ceil(2);
        let mut dropped = 0;
        for (key, page) in pages {
            if dropped >= half {
                break;
            }
            dropped += weight(&key, &page);
            self.pages.invalidate(&**key);
        }
        self.absent.invalidate_all();
        self.pages.run_pending_tasks();
        dropped
    }

    /// What there is of a root, and how full the store is.
    pub(in crate::files) fn statistics(&self, root: u32) -> Statistics {
        self.pages.run_pending_tasks();
        let mut objects: Vec<Object> = self
            .pages
            .iter()
            .filter(|(key, _)| is_of(key, root))
            .map(|(key, page)| {
                let (path, coding) = parts(&key);
                Object::of(path, coding, &page)
            })
            .collect();
        objects.sort_by(|one, other| {
            let by_hits = other.hits.cmp(&one.hits);
            by_hits.then_with(|| one.url.cmp(&other.url))
        });
        Statistics {
            max_size: self.size,
            current_size: self.pages.weighted_size(),
            loads: self.loads.load(Ordering::Relaxed),
            objects,
        }
    }
}
