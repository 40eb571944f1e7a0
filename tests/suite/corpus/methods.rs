//! Methods: known, unknown, and those for proxies.

use super::{Case, case, play_all};

pub(super) fn all() -> Vec<Case> {
    let ask = |method: &str, target: &str| format!("{method} {target} HTTP/1.1\r\nHost: a\r\n\r\n");
    vec![
        case("HEAD of a page", ask("HEAD", "/a.txt"), "200- open"),
        case("HEAD of nothing", ask("HEAD", "/none"), "404- open"),
        case("HEAD of a component", ask("HEAD", "/echo/x"), "200- open"),
        case("OPTIONS of all", ask("OPTIONS", "*"), "204- open"),
        case("OPTIONS of a page", ask("OPTIONS", "/a.txt"), "204- open"),
        case("POST to a page", ask("POST", "/a.txt"), "405 open"),
        case("PUT to a page", ask("PUT", "/a.txt"), "405 open"),
        case("DELETE of a page", ask("DELETE", "/a.txt"), "405 open"),
        case("TRACE", ask("TRACE", "/a.txt"), "405 open"),
        case(
            "a method of its own for a component",
            ask("PROPFIND", "/echo/x"),
            "200 open",
        ),
        case(
            "a method that nobody knows",
            ask("FROB", "/none"),
            "501 open",
        ),
        case(
            "lower case is another method",
            ask("get", "/none"),
            "501 open",
        ),
        case("32 characters", ask(&"M".repeat(32), "/none"), "501 open"),
        case("33 characters", ask(&"M".repeat(33), "/none"), "501 closed"),
        case(
            "a method that does not end",
            "M".repeat(70_000),
            "501 closed",
        ),
        case("CONNECT", ask("CONNECT", "a.example:443"), "501 closed"),
        case("CONNECT to a path", ask("CONNECT", "/a.txt"), "501 closed"),
        case("a parenthesis", ask("GE(T", "/a.txt"), "400 closed"),
        case("an at sign", ask("@GET", "/a.txt"), "400 closed"),
        case("a colon", ask("GET:", "/a.txt"), "400 closed"),
        case("UTF-8", ask("G\u{cb}T", "/a.txt"), "400 closed"),
        case("the asterisk for HEAD", ask("HEAD", "*"), "400- closed"),
        case(
            "HEAD that is refused",
            "HEAD /a.txt HTTP/1.1\r\n\r\n",
            "400- closed",
        ),
    ]
}

#[tokio::test]
async fn methods_are_taken_for_what_they_are() {
    play_all(all()).await;
}
