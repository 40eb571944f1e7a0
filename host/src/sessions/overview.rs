//! The sessions of a web server as operators see them: no secret, and nothing of what is in their storage.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tessera_engine::SessionError;

use super::record::Record;
use super::{SESSION_PREFIX, ServerSessions, expiration, iso_8601, key_of_id, token};

/// Most sessions of one list.
pub const SESSIONS_LISTED_MAX: usize = 1_000;
/// Most sessions that are looked through for one list.
const LOOKED_AT_MAX: usize = 100_000;

/// Some sessions of a web server.
#[derive(Debug, Default)]
pub struct Listed {
    /// Each as an object.
    pub sessions: Vec<Value>,
    /// Where the next ones begin, if there are more.
    pub next: Option<String>,
}

/// A place in a list: so many keys of a page of the store are passed over, and where that page begins.
#[derive(Debug, Default, PartialEq, Eq)]
struct Cursor {
    skip: usize,
    page: Option<String>,
}

impl Cursor {
    fn text(&self) -> String {
        let page = self
            .page
            .as_ref()
            .map_or(String::new(), |page| format!(".{page}"));
        URL_SAFE_NO_PAD.encode(format!("{}{page}", self.skip))
    }

    fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let (skip, page) = match text.split_once('.') {
            Some((skip, page)) => (skip, Some(page.to_owned())),
            None => (&*text, None),
        };
        let skip = skip.parse().ok()?;
        Some(Self { skip, page })
    }
}

impl ServerSessions {
    /// Lists at most `max` sessions, those of one user if one is named, in no order; from where a list before said that the
    /// next ones begin. `None` if it did not.
    pub async fn list(
        &self,
        user: Option<&str>,
        max: usize,
        after: Option<&str>,
    ) -> Result<Option<Listed>, SessionError> {
        let mut listed = Listed::default();
        let cursor = after.map_or_else(|| Some(Cursor::default()), Cursor::parse);
        let Some(Cursor { mut skip, mut page }) = cursor else {
            return Ok(None);
        };
        let mut looked_at = 0;
        loop {
            let keys = self.vault.keys(page.clone()).await?;
            for (index, key) in keys.keys.into_iter().enumerate().skip(skip) {
                let Some(id) = key.strip_prefix(SESSION_PREFIX) else {
                    continue;
                };
                if listed.sessions.len() == max || looked_at == LOOKED_AT_MAX {
                    let cursor = Cursor { skip: index, page };
                    listed.next = Some(cursor.text());
                    return Ok(Some(listed));
                }
                looked_at += 1;
                let id = id.to_owned();
                let Some(raw) = self.vault.read(key).await? else {
                    continue;
                };
                let Some(record) = Record::decode(&raw) else {
                    continue;
                };
                if user.is_none_or(|user| user == record.user_name) {
                    listed
                        .sessions
                        .push(self.described(&id, &record, raw.len()));
                }
            }
            (skip, page) = (0, keys.next);
            if page.is_none() {
                return Ok(Some(listed));
            }
        }
    }

    /// Counts sessions, as far as 100,000; those that have ended lately may be among them. `None` as long as
    /// nobody has asked for a session since the process began, or where the store does not answer.
    pub async fn count(&self) -> Option<u64> {
        if !self.vault.is_open() {
            return None;
        }
        let (mut from, mut count) = (None, 0);
        loop {
            let page = self.vault.keys(from).await.ok()?;
            let sessions = page
                .keys
                .iter()
                .filter(|key| key.starts_with(SESSION_PREFIX));
            count += sessions.count();
            from = page.next;
            if from.is_none() || count >= LOOKED_AT_MAX {
                return u64::try_from(count).ok();
            }
        }
    }

    fn described(&self, id: &str, record: &Record, bytes: usize) -> Value {
        let privileges = self.roles.with_included(&record.privileges);
        json!({
            "id": id,
            "userName": record.user_name,
            "isGuest": privileges.is_empty(),
            "privileges": privileges,
            "created": iso_8601(record.created),
            "expirationDate": iso_8601(expiration(record.renewed, record.idle_timeout)),
            "idleTimeout": record.idle_timeout,
            "keys": record.storage.len(),
            "size": bytes,
        })
    }

    /// Ends a session; false if there is none of that identifier.
    pub async fn drop_session(&self, id: &str) -> Result<bool, SessionError> {
        if !token::is_id(id) {
            return Ok(false);
        }
        let is_there = self.vault.read(key_of_id(id)).await?.is_some();
        if is_there {
            self.vault.remove(key_of_id(id)).await?;
        }
        Ok(is_there)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_what_it_was_and_nothing_else() {
        for (skip, page) in [(0, None), (7, Some("s/a.b")), (999, Some(""))] {
            let page = page.map(str::to_owned);
            let cursor = Cursor { skip, page };
            assert_eq!(Cursor::parse(&cursor.text()), Some(cursor));
        }
        for wrong in ["", "x", "%", "LTE", "YQ", "\u{e4}", "/w"] {
            assert_eq!(Cursor::parse(wrong), None, "{wrong}");
        }
    }
}
