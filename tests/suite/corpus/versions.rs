//! Versions: the two that are spoken, and all others.

use super::{Case, case, play_all};

pub(super) fn all() -> Vec<Case> {
    let ask = |version: &str| format!("GET /a.txt {version}\r\nHost: a\r\n\r\n");
    vec![
        case("1.0 ends the connection", ask("HTTP/1.0"), "200 closed"),
        case(
            "1.0 needs no host",
            "GET /a.txt HTTP/1.0\r\n\r\n",
            "200 closed",
        ),
        case(
            "1.0 may be kept",
            "GET /a.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
            "200 open",
        ),
        case(
            "1.0 has no transfer codings",
            "POST /echo/x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "400 closed",
        ),
        case(
            "1.0 has two hosts",
            "GET /a.txt HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n",
            "400 closed",
        ),
        case("1.2 is like 1.1", ask("HTTP/1.2"), "200 open"),
        case("1.9 is like 1.1", ask("HTTP/1.9"), "200 open"),
        case(
            "1.9 needs a host",
            "GET /a.txt HTTP/1.9\r\n\r\n",
            "400 closed",
        ),
        case("2.0 is spoken otherwise", ask("HTTP/2.0"), "505 closed"),
        case("3.0", ask("HTTP/3.0"), "505 closed"),
        case("0.9 with fields", ask("HTTP/0.9"), "505 closed"),
        case("9.9", ask("HTTP/9.9"), "505 closed"),
        case("0.9 as it was", "GET /a.txt\r\n", "400 closed"),
        case(
            "a preface of HTTP/2 that goes wrong",
            "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
            "505 closed",
        ),
        case("two digits", ask("HTTP/1.10"), "400 closed"),
        case("leading zero", ask("HTTP/01.1"), "400 closed"),
        case("no minor version", ask("HTTP/1"), "400 closed"),
        case("a comma", ask("HTTP/1,1"), "400 closed"),
        case("lower case", ask("http/1.1"), "400 closed"),
        case("another protocol", ask("HTTPS/1.1"), "400 closed"),
        case("a space within", ask("HTTP /1.1"), "400 closed"),
        case("not a number", ask("HTTP/1.x"), "400 closed"),
        case("a minus", ask("HTTP/-1.1"), "400 closed"),
    ]
}

#[tokio::test]
async fn versions_are_one_dot_something() {
    play_all(all()).await;
}
