//! The two files of a certificate: reading them, and noticing that they changed.

use std::fs::{self, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::OFlags;

use super::error::{Fault, TlsError};

/// The file of the certificate chain.
pub const CERTIFICATE: &str = "cert.pem";
/// The file of the private key.
pub const KEY: &str = "key.pem";

/// The largest file that is read: a chain of a hundred certificates fits.
pub(super) const BYTES_MAX: u64 = 512 * 1024;

/// A file that was changed less than this before it was looked at may have been changed again within the same tick of
/// the file system's clock, which nothing but its content then shows.
const SETTLED_AFTER: Duration = Duration::from_secs(1);

/// How often a pair is read again that was replaced while it was read.
const READS_MAX: usize = 3;

/// Where the pair is.
#[derive(Clone, Debug)]
pub(super) struct Files {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

/// What the system tells of both files; equal looks mean equal files, if the first one is settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Look {
    certificate: Option<Identity>,
    key: Option<Identity>,
}

/// Which file a path leads to, through all links, and in which state.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    /// Of the inode: set by the kernel whenever anything changes, and by nobody else.
    changed: (i64, i64),
}

/// The content of both files.
#[derive(Debug, Hash)]
pub(super) struct Contents {
    pub(super) certificate: Vec<u8>,
    pub(super) key: Vec<u8>,
}

impl Files {
    pub(super) fn of(folder: &Path) -> Self {
        Self {
            certificate: folder.join(CERTIFICATE),
            key: folder.join(KEY),
        }
    }

    /// Looks at both without opening them.
    pub(super) fn look(&self) -> Look {
        Look {
            certificate: Identity::of(&self.certificate),
            key: Identity::of(&self.key),
        }
    }

    /// Reads both, and says what they looked like just before. A pair that is replaced as one (a link that is turned)
    /// is read as one.
    pub(super) fn read(&self) -> (Look, Result<Contents, TlsError>) {
        let mut before = self.look();
        for _ in 1..READS_MAX {
            let contents = self.read_once();
            let after = self.look();
            if before == after {
                return (before, contents);
            }
            before = after;
        }
        (before, self.read_once())
    }

    fn read_once(&self) -> Result<Contents, TlsError> {
        let read_file = |path: &PathBuf| {
            read_bounded(path).map_err(|fault| TlsError::File {
                path: path.clone(),
                fault,
            })
        };
        Ok(Contents {
            certificate: read_file(&self.certificate)?,
            key: read_file(&self.key)?,
        })
    }
}

impl Look {
    /// Whether a change after this look is certain to show in the next one.
    pub(super) fn is_settled(&self) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let (Ok(now), files) = (now, [&self.certificate, &self.key]) else {
            return false;
        };
        let is_old = |identity: &Identity| {
            let changed = u64::try_from(identity.changed.0).unwrap_or(0);
            // A whole second more, as fractions are left out.
            Duration::from_secs(changed) + SETTLED_AFTER + Duration::from_secs(1) <= now
        };
        files.into_iter().flatten().all(is_old)
    }
}

impl Identity {
    fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        Some(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }
}

fn read_bounded(path: &Path) -> Result<Vec<u8>, Fault> {
    let file = OpenOptions::new()
        .read(true)
        // A pipe nobody writes to must not hold us.
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(path)
        .map_err(unreadable)?;
    if !file.metadata().map_err(unreadable)?.is_file() {
        return Err(Fault::NotAFile);
    }
    let mut content = Vec::new();
    file.take(BYTES_MAX + 1)
        .read_to_end(&mut content)
        .map_err(unreadable)?;
    if content.len() as u64 > BYTES_MAX {
        return Err(Fault::TooLarge);
    }
    Ok(content)
}

fn unreadable(error: io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::NotFound => Fault::Missing,
        _ => Fault::Unreadable(error),
    }
}
