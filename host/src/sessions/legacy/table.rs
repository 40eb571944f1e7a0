//! Which sessions there are: those that keep an instance, and those that are only remembered. Knows neither instances
//! nor clocks, so that it can be tested without.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::room::Room;
use crate::sessions::token::{Purpose, Token};

/// Most sessions that are remembered without an instance.
const REMEMBERED_MAX: usize = 10_000;

/// How long sessions last, and who may use them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    /// How long the instance of a silent session is kept.
    pub(super) process: Duration,
    /// How long a silent session is known at all.
    pub(super) session: Duration,
    /// Whether it is held to the address that it began from.
    pub(super) checks_address: bool,
}

impl Terms {
    /// Without its cookie nobody comes back to an instance.
    fn kept_for(&self) -> Duration {
        self.process.min(self.session)
    }
}

/// What is known of a session whether or not it keeps an instance.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub(super) address: IpAddr,
    /// Milliseconds since 1970.
    pub(super) created: u64,
    pub(super) used: Instant,
    pub(super) requests: u64,
    /// The page that its client gets at `/`; empty for that of everybody.
    pub(super) home_page: String,
}

impl Facts {
    pub(super) fn new(address: IpAddr, created: u64, now: Instant) -> Self {
        Self {
            address,
            created,
            used: now,
            requests: 0,
            home_page: String::new(),
        }
    }
}

/// A session that keeps a `C`.
pub(super) struct Live<C> {
    pub(super) facts: Facts,
    pub(super) context: Arc<C>,
    /// Requests of it that are being answered, or wait.
    pub(super) busy: usize,
    /// It is to end when they are answered.
    pub(super) is_closed: bool,
    /// Its place among those that may keep one.
    pub(super) room: Room,
}

/// What comes of a cookie.
#[derive(Debug)]
pub(super) enum Sought<C> {
    /// It keeps this one, which has one request more now.
    Live(Arc<C>),
    /// It is known, and keeps nothing.
    Remembered,
    /// It is another client's.
    OfAnother,
    /// There is no such session.
    Unknown,
}

/// The sessions of one web server.
pub(super) struct Table<C> {
    live: HashMap<Token, Live<C>>,
    remembered: HashMap<Token, (u64, Facts)>,
    /// The same in the order in which they came, with those that are gone again.
    order: VecDeque<(u64, Token)>,
    next: u64,
    pub(super) terms: Terms,
}

impl<C> Table<C> {
    pub(super) fn new(terms: Terms) -> Self {
        Self {
            live: HashMap::new(),
            remembered: HashMap::new(),
            order: VecDeque::new(),
            next: 0,
            terms,
        }
    }

    /// The session of a request from `address`. One that keeps something is at work from now on.
    pub(super) fn seek(&mut self, token: &Token, address: IpAddr, now: Instant) -> Sought<C> {
        let terms = self.terms;
        let is_other = |facts: &Facts| terms.checks_address && facts.address != address;
        if let Some(live) = self.live.get_mut(token) {
            let is_late = live.busy == 0 && now >= live.facts.used + terms.session;
            // What is closed, or about to be, is nobody's any more.
            if live.is_closed || is_late {
                return Sought::Unknown;
            }
            if is_other(&live.facts) {
                return Sought::OfAnother;
            }
            live.begin(now);
            return Sought::Live(live.context.clone());
        }
        match self.remembered.get(token) {
            Some((_, facts)) if now >= facts.used + terms.session => {
                self.remembered.remove(token);
                Sought::Unknown
            }
            Some((_, facts)) if is_other(facts) => Sought::OfAnother,
            Some(_) => Sought::Remembered,
            None => Sought::Unknown,
        }
    }

    /// Lets a session keep something, and begin its first request with it. One that is remembered goes on.
    pub(super) fn add(&mut self, token: Token, facts: Facts, context: Arc<C>, room: Room) {
        let now = facts.used;
        let known = self.remembered.remove(&token);
        let mut live = Live {
            facts: known.map_or(facts, |(_, facts)| facts),
            context,
            busy: 0,
            is_closed: false,
            room,
        };
        live.begin(now);
        self.live.insert(token, live);
    }

    /// A request has been answered. Gives back the session if it has ended with that.
    pub(super) fn leave(
        &mut self,
        token: &Token,
        context: &Arc<C>,
        now: Instant,
        is_over: bool,
    ) -> Option<Live<C>> {
        let live = self.live.get_mut(token)?;
        if !Arc::ptr_eq(&live.context, context) {
            return None;
        }
        live.busy = live.busy.saturating_sub(1);
        live.facts.used = now;
        if live.busy > 0 {
            return None;
        }
        match (live.is_closed, is_over) {
            (true, _) => self.live.remove(token),
            (false, true) => self.put_aside(token),
            (false, false) => None,
        }
    }

    /// Takes what the session keeps that has been silent for longest; the session stays known. None if all are at work.
    pub(super) fn take_oldest(&mut self) -> Option<(Token, Live<C>)> {
        let idle = self.live.iter().filter(|(_, live)| live.busy == 0);
        let (token, _) = idle.min_by_key(|(_, live)| live.facts.used)?;
        let token = *token;
        Some((token, self.put_aside(&token)?))
    }

    /// Takes what those keep whose time is over.
    pub(super) fn take_expired(&mut self, now: Instant) -> Vec<(Token, Live<C>)> {
        let kept_for = self.terms.kept_for();
        let is_over = |live: &Live<C>| live.busy == 0 && now >= live.facts.used + kept_for;
        self.take_those(is_over)
    }

    /// Takes what those keep for whom `is_it` holds; the sessions stay known for as long as they last.
    pub(super) fn take_those(&mut self, is_it: impl Fn(&Live<C>) -> bool) -> Vec<(Token, Live<C>)> {
        let those = self.live.iter().filter(|(_, live)| is_it(live));
        let tokens: Vec<_> = those.map(|(token, _)| *token).collect();
        let take = |token: Token| Some((token, self.put_aside(&token)?));
        tokens.into_iter().filter_map(take).collect()
    }

    /// When the next one's time is over, if nothing happens before.
    pub(super) fn next_end(&self) -> Option<Instant> {
        let used = self.live.values().map(|live| live.facts.used).min()?;
        Some(used + self.terms.kept_for())
    }

    /// Forgets a session; gives what it kept.
    pub(super) fn forget(&mut self, token: &Token) -> Option<Live<C>> {
        self.remembered.remove(token);
        self.live.remove(token)
    }

    /// Forgets all that keep nothing.
    pub(super) fn forget_remembered(&mut self) {
        self.remembered.clear();
        self.order.clear();
    }

    /// The session of an identifier, if it is known.
    pub(super) fn of_id(&self, id: &str, now: Instant) -> Option<Token> {
        let last = self.terms.session;
        let mut tokens = self.facts(now, last).map(|(token, ..)| token);
        tokens.find(|token| token.id(Purpose::Session) == id)
    }

    /// All sessions that are known: with what they keep, if they do.
    pub(super) fn all(&self, now: Instant) -> impl Iterator<Item = (Token, &Facts, Option<&C>)> {
        self.facts(now, self.terms.session)
    }

    fn facts(
        &self,
        now: Instant,
        last: Duration,
    ) -> impl Iterator<Item = (Token, &Facts, Option<&C>)> {
        let live = self.live.iter();
        let live = live.map(|(token, live)| (*token, &live.facts, Some(&*live.context)));
        let remembered = self.remembered.iter();
        let remembered = remembered.filter(move |(_, (_, facts))| now < facts.used + last);
        live.chain(remembered.map(|(token, (_, facts))| (*token, facts, None)))
    }

    pub(super) fn get_mut(&mut self, token: &Token) -> Option<&mut Live<C>> {
        self.live.get_mut(token)
    }

    /// Whether a session is known that keeps nothing.
    pub(super) fn is_remembered(&self, token: &Token) -> bool {
        self.remembered.contains_key(token)
    }

    /// The page that the client of a session gets at `/`.
    pub(super) fn home_page(&self, token: &Token) -> Option<&str> {
        let live = self.live.get(token).map(|live| &live.facts);
        let facts = live.or_else(|| Some(&self.remembered.get(token)?.1))?;
        Some(&*facts.home_page).filter(|page| !page.is_empty())
    }

    /// The session keeps nothing any more, but is known as long as its cookie lasts.
    fn put_aside(&mut self, token: &Token) -> Option<Live<C>> {
        let live = self.live.remove(token)?;
        if !live.is_closed {
            self.next += 1;
            self.order.push_back((self.next, *token));
            self.remembered
                .insert(*token, (self.next, live.facts.clone()));
            while self.order.len() > REMEMBERED_MAX {
                self.forget_first();
            }
        }
        Some(live)
    }

    fn forget_first(&mut self) {
        let Some((number, token)) = self.order.pop_front() else {
            return;
        };
        if self.remembered.get(&token).is_some_and(|it| it.0 == number) {
            self.remembered.remove(&token);
        }
    }
}

impl<C> Live<C> {
    fn begin(&mut self, now: Instant) {
        self.busy += 1;
        self.facts.used = now;
        self.facts.requests += 1;
    }
}
