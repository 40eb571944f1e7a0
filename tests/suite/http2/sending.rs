//! What the server sends: settings, acknowledgements, answers, resets and the end of a connection.
//!
//! The client of the harness checks every frame on its own: sizes, windows, order, names, streams.

use tessera_tests::frames::frame::{
    self, ACK, END_HEADERS, END_STREAM, HEADER_TABLE_SIZE, INITIAL_WINDOW_SIZE,
    MAX_CONCURRENT_STREAMS, MAX_HEADER_LIST_SIZE, PING, WHOLE, data, go_away, headers, ping, raw,
    reset, window_update,
};
use tessera_tests::frames::{Answer, Block, Code, End, FrameClient, PREFACE, Received};
use tessera_tests::{Server, Site};

use super::case::{PAGE, site};

async fn client_of(server: &Server) -> FrameClient {
    FrameClient::open(server.address).await
}

async fn ask(client: &mut FrameClient, stream: u32, block: Block) -> Answer {
    client.send(headers(stream, WHOLE, block)).await;
    client.answer(stream).await
}

#[tokio::test]
async fn the_first_frames_are_the_servers_settings_and_an_acknowledgement() {
    let server = site().start().await;
    let mut client = FrameClient::connect(server.address).await;
    client.send(PREFACE).await;
    let Received::Settings(settings) = client.next().await else {
        panic!("a server's preface is its SETTINGS");
    };
    let value = |wanted| {
        let mut found = settings.iter().filter(|(name, _)| *name == wanted);
        found.next().map(|(_, value)| *value)
    };
    assert_eq!(value(MAX_CONCURRENT_STREAMS), Some(200), "{settings:?}");
    assert_eq!(value(MAX_HEADER_LIST_SIZE), Some(64 * 1024), "{settings:?}");
    client.send(frame::settings(&[])).await;
    let is_ack = |received: &Received| *received == Received::SettingsAck;
    client.next_until(is_ack).await;
}

#[tokio::test]
async fn settings_and_pings_are_acknowledged_once_each_and_in_order() {
    let server = site().start().await;
    let mut client = client_of(&server).await;
    let mut sent = Vec::new();
    for number in 0..50_u32 {
        sent.extend(frame::settings(&[(INITIAL_WINDOW_SIZE, 70_000 + number)]));
        sent.extend(ping(u64::from(number).to_be_bytes()));
    }
    // An acknowledgement of no PING is not answered.
    sent.extend(raw(PING, ACK, 0, [9; 8]));
    client.send(sent).await;
    let mut came = client.settle().await;
    came.retain(|received| !matches!(received, Received::WindowUpdate { .. }));
    let mut expected = Vec::new();
    for number in 0..50_u64 {
        expected.extend([Received::SettingsAck, Received::Pong(number.to_be_bytes())]);
    }
    came.pop();
    assert_eq!(came, expected);
}

#[tokio::test]
async fn answers_have_what_their_method_and_status_allow() {
    let server = site().start().await;
    let mut client = client_of(&server).await;
    // Status, field of the request, length in the head, bytes.
    for (stream, method, path, status, length, bytes) in [
        (1, "GET", PAGE, 200, Some("4"), 4),
        (3, "HEAD", PAGE, 200, Some("4"), 0),
        (5, "OPTIONS", PAGE, 204, None, 0),
        (7, "HEAD", "/none", 404, None, 0),
        (9, "TRACE", PAGE, 405, None, 1),
    ] {
        let answer = ask(&mut client, stream, Block::request(method, path)).await;
        assert_eq!(answer.status(), status, "{method} {path}");
        assert_eq!(answer.end, End::Complete);
        assert_eq!(answer.heads.len(), 1, "{answer:?}");
        assert!(answer.body.len() >= bytes, "{method} {path}: {answer:?}");
        assert_eq!(answer.body.is_empty(), bytes == 0, "{method} {path}");
        if length.is_some() {
            assert_eq!(answer.field("content-length"), length);
        }
        if let Some(length) = answer.field("content-length")
            && method != "HEAD"
        {
            assert_eq!(length, answer.body.len().to_string());
        }
        assert!(answer.field("date").is_some());
    }
    let modified = ask(&mut client, 21, Block::get(PAGE)).await;
    let etag = modified.field("etag").unwrap().to_owned();
    let block = Block::get(PAGE).field("if-none-match", etag);
    let unchanged = ask(&mut client, 23, block).await;
    assert_eq!((unchanged.status(), unchanged.body.len()), (304, 0));
}

#[tokio::test]
async fn a_body_that_nobody_reads_is_not_asked_for() {
    // RFC 9113 8.1: after a complete answer, RST_STREAM with NO_ERROR.
    let server = site().start().await;
    let mut client = client_of(&server).await;
    client
        .send(headers(1, END_HEADERS, Block::post(PAGE)))
        .await;
    assert_eq!(client.answer(1).await.status(), 405);
    let stopped = Received::Reset {
        stream: 1,
        code: Code::NO_ERROR,
    };
    client.next_until(|received| *received == stopped).await;
    client.send(data(1, END_STREAM, "late")).await;
    assert_eq!(ask(&mut client, 3, Block::get(PAGE)).await.text(), "text");
}

#[tokio::test]
async fn the_table_for_heads_is_as_large_as_the_client_allows() {
    let server = site().start().await;
    // The client refuses a block that does not say how the size has changed, or that uses what is gone.
    for sizes in [
        &[0_u32] as &[u32],
        &[0, 4096],
        &[100],
        &[4096, 0, 100],
        &[8192, 200],
        &[u32::MAX],
        &[1],
    ] {
        let mut client = client_of(&server).await;
        let mut stream = 1;
        for round in 0..3 {
            for path in [PAGE, "/none", "/other"] {
                let answer = ask(&mut client, stream, Block::get(path)).await;
                assert!(answer.status() >= 200);
                stream += 2;
            }
            if round == 0 {
                for size in sizes {
                    client
                        .send(frame::settings(&[(HEADER_TABLE_SIZE, *size)]))
                        .await;
                }
                client.settle().await;
            }
        }
    }
}

#[tokio::test]
async fn a_connection_error_names_the_last_stream_that_was_worked_on() {
    // RFC 9113 6.8.
    let server = site().start().await;
    let mut client = client_of(&server).await;
    for stream in [1, 7] {
        ask(&mut client, stream, Block::get(PAGE)).await;
    }
    client.send(data(0, 0, "x")).await;
    let end = client
        .next_until(|received| *received == Received::Closed)
        .await;
    let expected = Received::GoAway {
        last: 7,
        code: Code::PROTOCOL_ERROR,
        debug: String::new(),
    };
    assert!(end.contains(&expected), "{end:?}");
}

/// A client with a request whose answer waits for its window.
async fn waiting_client(server: &Server) -> FrameClient {
    let settings = [(INITIAL_WINDOW_SIZE, 0)];
    let mut client = FrameClient::open_with(server.address, &settings).await;
    client.send(headers(1, WHOLE, Block::get(PAGE))).await;
    let is_head = |one: &Received| matches!(one, Received::Head { .. });
    client.next_until(is_head).await;
    client
}

async fn to_the_end(client: &mut FrameClient) -> Vec<Received> {
    client.next_until(|one| *one == Received::Closed).await
}

/// The last streams of all GOAWAYs; panics if one is about an error.
fn last_streams(all: &[Received]) -> Vec<u32> {
    let last = |one: &Received| match one {
        Received::GoAway { last, code, .. } => {
            assert_eq!(*code, Code::NO_ERROR);
            Some(*last)
        }
        _ => None,
    };
    all.iter().filter_map(last).collect()
}

/// What came on a stream, and whether it is complete.
fn body_of(stream: u32, mut all: Vec<Received>) -> (End, String) {
    all.retain(|one| one.stream() == stream);
    assert!(all.iter().any(|one| one.ends(stream)), "{all:?}");
    let answer = Answer::of(stream, &all);
    (answer.end, answer.text())
}

#[tokio::test]
async fn a_client_that_goes_away_gets_what_it_asked_for() {
    // RFC 9113 6.8: GOAWAY stops new streams, not those that are there.
    let server = site().start().await;
    let mut client = waiting_client(&server).await;
    client.send(go_away(0, Code::NO_ERROR)).await;
    client.settle().await;
    client.send(window_update(1, 100)).await;
    let end = to_the_end(&mut client).await;
    last_streams(&end);
    assert_eq!(body_of(1, end), (End::Complete, "text".to_owned()));
}

#[tokio::test]
async fn a_client_that_closes_its_side_is_taken_for_gone() {
    // No rule of RFC 9113; `docs/http2.md` says it.
    let server = site().start().await;
    let mut client = waiting_client(&server).await;
    client.finish().await;
    let end = to_the_end(&mut client).await;
    assert!(!end.iter().any(|one| one.stream() == 1), "{end:?}");
}

#[tokio::test]
async fn an_acknowledgement_of_nothing_is_an_error() {
    // No rule of RFC 9113 either.
    let server = site().start().await;
    let mut client = client_of(&server).await;
    client.send(frame::settings_ack()).await;
    let end = to_the_end(&mut client).await;
    let is_it = |one: &Received| {
        matches!(
            one,
            Received::GoAway {
                code: Code::PROTOCOL_ERROR,
                ..
            }
        )
    };
    assert!(end.iter().any(is_it), "{end:?}");
}

#[tokio::test]
async fn a_server_that_stops_says_goodbye_and_finishes() {
    // RFC 9113 6.8: first a GOAWAY that refuses nothing yet, then one that says how far it got.
    let server = site().start().await;
    let mut client = waiting_client(&server).await;
    server.terminate();
    let is_ping = |one: &Received| matches!(one, Received::Ping(_));
    let came = client.next_until(is_ping).await;
    assert_eq!(last_streams(&came), [0x7fff_ffff]);
    let Some(Received::Ping(payload)) = came.last() else {
        panic!("that was waited for");
    };
    // A request that was on its way is answered too.
    client.send(headers(3, WHOLE, Block::get(PAGE))).await;
    client.send(raw(PING, ACK, 0, *payload)).await;
    let windows = [window_update(1, 100), window_update(3, 100)];
    client.send(windows.concat()).await;
    let end = to_the_end(&mut client).await;
    assert_eq!(last_streams(&end), [3]);
    for stream in [1, 3] {
        let body = body_of(stream, end.clone());
        assert_eq!(body, (End::Complete, "text".to_owned()));
    }
    server.end().await;
}

#[tokio::test]
async fn a_stream_that_was_reset_is_sent_no_more() {
    let server = Site::new()
        .page("large.txt", "x".repeat(1 << 20))
        .start()
        .await;
    let mut client = client_of(&server).await;
    client
        .send(headers(1, WHOLE, Block::get("/large.txt")))
        .await;
    client
        .next_until(|received| matches!(received, Received::Data { .. }))
        .await;
    client.send(reset(1, Code::CANCEL)).await;
    client.settle().await;
    let more = window_update(0, 1 << 20);
    client
        .send([more, window_update(1, 1 << 20)].concat())
        .await;
    let came = client.settle().await;
    assert!(came.iter().all(|one| one.stream() == 0), "{came:?}");
}
