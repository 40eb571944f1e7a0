//! Legacy sessions: each keeps an instance of the component, whose variables live from one request to the next.
//!
//! A client holds a secret, the value of its cookie. A session begins with the first request that reaches the
//! component's code; its instance goes when it was silent for too long, when another needs the place, when it is closed, or
//! when another version of the component takes over. The session is known a while longer, so that its client comes back
//! under the same identifier.

mod closing;
mod current;
mod overview;
mod room;
mod seat;
mod table;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::sync::Arc;

use ::http::header::HeaderMap;
use memchr::memmem;
use parking_lot::Mutex;
use tessera_engine::{Context, Generation};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::cookie::Cookie;
use super::token::Token;
use crate::settings;
use room::{Room, Rooms};
pub use seat::Seat;
use table::{Facts, Sought, Table, Terms};

/// Why a request has no session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoSeat {
    /// Its session began from another address.
    OtherAddress,
    /// As many sessions as may keep an instance, and all of them are at work.
    Full,
}

/// The legacy sessions of one web server, as its settings have them.
pub struct LegacySessions {
    settings: settings::LegacySessions,
    cookie: Cookie,
    home: Arc<Home>,
}

/// The legacy sessions that there are, whatever the settings say now. Lives as long as the web server object.
pub struct Home {
    server: Arc<str>,
    rooms: Rooms,
    state: Mutex<State>,
    /// The terms have changed.
    changed: Notify,
    /// Has a receiver for each instance whose end is under way.
    closings: watch::Sender<()>,
}

struct State {
    table: Table<Context>,
    /// Whose instances are kept.
    generation: Option<Arc<Generation>>,
    /// Somebody looks after those whose time is over.
    is_swept: bool,
}

impl Home {
    /// Without any session.
    pub(crate) fn new(server: Arc<str>) -> Arc<Self> {
        let none = Terms {
            process: std::time::Duration::ZERO,
            session: std::time::Duration::ZERO,
            checks_address: true,
        };
        Arc::new(Self {
            server,
            rooms: Rooms::default(),
            state: Mutex::new(State {
                table: Table::new(none),
                generation: None,
                is_swept: false,
            }),
            changed: Notify::new(),
            closings: watch::Sender::new(()),
        })
    }

    /// Sessions that keep an instance, or are about to lose it.
    pub fn processes(&self) -> usize {
        self.rooms.taken()
    }
}

impl LegacySessions {
    /// The legacy sessions of a web server; none where its settings have none.
    pub fn new(home: &Arc<Home>, settings: Option<&settings::LegacySessions>) -> Option<Arc<Self>> {
        let settings = settings?.clone();
        Some(Arc::new(Self {
            cookie: Cookie::new(&home.server, &settings.cookie),
            home: home.clone(),
            settings,
        }))
    }

    /// What they have in common with those under other settings.
    pub fn home(&self) -> &Arc<Home> {
        &self.home
    }

    fn terms(&self) -> Terms {
        Terms {
            process: self.settings.process_timeout,
            session: self.settings.session_timeout,
            checks_address: self.settings.checks_address,
        }
    }

    /// Most instances that are kept, as far as the engine has places.
    fn max(&self, generation: &Generation) -> usize {
        (self.settings.max as usize).min(generation.sessions_max())
    }

    /// Says that the engine has fewer places for sessions than the settings want.
    fn warn_of_fewer(&self, generation: Option<&Arc<Generation>>) {
        let Some(max) = generation.map(|generation| self.max(generation)) else {
            return;
        };
        if max < self.settings.max as usize {
            tracing::warn!(
                server = &*self.home.server,
                "maxSessions is {}, but sessions of one component keep at most {max} instances, a quarter of [engine] \
                 max_instances; of more sessions those that were silent for longest are closed",
                self.settings.max,
            );
        }
    }

    /// Gives a request its session: that of its cookie, or a new one, for which another may have to be closed.
    pub async fn enter(
        self: &Arc<Self>,
        headers: &HeaderMap,
        client: IpAddr,
        generation: &Arc<Generation>,
    ) -> Result<Seat, NoSeat> {
        let client = client.to_canonical();
        let presented = self.cookie.find(headers);
        let max = self.max(generation);
        let mut room = None;
        loop {
            let oldest = {
                let mut state = self.home.state.lock();
                let now = Instant::now();
                let sought = match &presented {
                    Some(token) => (*token, state.table.seek(token, client, now)),
                    None => (Token::new().map_err(|_| NoSeat::Full)?, Sought::Unknown),
                };
                let (token, is_known) = match sought {
                    (token, Sought::Live(context)) => {
                        return Ok(Seat::new(self, token, context, true));
                    }
                    (_, Sought::OfAnother) => return Err(NoSeat::OtherAddress),
                    (token, Sought::Remembered) => (token, true),
                    // What a client made up never becomes the identifier of a session.
                    (_, Sought::Unknown) => (Token::new().map_err(|_| NoSeat::Full)?, false),
                };
                match room.take().or_else(|| self.home.rooms.take(max)) {
                    Some(room) => {
                        let context = Context::new(generation);
                        let facts = Facts::new(client, super::now(), now);
                        state.table.add(token, facts, context.clone(), room);
                        self.home.sweep(&mut state);
                        return Ok(Seat::new(self, token, context, is_known));
                    }
                    None => state.table.take_oldest(),
                }
            };
            let (token, live) = oldest.ok_or(NoSeat::Full)?;
            room = self.room_of(token, live, generation).await;
            if room.is_none() {
                return Err(NoSeat::Full);
            }
        }
    }

    /// Closes a session, and gives its place once its instance is gone.
    async fn room_of(
        &self,
        token: Token,
        live: table::Live<Context>,
        generation: &Generation,
    ) -> Option<Room> {
        tracing::debug!(
            server = &*self.home.server,
            "as many sessions as may keep an instance: that which was silent for longest is closed"
        );
        let closing = self.home.close(token, live);
        // It goes on being closed where nobody waits any more.
        let waiting = tokio::time::timeout(generation.queue_timeout(), closing);
        waiting.await.ok()?.ok()
    }

    /// Whether a request may be one of a session, going by its fields as they were sent.
    pub fn may_be_named(&self, fields: &[u8]) -> bool {
        memmem::find(fields, self.cookie.name().as_bytes()).is_some()
    }

    /// The page that the client of a request gets at `/`, if its session has one.
    pub fn home_page(&self, headers: &HeaderMap) -> Option<String> {
        let token = self.cookie.find(headers)?;
        let state = self.home.state.lock();
        state.table.home_page(&token).map(str::to_owned)
    }
}
