//! Keeps the folder of compiled code small: what was begun and not finished, what nobody has used for long, and what is too
//! much goes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::code_files::UNFINISHED;

/// The extensions of compiled code and of its checksum.
pub(crate) const CODE: &str = "cwasm";
pub(crate) const SUM: &str = "sum";

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How much is kept, and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Most files; a site has some ten components, with a few versions of each.
    pub(crate) files: usize,
    /// Most bytes of all files together.
    pub(crate) bytes: u64,
    /// Longest time without use.
    pub(crate) unused: Duration,
    /// The same for code of another version of the engine, which is kept in case the update is taken back.
    pub(crate) unused_of_others: Duration,
}

pub(crate) const BOUNDS: Bounds = Bounds {
    files: 256,
    bytes: 1 << 30,
    unused: Duration::from_secs(30 * DAY.as_secs()),
    unused_of_others: Duration::from_secs(7 * DAY.as_secs()),
};

/// One compiled component.
struct Code {
    used: SystemTime,
    bytes: u64,
    path: PathBuf,
}

/// Removes what a process that was killed has left behind, as long as nobody writes here.
pub(crate) fn remove_unfinished(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_alone = match extension(&path) {
            Some(UNFINISHED) => true,
            Some(CODE) => !path.with_extension(SUM).exists(),
            Some(SUM) => !path.with_extension(CODE).exists(),
            _ => false,
        };
        if is_alone {
            remove(&path);
        }
    }
    Ok(())
}

/// Holds the folder to its bounds. `own_end` ends the names of this engine's code. Code counts as unused from the time
/// `opened` back: what was used since then is in use, however long ago that was.
pub(crate) fn prune(
    folder: &Path,
    own_end: &str,
    opened: SystemTime,
    bounds: Bounds,
) -> io::Result<()> {
    let mut all: Vec<Code> = fs::read_dir(folder)?
        .filter_map(|entry| code(&entry.ok()?.path()))
        .collect();
    // The one used last first.
    all.sort_by(|a, b| (b.used, &b.path).cmp(&(a.used, &a.path)));
    let (mut files, mut bytes) = (0, 0);
    for code in all {
        let name = code.path.file_name().and_then(|name| name.to_str());
        let is_own = name.is_some_and(|name| name.ends_with(own_end));
        let unused_max = if is_own {
            bounds.unused
        } else {
            bounds.unused_of_others
        };
        let unused = opened.duration_since(code.used).unwrap_or_default();
        files += 1;
        bytes += code.bytes;
        // The newest was just written, and is wanted however large it is.
        let is_too_much = files > 1 && (files > bounds.files || bytes > bounds.bytes);
        if is_too_much || unused > unused_max {
            bytes -= code.bytes;
            files -= 1;
            remove(&code.path);
            remove(&code.path.with_extension(SUM));
        }
    }
    Ok(())
}

fn code(path: &Path) -> Option<Code> {
    if extension(path) != Some(CODE) {
        return None;
    }
    let metadata = fs::symlink_metadata(path).ok()?;
    Some(Code {
        used: metadata.modified().ok()?,
        bytes: metadata.len(),
        path: path.to_owned(),
    })
}

fn extension(path: &Path) -> Option<&str> {
    path.extension()?.to_str()
}

fn remove(path: &Path) {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(path = %path.display(), %error, "compiled code that is not needed cannot be removed");
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    const OWN: &str = "-1.cwasm";

    struct Folder(tempfile::TempDir);

    impl Folder {
        /// With code that was used so many days ago, of so many bytes.
        fn with(codes: &[(&str, u64, usize)]) -> Self {
            let folder = tempfile::tempdir().unwrap();
            for (name, days, bytes) in codes {
                let path = folder.path().join(name);
                fs::write(&path, vec![0; *bytes]).unwrap();
                fs::write(path.with_extension(SUM), "").unwrap();
                let used = SystemTime::now() - Duration::from_secs(days * DAY.as_secs());
                let file = File::options().write(true).open(path).unwrap();
                file.set_modified(used).unwrap();
            }
            Self(folder)
        }

        fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(self.0.path()).unwrap();
            let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name();
            let mut names: Vec<_> = entries
                .map(|entry| name(entry).into_string().unwrap())
                .collect();
            names.sort();
            names
        }

        fn pruned(self, bounds: Bounds) -> Vec<String> {
            prune(self.0.path(), OWN, SystemTime::now(), bounds).unwrap();
            self.names()
        }
    }

    #[test]
    fn what_nobody_has_used_for_long_goes() {
        let folder = Folder::with(&[
            ("a-1.cwasm", 29, 1),
            ("b-1.cwasm", 31, 1),
            ("c-2.cwasm", 6, 1),
            ("d-2.cwasm", 8, 1),
        ]);
        assert_eq!(
            folder.pruned(BOUNDS),
            ["a-1.cwasm", "a-1.sum", "c-2.cwasm", "c-2.sum"]
        );
    }

    #[test]
    fn what_was_used_since_the_start_is_in_use() {
        let folder = Folder::with(&[("a-1.cwasm", 90, 1), ("b-1.cwasm", 130, 1)]);
        let opened = SystemTime::now() - Duration::from_secs(95 * DAY.as_secs());
        prune(folder.0.path(), OWN, opened, BOUNDS).unwrap();
        assert_eq!(folder.names(), ["a-1.cwasm", "a-1.sum"]);
    }

    #[test]
    fn of_too_much_the_one_used_longest_ago_goes() {
        let codes = [
            ("a-1.cwasm", 3, 40),
            ("b-1.cwasm", 1, 40),
            ("c-2.cwasm", 2, 40),
        ];
        let by_bytes = Bounds {
            bytes: 80,
            ..BOUNDS
        };
        assert_eq!(
            Folder::with(&codes).pruned(by_bytes),
            ["b-1.cwasm", "b-1.sum", "c-2.cwasm", "c-2.sum"]
        );
        let by_files = Bounds { files: 1, ..BOUNDS };
        assert_eq!(
            Folder::with(&codes).pruned(by_files),
            ["b-1.cwasm", "b-1.sum"]
        );
        let none = Bounds { bytes: 0, ..BOUNDS };
        assert_eq!(Folder::with(&codes).pruned(none), ["b-1.cwasm", "b-1.sum"]);
    }

    #[test]
    fn what_was_not_finished_goes_and_nothing_else() {
        let folder = Folder::with(&[("a-1.cwasm", 1, 1)]);
        for name in ["b-1.12-3.tmp", "c-1.cwasm", "d-1.sum", "README", "tmp"] {
            fs::write(folder.0.path().join(name), "").unwrap();
        }
        remove_unfinished(folder.0.path()).unwrap();
        assert_eq!(folder.names(), ["README", "a-1.cwasm", "a-1.sum", "tmp"]);
    }
}
