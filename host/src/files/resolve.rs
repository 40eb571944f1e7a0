//! From the path of a URL to a file that is certainly below the root.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use percent_encoding::percent_decode_str;
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2};
use rustix::io::Errno;

/// Why it cannot be said whether there is a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// A path that no URL should hold.
    #[error("the path is not percent-encoded as it should be")]
    BadPath,
    /// The system has no descriptor or no memory left.
    #[error("the system has nothing left to open the file with")]
    Exhausted,
}

/// Something below the root.
pub(super) enum Node {
    /// Open for reading, with what the system said of it.
    File(File, Metadata),
    Folder,
}

/// Decodes the path of a URL, once: the path of a file relative to the root, with a slash at its end if the URL has one.
/// `None` if it can name no file: empty, `.` and `..` parts, dot files, and parts that hold a slash of their own.
pub(super) fn relative_path(path: &str) -> Result<Option<Cow<'_, [u8]>>, FileError> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let decoded = if path.contains('%') {
        if !is_well_encoded(path) {
            return Err(FileError::BadPath);
        }
        let decoded: Vec<u8> = percent_decode_str(path).collect();
        if decoded.contains(&0) {
            return Err(FileError::BadPath);
        }
        let slashes = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'/').count();
        if slashes(&decoded) != slashes(path.as_bytes()) {
            return Ok(None);
        }
        Cow::Owned(decoded)
    } else {
        Cow::Borrowed(path.as_bytes())
    };
    let parts = decoded.strip_suffix(b"/").unwrap_or(&decoded);
    let names_none = |(index, part): (usize, &[u8])| {
        let is_dot_file = part.first() == Some(&b'.') && !(index == 0 && part == b".well-known");
        part.is_empty() || is_dot_file
    };
    let mut parts = parts.split(|byte| *byte == b'/').enumerate();
    Ok((!parts.any(names_none)).then_some(decoded))
}

/// Opens what a relative path names, if it is a file or a folder. Symbolic links are followed inside the root only.
pub(super) fn open(root: &Path, relative: &[u8]) -> Result<Option<Node>, FileError> {
    let relative = Path::new(OsStr::from_bytes(relative));
    match open_node(root, relative) {
        Ok(node) => Ok(node),
        Err(error) => nothing_or(error),
    }
}

/// What the system says of what a relative path names, which is not opened for reading.
pub(super) fn look(root: &Path, relative: &[u8]) -> Result<Option<Metadata>, FileError> {
    let relative = Path::new(OsStr::from_bytes(relative));
    match open_below(root, relative, OFlags::PATH | OFlags::CLOEXEC) {
        Ok(fd) => Ok(File::from(fd).metadata().ok()),
        Err(error) => nothing_or(error),
    }
}

/// Whatever is in the way, the visitor is told that there is nothing.
fn nothing_or<T>(error: Errno) -> Result<Option<T>, FileError> {
    match error {
        Errno::MFILE | Errno::NFILE | Errno::NOMEM => Err(FileError::Exhausted),
        _ => Ok(None),
    }
}

fn open_node(root: &Path, relative: &Path) -> Result<Option<Node>, Errno> {
    // NONBLOCK: opening a named pipe must not wait for its writer.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = File::from(open_below(root, relative, flags)?);
    let Ok(metadata) = file.metadata() else {
        return Ok(None);
    };
    Ok(if metadata.is_file() {
        Some(Node::File(file, metadata))
    } else {
        metadata.is_dir().then_some(Node::Folder)
    })
}

/// Opens whatever a relative path names.
pub(super) fn open_below(root: &Path, relative: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    // PATH: not opened for reading, which whoever watches the site's folder would be told of at each request.
    let root_flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root_fd = openat(CWD, root, root_flags, Mode::empty())?;
    match openat2(
        &root_fd,
        relative,
        flags,
        Mode::empty(),
        ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS,
    ) {
        // Kernels before 5.6, and sandboxes that do not know the call.
        Err(Errno::NOSYS | Errno::PERM) => open_by_canonical_path(root, relative, flags),
        opened => opened,
    }
}

/// The same with two looks instead of one: a link that changes between them is the price of an old kernel.
fn open_by_canonical_path(root: &Path, relative: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    let canonical = |path: &Path| {
        let error = |error| Errno::from_io_error(&error).unwrap_or(Errno::NOENT);
        path.canonicalize().map_err(error)
    };
    let root = canonical(root)?;
    let path = canonical(&root.join(relative))?;
    if !path.starts_with(&root) {
        return Err(Errno::XDEV);
    }
    openat(CWD, &path, flags | OFlags::NOFOLLOW, Mode::empty())
}

/// Whether every `%` is followed by two hexadecimal digits.
fn is_well_encoded(path: &str) -> bool {
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        let is_digit = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_hexdigit());
        if byte == b'%' && !(is_digit(bytes.next()) && is_digit(bytes.next())) {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_way_for_old_kernels_stays_below_the_root_too() {
        let site = tempfile::tempdir().unwrap();
        let root = site.path().join("root");
        fs::create_dir_all(&root).unwrap();
        fs::write(root.join("in.txt"), "in").unwrap();
        fs::write(site.path().join("out.txt"), "out").unwrap();
        std::os::unix::fs::symlink("../out.txt", root.join("link.txt")).unwrap();
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        assert!(open_by_canonical_path(&root, Path::new("in.txt"), flags).is_ok());
        assert!(open_by_canonical_path(&root, Path::new("link.txt"), flags).is_err());
        assert!(open_by_canonical_path(&root, Path::new("../out.txt"), flags).is_err());
    }

    #[test]
    fn a_pipe_is_not_a_file_and_does_not_block() {
        let root = tempfile::tempdir().unwrap();
        let pipe = root.path().join("pipe");
        rustix::fs::mknodat(
            CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            Mode::RUSR | Mode::WUSR,
            0,
        )
        .unwrap();
        assert!(open(root.path(), b"pipe").unwrap().is_none());
    }
}
