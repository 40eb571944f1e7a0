//! `GET /api/v1/servers/{name}/log`: the end of a log file of a web server, and what was added since.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use hyper::Uri;
use serde_json::{Value, json};

use super::problem::Problem;
use super::query;
use super::route::Action;
use crate::server::{Kind, WebServer};

/// Most bytes that one answer tells of.
const BYTES_MAX: u64 = 256 * 1024;
/// Most lines of one answer.
pub(super) const LINES_MAX: usize = 1000;
/// Files that are named; there may be many old ones.
const FILES_MAX: usize = 50;
/// Do not follow links: logs are files of ours.
const NO_FOLLOW: i32 = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();

/// Where a reader is: the file, by its number, and the offset in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Position {
    inode: u64,
    offset: u64,
}

/// Reads what the query asks for.
pub(super) async fn tail(site: &Path, server: &WebServer, uri: &Uri) -> Result<Value, Problem> {
    let folder = site.join("Logs");
    let folder = match server.kind() {
        Kind::Host => folder,
        Kind::Component => folder.join(server.name()),
    };
    let wanted = query::text(uri, query::FILE)?;
    let after = query::text(uri, query::AFTER)?;
    let lines_max = query::limit(uri, Action::Log)?;
    let after = match after.as_deref().map(Position::parse) {
        Some(None) => {
            return Err(Problem::bad_body(
                "after in the query must be `next` of an answer",
            ));
        }
        Some(after) => after,
        None => None,
    };
    let reading = tokio::task::spawn_blocking(move || read(&folder, wanted, after, lines_max));
    let read = reading.await.map_err(|_| Problem::internal())?;
    read.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Problem::no_log(),
        _ => Problem::no_room(&format!("the log cannot be read: {error}")),
    })
}

fn read(
    folder: &Path,
    wanted: Option<String>,
    after: Option<Position>,
    lines_max: usize,
) -> io::Result<Value> {
    let files = files(folder);
    let name = match wanted {
        // One of those that there are: nobody reads anything else by this.
        Some(name) if files.contains(&name) => Some(name),
        Some(_) => return Err(io::ErrorKind::NotFound.into()),
        None => files.first().cloned(),
    };
    let Some(name) = name else {
        return Ok(json!({"file": null, "files": [], "lines": [], "next": null, "isNew": true}));
    };
    let mut options = OpenOptions::new();
    let options = options.read(true).custom_flags(NO_FOLLOW);
    let mut file = options.open(folder.join(&name))?;
    let metadata = file.metadata()?;
    let (inode, length) = (metadata.ino(), metadata.len());
    // Another file since, or the same begun anew: its end is what is of interest.
    let after = after.filter(|it| it.inode == inode && it.offset <= length);
    let (lines, offset) = match after {
        Some(after) => added(&mut file, after.offset, length, lines_max)?,
        None => last(&mut file, length, lines_max)?,
    };
    let next = Position { inode, offset };
    Ok(json!({
        "file": name,
        "files": files,
        "lines": lines,
        "next": next.to_text(),
        "isNew": after.is_none(),
    }))
}

/// The log files of a folder, the one that was written to last first.
fn files(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let entries = entries.filter_map(Result::ok);
    let mut files: Vec<(SystemTime, String)> = entries.filter_map(|entry| of_log(&entry)).collect();
    files.sort_unstable_by(|one, other| other.cmp(one));
    files.truncate(FILES_MAX);
    files.into_iter().map(|(_, name)| name).collect()
}

fn of_log(entry: &fs::DirEntry) -> Option<(SystemTime, String)> {
    let metadata = entry.metadata().ok().filter(fs::Metadata::is_file)?;
    let name = entry.file_name().into_string().ok()?;
    let extension = PathBuf::from(&name);
    let extension = extension.extension()?.to_str()?;
    let is_log = matches!(extension, "txt" | "jsonl" | "log") && !name.starts_with('.');
    is_log.then_some((metadata.modified().ok()?, name))
}

/// The last lines; one that is being written waits for its end.
fn last(file: &mut File, length: u64, lines_max: usize) -> io::Result<(Vec<String>, u64)> {
    let from = length.saturating_sub(BYTES_MAX);
    let bytes = piece(file, from, length)?;
    let whole = whole_lines(&bytes);
    let mut lines = lines(whole);
    if from > 0 && !lines.is_empty() {
        // Its beginning was cut off.
        lines.remove(0);
    }
    let surplus = lines.len().saturating_sub(lines_max);
    Ok((lines.split_off(surplus), from + whole.len() as u64))
}

/// What was added behind an offset, as much as one answer tells of.
fn added(
    file: &mut File,
    offset: u64,
    length: u64,
    lines_max: usize,
) -> io::Result<(Vec<String>, u64)> {
    let end = length.min(offset + BYTES_MAX);
    let bytes = piece(file, offset, end)?;
    let mut whole = whole_lines(&bytes);
    if whole.is_empty() && bytes.len() as u64 == BYTES_MAX {
        // A line that is longer than an answer is told in parts.
        whole = &bytes;
    }
    let ends = whole.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    if let Some((last, _)) = ends.clone().nth(lines_max.saturating_sub(1)) {
        whole = whole.get(..=last).unwrap_or(whole);
    }
    Ok((lines(whole), offset + whole.len() as u64))
}

fn piece(file: &mut File, from: u64, to: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(to.saturating_sub(from)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn whole_lines(bytes: &[u8]) -> &[u8] {
    let end = memchr::memrchr(b'\n', bytes).map_or(0, |last| last + 1);
    bytes.get(..end).unwrap_or_default()
}

fn lines(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    text.lines().map(str::to_owned).collect()
}

impl Position {
    fn parse(text: &str) -> Option<Self> {
        let (inode, offset) = text.split_once('-')?;
        Some(Self {
            inode: inode.parse().ok()?,
            offset: offset.parse().ok()?,
        })
    }

    fn to_text(self) -> String {
        format!("{}-{}", self.inode, self.offset)
    }
}

/// The schema of [`tail`].
pub(super) fn schema() -> Value {
    let lines = json!({
        "type": "array",
        "maxItems": LINES_MAX,
        "items": {"type": "string"},
        "description": "Whole lines without their ends, as they are on disk: what is masked there is masked here.",
    });
    json!({
        "type": "object",
        "required": ["file", "files", "lines", "next", "isNew"],
        "properties": {
            "file": {"type": ["string", "null"], "description": "The file that the lines are of; null if there is none."},
            "files": {
                "type": "array",
                "maxItems": FILES_MAX,
                "items": {"type": "string"},
                "description": "The log files of the web server, the one that was written to last first.",
            },
            "lines": lines,
            "next": {"type": ["string", "null"], "description": "For `after`: what is added from now on."},
            "isNew": {
                "type": "boolean",
                "description": "Whether the lines are the end of a file, and not what was added behind `after`.",
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn ask(folder: &Path, file: Option<&str>, after: &Value, max: usize) -> io::Result<Value> {
        let after = after.as_str().and_then(Position::parse);
        read(folder, file.map(str::to_owned), after, max)
    }

    fn append(path: &Path, text: &str) {
        let mut file = File::options()
            .append(true)
            .create(true)
            .open(path)
            .unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    #[test]
    fn the_end_and_then_what_is_added() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logweb.txt");
        let nothing = ask(folder.path(), None, &Value::Null, 9).unwrap();
        assert_eq!(
            (&nothing["file"], &nothing["files"]),
            (&json!(null), &json!([]))
        );
        append(&path, "1\r\n2\n3\nhal");
        let first = ask(folder.path(), None, &Value::Null, 2).unwrap();
        assert_eq!(first["lines"], json!(["2", "3"]));
        assert_eq!(first["file"], "logweb.txt");
        let again = ask(folder.path(), None, &first["next"], 9).unwrap();
        assert_eq!(again["lines"], json!([]), "a line is told when it is whole");
        append(&path, "f\n5\n6\n");
        let next = ask(folder.path(), None, &again["next"], 2).unwrap();
        assert_eq!(next["lines"], json!(["half", "5"]));
        assert_eq!(next["isNew"], false);
        let next = ask(folder.path(), None, &next["next"], 2).unwrap();
        assert_eq!(next["lines"], json!(["6"]));
        // Moved into the archive, and begun anew.
        fs::rename(&path, folder.path().join("old.bin")).unwrap();
        append(&path, "7\n");
        let other = ask(folder.path(), None, &next["next"], 2).unwrap();
        assert_eq!(
            (&other["lines"], &other["isNew"]),
            (&json!(["7"]), &json!(true))
        );
        // Cut off in its place.
        fs::write(&path, "").unwrap();
        let cut = ask(folder.path(), None, &other["next"], 2).unwrap();
        assert_eq!((&cut["lines"], &cut["isNew"]), (&json!([]), &json!(true)));
    }

    #[test]
    fn nothing_but_logs_of_the_folder_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let logs = folder.path().join("Logs");
        fs::create_dir_all(logs.join("shop.txt")).unwrap();
        fs::write(folder.path().join("secret.txt"), "secret\n").unwrap();
        std::os::unix::fs::symlink(folder.path().join("secret.txt"), logs.join("link.txt"))
            .unwrap();
        fs::write(logs.join("key.pem"), "secret\n").unwrap();
        fs::write(logs.join("logweb.txt"), "line\n").unwrap();
        for name in [
            "../secret.txt",
            "link.txt",
            "shop.txt",
            "key.pem",
            "",
            ".",
            "/etc/passwd",
        ] {
            let answer = ask(&logs, Some(name), &Value::Null, 9);
            assert!(answer.is_err(), "{name}: {answer:?}");
        }
        let answer = ask(&logs, None, &Value::Null, 9).unwrap();
        assert_eq!(answer["files"], json!(["logweb.txt"]));
    }

    #[test]
    fn a_long_file_is_told_in_parts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logweb.txt");
        let line = "x".repeat(999) + "\n";
        append(&path, &line.repeat(1000));
        let end = ask(folder.path(), None, &Value::Null, LINES_MAX).unwrap();
        let told = end["lines"].as_array().unwrap();
        assert!(told.len() > 200 && told.iter().all(|it| it.as_str().unwrap().len() == 999));
        append(&path, &"y".repeat(600_000));
        let mut next = end["next"].clone();
        let mut parts = 0;
        loop {
            let answer = ask(folder.path(), None, &next, LINES_MAX).unwrap();
            parts += answer["lines"].as_array().unwrap().len();
            if answer["next"] == next {
                break;
            }
            next = answer["next"].clone();
        }
        assert_eq!(parts, 2);
    }

    #[test]
    fn a_position_is_two_numbers() {
        let position = Position {
            inode: 7,
            offset: 9,
        };
        assert_eq!(Position::parse(&position.to_text()), Some(position));
        for text in ["", "-", "1", "1-", "-1", "1-2-3", "a-b", "1--2"] {
            assert_eq!(Position::parse(text), None, "{text}");
        }
    }
}
