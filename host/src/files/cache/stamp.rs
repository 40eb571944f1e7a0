//! What tells one version of a file on disk from another.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::http::Coding;

/// A file that was changed so short a time ago may change again without another time: file systems count in ticks of
/// some milliseconds, older ones in seconds.
const UNSETTLED: Duration = Duration::from_millis(50);

/// A version of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::files) struct Stamp {
    device: u64,
    inode: u64,
    length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    pub(in crate::files) fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    pub(in crate::files) fn is_older_than(&self, other: &Self) -> bool {
        self.modified < other.modified
    }
}

/// What a page was made of: the file, and the files beside it that hold the same in a compressed form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::files) struct Origin {
    file: Stamp,
    /// In the order of [`Coding::BY_PREFERENCE`].
    siblings: [Option<Stamp>; 3],
    /// Of a file that was changed a moment ago, and whose next change may not show, when it was looked at: no other look
    /// is as good.
    unsettled: Option<Duration>,
}

impl Origin {
    pub(in crate::files) fn of(metadata: &Metadata, siblings: [Option<Stamp>; 3]) -> Self {
        let age = |time: SystemTime| time.elapsed().unwrap_or_default();
        let is_settled = metadata.modified().is_ok_and(|time| age(time) > UNSETTLED);
        let now = || UNIX_EPOCH.elapsed().unwrap_or_default();
        Self {
            file: Stamp::of(metadata),
            siblings,
            unsettled: (!is_settled).then(now),
        }
    }

    /// Whether what was made of this is as good as what would be made of `other`, which was looked at later.
    pub(in crate::files) fn is_still(&self, other: &Self) -> bool {
        self.unsettled.is_none() && self.file == other.file && self.siblings == other.siblings
    }

    pub(in crate::files) fn has_sibling(&self, coding: Coding) -> bool {
        let mut all = Coding::BY_PREFERENCE.iter().zip(&self.siblings);
        all.any(|(one, sibling)| *one == coding && sibling.is_some())
    }

    pub(in crate::files) fn has_siblings(&self) -> bool {
        self.siblings.iter().any(Option::is_some)
    }
}
