//! RFC 9113, sections 5.2 and 6.9: that the server sends no more than it may.
//!
//! The client of the harness refuses each frame that exceeds a window; here the windows change.

use tessera_tests::frames::frame::{
    self, DEFAULT_WINDOW, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, WHOLE, headers, window_update,
};
use tessera_tests::frames::{Block, End, FrameClient, Received};
use tessera_tests::{Server, Site};

const LARGE: &str = "/large.txt";
const LENGTH: usize = 300_000;

async fn server() -> Server {
    let page = "0123456789".repeat(LENGTH / 10);
    let site = Site::new().page("large.txt", page).page("empty.txt", "");
    site.start().await
}

async fn client(server: &Server, window: u32) -> FrameClient {
    FrameClient::open_with(server.address, &[(INITIAL_WINDOW_SIZE, window)]).await
}

fn get(stream: u32) -> Vec<u8> {
    headers(stream, WHOLE, Block::get(LARGE))
}

/// Reads until so many bytes came on a stream; then no more may come.
async fn exactly(client: &mut FrameClient, stream: u32, count: usize) {
    let mut came = 0;
    while came < count {
        match client.next().await {
            Received::Data {
                stream: of, data, ..
            } if of == stream => came += data.len(),
            Received::Head { .. } | Received::SettingsAck | Received::WindowUpdate { .. } => {}
            other => panic!("{other:?} after {came} of {count} bytes"),
        }
    }
    assert_eq!(came, count);
    nothing(client).await;
}

/// What may be sent was sent.
async fn nothing(client: &mut FrameClient) {
    let came = client.settle().await;
    let is_data = |one: &Received| matches!(one, Received::Data { .. });
    assert!(!came.iter().any(is_data), "{came:?}");
}

#[tokio::test]
async fn the_server_sends_no_more_than_the_windows_allow() {
    let server = server().await;
    tokio::join!(
        defaults(&server),
        window_of_the_connection(&server),
        byte_by_byte(&server),
        larger_windows(&server),
        negative_windows(&server),
        empty_bodies(&server),
        frame_sizes(&server),
    );
}

async fn defaults(server: &Server) {
    let mut client = FrameClient::open(server.address).await;
    client.send(get(1)).await;
    exactly(&mut client, 1, DEFAULT_WINDOW as usize).await;
    assert_eq!(client.window_of(1), 0);
    // One of two windows is not enough.
    client.send(window_update(0, 1000)).await;
    nothing(&mut client).await;
    client.send(window_update(1, 600)).await;
    exactly(&mut client, 1, 600).await;
    client.send(window_update(1, 1000)).await;
    exactly(&mut client, 1, 400).await;
    let rest = u32::try_from(LENGTH).unwrap();
    client
        .send([window_update(0, rest), window_update(1, rest)].concat())
        .await;
    let answer = client.answer(1).await;
    assert_eq!(answer.end, End::Complete);
    assert_eq!(answer.body.len(), LENGTH - 65_535 - 1000);
}

/// Two streams share what the connection may be sent.
async fn window_of_the_connection(server: &Server) {
    let mut client = client(server, 1 << 20).await;
    client.send([get(1), get(3)].concat()).await;
    let mut came = 0;
    while came < DEFAULT_WINDOW as usize {
        if let Received::Data { data, .. } = client.next().await {
            came += data.len();
        }
    }
    assert_eq!(came, DEFAULT_WINDOW as usize);
    nothing(&mut client).await;
}

async fn byte_by_byte(server: &Server) {
    let mut client = client(server, 0).await;
    client.send(get(1)).await;
    for _ in 0..20 {
        client.send(window_update(1, 1)).await;
        exactly(&mut client, 1, 1).await;
    }
}

async fn larger_windows(server: &Server) {
    let mut client = client(server, 10).await;
    client.send(get(1)).await;
    exactly(&mut client, 1, 10).await;
    client
        .send(frame::settings(&[(INITIAL_WINDOW_SIZE, 30)]))
        .await;
    exactly(&mut client, 1, 20).await;
    // The last of two values in one frame counts.
    let twice = [(INITIAL_WINDOW_SIZE, 1000), (INITIAL_WINDOW_SIZE, 31)];
    client.send(frame::settings(&twice)).await;
    exactly(&mut client, 1, 1).await;
    // A stream that is opened later has the new window.
    client.send(get(3)).await;
    exactly(&mut client, 3, 31).await;
}

async fn negative_windows(server: &Server) {
    let mut client = client(server, 5000).await;
    client.send(get(1)).await;
    exactly(&mut client, 1, 5000).await;
    client
        .send(frame::settings(&[(INITIAL_WINDOW_SIZE, 1000)]))
        .await;
    nothing(&mut client).await;
    assert_eq!(client.window_of(1), -4000);
    client.send(window_update(1, 3999)).await;
    nothing(&mut client).await;
    client.send(window_update(1, 1)).await;
    nothing(&mut client).await;
    client.send(window_update(1, 7)).await;
    exactly(&mut client, 1, 7).await;
    // Below zero and up again by settings alone.
    client
        .send(frame::settings(&[(INITIAL_WINDOW_SIZE, 0)]))
        .await;
    client
        .send(frame::settings(&[(INITIAL_WINDOW_SIZE, 1003)]))
        .await;
    exactly(&mut client, 1, 3).await;
}

/// The end of a body takes no window.
async fn empty_bodies(server: &Server) {
    let mut client = client(server, 0).await;
    for (stream, block) in [
        (1, Block::get("/empty.txt")),
        (3, Block::request("HEAD", LARGE)),
    ] {
        client.send(headers(stream, WHOLE, block)).await;
        let answer = client.answer(stream).await;
        assert_eq!((answer.status(), answer.end), (200, End::Complete));
    }
}

/// RFC 9113, 4.2: a frame is as large as the client's settings allow, at most.
async fn frame_sizes(server: &Server) {
    let mut client = client(server, 1 << 20).await;
    client.send(window_update(0, 1 << 22)).await;
    for (stream, size) in [
        (1, None),
        (3, Some(20_000)),
        (5, Some(16_384)),
        (7, Some(1 << 23)),
    ] {
        if let Some(size) = size {
            client
                .send(frame::settings(&[(MAX_FRAME_SIZE, size)]))
                .await;
            client.settle().await;
        }
        client.send(get(stream)).await;
        let answer = client.answer(stream).await;
        assert_eq!(answer.body.len(), LENGTH, "{size:?}");
    }
}
