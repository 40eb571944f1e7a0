//! The files of debug logs: a new one, with the next number, for each start of a web server.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::archive;
use super::debug::{DebugLog, Queue};
use super::file::LogFile;
use super::writer::Health;

/// Most bytes of one file; the next number follows.
const FILE_BYTES_MAX: u64 = 100_000_000;
const NAME: &str = "HTTPDebugLog_";
const EXTENSION: &str = ".txt";

/// The debug log of one web server, and its file.
#[derive(Debug)]
pub(super) struct KeptDebug {
    pub(super) log: Arc<DebugLog>,
    keep: u32,
    folder: PathBuf,
    file: LogFile,
    backlog: Vec<u8>,
}

impl KeptDebug {
    /// In the next file of a folder.
    pub(super) fn new(log: Arc<DebugLog>, folder: PathBuf, keep: u32) -> Self {
        let file = next_file(&folder);
        Self {
            log,
            keep,
            folder,
            file,
            backlog: Vec::new(),
        }
    }

    /// Goes on with other settings, in a new file if the server is being started.
    pub(super) fn adopt(&mut self, log: Arc<DebugLog>, keep: u32, is_start: bool) {
        self.sweep();
        self.log = log;
        self.keep = keep;
        if is_start {
            self.file = next_file(&self.folder);
        }
    }

    pub(super) fn close(&mut self) {
        self.file.close();
    }

    pub(super) fn queue(&self) -> &Arc<Queue> {
        &self.log.queue
    }

    /// Takes what there is to the file. What cannot be written is lost: nobody debugs a server whose disk is full.
    pub(super) fn sweep(&mut self) {
        std::mem::swap(&mut self.backlog, &mut *self.log.queue.bytes.lock());
        if self.backlog.is_empty() {
            return;
        }
        let health: &Health = &self.log.queue.health;
        let result = write(&mut self.file, &self.folder, self.keep, &self.backlog);
        let error = result.err().map(|error| error.to_string());
        let mut known = health.error.lock();
        if let (None, Some(error)) = (&*known, &error) {
            let path = self.file.path().display();
            tracing::error!(
                "the debug log {path} cannot be written: {error}; what it would have had is lost"
            );
        }
        if error.is_some() {
            health.lost.fetch_add(1, Ordering::Relaxed);
        }
        *known = error;
        drop(known);
        self.backlog = Vec::new();
    }
}

fn write(file: &mut LogFile, folder: &Path, keep: u32, bytes: &[u8]) -> io::Result<()> {
    if file.size() >= FILE_BYTES_MAX {
        *file = next_file(folder);
    }
    let is_new = file.ensure()?;
    file.append(bytes)?;
    match is_new {
        true => archive::prune_in(folder, keep, number_of),
        false => Ok(()),
    }
}

fn next_file(folder: &Path) -> LogFile {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| number_of(entry.file_name().to_str()?));
    let next = numbers.max().map_or(1, |last| last.saturating_add(1));
    LogFile::new(folder.join(format!("{NAME}{next}{EXTENSION}")), Vec::new())
}

fn number_of(name: &str) -> Option<u64> {
    let number = name.strip_prefix(NAME)?.strip_suffix(EXTENSION)?;
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_numbered_on() {
        let folder = tempfile::tempdir().unwrap();
        assert!(
            next_file(folder.path())
                .path()
                .ends_with("HTTPDebugLog_1.txt")
        );
        for name in [
            "HTTPDebugLog_9.txt",
            "HTTPDebugLog_10.txt",
            "HTTPDebugLog_x.txt",
            "logweb.txt",
        ] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        assert!(
            next_file(folder.path())
                .path()
                .ends_with("HTTPDebugLog_11.txt")
        );
        archive::prune_in(folder.path(), 1, number_of).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }
}
