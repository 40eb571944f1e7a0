//! Requests as bytes, right and wrong, and what becomes of each: drawn from RFC 9110, RFC 9112, and the literature on request
//! smuggling and path traversal. One file for each theme.

mod chunked;
mod expect;
mod framing;
mod headers;
mod host;
mod methods;
mod mutations;
mod pipelining;
mod request_line;
mod sizes;
mod targets;
mod versions;

use tessera_tests::{RawClient, Server, Site};

/// Asked last on a connection that should still be open.
const LAST: &str = "GET /last.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/// What is sent, and what comes of it.
struct Case {
    says: &'static str,
    sent: Vec<u8>,
    /// The statuses in their order, `204-` and such for an answer without the body that its length tells of; then whether
    /// the connection is `open` or `closed` afterwards.
    expect: String,
}

fn case(says: &'static str, sent: impl Into<Vec<u8>>, expect: impl Into<String>) -> Case {
    Case {
        says,
        sent: sent.into(),
        expect: expect.into(),
    }
}

/// A GET of a page, with fields.
fn get(fields: &str) -> String {
    format!("GET /a.txt HTTP/1.1\r\nHost: a\r\n{fields}\r\n")
}

/// A POST to a component that reads the body, with fields and a body.
fn post(fields: &str, body: &str) -> String {
    format!("POST /echo/x HTTP/1.1\r\nHost: a\r\n{fields}\r\n{body}")
}

/// A request for a target.
fn target(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")
}

async fn server() -> Server {
    let size = "maxRequestSize = 500000\n";
    let shop = "[mount]\npath = \"/shop\"\n";
    Site::new()
        .settings(size)
        .file("secret.txt", "secret")
        .page("index.html", "home")
        .page("a.txt", "text")
        .page("last.txt", "the last one")
        .page("sub/index.html", "sub")
        .page("sp ace.txt", "space")
        .page("\u{fc}.txt", "umlaut")
        .page(".secret", "secret")
        .guest_with("echo", size)
        .guest_as_with("echo", "goods", shop)
        .start()
        .await
}

/// The next answer: status, fields in lower case, body, and what follows.
fn answer(text: &[u8], has_body: bool) -> Option<(String, String, Vec<u8>, &[u8])> {
    let end = text.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&text[..end]).to_ascii_lowercase();
    let status = head.split(' ').nth(1)?.to_owned();
    let length = head.split("content-length: ").nth(1).map_or(0, |rest| {
        let digits = rest.split("\r\n").next().unwrap();
        digits.parse().unwrap()
    });
    let length: usize = if has_body { length } else { 0 };
    let body = text.get(end..end + length)?.to_vec();
    Some((status, head, body, &text[end + length..]))
}

/// Plays a case, and says what is wrong with what came of it.
async fn play(server: &Server, case: &Case) -> Result<(), String> {
    let (statuses, ends) = case.expect.rsplit_once(' ').unwrap();
    let is_open = ends == "open";
    let mut sent = case.sent.clone();
    if is_open {
        sent.extend_from_slice(LAST.as_bytes());
    }
    let mut client = RawClient::connect(server.address).await;
    // The server may have had enough before all was sent.
    let _ = client.try_send(&sent).await;
    let received = client.read_bytes_to_end().await;
    let mut rest = &received[..];
    let mut last = String::new();
    for expected in statuses.split(' ') {
        let (status, has_body) = match expected.strip_suffix('-') {
            Some(status) => (status, false),
            None => (expected, true),
        };
        let (found, head, body, more) = answer(rest, has_body)
            .ok_or_else(|| format!("no {expected}: {}", rest.escape_ascii()))?;
        if found != status {
            return Err(format!(
                "{found} instead of {status}: {}",
                body.escape_ascii()
            ));
        }
        if status != "100"
            && !(head.contains("\r\nserver: tessera/") && head.contains("\r\ndate: "))
        {
            return Err(format!("not an answer of ours: {head}"));
        }
        if String::from_utf8_lossy(&body).contains("secret") {
            return Err("what is not to be read was read".to_owned());
        }
        (rest, last) = (more, head);
    }
    if is_open {
        let found = answer(rest, true);
        let is_last =
            found.is_some_and(|(_, _, body, rest)| body == b"the last one" && rest.is_empty());
        return match is_last {
            true => Ok(()),
            false => Err(format!("not open: {}", received.escape_ascii())),
        };
    }
    if !rest.is_empty() {
        return Err(format!("one answer too many: {}", rest.escape_ascii()));
    }
    if last.starts_with("http/1.1") && !last.contains("\r\nconnection: close\r\n") {
        return Err(format!("closed without a word: {last}"));
    }
    Ok(())
}

async fn play_all(cases: Vec<Case>) {
    let server = server().await;
    let mut faults = Vec::new();
    for case in &cases {
        if let Err(fault) = play(&server, case).await {
            faults.push(format!("{} ({})\n    {fault}", case.says, case.expect));
        }
        // Alive, and no request is left over that another client could get the answer to.
        assert_eq!(server.get("/a.txt").await.text(), "text", "{}", case.says);
    }
    let count = faults.len();
    assert!(
        faults.is_empty(),
        "{count} of {}:\n{}",
        cases.len(),
        faults.join("\n")
    );
}

#[test]
fn the_corpus_is_large_and_says_everything_once() {
    let all = [
        chunked::all(),
        expect::all(),
        framing::all(),
        headers::all(),
        host::all(),
        methods::all(),
        pipelining::all(),
        request_line::all(),
        sizes::all(),
        targets::all(),
        versions::all(),
    ];
    let cases: Vec<_> = all.into_iter().flatten().collect();
    assert!(cases.len() >= 150, "{} cases", cases.len());
    let mut seen = std::collections::HashSet::new();
    for case in &cases {
        assert!(seen.insert(&case.sent), "{} is there twice", case.says);
    }
}
