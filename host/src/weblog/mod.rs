//! The access log of each web server: a line for each request that was answered.
//!
//! A request only notes what its line will say, in a buffer of its thread (`batch`): no system call, no wait for a disk,
//! no lock that anybody else holds for long. One thread of the process makes the lines and takes them to their files
//! (`writer`), at the latest after a second. What it cannot write it keeps, up to a bound, and tries again; lines that find
//! no room are counted.

mod archive;
mod batch;
mod debug;
mod debug_file;
mod entry;
mod escape;
mod file;
mod format;
mod line;
mod lines;
mod pending;
mod schedule;
mod stamp;
mod writer;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use jiff::tz::TimeZone;
use parking_lot::Mutex;
use serde_json::{Value, json};

pub use debug::DebugLog;
pub use entry::{Entry, Fields, Line, Wanted};
pub use pending::Pending;
pub use writer::WebLogs;

use crate::settings::{AccessField, AccessFormat};
use batch::Batch;
use format::Part;
use lines::Lines;
use writer::{Bell, Health};

/// Buffers of one log; threads share them by chance.
const SHARDS: usize = 16;
/// From so many bytes on the writer is woken before its time.
const FULL_BYTES: usize = 128 * 1024;
/// Most bytes that wait for the writer in one buffer: some 12 000 lines, and with a full disk most of what is
/// kept.
const SHARD_BYTES_MAX: usize = 1024 * 1024;

/// The access log of one web server, as requests see it.
#[derive(Debug)]
pub struct WebLog {
    server: Arc<str>,
    format: AccessFormat,
    parts: Vec<Part>,
    wanted: Wanted,
    zone: TimeZone,
    shards: [Mutex<Shard>; SHARDS],
    file: PathBuf,
    health: Arc<Health>,
    bell: Arc<Bell>,
}

#[derive(Debug, Default)]
struct Shard {
    batch: Batch,
    /// The writer was woken for it.
    is_told: bool,
}

impl WebLog {
    /// A log that goes nowhere yet.
    fn new(server: Arc<str>, format: AccessFormat, fields: &[AccessField], zone: TimeZone) -> Self {
        Self {
            server,
            format,
            parts: format::parts(format, fields),
            wanted: format::wanted(format, fields),
            zone,
            shards: Default::default(),
            file: PathBuf::new(),
            health: Arc::default(),
            bell: Arc::default(),
        }
    }

    /// Fields of requests that its lines have.
    pub fn wanted(&self) -> Wanted {
        self.wanted
    }

    /// Notes the line of a request. It waits for nothing; a line that finds no room is counted as lost.
    pub fn record(&self, entry: &Entry<'_>) {
        let Some(shard) = self.shards.get(own_shard()) else {
            return;
        };
        let mut shard = shard.lock();
        let bytes = shard.batch.bytes();
        if bytes >= SHARD_BYTES_MAX {
            self.health.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        shard.batch.add(entry);
        if bytes >= FULL_BYTES && !shard.is_told {
            shard.is_told = true;
            drop(shard);
            self.bell.ring();
        }
    }

    /// How it fares, as admin shows it: `file`, `lost` lines, and the `error` that keeps lines from being written, or null.
    pub fn document(&self) -> Value {
        json!({
            "file": self.file.display().to_string(),
            "lost": self.health.lost.load(Ordering::Relaxed),
            "error": *self.health.error.lock(),
        })
    }

    /// Makes the lines that were noted since the last time. `spare` is empty, before and after.
    fn take(&self, into: &mut Vec<u8>, spare: &mut Batch) {
        for shard in &self.shards {
            let mut shard = shard.lock();
            shard.is_told = false;
            if shard.batch.is_empty() {
                continue;
            }
            std::mem::swap(spare, &mut shard.batch);
            drop(shard);
            let mut lines = Lines::new(&self.parts, &self.server, self.format, &self.zone);
            spare.noted().for_each(|noted| lines.write(into, noted));
            spare.clear(2 * FULL_BYTES);
        }
    }
}

/// The buffer of this thread.
fn own_shard() -> usize {
    thread_local! {
        static SHARD: usize = {
            let mut hasher = DefaultHasher::new();
            std::thread::current().id().hash(&mut hasher);
            usize::try_from(hasher.finish() % SHARDS as u64).unwrap_or_default()
        };
    }
    SHARD.with(|shard| *shard)
}
