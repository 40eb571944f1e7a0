//! What the gate of a connection and the answering of its requests tell each other.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use crate::http::Reject;

/// Most that is kept of a line that was refused.
const LINE_BYTES_MAX: usize = 1024;

/// Shared by the two sides of one connection, which one task runs.
#[derive(Debug, Default)]
pub(in crate::connection) struct Door {
    /// The request that stands for one that was refused, counted from 1, and why. There is none after it.
    refused: OnceLock<(u64, Reject)>,
    /// How that one began.
    refused_line: OnceLock<Arc<[u8]>>,
    /// Requests that came through, or were answered at once.
    begun: AtomicU64,
    /// The head that has begun is to be refused.
    is_late: AtomicBool,
    /// The last answer says that it is the last one, to a client that may not know yet.
    is_announced: AtomicBool,
}

impl Door {
    /// A request came through: gives its number, and why it is refused, if it is.
    pub(in crate::connection) fn enter(&self) -> (u64, Option<Reject>) {
        let number = self.begun.fetch_add(1, Ordering::Relaxed) + 1;
        let refused = self.refused.get().filter(|(refused, _)| *refused == number);
        (number, refused.map(|(_, reject)| *reject))
    }

    /// A request was answered at once.
    pub(super) fn pass_by(&self) {
        self.begun.fetch_add(1, Ordering::Relaxed);
    }

    /// Has the head that has begun refused. Says whether that is news.
    pub(in crate::connection) fn give_up_head(&self) -> bool {
        !self.is_late.swap(true, Ordering::Relaxed)
    }

    /// The server ends the connection by itself after this answer.
    pub(in crate::connection) fn announce_end(&self) {
        self.is_announced.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_announced(&self) -> bool {
        self.is_announced.load(Ordering::Relaxed)
    }

    pub(super) fn is_late(&self) -> bool {
        self.is_late.load(Ordering::Relaxed)
    }

    pub(super) fn refuse(&self, number: u64, reject: Reject, head: &[u8]) {
        // The first one ends the connection.
        let _ = self.refused.set((number, reject));
        let line = head.trim_ascii_start();
        let end = memchr::memchr2(b'\r', b'\n', line).unwrap_or(line.len());
        let line = line.get(..end.min(LINE_BYTES_MAX)).unwrap_or_default();
        let _ = self.refused_line.set(line.into());
    }

    /// How the request began that was refused, in its first line.
    pub(in crate::connection) fn refused_line(&self) -> Option<Arc<[u8]>> {
        self.refused_line.get().cloned()
    }

    /// The request that stands for one that was refused, and why.
    #[cfg(test)]
    pub(super) fn refused(&self) -> Option<(u64, Reject)> {
        self.refused.get().copied()
    }

    /// Requests that came through, or were answered at once.
    pub(super) fn begun(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }
}
