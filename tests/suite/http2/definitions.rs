//! RFC 9113, sections 6.1 to 6.4, 6.6 to 6.8 and 6.10: what each type of frame demands.

use tessera_tests::frames::frame::{
    ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PADDED, PING, PRIORITIZED,
    PUSH_PROMISE, WHOLE, continuation, data, go_away, headers, padded, ping, priority,
    priority_fields, raw, reset,
};
use tessera_tests::frames::{Block, Code};

use super::case::{Case, Expect, PAGE, case};

fn post(stream: u32) -> Vec<u8> {
    headers(stream, END_HEADERS, Block::post("/echo/x"))
}

fn block() -> Vec<u8> {
    Block::get(PAGE).into()
}

pub(super) fn cases() -> Vec<Case> {
    [
        data_frames(),
        headers_frames(),
        priority_and_reset(),
        push_promise(),
        ping_and_go_away(),
        continuations(),
    ]
    .concat()
}

fn data_frames() -> Vec<Case> {
    let sent = |says, flags, payload: Vec<u8>, expect| {
        let body = data(1, END_STREAM | flags, payload);
        case("9113 6.1", says, [post(1), body], expect)
    };
    let protocol_error = Expect::Connection(Code::PROTOCOL_ERROR);
    vec![
        case(
            "9113 6.1",
            "DATA on stream 0 is PROTOCOL_ERROR",
            data(0, END_STREAM, "x"),
            protocol_error.clone(),
        ),
        sent(
            "padding is no part of the data",
            PADDED,
            padded(5, "body", 5),
            Expect::Answer(1, 200),
        ),
        sent(
            "padding may be of length 0",
            PADDED,
            padded(0, "x", 0),
            Expect::Answer(1, 200),
        ),
        sent(
            "padding may be all of a frame",
            PADDED,
            padded(255, "", 255),
            Expect::Answer(1, 200),
        ),
        sent(
            "padding as long as the payload is PROTOCOL_ERROR",
            PADDED,
            padded(6, "body", 1),
            protocol_error.clone(),
        ),
        sent(
            "padding longer than the payload is PROTOCOL_ERROR",
            PADDED,
            padded(200, "body", 5),
            protocol_error,
        ),
        sent("DATA may be empty", 0, Vec::new(), Expect::Answer(1, 200)),
    ]
}

fn headers_frames() -> Vec<Case> {
    let sent = |says, flags, payload: Vec<u8>, expect| {
        case("9113 6.2", says, headers(1, WHOLE | flags, payload), expect)
    };
    let protocol_error = Expect::Connection(Code::PROTOCOL_ERROR);
    let both = |pad, padding| {
        let inner = [priority_fields(0, 15), block()].concat();
        padded(pad, inner, padding)
    };
    vec![
        case(
            "9113 6.2",
            "HEADERS on stream 0 are PROTOCOL_ERROR",
            raw(HEADERS, WHOLE, 0, block()),
            protocol_error.clone(),
        ),
        sent(
            "padding is no part of the header block",
            PADDED,
            padded(9, block(), 9),
            Expect::Answer(1, 200),
        ),
        sent(
            "priority is no part of the header block",
            PRIORITIZED,
            [priority_fields(0, 15), block()].concat(),
            Expect::Answer(1, 200),
        ),
        sent(
            "padding and priority may come together",
            PADDED | PRIORITIZED,
            both(3, 3),
            Expect::Answer(1, 200),
        ),
        sent(
            "padding longer than the payload is PROTOCOL_ERROR",
            PADDED,
            padded(200, block(), 3),
            protocol_error.clone(),
        ),
        sent(
            "padding longer than what follows the priority is PROTOCOL_ERROR",
            PADDED | PRIORITIZED,
            padded(4, priority_fields(0, 15), 3),
            protocol_error,
        ),
        case(
            "9113 6.2",
            "HEADERS without END_HEADERS go on in CONTINUATION",
            [
                headers(1, END_STREAM, []),
                continuation(1, END_HEADERS, block()),
            ],
            Expect::Answer(1, 200),
        ),
    ]
}

fn priority_and_reset() -> Vec<Case> {
    vec![
        case(
            "9113 6.3",
            "PRIORITY on stream 0 is PROTOCOL_ERROR",
            priority(0, 1),
            Expect::Connection(Code::PROTOCOL_ERROR),
        ),
        case(
            "9113 6.3",
            "PRIORITY may come at any time within a request",
            [post(1), priority(1, 7), data(1, END_STREAM, "x")],
            Expect::Answer(1, 200),
        ),
        case(
            "9113 6.4",
            "RST_STREAM on stream 0 is PROTOCOL_ERROR",
            reset(0, Code::CANCEL),
            Expect::Connection(Code::PROTOCOL_ERROR),
        ),
        case(
            "9113 6.4",
            "RST_STREAM ends a request",
            [post(1), reset(1, Code::CANCEL)],
            Expect::Nothing,
        ),
    ]
}

fn push_promise() -> Vec<Case> {
    let promise = [2_u32.to_be_bytes().to_vec(), block()].concat();
    let sent = |says, send: Vec<u8>| {
        case(
            "9113 6.6",
            says,
            send,
            Expect::Connection(Code::PROTOCOL_ERROR),
        )
    };
    vec![
        sent(
            "PUSH_PROMISE of a client on an open stream is PROTOCOL_ERROR",
            [post(1), raw(PUSH_PROMISE, END_HEADERS, 1, promise.clone())].concat(),
        ),
        sent(
            "PUSH_PROMISE of a client on an idle stream is PROTOCOL_ERROR",
            raw(PUSH_PROMISE, END_HEADERS, 1, promise.clone()),
        ),
        sent(
            "PUSH_PROMISE of a client on stream 0 is PROTOCOL_ERROR",
            raw(PUSH_PROMISE, END_HEADERS, 0, promise),
        ),
    ]
}

fn ping_and_go_away() -> Vec<Case> {
    let protocol_error = Expect::Connection(Code::PROTOCOL_ERROR);
    vec![
        case(
            "9113 6.7",
            "PING on a stream is PROTOCOL_ERROR",
            raw(PING, 0, 1, [0; 8]),
            protocol_error.clone(),
        ),
        case(
            "9113 6.7",
            "an acknowledgement of a PING that was not sent is ignored",
            raw(PING, ACK, 0, *b"unasked!"),
            Expect::Nothing,
        ),
        case(
            "9113 6.7",
            "PING may come within a request",
            [post(1), ping([7; 8]), data(1, END_STREAM, "x")],
            Expect::Answer(1, 200),
        ),
        case(
            "9113 6.8",
            "GOAWAY on a stream is PROTOCOL_ERROR",
            raw(GOAWAY, 0, 1, [0; 8]),
            protocol_error.clone(),
        ),
        case(
            "9113 6.8",
            "GOAWAY that raises the last stream is an error",
            [
                post(1),
                go_away(2, Code::NO_ERROR),
                go_away(4, Code::NO_ERROR),
            ],
            protocol_error,
        ),
    ]
}

fn continuations() -> Vec<Case> {
    let begun = || headers(1, END_STREAM, Block::get(PAGE));
    let protocol_error = Expect::Connection(Code::PROTOCOL_ERROR);
    let pieces = || {
        let block = block();
        let (first, rest) = block.split_at(3);
        let rest = rest.chunks(20).flat_map(|part| continuation(1, 0, part));
        [headers(1, END_STREAM, first), rest.collect()].concat()
    };
    vec![
        case(
            "9113 6.10",
            "a header block may be cut anywhere, and go on in any number of frames",
            [pieces(), continuation(1, END_HEADERS, [])],
            Expect::Answer(1, 200),
        ),
        case(
            "9113 6.10",
            "CONTINUATION on stream 0 is PROTOCOL_ERROR",
            [begun(), raw(CONTINUATION, END_HEADERS, 0, [])],
            protocol_error.clone(),
        ),
        case(
            "9113 6.10",
            "CONTINUATION without HEADERS before is PROTOCOL_ERROR",
            continuation(1, END_HEADERS, block()),
            protocol_error.clone(),
        ),
        case(
            "9113 6.10",
            "CONTINUATION after HEADERS with END_HEADERS is PROTOCOL_ERROR",
            [post(1), continuation(1, END_HEADERS, [])],
            protocol_error.clone(),
        ),
        case(
            "9113 6.10",
            "CONTINUATION after CONTINUATION with END_HEADERS is PROTOCOL_ERROR",
            [
                headers(1, 0, Block::post("/echo/x")),
                continuation(1, 0, []),
                continuation(1, END_HEADERS, []),
                continuation(1, END_HEADERS, []),
            ],
            protocol_error.clone(),
        ),
        case(
            "9113 6.10",
            "CONTINUATION after DATA is PROTOCOL_ERROR",
            [
                post(1),
                raw(DATA, 0, 1, "x"),
                continuation(1, END_HEADERS, []),
            ],
            protocol_error,
        ),
        case(
            "9113 6.10",
            "END_STREAM has no meaning in CONTINUATION",
            [
                headers(1, 0, Block::post("/echo/x")),
                continuation(1, END_HEADERS | END_STREAM, []),
                data(1, END_STREAM, "x"),
            ],
            Expect::Answer(1, 200),
        ),
    ]
}
