//! RFC 9113, sections 3.4 and 4: the preface, the form of frames, and header blocks as a whole.

use tessera_tests::RawClient;
use tessera_tests::frames::frame::{
    self, CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, PING, RESERVED, SETTINGS, WHOLE,
    continuation, data, headers, ping, priority, raw,
};
use tessera_tests::frames::{Block, Code, Frame, FrameClient, PREFACE};

use super::case::{Case, Expect, PAGE, case, opening, site};

/// No type that RFC 9113 knows.
const UNKNOWN: u8 = 0xbe;

fn get(stream: u32) -> Vec<u8> {
    headers(stream, WHOLE, Block::get(PAGE))
}

/// The head of a GET whose block is of so many bytes.
fn get_of(length: usize) -> Block {
    let block = Block::get(PAGE);
    let is = Vec::from(block.clone()).len();
    // Name, value and their lengths; the value's takes three bytes.
    block.field("x-filling", vec![b'x'; length - is - 1 - 10 - 3])
}

#[tokio::test]
async fn a_broken_preface_ends_the_connection() {
    // RFC 9113 3.4: an invalid preface is a connection error; GOAWAY may be left out.
    let server = site().start().await;
    let mut broken: Vec<Vec<u8>> = (0..PREFACE.len())
        .map(|at| {
            let mut preface = PREFACE.to_vec();
            preface[at] ^= 1;
            preface
        })
        .collect();
    broken.push(b"PRI * HTTP/2.0\r\n\r\n\r\n\r\n".to_vec());
    broken.push(frame::settings(&[]));
    for bytes in broken {
        let mut client = RawClient::connect(server.address).await;
        client.send([&*bytes, &frame::settings(&[])].concat()).await;
        let answer = client.read_to_end().await;
        // What is no preface is HTTP/1, and malformed or of a version that is not spoken so.
        let is_refused = answer.is_empty()
            || answer.starts_with("HTTP/1.1 400 ")
            || answer.starts_with("HTTP/1.1 505 ");
        assert!(
            is_refused,
            "{:?}: {answer}",
            bytes.escape_ascii().to_string()
        );
    }
    assert_eq!(server.get(PAGE).await.text(), "text");
}

#[tokio::test]
async fn an_upgrade_from_http1_is_not_made() {
    // RFC 9113 3.1 has given it up.
    let server = site().start().await;
    let request = "GET /a.txt HTTP/1.1\r\nHost: a\r\nConnection: close, Upgrade, HTTP2-Settings\r\n\
                   Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n";
    let answer = RawClient::exchange(server.address, request).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.ends_with("\r\n\r\ntext"), "{answer}");
}

#[tokio::test]
async fn a_preface_may_come_byte_by_byte() {
    let server = site().start().await;
    let mut client = FrameClient::connect(server.address).await;
    for byte in opening(get(1)) {
        client.send([byte]).await;
    }
    assert_eq!(client.answer(1).await.status(), 200);
}

pub(super) fn cases() -> Vec<Case> {
    [
        prefaces(),
        unknown_frames(),
        reserved_bits(),
        sizes(),
        header_blocks(),
    ]
    .concat()
}

fn prefaces() -> Vec<Case> {
    vec![
        case(
            "9113 3.4",
            "a client may send requests with its preface, before it knows the server's settings",
            opening(get(1)),
            Expect::Answer(1, 200),
        )
        .unopened(),
        case(
            "9113 3.4",
            "the SETTINGS frame of the client's preface may be empty",
            opening([frame::settings_ack(), get(1)]),
            Expect::Answer(1, 200),
        )
        .unopened(),
    ]
}

fn unknown_frames() -> Vec<Case> {
    let unknown = |stream, flags, length| raw(UNKNOWN, flags, stream, vec![1; length]);
    vec![
        case(
            "9113 4.1",
            "a frame of unknown type is ignored on the connection",
            [unknown(0, 0xff, 10), unknown(0, 0, 0)],
            Expect::Nothing,
        ),
        case(
            "9113 5.5",
            "a frame of unknown type is ignored on an idle stream",
            unknown(1, 0xff, 16_384),
            Expect::Nothing,
        ),
        case(
            "9113 5.5",
            "a frame of unknown type is ignored within a request",
            [
                headers(1, END_HEADERS, Block::post("/echo/x")),
                unknown(1, END_STREAM, 5),
                data(1, END_STREAM, "body"),
            ],
            Expect::Answer(1, 200),
        ),
        case(
            "9113 4.1",
            "flags without a meaning are ignored in HEADERS",
            headers(1, WHOLE | 0x52, Block::get(PAGE)),
            Expect::Answer(1, 200),
        ),
        case(
            "9113 4.1",
            "flags without a meaning are ignored in DATA",
            [
                headers(1, END_HEADERS, Block::post("/echo/x")),
                data(1, END_STREAM | 0xf6, "body"),
            ],
            Expect::Answer(1, 200),
        ),
        case(
            "9113 4.1",
            "flags without a meaning are ignored in SETTINGS, PING and WINDOW_UPDATE",
            [
                raw(SETTINGS, 0xfe, 0, []),
                raw(PING, 0xfe, 0, [0; 8]),
                raw(frame::WINDOW_UPDATE, 0xff, 0, [0, 0, 0, 1]),
                get(1),
            ],
            Expect::Answer(1, 200),
        ),
    ]
}

fn reserved_bits() -> Vec<Case> {
    vec![
        case(
            "9113 4.1",
            "the reserved bit of a stream identifier is ignored in PING and SETTINGS",
            [
                raw(PING, 0, RESERVED, [0; 8]),
                raw(SETTINGS, 0, RESERVED, []),
            ],
            Expect::Nothing,
        ),
        case(
            "9113 4.1",
            "the reserved bit of a stream identifier is ignored in HEADERS",
            get(RESERVED | 1),
            Expect::Answer(1, 200),
        ),
        case(
            "9113 4.1",
            "the reserved bit of a stream identifier is ignored in DATA and CONTINUATION",
            [
                headers(1, 0, Block::new()),
                continuation(RESERVED | 1, END_HEADERS, Block::post("/echo/x")),
                data(RESERVED | 1, END_STREAM, "body"),
            ],
            Expect::Answer(1, 200),
        ),
    ]
}

fn sizes() -> Vec<Case> {
    let too_large = |kind, stream| raw(kind, WHOLE, stream, vec![0; 16_385]);
    vec![
        case(
            "9113 4.2",
            "a DATA frame of 2^14 bytes is taken",
            [
                headers(1, END_HEADERS, Block::post("/echo/x")),
                data(1, END_STREAM, [b'x'; 16_384]),
            ],
            Expect::Answer(1, 200),
        ),
        case(
            "9113 4.2",
            "a HEADERS frame of 2^14 bytes is taken",
            headers(1, WHOLE, get_of(16_384)),
            Expect::Answer(1, 200),
        ),
        case(
            "9113 4.2",
            "a DATA frame above SETTINGS_MAX_FRAME_SIZE is FRAME_SIZE_ERROR",
            [
                headers(1, END_HEADERS, Block::post("/echo/x")),
                too_large(DATA, 1),
            ],
            Expect::Connection(Code::FRAME_SIZE_ERROR),
        ),
        case(
            "9113 4.2",
            "a HEADERS frame above SETTINGS_MAX_FRAME_SIZE is a connection error FRAME_SIZE_ERROR",
            headers(1, WHOLE, get_of(16_385)),
            Expect::Connection(Code::FRAME_SIZE_ERROR),
        ),
        case(
            "9113 4.2",
            "a CONTINUATION frame above SETTINGS_MAX_FRAME_SIZE is a connection error FRAME_SIZE_ERROR",
            [
                headers(1, END_STREAM, Block::get(PAGE)),
                too_large(CONTINUATION, 1),
            ],
            Expect::Connection(Code::FRAME_SIZE_ERROR),
        ),
        case(
            "9113 4.2",
            "a SETTINGS frame above SETTINGS_MAX_FRAME_SIZE is a connection error FRAME_SIZE_ERROR",
            raw(SETTINGS, 0, 0, vec![0; 16_386]),
            Expect::Connection(Code::FRAME_SIZE_ERROR),
        ),
        case(
            "9113 4.2",
            "an unknown frame above SETTINGS_MAX_FRAME_SIZE is FRAME_SIZE_ERROR",
            too_large(UNKNOWN, 0),
            Expect::Connection(Code::FRAME_SIZE_ERROR),
        ),
        case(
            "9113 4.2",
            "a length that says more than is allowed is refused before the payload is there",
            Frame {
                kind: HEADERS,
                flags: WHOLE,
                stream: 1,
                payload: Vec::new(),
            }
            .bytes_claiming(0xff_ffff),
            Expect::Connection(Code::FRAME_SIZE_ERROR),
        ),
    ]
}

/// Between HEADERS and its last CONTINUATION nothing else may come, on any stream.
fn header_blocks() -> Vec<Case> {
    let again = Block::new().indexed(2).indexed(6).indexed(62);
    let again = again.field(":authority", "a");
    let begun = || headers(1, END_STREAM, Block::get(PAGE));
    let rest = || continuation(1, END_HEADERS, Block::new().field("x", "y"));
    let protocol_error = Expect::Connection(Code::PROTOCOL_ERROR);
    let interrupted = |says, by: Vec<u8>| {
        case(
            "9113 4.3",
            says,
            [begun(), by, rest()],
            protocol_error.clone(),
        )
    };
    vec![
        interrupted(
            "DATA within a header block is PROTOCOL_ERROR",
            data(1, 0, "x"),
        ),
        interrupted(
            "HEADERS of the same stream within a header block are PROTOCOL_ERROR",
            get(1),
        ),
        interrupted(
            "HEADERS of another stream within a header block are PROTOCOL_ERROR",
            get(3),
        ),
        interrupted(
            "PRIORITY within a header block is PROTOCOL_ERROR",
            priority(1, 3),
        ),
        interrupted("PING within a header block is PROTOCOL_ERROR", ping([0; 8])),
        interrupted(
            "SETTINGS within a header block are PROTOCOL_ERROR",
            frame::settings(&[]),
        ),
        interrupted(
            "WINDOW_UPDATE within a header block is PROTOCOL_ERROR",
            frame::window_update(0, 1),
        ),
        interrupted(
            "RST_STREAM within a header block is PROTOCOL_ERROR",
            frame::reset(1, Code::CANCEL),
        ),
        interrupted(
            "a frame of unknown type within a header block is PROTOCOL_ERROR",
            raw(UNKNOWN, 0, 1, []),
        ),
        interrupted(
            "CONTINUATION of another stream within a header block is PROTOCOL_ERROR",
            continuation(3, END_HEADERS, Block::new()),
        ),
        case(
            "9113 4.3",
            "the compression state follows the blocks of streams that are refused",
            [
                // The name in upper case would end the connection; a field of HTTP/1.1 ends the stream alone.
                headers(
                    1,
                    WHOLE,
                    Block::get(PAGE)
                        .field("connection", "close")
                        .indexing_field(":path", "/none"),
                ),
                headers(3, WHOLE, again),
            ],
            Expect::Answer(3, 404),
        ),
    ]
}
