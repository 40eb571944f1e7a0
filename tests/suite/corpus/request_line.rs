//! The first line: its parts, and what stands between them.

use super::{Case, case, play_all};

#[expect(clippy::too_many_lines, reason = "it is a table")]
pub(super) fn all() -> Vec<Case> {
    let host = "Host: a\r\n\r\n";
    let line = |line: &str| format!("{line}{host}");
    vec![
        case("a good line", line("GET /a.txt HTTP/1.1\r\n"), "200 open"),
        case(
            "one empty line before it",
            line("\r\nGET /a.txt HTTP/1.1\r\n"),
            "200 open",
        ),
        case(
            "two empty lines before it",
            line("\r\n\r\nGET /a.txt HTTP/1.1\r\n"),
            "200 open",
        ),
        case(
            "three empty lines before it",
            line("\r\n\r\n\r\nGET /a.txt HTTP/1.1\r\n"),
            "400 closed",
        ),
        case(
            "an empty line that is a bare LF",
            line("\nGET /a.txt HTTP/1.1\r\n"),
            "400 closed",
        ),
        case(
            "a space before the method",
            line(" GET /a.txt HTTP/1.1\r\n"),
            "400 closed",
        ),
        case(
            "a tab before the method",
            line("\tGET /a.txt HTTP/1.1\r\n"),
            "400 closed",
        ),
        case(
            "two spaces before the target",
            line("GET  /a.txt HTTP/1.1\r\n"),
            "400 closed",
        ),
        case(
            "two spaces before the version",
            line("GET /a.txt  HTTP/1.1\r\n"),
            "400 closed",
        ),
        case(
            "a tab before the target",
            line("GET\t/a.txt HTTP/1.1\r\n"),
            "400 closed",
        ),
        case(
            "a tab before the version",
            line("GET /a.txt\tHTTP/1.1\r\n"),
            "400 closed",
        ),
        case(
            "a vertical tab as white space",
            line("GET\u{b}/a.txt HTTP/1.1\r\n"),
            "400 closed",
        ),
        case(
            "a form feed as white space",
            line("GET /a.txt\u{c}HTTP/1.1\r\n"),
            "400 closed",
        ),
        case(
            "a space after the version",
            line("GET /a.txt HTTP/1.1 \r\n"),
            "400 closed",
        ),
        case(
            "a bare LF at the end",
            line("GET /a.txt HTTP/1.1\n"),
            "400 closed",
        ),
        case(
            "a bare CR at the end",
            line("GET /a.txt HTTP/1.1\r"),
            "400 closed",
        ),
        case(
            "CR CR LF at the end",
            line("GET /a.txt HTTP/1.1\r\r\n"),
            "400 closed",
        ),
        case(
            "a bare CR within",
            line("GET /a\r.txt HTTP/1.1\r\n"),
            "400 closed",
        ),
        case("no target", line("GET HTTP/1.1\r\n"), "400 closed"),
        case("no method", line("/a.txt HTTP/1.1\r\n"), "400 closed"),
        case("nothing but a method", line("GET\r\n"), "400 closed"),
        case(
            "a fourth part",
            line("GET /a.txt HTTP/1.1 HTTP/1.1\r\n"),
            "400 closed",
        ),
        case(
            "a space in the target",
            line("GET /sp ace.txt HTTP/1.1\r\n"),
            "400 closed",
        ),
        case(
            "NUL in the target",
            line("GET /a.txt\0 HTTP/1.1\r\n"),
            "400 closed",
        ),
        case(
            "NUL in the method",
            line("GE\0T /a.txt HTTP/1.1\r\n"),
            "400 closed",
        ),
        case(
            "DEL in the target",
            line("GET /a\u{7f}.txt HTTP/1.1\r\n"),
            "400 closed",
        ),
        case(
            "UTF-8 in the target",
            line("GET /\u{fc}.txt HTTP/1.1\r\n"),
            "400 closed",
        ),
        case(
            "Latin-1 in the target",
            b"GET /\xfc.txt HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(),
            "400 closed",
        ),
        case("nonsense", "nonsense\r\n\r\n", "400 closed"),
        case(
            "a TLS handshake",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
            "400 closed",
        ),
        case("an SSH greeting", "SSH-2.0-OpenSSH_9.2\r\n", "400 closed"),
        case("nothing but zeros", vec![0; 64], "400 closed"),
    ]
}

#[tokio::test]
async fn a_request_line_has_three_parts_and_one_space_between_them() {
    play_all(all()).await;
}
