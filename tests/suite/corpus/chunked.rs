//! Bodies in chunks: for a component that reads them, and for a page, where nobody does.

use super::{Case, case, play_all, post};

const CODING: &str = "Transfer-Encoding: chunked\r\n";

#[expect(clippy::too_many_lines, reason = "it is a table")]
pub(super) fn all() -> Vec<Case> {
    let good = |says, body: &str| case(says, post(CODING, body), "200 open");
    let bad = |says, body: &str| case(says, post(CODING, body), "400 closed");
    let page = |body: &str| format!("GET /a.txt HTTP/1.1\r\nHost: a\r\n{CODING}\r\n{body}");
    vec![
        good("one chunk", "3\r\nabc\r\n0\r\n\r\n"),
        good("two chunks", "1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"),
        good("no chunk", "0\r\n\r\n"),
        good(
            "hexadecimal in both cases",
            "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n",
        ),
        good("zeros before a size", "0003\r\nabc\r\n000\r\n\r\n"),
        good("an extension", "3;a=b\r\nabc\r\n0;c\r\n\r\n"),
        good(
            "an extension in quotes",
            "3;a=\"b;\\\"\"\r\nabc\r\n0\r\n\r\n",
        ),
        good(
            "white space around an extension",
            "3 ; a = b\r\nabc\r\n0\r\n\r\n",
        ),
        good("a trailer", "3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n"),
        good(
            "a trailer that must not be one",
            "3\r\nabc\r\n0\r\nContent-Length: 100\r\nHost: b\r\nTransfer-Encoding: gzip\r\n\r\n",
        ),
        good(
            "a request within a chunk",
            "12\r\nGET / HTTP/1.1\r\n\r\n\r\n0\r\n\r\n",
        ),
        bad("no size", "\r\nabc\r\n0\r\n\r\n"),
        bad("a size that is none", "x\r\nabc\r\n0\r\n\r\n"),
        bad("a prefix", "0x3\r\nabc\r\n0\r\n\r\n"),
        bad("a minus", "-3\r\nabc\r\n0\r\n\r\n"),
        bad("a plus", "+3\r\nabc\r\n0\r\n\r\n"),
        bad("an underscore", "1_0\r\nabc\r\n0\r\n\r\n"),
        bad("a space before the size", " 3\r\nabc\r\n0\r\n\r\n"),
        bad("a space after the size", "3 \r\nabc\r\n0\r\n\r\n"),
        bad("a size of 64 bits", "ffffffffffffffff\r\nabc\r\n0\r\n\r\n"),
        bad(
            "a size that overflows",
            "10000000000000003\r\nabc\r\n0\r\n\r\n",
        ),
        bad("a bare LF after the size", "3\nabc\r\n0\r\n\r\n"),
        bad("a bare CR after the size", "3\rabc\r\n0\r\n\r\n"),
        bad("CR CR LF after the size", "3\r\r\nabc\r\n0\r\n\r\n"),
        bad(
            "a chunk that is longer than its size",
            "3\r\nabcd\r\n0\r\n\r\n",
        ),
        bad(
            "a chunk that is shorter than its size",
            "3\r\nab\r\n0\r\n\r\n",
        ),
        bad("a bare LF after the data", "3\r\nabc\n0\r\n\r\n"),
        bad("nothing after the data", "3\r\nabc0\r\n\r\n"),
        bad("an extension without a name", "3;\r\nabc\r\n0\r\n\r\n"),
        bad("an extension with a bare LF", "3;a\nb\r\nabc\r\n0\r\n\r\n"),
        bad("an extension with NUL", "3;a=\0\r\nabc\r\n0\r\n\r\n"),
        bad(
            "an extension whose quotes are open",
            "3;a=\"b\r\nabc\r\n0\r\n\r\n",
        ),
        bad("a bare LF after the last chunk", "0\n\r\n"),
        bad("a bare LF at the end", "0\r\n\n"),
        bad("a trailer without a colon", "0\r\nabc\r\n\r\n"),
        bad(
            "a trailer with a space before the colon",
            "0\r\nX : y\r\n\r\n",
        ),
        bad("a folded trailer", "0\r\nX: y\r\n z\r\n\r\n"),
        bad("a bare LF after a trailer", "0\r\nX: y\n\r\n"),
        bad("NUL in a trailer", "0\r\nX: \0\r\n\r\n"),
        case(
            "a page is asked for with chunks",
            page("3\r\nabc\r\n0\r\n\r\n"),
            "200 open",
        ),
        case(
            "a page is asked for with bad chunks",
            page("x\r\nabc\r\n0\r\n\r\n"),
            "400 closed",
        ),
        case(
            "chunks for nothing that is there",
            format!("POST /none HTTP/1.1\r\nHost: a\r\n{CODING}\r\n0\r\n\r\n"),
            "404 open",
        ),
    ]
}

#[tokio::test]
async fn chunks_are_what_they_say() {
    play_all(all()).await;
}
