//! What there is at a path below the root: from memory if it is known there, else from disk.

use std::fs::Metadata;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::cache::{Absent, Key, Origin, Stamp, Store};
use super::caches::Pages;
use super::media::Media;
use super::page::Page;
use super::resolve::{self, FileError, Node};
use crate::http::Coding;

/// A path relative to the root, in the two pieces that it may be made of.
#[derive(Clone, Copy)]
pub(super) struct Place<'a>([&'a [u8]; 2]);

impl<'a> Place<'a> {
    pub(super) fn file(path: &'a [u8]) -> Self {
        Self([path, b""])
    }

    /// `folder` has a slash at its end.
    pub(super) fn in_folder(folder: &'a [u8], name: &'a [u8]) -> Self {
        Self([folder, name])
    }
}

/// What there is.
pub(super) enum Looked {
    Page(Arc<Page>),
    Folder,
    Nothing,
}

impl Looked {
    fn without_page(is_folder: bool) -> Self {
        match is_folder {
            true => Self::Folder,
            false => Self::Nothing,
        }
    }
}

/// When something is looked at, and how many changes of its root are known then.
#[derive(Clone, Copy)]
struct Moment {
    now: u64,
    changes: u64,
}

impl Pages {
    /// The page at a place, if it is in memory and what is on disk.
    pub(super) fn kept(&self, place: Place<'_>) -> Result<Option<Arc<Page>>, FileError> {
        let Some(cache) = &self.cache else {
            return Ok(None);
        };
        let store = cache.load();
        let Some(page) = store.get(&self.key(place)) else {
            return Ok(None);
        };
        let is_true = self.is_true(&store, &page, place)?;
        Ok(is_true.then(|| {
            page.hit();
            page
        }))
    }

    pub(super) async fn look(&self, place: Place<'_>) -> Result<Looked, FileError> {
        if let Some(page) = self.kept(place)? {
            return Ok(Looked::Page(page));
        }
        self.look_at_disk(place).await
    }

    /// What a page is kept under.
    pub(super) fn key_of<'a>(&self, page: &'a Page) -> Key<'a> {
        self.key(Place::file(page.path()))
    }

    fn key<'a>(&self, place: Place<'a>) -> Key<'a> {
        Key {
            root: self.root.number,
            path: place.0,
            variant: None,
        }
    }

    /// Whether a page is what is on disk, which is looked at again after a while and after every change.
    fn is_true(&self, store: &Store, page: &Page, place: Place<'_>) -> Result<bool, FileError> {
        // Before the look: what changes during it counts as a change after it.
        let (now, changes) = (store.now(), self.root.changes());
        if page.is_fresh(now, changes, self.interval) {
            return Ok(true);
        }
        let path = place.0.concat();
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

    /// Whether it is known that there is no file at a place, and nothing else either.
    pub(super) fn is_known_absent(&self, place: Place<'_>) -> bool {
        let Some(cache) = &self.cache else {
            return false;
        };
        let store = cache.load();
        let at = Moment {
            now: store.now(),
            changes: self.root.changes(),
        };
        self.known_absent(&store, &self.key(place), at) == Some(false)
    }

    /// Of a path that is known to name no file, whether it names a folder.
    fn known_absent(&self, store: &Store, key: &Key<'_>, at: Moment) -> Option<bool> {
        let absent = store.absent(key)?;
        let is_fresh =
            absent.changes == at.changes && at.now.saturating_sub(absent.since) < self.interval;
        is_fresh.then_some(absent.is_folder)
    }

    /// Looks at the disk, and keeps what is there if it is to be kept.
    pub(super) async fn look_at_disk(&self, place: Place<'_>) -> Result<Looked, FileError> {
        let store = self.cache.as_ref().map(|cache| cache.load_full());
        let store = store.as_deref();
        let key = self.key(place);
        let at = Moment {
            now: store.map_or(0, Store::now),
            changes: self.root.changes(),
        };
        if let Some(is_folder) = store.and_then(|store| self.known_absent(store, &key, at)) {
            return Ok(Looked::without_page(is_folder));
        }
        let path = place.0.concat();
        let node = resolve::open(&self.root.path, &path)?;
        if let Some(Node::File(file, metadata)) = node {
            let media = Media::of(&path);
            let siblings = self.siblings(&path, media.is_compressible, &metadata)?;
            let origin = Origin::of(&metadata, siblings);
            let page = Page::streamed(path, media, file, &metadata, origin);
            let page = match store {
                _ if metadata.len() > self.object_bytes_max => {
                    self.count_read();
                    Some(Arc::new(page))
                }
                Some(store) => self.load(store, &key, page, at).await,
                None => {
                    self.count_read();
                    page.in_memory().await.map(Arc::new).ok()
                }
            };
            // What cannot be read is not there, as far as visitors are concerned.
            return Ok(page.map_or(Looked::Nothing, Looked::Page));
        }
        let is_folder = node.is_some();
        if let Some(store) = store {
            let absent = Absent {
                since: at.now,
                changes: at.changes,
                is_folder,
            };
            store.keep_absent(&key, absent);
            if !is_folder {
                self.root.look(at.changes);
            }
        }
        Ok(Looked::without_page(is_folder))
    }

    fn count_read(&self) {
        self.reads.fetch_add(1, Ordering::Relaxed);
    }

    /// Reads a page and keeps it. Whoever asks for it meanwhile waits, and has it too. `None` if it cannot be read.
    async fn load(
        &self,
        store: &Store,
        key: &Key<'_>,
        page: Page,
        at: Moment,
    ) -> Option<Arc<Page>> {
        let _turn = store.turn(key).await;
        if let Some(kept) = store.get(key)
            && (kept.is_fresh(at.now, at.changes, 1) || kept.origin.is_still(&page.origin))
        {
            kept.hit();
            return Some(kept);
        }
        self.count_read();
        let page = page.in_memory().await.ok()?;
        page.check(at.now, at.changes);
        let page = Arc::new(page);
        store.keep(key, page.clone());
        Some(page)
    }

    /// The files beside a text that hold the same in a compressed form, and are not older than it.
    fn siblings(
        &self,
        path: &[u8],
        is_text: bool,
        metadata: &Metadata,
    ) -> Result<[Option<Stamp>; 3], FileError> {
        let mut siblings = [None; 3];
        if !is_text {
            return Ok(siblings);
        }
        let original = Stamp::of(metadata);
        for (sibling, coding) in siblings.iter_mut().zip(Coding::BY_PREFERENCE) {
            let path = [path, coding.extension()].concat();
            *sibling = resolve::look(&self.root.path, &path)?
                .filter(Metadata::is_file)
                .map(|metadata| Stamp::of(&metadata))
                .filter(|stamp| !stamp.is_older_than(&original));
        }
        Ok(siblings)
    }
}
