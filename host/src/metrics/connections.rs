//! What became of connections, of all ports together.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::tls::HandshakeError;

/// Causes of failed handshakes, as metrics call them.
const FAILURES: [&str; 5] = ["timeout", "gone", "plain_http", "no_server", "failed"];
/// Causes of ended floods, as metrics call them.
pub(crate) const FLOODS: [&str; 7] = [
    "too_many_pings",
    "too_many_settings",
    "too_many_window_updates",
    "too_many_priorities",
    "too_many_resets",
    "too_many_faults",
    "too_many_unknown_frames",
];

/// Counters of connections since the process began.
#[derive(Debug, Default)]
pub(crate) struct ConnectionCounts {
    accepted: AtomicU64,
    refused: AtomicU64,
    handshakes: AtomicU64,
    failures: [AtomicU64; FAILURES.len()],
    floods: [AtomicU64; FLOODS.len()],
}

impl ConnectionCounts {
    /// The system handed over a connection; gives its number, from 1.
    pub(crate) fn accepted(&self) -> u64 {
        self.accepted.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// It was closed at once: a proxy that said nothing sensible, or an address with too many.
    pub(crate) fn refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// A TLS handshake has succeeded.
    pub(crate) fn shook_hands(&self) {
        self.handshakes.fetch_add(1, Ordering::Relaxed);
    }

    /// A TLS handshake has failed.
    pub(crate) fn no_handshake(&self, error: &HandshakeError) {
        let index = match error {
            HandshakeError::TimedOut(_) => 0,
            HandshakeError::Gone => 1,
            HandshakeError::PlainHttp => 2,
            HandshakeError::NoServer(_) => 3,
            HandshakeError::Failed(_) => 4,
        };
        if let Some(counter) = self.failures.get(index) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A connection was ended because it was a flood; by the name of its cause.
    pub(crate) fn flood(&self, cause: &str) {
        let index = FLOODS.iter().position(|name| *name == cause);
        if let Some(counter) = index.and_then(|index| self.floods.get(index)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn all_accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    pub(super) fn all_refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Handshakes by what became of them.
    pub(super) fn handshakes(&self) -> Vec<(&'static str, u64)> {
        let good = ("ok", self.handshakes.load(Ordering::Relaxed));
        let bad = FAILURES.into_iter().zip(&self.failures);
        let bad = bad.map(|(name, counter)| (name, counter.load(Ordering::Relaxed)));
        std::iter::once(good).chain(bad).collect()
    }

    /// Floods by cause.
    pub(super) fn floods(&self) -> Vec<(&'static str, u64)> {
        let all = FLOODS.into_iter().zip(&self.floods);
        all.map(|(name, counter)| (name, counter.load(Ordering::Relaxed)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_counted_by_name_and_unknown_ones_not_at_all() {
        let counts = ConnectionCounts::default();
        counts.flood("too_many_resets");
        counts.flood("whatever");
        let floods: u64 = counts.floods().iter().map(|(_, count)| count).sum();
        assert_eq!(floods, 1);
        assert!(counts.floods().contains(&("too_many_resets", 1)));
        counts.no_handshake(&HandshakeError::PlainHttp);
        counts.shook_hands();
        let handshakes = counts.handshakes();
        assert!(handshakes.contains(&("ok", 1)) && handshakes.contains(&("plain_http", 1)));
    }
}
