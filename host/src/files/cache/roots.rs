//! Numbers for the folders that files are served from, and what is known of changes in each.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

/// A folder that files are served from. The same folder is the same root, whichever server has it.
#[derive(Debug)]
pub(in crate::files) struct Root {
    pub(in crate::files) number: u32,
    pub(in crate::files) path: PathBuf,
    /// Counts what was noticed of changes below it.
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
        });
        roots.insert(path.to_owned(), root.clone());
        root
    }
}
