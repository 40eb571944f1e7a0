//! Sizes: of targets, fields, heads and bodies, at their limits and beyond.

use super::{Case, case, get, play_all, post, target};

#[expect(clippy::too_many_lines, reason = "it is a table")]
pub(super) fn all() -> Vec<Case> {
    let path = |length: usize| target(&format!("/{}", "a/".repeat(length / 2 - 1) + "b"));
    let field = |length: usize| get(&format!("X: {}\r\n", "a".repeat(length)));
    let chunks = |count: usize| {
        format!(
            "{}0\r\n\r\n",
            format!("400\r\n{}\r\n", "a".repeat(1024)).repeat(count)
        )
    };
    let chunked = "Transfer-Encoding: chunked\r\n";
    vec![
        case("the longest target", path(8192), "404 open"),
        case("one that is longer", path(8194), "414 closed"),
        case("a target of 100 KiB", path(102_400), "414 closed"),
        case(
            "a query of 16 KiB",
            target(&format!("/a.txt?{}", "a".repeat(16_384))),
            "414 closed",
        ),
        case(
            "a target that does not end",
            format!("GET /{}", "a".repeat(10_000)),
            "414 closed",
        ),
        case("a field of 16 KiB less", field(16_000), "200 open"),
        case("a field of 16 KiB", field(16_384), "431 closed"),
        case("a field of 100 KiB", field(102_400), "431 closed"),
        case(
            "a name of 20 KiB",
            get(&format!("{}: a\r\n", "X".repeat(20_480))),
            "431 closed",
        ),
        case(
            "a field that does not end",
            format!("GET / HTTP/1.1\r\nX: {}", "a".repeat(20_000)),
            "431 closed",
        ),
        case(
            "a head of 60 KiB",
            get(&format!("X: {}\r\n", "a".repeat(10_000)).repeat(6)),
            "200 open",
        ),
        case(
            "a head of 70 KiB",
            get(&format!("X: {}\r\n", "a".repeat(10_000)).repeat(7)),
            "431 closed",
        ),
        case("101 fields", get(&"X: a\r\n".repeat(100)), "431 closed"),
        case("1000 fields", get(&"X: a\r\n".repeat(1000)), "431 closed"),
        case(
            "the largest body",
            post("Content-Length: 500000\r\n", &"a".repeat(500_000)),
            "200 open",
        ),
        case(
            "a larger one",
            post("Content-Length: 500001\r\n", &"a".repeat(500_001)),
            "413 closed",
        ),
        case(
            "a much larger one, that does not come",
            post("Content-Length: 1000000000000\r\n", ""),
            "413 closed",
        ),
        case(
            "a large one in chunks",
            post(chunked, &chunks(488)),
            "200 open",
        ),
        case(
            "a larger one in chunks, of which the component says so itself",
            post(chunked, &chunks(489)),
            "200 open",
        ),
        case(
            "many extensions",
            post(
                chunked,
                &format!("{}0\r\n\r\n", "1;abcdefgh\r\na\r\n".repeat(1000)),
            ),
            "400 closed",
        ),
        case(
            "many trailers",
            post(chunked, &format!("0\r\n{}\r\n", "X: a\r\n".repeat(1000))),
            "400 closed",
        ),
        case(
            "a small body that nobody reads",
            format!(
                "DELETE /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{}",
                "a".repeat(1000)
            ),
            "405 open",
        ),
        case(
            "a large body that nobody reads",
            format!(
                "DELETE /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n{}",
                "a".repeat(200_000)
            ),
            "405 closed",
        ),
    ]
}

#[tokio::test]
async fn whatever_is_too_large_is_refused() {
    play_all(all()).await;
}
