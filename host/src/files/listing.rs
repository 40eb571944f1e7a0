//! The listing of a folder: HTML for people, JSON for programs.

use std::cmp::Reverse;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY, X_CONTENT_TYPE_OPTIONS};
use ::http::{HeaderMap, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use rustix::fs::{AtFlags, Dir, FileType, OFlags, Stat, fstat, statat};
use rustix::io::Errno;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::accept;
use super::resolve;
use crate::http::{Body, Response};

/// Listings that are made at the same time.
const AT_ONCE_MAX: usize = 4;
/// Most entries of a folder that are looked at.
const ENTRIES_MAX: usize = 10_000;
/// All that a name may hold which is not itself in a URL's path.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// Names are the site's, but often enough others' to choose: nothing in them may ever run.
const NOTHING_RUNS: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
);

/// What a folder holds, folders first, by name.
#[derive(Debug)]
pub(super) struct Listing {
    entries: Vec<Entry>,
    /// Whether there are more.
    is_cut: bool,
}

#[derive(Debug)]
struct Entry {
    name: Vec<u8>,
    is_folder: bool,
    bytes: u64,
    modified: SystemTime,
}

/// The places for listings, shared by the whole process: a large folder takes a thread for a while.
#[derive(Debug)]
pub struct Listings(Semaphore);

impl Default for Listings {
    fn default() -> Self {
        Self(Semaphore::new(AT_ONCE_MAX))
    }
}

/// A folder to be listed.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    /// Relative to the root.
    folder: PathBuf,
    /// That of the URL, with a slash at its end.
    path: String,
    is_json: bool,
}

impl Folder {
    pub(super) fn new(root: &Path, folder: &Path, path: &str, headers: &HeaderMap) -> Self {
        Self {
            root: root.to_owned(),
            folder: folder.to_owned(),
            path: path.to_owned(),
            is_json: accept::prefers_json(headers),
        }
    }

    /// Lists it, on a thread that may wait for the disk. `None` if it cannot be read any more.
    pub async fn list(self, listings: &Listings) -> Option<Response> {
        let _place = listings.0.acquire().await.ok()?;
        let listed = tokio::task::spawn_blocking(move || {
            let listing = Listing::read(&self.root, &self.folder).ok()?;
            Some(match self.is_json {
                true => (JSON, listing.json()),
                false => (HTML, listing.html(&self.path)),
            })
        });
        let (content_type, body) = listed.await.ok().flatten()?;
        Some(response(content_type, body))
    }
}

fn response(content_type: HeaderValue, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, content_type);
    headers.insert(VARY, HeaderValue::from_static("Accept"));
    headers.insert(CONTENT_SECURITY_POLICY, NOTHING_RUNS);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

impl Listing {
    /// Looks at what a request could get at: files and folders, also those that links inside the root lead to; neither dot
    /// files nor links that lead out.
    fn read(root: &Path, folder: &Path) -> Result<Self, Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let mut found = Dir::new(resolve::open_below(root, folder, flags)?)?;
        let mut entries = Vec::new();
        let mut is_cut = false;
        let mut seen = 0;
        while let Some(found_one) = found.read() {
            let name = found_one?.file_name().to_bytes().to_owned();
            if name.starts_with(b".") {
                continue;
            }
            is_cut = seen == ENTRIES_MAX;
            if is_cut {
                break;
            }
            seen += 1;
            let stat = match statat(found.fd()?, &name[..], AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) if type_of(&stat) == FileType::Symlink => led_to(root, folder, &name),
                other => other,
            };
            // What cannot be looked at cannot be sent either.
            entries.extend(stat.ok().and_then(|stat| Entry::of(name, &stat)));
        }
        entries
            .sort_by(|a, b| (Reverse(a.is_folder), &a.name).cmp(&(Reverse(b.is_folder), &b.name)));
        Ok(Self { entries, is_cut })
    }

    fn html(&self, path: &str) -> String {
        let title = escaped(percent_encoding::percent_decode_str(path).collect());
        let mut page = format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title>\
             <style>:root{{color-scheme:light dark;font:1rem/1.6 system-ui,sans-serif}}\
             body{{max-width:60rem;margin:2rem auto;padding:0 1.5rem}}h1{{font-size:1.4rem;overflow-wrap:anywhere}}\
             table{{border-collapse:collapse;width:100%}}td,th{{padding:.1rem .8rem .1rem 0;text-align:left}}\
             td:first-child{{overflow-wrap:anywhere}}td:nth-child(2){{text-align:right;white-space:nowrap}}\
             td:nth-child(3){{white-space:nowrap}}</style></head>\n<body><h1>{title}</h1>\n<table>\
             <tr><th>Name</th><th>Bytes</th><th>Changed</th></tr>\n"
        );
        if path != "/" {
            page.push_str("<tr><td><a href=\"../\">..</a></td><td></td><td></td></tr>\n");
        }
        for entry in &self.entries {
            let (slash, bytes) = match entry.is_folder {
                true => ("/", String::new()),
                false => ("", entry.bytes.to_string()),
            };
            let name = escaped(entry.name.clone());
            // Writing to a text does not fail.
            let _ = writeln!(
                page,
                "<tr><td><a href=\"{}\">{name}{slash}</a></td><td>{bytes}</td><td>{}</td></tr>",
                entry.link(),
                httpdate::fmt_http_date(entry.modified)
            );
        }
        page.push_str("</table>\n");
        if self.is_cut {
            let _ = writeln!(page, "<p>There are more: only {ENTRIES_MAX} are shown.</p>");
        }
        page.push_str("</body></html>\n");
        page
    }

    fn json(&self) -> String {
        let entries: Vec<Value> = self.entries.iter().map(Entry::json).collect();
        json!({"entries": entries, "truncated": self.is_cut}).to_string()
    }
}

impl Entry {
    /// `None` if it is neither a file nor a folder.
    fn of(name: Vec<u8>, stat: &Stat) -> Option<Self> {
        let is_folder = match type_of(stat) {
            FileType::Directory => true,
            FileType::RegularFile => false,
            _ => return None,
        };
        let seconds = u64::try_from(stat.st_mtime).unwrap_or_default();
        Some(Self {
            name,
            is_folder,
            bytes: u64::try_from(stat.st_size).unwrap_or_default(),
            modified: UNIX_EPOCH + Duration::from_secs(seconds.min(LAST_SECOND)),
        })
    }

    /// Relative to the folder. Without a colon or a slash in it, it can be nothing else.
    fn link(&self) -> String {
        let name = percent_encode(&self.name, ESCAPED);
        format!("{name}{}", if self.is_folder { "/" } else { "" })
    }

    fn json(&self) -> Value {
        let kind = if self.is_folder { "folder" } else { "file" };
        json!({
            "name": String::from_utf8_lossy(&self.name),
            "url": self.link(),
            "type": kind,
            "bytes": (!self.is_folder).then_some(self.bytes),
            "modified": httpdate::fmt_http_date(self.modified),
        })
    }
}

/// The last one that HTTP can write, of the year 9999.
const LAST_SECOND: u64 = 253_402_300_799;

fn type_of(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

/// What a link leads to, if that is below the root, and no dot file either.
fn led_to(root: &Path, folder: &Path, name: &[u8]) -> Result<Stat, Errno> {
    let name = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(name);
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    fstat(resolve::open_below(root, &folder.join(name), flags)?)
}

/// Text that is no markup. What is not UTF-8, and what could make a line look like another, is shown as a mark.
fn escaped(name: Vec<u8>) -> String {
    let mut text = String::with_capacity(name.len());
    for c in String::from_utf8_lossy(&name).chars() {
        match c {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            '\'' => text.push_str("&#39;"),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => text.push('\u{fffd}'),
            c if c.is_control() => text.push('\u{fffd}'),
            c => text.push(c),
        }
    }
    text
}
