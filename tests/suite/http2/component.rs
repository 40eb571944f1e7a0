//! What a component sees of a request's frames, and what of its answer is sent.

use serde_json::Value;
use tessera_tests::frames::frame::{END_HEADERS, END_STREAM, WHOLE, data, headers};
use tessera_tests::frames::hpack::{Indexing, Name, Text};
use tessera_tests::frames::{Answer, Block, Code, End, FrameClient, Received};

use super::case::site;

async fn ask(client: &mut FrameClient, stream: u32, block: Block) -> Answer {
    client.send(headers(stream, WHOLE, block)).await;
    client.answer(stream).await
}

/// The values of a field as the component saw them.
fn seen(answer: &Answer, name: &str) -> Vec<Value> {
    let told: Value = serde_json::from_slice(&answer.body).unwrap();
    let all = told["headers"].as_array().unwrap().iter();
    let of = all.filter(|field| field[0] == name);
    of.map(|field| field[1].clone()).collect()
}

#[tokio::test]
async fn a_component_speaks_http2_without_knowing() {
    let server = site()
        // What the test asks for is to be read as it is.
        .guest_with(
            "echo",
            "HTTPCompressionThreshold = 1000000\nmaxRequestSize = 5000000\n",
        )
        .guest("sleep")
        .start()
        .await;
    let mut client = FrameClient::open(server.address).await;
    fields_arrive(&mut client).await;
    cookies_arrive(&mut client).await;
    answers_are_clean(&mut client).await;
    bodies_arrive(&mut client).await;
    too_much(FrameClient::open(server.address).await).await;
    let mut unaware = FrameClient::connect(server.address).await;
    unaware.send(super::case::opening([])).await;
    too_much_for_a_stream(unaware).await;
}

/// RFC 7541: whatever the representation, the field is the same.
async fn fields_arrive(client: &mut FrameClient) {
    let value: Vec<u8> = (0x21..=0x7e).chain(0x80..=0xff).collect();
    let named = [
        ("x-1", Indexing::Incremental),
        ("x-2", Indexing::Without),
        ("x-3", Indexing::Never),
    ];
    let mut block = Block::get("/echo/x");
    for (name, indexing) in named {
        let name = Name::Text(Text::Huffman(name.as_bytes()));
        block = block.literal(indexing, name, Text::Huffman(&value));
    }
    let again = Text::Plain(b"again");
    let block = block
        .indexed(62)
        .literal(Indexing::Incremental, Name::Index(62), again)
        .indexed(62)
        .indexed(16);
    let answer = ask(client, 1, block).await;
    let first = seen(&answer, "x-1");
    assert_eq!(first.len(), 4, "{first:?}");
    assert_eq!(first[0], first[1]);
    assert_eq!(first[2..], ["again", "again"]);
    assert_eq!(seen(&answer, "x-2"), first[..1]);
    assert_eq!(seen(&answer, "x-3"), first[..1]);
    assert_eq!(seen(&answer, "accept-encoding"), ["gzip, deflate"]);
    let ascii: String = value[..94].iter().map(|byte| char::from(*byte)).collect();
    assert!(first[0].as_str().unwrap().starts_with(&ascii), "{first:?}");
}

/// RFC 9113, 8.2.3: the pieces are put together for whoever does not speak HTTP/2.
async fn cookies_arrive(client: &mut FrameClient) {
    let block = Block::get("/echo/x")
        .field("cookie", "a=1")
        .field("cookie", "b=2");
    let answer = ask(client, 3, block).await;
    assert_eq!(seen(&answer, "cookie"), ["a=1; b=2"]);
}

/// RFC 9113, 8.2: the client of the harness finds names in upper case, fields of HTTP/1.1, and values that cannot be.
async fn answers_are_clean(client: &mut FrameClient) {
    let mut stream = 5;
    for field in [
        "Connection:close",
        "Keep-Alive:timeout=5",
        "Proxy-Connection:close",
        "Transfer-Encoding:chunked",
        "Upgrade:h2c",
        "TE:trailers",
        "X-Upper-Case:x",
        "X-Spaces:%20x%20",
        "X-Broken:a%0d%0ab",
    ] {
        let path = format!("/echo/4DACTION/header/{field}");
        let answer = ask(client, stream, Block::get(&path)).await;
        assert_eq!(answer.status(), 200, "{field}");
        assert!(!answer.text().is_empty(), "{field}");
        stream += 2;
    }
    let answer = ask(client, stream, Block::get("/echo/4DACTION/teapot")).await;
    assert_eq!((answer.status(), answer.field("x-pot")), (418, Some("tea")));
}

/// RFC 9113, 5.2: the server lets a client send on as its body is read.
async fn bodies_arrive(client: &mut FrameClient) {
    const STREAM: u32 = 101;
    const FRAMES: usize = 128;
    const FRAME: usize = 16_384;
    client
        .send(headers(STREAM, END_HEADERS, Block::post("/echo/x")))
        .await;
    // What the server's settings and its first WINDOW_UPDATE allow.
    let (mut of_stream, mut of_all) = (1_i64 << 20, 1_i64 << 20);
    for _ in 0..FRAMES {
        while of_stream.min(of_all) < FRAME as i64 {
            match client.next().await {
                Received::WindowUpdate { stream: 0, by } => of_all += i64::from(by),
                Received::WindowUpdate { stream: STREAM, by } => of_stream += i64::from(by),
                Received::WindowUpdate { .. } => {}
                other => panic!("{other:?} instead of a window"),
            }
        }
        client.send(data(STREAM, 0, [b'x'; FRAME])).await;
        of_stream -= FRAME as i64;
        of_all -= FRAME as i64;
    }
    client.send(data(STREAM, END_STREAM, [])).await;
    let answer = client.answer(STREAM).await;
    let told: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(told["bodyLength"], FRAMES * FRAME);
}

/// RFC 9113, 6.9.1: more than the connection's window is a connection error. Each of the two streams keeps to its own,
/// and nobody reads their bodies.
async fn too_much(mut client: FrameClient) {
    for stream in [1, 3] {
        let block = Block::post("/sleep/sleep/5000");
        client.send(headers(stream, END_HEADERS, block)).await;
        for _ in 0..40 {
            client.send(data(stream, 0, [b'x'; 16_384])).await;
        }
    }
    let end = client.next_until(|one| *one == Received::Closed).await;
    let code = end.iter().find_map(|one| match one {
        Received::GoAway { code, .. } => Some(*code),
        _ => None,
    });
    assert_eq!(code, Some(Code::FLOW_CONTROL_ERROR), "{end:?}");
}

/// RFC 9113, 6.9.1: more than a stream's window is a stream error, or one of the connection. A client that has not
/// acknowledged the server's settings has the window of the beginning.
async fn too_much_for_a_stream(mut client: FrameClient) {
    let is_window = |one: &Received| matches!(one, Received::WindowUpdate { stream: 0, .. });
    client.next_until(is_window).await;
    client
        .send(headers(1, END_HEADERS, Block::post("/sleep/sleep/5000")))
        .await;
    // Three times the window: the server reads a little ahead of the handler.
    for _ in 0..12 {
        client.send(data(1, 0, [b'x'; 16_384])).await;
    }
    let answer = client.answer(1).await;
    assert_eq!(answer.end, End::Reset(Code::FLOW_CONTROL_ERROR));
}
