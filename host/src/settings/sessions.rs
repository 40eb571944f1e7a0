//! The settings of scalable sessions, as the host uses them.

use std::collections::BTreeMap;

use super::grants::StoreKind;
use super::reader::Reader;
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
