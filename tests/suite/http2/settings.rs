//! RFC 9113, section 6.5: SETTINGS, and what each value demands.

use tessera_tests::frames::frame::{
    self, ACK, ENABLE_PUSH, HEADER_TABLE_SIZE, INITIAL_WINDOW_SIZE, MAX_CONCURRENT_STREAMS,
    MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE, SETTINGS, WHOLE, headers, raw,
};
use tessera_tests::frames::{Block, Code};

use super::case::{Case, Expect, PAGE, case};

pub(super) fn cases() -> Vec<Case> {
    [form(), values()].concat()
}

fn form() -> Vec<Case> {
    let wrong = |says, flags, stream, length, code| {
        let send = raw(SETTINGS, flags, stream, vec![0; length]);
        case("9113 6.5", says, send, Expect::Connection(code))
    };
    vec![
        wrong(
            "SETTINGS on a stream are PROTOCOL_ERROR",
            0,
            1,
            6,
            Code::PROTOCOL_ERROR,
        ),
        wrong(
            "an acknowledgement on a stream is PROTOCOL_ERROR",
            ACK,
            1,
            0,
            Code::PROTOCOL_ERROR,
        ),
        case(
            "9113 6.5",
            "SETTINGS may come at any time, and be empty",
            [frame::settings(&[]), headers(1, WHOLE, Block::get(PAGE))],
            Expect::Answer(1, 200),
        ),
    ]
}

fn values() -> Vec<Case> {
    let refused = |says, name, value, code| {
        let send = frame::settings(&[(name, value)]);
        case("9113 6.5.2", says, send, Expect::Connection(code))
    };
    let taken = |says, values: &[(u16, u32)]| {
        let request = headers(1, WHOLE, Block::get(PAGE));
        let send = [frame::settings(values), request];
        case("9113 6.5.2", says, send, Expect::Answer(1, 200))
    };
    let protocol_error = Code::PROTOCOL_ERROR;
    vec![
        refused(
            "ENABLE_PUSH of 2 is PROTOCOL_ERROR",
            ENABLE_PUSH,
            2,
            protocol_error,
        ),
        refused(
            "MAX_FRAME_SIZE below 2^14 is PROTOCOL_ERROR",
            MAX_FRAME_SIZE,
            (1 << 14) - 1,
            protocol_error,
        ),
        refused(
            "MAX_FRAME_SIZE of 2^24 is PROTOCOL_ERROR",
            MAX_FRAME_SIZE,
            1 << 24,
            protocol_error,
        ),
        taken(
            "unknown settings are ignored",
            &[(0xff, 1), (0, 7), (9, u32::MAX)],
        ),
        taken(
            "ENABLE_PUSH may be 0 or 1",
            &[(ENABLE_PUSH, 1), (ENABLE_PUSH, 0)],
        ),
        taken(
            "the largest values are taken",
            &[
                (HEADER_TABLE_SIZE, u32::MAX),
                (MAX_CONCURRENT_STREAMS, u32::MAX),
                (INITIAL_WINDOW_SIZE, i32::MAX as u32),
                (MAX_FRAME_SIZE, (1 << 24) - 1),
                (MAX_HEADER_LIST_SIZE, u32::MAX),
            ],
        ),
        taken(
            "MAX_CONCURRENT_STREAMS of 0 is no error",
            &[(MAX_CONCURRENT_STREAMS, 0)],
        ),
        taken(
            "values count in the order in which they come",
            &[(INITIAL_WINDOW_SIZE, 0), (INITIAL_WINDOW_SIZE, 100)],
        ),
        case(
            "9113 6.5.3",
            "of a value that comes twice the last one counts",
            frame::settings(&[(INITIAL_WINDOW_SIZE, 100), (INITIAL_WINDOW_SIZE, 1)]),
            Expect::Nothing,
        ),
    ]
}
