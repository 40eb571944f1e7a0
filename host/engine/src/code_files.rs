//! Files that only this user can have written: read if they are, written so that they stay it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use xxhash_rust::xxh3::Xxh3Default;

/// Ends the names of files that are being written.
pub(crate) const UNFINISHED: &str = "tmp";
/// Bits of a mode that let others write.
const WRITABLE_BY_OTHERS: u32 = 0o022;
const CHUNK_BYTES: usize = 64 * 1024;

/// Makes a folder that only this user may enter. One that is there must be as safe as that.
pub(crate) fn open_folder(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    // A file in it may be exchanged by whoever may write the folder, whoever the file belongs to.
    check(&fs::metadata(folder)?)
}

/// Opens a file of this user that nobody else may write. Never waits, and follows no link.
pub(crate) fn open_own(path: &Path) -> io::Result<File> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(i32::try_from(flags.bits()).unwrap_or_default())
        .open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(refused("it is no file"));
    }
    check(&metadata)?;
    Ok(file)
}

/// A checksum. It tells what broke from what was written, and is quick; it keeps nobody from changing a file, for whoever
/// could do that could change the checksum as well: owner and mode do.
pub(crate) type Sum = [u8; 16];

/// The checksum of a file of this user: of its content, and of the name that it was written under.
pub(crate) fn sum_of(path: &Path) -> io::Result<Sum> {
    let mut file = open_own(path)?;
    let mut hasher = named(path);
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        match file.read(&mut chunk) {
            Ok(0) => return Ok(hasher.digest128().to_le_bytes()),
            Ok(length) => hasher.update(chunk.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The checksum that a file with this content will have.
pub(crate) fn sum_with(path: &Path, content: &[u8]) -> Sum {
    let mut hasher = named(path);
    hasher.update(content);
    hasher.digest128().to_le_bytes()
}

fn named(path: &Path) -> Xxh3Default {
    let mut hasher = Xxh3Default::new();
    hasher.update(path.file_name().unwrap_or_default().as_encoded_bytes());
    hasher.update(&[0]);
    hasher
}

/// Reads a checksum of this user.
pub(crate) fn read_sum(path: &Path) -> io::Result<Sum> {
    let mut sum = Sum::default();
    let mut file = open_own(path)?;
    file.read_exact(&mut sum)?;
    match file.read(&mut [0])? {
        0 => Ok(sum),
        _ => Err(refused("it is no checksum")),
    }
}

/// Writes a file that only this user may read, in one step, one thread at a time for each file: a reader sees all of it or nothing. One that was not finished
/// is not mistaken for a finished one; it may lose its content with the machine's power, which its checksum tells.
pub(crate) fn write_own(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let extension = path.extension().unwrap_or_default().display();
    let extension = format!("{extension}.{}.{UNFINISHED}", std::process::id());
    let temporary = path.with_extension(extension);
    let create = || {
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary)
    };
    let file = create().or_else(|error| {
        if error.kind() != io::ErrorKind::AlreadyExists {
            return Err(error);
        }
        // Of a process that had our number and was killed.
        fs::remove_file(&temporary)?;
        create()
    });
    file?
        .write_all(bytes)
        .and_then(|()| fs::rename(&temporary, path))
        .inspect_err(|_| {
            let _ = fs::remove_file(&temporary);
        })
}

fn check(metadata: &fs::Metadata) -> io::Result<()> {
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(refused("it belongs to another user"));
    }
    if metadata.mode() & WRITABLE_BY_OTHERS != 0 {
        return Err(refused("others may write it; `chmod go-w` it"));
    }
    Ok(())
}

fn refused(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, why.to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn only_plain_files_that_nobody_else_may_write_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sum");
        let sum = [7; 16];
        write_own(&path, &sum).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(read_sum(&path).unwrap(), sum);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

        for mode in [0o620, 0o602, 0o666] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = read_sum(&path).unwrap_err().to_string();
            assert!(error.contains("others may write it"), "{error}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let link = folder.path().join("link");
        symlink(&path, &link).unwrap();
        assert!(read_sum(&link).is_err(), "a link");
        let inside = folder.path().join("folder");
        fs::create_dir(&inside).unwrap();
        assert!(read_sum(&inside).is_err(), "a folder");
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        )
        .unwrap();
        // It would wait for a writer for ever.
        assert!(read_sum(&pipe).is_err(), "a pipe");
        for content in [&b""[..], &[7; 31], &[7; 33]] {
            write_own(&path, content).unwrap();
            assert!(read_sum(&path).is_err(), "{} bytes", content.len());
        }
    }

    #[test]
    fn a_checksum_is_that_of_content_and_name() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        let content = vec![5; CHUNK_BYTES * 2 + 1];
        write_own(&one, &content).unwrap();
        write_own(&other, &content).unwrap();
        assert_eq!(sum_of(&one).unwrap(), sum_with(&one, &content));
        assert_ne!(sum_of(&one).unwrap(), sum_of(&other).unwrap());
    }

    #[test]
    fn a_folder_that_others_may_write_is_refused() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("a/code");
        open_folder(&folder).unwrap();
        assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o770)).unwrap();
        let error = open_folder(&folder).unwrap_err().to_string();
        assert!(error.contains("chmod go-w"), "{error}");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        open_folder(&folder).unwrap();
    }
}
