//! Pages that can be sent as they are, with nothing to wait for and nothing to be made.

use std::sync::Arc;

use bytes::Bytes;

use super::caches::Pages;
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
