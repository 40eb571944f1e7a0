//! Frames by chance: whatever comes, the server goes on, and sends nothing that it must not.

use std::net::SocketAddr;

use tessera_tests::frames::frame::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADER_TABLE_SIZE, HEADERS,
    INITIAL_WINDOW_SIZE, PING, PRIORITIZED, PRIORITY, PUSH_PROMISE, RST_STREAM, WHOLE,
    WINDOW_UPDATE, headers, ping, priority_fields, raw, reset, settings, window_update,
};
use tessera_tests::frames::{Block, Code, FrameClient, Received};

use super::case::{PAGE, site};

/// Connections, and frames on each.
const CONNECTIONS: u64 = 300;
const FRAMES: u32 = 60;
const AT_ONCE: usize = 16;
/// What they all may add to the server's memory, in bytes.
const ROOM: u64 = 48 << 20;
/// No type that RFC 9113 knows.
const UNKNOWN: u8 = 0xbe;

/// Numbers that are the same each time (xorshift).
struct Chance(u64);

impl Chance {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, most: u64) -> u64 {
        self.next() % most
    }

    fn byte(&mut self) -> u8 {
        self.next().to_be_bytes()[0]
    }

    fn bytes(&mut self, count: u64) -> Vec<u8> {
        (0..count).map(|_| self.byte()).collect()
    }

    fn number(&mut self, most: u64) -> u32 {
        u32::try_from(self.below(most)).unwrap()
    }

    /// A stream that may be right: mostly low and odd.
    fn stream(&mut self) -> u32 {
        let low = self.number(40);
        match self.below(8) {
            0 => low,
            1 => 0,
            _ => low | 1,
        }
    }

    /// A frame of any type, with any flags, on any stream.
    fn wild(&mut self) -> Vec<u8> {
        let kind = match self.below(12) {
            11 => self.byte(),
            known => known.to_be_bytes()[7],
        };
        let (mut flags, stream) = (self.byte(), self.stream());
        let length = match kind {
            RST_STREAM | WINDOW_UPDATE => 4,
            PING | GOAWAY => 8,
            DATA => self.below(2000),
            _ => self.below(64),
        };
        let payload = match kind {
            HEADERS | CONTINUATION | PUSH_PROMISE => self.block(),
            PRIORITY => priority_fields(0, 15),
            _ => self.bytes(length),
        };
        if kind == HEADERS {
            // A stream that depends on itself is a deviation of its own.
            flags &= !PRIORITIZED;
        }
        raw(kind, flags, stream, payload)
    }

    /// A frame that alone ends no connection: what comes after it is looked at too.
    fn tame(&mut self, number: u32) -> Vec<u8> {
        let new = 2 * number + 3;
        let known = 2 * self.number(u64::from(number) + 1) + 1;
        let size = self.number(100_000);
        match self.below(12) {
            0..4 => headers(new, END_HEADERS | self.byte() & END_STREAM, self.request()),
            4 => headers(new, WHOLE, Block::get(PAGE).field("te", "x")),
            5 => window_update(0, size + 1),
            6 => window_update(1, size + 1),
            7 => settings(&[(INITIAL_WINDOW_SIZE, size), (HEADER_TABLE_SIZE, size)]),
            8 => ping([self.byte(); 8]),
            9 => raw(PRIORITY, 0, known, priority_fields(0, 15)),
            10 => raw(UNKNOWN, self.byte(), known, self.bytes(9)),
            _ => reset(1, Code(size)),
        }
    }

    fn request(&mut self) -> Block {
        let paths = [PAGE, "/none", "/", "/large.txt"];
        let path = paths[usize::try_from(self.below(4)).unwrap()];
        Block::get(path).indexing_field("x-test", self.number(9).to_string())
    }

    /// A header block that can be decoded up to where it was changed.
    fn block(&mut self) -> Vec<u8> {
        let mut block = Vec::from(self.request());
        if self.below(3) == 0 {
            let at = self.below(block.len() as u64);
            block[usize::try_from(at).unwrap()] = self.byte();
        }
        block
    }
}

/// One connection by chance; whether it went on to the end.
async fn connection(address: SocketAddr, seed: u64) -> bool {
    let mut chance = Chance::new(seed);
    let mut client = FrameClient::open(address).await;
    client
        .send(headers(1, WHOLE, Block::get("/large.txt")))
        .await;
    match seed % 3 {
        0 => {
            let bytes = chance.bytes(4000);
            client.send(bytes).await;
            // The server may wait for the rest of what it takes for a frame.
            client.finish().await;
        }
        1 => {
            for _ in 0..FRAMES {
                client.send(chance.wild()).await;
            }
        }
        _ => {
            for number in 0..FRAMES {
                client.send(chance.tame(number)).await;
            }
        }
    }
    // The client finds what the server must not send.
    let came = client.settle().await;
    came.last() != Some(&Received::Closed)
}

#[tokio::test]
async fn frames_by_chance_stop_nothing() {
    let server = site().page("large.txt", "x".repeat(1 << 20)).start().await;
    let before = server.resident_bytes();
    let address = server.address;
    let mut running = tokio::task::JoinSet::new();
    let mut lasting = 0;
    for seed in 0..CONNECTIONS {
        if running.len() == AT_ONCE {
            lasting += u64::from(running.join_next().await.unwrap().unwrap());
        }
        running.spawn(connection(address, seed));
    }
    while let Some(lasts) = running.join_next().await {
        lasting += u64::from(lasts.unwrap());
    }
    assert!(lasting > CONNECTIONS / 4, "{lasting} were not closed");
    let mut client = FrameClient::open(address).await;
    client.send(headers(1, WHOLE, Block::get(PAGE))).await;
    assert_eq!(client.answer(1).await.text(), "text");
    // A check of h2 that only debug builds have, and that a handler can run into which outlives its connection.
    let log = server.log();
    let panics = log.lines().filter(|line| line.contains("panicked at"));
    let unknown = panics.filter(|line| !line.contains("proto/streams/counts.rs"));
    assert_eq!(unknown.count(), 0, "{log}");
    let after = server.resident_bytes();
    assert!(after < before + ROOM, "{before} to {after} bytes");
}
