//! Requests that do not wait for each other: their answers come in their order, and none is there that was not asked for.

use super::{Case, case, get, play_all, post};

#[expect(clippy::too_many_lines, reason = "it is a table")]
pub(super) fn all() -> Vec<Case> {
    let (one, none) = (get(""), "GET /none HTTP/1.1\r\nHost: a\r\n\r\n");
    let echo = post("Content-Length: 3\r\n", "abc");
    let last = get("Connection: close\r\n");
    vec![
        case("three pages", one.repeat(3), "200 200 200 open"),
        case(
            "a page, a component, nothing",
            [&one, echo.as_str(), none].concat(),
            "200 200 404 open",
        ),
        case(
            "a component before a page",
            [&echo, one.as_str(), &echo].concat(),
            "200 200 200 open",
        ),
        case(
            "an empty line after a body",
            [&echo, "\r\n", &one].concat(),
            "200 200 open",
        ),
        case(
            "a method that nobody knows between them",
            [&one, "FROB /none HTTP/1.1\r\nHost: a\r\n\r\n", &one].concat(),
            "200 501 200 open",
        ),
        case(
            "a bad one after two good ones",
            [&one, echo.as_str(), "GET / HTTP/1.1\r\n\r\n"].concat(),
            "200 200 400 closed",
        ),
        case(
            "a bad one, and good ones after it",
            [&one, "GET / HTTP/1.1\r\n\r\n", &one].concat(),
            "200 400 closed",
        ),
        case(
            "nothing after the last one",
            [&one, last.as_str(), &one].concat(),
            "200 200 closed",
        ),
        case(
            "nonsense after the last one",
            [&one, last.as_str(), "nonsense\r\n\r\n"].concat(),
            "200 200 closed",
        ),
        case(
            "nonsense after a body",
            [&echo, "abc", &one].concat(),
            "200 501 open",
        ),
        case(
            "a body that is longer than it says",
            [&post("Content-Length: 1\r\n", "a"), "b\r\n\r\n"].concat(),
            "200 400 closed",
        ),
        case(
            "a refused HEAD after a page",
            [&one, "HEAD / HTTP/1.1\r\nHost: a b\r\n\r\n"].concat(),
            "200 400- closed",
        ),
        case(
            "a HEAD before a page",
            ["HEAD /a.txt HTTP/1.1\r\nHost: a\r\n\r\n", one.as_str()].concat(),
            "200- 200 open",
        ),
        case(
            "bad chunks after a page",
            [
                &one,
                post("Transfer-Encoding: chunked\r\n", "x\r\n").as_str(),
                &one,
            ]
            .concat(),
            "200 400 closed",
        ),
        case(
            "a hundred, which is as many as there may be",
            one.repeat(101),
            "200 ".repeat(100) + "closed",
        ),
    ]
}

#[tokio::test]
async fn answers_come_in_the_order_of_their_requests() {
    play_all(all()).await;
}
