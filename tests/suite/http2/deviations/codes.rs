//! Errors that end the connection as they should, under another code.

use tessera_tests::frames::frame::{
    self, ACK, DATA, END_HEADERS, GOAWAY, HEADERS, INITIAL_WINDOW_SIZE, PADDED, PING, PRIORITIZED,
    RST_STREAM, SETTINGS, WHOLE, WINDOW_UPDATE, headers, raw,
};
use tessera_tests::frames::{Block, Code};

use super::super::case::{Case, Expect, case};
use super::super::hpack;
use super::Deviation;

const ENDED: Expect = Expect::Connection(Code::PROTOCOL_ERROR);

pub(super) fn all() -> Vec<Deviation> {
    vec![
        Deviation {
            title: "A frame of a wrong length is PROTOCOL_ERROR",
            cases: lengths(),
        },
        Deviation {
            title: "A window size above 2^31-1 is PROTOCOL_ERROR",
            cases: vec![
                case(
                    "9113 6.5.2",
                    "INITIAL_WINDOW_SIZE of 2^31 is FLOW_CONTROL_ERROR",
                    frame::settings(&[(INITIAL_WINDOW_SIZE, 1 << 31)]),
                    Expect::Connection(Code::FLOW_CONTROL_ERROR),
                )
                .but(ENDED),
            ],
        },
        Deviation {
            title: "A header block that cannot be decoded is PROTOCOL_ERROR",
            cases: hpack::undecodable(),
        },
    ]
}

/// Section, rule, and the frame: type, flags, stream, length.
type Wrong = (&'static str, &'static str, u8, u8, u32, usize);

const LENGTHS: &[Wrong] = &[
    (
        "9113 6.4",
        "RST_STREAM of 3 bytes is FRAME_SIZE_ERROR",
        RST_STREAM,
        0,
        1,
        3,
    ),
    (
        "9113 6.4",
        "RST_STREAM of 5 bytes is FRAME_SIZE_ERROR",
        RST_STREAM,
        0,
        1,
        5,
    ),
    (
        "9113 6.5",
        "an acknowledgement with a payload is FRAME_SIZE_ERROR",
        SETTINGS,
        ACK,
        0,
        6,
    ),
    (
        "9113 6.5",
        "SETTINGS of 3 bytes are FRAME_SIZE_ERROR",
        SETTINGS,
        0,
        0,
        3,
    ),
    (
        "9113 6.5",
        "SETTINGS of 8 bytes are FRAME_SIZE_ERROR",
        SETTINGS,
        0,
        0,
        8,
    ),
    (
        "9113 6.7",
        "PING of 6 bytes is FRAME_SIZE_ERROR",
        PING,
        0,
        0,
        6,
    ),
    (
        "9113 6.7",
        "PING of 9 bytes is FRAME_SIZE_ERROR",
        PING,
        0,
        0,
        9,
    ),
    (
        "9113 4.2",
        "GOAWAY of 7 bytes is FRAME_SIZE_ERROR",
        GOAWAY,
        0,
        0,
        7,
    ),
    (
        "9113 6.9",
        "WINDOW_UPDATE of 3 bytes is FRAME_SIZE_ERROR",
        WINDOW_UPDATE,
        0,
        0,
        3,
    ),
    (
        "9113 6.9",
        "WINDOW_UPDATE of 5 bytes on a stream is FRAME_SIZE_ERROR",
        WINDOW_UPDATE,
        0,
        1,
        5,
    ),
    (
        "9113 4.2",
        "padded DATA without a length of padding is FRAME_SIZE_ERROR",
        DATA,
        PADDED,
        1,
        0,
    ),
    (
        "9113 4.2",
        "padded HEADERS without it are FRAME_SIZE_ERROR",
        HEADERS,
        WHOLE | PADDED,
        3,
        0,
    ),
    (
        "9113 4.2",
        "HEADERS with half a priority are FRAME_SIZE_ERROR",
        HEADERS,
        WHOLE | PRIORITIZED,
        3,
        4,
    ),
];

fn lengths() -> Vec<Case> {
    let wrong = |&(section, says, kind, flags, stream, length): &Wrong| {
        let post = headers(1, END_HEADERS, Block::post("/echo/x"));
        let send = [post, raw(kind, flags, stream, vec![0; length])];
        let expect = Expect::Connection(Code::FRAME_SIZE_ERROR);
        case(section, says, send, expect).but(ENDED)
    };
    LENGTHS.iter().map(wrong).collect()
}
