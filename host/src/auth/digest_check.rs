//! What `validate-digest` is asked of one request, and what came of it.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;
use tessera_engine::DigestCheck;

use super::digest::Sent;
use super::guard::Shared;
use super::keyed::Fingerprint;
use super::throttle::{Attempt, Source};

/// The credentials of one request, to be compared with the passwords that its component knows.
pub(super) struct Check {
    shared: Arc<Shared>,
    source: Source,
    account: Fingerprint,
    method: String,
    sent: Sent,
    /// Realm and target are those of the request.
    is_meant: bool,
    found: Mutex<Found>,
}

/// What was found so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Found {
    /// A right response, with a nonce that is good: its count is used up.
    pub(super) is_right: bool,
    /// A right response, with a nonce that is not good any more.
    pub(super) is_stale: bool,
    /// A wrong response.
    attempt: Option<Attempt>,
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = *self.found.lock();
        f.debug_struct("Check")
            .field("found", &found)
            .finish_non_exhaustive()
    }
}

impl Check {
    pub(super) fn new(
        shared: Arc<Shared>,
        source: Source,
        account: Fingerprint,
        method: String,
        sent: Sent,
        is_meant: bool,
    ) -> Self {
        Self {
            shared,
            source,
            account,
            method,
            sent,
            is_meant,
            found: Mutex::default(),
        }
    }

    pub(super) fn user(&self) -> &str {
        &self.sent.user
    }

    pub(super) fn found(&self) -> Found {
        *self.found.lock()
    }

    /// The request was refused. A name that the component does not even compare is an attempt, too.
    pub(super) fn refused(&self) {
        let now = Instant::now();
        let mut found = self.found.lock();
        if found.is_stale {
            return;
        }
        if found.attempt.is_none() {
            found.attempt = self.attempt(now);
        }
        if let Some(attempt) = found.attempt.take() {
            self.shared.throttle.refused(attempt, now);
        }
    }

    fn attempt(&self, now: Instant) -> Option<Attempt> {
        let parts = [self.sent.nonce.as_bytes(), self.sent.response.as_bytes()];
        let attempt = self.shared.key.of(&parts);
        let throttle = &self.shared.throttle;
        throttle
            .begin(self.source, self.account, attempt, false, now)
            .ok()
    }
}

impl DigestCheck for Check {
    fn is_made_with(&self, user: &str, password: &str) -> bool {
        if !self.is_meant || user != self.sent.user {
            return false;
        }
        let now = Instant::now();
        // Others of the same address may have failed since the request was let in.
        let is_held = self.shared.throttle.wait(self.source, now).is_some();
        let is_right = self.sent.is_made_with(&self.method, password);
        let mut found = self.found.lock();
        if !is_right || (is_held && found.attempt.is_none()) {
            if found.attempt.is_none() {
                found.attempt = self.attempt(now);
            }
            return false;
        }
        // A component may ask more than once about one request.
        if !found.is_right {
            found.is_right = self.shared.nonces.take(&self.sent.nonce, self.sent.count);
            found.is_stale = !found.is_right;
        }
        if found.is_right {
            let none = || Attempt::uncounted(self.source, self.account);
            let attempt = found.attempt.take().unwrap_or_else(none);
            self.shared.throttle.accepted(attempt);
        }
        found.is_right
    }
}
