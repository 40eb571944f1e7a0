//! Errors of one stream that end more than that stream.

use tessera_tests::frames::frame::{
    END_HEADERS, END_STREAM, INITIAL_WINDOW_SIZE, PRIORITY, WHOLE, continuation, data, headers,
    priority, raw, reset, window_update,
};
use tessera_tests::frames::{Block, Code};

use super::super::case::{Case, Expect, PAGE, case};
use super::Deviation;

const MALFORMED: Expect = Expect::Stream(1, Code::PROTOCOL_ERROR);
const CLOSED: Expect = Expect::Stream(1, Code::STREAM_CLOSED);
const ENDED: Expect = Expect::Connection(Code::PROTOCOL_ERROR);

fn get() -> Block {
    Block::get(PAGE)
}

fn post() -> Vec<u8> {
    headers(1, END_HEADERS, Block::post("/echo/x"))
}

pub(super) fn all() -> Vec<Deviation> {
    let mut all = of_requests();
    all.extend(of_frames());
    all
}

fn of_requests() -> Vec<Deviation> {
    vec![
        Deviation {
            title: "A field that cannot be is a connection error",
            cases: fields(),
        },
        Deviation {
            title: "A malformed head that goes on in CONTINUATION is a connection error",
            cases: vec![
                case(
                    "9113 8.2.2",
                    "a field of HTTP/1.1 before a CONTINUATION is malformed",
                    [
                        headers(1, END_STREAM, get().field("connection", "close")),
                        continuation(1, END_HEADERS, Block::new().field("x", "y")),
                    ],
                    MALFORMED,
                )
                .but(ENDED),
            ],
        },
        Deviation {
            title: "A frame after END_STREAM is a connection error",
            cases: after_end(),
        },
    ]
}

fn of_frames() -> Vec<Deviation> {
    vec![
        Deviation {
            title: "An increment of 0 on a stream is a connection error",
            cases: vec![
                case(
                    "9113 6.9",
                    "an increment of 0 on a stream is a stream error PROTOCOL_ERROR",
                    [post(), window_update(1, 0)],
                    MALFORMED,
                )
                .but(ENDED),
            ],
        },
        Deviation {
            title: "PRIORITY of a wrong length is a connection error",
            cases: vec![
                case(
                    "9113 6.3",
                    "PRIORITY of another length than 5 bytes is a stream error FRAME_SIZE_ERROR",
                    [post(), raw(PRIORITY, 0, 1, [0; 4])],
                    Expect::Stream(1, Code::FRAME_SIZE_ERROR),
                )
                .but(ENDED),
            ],
        },
        Deviation {
            title: "PRIORITY that names its own stream resets it",
            cases: vec![
                case(
                    "9113 6.4",
                    "RST_STREAM must not be sent for an idle stream",
                    [priority(1, 1), headers(1, WHOLE, get())],
                    Expect::Answer(1, 200),
                )
                .but(MALFORMED),
            ],
        },
        Deviation {
            title: "CONNECT with a length closes the connection without a word",
            cases: vec![
                case(
                    "9113 8.5",
                    "CONNECT with a content-length does not harm the connection",
                    headers(
                        1,
                        END_HEADERS,
                        Block::new()
                            .field(":method", "CONNECT")
                            .field(":authority", "a:1")
                            .field("content-length", "4"),
                    ),
                    MALFORMED.or(Expect::Answer(1, 501)),
                )
                .but(Expect::Silence),
            ],
        },
    ]
}

fn fields() -> Vec<Case> {
    let malformed = |section, says, block: Block| {
        case(section, says, headers(1, WHOLE, block), MALFORMED).but(ENDED)
    };
    let named = |says, name: &'static [u8]| malformed("9113 8.2.1", says, get().field(name, "x"));
    let valued =
        |says, value: &'static [u8]| malformed("9113 8.2.1", says, get().field("x-test", value));
    vec![
        named("a name in upper case is malformed", b"X-Test"),
        named("a name with a space is malformed", b"x test"),
        named("a name with a control character is malformed", b"x\x01test"),
        named("a name with DEL is malformed", b"x\x7ftest"),
        named("a name with a byte above 127 is malformed", b"x\xe4test"),
        named("a name with a colon in it is malformed", b"x:test"),
        named("an empty name is malformed", b""),
        valued("a value with NUL is malformed", b"a\0b"),
        valued("a value with CR is malformed", b"a\rb"),
        valued("a value with LF is malformed", b"a\nb"),
        malformed(
            "9113 8.3",
            "an unknown pseudo-header field is malformed",
            get().field(":unknown", "x"),
        ),
        malformed(
            "9113 8.3",
            "a pseudo-header field with an upper-case name is malformed",
            get().field(":Method", "GET"),
        ),
        malformed(
            "9113 8.3.1",
            "an empty :method is malformed",
            Block::request("", PAGE),
        ),
        malformed(
            "9113 8.3.1",
            "a :method that is no token is malformed",
            Block::request("GE T", PAGE),
        ),
    ]
}

fn after_end() -> Vec<Case> {
    let trailers = || headers(1, WHOLE, Block::new().field("x", "y"));
    // The request is complete, the answer waits for its window.
    let half_closed = |says, send: Vec<u8>| {
        let request = headers(1, WHOLE, get());
        case("9113 5.1", says, request, CLOSED)
            .with(&[(INITIAL_WINDOW_SIZE, 0)])
            .after_head(1, send)
            .but(ENDED)
    };
    // What is known of a closed stream depends on whether its handler has let go of it yet.
    let closed = || CLOSED.or(Expect::Connection(Code::STREAM_CLOSED));
    vec![
        half_closed(
            "DATA after END_STREAM is a stream error STREAM_CLOSED",
            data(1, END_STREAM, "x"),
        ),
        half_closed(
            "HEADERS after END_STREAM are a stream error STREAM_CLOSED",
            trailers(),
        ),
        case(
            "9113 5.1",
            "DATA after trailers is STREAM_CLOSED",
            [post(), trailers(), data(1, END_STREAM, "x")],
            CLOSED,
        )
        .but(ENDED),
        case(
            "9113 5.1",
            "DATA on a stream that both sides ended is STREAM_CLOSED",
            headers(1, WHOLE, get()),
            closed(),
        )
        .after_end(1, data(1, END_STREAM, "x"))
        .but(closed().or(ENDED)),
        case(
            "9113 5.1",
            "DATA after the client's own RST_STREAM is STREAM_CLOSED",
            [post(), reset(1, Code::CANCEL)],
            closed(),
        )
        .settled(data(1, END_STREAM, "x"))
        .but(closed().or(ENDED)),
    ]
}
