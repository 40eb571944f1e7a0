//! The diagnostic log: what the process says of itself, in files of 10 MB beside the access log.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use jiff::Timestamp;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

const NAME: &str = "TesseraDiagnosticLog_";
const EXTENSION: &str = ".txt";
/// Bytes after which the next file begins.
const FILE_BYTES_MAX: u64 = 10_000_000;
/// Lines that wait to be written; further ones are lost, and counted.
const LINES_MAX: usize = 4_096;
/// Most bytes of a line: a backtrace is long.
const LINE_BYTES_MAX: usize = 16 * 1024;
const HEADER: &str =
    "sequenceNumber\ttimestamp\tloggerID\tcomponentSignature\tmessageLevel\tmessage\n";

/// Takes events to the thread that writes them; it waits for nothing.
#[derive(Debug)]
pub struct DiagnosticLog {
    lines: SyncSender<String>,
    sequence: AtomicU64,
    lost: AtomicU64,
}

impl DiagnosticLog {
    /// Begins a file in a folder, of which the newest `keep` stay (0 for all).
    ///
    /// # Errors
    ///
    /// When the file cannot be made, or there is no thread to write it.
    pub fn begin(folder: &Path, keep: u32) -> io::Result<Self> {
        let mut files = Files::new(folder.to_owned(), keep)?;
        let (lines, waiting) = sync_channel(LINES_MAX);
        std::thread::Builder::new()
            .name("tessera-diagnostic".to_owned())
            .spawn(move || files.write_all(&waiting))?;
        Ok(Self {
            lines,
            sequence: AtomicU64::new(0),
            lost: AtomicU64::new(0),
        })
    }
}

impl<S: Subscriber> Layer<S> for DiagnosticLog {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        let mut said = Said::default();
        event.record(&mut said);
        let number = self.sequence.fetch_add(1, Ordering::Relaxed) + 1;
        let level = match *metadata.level() {
            tracing::Level::ERROR => "Error",
            tracing::Level::WARN => "Warning",
            tracing::Level::INFO => "Info",
            tracing::Level::DEBUG => "Debug",
            tracing::Level::TRACE => "Trace",
        };
        let server = match said.server.is_empty() {
            true => "-",
            false => &said.server,
        };
        let now = format!("{:.3}", Timestamp::now());
        let mut line = format!(
            "{number}\t{now}\t{}\t{server}\t{level}\t",
            metadata.target()
        );
        line.push_str(&said.message);
        line.push_str(&said.others);
        bound(&mut line);
        line.push('\n');
        match self.lines.try_send(line) {
            Ok(()) => {
                let lost = self.lost.swap(0, Ordering::Relaxed);
                if lost > 0 {
                    let _ = self.lines.try_send(format!(
                        "{number}\t{now}\ttessera_host\t-\tWarning\t{lost} lines were lost\n"
                    ));
                }
            }
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

fn bound(line: &mut String) {
    let mut end = LINE_BYTES_MAX.min(line.len());
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    line.truncate(end);
}

/// What an event says. Nothing of it ends a field or the line.
#[derive(Default)]
struct Said {
    server: String,
    message: String,
    others: String,
}

impl Said {
    fn note(&mut self, name: &str, value: &str) {
        match name {
            "message" => escape(&mut self.message, value),
            "server" => escape(&mut self.server, value),
            name => {
                let _ = write!(self.others, " {name}=");
                escape(&mut self.others, value);
            }
        }
    }
}

impl Visit for Said {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.note(field.name(), value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.note(field.name(), &format!("{value:?}"));
    }
}

fn escape(out: &mut String, value: &str) {
    for character in value.chars() {
        match character {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            other if other.is_control() => out.extend(other.escape_unicode()),
            other => out.push(other),
        }
    }
}

/// The files, of which the last is written.
struct Files {
    folder: PathBuf,
    keep: u32,
    file: File,
    size: u64,
    number: u64,
}

impl Files {
    fn new(folder: PathBuf, keep: u32) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        let last = numbers(&folder)?.into_iter().max().unwrap_or_default();
        let number = last.saturating_add(1);
        let files = Self {
            file: open(&folder, number)?,
            folder,
            keep,
            size: HEADER.len() as u64,
            number,
        };
        files.prune();
        Ok(files)
    }

    /// Until nobody says anything any more. What cannot be written is left out: the process's own log has it, too.
    fn write_all(&mut self, lines: &Receiver<String>) {
        while let Ok(line) = lines.recv() {
            if self.size >= FILE_BYTES_MAX
                && let Ok(file) = open(&self.folder, self.number + 1)
            {
                self.number += 1;
                self.file = file;
                self.size = HEADER.len() as u64;
                self.prune();
            }
            if self.file.write_all(line.as_bytes()).is_ok() {
                self.size += line.len() as u64;
            }
        }
    }

    fn prune(&self) {
        let Ok(mut numbers) = numbers(&self.folder) else {
            return;
        };
        numbers.sort_unstable();
        let surplus = match self.keep {
            0 => 0,
            keep => numbers.len().saturating_sub(keep as usize),
        };
        for number in numbers.into_iter().take(surplus) {
            let _ = fs::remove_file(path(&self.folder, number));
        }
    }
}

fn open(folder: &Path, number: u64) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o640);
    let mut file = options.open(path(folder, number))?;
    file.write_all(HEADER.as_bytes())?;
    Ok(file)
}

fn path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{NAME}{number}{EXTENSION}"))
}

fn numbers(folder: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let number = name
            .to_str()
            .and_then(|name| name.strip_prefix(NAME)?.strip_suffix(EXTENSION));
        numbers.extend(number.and_then(|number| number.parse::<u64>().ok()));
    }
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_its_size_is_followed_by_the_next_and_the_newest_stay() {
        let folder = tempfile::tempdir().unwrap();
        for _ in 0..3 {
            Files::new(folder.path().to_owned(), 0).unwrap();
        }
        let mut files = Files::new(folder.path().to_owned(), 2).unwrap();
        let (lines, waiting) = sync_channel(10);
        lines.send("first\n".to_owned()).unwrap();
        drop(lines);
        files.write_all(&waiting);
        files.size = FILE_BYTES_MAX;
        let (lines, waiting) = sync_channel(10);
        lines.send("second\n".to_owned()).unwrap();
        drop(lines);
        files.write_all(&waiting);
        let mut left = numbers(folder.path()).unwrap();
        left.sort_unstable();
        assert_eq!(left, [4, 5]);
        let text = |number| fs::read_to_string(path(folder.path(), number)).unwrap();
        assert_eq!(
            (text(4), text(5)),
            (format!("{HEADER}first\n"), format!("{HEADER}second\n"))
        );
    }

    #[test]
    fn nothing_ends_a_line_before_its_time() {
        let mut out = String::new();
        escape(&mut out, "a\nb\tc\u{1b}\r");
        assert_eq!(out, "a\\nb\\tc\\u{1b}\\u{d}");
        let mut long = "ä".repeat(LINE_BYTES_MAX);
        bound(&mut long);
        assert_eq!(long.len(), LINE_BYTES_MAX);
    }
}
