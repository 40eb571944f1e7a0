//! The caches of the process: the one that web servers share, and those that components have for themselves.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use arc_swap::ArcSwap;
use parking_lot::Mutex;

use super::cache::{Root, Roots, Statistics, Store, Usage, Watch};
use crate::settings::{CacheSettings, Files, Missing};

/// The caches of the process.
#[derive(Default)]
pub struct Caches {
    roots: Roots,
    watch: Watch,
    shared: Mutex<Option<Arc<Cell>>>,
    own: Mutex<HashMap<String, Arc<Cell>>>,
}

/// A cache that another takes the place of when its size changes.
pub(super) type Cell = ArcSwap<Store>;

/// The files of one web server, and where it keeps them in memory.
#[derive(Clone)]
pub struct Pages {
    pub(super) root: Arc<Root>,
    /// The page that answers `/`, relative to the root.
    pub(super) home_page: Option<String>,
    /// What is answered where there is no file.
    pub(super) missing: Missing,
    /// None if nothing is kept.
    pub(super) cache: Option<Arc<Cell>>,
    /// Larger files are not kept, in bytes.
    pub(super) object_bytes_max: u64,
    /// How long a page is believed to be what is on disk, in milliseconds.
    pub(super) interval: u64,
    /// Counts the files that are read.
    pub(super) reads: Arc<AtomicU64>,
}

impl Caches {
    /// Makes the cache that servers share as large as the host's settings say.
    pub fn share(&self, settings: &CacheSettings) {
        let mut shared = self.shared.lock();
        *shared = Some(sized(shared.take(), settings.size));
    }

    /// Drops about half of what is kept, what is asked for least; says how many bytes.
    pub fn trim(&self) -> u64 {
        let mut cells: Vec<Arc<Cell>> = self.own.lock().values().cloned().collect();
        cells.extend(self.shared.lock().clone());
        cells.iter().map(|cell| cell.load().trim()).sum()
    }

    /// How full each cache is: the one that is shared, which has no name, and those that servers have for themselves.
    pub fn usage(&self) -> Vec<(Option<String>, Usage)> {
        let shared = self.shared.lock().clone();
        let own: Vec<_> = {
            let own = self.own.lock();
            own.iter()
                .map(|(name, cell)| (Some(name.clone()), cell.clone()))
                .collect()
        };
        let cells = shared.map(|cell| (None, cell)).into_iter().chain(own);
        cells
            .map(|(name, cell)| (name, cell.load().usage()))
            .collect()
    }

    /// The files of a web server. Changes of what is kept of them are watched for.
    pub fn pages(&self, server: &str, files: &Files, settings: &CacheSettings) -> Pages {
        let pages = self.unwatched(server, files, settings);
        if settings.enabled {
            self.watch.add(&pages.root);
        }
        pages
    }

    pub(super) fn unwatched(&self, server: &str, files: &Files, settings: &CacheSettings) -> Pages {
        let cell = || {
            if settings.is_own {
                let mut own = self.own.lock();
                let cell = sized(own.remove(server), settings.size);
                own.insert(server.to_owned(), cell.clone());
                return cell;
            }
            let mut shared = self.shared.lock();
            shared
                .get_or_insert_with(|| sized(None, settings.size))
                .clone()
        };
        Pages {
            root: self.roots.of(&files.root),
            home_page: files.home_page.clone(),
            missing: files.missing.clone(),
            cache: settings.enabled.then(cell),
            object_bytes_max: settings.object_bytes_max,
            interval: millis(settings.interval),
            reads: Arc::default(),
        }
    }
}

fn sized(cell: Option<Arc<Cell>>, size: u64) -> Arc<Cell> {
    let new = || Arc::new(Store::new(size));
    match cell {
        None => Arc::new(ArcSwap::new(new())),
        Some(cell) => {
            if cell.load().size() != size {
                cell.store(new());
            }
            cell
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl Pages {
    /// The same, with a counter of the files that are read.
    pub fn counting(self, reads: &Arc<AtomicU64>) -> Self {
        Self {
            reads: reads.clone(),
            ..self
        }
    }

    /// Bytes in the cache, of all servers that share it.
    pub fn bytes_in_cache(&self) -> u64 {
        let cache = self.cache.as_ref();
        cache.map_or(0, |cache| cache.load().bytes())
    }

    /// Forgets what is in memory of these files.
    pub fn clear(&self) {
        if let Some(cache) = &self.cache {
            cache.load().clear(self.root.number);
        }
    }

    /// What is in memory of these files.
    pub fn statistics(&self) -> Statistics {
        let cache = self.cache.as_ref();
        let statistics = cache.map(|cache| cache.load().statistics(self.root.number));
        statistics.unwrap_or_default()
    }

    /// Something below the root has changed.
    #[cfg(test)]
    pub(super) fn changed(&self) {
        self.root.changed();
    }

    /// Larger files are not kept, in bytes.
    pub fn object_bytes_max(&self) -> u64 {
        self.object_bytes_max
    }

    /// Whether files are kept in memory.
    pub fn has_cache(&self) -> bool {
        self.cache.is_some()
    }
}
