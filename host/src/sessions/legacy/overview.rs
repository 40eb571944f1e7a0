//! Legacy sessions as operators see them: no secret, and nothing of what their instances hold.

use std::sync::Arc;

use serde_json::json;
use tokio::time::Instant;

use super::LegacySessions;
use crate::sessions::token::Purpose;
use crate::sessions::{Listed, SESSIONS_LISTED_MAX, expiration, iso_8601, now};

impl LegacySessions {
    /// Lists sessions, in no order. None has a user, so that those of one are none.
    pub fn list(&self, user: Option<&str>) -> Listed {
        let mut listed = Listed::default();
        if user.is_some_and(|user| !user.is_empty()) {
            return listed;
        }
        let (here, clock) = (Instant::now(), now());
        let minutes = u32::try_from(self.settings.session_timeout.as_secs() / 60);
        let minutes = minutes.unwrap_or(u32::MAX);
        let state = self.home.state.lock();
        for (token, facts, kept) in state.table.all(here) {
            if listed.sessions.len() == SESSIONS_LISTED_MAX {
                listed.more = true;
                break;
            }
            let silent = here.saturating_duration_since(facts.used).as_millis();
            let used = clock.saturating_sub(u64::try_from(silent).unwrap_or(u64::MAX));
            listed.sessions.push(json!({
                "id": token.id(Purpose::Session),
                "userName": "",
                "isGuest": true,
                "privileges": [],
                "created": iso_8601(facts.created),
                "expirationDate": iso_8601(expiration(used, minutes)),
                "idleTimeout": minutes,
                "keys": 0,
                "size": kept.map_or(0, |context| context.memory_bytes()),
                "hasProcess": kept.is_some(),
                "address": facts.address.to_string(),
                "requests": facts.requests,
            }));
        }
        listed
    }

    /// Ends a session, and has its hook called; false if there is none of that identifier.
    pub fn drop_session(self: &Arc<Self>, id: &str) -> bool {
        let token = self.home.state.lock().table.of_id(id, Instant::now());
        if let Some(token) = token {
            self.home.end(&token);
        }
        token.is_some()
    }

    /// Processes of a session: one if it keeps an instance.
    pub fn process_count(&self, id: &str) -> u32 {
        let state = self.home.state.lock();
        let mut all = state.table.all(Instant::now());
        let found = all.find(|(token, ..)| token.id(Purpose::Session) == id);
        u32::from(found.is_some_and(|(.., kept)| kept.is_some()))
    }
}
