//! RFC 9113, section 5: the states of streams, their identifiers, how many, and errors.

use tessera_tests::frames::frame::{
    self, END_HEADERS, END_STREAM, INITIAL_WINDOW_SIZE, WHOLE, continuation, data, headers,
    priority, raw, reset, window_update,
};
use tessera_tests::frames::{Block, Code};

use super::case::{Case, Expect, PAGE, case};

const NO_WINDOW: &[(u16, u32)] = &[(INITIAL_WINDOW_SIZE, 0)];

fn get(stream: u32) -> Vec<u8> {
    headers(stream, WHOLE, Block::get(PAGE))
}

/// The head of a request whose body is to come.
fn post(stream: u32) -> Vec<u8> {
    headers(stream, END_HEADERS, Block::post("/echo/x"))
}

pub(super) fn cases() -> Vec<Case> {
    [idle(), half_closed(), closed(), identifiers(), errors()].concat()
}

fn idle() -> Vec<Case> {
    let refused = |says, send: Vec<u8>| {
        case(
            "9113 5.1",
            says,
            send,
            Expect::Connection(Code::PROTOCOL_ERROR),
        )
    };
    vec![
        refused(
            "DATA on an idle stream is PROTOCOL_ERROR",
            data(1, END_STREAM, "x"),
        ),
        refused(
            "RST_STREAM on an idle stream is PROTOCOL_ERROR",
            reset(1, Code::CANCEL),
        ),
        refused(
            "WINDOW_UPDATE on an idle stream is PROTOCOL_ERROR",
            window_update(1, 100),
        ),
        refused(
            "CONTINUATION on an idle stream is PROTOCOL_ERROR",
            continuation(1, END_HEADERS, Block::get(PAGE)),
        ),
        refused(
            "DATA on an idle stream of the server is PROTOCOL_ERROR",
            data(2, END_STREAM, "x"),
        ),
        refused(
            "WINDOW_UPDATE on an idle stream of the server is PROTOCOL_ERROR",
            window_update(2, 1),
        ),
        refused(
            "RST_STREAM on an idle stream of the server is PROTOCOL_ERROR",
            reset(2, Code::CANCEL),
        ),
        case(
            "9113 5.1",
            "PRIORITY on an idle stream is no error",
            [priority(1, 0), priority(5, 1), get(1)],
            Expect::Answer(1, 200),
        ),
    ]
}

/// The request is complete, the answer waits for its window.
fn half_closed() -> Vec<Case> {
    let half_closed = |says, send: Vec<u8>, expect| {
        case("9113 5.1", says, get(1), expect)
            .with(NO_WINDOW)
            .after_head(1, send)
    };
    vec![
        half_closed(
            "CONTINUATION after END_STREAM is a connection error",
            continuation(1, END_HEADERS, Block::new().field("x", "y")),
            Expect::Connection(Code::PROTOCOL_ERROR),
        ),
        half_closed(
            "WINDOW_UPDATE after END_STREAM is taken",
            window_update(1, 100),
            Expect::Answer(1, 200),
        ),
        half_closed(
            "PRIORITY after END_STREAM is taken",
            [priority(1, 0), window_update(1, 100)].concat(),
            Expect::Answer(1, 200),
        ),
        half_closed(
            "RST_STREAM after END_STREAM ends the stream",
            [reset(1, Code::CANCEL), window_update(1, 100)].concat(),
            Expect::Nothing,
        ),
        half_closed(
            "a frame of unknown type after END_STREAM is ignored",
            [raw(0xbe, 0, 1, []), window_update(1, 100)].concat(),
            Expect::Answer(1, 200),
        ),
    ]
}

fn closed() -> Vec<Case> {
    let stream_closed =
        || Expect::Stream(1, Code::STREAM_CLOSED).or(Expect::Connection(Code::STREAM_CLOSED));
    // Its identifier is not higher than those before, which is PROTOCOL_ERROR by 5.1.1.
    let not_opened = || stream_closed().or(Expect::Connection(Code::PROTOCOL_ERROR));
    let ended =
        |says, send: Vec<u8>, expect| case("9113 5.1", says, get(1), expect).after_end(1, send);
    let was_reset = |says, send: Vec<u8>, expect| {
        case("9113 5.1", says, [post(1), reset(1, Code::CANCEL)], expect).settled(send)
    };
    let trailers = || headers(1, WHOLE, Block::new().field("x", "y"));
    vec![
        ended(
            "HEADERS on a stream that both sides ended are an error",
            get(1),
            not_opened(),
        ),
        ended(
            "CONTINUATION on a stream that both sides ended is an error",
            continuation(1, END_HEADERS, Block::new()),
            not_opened(),
        ),
        ended(
            "WINDOW_UPDATE on a stream that both sides ended is ignored",
            window_update(1, 100),
            Expect::Nothing,
        ),
        ended(
            "RST_STREAM on a stream that both sides ended is ignored",
            reset(1, Code::CANCEL),
            Expect::Nothing,
        ),
        ended(
            "PRIORITY on a stream that both sides ended is ignored",
            priority(1, 0),
            Expect::Nothing,
        ),
        was_reset(
            "HEADERS after the client's own RST_STREAM are an error",
            trailers(),
            not_opened(),
        ),
        was_reset(
            "CONTINUATION after the client's own RST_STREAM is an error",
            continuation(1, END_HEADERS, Block::new()),
            not_opened(),
        ),
        was_reset(
            "PRIORITY, RST_STREAM and WINDOW_UPDATE after the client's own RST_STREAM are ignored",
            [priority(1, 0), reset(1, Code::CANCEL), window_update(1, 1)].concat(),
            Expect::Nothing,
        ),
        case(
            "9113 5.1",
            "what was on its way when the server reset a stream is ignored",
            headers(
                1,
                END_HEADERS,
                Block::post("/echo/x").field("connection", "close"),
            ),
            Expect::Nothing,
        )
        .after_end(1, [data(1, 0, "x"), window_update(1, 1), trailers()]),
    ]
}

fn identifiers() -> Vec<Case> {
    let refused = |says, send: Vec<u8>| {
        case(
            "9113 5.1.1",
            says,
            send,
            Expect::Connection(Code::PROTOCOL_ERROR),
        )
    };
    vec![
        refused(
            "a client that opens an even stream is PROTOCOL_ERROR",
            get(2),
        ),
        refused("a request on stream 0 is PROTOCOL_ERROR", get(0)),
        refused(
            "a stream below one that was opened before is PROTOCOL_ERROR",
            [get(5), get(3)].concat(),
        ),
        case(
            "9113 5.1.1",
            "DATA on a stream that was passed over, and so is closed, is STREAM_CLOSED",
            [get(5), data(3, END_STREAM, "x")],
            Expect::Stream(3, Code::STREAM_CLOSED),
        ),
        case(
            "9113 5.1.1",
            "identifiers may be passed over",
            [get(1), get(9), get(0x7fff_0001)],
            Expect::Answer(0x7fff_0001, 200),
        ),
        case(
            "9113 5.1.1",
            "the highest identifier can be used",
            get(0x7fff_ffff),
            Expect::Answer(0x7fff_ffff, 200),
        )
        .last(),
    ]
}

fn errors() -> Vec<Case> {
    vec![
        case(
            "9113 5.3.1",
            "priority in HEADERS, also on streams that are not there, is no error",
            headers(
                3,
                WHOLE | frame::PRIORITIZED,
                [
                    frame::priority_fields(0x8000_0001, 255),
                    Block::get(PAGE).into(),
                ]
                .concat(),
            ),
            Expect::Answer(3, 200),
        ),
        case(
            "9113 5.3.1",
            "a stream that depends on itself is PROTOCOL_ERROR in RFC 7540, and nothing in RFC 9113",
            headers(
                1,
                WHOLE | frame::PRIORITIZED,
                [frame::priority_fields(1, 255), Block::get(PAGE).into()].concat(),
            ),
            Expect::Stream(1, Code::PROTOCOL_ERROR).or(Expect::Answer(1, 200)),
        ),
        case(
            "9113 5.4.2",
            "RST_STREAM is not answered with RST_STREAM",
            [post(1), reset(1, Code::STREAM_CLOSED)],
            Expect::Nothing,
        ),
        case(
            "9113 7",
            "unknown error codes have no special meaning in RST_STREAM",
            [post(1), reset(1, Code(0xdead_beef))],
            Expect::Nothing,
        ),
        case(
            "9113 5.4.2",
            "a stream error leaves the other streams alone",
            [
                post(1),
                headers(3, WHOLE, Block::get(PAGE).field("upgrade", "x")),
                data(1, END_STREAM, "body"),
            ],
            Expect::Answer(1, 200),
        ),
    ]
}
