//! Sessions live on with each request, also those whose component asks for nothing of its session.

use std::sync::Arc;
use std::time::Duration;

use ::http::HeaderValue;
use ::http::header::{COOKIE, HeaderMap};
use bytes::Bytes;
use moka::sync::Cache;
use tessera_engine::Fields;

use super::record::Record;
use super::{Held, ServerSessions, Token, minutes, now};

/// How often the cookie of a session is sent again, and its end put off: not with every request, which would be a write
/// each.
const EVERY: Duration = Duration::from_secs(60);
/// How much longer than its idle timeout a session is kept, so that it is never too short: once for the last request
/// that did not put off the end, and once for the host that did not look.
pub(super) const SLACK: Duration = Duration::from_secs(120);
/// Sessions that are known to be renewed; beyond it one is looked up once too often.
const KNOWN_MAX: u64 = 100_000;

/// Sessions that were looked up within the last minute, on this host.
#[derive(Debug)]
pub(super) struct Renewed(Cache<Token, ()>);

impl Default for Renewed {
    fn default() -> Self {
        let known = Cache::builder().max_capacity(KNOWN_MAX).time_to_live(EVERY);
        Self(known.build())
    }
}

impl Renewed {
    pub(super) fn note(&self, token: &Token) {
        self.0.insert(*token, ());
    }

    #[cfg(test)]
    pub(super) fn forget(&self, token: &Token) {
        self.0.invalidate(token);
    }
}

/// Whether the cookie of a session is to be sent again.
pub(super) fn is_due(record: &Record) -> bool {
    let every = u64::try_from(EVERY.as_millis()).unwrap_or(u64::MAX);
    now().saturating_sub(record.renewed) >= every
}

/// A session that may have to be renewed when its request is answered.
pub struct Renewal {
    home: Arc<ServerSessions>,
    token: Token,
    secured: bool,
}

impl ServerSessions {
    /// The session of a request, unless it has none or was looked up a moment ago.
    pub fn renewal(self: &Arc<Self>, headers: &HeaderMap, secured: bool) -> Option<Renewal> {
        if !headers.contains_key(COOKIE) {
            return None;
        }
        let token = self.cookie.find(headers)?;
        if self.renewed.0.contains_key(&token) {
            return None;
        }
        Some(Renewal {
            home: self.clone(),
            token,
            secured,
        })
    }
}

impl ServerSessions {
    /// Whether the session of a request may have to be renewed, going by its fields as they were sent.
    pub fn may_be_due(self: &Arc<Self>, fields: &[u8]) -> bool {
        let has_cookie = self.may_be_named(fields);
        let read = || Fields::as_sent(Bytes::copy_from_slice(fields));
        has_cookie && self.renewal(read().map(), false).is_some()
    }
}

impl Renewal {
    /// Renews the session unless the component had it looked up; gives the cookie to be sent.
    ///
    /// A store that fails is not told: the request needed no session.
    pub async fn renew(self) -> Option<HeaderValue> {
        let Self {
            home,
            token,
            secured,
        } = self;
        if home.renewed.0.contains_key(&token) {
            return None;
        }
        let held = home.load(&token).await.ok()?;
        home.renewed.note(&token);
        let held = held.filter(|held| is_due(&held.record))?;
        let next = Held::new(Record {
            renewed: now(),
            ..held.record.clone()
        });
        if !home.swap(&token, Some(&held), Some(&next)).await.ok()? {
            return None;
        }
        let idle = minutes(next.record.idle_timeout).as_secs();
        home.cookie.set(&token, idle, secured)
    }
}
