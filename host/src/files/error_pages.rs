//! A web server's own pages for errors: `404.html`, `4xx.html` and their like at the first level of its root.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use ::http::StatusCode;
use bytes::Bytes;
use parking_lot::Mutex;

use super::cache::Stamp;
use super::resolve::{self, Node};

/// Largest page; a larger one is as if it were not there.
const PAGE_BYTES_MAX: u64 = 512 * 1024;
/// Most pages kept in memory.
const PAGES_MAX: usize = 16;
/// How long what was found is believed: whoever asks for what is not there, however often, has the disk looked at once.
const BELIEVED: Duration = Duration::from_secs(1);

/// The pages that were looked for, by their statuses; those of a range by its first digit.
#[derive(Default)]
pub struct ErrorPages {
    looked: Mutex<HashMap<u16, Looked>>,
}

/// What was found of a page.
struct Looked {
    at: Instant,
    version: Option<Stamp>,
    content: Option<Bytes>,
}

impl ErrorPages {
    /// The page for a status below the root: the one of that very status, else the one of its range.
    pub fn find(&self, root: &Path, status: StatusCode) -> Option<Bytes> {
        let code = status.as_u16();
        let mut looked = self.looked.lock();
        look(&mut looked, root, code).or_else(|| look(&mut looked, root, code / 100))
    }
}

/// Finds one page. Whoever comes meanwhile waits: it takes no longer than a look of his own would.
fn look(looked: &mut HashMap<u16, Looked>, root: &Path, key: u16) -> Option<Bytes> {
    let before = looked.get(&key);
    let now = Instant::now();
    if let Some(before) = before.filter(|before| now.duration_since(before.at) < BELIEVED) {
        return before.content.clone();
    }
    let name = match key {
        100.. => format!("{key}.html"),
        range => format!("{range}xx.html"),
    };
    let file = open(root, &name);
    let version = file.as_ref().map(|(_, metadata)| Stamp::of(metadata));
    let content = match (file, before) {
        (_, Some(before)) if before.version == version => before.content.clone(),
        (Some((file, metadata)), _) => read(&file, metadata.len(), &name),
        (None, _) => None,
    };
    if content.is_some() && looked.values().filter(|one| one.content.is_some()).count() >= PAGES_MAX
    {
        looked.clear();
    }
    let found = Looked {
        at: now,
        version,
        content: content.clone(),
    };
    looked.insert(key, found);
    content
}

fn open(root: &Path, name: &str) -> Option<(File, Metadata)> {
    match resolve::open(root, name.as_bytes()).ok()?? {
        Node::File(file, metadata) => Some((file, metadata)),
        Node::Folder => None,
    }
}

fn read(file: &File, length: u64, name: &str) -> Option<Bytes> {
    if length > PAGE_BYTES_MAX {
        tracing::warn!(
            page = name,
            length,
            "is not sent: the page of an error has at most {PAGE_BYTES_MAX} bytes"
        );
        return None;
    }
    let mut content = vec![0; usize::try_from(length).ok()?];
    file.read_exact_at(&mut content, 0).ok()?;
    Some(content.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// Lets what was found be old.
    fn forget(pages: &ErrorPages) {
        for looked in pages.looked.lock().values_mut() {
            looked.at -= BELIEVED;
        }
    }

    fn find(pages: &ErrorPages, root: &Path, status: u16) -> Option<Bytes> {
        pages.find(root, StatusCode::from_u16(status).unwrap())
    }

    #[test]
    fn the_page_of_a_status_goes_before_that_of_its_range() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::write(root.join("404.html"), "exact").unwrap();
        fs::write(root.join("4xx.html"), "range").unwrap();
        fs::create_dir(root.join("500.html")).unwrap();
        let pages = ErrorPages::default();
        for (status, expected) in [
            (404, Some("exact")),
            (403, Some("range")),
            (418, Some("range")),
            (500, None),
            (503, None),
        ] {
            let found = find(&pages, root, status);
            assert_eq!(found.as_deref(), expected.map(str::as_bytes), "{status}");
        }
    }

    #[test]
    fn a_page_is_looked_at_again_only_after_a_while() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let pages = ErrorPages::default();
        assert_eq!(find(&pages, root, 404), None);
        fs::write(root.join("404.html"), "one").unwrap();
        assert_eq!(find(&pages, root, 404), None, "not looked at");
        forget(&pages);
        assert_eq!(find(&pages, root, 404).as_deref(), Some(&b"one"[..]));
        fs::remove_file(root.join("404.html")).unwrap();
        assert_eq!(find(&pages, root, 404).as_deref(), Some(&b"one"[..]));
        forget(&pages);
        assert_eq!(find(&pages, root, 404), None);
    }

    #[test]
    fn what_is_large_or_outside_of_the_root_is_not_sent() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        fs::create_dir(&root).unwrap();
        let length = usize::try_from(PAGE_BYTES_MAX).unwrap();
        fs::write(root.join("404.html"), vec![b' '; length + 1]).unwrap();
        fs::write(root.join("403.html"), vec![b' '; length]).unwrap();
        fs::write(folder.path().join("secret"), "secret").unwrap();
        std::os::unix::fs::symlink("../secret", root.join("500.html")).unwrap();
        let pages = ErrorPages::default();
        assert_eq!(find(&pages, &root, 404), None);
        assert_eq!(
            find(&pages, &root, 403).map(|page| page.len()),
            Some(length)
        );
        assert_eq!(find(&pages, &root, 500), None);
    }

    #[test]
    fn only_so_many_pages_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let pages = ErrorPages::default();
        for status in 400..500 {
            fs::write(folder.path().join(format!("{status}.html")), "page").unwrap();
            assert!(find(&pages, folder.path(), status).is_some());
            let looked = pages.looked.lock();
            assert!(looked.len() <= PAGES_MAX, "{}", looked.len());
        }
    }
}
