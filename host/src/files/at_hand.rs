//! Pages that can be sent as they are, with nothing to wait for and nothing to be made.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use super::caches::Pages;
use super::conditional;
use super::look::Looked;
use super::page::Page;
use super::reply::making;
use super::variant::Choice;
use crate::http::{Accepted, PlainGet};
use crate::settings::Compression;

/// A page as it is sent.
pub struct AtHand {
    /// 200 or 304.
    pub status: u16,
    /// From the status line on; what differs from time to time is not in it, nor the end of the head.
    pub head: Bytes,
    /// The content.
    pub body: Bytes,
}

impl Pages {
    /// The response to a plain GET for a path below the mount. `None` if it takes more than what is in memory.
    pub fn at_hand(
        &self,
        path: &str,
        request: &PlainGet<'_>,
        compression: Compression,
    ) -> Option<AtHand> {
        let way = self.way(path).ok()??;
        let page = self.kept(way.place()?).ok()??;
        if page.is_semi_dynamic() {
            return None;
        }
        let page = self.final_form(page, request.codings, compression)?;
        let content = page.in_memory_bytes()?;
        if !request.held.is_nothing() && conditional::is_held(request.held, page.validators()) {
            return Some(AtHand {
                status: 304,
                head: page.unchanged_head().clone(),
                body: Bytes::new(),
            });
        }
        Some(AtHand {
            status: 200,
            head: page.whole_head().clone(),
            body: content.clone(),
        })
    }

    /// Whether it is known that there is no folder with files at all.
    pub fn is_bare(&self, now: Instant) -> bool {
        self.root.is_known_missing(self.interval, now)
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
