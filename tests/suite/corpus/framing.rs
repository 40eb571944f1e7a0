//! Where a request ends: what a proxy and a server could see in two ways is seen in none.

use super::{Case, case, play_all, post};

/// Inside of a body, for whoever takes that to end before it.
const INNER: &str = "GET /sub/ HTTP/1.1\r\nHost: a\r\n\r\n";

#[expect(clippy::too_many_lines, reason = "it is a table")]
pub(super) fn all() -> Vec<Case> {
    let chunked = "0\r\n\r\n";
    let smuggled = format!("{chunked}{INNER}");
    let bad = |says, fields: &str| case(says, post(fields, &smuggled), "400 closed");
    let unknown = |says, fields: &str| case(says, post(fields, &smuggled), "501 closed");
    let length = |says, length: &str| {
        case(
            says,
            post(&format!("Content-Length:{length}\r\n"), "abc"),
            "400 closed",
        )
    };
    vec![
        case("a length", post("Content-Length: 3\r\n", "abc"), "200 open"),
        case(
            "a length with zeros before it",
            post("Content-Length: 0003\r\n", "abc"),
            "200 open",
        ),
        case(
            "a length of nothing",
            post("Content-Length: 0\r\n", ""),
            "200 open",
        ),
        case("no length", post("", ""), "200 open"),
        case(
            "a GET with a body",
            format!(
                "GET /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{INNER}",
                INNER.len()
            ),
            "200 open",
        ),
        case(
            "a request within a body",
            post(&format!("Content-Length: {}\r\n", INNER.len()), INNER),
            "200 open",
        ),
        case(
            "a length in upper case",
            post("CONTENT-LENGTH: 3\r\n", "abc"),
            "200 open",
        ),
        case(
            "a length with an underscore is none",
            post("Content_Length: 3\r\n", ""),
            "200 open",
        ),
        length("a plus", " +3"),
        length("a minus", " -3"),
        length("hexadecimal", " 0x3"),
        length("a fraction", " 3.0"),
        length("an exponent", " 3e0"),
        length("a word", " three"),
        length("empty", ""),
        length("two in one", " 3, 3"),
        length("two words", " 3 3"),
        length("a comma after it", " 3,"),
        length("quotes", " \"3\""),
        length("a vertical tab", " \u{b}3"),
        case(
            "a length of too many digits",
            post("Content-Length: 18446744073709551619\r\n", "abc"),
            "413 closed",
        ),
        case(
            "a length that overflows",
            post("Content-Length: 18446744073709551615\r\n", "abc"),
            "413 closed",
        ),
        case(
            "the same length twice",
            post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc"),
            "400 closed",
        ),
        case(
            "two lengths",
            post("Content-Length: 3\r\nContent-Length: 4\r\n", "abcd"),
            "400 closed",
        ),
        case(
            "two lengths, one empty",
            post("Content-Length: 3\r\nContent-Length:\r\n", "abc"),
            "400 closed",
        ),
        bad(
            "a length, then chunks",
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        ),
        bad(
            "chunks, then a length",
            "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        ),
        bad(
            "chunks, and a length of 0",
            "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n",
        ),
        bad(
            "chunks twice",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        ),
        bad(
            "chunks in chunks",
            "Transfer-Encoding: chunked, chunked\r\n",
        ),
        bad(
            "chunks within another coding",
            "Transfer-Encoding: chunked, identity\r\n",
        ),
        bad(
            "chunks, and another field",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        ),
        bad("no coding", "Transfer-Encoding:\r\n"),
        bad("a comma before chunked", "Transfer-Encoding: ,chunked\r\n"),
        bad(
            "quotes around chunked",
            "Transfer-Encoding: \"chunked\"\r\n",
        ),
        bad(
            "a space before the colon",
            "Transfer-Encoding : chunked\r\n",
        ),
        bad(
            "a space before the name",
            "X: y\r\n Transfer-Encoding: chunked\r\n",
        ),
        bad(
            "a tab before the name",
            "X: y\r\n\tTransfer-Encoding: chunked\r\n",
        ),
        bad("a folded coding", "Transfer-Encoding:\r\n chunked\r\n"),
        bad(
            "a vertical tab before chunked",
            "Transfer-Encoding: \u{b}chunked\r\n",
        ),
        bad(
            "a form feed after chunked",
            "Transfer-Encoding: chunked\u{c}\r\n",
        ),
        bad("NUL after chunked", "Transfer-Encoding: chunked\0\r\n"),
        bad(
            "a bare CR before it",
            "X: y\rTransfer-Encoding: chunked\r\n",
        ),
        bad(
            "a bare LF before it",
            "X: y\nTransfer-Encoding: chunked\r\n",
        ),
        bad("LF CR before it", "X: y\n\rTransfer-Encoding: chunked\r\n"),
        bad("no colon", "Transfer-Encoding chunked\r\n"),
        unknown(
            "a coding of another name",
            "Transfer-Encoding: xchunked\r\n",
        ),
        unknown("a coding of half a name", "Transfer-Encoding: chunk\r\n"),
        unknown("identity", "Transfer-Encoding: identity\r\n"),
        unknown("gzip in chunks", "Transfer-Encoding: gzip, chunked\r\n"),
        unknown("a coding that is not there", "Transfer-Encoding: cow\r\n"),
        case(
            "chunked in upper case",
            post("Transfer-Encoding: CHUNKED\r\n", chunked),
            "200 open",
        ),
        case(
            "chunked with white space around it",
            post("Transfer-Encoding: \t chunked \t\r\n", chunked),
            "200 open",
        ),
        case(
            "a coding with an underscore is none",
            post("Transfer_Encoding: chunked\r\n", ""),
            "200 open",
        ),
        case(
            "a coding that the connection field names",
            post(
                "Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n",
                chunked,
            ),
            "200 open",
        ),
    ]
}

#[tokio::test]
async fn a_request_has_one_end() {
    play_all(all()).await;
}
