//! The sessions of a web server as operators see them: no secret, and nothing of what is in their storage.

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
    /// Whether there are more.
    pub more: bool,
}

impl ServerSessions {
    /// Lists sessions, those of one user if one is named, in no order.
    pub async fn list(&self, user: Option<&str>) -> Result<Listed, SessionError> {
        let mut listed = Listed::default();
        let (mut from, mut looked_at) = (None, 0);
        loop {
            let page = self.vault.keys(from).await?;
            for key in page.keys {
                let Some(id) = key.strip_prefix(SESSION_PREFIX) else {
                    continue;
                };
                if listed.sessions.len() == SESSIONS_LISTED_MAX || looked_at == LOOKED_AT_MAX {
                    listed.more = true;
                    return Ok(listed);
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
            from = page.next;
            if from.is_none() {
                return Ok(listed);
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
