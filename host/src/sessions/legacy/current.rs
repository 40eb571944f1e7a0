//! What a component may ask of its legacy session: who it is, and its end. It has neither storage nor privileges; what a
//! component wants to keep it keeps in its variables.

use std::sync::Arc;

use ::http::HeaderValue;
use bytes::Bytes;
use tessera_engine::{
    Call, Session, SessionError, SessionExpected, SessionValue, SessionWork, Sessions,
};

use super::LegacySessions;
use crate::sessions::token::{Purpose, Token};
use crate::sessions::{expiration, iso_8601, now};

/// The session of one request.
pub(super) struct Owner {
    pub(super) sessions: Arc<LegacySessions>,
    pub(super) token: Token,
}

/// A session whose instance is at its end: it can only be told from others.
pub(super) struct Ending {
    pub(super) id: String,
}

/// The same, as one web process has it.
struct Current {
    id: String,
    /// Minutes, and when they are over; none at its end.
    lasts: Option<(u32, String)>,
    owner: Option<(Arc<LegacySessions>, Token)>,
}

impl Sessions for Owner {
    fn begin(self: Arc<Self>, _: &Call) -> Box<dyn Session> {
        let seconds = self.sessions.settings.session_timeout.as_secs();
        let minutes = u32::try_from(seconds / 60).unwrap_or(u32::MAX);
        Box::new(Current {
            id: self.token.id(Purpose::Session),
            lasts: Some((minutes, iso_8601(expiration(now(), minutes)))),
            owner: Some((self.sessions.clone(), self.token)),
        })
    }

    fn is_named_by(&self, _: &str) -> bool {
        false
    }

    fn process_count(&self, id: &str) -> u32 {
        self.sessions.process_count(id)
    }
}

impl Sessions for Ending {
    fn begin(self: Arc<Self>, _: &Call) -> Box<dyn Session> {
        Box::new(Current {
            id: self.id.clone(),
            lasts: None,
            owner: None,
        })
    }

    fn is_named_by(&self, _: &str) -> bool {
        false
    }
}

/// What legacy sessions do not have.
fn not_there<'a, T: Send + 'a>() -> SessionWork<'a, T> {
    Box::pin(std::future::ready(Err(SessionError::Legacy)))
}

impl Session for Current {
    fn is_ready(&self) -> bool {
        true
    }

    fn ready(&mut self) -> SessionWork<'_, ()> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn id(&self) -> String {
        self.id.clone()
    }

    fn user_name(&self) -> String {
        String::new()
    }

    fn privileges(&self) -> Vec<String> {
        Vec::new()
    }

    fn has_privilege(&self, _: &str) -> bool {
        false
    }

    fn idle_timeout(&self) -> u32 {
        self.lasts.as_ref().map_or(0, |(minutes, _)| *minutes)
    }

    fn expiration_date(&self) -> String {
        let lasts = self.lasts.as_ref();
        lasts.map_or_else(String::new, |(_, until)| until.clone())
    }

    fn set_privileges(&mut self, _: Vec<String>, _: Option<String>) -> SessionWork<'_, ()> {
        not_there()
    }

    fn clear_privileges(&mut self) -> SessionWork<'_, ()> {
        not_there()
    }

    fn set_home_page(&mut self, page: String) -> SessionWork<'_, ()> {
        let done = match &self.owner {
            Some((sessions, token)) => {
                if let Some(live) = sessions.home.state.lock().table.get_mut(token) {
                    live.facts.home_page = page;
                }
                Ok(())
            }
            None => Err(SessionError::Ended),
        };
        Box::pin(std::future::ready(done))
    }

    fn set_idle_timeout(&mut self, _: u32) -> SessionWork<'_, ()> {
        not_there()
    }

    fn get(&mut self, _: String) -> SessionWork<'_, Option<SessionValue>> {
        not_there()
    }

    fn set(&mut self, _: String, _: Bytes, _: SessionExpected) -> SessionWork<'_, u64> {
        not_there()
    }

    fn remove(&mut self, _: String, _: SessionExpected) -> SessionWork<'_, ()> {
        not_there()
    }

    fn keys(&mut self) -> SessionWork<'_, Vec<String>> {
        not_there()
    }

    fn create_otp(&mut self, _: Option<u32>) -> SessionWork<'_, String> {
        not_there()
    }

    fn restore(&mut self, _: String) -> SessionWork<'_, bool> {
        not_there()
    }

    fn close(&mut self) -> SessionWork<'_, ()> {
        if let Some((sessions, token)) = &self.owner {
            sessions.home.close_later(token);
        }
        Box::pin(std::future::ready(Ok(())))
    }

    fn head_is_sent(&mut self) {}

    fn take_cookie(&mut self) -> Option<HeaderValue> {
        None
    }
}
