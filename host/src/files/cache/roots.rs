//! Numbers for the folders that files are served from, and what is known of changes in each.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use parking_lot::Mutex;

/// A folder that files are served from. The same folder is the same root, whichever server has it.
#[derive(Debug)]
pub(in crate::files) struct Root {
    pub(in crate::files) number: u32,
    pub(in crate::files) path: PathBuf,
    /// Counts what was noticed of changes below it.
    changes: AtomicU64,
    began: Instant,
    missing: Missing,
}

/// When there was no folder, the last time that somebody looked: components often have none.
#[derive(Debug, Default)]
struct Missing {
    /// Milliseconds since the root is known, and one; 0 if there is a folder.
    since: AtomicU64,
    /// The changes that were known at the last look, and one; 0 before the first.
    changes: AtomicU64,
}

impl Root {
    /// How often something below it was noticed to have changed.
    pub(in crate::files) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Something below it has changed: whatever is kept of it must be looked at again.
    pub(in crate::files) fn changed(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
    }

    /// Looks whether there is a folder, and remembers if there is none. `changes` were known before what led to the look.
    /// A folder that is there is looked for once, until something changes.
    pub(in crate::files) fn look(&self, changes: u64) {
        let was_there = self.missing.since.load(Ordering::Relaxed) == 0;
        if was_there && self.missing.changes.load(Ordering::Relaxed) == changes + 1 {
            return;
        }
        let is_missing = !self.path.is_dir();
        let since = if is_missing {
            self.at(Instant::now()) + 1
        } else {
            0
        };
        self.missing.changes.store(changes + 1, Ordering::Relaxed);
        self.missing.since.store(since, Ordering::Release);
    }

    /// Whether there was no folder less than `interval` milliseconds ago, and nothing has changed since.
    pub(in crate::files) fn is_known_missing(&self, interval: u64, now: Instant) -> bool {
        let since = self.missing.since.load(Ordering::Acquire);
        since != 0
            && self.missing.changes.load(Ordering::Relaxed) == self.changes() + 1
            && (self.at(now) + 1).saturating_sub(since) < interval
    }

    fn at(&self, now: Instant) -> u64 {
        let elapsed = now.saturating_duration_since(self.began);
        u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX - 1)
    }
}

/// All roots that there were since the process began.
#[derive(Debug, Default)]
pub(in crate::files) struct Roots(Mutex<HashMap<PathBuf, Arc<Root>>>);

impl Roots {
    pub(in crate::files) fn of(&self, path: &Path) -> Arc<Root> {
        let mut roots = self.0.lock();
        if let Some(root) = roots.get(path) {
            return root.clone();
        }
        let number = u32::try_from(roots.len()).unwrap_or(u32::MAX);
        let root = Arc::new(Root {
            number,
            path: path.to_owned(),
            changes: AtomicU64::default(),
            began: Instant::now(),
            missing: Missing::default(),
        });
        roots.insert(path.to_owned(), root.clone());
        root
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_missing_is_known_to_be_until_something_changes_or_time_has_passed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("WebFolder");
        let root = Roots::default().of(&path);
        assert!(
            !root.is_known_missing(60_000, Instant::now()),
            "nobody has looked"
        );
        root.look(root.changes());
        assert!(root.is_known_missing(60_000, Instant::now()));
        assert!(!root.is_known_missing(0, Instant::now()));

        std::fs::create_dir(&path).expect("the folder is made");
        root.changed();
        assert!(
            !root.is_known_missing(60_000, Instant::now()),
            "it may be there now"
        );
        root.look(root.changes());
        assert!(!root.is_known_missing(60_000, Instant::now()));

        // What was found before a change does not hold after it.
        std::fs::remove_dir(&path).expect("the folder is removed");
        let before = root.changes();
        root.changed();
        root.look(before);
        assert!(!root.is_known_missing(60_000, Instant::now()));
        root.look(root.changes());
        assert!(root.is_known_missing(60_000, Instant::now()));
    }
}
