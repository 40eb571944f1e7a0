//! What is served, or passed over, although it is an error.

use tessera_tests::frames::frame::{
    self, END_HEADERS, END_STREAM, WHOLE, continuation, data, headers, ping,
};
use tessera_tests::frames::{Block, Code, PREFACE};

use super::super::case::{Case, Expect, PAGE, case};
use super::Deviation;

const MALFORMED: Expect = Expect::Stream(1, Code::PROTOCOL_ERROR);
const ANSWERED: Expect = Expect::Answer(1, 200);

fn get() -> Block {
    Block::get(PAGE)
}

fn post() -> Vec<u8> {
    headers(1, END_HEADERS, Block::post("/echo/x"))
}

fn malformed(section: &'static str, says: &'static str, block: Block, actual: Expect) -> Case {
    case(section, says, headers(1, WHOLE, block), MALFORMED).but(actual)
}

pub(super) fn all() -> Vec<Deviation> {
    let mut all = of_fields();
    all.extend(of_others());
    all
}

fn of_fields() -> Vec<Deviation> {
    vec![
        Deviation {
            title: "A client's first frame may be any",
            cases: first_frames(),
        },
        Deviation {
            title: "Pseudo-header fields in trailers are passed over",
            cases: vec![
                case(
                    "9113 8.1",
                    "pseudo-header fields in trailers are malformed",
                    [
                        post(),
                        data(1, 0, "body"),
                        headers(1, WHOLE, Block::new().field(":method", "POST")),
                    ],
                    MALFORMED,
                )
                .but(ANSWERED),
            ],
        },
        Deviation {
            title: "An empty content-length is 0",
            cases: vec![malformed(
                "9113 8.1.1",
                "an empty content-length is malformed",
                Block::post("/echo/x").field("content-length", ""),
                ANSWERED,
            )],
        },
        Deviation {
            title: "A fragment in :path is cut off",
            cases: vec![malformed(
                "9113 8.3.1",
                ":path with a fragment is malformed",
                Block::get("/a.txt#b"),
                ANSWERED,
            )],
        },
    ]
}

fn of_others() -> Vec<Deviation> {
    vec![Deviation {
        title: "A size update may come after a field, where a frame begins",
        cases: vec![
            case(
                "7541 4.2",
                "a size update after a field is an error",
                [
                    headers(1, END_STREAM, get()),
                    continuation(1, END_HEADERS, Block::new().size_update(0)),
                ],
                Expect::Connection(Code::COMPRESSION_ERROR),
            )
            .but(ANSWERED),
        ],
    }]
}

fn first_frames() -> Vec<Case> {
    let first = |says, frames: Vec<u8>, actual| {
        let send = [PREFACE.to_vec(), frames];
        case(
            "9113 3.4",
            says,
            send,
            Expect::Connection(Code::PROTOCOL_ERROR),
        )
        .unopened()
        .but(actual)
    };
    vec![
        first(
            "a preface that goes on with a request instead of SETTINGS is PROTOCOL_ERROR",
            headers(1, WHOLE, get()),
            ANSWERED,
        ),
        first(
            "a preface that goes on with PING instead of SETTINGS is PROTOCOL_ERROR",
            ping([0; 8]),
            Expect::Nothing,
        ),
        first(
            "a preface that goes on with an acknowledgement instead of SETTINGS is PROTOCOL_ERROR",
            frame::settings_ack(),
            Expect::Nothing,
        ),
    ]
}
