//! The table of legacy sessions: who is found, who makes room, who is forgotten.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::room::Rooms;
use super::table::{Facts, Sought, Table, Terms};
use crate::sessions::token::Token;

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
const MINUTE: Duration = Duration::from_secs(60);

/// Instances are kept for 10 minutes, and cookies last for 30.
fn table() -> Table<u32> {
    Table::new(Terms {
        process: 10 * MINUTE,
        session: 30 * MINUTE,
        checks_address: true,
    })
}

struct Clients {
    table: Table<u32>,
    rooms: Rooms,
    now: Instant,
}

impl Clients {
    fn new() -> Self {
        Self {
            table: table(),
            rooms: Rooms::default(),
            now: Instant::now(),
        }
    }

    fn pass(&mut self, minutes: u32) {
        self.now += MINUTE * minutes;
    }

    /// A new session with its first request, which is not answered yet.
    fn begin(&mut self, context: u32) -> (Token, Arc<u32>) {
        let token = Token::new().unwrap();
        let context = self.begin_again(token, context);
        (token, context)
    }

    fn begin_again(&mut self, token: Token, context: u32) -> Arc<u32> {
        let context = Arc::new(context);
        let room = self.rooms.take(100).unwrap();
        let facts = Facts::new(HERE, 0, self.now);
        self.table.add(token, facts, context.clone(), room);
        context
    }

    fn add(&mut self, context: u32) -> Token {
        let (token, context) = self.begin(context);
        self.leave(&token, &context);
        token
    }

    fn leave(&mut self, token: &Token, context: &Arc<u32>) -> bool {
        let ended = self.table.leave(token, context, self.now, false);
        ended.is_some()
    }

    /// A request of a client, answered at once: what its session keeps.
    fn ask(&mut self, token: &Token) -> Sought<u32> {
        let sought = self.table.seek(token, HERE, self.now);
        if let Sought::Live(context) = &sought {
            self.leave(token, &context.clone());
        }
        sought
    }

    fn keeps(&mut self, token: &Token) -> Option<u32> {
        match self.ask(token) {
            Sought::Live(context) => Some(*context),
            _ => None,
        }
    }
}

#[test]
fn a_session_keeps_what_is_its_own_as_long_as_it_is_used() {
    let mut clients = Clients::new();
    let (one, two) = (clients.add(1), clients.add(2));
    for _ in 0..5 {
        clients.pass(9);
        assert_eq!(clients.keeps(&one), Some(1));
        for (token, live) in clients.table.take_expired(clients.now) {
            assert_eq!((token, *live.context), (two, 2));
        }
    }
    assert!(matches!(clients.ask(&two), Sought::Unknown));
    assert!(matches!(
        clients.ask(&Token::new().unwrap()),
        Sought::Unknown
    ));
    assert_eq!(clients.rooms.taken(), 1);
}

#[test]
fn a_session_is_known_for_longer_than_it_keeps_something() {
    let mut clients = Clients::new();
    let token = clients.add(1);
    clients.pass(10);
    assert_eq!(clients.table.take_expired(clients.now).len(), 1);
    assert!(matches!(clients.ask(&token), Sought::Remembered));
    let context = clients.begin_again(token, 7);
    clients.leave(&token, &context);
    assert_eq!(clients.keeps(&token), Some(7));
    clients.pass(10);
    drop(clients.table.take_expired(clients.now));
    clients.pass(19);
    assert!(matches!(clients.ask(&token), Sought::Remembered));
    clients.pass(1);
    assert!(matches!(clients.ask(&token), Sought::Unknown));
    assert!(
        !clients.table.is_remembered(&token),
        "it is forgotten for good"
    );
}

#[test]
fn who_was_silent_for_longest_makes_room_and_who_is_at_work_does_not() {
    let mut clients = Clients::new();
    let tokens: Vec<Token> = (0..3)
        .map(|context| {
            clients.pass(1);
            clients.add(context)
        })
        .collect();
    clients.pass(1);
    assert_eq!(clients.keeps(&tokens[0]), Some(0));
    // The next one in turn is at work.
    let Sought::Live(busy) = clients.table.seek(&tokens[1], HERE, clients.now) else {
        panic!("there it is");
    };
    let oldest = |clients: &mut Clients| clients.table.take_oldest().map(|(_, live)| *live.context);
    assert_eq!(oldest(&mut clients), Some(2));
    assert_eq!(oldest(&mut clients), Some(0));
    assert_eq!(oldest(&mut clients), None);
    clients.leave(&tokens[1], &busy);
    assert_eq!(oldest(&mut clients), Some(1));
    assert_eq!(
        clients.rooms.taken(),
        0,
        "each has given its place back with what it kept"
    );
}

#[test]
fn a_place_is_taken_until_what_was_kept_is_gone() {
    let mut clients = Clients::new();
    clients.add(1);
    let (_, live) = clients.table.take_oldest().unwrap();
    assert!(clients.rooms.take(1).is_none(), "its hook runs");
    drop(live);
    assert!(clients.rooms.take(1).is_some());
}

#[test]
fn a_session_is_held_to_its_address_if_it_is_to_be() {
    let mut clients = Clients::new();
    let (kept, remembered) = (clients.add(1), clients.add(2));
    drop(clients.table.take_those(|live| *live.context == 2));
    let elsewhere: IpAddr = "10.0.0.1".parse().unwrap();
    for token in [kept, remembered] {
        let sought = clients.table.seek(&token, elsewhere, clients.now);
        assert!(matches!(sought, Sought::OfAnother), "{sought:?}");
    }
    clients.table.terms.checks_address = false;
    let sought = clients.table.seek(&kept, elsewhere, clients.now);
    assert!(matches!(sought, Sought::Live(_)), "{sought:?}");
    let sought = clients.table.seek(&remembered, elsewhere, clients.now);
    assert!(matches!(sought, Sought::Remembered), "{sought:?}");
}

#[test]
fn a_closed_session_ends_with_the_last_of_its_requests() {
    let mut clients = Clients::new();
    let (token, context) = clients.begin(1);
    assert!(matches!(
        clients.table.seek(&token, HERE, clients.now),
        Sought::Live(_)
    ));
    clients.table.get_mut(&token).unwrap().is_closed = true;
    // Who comes now is a new client.
    assert!(matches!(clients.ask(&token), Sought::Unknown));
    assert!(!clients.leave(&token, &context));
    assert!(clients.leave(&token, &context), "that was the last one");
    assert!(!clients.table.is_remembered(&token));
}

#[test]
fn what_a_session_kept_before_does_not_end_what_it_keeps_now() {
    let mut clients = Clients::new();
    let (token, before) = clients.begin(1);
    drop(clients.table.take_those(|_| true));
    let now = clients.begin_again(token, 2);
    assert!(
        clients
            .table
            .leave(&token, &before, clients.now, true)
            .is_none()
    );
    clients.leave(&token, &now);
    assert_eq!(clients.keeps(&token), Some(2));
}

#[test]
fn as_many_are_remembered_as_may_be() {
    let mut clients = Clients::new();
    let first = clients.add(0);
    drop(clients.table.take_oldest());
    for context in 1..=10_000 {
        clients.add(context);
        drop(clients.table.take_oldest());
    }
    assert!(!clients.table.is_remembered(&first));
    assert_eq!(clients.table.all(clients.now).count(), 10_000);
}
