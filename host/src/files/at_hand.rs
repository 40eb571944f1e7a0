//! Pages that can be sent as they are, with nothing to wait for and nothing to be made.

use std::sync::Arc;

use bytes::Bytes;

use super::caches::Pages;
use super::look::Looked;
use super::page::Page;
use super::reply::making;
use super::variant::Choice;
use crate::http::Accepted;
use crate::settings::Compression;

impl Pages {
    /// The response to a plain GET for a path: its head but for what differs from time to time, and its content. `None` if
    /// it takes more than what is in memory.
    pub fn at_hand(
        &self,
        path: &str,
        codings: Option<&str>,
        compression: Compression,
    ) -> Option<(Bytes, Bytes)> {
        let way = self.way(path).ok()??;
        let page = self.kept(way.place()?).ok()??;
        if page.is_semi_dynamic() {
            return None;
        }
        let page = self.final_form(page, codings, compression)?;
        let content = page.in_memory_bytes()?;
        Some((page.whole_head().clone(), content.clone()))
    }

    /// Whether it is known that there is no folder with files at all.
    pub fn is_bare(&self) -> bool {
        self.root.is_known_missing(self.interval)
    }

    /// Whether it is known, without a look at the disk, that nothing answers a path; `is_bare` is what was known of the
    /// folder a moment ago.
    pub fn has_nothing(&self, path: &str, is_bare: bool) -> bool {
        let Ok(way) = self.way(path) else {
            return false;
        };
        let Some(way) = way else {
            return true;
        };
        let is_absent = is_bare || way.place().is_none_or(|place| self.is_known_absent(place));
        is_absent && !self.has_more(&Looked::Nothing)
    }

    fn final_form(
        &self,
        page: Arc<Page>,
        codings: Option<&str>,
        compression: Compression,
    ) -> Option<Arc<Page>> {
        let Some(making) = making(&page, compression) else {
            let may_refuse = codings.is_some_and(|codings| codings.contains(';'));
            return (!may_refuse).then_some(page);
        };
        let accepted = codings.map(Accepted::of_text).unwrap_or_default();
        match self.chosen(&page, accepted, making)? {
            Choice::Coded(coded) => Some(coded),
            Choice::Plain if !accepted.refuses_identity => Some(page),
            Choice::Plain | Choice::OnItsWay => None,
        }
    }
}
