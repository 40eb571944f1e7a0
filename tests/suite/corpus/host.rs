//! The Host field: there, once, and a host.

use super::{Case, case, play_all};

pub(super) fn all() -> Vec<Case> {
    let host = |host: &str| format!("GET /a.txt HTTP/1.1\r\nHost:{host}\r\n\r\n");
    let bad = |says, value: &str| case(says, host(value), "400 closed");
    let good = |says, value: &str| case(says, host(value), "200 open");
    vec![
        good("a name", " a.example"),
        good("a name with a port", " a.example:8080"),
        good("an address", " 127.0.0.1:80"),
        good("an IPv6 address", " [::1]"),
        good("an IPv6 address with a port", " [::1]:8080"),
        good("upper case", " A.EXAMPLE"),
        good("no white space", "a"),
        good("more white space", " \t a \t "),
        good("an underscore", " a_b"),
        good("a colon and no port", " a:"),
        case("none", "GET /a.txt HTTP/1.1\r\n\r\n", "400 closed"),
        case(
            "the same twice",
            "GET /a.txt HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
            "400 closed",
        ),
        case(
            "two",
            "GET /a.txt HTTP/1.1\r\nHost: a\r\nX: y\r\nhost: b\r\n\r\n",
            "400 closed",
        ),
        bad("empty", ""),
        bad("white space", "  "),
        bad("a list", " a, b"),
        bad("a list without space", " a,b"),
        bad("two words", " a b"),
        bad("a user", " user@a"),
        bad("a user and a password", " user:pass@a"),
        bad("a path", " a/b"),
        bad("a path to another host", " a/@b"),
        bad("a query", " a?b"),
        bad("a fragment", " a#b"),
        bad("a backslash", " a\\b"),
        bad("a scheme", " http://a"),
        bad("percent-encoding", " a%2eb"),
        bad("UTF-8", " \u{fc}"),
        bad("a port that is no number", " a:b"),
        bad("a port that is too large", " a:65536"),
        bad("a negative port", " a:-1"),
        bad("two ports", " a:80:80"),
        bad("a port and no host", " :80"),
        bad("an IPv6 address without brackets", " ::1"),
        bad("an open bracket", " [::1"),
        bad("text after a bracket", " [::1]a"),
        bad("no address in brackets", " [a]"),
        bad("a zone", " [fe80::1%25eth0]"),
        bad("quotes", " \"a\""),
        bad("markup", " <a>"),
        case(
            "folded",
            "GET /a.txt HTTP/1.1\r\nHost:\r\n a\r\n\r\n",
            "400 closed",
        ),
        case(
            "a space before the colon",
            "GET /a.txt HTTP/1.1\r\nHost : a\r\n\r\n",
            "400 closed",
        ),
        case(
            "a space before the name",
            "GET /a.txt HTTP/1.1\r\n Host: a\r\n\r\n",
            "400 closed",
        ),
    ]
}

#[tokio::test]
async fn a_request_names_one_host() {
    play_all(all()).await;
}
