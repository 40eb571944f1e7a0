//! Clients that send more than they should: what is bounded, and that nobody else suffers (RFC 9113, section 10.5).

use std::fmt::Debug;
use std::net::SocketAddr;
use std::time::Duration;

use tessera_tests::frames::frame::{
    ACK, END_HEADERS, END_STREAM, INITIAL_WINDOW_SIZE, MAX_CONCURRENT_STREAMS, PADDED, PING, WHOLE,
    continuation, data, headers, padded, ping, priority, raw, reset, settings, window_update,
};
use tessera_tests::frames::{Answer, Block, Code, End, FrameClient, PREFACE, Received};
use tessera_tests::{Server, within};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};

use super::case::{PAGE, opening, site};

const MIB: u64 = 1 << 20;
/// What a flood may add to the server's memory: buffers of its connections, and what the allocator keeps.
const ROOM: u64 = 48 * MIB;
/// Requests that may be open on one connection.
const STREAMS_MAX: u32 = 200;

fn get(stream: u32) -> Vec<u8> {
    headers(stream, WHOLE, Block::get(PAGE))
}

/// Stream identifiers of clients.
fn streams(count: u32) -> impl Iterator<Item = u32> {
    (0..count).map(|number| 2 * number + 1)
}

/// The code of the GOAWAY that ended the connection; `None` if it goes on.
async fn ended_with(client: &mut FrameClient) -> Option<Code> {
    let came = client.settle().await;
    let code = came.iter().find_map(|one| match one {
        Received::GoAway { code, .. } => Some(*code),
        _ => None,
    });
    let is_closed = came.last() == Some(&Received::Closed);
    assert_eq!(is_closed, code.is_some(), "{:?}", came.last());
    code
}

/// Whether the server answers somebody new, with little more memory than before.
async fn is_unharmed(server: &Server, before: u64, what: impl Debug) {
    let mut client = FrameClient::open(server.address).await;
    client.send(get(1)).await;
    assert_eq!(client.answer(1).await.text(), "text", "{what:?}");
    let after = server.resident_bytes();
    assert!(after < before + ROOM, "{what:?}: {before} to {after} bytes");
}

/// How a flood may end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// ENHANCE_YOUR_CALM.
    Refused,
    /// That, or the connection goes on, as the handlers keep up or not.
    Both,
}
use Outcome::{Both, Refused};

type Flood = (&'static str, Vec<u8>, Outcome);

fn floods_of_frames() -> Vec<Flood> {
    let many = |frame: Vec<u8>| frame.repeat(20_000);
    let priorities = streams(20_000).flat_map(|stream| priority(stream, 0));
    vec![
        ("PING", many(ping([1; 8])), Refused),
        (
            "PING that nobody sent",
            many(raw(PING, ACK, 0, [1; 8])),
            Refused,
        ),
        ("SETTINGS", many(settings(&[(0xff, 1)])), Refused),
        (
            "SETTINGS that change windows",
            many(settings(&[(INITIAL_WINDOW_SIZE, 1)])),
            Refused,
        ),
        ("WINDOW_UPDATE", many(window_update(0, 1)), Refused),
        ("PRIORITY", priorities.collect(), Refused),
        ("unknown frames", many(raw(0xee, 0, 3, [0; 50])), Refused),
    ]
}

fn floods_of_requests() -> Vec<Flood> {
    let body = |frame: Vec<u8>| {
        let open = headers(1, END_HEADERS, Block::post("/echo/x"));
        [open, frame.repeat(20_000)].concat()
    };
    let requests = |made: &dyn Fn(u32) -> Vec<u8>| streams(2000).flat_map(made).collect();
    let padding = data(1, PADDED, padded(255, [], 255));
    let pieces = continuation(1, 0, []).repeat(1000);
    let malformed = |stream| headers(stream, WHOLE, Block::get(PAGE).field("te", "x"));
    let taken_back = |stream| [get(stream), reset(stream, Code::CANCEL)].concat();
    let broken = |stream| [get(stream), window_update(stream, i32::MAX as u32)].concat();
    vec![
        ("empty DATA", body(data(1, 0, [])), Refused),
        ("DATA with padding alone", body(padding), Refused),
        ("DATA of a byte", body(data(1, 0, "x")), Both),
        (
            "CONTINUATION without content",
            [headers(1, 0, []), pieces].concat(),
            Refused,
        ),
        ("malformed requests", requests(&malformed), Refused),
        ("requests that break windows", requests(&broken), Refused),
        (
            "requests that are taken back",
            requests(&taken_back),
            Refused,
        ),
    ]
}

#[tokio::test]
async fn floods_are_refused() {
    let server = site().guest("echo").start().await;
    let before = server.resident_bytes();
    for (what, bytes, outcome) in [floods_of_frames(), floods_of_requests()].concat() {
        let mut client = FrameClient::open(server.address).await;
        client.send(bytes).await;
        match (ended_with(&mut client).await, outcome) {
            (None, Both) | (Some(Code::ENHANCE_YOUR_CALM), Refused | Both) => {}
            other => panic!("{what}: {other:?}\n{server:?}"),
        }
        is_unharmed(&server, before, what).await;
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_is_not_read() {
    let server = site().start().await;
    let before = server.resident_bytes();
    let requests = streams(1 << 16).flat_map(get).collect();
    for (what, bytes) in [
        ("PING", ping([1; 8]).repeat(4096)),
        ("SETTINGS", settings(&[]).repeat(4096)),
        ("requests", requests),
    ] {
        // It stays open while the others are served.
        let stuck = stuck(server.address, &bytes).await;
        assert!(stuck.is_some(), "{what}: the server takes whatever comes");
        is_unharmed(&server, before, what).await;
    }
}

/// Sends the same over and over, and reads nothing, until the server takes no more; `None` if it takes everything.
async fn stuck(address: SocketAddr, bytes: &[u8]) -> Option<TcpStream> {
    const MOST: usize = 64 << 20;
    // Small buffers, so that little is in between.
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.set_send_buffer_size(4096).unwrap();
    let stream = within("a connection", socket.connect(address)).await;
    let mut stream = stream.unwrap();
    stream.write_all(&opening([])).await.unwrap();
    let mut sent = 0;
    for chunk in bytes.chunks(1 << 16).cycle() {
        let writing = stream.write_all(chunk);
        match tokio::time::timeout(Duration::from_millis(500), writing).await {
            // A connection that was closed is as good.
            Err(_) | Ok(Err(_)) => return Some(stream),
            Ok(Ok(())) => sent += chunk.len(),
        }
        if sent > MOST {
            break;
        }
    }
    None
}

#[tokio::test]
async fn requests_beyond_the_limit_are_refused_and_may_be_sent_again() {
    // RFC 9113 5.1.2.
    let server = site().start().await;
    let settings = [(INITIAL_WINDOW_SIZE, 0), (MAX_CONCURRENT_STREAMS, 0)];
    let mut client = FrameClient::open_with(server.address, &settings).await;
    client
        .send(streams(STREAMS_MAX).flat_map(get).collect::<Vec<u8>>())
        .await;
    let first = 2 * STREAMS_MAX + 1;
    client.send([get(first), get(first + 2)].concat()).await;
    for stream in [first, first + 2] {
        let refused = Received::Reset {
            stream,
            code: Code::REFUSED_STREAM,
        };
        client.next_until(|one| *one == refused).await;
    }
    // One ends, one has room.
    client.send(window_update(1, 100)).await;
    assert_eq!(client.answer(1).await.end, End::Complete);
    client
        .send([get(first + 4), window_update(first + 4, 100)].concat())
        .await;
    assert_eq!(client.answer(first + 4).await.end, End::Complete);
}

/// A request whose fields take so many bytes, in as few frames as can be.
fn large(bytes: usize) -> Vec<u8> {
    let value = vec![b'x'; 1000];
    let count = bytes / (1 + value.len() + 32);
    let block = (0..count).fold(Block::get(PAGE), |block, _| block.field("x", &value));
    let block = Vec::from(block);
    let mut parts = block.chunks(16_384);
    let first = headers(1, END_STREAM, parts.next().unwrap());
    let rest = parts.flat_map(|part| continuation(1, 0, part));
    [first, rest.collect(), continuation(1, END_HEADERS, [])].concat()
}

/// A request with a large field of the dynamic table, many times over: each time it takes a byte.
fn repeated(count: usize) -> Vec<u8> {
    let field = Block::get(PAGE).indexing_field("x", vec![b'x'; 3000]);
    let block = (0..count).fold(field, |block, _| block.indexed(62));
    headers(1, WHOLE, block)
}

#[tokio::test]
async fn heads_are_bounded() {
    let server = site().start().await;
    let before = server.resident_bytes();
    let answered = |status| (Some(status), None);
    let refused = (None, Some(Code::ENHANCE_YOUR_CALM));
    let pieces = |count| {
        let piece = continuation(1, 0, Block::new().field("x", "y"));
        let begun = headers(1, END_STREAM, Block::get(PAGE));
        [begun, piece.repeat(count), continuation(1, END_HEADERS, [])].concat()
    };
    for (what, bytes, expected) in [
        ("60 kB", large(60_000), answered(200)),
        ("70 kB", large(70_000), answered(431)),
        ("200 kB", large(200_000), refused),
        ("60 kB from the table", repeated(20), answered(200)),
        ("70 kB from the table", repeated(23), answered(431)),
        ("300 kB from the table", repeated(100), refused),
        ("30 MB from the table", repeated(10_000), refused),
        ("5 pieces", pieces(5), answered(200)),
        ("6 pieces", pieces(6), refused),
        ("pieces without end", pieces(100_000), refused),
    ] {
        // The limits hold before the client has acknowledged them, too.
        let aware = FrameClient::open(server.address).await;
        let mut unaware = FrameClient::connect(server.address).await;
        unaware.send([PREFACE, &settings(&[])].concat()).await;
        for mut client in [aware, unaware] {
            client.send(&bytes).await;
            let is_end = |one: &Received| one.ends(1) || *one == Received::Closed;
            let came = client.next_until(is_end).await;
            let status = match Answer::of(1, &came).status() {
                0 => None,
                status => Some(status),
            };
            let code = came.iter().find_map(|one| match one {
                Received::GoAway { code, .. } => Some(*code),
                _ => None,
            });
            assert_eq!((status, code), expected, "{what}");
        }
        is_unharmed(&server, before, what).await;
    }
}
