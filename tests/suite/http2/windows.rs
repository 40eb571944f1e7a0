//! RFC 9113, sections 5.2 and 6.9: flow control, as the server reads it.

use tessera_tests::frames::frame::{
    self, DEFAULT_WINDOW, END_HEADERS, END_STREAM, INITIAL_WINDOW_SIZE, WHOLE, WINDOW_UPDATE, data,
    headers, raw, window_update,
};
use tessera_tests::frames::{Block, Code};

use super::case::{Case, Expect, PAGE, case};

const MOST: u32 = i32::MAX as u32;

fn post(stream: u32) -> Vec<u8> {
    headers(stream, END_HEADERS, Block::post("/echo/x"))
}

pub(super) fn cases() -> Vec<Case> {
    [updates(), overflows()].concat()
}

fn updates() -> Vec<Case> {
    vec![
        case(
            "9113 6.9",
            "an increment of 0 on the connection is a connection error PROTOCOL_ERROR",
            window_update(0, 0),
            Expect::Connection(Code::PROTOCOL_ERROR),
        ),
        case(
            "9113 6.9",
            "the reserved bit of an increment is ignored",
            [
                raw(WINDOW_UPDATE, 0, 0, 0x8000_0001_u32.to_be_bytes()),
                headers(1, WHOLE, Block::get(PAGE)),
            ],
            Expect::Answer(1, 200),
        ),
    ]
}

fn overflows() -> Vec<Case> {
    vec![
        case(
            "9113 6.9.1",
            "a stream's window above 2^31-1 is a stream error FLOW_CONTROL_ERROR",
            [post(1), window_update(1, MOST)],
            Expect::Stream(1, Code::FLOW_CONTROL_ERROR),
        ),
        case(
            "9113 6.9.1",
            "the connection's window above 2^31-1 is a connection error FLOW_CONTROL_ERROR",
            [window_update(0, MOST - DEFAULT_WINDOW), window_update(0, 1)],
            Expect::Connection(Code::FLOW_CONTROL_ERROR),
        ),
        case(
            "9113 6.9.1",
            "a window of 2^31-1 is no error",
            [
                post(1),
                window_update(0, MOST - DEFAULT_WINDOW),
                window_update(1, MOST - DEFAULT_WINDOW),
                data(1, END_STREAM, "x"),
            ],
            Expect::Answer(1, 200),
        ),
        case(
            "9113 6.9.2",
            "INITIAL_WINDOW_SIZE that lifts a window above 2^31-1 is a connection error FLOW_CONTROL_ERROR",
            [
                post(1),
                window_update(1, MOST - DEFAULT_WINDOW),
                frame::settings(&[(INITIAL_WINDOW_SIZE, DEFAULT_WINDOW + 1)]),
            ],
            Expect::Connection(Code::FLOW_CONTROL_ERROR),
        ),
    ]
}
