//! The probes by which static servers were compared, as one table: what is asked, and what has to come.
//!
//! A row is `name | request line | fields | statuses | what else has to come`: `field: value` is a field with that value,
//! `field` one with any, `!field` one that must not be there, `#6` a body of 6 bytes. `{etag}`, `{date}` (in three forms),
//! `{old}` and `{future}` are those of `/small.txt`; two semicolons part fields and expectations.

use std::fs::File;
use std::os::unix::fs::symlink;
use std::time::{Duration, UNIX_EPOCH};

use tessera_tests::{RawClient, Server, Site};

/// When `/small.txt` was changed, as each form of a date has it.
const DATES: [(&str, &str); 5] = [
    ("{date}", "Mon, 07 Dec 2020 13:12:50 GMT"),
    ("{rfc850}", "Monday, 07-Dec-20 13:12:50 GMT"),
    ("{asctime}", "Mon Dec  7 13:12:50 2020"),
    ("{old}", "Sun, 06 Dec 2020 13:12:50 GMT"),
    ("{future}", "Fri, 31 Dec 9999 23:59:59 GMT"),
];
const SMALL_CHANGED: u64 = 1_607_346_770;

const PROBES: &str = r#"
types: a text | GET /small.txt | - | 200 | content-type: text/plain; charset=utf-8 ;; #6
types: app.js | GET /app.js | - | 200 | content-type: text/javascript; charset=utf-8
types: data.json | GET /data.json | - | 200 | content-type: application/json
types: x.wasm | GET /x.wasm | - | 200 | content-type: application/wasm
types: m.mjs | GET /m.mjs | - | 200 | content-type: text/javascript; charset=utf-8
types: i.svg | GET /i.svg | - | 200 | content-type: image/svg+xml
types: f.woff2 | GET /f.woff2 | - | 200 | content-type: font/woff2
types: a.avif | GET /a.avif | - | 200 | content-type: image/avif
types: unknown.zzz | GET /unknown.zzz | - | 200 | content-type: application/octet-stream
types: index.html | GET / | - | 200 | content-type: text/html; charset=utf-8
types: validators | GET /small.txt | - | 200 | etag ;; last-modified: {date} ;; accept-ranges: bytes ;; date
types: HEAD | HEAD /big.dat | - | 200 | content-length: 1048576 ;; accept-ranges: bytes ;; #0
types: an empty file | GET /empty.txt | - | 200 | content-length: 0 ;; #0
types: a query | GET /small.txt?a=b | - | 200 | #6

ranges: 0-9 | GET /big.dat | Range: bytes=0-9 | 206 | content-range: bytes 0-9/1048576 ;; #10
ranges: suffix | GET /big.dat | Range: bytes=-10 | 206 | content-range: bytes 1048566-1048575/1048576 ;; #10
ranges: open | GET /small.txt | Range: bytes=2- | 206 | content-range: bytes 2-5/6 ;; #4
ranges: past the end | GET /small.txt | Range: bytes=10- | 416 | content-range: bytes */6
ranges: two | GET /big.dat | Range: bytes=0-1,10-19 | 206 | content-type ;; !content-range
ranges: malformed | GET /small.txt | Range: bytes=abc | 200 | !content-range ;; #6
ranges: on HEAD | HEAD /big.dat | Range: bytes=0-9 | 206 | content-length: 10 ;; #0
ranges: with a coding | GET /app.js | Range: bytes=0-9 ;; Accept-Encoding: gzip | 206 | content-range ;; content-encoding: gzip ;; vary: Accept-Encoding ;; content-length: 10
ranges: If-Range, the tag | GET /small.txt | Range: bytes=0-0 ;; If-Range: {etag} | 206 | #1
ranges: If-Range, the date | GET /small.txt | Range: bytes=0-0 ;; If-Range: {date} | 206 | #1
ranges: If-Range, another | GET /small.txt | Range: bytes=0-0 ;; If-Range: "x" | 200 | #6
ranges: If-Range, weak | GET /small.txt | Range: bytes=0-0 ;; If-Range: W/{etag} | 200 | #6

conditions: If-None-Match | GET /small.txt | If-None-Match: {etag} | 304 | etag: {etag} ;; date ;; !content-type ;; !content-length ;; #0
conditions: weakly | GET /small.txt | If-None-Match: W/{etag} | 304 | -
conditions: the second of a list | GET /small.txt | If-None-Match: "x", {etag} | 304 | -
conditions: beside a tag with a comma | GET /small.txt | If-None-Match: "x,", {etag} | 304 | -
conditions: any | GET /small.txt | If-None-Match: * | 304 | -
conditions: on HEAD | HEAD /small.txt | If-None-Match: {etag} | 304 | etag: {etag}
conditions: tags before dates | GET /small.txt | If-None-Match: "x" ;; If-Modified-Since: {date} | 200 | #6
conditions: If-Modified-Since | GET /small.txt | If-Modified-Since: {date} | 304 | !content-length
conditions: older | GET /small.txt | If-Modified-Since: {old} | 200 | -
conditions: in the future | GET /small.txt | If-Modified-Since: {future} | 200 | -
conditions: RFC 850 | GET /small.txt | If-Modified-Since: {rfc850} | 304 | -
conditions: asctime | GET /small.txt | If-Modified-Since: {asctime} | 304 | -
conditions: no date | GET /small.txt | If-Modified-Since: yesterday | 200 | -
conditions: If-Match | GET /small.txt | If-Match: {etag} | 200 | -
conditions: If-Match, another | GET /small.txt | If-Match: "x" | 412 | -
conditions: If-Match, weak | GET /small.txt | If-Match: W/{etag} | 412 | -
conditions: If-Unmodified-Since | GET /small.txt | If-Unmodified-Since: {date} | 200 | -
conditions: If-Unmodified-Since, older | GET /small.txt | If-Unmodified-Since: {old} | 412 | -
conditions: nothing there | GET /none | If-Match: * | 404 | -
conditions: POST | POST /small.txt | If-None-Match: * ;; Content-Length: 0 | 405 | -
conditions: OPTIONS | OPTIONS /small.txt | If-None-Match: * | 204 | -

codings: gzip | GET /app.js | Accept-Encoding: gzip | 200 | content-encoding: gzip ;; vary: Accept-Encoding ;; etag
codings: br | GET /app.js | Accept-Encoding: br | 200 | content-encoding: br ;; vary: Accept-Encoding ;; etag
codings: zstd | GET /app.js | Accept-Encoding: zstd | 200 | content-encoding: zstd ;; vary: Accept-Encoding ;; etag
codings: all | GET /app.js | Accept-Encoding: gzip, br, zstd | 200 | content-encoding ;; vary: Accept-Encoding
codings: br;q=0 | GET /app.js | Accept-Encoding: br;q=0, gzip;q=0.5 | 200 | content-encoding: gzip
codings: gzip;q=0 | GET /app.js | Accept-Encoding: gzip;q=0 | 200 | !content-encoding ;; vary: Accept-Encoding
codings: none said | GET /app.js | - | 200 | !content-encoding ;; vary: Accept-Encoding ;; content-length: 70000
codings: not worth it | GET /small.txt | Accept-Encoding: gzip | 200 | !content-encoding ;; content-length: 6

paths: a folder without its slash | GET /sub?a=b | - | 308 | location: ./sub/?a=b
paths: its home page | GET /sub/ | - | 200 | content-type: text/html; charset=utf-8
paths: two slashes | GET //sub | - | 404 | !location
paths: a host in the path | GET //evil.com/%2e%2e/sub | - | 404 | !location
paths: a folder without a home page | GET /noindex/ | - | 404 | -
paths: a slash after a file | GET /small.txt/ | - | 404 | -
paths: a dot file | GET /.secret | - | 404 | -
paths: a link inside | GET /inside.txt | - | 200 | #6
paths: a link outside | GET /etc/passwd | - | 404 | -
paths: dots | GET /../../etc/passwd | - | 400 404 | -
paths: dots, encoded | GET /%2e%2e/%2e%2e/etc/passwd | - | 400 404 | -
paths: slashes, encoded | GET /..%2f..%2fetc/passwd | - | 400 404 | -
paths: a slash, encoded | GET /sub%2Findex.html | - | 400 404 | -
paths: a backslash | GET /sub\index.html | - | 400 404 | -
paths: NUL | GET /small.txt%00 | - | 400 | -
paths: no hexadecimal digits | GET /%zz | - | 400 | -
paths: a space | GET /sp%20ace.txt | - | 200 | -
paths: not ASCII | GET /%C3%BCn%C3%AF.txt | - | 200 | -
paths: a very long name | GET /{long} | - | 404 | -
paths: nothing | GET /none | - | 404 | content-type: text/html; charset=utf-8 ;; content-length

methods: POST | POST /small.txt | Content-Length: 0 | 405 | allow: GET, HEAD, OPTIONS
methods: PUT | PUT /small.txt | Content-Length: 0 | 405 | allow: GET, HEAD, OPTIONS
methods: DELETE | DELETE /small.txt | - | 405 | allow: GET, HEAD, OPTIONS
methods: PATCH | PATCH /small.txt | Content-Length: 0 | 405 | allow: GET, HEAD, OPTIONS
methods: OPTIONS | OPTIONS / | - | 204 | allow: GET, HEAD, OPTIONS ;; #0
methods: TRACE | TRACE /small.txt | - | 405 | allow
methods: unknown | FOO /small.txt | - | 405 501 | -
methods: in small letters | get /small.txt | - | 400 405 501 | -
"#;

fn site() -> Site {
    let site = Site::new()
        .page("index.html", "<!doctype html><title>home</title>")
        .page("sub/index.html", "<!doctype html><title>sub</title>")
        .page("noindex/a.txt", "a")
        .page("small.txt", "hello\n")
        .page("app.js", "let a = 1;".repeat(7_000))
        .page("big.dat", "x".repeat(1_048_576))
        .page(".secret", "secret");
    let others = [
        "data.json",
        "x.wasm",
        "m.mjs",
        "i.svg",
        "f.woff2",
        "a.avif",
        "unknown.zzz",
        "sp ace.txt",
        "ünï.txt",
    ];
    let site = others
        .iter()
        .fold(site.page("empty.txt", ""), |site, name| {
            site.page(name, "{}")
        });
    symlink("small.txt", site.at("WebFolder/inside.txt")).unwrap();
    symlink("/etc", site.at("WebFolder/etc")).unwrap();
    let small = File::options()
        .write(true)
        .open(site.at("WebFolder/small.txt"))
        .unwrap();
    small
        .set_modified(UNIX_EPOCH + Duration::from_secs(SMALL_CHANGED))
        .unwrap();
    site
}

/// With what stands for something put in.
fn filled(text: &str, etag: &str) -> String {
    let long = "x".repeat(300);
    let text = text.replace("{etag}", etag).replace("{long}", &long);
    DATES
        .iter()
        .fold(text, |text, (name, date)| text.replace(name, date))
}

/// What stands in one column, if anything.
fn members(column: &str) -> impl Iterator<Item = &str> {
    column.split(" ;; ").filter(|member| *member != "-")
}

/// Faults of the answer to one probe.
async fn probe(server: &Server, row: &str, etag: &str) -> Vec<String> {
    let columns: Vec<_> = row.split(" | ").collect();
    let [_, line, fields, statuses, expected] = columns[..] else {
        panic!("not a row: {row}");
    };
    let mut request = format!("{line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n");
    for field in members(fields) {
        request.push_str(&format!("{field}\r\n"));
    }
    let request = filled(&request, etag) + "\r\n";
    let answer = RawClient::exchange(server.address, request).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).unwrap_or_default();
    let field = |name: &str| {
        let mut lines = head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(": "));
        let found = lines.find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.to_owned())
    };
    let mut faults = Vec::new();
    if !statuses.split(' ').any(|one| one == status) {
        faults.push(format!("{row}: {head}"));
    }
    for one in members(expected) {
        let one = filled(one, etag);
        let is_right = match (
            one.strip_prefix('!'),
            one.strip_prefix('#'),
            one.split_once(": "),
        ) {
            (Some(absent), _, _) => field(absent).is_none(),
            (_, Some(length), _) => body.len() == length.parse::<usize>().unwrap(),
            (_, _, Some((name, value))) => field(name).as_deref() == Some(value),
            (None, None, None) => field(&one).is_some(),
        };
        if !is_right {
            faults.push(format!("{row}: not {one}: {head}"));
        }
    }
    faults
}

#[tokio::test]
async fn every_probe_is_answered_as_it_should_be() {
    let server = site().start().await;
    let first = server.get("/small.txt").await;
    let etag = first.header("etag").unwrap();
    let mut faults = Vec::new();
    for row in PROBES.lines().filter(|line| !line.is_empty()) {
        faults.extend(probe(&server, row, etag).await);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
