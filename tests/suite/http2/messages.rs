//! RFC 9113, sections 8.1 and 8.5: the frames of a request, trailers, lengths, CONNECT.

use tessera_tests::frames::frame::{END_HEADERS, END_STREAM, PADDED, WHOLE, data, headers, padded};
use tessera_tests::frames::{Block, Code};

use super::case::{Case, Expect, PAGE, case};

const MALFORMED: Expect = Expect::Stream(1, Code::PROTOCOL_ERROR);
const ANSWERED: Expect = Expect::Answer(1, 200);

fn post() -> Block {
    Block::post("/echo/x")
}

fn open(block: Block) -> Vec<u8> {
    headers(1, END_HEADERS, block)
}

pub(super) fn cases() -> Vec<Case> {
    [trailers(), lengths(), connect()].concat()
}

fn trailers() -> Vec<Case> {
    let with = |says, trailers: Block, expect| {
        let send = [
            open(post()),
            data(1, 0, "body"),
            headers(1, WHOLE, trailers),
        ];
        case("9113 8.1", says, send, expect)
    };
    vec![
        with(
            "trailers end a request",
            Block::new().field("x-sum", "1"),
            ANSWERED,
        ),
        with("trailers may be empty", Block::new(), ANSWERED),
        case(
            "9113 8.1",
            "trailers may come without a body",
            [
                open(post()),
                headers(1, WHOLE, Block::new().field("x", "y")),
            ],
            ANSWERED,
        ),
        case(
            "9113 8.1",
            "a second head without END_STREAM is malformed",
            [
                open(post()),
                data(1, 0, "body"),
                headers(1, END_HEADERS, Block::new().field("x", "y")),
            ],
            MALFORMED,
        ),
        with(
            "a field of HTTP/1.1 in trailers is malformed",
            Block::new().field("transfer-encoding", "chunked"),
            MALFORMED,
        ),
    ]
}

/// A rule, a content-length, and the bodies of the DATA frames that follow.
type Length = (&'static str, &'static str, &'static [&'static str]);

const WRONG: &[Length] = &[
    (
        "a body shorter than its content-length is malformed",
        "5",
        &["body"],
    ),
    (
        "a body longer than its content-length is malformed",
        "3",
        &["body"],
    ),
    (
        "several frames that exceed the content-length are malformed",
        "5",
        &["bod", "bod"],
    ),
    (
        "a content-length that is no number is malformed",
        "4x",
        &["body"],
    ),
    ("a negative content-length is malformed", "-4", &["body"]),
    ("a content-length with a sign is malformed", "+4", &["body"]),
    (
        "a content-length with a list is malformed",
        "4, 5",
        &["body"],
    ),
    (
        "a content-length beyond all numbers is malformed",
        "99999999999999999999",
        &["body"],
    ),
];

fn lengths() -> Vec<Case> {
    let sent = |(says, length, bodies): &Length, expect| {
        let (last, first) = bodies.split_last().unwrap();
        let first = first.iter().flat_map(|body| data(1, 0, *body)).collect();
        let head = open(post().field("content-length", length));
        let send = [head, first, data(1, END_STREAM, *last)];
        case("9113 8.1.1", says, send, expect)
    };
    let right = (
        "a content-length that is right is taken",
        "4",
        &["bo", "", "dy"] as &[_],
    );
    let mut cases = vec![sent(&right, ANSWERED)];
    cases.extend(WRONG.iter().map(|wrong| sent(wrong, MALFORMED)));
    cases.extend(lengths_without_bodies());
    cases
}

fn lengths_without_bodies() -> Vec<Case> {
    let with = |length| post().field("content-length", length);
    let sent = |says, send: Vec<u8>, expect| case("9113 8.1.1", says, send, expect);
    let body = || data(1, END_STREAM, "body");
    let trailers = headers(1, WHOLE, Block::new().field("x", "y"));
    vec![
        sent(
            "two content-lengths that differ are malformed",
            [open(with("4").field("content-length", "5")), body()].concat(),
            MALFORMED,
        ),
        sent(
            "a content-length without a body is malformed",
            headers(1, WHOLE, with("1")),
            MALFORMED,
        ),
        sent(
            "a content-length that only trailers follow is malformed",
            [open(with("1")), trailers].concat(),
            MALFORMED,
        ),
        sent(
            "a content-length of 0 without a body is right",
            headers(1, WHOLE, with("0")),
            ANSWERED,
        ),
        sent(
            "padding does not count for the content-length",
            [
                open(with("4")),
                data(1, END_STREAM | PADDED, padded(9, "body", 9)),
            ]
            .concat(),
            ANSWERED,
        ),
    ]
}

fn connect() -> Vec<Case> {
    let connect = || Block::new().field(":method", "CONNECT");
    let sent =
        |says, block: Block, expect| case("9113 8.5", says, headers(1, WHOLE, block), expect);
    vec![
        sent(
            "CONNECT has :method and :authority alone; we are no proxy",
            connect().field(":authority", "example.com:443"),
            Expect::Answer(1, 501),
        ),
        sent(
            "CONNECT with :scheme is malformed",
            connect()
                .field(":authority", "a:1")
                .field(":scheme", "http"),
            MALFORMED,
        ),
        sent(
            "CONNECT with :path is malformed",
            connect().field(":authority", "a:1").field(":path", "/"),
            MALFORMED,
        ),
        sent(
            "CONNECT with :scheme and :path is malformed",
            Block::request("CONNECT", "/"),
            MALFORMED,
        ),
        sent(
            "the extended CONNECT of RFC 8441 is malformed where SETTINGS do not offer it",
            Block::request("CONNECT", "/").field(":protocol", "websocket"),
            MALFORMED,
        ),
        sent(
            ":protocol in another method is malformed",
            Block::get(PAGE).field(":protocol", "websocket"),
            MALFORMED,
        ),
    ]
}
