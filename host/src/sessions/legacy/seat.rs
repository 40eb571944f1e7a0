//! A request's seat in its session: from before it waits for its turn until its web process has ended.

use std::sync::Arc;

use ::http::HeaderValue;
use tessera_engine::{Context, Generation, Sessions};
use tokio::time::Instant;

use super::current::Owner;
use super::{Home, LegacySessions};
use crate::sessions::token::Token;

/// A request's seat in its session.
pub struct Seat {
    sessions: Arc<LegacySessions>,
    token: Token,
    context: Arc<Context>,
    is_known: bool,
}

/// What the web process holds of it; the request has left its session when this is dropped.
struct Stay {
    home: Arc<Home>,
    token: Token,
    context: Arc<Context>,
}

impl Seat {
    pub(super) fn new(
        sessions: &Arc<LegacySessions>,
        token: Token,
        context: Arc<Context>,
        is_known: bool,
    ) -> Self {
        Self {
            sessions: sessions.clone(),
            token,
            context,
            is_known,
        }
    }

    /// The instance of the session.
    pub fn context(&self) -> &Arc<Context> {
        &self.context
    }

    /// What a component may ask of the session.
    pub fn sessions(&self) -> Arc<dyn Sessions> {
        let (sessions, token) = (self.sessions.clone(), self.token);
        Arc::new(Owner { sessions, token })
    }

    /// To be dropped when the web process has ended, and once only.
    pub fn stay(&self) -> Box<dyn Send + Sync> {
        Box::new(Stay {
            home: self.sessions.home.clone(),
            token: self.token,
            context: self.context.clone(),
        })
    }

    /// The cookie for the response: sent with each, so that it lasts from the last request on. A session that the
    /// component has closed has it taken away.
    pub fn cookie(&self, secured: bool) -> Option<HeaderValue> {
        let sessions = &self.sessions;
        let is_there = {
            let mut state = sessions.home.state.lock();
            let live = state.table.get_mut(&self.token);
            // One that was closed has perhaps left the table already.
            let is_closed = live.is_none_or(|live| live.is_closed);
            !is_closed || state.table.is_remembered(&self.token)
        };
        if is_there {
            let seconds = sessions.settings.session_timeout.as_secs();
            sessions.cookie.set(&self.token, seconds, secured)
        } else {
            sessions.cookie.clear(secured)
        }
    }

    /// The first request was refused, or broke the instance: no session has begun. Says whether it was so.
    pub fn discard(&self) -> bool {
        if self.is_known {
            return false;
        }
        let mut state = self.sessions.home.state.lock();
        let live = state.table.get_mut(&self.token);
        let is_it = live.is_some_and(|live| Arc::ptr_eq(&live.context, &self.context));
        let taken = is_it.then(|| state.table.forget(&self.token));
        drop(state);
        // The instance goes here, or when its web process ends.
        drop(taken);
        true
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        self.home.leave(&self.token, &self.context);
    }
}

impl Home {
    /// A request has been answered.
    fn leave(self: &Arc<Self>, token: &Token, context: &Arc<Context>) {
        let mut state = self.state.lock();
        let is_same = |kept: &Arc<Generation>| Arc::ptr_eq(kept, context.generation());
        // Another version serves by now, or none.
        let is_over = !state.generation.as_ref().is_some_and(is_same);
        let ended = state.table.leave(token, context, Instant::now(), is_over);
        drop(state);
        if let Some(live) = ended {
            drop(self.close(*token, live));
        }
    }

    /// Closes a session when its requests are answered, as its component has asked.
    pub(super) fn close_later(&self, token: &Token) {
        if let Some(live) = self.state.lock().table.get_mut(token) {
            live.is_closed = true;
        }
    }
}
