//! From the path of a URL to the page that answers it: from memory if it is there, else from disk.

use std::borrow::Cow;
use std::sync::Arc;

use ::http::header::LOCATION;
use ::http::{HeaderValue, StatusCode};

use super::cache::{Key, Origin, Stamp, Store};
use super::caches::Pages;
use super::media::Media;
use super::page::Page;
use super::resolve::{self, FileError, Node};
use crate::http::{Coding, Response};

/// What there is at a path.
pub enum Found {
    /// A file.
    Page(Arc<Page>),
    /// A folder with a home page, asked for without the slash at its end.
    Folder(Response),
}

/// The file that a path stands for.
struct Place<'a> {
    /// Together its path relative to the root. The second is the home page of the folder that is the first.
    parts: [Cow<'a, [u8]>; 2],
}

impl Pages {
    /// Looks for what a path stands for; `None` if there is nothing.
    ///
    /// `path` is that of the URL, still percent-encoded. A path to a folder is answered with its home page, and without
    /// the slash at its end by a redirect to the path with it.
    ///
    /// # Errors
    ///
    /// When the path is none that a URL should hold, or the system has nothing left to open a file with.
    pub async fn find(&self, path: &str, query: Option<&str>) -> Result<Option<Found>, FileError> {
        let Some(place) = self.place(path)? else {
            return Ok(None);
        };
        let key = self.key(&place);
        let Some(cache) = &self.cache else {
            return self.look(&place, path, query, None).await;
        };
        // The way of nearly all requests; nothing on it waits, or asks the system for anything.
        let store = cache.load();
        if let Some(page) = store.get(&key)
            && self.is_true(&store, &page, &place)?
        {
            page.hit();
            return Ok(Some(Found::Page(page)));
        }
        let store = Arc::clone(&store);
        Box::pin(self.look(&place, path, query, Some(&store))).await
    }

    fn place<'a>(&'a self, path: &'a str) -> Result<Option<Place<'a>>, FileError> {
        let home_page = self.home_page.as_deref().map(str::as_bytes);
        if path == "/" {
            let whole = |page| Place {
                parts: [Cow::Borrowed(page), Cow::default()],
            };
            return Ok(home_page.map(whole));
        }
        let Some(relative) = resolve::relative_path(path)? else {
            return Ok(None);
        };
        let is_folder = relative.ends_with(b"/");
        // The home page of a folder is the last part of the root's: `index.html`.
        let name = home_page.and_then(|page| page.rsplit(|byte| *byte == b'/').next());
        Ok(match (is_folder, name) {
            (false, _) => Some(Place {
                parts: [relative, Cow::default()],
            }),
            (true, Some(name)) => Some(Place {
                parts: [relative, Cow::Borrowed(name)],
            }),
            (true, None) => None,
        })
    }

    fn key<'a>(&self, place: &'a Place<'_>) -> Key<'a> {
        let [folder, name] = &place.parts;
        Key {
            root: self.root.number,
            path: [folder, name],
            variant: None,
        }
    }

    /// Whether a page is what is on disk, which is looked at again after a while and after every change.
    fn is_true(&self, store: &Store, page: &Page, place: &Place<'_>) -> Result<bool, FileError> {
        // Before the look: what changes during it counts as a change after it.
        let (now, changes) = (store.now(), self.root.changes());
        if page.is_fresh(now, changes, self.interval) {
            return Ok(true);
        }
        let path = place.parts.concat();
        let is_still = match resolve::look(&self.root.path, &path)? {
            Some(metadata) if metadata.is_file() => {
                let siblings = self.siblings(&path, page.is_compressible(), &metadata)?;
                page.origin.is_still(&Origin::of(&metadata, siblings))
            }
            _ => false,
        };
        if is_still {
            page.check(now, changes);
        } else {
            store.drop_page(&self.key(place));
        }
        Ok(is_still)
    }

    /// Looks at the disk, and keeps what is there if it is to be kept.
    async fn look(
        &self,
        place: &Place<'_>,
        url: &str,
        query: Option<&str>,
        store: Option<&Store>,
    ) -> Result<Option<Found>, FileError> {
        let key = self.key(place);
        let (now, changes) = (store.map_or(0, Store::now), self.root.changes());
        let is_absent = |store: &Store| {
            let since = store.absent_since(&key);
            since.is_some_and(|(since, then)| {
                then == changes && now.saturating_sub(since) < self.interval
            })
        };
        if store.is_some_and(is_absent) {
            return Ok(None);
        }
        let path = place.parts.concat();
        match resolve::open(&self.root.path, &path)? {
            Some(Node::File(file, metadata)) => {
                let media = Media::of(&path);
                let siblings = self.siblings(&path, media.is_compressible, &metadata)?;
                let origin = Origin::of(&metadata, siblings);
                let page = Page::streamed(path, media, file, &metadata, origin);
                let page = match store {
                    Some(store) if metadata.len() <= self.object_bytes_max => {
                        self.load(store, &key, page, (now, changes)).await
                    }
                    None if metadata.len() <= self.object_bytes_max => {
                        page.in_memory().await.map(Arc::new).ok()
                    }
                    _ => Some(Arc::new(page)),
                };
                Ok(page.map(Found::Page))
            }
            Some(Node::Folder) if place.parts[1].is_empty() => self.folder(&path, url, query),
            _ => {
                if let Some(store) = store {
                    store.keep_absent(&key, now, changes);
                }
                Ok(None)
            }
        }
    }

    /// Reads a page and keeps it. Whoever asks for it meanwhile waits, and has it too. `None` if it cannot be read.
    async fn load(
        &self,
        store: &Store,
        key: &Key<'_>,
        page: Page,
        (now, changes): (u64, u64),
    ) -> Option<Arc<Page>> {
        let _turn = store.turn(key).await;
        if let Some(kept) = store.get(key)
            && (kept.is_fresh(now, changes, 1) || kept.origin.is_still(&page.origin))
        {
            kept.hit();
            return Some(kept);
        }
        let page = page.in_memory().await.ok()?;
        page.check(now, changes);
        let page = Arc::new(page);
        store.keep(key, page.clone());
        Some(page)
    }

    /// The files beside a text that hold the same in a compressed form, and are not older than it.
    fn siblings(
        &self,
        path: &[u8],
        is_text: bool,
        metadata: &std::fs::Metadata,
    ) -> Result<[Option<Stamp>; 3], FileError> {
        let mut siblings = [None; 3];
        if !is_text {
            return Ok(siblings);
        }
        let original = Stamp::of(metadata);
        for (sibling, coding) in siblings.iter_mut().zip(Coding::BY_PREFERENCE) {
            let path = [path, coding.extension()].concat();
            *sibling = resolve::look(&self.root.path, &path)?
                .filter(std::fs::Metadata::is_file)
                .map(|metadata| Stamp::of(&metadata))
                .filter(|stamp| !stamp.is_older_than(&original));
        }
        Ok(siblings)
    }

    /// The redirect to a folder that has a home page.
    fn folder(
        &self,
        path: &[u8],
        url: &str,
        query: Option<&str>,
    ) -> Result<Option<Found>, FileError> {
        let home_page = self.home_page.as_deref().map(str::as_bytes);
        let Some(name) = home_page.and_then(|page| page.rsplit(|byte| *byte == b'/').next()) else {
            return Ok(None);
        };
        let path = [path, b"/", name].concat();
        let metadata = resolve::look(&self.root.path, &path)?;
        let has_page = metadata.is_some_and(|metadata| metadata.is_file());
        let redirect = has_page.then(|| redirect_to_folder(url, query)).flatten();
        Ok(redirect.map(Found::Folder))
    }
}

/// To the same path with a slash. Relative, so that it holds behind a mount, and cannot lead to another host.
fn redirect_to_folder(path: &str, query: Option<&str>) -> Option<Response> {
    let last = path.rsplit('/').next()?;
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    let location = format!("./{last}/{query}");
    let mut response = Response::default();
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    let location = HeaderValue::try_from(location).ok()?;
    response.headers_mut().insert(LOCATION, location);
    Some(response)
}
