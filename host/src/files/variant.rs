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

/// The level that a form is to be made at, if one is to be made.
pub(super) type Making = Option<Option<u8>>;

impl Pages {
    /// The form of a page that a client likes best, if it is known without making or reading anything.
    pub(super) fn chosen(&self, page: &Page, accepted: Accepted, making: Making) -> Option<Choice> {
        let Some(variant) = best(page, accepted, making) else {
            return Some(Choice::Plain);
        };
        let cache = self.cache.as_ref()?;
        kept(&cache.load(), &self.variant_key(page, variant), page)
    }

    /// Makes or reads the form of a page that a client likes best, where [`Self::chosen`] knows none.
    pub(super) async fn choose(&self, page: &Page, accepted: Accepted, making: Making) -> Choice {
        let Some(variant) = best(page, accepted, making) else {
            return Choice::Plain;
        };
        if page.origin.has_sibling(variant.coding)
            && let Some(sibling) = self.sibling(page, variant).await
        {
            return Choice::Coded(sibling);
        }
        match (&self.cache, page.in_memory_bytes()) {
            (Some(cache), Some(_)) => self.made(&cache.load_full(), page, variant).await,
            _ => Choice::OnItsWay,
        }
    }

    /// The form that is made of a page in memory, once for all requests.
    async fn made(&self, store: &Store, page: &Page, variant: Variant) -> Choice {
        let key = self.variant_key(page, variant);
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
        let path = [page.path(), variant.coding.extension()].concat();
        let Ok(Some(Node::File(file, metadata))) = resolve::open(&self.root.path, &path) else {
            return None;
        };
        let sibling = page.sibling(variant, file, &metadata);
        let Some(store) = store.filter(|_| metadata.len() <= self.object_bytes_max) else {
            return Some(Arc::new(sibling));
        };
        let key = self.variant_key(page, variant);
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

/// The form that is best for a client: one that there is a file of before one that is made.
fn best(page: &Page, accepted: Accepted, making: Making) -> Option<Variant> {
    let best = accepted.coding?;
    let mut liked = Coding::BY_PREFERENCE
        .into_iter()
        .filter(|coding| accepted.likes(*coding));
    let of_file = |coding| Variant {
        coding,
        level: None,
    };
    let file = liked.find(|coding| page.origin.has_sibling(*coding));
    let made = || {
        let level = making?;
        Some(Variant {
            coding: best,
            level,
        })
    };
    file.map(of_file).or_else(made)
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
