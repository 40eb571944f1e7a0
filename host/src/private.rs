//! Files that only the user who runs the host may read.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

const FILE_MODE: u32 = 0o600;
const FOLDER_MODE: u32 = 0o700;

/// Makes a folder that nobody else may look into; one that is there stays as it is.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(FOLDER_MODE)
        .create(folder)
}

/// Writes a file in one step: whoever reads it sees all of it or what was there before, and it is
/// private from its first moment, whatever mode the file that it replaces had.
pub(crate) fn write(path: &Path, content: &str) -> io::Result<()> {
    in_one_step(path, content, FILE_MODE, |passing| {
        fs::rename(passing, path)
    })
}

/// Writes a file beside its place, with its mode from the first moment, and has it put there. Nothing is left beside it.
pub(crate) fn in_one_step(
    path: &Path,
    content: &str,
    mode: u32,
    put: impl FnOnce(&Path) -> io::Result<()>,
) -> io::Result<()> {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}", std::process::id()));
    let passing = path.with_file_name(name);
    // Left by a process of the same id that was killed while writing; `create_new` below must not
    // fail for it, and must not follow a link that somebody put here.
    match fs::remove_file(&passing) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&passing)
        .and_then(|mut file| {
            file.write_all(content.as_bytes())?;
            file.sync_all()
        })
        .and_then(|()| put(&passing));
    // Gone if it was renamed. The reason for a failure is what matters, not that of cleaning up behind it.
    let _ = fs::remove_file(&passing);
    written
}

/// Whether others than the owner may read a file.
pub(crate) fn is_exposed(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_private_whatever_they_replace() {
        let site = tempfile::tempdir().unwrap();
        let folder = site.path().join(".tessera");
        make_folder(&folder).unwrap();
        make_folder(&folder).unwrap();
        let path = folder.join("access-key");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(is_exposed(&path));

        write(&path, "new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            FILE_MODE
        );
        assert_eq!(
            fs::metadata(&folder).unwrap().permissions().mode() & 0o777,
            FOLDER_MODE
        );
        assert!(!is_exposed(&path));
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }

    #[test]
    fn a_link_is_replaced_and_not_followed() {
        let site = tempfile::tempdir().unwrap();
        let (elsewhere, path) = (
            site.path().join("elsewhere"),
            site.path().join("access-key"),
        );
        fs::write(&elsewhere, "untouched").unwrap();
        std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
        write(&path, "new").unwrap();
        assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "untouched");
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    }
}
