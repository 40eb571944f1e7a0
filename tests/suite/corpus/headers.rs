//! Fields: names, values, and the ends of lines.

use super::{Case, case, get, play_all};

#[expect(clippy::too_many_lines, reason = "it is a table")]
pub(super) fn all() -> Vec<Case> {
    let good = |says, fields: &str| case(says, get(fields), "200 open");
    let bad = |says, fields: &str| case(says, get(fields), "400 closed");
    vec![
        good("all that a name may hold", "!#$%&'*+-.^_`|~09azAZ: b\r\n"),
        good("an empty value", "X:\r\n"),
        good("a value of white space", "X: \t \r\n"),
        good("tabs in a value", "X: a\tb\r\n"),
        good("UTF-8 in a value", "X: \u{fc}\r\n"),
        good("a value with colons", "X: a:b:c\r\n"),
        good("the same field twice", "X: a\r\nX: b\r\n"),
        good("a hundred fields", &"X: a\r\n".repeat(99)),
        bad("no name", ": a\r\n"),
        bad("no colon", "X\r\n"),
        bad("no colon but text", "X a\r\n"),
        bad("a space before the colon", "X : a\r\n"),
        bad("a tab before the colon", "X\t: a\r\n"),
        bad("a space in a name", "X Y: a\r\n"),
        bad("a line that goes on in the next", "X: a\r\n b\r\n"),
        bad("a line that goes on after a tab", "X: a\r\n\tb\r\n"),
        bad("a line of white space", "X: a\r\n \r\n"),
        bad("UTF-8 in a name", "\u{fc}: a\r\n"),
        bad("NUL in a name", "X\0: a\r\n"),
        bad("DEL in a name", "X\u{7f}: a\r\n"),
        bad("a slash in a name", "X/Y: a\r\n"),
        bad("brackets in a name", "X[0]: a\r\n"),
        bad("quotes in a name", "\"X\": a\r\n"),
        bad("a comma in a name", "X,Y: a\r\n"),
        bad("an at sign in a name", "X@Y: a\r\n"),
        bad("NUL in a value", "X: a\0b\r\n"),
        bad("a bell in a value", "X: a\u{7}b\r\n"),
        bad("DEL in a value", "X: a\u{7f}b\r\n"),
        bad("a bare CR in a value", "X: a\rb\r\n"),
        bad("a bare CR at the end of a value", "X: a\r\r\n"),
        bad("a bare LF between fields", "X: a\nY: b\r\n"),
        bad("LF CR between fields", "X: a\n\rY: b\r\n"),
        case(
            "bare LFs everywhere",
            "GET /a.txt HTTP/1.1\nHost: a\n\n",
            "400 closed",
        ),
        case(
            "a bare LF at the end",
            "GET /a.txt HTTP/1.1\r\nHost: a\r\n\n",
            "400 closed",
        ),
        case(
            "a bare CR at the end",
            "GET /a.txt HTTP/1.1\r\nHost: a\r\n\rX",
            "400 closed",
        ),
        case(
            "a field that looks like a request",
            get("GET http://b/ HTTP/1.1\r\n"),
            "400 closed",
        ),
        case(
            "an upgrade that is not wanted",
            get("Connection: Upgrade\r\nUpgrade: websocket\r\n"),
            "200 open",
        ),
        case(
            "an upgrade to HTTP/2",
            get(
                "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
            ),
            "200 open",
        ),
        case(
            "connection: close",
            get("Connection: close\r\n"),
            "200 closed",
        ),
        case(
            "connection: close, among others",
            get("Connection: x, Close\r\n"),
            "200 closed",
        ),
        case(
            "connection: close and keep-alive",
            get("Connection: close\r\nConnection: keep-alive\r\n"),
            "200 closed",
        ),
    ]
}

#[tokio::test]
async fn fields_are_a_name_and_a_value() {
    play_all(all()).await;
}
