//! The thread that takes lines to their files, and what it knows of each file.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use parking_lot::{Condvar, Mutex};

use super::batch::Batch;
use super::debug::{DebugLog, Queue};
use super::debug_file::KeptDebug;
use super::file::LogFile;
use super::{SHARD_BYTES_MAX, WebLog, archive, format, schedule};
use crate::server::{Kind, WebServer};
use crate::settings::{self, AccessFormat, Rotation};

/// Longest time until a line is in its file.
const PAUSE: Duration = Duration::from_secs(1);
/// Most bytes that are kept while they cannot be written.
const BACKLOG_BYTES_MAX: usize = 4 * SHARD_BYTES_MAX;

/// Wakes the writer.
#[derive(Debug, Default)]
pub(super) struct Bell {
    has_rung: Mutex<bool>,
    rung: Condvar,
}

impl Bell {
    pub(super) fn ring(&self) {
        *self.has_rung.lock() = true;
        self.rung.notify_one();
    }

    fn wait(&self) {
        let mut has_rung = self.has_rung.lock();
        if !*has_rung {
            self.rung.wait_for(&mut has_rung, PAUSE);
        }
        *has_rung = false;
    }
}

/// The access logs of all web servers of a site.
#[derive(Debug)]
pub struct WebLogs {
    /// `Logs` of the site.
    folder: PathBuf,
    zone: TimeZone,
    bell: Arc<Bell>,
    all: Mutex<BTreeMap<Arc<str>, Kept>>,
    debugs: Mutex<BTreeMap<Arc<str>, KeptDebug>>,
    /// Blocks of all debug logs.
    sequence: Arc<AtomicU64>,
    /// There is a thread that writes.
    is_written: Mutex<bool>,
}

/// The log of one web server, and its file.
#[derive(Debug)]
struct Kept {
    settings: settings::WebLogs,
    log: Arc<WebLog>,
    /// Logs before it, of other settings: requests may still write to them.
    before: Vec<Arc<WebLog>>,
    file: LogFile,
    /// Changes places with the buffers that are taken from the log.
    spare: Batch,
    /// Lines that could not be written yet.
    backlog: Vec<u8>,
    health: Arc<Health>,
    /// Lines lost that were told.
    told: u64,
}

/// How a log fares, shared with whoever shows it.
#[derive(Debug, Default)]
pub(super) struct Health {
    /// Lines that found no room, since the web server was first started.
    pub(super) lost: AtomicU64,
    /// Why lines cannot be written at the moment.
    pub(super) error: Mutex<Option<String>>,
}

impl WebLogs {
    /// The logs of a site; none is written yet.
    pub fn new(site: &Path) -> Arc<Self> {
        Arc::new(Self {
            folder: site.join("Logs"),
            zone: TimeZone::system(),
            bell: Arc::default(),
            all: Mutex::default(),
            debugs: Mutex::default(),
            sequence: Arc::default(),
            is_written: Mutex::default(),
        })
    }

    /// The log that a web server writes with its settings; none if they want none. With the same settings as before it
    /// is the same log.
    pub fn of(
        self: &Arc<Self>,
        server: &WebServer,
        wanted: &settings::WebLogs,
    ) -> Option<Arc<WebLog>> {
        let name = server.shared_name();
        let mut all = self.all.lock();
        let Some(format) = wanted.format else {
            if let Some(kept) = all.get_mut(&name) {
                // What is written already is not to wait for a next time.
                kept.sweep(&self.zone);
            }
            return None;
        };
        if let Some(kept) = all.get_mut(&name) {
            kept.adopt(wanted, format, &self.zone);
            return Some(kept.log.clone());
        }
        let folder = self.folder_of(server);
        let path = file_in(&folder, format);
        let health = Arc::<Health>::default();
        let log = Arc::new(WebLog {
            file: path.clone(),
            health: health.clone(),
            bell: self.bell.clone(),
            ..WebLog::new(name.clone(), format, &wanted.fields, self.zone.clone())
        });
        let kept = Kept {
            settings: wanted.clone(),
            log: log.clone(),
            before: Vec::new(),
            file: LogFile::new(path, format::header(format, &wanted.fields)),
            spare: Batch::default(),
            backlog: Vec::new(),
            health,
            told: 0,
        };
        all.insert(name, kept);
        drop(all);
        self.begin();
        Some(log)
    }

    /// The debug log that a web server writes with its settings; none if they want none. One that is being started begins
    /// a new file.
    pub fn debug_of(
        self: &Arc<Self>,
        server: &WebServer,
        wanted: &settings::WebLogs,
    ) -> Option<Arc<DebugLog>> {
        let level = wanted.debug?;
        let name = server.shared_name();
        let mut debugs = self.debugs.lock();
        let queue = match debugs.get(&name) {
            Some(kept) => kept.queue().clone(),
            None => Arc::new(Queue {
                sequence: self.sequence.clone(),
                bell: self.bell.clone(),
                ..Queue::default()
            }),
        };
        let log = Arc::new(DebugLog {
            level,
            mask: wanted.mask_secrets,
            queue,
        });
        match debugs.get_mut(&name) {
            Some(kept) => kept.adopt(log.clone(), wanted.keep, !server.is_running()),
            None => {
                let kept = KeptDebug::new(log.clone(), self.folder_of(server), wanted.keep);
                debugs.insert(name, kept);
            }
        }
        drop(debugs);
        self.begin();
        Some(log)
    }

    fn folder_of(&self, server: &WebServer) -> PathBuf {
        match server.kind() {
            Kind::Host => self.folder.clone(),
            Kind::Component => self.folder.join(server.name()),
        }
    }

    /// Closes all files, so that the next lines go to what is at their paths then: for logrotate.
    pub fn reopen(&self) {
        for kept in self.all.lock().values_mut() {
            kept.sweep(&self.zone);
            kept.file.close();
        }
        for kept in self.debugs.lock().values_mut() {
            kept.sweep();
            kept.close();
        }
        self.flush();
    }

    /// Writes all lines that there are.
    pub fn flush(&self) {
        for kept in self.all.lock().values_mut() {
            kept.sweep(&self.zone);
        }
        for kept in self.debugs.lock().values_mut() {
            kept.sweep();
        }
    }

    /// Has the logs written from now on. The thread ends with them.
    fn begin(self: &Arc<Self>) {
        let mut is_written = self.is_written.lock();
        if *is_written {
            return;
        }
        let (logs, bell) = (Arc::downgrade(self), self.bell.clone());
        let write = move || write(&logs, &bell);
        let thread = std::thread::Builder::new().name("tessera-logs".to_owned());
        match thread.spawn(write) {
            Ok(_) => *is_written = true,
            Err(error) => tracing::error!(%error, "the access logs cannot be written"),
        }
    }
}

fn write(logs: &Weak<WebLogs>, bell: &Bell) {
    loop {
        bell.wait();
        match logs.upgrade() {
            Some(logs) => logs.flush(),
            None => return,
        }
    }
}

fn file_in(folder: &Path, format: AccessFormat) -> PathBuf {
    folder.join(match format {
        AccessFormat::Json => "logweb.jsonl",
        _ => "logweb.txt",
    })
}

impl Kept {
    /// Goes on with other settings. A file has one format: where that changes the one there is goes into the archive.
    fn adopt(&mut self, wanted: &settings::WebLogs, format: AccessFormat, zone: &TimeZone) {
        let is_same =
            self.settings.format == wanted.format && self.settings.fields == wanted.fields;
        self.settings = wanted.clone();
        if is_same {
            return;
        }
        self.sweep(zone);
        self.rotate(zone);
        let folder = self.file.path().parent().unwrap_or_else(|| Path::new("."));
        let path = file_in(folder, format);
        let log = Arc::new(WebLog {
            file: path.clone(),
            health: self.health.clone(),
            bell: self.log.bell.clone(),
            ..WebLog::new(
                self.log.server.clone(),
                format,
                &wanted.fields,
                zone.clone(),
            )
        });
        self.before.push(std::mem::replace(&mut self.log, log));
        self.file = LogFile::new(path, format::header(format, &wanted.fields));
    }

    /// Takes all lines that there are to the file, and the file to the archive if it is time.
    fn sweep(&mut self, zone: &TimeZone) {
        for log in self.before.iter().chain([&self.log]) {
            log.take(&mut self.backlog, &mut self.spare);
        }
        self.before.retain(|log| Arc::strong_count(log) > 1);
        let result = self.write(zone);
        self.bound();
        self.tell(result.err());
    }

    fn write(&mut self, zone: &TimeZone) -> io::Result<()> {
        if !self.backlog.is_empty() || !self.file.is_open() {
            self.file.ensure()?;
        }
        // Also without lines, and for what was written before the last start.
        self.rotate_if_due(zone);
        if !self.file.is_open() {
            self.file.ensure()?;
        }
        if !self.backlog.is_empty() {
            self.file.append(&self.backlog)?;
            self.backlog.clear();
            self.backlog.shrink_to(SHARD_BYTES_MAX);
        }
        if matches!(self.settings.rotation, Rotation::Size(_)) {
            self.rotate_if_due(zone);
        }
        Ok(())
    }

    fn rotate_if_due(&mut self, zone: &TimeZone) {
        let Some(begun) = self.file.begun() else {
            return;
        };
        let is_due = match self.settings.rotation {
            Rotation::Size(bytes) => self.file.size() >= bytes,
            rotation => {
                let begun = Timestamp::try_from(begun).unwrap_or_default();
                let due = schedule::due(rotation, begun, zone);
                due.is_some_and(|due| due <= Timestamp::now())
            }
        };
        if is_due {
            self.rotate(zone);
        }
    }

    fn rotate(&mut self, zone: &TimeZone) {
        if self.file.begun().is_none() {
            return;
        }
        let path = self.file.path().to_owned();
        let stored = archive::store(&path, zone.to_datetime(Timestamp::now()));
        self.file.close();
        let pruned = stored.and_then(|_| archive::prune(&path, self.settings.keep));
        if let Err(error) = pruned {
            let (server, path) = (&*self.log.server, path.display());
            tracing::warn!(server, %error, "the access log {path} cannot be archived");
        }
    }

    /// Gives up what there is no room for: the oldest lines stay.
    fn bound(&mut self) {
        let Some(surplus) = self.backlog.get(BACKLOG_BYTES_MAX..) else {
            return;
        };
        // The first line that is cut is lost with those behind it.
        let lines = memchr::memchr_iter(b'\n', surplus).count() as u64;
        self.health.lost.fetch_add(lines, Ordering::Relaxed);
        let kept = self.backlog.get(..BACKLOG_BYTES_MAX).unwrap_or_default();
        let end = memchr::memrchr(b'\n', kept).map_or(0, |end| end + 1);
        self.backlog.truncate(end);
    }

    /// Says once that lines cannot be written, and once that they can.
    fn tell(&mut self, error: Option<io::Error>) {
        let (server, path) = (&*self.log.server, self.file.path().display());
        let error = error.map(|error| error.to_string());
        let mut known = self.health.error.lock();
        match (&*known, &error) {
            (None, Some(error)) => tracing::error!(
                server,
                "the access log {path} cannot be written: {error}; it is tried again every second, and requests are \
                 answered meanwhile"
            ),
            (Some(_), None) => tracing::info!(server, "the access log {path} is written again"),
            _ => {}
        }
        let lost = self.health.lost.load(Ordering::Relaxed);
        // All at once, when the writer keeps up again.
        if error.is_none() && lost > self.told {
            let lines = lost - self.told;
            tracing::warn!(
                server,
                lines,
                "{lines} lines of the access log {path} were lost"
            );
            self.told = lost;
        }
        *known = error;
    }
}
