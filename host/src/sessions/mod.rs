//! Scalable sessions: what a web server remembers of its clients from one request to the next.
//!
//! A client holds a secret, the value of its cookie; the store holds the session under a hash of it. Nothing is looked
//! up before a component asks for something of the session, and nothing is written before one writes.

mod cookie;
mod home_page;
mod current;
mod legacy;
mod otp;
mod overview;
mod record;
mod renewal;
mod rights;
mod roles;
mod storage;
mod stores;
mod token;
mod vault;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use tessera_engine::{Call, Session, SessionError, Sessions};

use crate::settings;
use cookie::Cookie;
use current::Current;
use record::Record;
use renewal::Renewed;
use roles::Roles;
use token::{Purpose, Token};
use vault::Vault;

pub use cookie::cookie_name;
pub(crate) use legacy::Home as LegacyHome;
pub use legacy::{LegacySessions, NoSeat, Seat};
pub use overview::{Listed, SESSIONS_LISTED_MAX};
pub use renewal::Renewal;
pub use stores::{SessionStores, Upkeep};

/// Minutes without a request after which a session ends: the default, and the least that can be set.
const IDLE_MINUTES: u32 = 60;
/// A year: who is silent for longer is forgotten by everybody.
const IDLE_MINUTES_MAX: u32 = 525_600;
/// The parameter of a query that continues a session.
const OTP_PARAMETER: &str = "$4DSID";
/// What of it stands in a query however it is encoded, by those who encode no more than they must.
const OTP_PARAMETER_PART: &str = "4DSID=";

/// The sessions of one web server, as its settings have them.
#[derive(Debug)]
pub struct ServerSessions {
    settings: settings::Sessions,
    cookie: Cookie,
    roles: Roles,
    vault: Vault,
    renewed: Renewed,
}

/// A session as it was read last.
#[derive(Debug)]
struct Held {
    /// What was read: what a change expects to be there still.
    raw: Bytes,
    record: Record,
}

impl ServerSessions {
    /// The sessions of a web server; none where its settings have none. Those that it has already are kept if nothing
    /// changed.
    pub fn new(
        server: Arc<str>,
        settings: &settings::Sessions,
        stores: &Arc<SessionStores>,
        before: Option<&Arc<Self>>,
    ) -> Option<Arc<Self>> {
        if !settings.enabled {
            return None;
        }
        if let Some(before) = before.filter(|before| before.settings == *settings) {
            return Some(before.clone());
        }
        Some(Arc::new(Self {
            cookie: Cookie::new(&server, &settings.cookie),
            roles: Roles::new(settings.roles.clone()),
            vault: Vault::new(
                server,
                stores.clone(),
                settings.store.clone(),
                settings.bytes_max,
            ),
            renewed: Renewed::default(),
            settings: settings.clone(),
        }))
    }

    /// The session of a token, if there is one.
    async fn load(&self, token: &Token) -> Result<Option<Held>, SessionError> {
        let raw = self.vault.read(session_key(token)).await?;
        let held = raw.and_then(|raw| {
            let record = Record::decode(&raw)?;
            Some(Held { raw, record })
        });
        Ok(held)
    }

    /// Changes a session if it is still what was read, and says whether it did; none takes it away. It lives from now for
    /// its idle timeout.
    async fn swap(
        &self,
        token: &Token,
        expected: Option<&Held>,
        next: Option<&Held>,
    ) -> Result<bool, SessionError> {
        if next.is_some_and(|next| next.raw.len() as u64 > self.settings.session_bytes_max) {
            return Err(SessionError::TooLarge);
        }
        let idle = next.map_or(IDLE_MINUTES, |next| next.record.idle_timeout);
        let lifetime = minutes(idle) + renewal::SLACK;
        let expected = expected.map(|held| held.raw.clone());
        let next = next.map(|held| held.raw.clone());
        self.vault
            .swap(session_key(token), expected, next, lifetime)
            .await
    }
}

impl Held {
    fn new(record: Record) -> Self {
        Self {
            raw: record.encode(),
            record,
        }
    }
}

impl Sessions for ServerSessions {
    fn begin(self: Arc<Self>, call: &Call) -> Box<dyn Session> {
        let presented = self.cookie.find(call.headers.map());
        let otp = otp_of(&call.url);
        Box::new(Current::new(self, presented, otp, call.peer.secured))
    }

    fn is_named_by(&self, url: &str) -> bool {
        otp_of(url).is_some()
    }
}

/// The one-time token in the query of a URL.
fn otp_of(url: &str) -> Option<Token> {
    let (_, query) = url.split_once('?')?;
    if !query.contains(OTP_PARAMETER_PART) {
        return None;
    }
    let value_of = |part: &str| {
        let (name, value) = part.split_once('=')?;
        let name = percent_encoding::percent_decode_str(name)
            .decode_utf8()
            .ok()?;
        (name == OTP_PARAMETER).then(|| Token::parse(value.as_bytes()))
    };
    query.split('&').find_map(value_of)?
}

/// Where a session lies in its store.
fn session_key(token: &Token) -> String {
    key_of_id(&token.id(Purpose::Session))
}

const SESSION_PREFIX: &str = "s/";

fn key_of_id(id: &str) -> String {
    [SESSION_PREFIX, id].concat()
}

/// Where a one-time token lies.
fn otp_key(otp: &Token) -> String {
    ["o/", &otp.id(Purpose::Otp)].concat()
}

fn minutes(count: u32) -> Duration {
    Duration::from_secs(60 * u64::from(count))
}

/// Milliseconds since 1970: sessions outlive the process, and are shared by hosts.
fn now() -> u64 {
    let since = UNIX_EPOCH.elapsed().unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// When a session ends without another request after `from`.
fn expiration(from: u64, idle_minutes: u32) -> u64 {
    let idle = u64::try_from(minutes(idle_minutes).as_millis()).unwrap_or(u64::MAX);
    from.saturating_add(idle)
}

/// A time as ISO 8601 has it, in UTC with milliseconds: `2026-01-31T23:59:59.999Z`.
fn iso_8601(milliseconds: u64) -> String {
    // Beyond the year 9999 the form has no place for it.
    let milliseconds = milliseconds.min(253_402_300_799_999);
    let (days, of_day) = (milliseconds / 86_400_000, milliseconds % 86_400_000);
    // Days since the first of March of the year 0: leap days then come last. After H. Hinnant, "chrono-compatible
    // low-level date algorithms".
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let seconds = of_day / 1_000;
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:03}Z",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60,
        of_day % 1_000
    )
}
