//! `tessera logs`: the end of a log file of a site, and what is added to it.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::failure::Failure;
use super::{output, site};

/// Time between two looks for what was added.
const LOOK: Duration = Duration::from_millis(250);
/// Bytes of the end that are looked through for lines.
const TAIL_BYTES_MAX: u64 = 4 << 20;

/// Shows the end of a log file in `Logs/` of a site.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The folder of the site.
    #[arg(value_name = "SITE", default_value = ".")]
    site: PathBuf,
    /// Goes on with what is added, also after the file was moved away and begun anew.
    #[arg(short, long)]
    follow: bool,
    /// Lines of the end.
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 10)]
    lines: usize,
    /// The file in `Logs/`; without a name, the one that was written to last.
    #[arg(long, value_name = "NAME")]
    file: Option<String>,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let folder = site::existing(&arguments.site)?.join("Logs");
    let path = match &arguments.file {
        Some(name) => folder.join(name),
        None => newest(&folder).ok_or_else(|| {
            Failure::other(format!(
                "there is no log file in {}: see logRecording in the site's settings",
                folder.display()
            ))
        })?,
    };
    let unreadable = |error: std::io::Error| {
        Failure::other(format!("{}: cannot be read: {error}", path.display()))
    };
    let mut tail = Tail::open(&path).map_err(unreadable)?;
    let end = tail.last_lines(arguments.lines).map_err(unreadable)?;
    output::print(&shown(&end))?;
    if !arguments.follow {
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::other)?;
    runtime.block_on(async {
        loop {
            let added = tail.added().map_err(unreadable)?;
            if !added.is_empty() {
                output::print(&shown(&added))?;
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                _ = tokio::signal::ctrl_c() => return Ok(()),
            }
        }
    })
}

/// The file that was written to last.
fn newest(folder: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?.filter_map(Result::ok);
    let files = entries.filter_map(|entry| {
        let metadata = entry.metadata().ok().filter(fs::Metadata::is_file)?;
        Some((metadata.modified().ok()?, entry.path()))
    });
    files.max().map(|(_, path)| path)
}

/// Lines fit for a terminal; what clients sent stands in logs.
fn shown(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let lines = text.split_inclusive('\n').map(|line| {
        let end = if line.ends_with('\n') { "\n" } else { "" };
        // Fields of one format are parted by tabs.
        let pieces: Vec<_> = line.trim_end().split('\t').map(output::printable).collect();
        pieces.join("\t") + end
    });
    lines.collect()
}

/// A file that grows.
struct Tail {
    path: PathBuf,
    file: File,
}

impl Tail {
    fn open(path: &Path) -> std::io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            file: File::open(path)?,
        })
    }

    fn last_lines(&mut self, count: usize) -> std::io::Result<Vec<u8>> {
        let length = self.file.metadata()?.len();
        let from = length.saturating_sub(TAIL_BYTES_MAX);
        self.file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        self.file.read_to_end(&mut bytes)?;
        let end = bytes.strip_suffix(b"\n").unwrap_or(&bytes).len();
        let ends = bytes.iter().take(end).enumerate().rev();
        let mut ends = ends.filter(|(_, byte)| **byte == b'\n');
        let start = match count.checked_sub(1) {
            None => bytes.len(),
            Some(before) => ends.nth(before).map_or(0, |(index, _)| index + 1),
        };
        Ok(bytes.split_off(start))
    }

    /// What was added since it was read last. A file that was moved away is read to its end, then the one in its place.
    fn added(&mut self) -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let own = self.file.metadata()?;
        if own.len() < self.file.stream_position()? {
            self.file.seek(SeekFrom::Start(0))?;
        }
        self.file
            .by_ref()
            .take(TAIL_BYTES_MAX)
            .read_to_end(&mut bytes)?;
        let is_another =
            |there: &fs::Metadata| (there.ino(), there.dev()) != (own.ino(), own.dev());
        if bytes.is_empty() && fs::metadata(&self.path).is_ok_and(|there| is_another(&there)) {
            self.file = File::open(&self.path)?;
            self.file
                .by_ref()
                .take(TAIL_BYTES_MAX)
                .read_to_end(&mut bytes)?;
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn the_last_lines_and_then_what_is_added_also_in_a_new_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logweb.txt");
        fs::write(&path, "1\n2\n3\n").unwrap();
        let last = |count| Tail::open(&path).unwrap().last_lines(count).unwrap();
        assert_eq!(last(2), b"2\n3\n");
        assert_eq!(last(9), b"1\n2\n3\n");
        assert_eq!(last(0), b"");
        let mut tail = Tail::open(&path).unwrap();
        tail.last_lines(1).unwrap();
        assert_eq!(tail.added().unwrap(), b"");
        let mut file = File::options().append(true).open(&path).unwrap();
        file.write_all(b"4\n").unwrap();
        assert_eq!(tail.added().unwrap(), b"4\n");
        fs::rename(&path, folder.path().join("old.txt")).unwrap();
        assert_eq!(tail.added().unwrap(), b"", "nothing is in its place yet");
        fs::write(&path, "5\n").unwrap();
        file.write_all(b"late\n").unwrap();
        assert_eq!(tail.added().unwrap(), b"late\n");
        assert_eq!(tail.added().unwrap(), b"5\n");
        // Cut off in its place.
        fs::write(&path, "").unwrap();
        tail.added().unwrap();
        fs::write(&path, "6\n").unwrap();
        assert_eq!(tail.added().unwrap(), b"6\n");
    }

    #[test]
    fn a_terminal_gets_no_escapes_and_keeps_its_tabs() {
        assert_eq!(shown(b"a\tb\x1b\n\xff"), "a\tb\\u{1b}\n\u{fffd}");
    }
}
