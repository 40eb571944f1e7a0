//! The settings of sessions, scalable and legacy ones, as the host uses them.

use std::collections::BTreeMap;
use std::time::Duration;

use super::grants::StoreKind;
use super::kind::quantity::Restorable;
use super::reader::Reader;
use super::setting::Setting;
use super::table;

/// The sessions of one web server object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sessions {
    /// `scalableSession`: whether it has any.
    pub enabled: bool,
    /// `[sessions] store`: where they are kept.
    pub store: StoreKind,
    /// `[sessions] size`: the most bytes of all of them together; a Redis server has limits of its own instead.
    pub bytes_max: u64,
    /// `[sessions] session_size`: the most bytes of one.
    pub session_bytes_max: u64,
    /// `[sessions] roles`: the privileges that there are, each with those that it includes.
    pub roles: BTreeMap<String, Vec<String>>,
    /// Attributes of their cookie.
    pub cookie: SessionCookie,
}

/// The legacy sessions of one web server object, each of which keeps an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegacySessions {
    /// `inactiveProcessTimeout`: how long the instance of a silent session is kept.
    pub process_timeout: Duration,
    /// `inactiveSessionTimeout`: how long the cookie of a silent session lasts.
    pub session_timeout: Duration,
    /// `maxSessions`: the instances that are kept; at least 1.
    pub max: u32,
    /// `sessionIPAddressValidation`: whether a session is held to the address that it began from.
    pub checks_address: bool,
    /// Attributes of their cookie.
    pub cookie: SessionCookie,
}

/// Attributes of the session cookie. Nothing in them can end a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionCookie {
    /// `sessionCookieDomain` as a cookie has it, `4d.fr`; none is the host that was asked.
    pub domain: Option<String>,
    /// `sessionCookiePath`; `/` where it is empty.
    pub path: String,
    /// `sessionCookieSameSite`.
    pub same_site: &'static str,
}

impl Sessions {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            enabled: reader.value(&table::SCALABLE_SESSION),
            store: reader.value(&table::SESSION_STORE),
            bytes_max: reader.value(&table::SESSIONS_SIZE),
            session_bytes_max: reader.value(&table::SESSION_SIZE),
            roles: reader.value(&table::SESSION_ROLES),
            cookie: SessionCookie::read(reader),
        }
    }
}

impl LegacySessions {
    /// None where `keepSession` is false. What is written of them is checked all the same.
    pub(super) fn read(
        reader: &mut Reader,
        scalable: &Sessions,
        processes_max: u32,
    ) -> Option<Self> {
        let is_on = reader.value(&table::KEEP_SESSION);
        if scalable.enabled && is_on {
            let reason =
                "keepSession needs scalableSession = false: a web server has one kind of sessions";
            reader.refuse(&[&table::KEEP_SESSION, &table::SCALABLE_SESSION], reason);
        }
        let max = reader.value(&table::MAX_SESSIONS);
        if max.is_some_and(|max| max > processes_max) {
            let reason = format!(
                "maxSessions must not be above maxConcurrentProcesses, which is {processes_max}"
            );
            reader.refuse(&[&table::MAX_SESSIONS, &table::PROCESSES], reason);
        }
        let preset = table::MAX_SESSIONS.kind.default;
        if max.is_none() && processes_max < preset {
            reader.show(&table::MAX_SESSIONS, processes_max.into());
        }
        let mut timeout = |setting: &'static Setting<Restorable>| {
            let minutes = reader.value(setting).unwrap_or(setting.kind.default);
            Duration::from_secs(60 * u64::from(minutes))
        };
        let legacy = Self {
            process_timeout: timeout(&table::PROCESS_TIMEOUT),
            session_timeout: timeout(&table::SESSION_TIMEOUT),
            max: max.unwrap_or_else(|| preset.min(processes_max)).max(1),
            checks_address: reader.value(&table::SESSION_ADDRESS),
            cookie: scalable.cookie.clone(),
        };
        is_on.then_some(legacy)
    }
}

impl SessionCookie {
    fn read(reader: &mut Reader) -> Self {
        let domain: String = reader.value(&table::COOKIE_DOMAIN);
        let path: String = reader.value(&table::COOKIE_PATH);
        // The documents write "/*.4d.fr"; a cookie of a domain is for all names below it anyway.
        let domain = domain.trim_start_matches(['/', '*', '.']);
        Self {
            domain: (!domain.is_empty()).then(|| domain.to_owned()),
            path: if path.is_empty() {
                "/".to_owned()
            } else {
                path
            },
            same_site: reader.value(&table::COOKIE_SAME_SITE),
        }
    }
}
