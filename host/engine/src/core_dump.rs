//! Core dumps: what an instance held when it trapped, in a file for debuggers.
//!
//! The file is a WebAssembly module in the format of the tool conventions ("coremodules", "coreinstances", "corestack"): the
//! frames with function and offset, all memories and globals. Locals and operands are not in it: compiled code does not keep
//! them where they could be found.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::UNIX_EPOCH;

use wasmtime::{Store, WasmCoreDump};

use crate::state::State;

/// An instance that holds more is not dumped: it is copied in memory first.
const MEMORY_BYTES_MAX: u64 = 256 << 20;
/// Longest part of a component's name in that of a file.
const NAME_BYTES_MAX: usize = 64;
const EXTENSION: &str = "core";

/// Where core dumps are kept, and how many.
#[derive(Clone, Debug)]
pub struct CoreDumpOptions {
    /// Their folder, which is made when there is one.
    pub folder: PathBuf,
    /// The last ones that are kept.
    pub kept: usize,
}

/// Writes core dumps, one at a time.
#[derive(Debug)]
pub(crate) struct CoreDumps {
    options: CoreDumpOptions,
    is_writing: AtomicBool,
}

/// Whose turn it is to write, until dropped.
struct Turn(Arc<CoreDumps>);

impl CoreDumps {
    pub(crate) fn new(options: CoreDumpOptions) -> Arc<Self> {
        Arc::new(Self {
            options,
            is_writing: AtomicBool::new(false),
        })
    }

    /// Keeps what a store holds that a guest has just trapped in. Gives a line about it for the log; none if it was no trap.
    /// The file is written on a thread for that.
    pub(crate) fn keep(
        self: &Arc<Self>,
        store: &mut Store<State>,
        error: &wasmtime::Error,
        request: u64,
    ) -> Option<String> {
        let dump = error.downcast_ref::<WasmCoreDump>()?;
        let memory = store.data().limiter.memory_used();
        if memory > MEMORY_BYTES_MAX {
            return Some(format!(
                "\nno core dump: the instance holds {memory} bytes, and at most {MEMORY_BYTES_MAX} are dumped"
            ));
        }
        if self.is_writing.swap(true, Ordering::AcqRel) {
            return Some("\nno core dump: another one is being written".to_owned());
        }
        let turn = Turn(self.clone());
        let component = store.data().profile.component.clone();
        // What it holds is a guest's: nothing in it may take more down than the dump.
        let made = catch_unwind(AssertUnwindSafe(|| dump.serialize(store, &component)));
        let Ok(bytes) = made else {
            return Some("\nno core dump: it could not be made".to_owned());
        };
        let path = self.options.folder.join(file_name(&component, request));
        let line = format!("\ncore dump: {}", path.display());
        tokio::task::spawn_blocking(move || {
            let options = &turn.0.options;
            let written = write(options, &path, &bytes);
            if let Err(error) = written {
                tracing::warn!(file = %path.display(), %error, "a core dump could not be written");
            }
        });
        Some(line)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.is_writing.store(false, Ordering::Release);
    }
}

/// By time, so that the oldest are the first by name.
fn file_name(component: &str, request: u64) -> String {
    let time = UNIX_EPOCH.elapsed().unwrap_or_default();
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || "-_".contains(*c);
    let component: String = component
        .chars()
        .filter(is_plain)
        .take(NAME_BYTES_MAX)
        .collect();
    format!(
        "{:013}-{component}-{request:016x}.{EXTENSION}",
        time.as_millis()
    )
}

fn write(options: &CoreDumpOptions, path: &Path, bytes: &[u8]) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&options.folder)?;
    // Old ones first, so that there is never one more than allowed.
    prune(options)?;
    let unfinished = path.with_extension("part");
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&unfinished)?;
    let written = file
        .write_all(bytes)
        .and_then(|()| fs::rename(&unfinished, path));
    if written.is_err() {
        let _ = fs::remove_file(&unfinished);
    }
    written
}

/// Makes room for one more.
fn prune(options: &CoreDumpOptions) -> io::Result<()> {
    let mut names: Vec<OsString> = Vec::new();
    for entry in fs::read_dir(&options.folder)? {
        let name = entry?.file_name();
        let extension = Path::new(&name).extension().and_then(|it| it.to_str());
        match extension {
            Some(EXTENSION) => names.push(name),
            // Of a process that was killed meanwhile: only one is written at a time.
            Some("part") => fs::remove_file(options.folder.join(name))?,
            _ => {}
        }
    }
    names.sort_unstable();
    let excess = (names.len() + 1).saturating_sub(options.kept.max(1));
    names
        .iter()
        .take(excess)
        .try_for_each(|name| fs::remove_file(options.folder.join(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ones_are_kept_and_their_names_are_plain() {
        let folder = tempfile::tempdir().unwrap();
        let options = CoreDumpOptions {
            folder: folder.path().join("dumps"),
            kept: 3,
        };
        let path = |number: u64| {
            options
                .folder
                .join(format!("{number:013}-a-{number:016x}.core"))
        };
        for number in 1..=7 {
            write(&options, &path(number), b"dump").unwrap();
        }
        fs::write(options.folder.join("killed.part"), "").unwrap();
        fs::write(options.folder.join("other"), "").unwrap();
        write(&options, &path(8), b"dump").unwrap();
        let there = |number: &u64| path(*number).exists();
        assert_eq!((1..=8).filter(there).collect::<Vec<_>>(), [6, 7, 8]);
        assert!(!options.folder.join("killed.part").exists());
        assert!(options.folder.join("other").exists());

        let name = file_name("../\u{e9}sh op", 0x1f);
        assert!(name.ends_with("-shop-000000000000001f.core"), "{name}");
    }
}
