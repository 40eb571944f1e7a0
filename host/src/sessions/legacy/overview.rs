//! Legacy sessions as operators see them: no secret, and nothing of what their instances hold.

use std::sync::Arc;

use serde_json::json;
use tokio::time::Instant;

use super::LegacySessions;
use crate::sessions::token::Purpose;
use crate::sessions::{Listed, expiration, iso_8601, now};

impl LegacySessions {
    /// Lists at most `max` sessions in the order of their identifiers, from behind the one that a list before ended with;
    /// `None` if that is no identifier. None has a user, so that those of one are none.
    pub fn list(&self, user: Option<&str>, max: usize, after: Option<&str>) -> Option<Listed> {
        let after = after.unwrap_or_default();
        if !after.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let mut listed = Listed::default();
        if user.is_some_and(|user| !user.is_empty()) {
            return Some(listed);
        }
        let (here, clock) = (Instant::now(), now());
        let minutes = u32::try_from(self.settings.session_timeout.as_secs() / 60);
        let minutes = minutes.unwrap_or(u32::MAX);
        let state = self.home.state.lock();
        let all = state.table.all(here);
        let all = all.map(|(token, facts, kept)| (token.id(Purpose::Session), facts, kept));
        let mut all: Vec<_> = all.filter(|(id, ..)| id.as_str() > after).collect();
        all.sort_unstable_by(|(one, ..), (other, ..)| one.cmp(other));
        if all.len() > max {
            all.truncate(max);
            listed.next = all.last().map(|(id, ..)| id.clone());
        }
        for (id, facts, kept) in all {
            let silent = here.saturating_duration_since(facts.used).as_millis();
            let used = clock.saturating_sub(u64::try_from(silent).unwrap_or(u64::MAX));
            listed.sessions.push(json!({
                "id": id,
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
        Some(listed)
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
