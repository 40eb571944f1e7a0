//! The compressed forms of a page: from a file beside it, or made once and kept.

use std::sync::Arc;

use super::cache::{Key, Store, Variant};
use super::caches::Pages;
use super::page::Page;
use super::resolve::{self, Node};
use crate::http::{Accepted, Coding, encode};

/// What is sent instead of a page.
pub(super) enum Choice {
    /// The page in another form.
    Coded(Arc<Page>),
    /// The page as it is: there is no other form that is any better.
    Plain,
    /// The page, to be compressed on its way.
    OnItsWay,
}

impl Pages {
    /// Chooses the form of a page that a client likes best. `make` is the level for one that has to be made; none if the
    /// page is not to be compressed.
    pub(super) async fn choose(
        &self,
        page: &Page,
        accepted: Accepted,
        make: Option<Option<u8>>,
    ) -> Choice {
        let Some(best) = accepted.coding else {
            return Choice::Plain;
        };
        let mut liked = Coding::BY_PREFERENCE
            .into_iter()
            .filter(|coding| accepted.likes(*coding));
        if let Some(coding) = liked.find(|coding| page.origin.has_sibling(*coding)) {
            let variant = Variant {
                coding,
                level: None,
            };
            if let Some(sibling) = self.sibling(page, variant).await {
                return Choice::Coded(sibling);
            }
        }
        let Some(level) = make else {
            return Choice::Plain;
        };
        let variant = Variant {
            coding: best,
            level,
        };
        let (Some(cache), true) = (&self.cache, page.in_memory_bytes().is_some()) else {
            return Choice::OnItsWay;
        };
        self.made(&cache.load_full(), page, variant).await
    }

    /// The form that is made of a page in memory, once for all requests.
    async fn made(&self, store: &Store, page: &Page, variant: Variant) -> Choice {
        let key = self.variant_key(page, variant);
        if let Some(choice) = kept(store, &key, page) {
            return choice;
        }
        let _turn = store.turn(&key).await;
        if let Some(choice) = kept(store, &key, page) {
            return choice;
        }
        // Nobody waits for others' work: who comes when all places are taken has the page as it is.
        let (Ok(_place), Some(bytes)) = (store.coders().try_acquire(), page.in_memory_bytes())
        else {
            return Choice::Plain;
        };
        let original = bytes.clone();
        let made = tokio::task::spawn_blocking(move || {
            let coded = encode(variant.coding, variant.level, original.clone())?;
            std::io::Result::Ok((coded.len() < original.len()).then_some(coded))
        });
        let Ok(Ok(bytes)) = made.await else {
            return Choice::Plain;
        };
        let coded = Arc::new(page.coded(variant, bytes));
        store.keep(&key, coded.clone());
        choice(coded)
    }

    /// The form that is in a file of its own.
    async fn sibling(&self, page: &Page, variant: Variant) -> Option<Arc<Page>> {
        let store = self.cache.as_ref().map(|cache| cache.load_full());
        let key = self.variant_key(page, variant);
        if let Some(store) = &store
            && let Some(Choice::Coded(sibling)) = kept(store, &key, page)
        {
            return Some(sibling);
        }
        let path = [page.path(), variant.coding.extension()].concat();
        let Ok(Some(Node::File(file, metadata))) = resolve::open(&self.root.path, &path) else {
            return None;
        };
        let sibling = page.sibling(variant, file, &metadata);
        let Some(store) = store.filter(|_| metadata.len() <= self.object_bytes_max) else {
            return Some(Arc::new(sibling));
        };
        let _turn = store.turn(&key).await;
        if let Some(Choice::Coded(sibling)) = kept(&store, &key, page) {
            return Some(sibling);
        }
        let sibling = Arc::new(sibling.in_memory().await.ok()?);
        store.keep(&key, sibling.clone());
        Some(sibling)
    }

    fn variant_key<'a>(&self, page: &'a Page, variant: Variant) -> Key<'a> {
        Key {
            root: self.root.number,
            path: [page.path(), b""],
            variant: Some(variant),
        }
    }
}

/// The form that is kept, if it was made of this version of the page.
fn kept(store: &Store, key: &Key<'_>, page: &Page) -> Option<Choice> {
    let kept = store.get(key)?;
    (kept.origin == page.origin).then(|| choice(kept))
}

fn choice(coded: Arc<Page>) -> Choice {
    if coded.is_worth_it() {
        coded.hit();
        Choice::Coded(coded)
    } else {
        Choice::Plain
    }
}
