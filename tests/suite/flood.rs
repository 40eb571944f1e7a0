//! HTTP/2 floods: ended with GOAWAY wherever they come, while clients that do much are never taken for one.

use std::net::SocketAddr;

use bytes::Bytes;
use http::Request;
use tessera_tests::frames::frame::{
    END_HEADERS, END_STREAM, INITIAL_WINDOW_SIZE, WHOLE, data, headers, ping, priority, raw, reset,
    settings, window_update,
};
use tessera_tests::frames::{Block, Code, End, FrameClient, PREFACE, Received};
use tessera_tests::{CertificatePair, Client, RawClient, Server, Site, TlsClient};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpSocket;

/// More than any budget has.
const MANY: usize = 30_000;
const LARGE: usize = 3_000_000;

fn get(stream: u32, path: &str) -> Vec<u8> {
    headers(stream, WHOLE, Block::get(path))
}

fn streams(count: u32) -> impl Iterator<Item = u32> {
    (0..count).map(|number| 2 * number + 1)
}

fn site() -> Site {
    let large: Vec<u8> = (0..LARGE).map(|at| (at % 251) as u8).collect();
    Site::new()
        .settings("[log]\nlevel = \"info,tessera_host=debug\"\n[server]\nmax_connections = 200\n")
        .page("a.txt", "text")
        .page("large.bin", large)
        .guest("echo")
        .certificate(&CertificatePair::for_names(&["site.test"]))
}

/// An open connection inside TLS.
async fn over_tls(server: &Server) -> FrameClient {
    let address = server.https_address_of("site").await;
    let client = TlsClient::trusting_all("site.test");
    let stream = client.connect(address, &["h2"]).await.unwrap();
    let mut client = FrameClient::over(stream);
    client.send([PREFACE, &settings(&[])].concat()).await;
    client.settle().await;
    client
}

/// Waits for the end of the connection, which is said to be a flood of this kind, and gives the last stream it names.
async fn is_ended(client: &mut FrameClient, kind: &str) -> u32 {
    let came = client
        .next_until(|received| *received == Received::Closed)
        .await;
    let told = came.iter().filter_map(|received| match received {
        Received::GoAway { last, code, debug } => Some((*last, *code, debug.as_str())),
        _ => None,
    });
    let told: Vec<_> = told.collect();
    let [(last, Code::ENHANCE_YOUR_CALM, word)] = told[..] else {
        panic!("{kind}: {told:?}");
    };
    assert_eq!(word, kind);
    last
}

fn floods() -> [(&'static str, Vec<u8>); 6] {
    [
        ("too_many_pings", ping([1; 8]).repeat(MANY)),
        ("too_many_settings", settings(&[]).repeat(MANY)),
        (
            "too_many_settings",
            settings(&vec![(INITIAL_WINDOW_SIZE, 9); 2700]).repeat(50),
        ),
        ("too_many_window_updates", window_update(0, 1).repeat(MANY)),
        ("too_many_priorities", priority(3, 0).repeat(MANY)),
        ("too_many_unknown_frames", raw(0xee, 0, 0, []).repeat(MANY)),
    ]
}

#[tokio::test]
async fn a_flood_is_ended_with_a_word_in_the_clear_and_inside_tls() {
    let server = site().start().await;
    let mut other = FrameClient::open(server.address).await;
    let mut stream = 1;
    for (kind, bytes) in floods() {
        for is_secured in [false, true] {
            let mut client = match is_secured {
                false => FrameClient::open(server.address).await,
                true => over_tls(&server).await,
            };
            client.send(get(1, "/a.txt")).await;
            assert_eq!(client.answer(1).await.text(), "text");
            client.send(&bytes).await;
            assert_eq!(is_ended(&mut client, kind).await, 1, "{kind}");
            other.send(get(stream, "/a.txt")).await;
            assert_eq!(other.answer(stream).await.text(), "text", "{kind}");
            stream += 2;
        }
        server
            .wait_for_log(&["an HTTP/2 flood is ended", kind])
            .await;
    }
}

#[tokio::test]
async fn the_last_word_follows_a_whole_frame_of_a_download() {
    let server = site().start().await;
    for round in 0..6 {
        let settings = [(INITIAL_WINDOW_SIZE, 1 << 30)];
        let mut client = FrameClient::open_with(server.address, &settings).await;
        client
            .send([window_update(0, 1 << 30), get(1, "/large.bin")].concat())
            .await;
        // Wherever the download is.
        for _ in 0..round {
            client.next().await;
        }
        client.send(raw(0xee, 0, 0, []).repeat(MANY)).await;
        // The client takes no part of a frame for one.
        assert_eq!(is_ended(&mut client, "too_many_unknown_frames").await, 1);
    }
}

#[tokio::test]
async fn requests_that_come_to_nothing_have_an_end() {
    let server = site().start().await;
    let malformed = |stream| headers(stream, WHOLE, Block::get("/a.txt").field("te", "x"));
    let begun = |stream| get(stream, "/large.bin");
    for (kind, takes_back) in [("too_many_resets", true), ("too_many_faults", false)] {
        let mut client = FrameClient::open_with(server.address, &[(INITIAL_WINDOW_SIZE, 0)]).await;
        let mut ended = None;
        for stream in streams(20_000) {
            let request = match takes_back {
                true => begun(stream),
                false => malformed(stream),
            };
            client.send(request).await;
            // One after the other, so that h2 has no reason to end it.
            let came = client
                .next_until(|one| one.stream() == stream || *one == Received::Closed)
                .await;
            if came.last() == Some(&Received::Closed) {
                ended = Some(came);
                break;
            }
            if takes_back {
                client.send(reset(stream, Code::CANCEL)).await;
            }
        }
        let ended = ended.unwrap_or_else(|| panic!("{kind}: no end"));
        let is_word =
            |one: &Received| matches!(one, Received::GoAway { debug, .. } if debug == kind);
        assert!(ended.iter().any(is_word), "{kind}: {ended:?}");
    }
}

#[tokio::test]
async fn a_flood_that_takes_nothing_is_closed_in_the_midst_of_a_frame() {
    let server = site().start().await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(server.address).await.unwrap();
    let open = settings(&[(INITIAL_WINDOW_SIZE, 1 << 30)]);
    let requests = streams(50).flat_map(|stream| get(stream, "/large.bin"));
    let requests = requests.collect::<Vec<_>>();
    let begin = [PREFACE, &open, &window_update(0, 1 << 30), &requests].concat();
    stream.write_all(&begin).await.unwrap();
    // Nothing is read, so that the server stands in the midst of a frame.
    let flood = raw(0xee, 0, 0, []).repeat(MANY);
    let _ = stream.write_all(&flood).await;
    server
        .wait_for_log(&["an HTTP/2 flood is ended", "too_many_unknown_frames"])
        .await;
    assert_eq!(server.get("/a.txt").await.text(), "text");
}

/// Sends requests and reads all answers, many at the same time, over and over.
async fn ask_much(address: SocketAddr, path: &str, rounds: u32) {
    const AT_ONCE: u32 = 100;
    let mut client = FrameClient::open(address).await;
    for round in 0..rounds {
        let numbers = round * AT_ONCE..(round + 1) * AT_ONCE;
        let requests = numbers.clone().flat_map(|number| {
            let stream = 2 * number + 1;
            // As browsers do, with priorities of both generations.
            let hints = [priority(stream, 0), raw(0x10, 0, 0, [0, 0, 0, 1, b'u'])];
            [
                get(stream, path),
                hints.concat(),
                window_update(stream, 1 << 20),
            ]
            .concat()
        });
        client.send(requests.collect::<Vec<u8>>()).await;
        let mut ended = 0;
        while ended < AT_ONCE {
            match client.next().await {
                Received::Data { data, is_end, .. } => {
                    if !data.is_empty() {
                        client.send(window_update(0, data.len() as u32)).await;
                    }
                    ended += u32::from(is_end);
                }
                Received::Head { is_end, .. } => ended += u32::from(is_end),
                Received::Reset { code, .. } => panic!("{code:?}"),
                Received::GoAway { debug, .. } => panic!("taken for a flood: {debug}"),
                Received::Closed => panic!("closed"),
                _ => {}
            }
        }
    }
}

#[tokio::test]
async fn many_requests_with_priorities_and_updates_are_no_flood() {
    let server = site().start().await;
    ask_much(server.address, "/a.txt", 50).await;
}

#[tokio::test]
async fn a_download_by_the_byte_is_no_flood() {
    let server = site().start().await;
    let mut client = FrameClient::open_with(server.address, &[(INITIAL_WINDOW_SIZE, 1)]).await;
    client.send(get(1, "/large.bin")).await;
    let (mut count, mut pings) = (0, 0);
    while count < 4_000 {
        match client.next().await {
            Received::Data { data, .. } => {
                count += data.len();
                let update = data.len() as u32;
                client
                    .send(
                        [
                            window_update(1, update),
                            window_update(0, update),
                            ping([7; 8]),
                        ]
                        .concat(),
                    )
                    .await;
            }
            Received::Pong(_) => pings += 1,
            Received::Head { .. } | Received::WindowUpdate { .. } => {}
            other => panic!("after {count} bytes: {other:?}"),
        }
    }
    assert!(pings > 3_000, "{pings}");
}

#[tokio::test]
async fn a_large_download_with_small_windows_and_an_upload_are_no_flood() {
    let server = site().start().await;
    let mut client = FrameClient::open_with(server.address, &[(INITIAL_WINDOW_SIZE, 1000)]).await;
    client.send(get(1, "/large.bin")).await;
    let mut body = Vec::new();
    while body.len() < LARGE {
        match client.next().await {
            Received::Data { data, .. } => {
                for piece in data.chunks(400) {
                    let update = piece.len() as u32;
                    client
                        .send([window_update(1, update), window_update(0, update)].concat())
                        .await;
                }
                body.extend(data);
            }
            Received::Head { .. } | Received::WindowUpdate { .. } => {}
            other => panic!("after {} bytes: {other:?}", body.len()),
        }
    }
    assert!(
        body.iter()
            .enumerate()
            .all(|(at, byte)| *byte == (at % 251) as u8)
    );

    let mut client = FrameClient::open(server.address).await;
    client
        .send(headers(1, END_HEADERS, Block::post("/echo/x")))
        .await;
    for _ in 0..2_000 {
        client
            .send([data(1, 0, [b'x'; 300]), ping([7; 8])].concat())
            .await;
    }
    client.send(data(1, END_STREAM, [])).await;
    let answer = client.answer(1).await;
    assert_eq!(answer.end, End::Complete);
    assert!(
        answer.text().contains("\"bodyLength\":600000"),
        "{}",
        answer.text()
    );
}

#[tokio::test]
async fn requests_that_are_given_up_now_and_then_are_no_flood() {
    let server = site().start().await;
    let mut client = FrameClient::open(server.address).await;
    client.send(window_update(0, 1 << 30)).await;
    for stream in streams(600) {
        client.send(get(stream, "/large.bin")).await;
        let head = |one: &Received| one.stream() == stream && matches!(one, Received::Data { .. });
        client.next_until(head).await;
        client.send(reset(stream, Code::CANCEL)).await;
    }
    client.send(get(1201, "/a.txt")).await;
    assert_eq!(client.answer(1201).await.text(), "text");
}

#[tokio::test]
async fn http1_may_begin_like_http2() {
    let server = site().start().await;
    for line in ["PRI", "PRI * HTTP/2.0\r\n\r\nXX"] {
        let answer = RawClient::exchange(server.address, format!("{line}\r\n\r\n")).await;
        assert!(
            answer.starts_with("HTTP/1.1 4") || answer.starts_with("HTTP/1.1 505"),
            "{line}: {answer}"
        );
    }
    let mut client = Client::http1(server.address).await.unwrap();
    for _ in 0..50 {
        let request = Request::get("/a.txt").body(Bytes::new()).unwrap();
        assert_eq!(client.send(request).await.unwrap().text(), "text");
    }
}

#[tokio::test]
async fn files_that_nobody_takes_cost_little() {
    const CLIENTS: u64 = 5;
    let server = site().start().await;
    assert_eq!(server.get("/a.txt").await.text(), "text");
    let before = server.resident_bytes();
    let mut held = Vec::new();
    for _ in 0..CLIENTS {
        let mut client = FrameClient::open_with(server.address, &[(INITIAL_WINDOW_SIZE, 1)]).await;
        let requests = streams(200).flat_map(|stream| get(stream, "/large.bin"));
        client.send(requests.collect::<Vec<_>>()).await;
        for _ in 0..400 {
            // A head and a byte of each: the rest is held.
            while matches!(client.next().await, Received::WindowUpdate { .. }) {}
        }
        client.settle().await;
        held.push(client);
    }
    let each = (server.resident_bytes() - before) / CLIENTS / 200;
    // Two pieces, the request, and what the allocator keeps; pieces of 128 KiB were 256 KiB.
    assert!(each < 72 << 10, "{each} bytes for each request");
}
