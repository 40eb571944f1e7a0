//! Expect: a client that asks before it sends is told to only by whoever reads the body.

use super::{Case, case, get, play_all, post};

pub(super) fn all() -> Vec<Case> {
    let asks = "Expect: 100-continue\r\n";
    vec![
        case(
            "a component reads it",
            post(&format!("{asks}Content-Length: 3\r\n"), "abc"),
            "100 200 open",
        ),
        case(
            "in upper case",
            post("Expect: 100-CONTINUE\r\nContent-Length: 3\r\n", "abc"),
            "100 200 open",
        ),
        case(
            "in chunks",
            post(
                &format!("{asks}Transfer-Encoding: chunked\r\n"),
                "0\r\n\r\n",
            ),
            "100 200 open",
        ),
        case("there is nothing to send", get(asks), "200 open"),
        case(
            "nobody reads it",
            format!("POST /a.txt HTTP/1.1\r\nHost: a\r\n{asks}Content-Length: 3\r\n\r\n"),
            "405 closed",
        ),
        case(
            "it is too large",
            post(&format!("{asks}Content-Length: 500001\r\n"), ""),
            "413 closed",
        ),
        case(
            "1.0 is not told",
            format!("POST /echo/x HTTP/1.0\r\n{asks}Content-Length: 3\r\n\r\nabc"),
            "200 closed",
        ),
        case("another expectation", get("Expect: foo\r\n"), "417 closed"),
        case("another status", get("Expect: 200-ok\r\n"), "417 closed"),
        case("nothing expected", get("Expect:\r\n"), "417 closed"),
        case(
            "two expectations",
            get("Expect: 100-continue, foo\r\n"),
            "417 closed",
        ),
        case(
            "two fields",
            get("Expect: 100-continue\r\nExpect: foo\r\n"),
            "417 closed",
        ),
    ]
}

#[tokio::test]
async fn who_asks_first_is_told() {
    play_all(all()).await;
}
