//! How instances come to their end: On Web Close Process, by timeout, for room, and with the version that they are of.

use std::sync::Arc;

use tessera_engine::{Context, Generation, Sessions};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::current::Ending;
use super::room::Room;
use super::table::Live;
use super::{Home, LegacySessions, State};
use crate::sessions::token::{Purpose, Token};

impl Home {
    /// Has the hook called when the session's requests are answered, and gives its place when the instance is gone.
    ///
    /// Goes on whether or not somebody waits for it.
    pub(super) fn close(self: &Arc<Self>, token: Token, live: Live<Context>) -> JoinHandle<Room> {
        let Live { context, room, .. } = live;
        let (server, closing) = (self.server.clone(), self.closings.subscribe());
        let id = token.id(Purpose::Session);
        // Where the last one who knows of an instance leaves it on a thread of its own, there is no runtime to be found.
        context.generation().clone().spawn(async move {
            let whose: Arc<dyn Sessions> = Arc::new(Ending { id: id.clone() });
            match context.close(Some(whose)).await {
                Ok(true) => tracing::debug!(server = &*server, session = id, "closed"),
                Ok(false) => {}
                Err(error) => tracing::error!(
                    server = &*server,
                    session = id,
                    "{server}, session {id}, On Web Close Process: {error}"
                ),
            }
            drop(closing);
            room
        })
    }

    /// From now on keeps instances of `generation` only, under the terms of `sessions`; none ends all. Sessions stay known,
    /// so that their clients go on under the same identifiers with new instances.
    pub(crate) fn keep_only(
        self: &Arc<Self>,
        sessions: Option<&LegacySessions>,
        generation: Option<&Arc<Generation>>,
    ) {
        let generation = sessions.and(generation);
        let mut state = self.state.lock();
        if let Some(sessions) = sessions {
            state.table.terms = sessions.terms();
            sessions.warn_of_fewer(generation);
        }
        state.generation = generation.cloned();
        let is_other = |live: &Live<Context>| {
            let of = live.context.generation();
            !generation.is_some_and(|kept| Arc::ptr_eq(kept, of))
        };
        let others = state.table.take_those(is_other);
        if sessions.is_none() {
            // Its cookies are worth nothing any more: what comes next may be of another kind.
            state.table.forget_remembered();
        }
        drop(state);
        for (token, live) in others {
            drop(self.close(token, live));
        }
        self.changed.notify_one();
    }

    /// Waits until all instances whose end has begun are gone.
    pub(crate) async fn closed(&self) {
        self.closings.closed().await;
    }

    /// Ends a session that an operator wants gone, with its instance; false if there is none.
    pub(super) fn end(self: &Arc<Self>, token: &Token) {
        let ended = self.state.lock().table.forget(token);
        if let Some(live) = ended {
            drop(self.close(*token, live));
        }
    }

    /// Has somebody look after those whose time is over, as long as there are any.
    pub(super) fn sweep(self: &Arc<Self>, state: &mut State) {
        if std::mem::replace(&mut state.is_swept, true) {
            return;
        }
        let home = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                let Some(home) = home.upgrade() else {
                    return;
                };
                let Some(next) = home.close_expired() else {
                    return;
                };
                tokio::select! {
                    () = tokio::time::sleep_until(next) => {}
                    () = home.changed.notified() => {}
                }
            }
        });
    }

    /// Closes those whose time is over; says when the next one's may be.
    fn close_expired(self: &Arc<Self>) -> Option<Instant> {
        let mut state = self.state.lock();
        let now = Instant::now();
        let expired = state.table.take_expired(now);
        let next = state.table.next_end();
        state.is_swept = next.is_some();
        drop(state);
        for (token, live) in expired {
            drop(self.close(token, live));
        }
        // One that is at work for longer than it may be silent is looked at again soon.
        next.map(|next| next.max(now + std::time::Duration::from_secs(1)))
    }
}
