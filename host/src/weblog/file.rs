//! The file of a log: whole lines, whatever happens to it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Where a line that was torn is looked for: no line is longer.
const TAIL_BYTES_MAX: u64 = 256 * 1024;
/// Logs say who asked for what: nobody but their owner and its group reads them.
const MODE: u32 = 0o640;

/// A log that is appended to.
#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    /// What a file, and what follows a start, begins with.
    header: Vec<u8>,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    file: File,
    /// Device and number, by which it is told from another file at the same path.
    identity: (u64, u64),
    /// Of a device nothing can be taken back.
    is_regular: bool,
    size: u64,
    /// When its first line was written, or it was made.
    begun: SystemTime,
    has_lines: bool,
}

impl LogFile {
    pub(super) fn new(path: PathBuf, header: Vec<u8>) -> Self {
        Self {
            path,
            header,
            open: None,
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Is opened anew by the next lines: it may be another file by then.
    pub(super) fn close(&mut self) {
        self.open = None;
    }

    /// Bytes that it has; 0 while it is not open.
    pub(super) fn size(&self) -> u64 {
        self.open.as_ref().map_or(0, |open| open.size)
    }

    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// When it was begun, if it is a file that has lines, and can be moved.
    pub(super) fn begun(&self) -> Option<SystemTime> {
        let open = self.open.as_ref();
        let open = open.filter(|open| open.is_regular && open.has_lines);
        open.map(|open| open.begun)
    }

    /// Opens it unless it is open, and still what its path leads to. Says whether it was opened.
    pub(super) fn ensure(&mut self) -> io::Result<bool> {
        if let Some(open) = &self.open {
            let is_there = fs::metadata(&self.path).is_ok_and(|it| identity(&it) == open.identity);
            if is_there {
                return Ok(false);
            }
            self.open = None;
        }
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true).mode(MODE);
        let mut file = match options.open(&self.path) {
            // A device that only takes.
            Err(_) => OpenOptions::new().append(true).open(&self.path)?,
            Ok(file) => file,
        };
        let metadata = file.metadata()?;
        let is_regular = metadata.is_file();
        let size = match is_regular {
            true => heal(&mut file, metadata.len())?,
            false => 0,
        };
        let changed = metadata.modified()?;
        let begun = metadata.created().map_or(changed, |it| it.min(changed));
        let mut open = Open {
            identity: identity(&metadata),
            begun,
            file,
            is_regular,
            size,
            has_lines: size > 0,
        };
        open.append(&self.header)?;
        self.open = Some(open);
        Ok(true)
    }

    /// Adds lines to a file that is open. After an error none of them is there.
    pub(super) fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        match &mut self.open {
            Some(open) => {
                open.append(lines)?;
                if !open.has_lines {
                    open.has_lines = true;
                    open.begun = SystemTime::now();
                }
                Ok(())
            }
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

impl Open {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self.file.write_all(bytes) {
            Ok(()) => {
                self.size += bytes.len() as u64;
                Ok(())
            }
            Err(error) => {
                if self.is_regular {
                    // Of what was written before the disk was full.
                    let _ = self.file.set_len(self.size);
                }
                Err(error)
            }
        }
    }
}

fn identity(metadata: &fs::Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// Takes a line away that the process before this one did not finish. Gives the size that is left.
fn heal(file: &mut File, size: u64) -> io::Result<u64> {
    let from = size.saturating_sub(TAIL_BYTES_MAX);
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(from))?;
    file.take(TAIL_BYTES_MAX).read_to_end(&mut tail)?;
    let torn = match memchr::memrchr(b'\n', &tail) {
        Some(end) => tail.len() - end - 1,
        None => tail.len(),
    };
    let size = size - torn as u64;
    if torn > 0 {
        file.set_len(size)?;
    }
    Ok(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(folder: &tempfile::TempDir, header: &str) -> LogFile {
        let path = folder.path().join("Logs/logweb.txt");
        LogFile::new(path, header.as_bytes().to_vec())
    }

    #[test]
    fn a_torn_line_is_healed_and_the_header_follows() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = log(&folder, "#h\n");
        assert!(file.ensure().unwrap());
        file.append(b"one\ntwo\n").unwrap();
        fs::write(file.path(), "#h\none\ntw").unwrap();
        file.close();
        assert!(file.ensure().unwrap());
        assert!(!file.ensure().unwrap());
        file.append(b"three\n").unwrap();
        let text = fs::read_to_string(file.path()).unwrap();
        assert_eq!(text, "#h\none\n#h\nthree\n");
        assert_eq!(file.size(), text.len() as u64);
    }

    #[test]
    fn a_file_that_is_gone_is_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = log(&folder, "");
        assert!(file.append(b"too early").is_err());
        file.ensure().unwrap();
        file.append(b"one\n").unwrap();
        fs::remove_dir_all(folder.path().join("Logs")).unwrap();
        assert!(file.ensure().unwrap());
        file.append(b"two\n").unwrap();
        assert_eq!(fs::read_to_string(file.path()).unwrap(), "two\n");
    }

    #[test]
    fn a_full_disk_is_an_error_and_a_folder_is_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = log(&folder, "");
        fs::create_dir(folder.path().join("Logs")).unwrap();
        std::os::unix::fs::symlink("/dev/full", file.path()).unwrap();
        file.ensure().unwrap();
        let error = file.append(b"one\n").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert_eq!(file.begun(), None);
        fs::remove_file(file.path()).unwrap();
        fs::create_dir(file.path()).unwrap();
        assert!(file.ensure().is_err());
    }
}
