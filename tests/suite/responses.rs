//! What responses look like, and what is decided before anything runs: compression, character sets, other hosts' pages.

use std::fmt::Write as _;

use bytes::Bytes;
use http::{Method, Request};
use serde_json::json;
use tessera_tests::{Client, RawClient, Reply, Server, Site};

const CODINGS: [&str; 3] = ["zstd", "br", "gzip"];

fn request(method: Method, path: &str, fields: &[(&str, &str)], body: &[u8]) -> Request<Bytes> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request.body(Bytes::copy_from_slice(body)).unwrap()
}

async fn get(server: &Server, path: &str, fields: &[(&str, &str)]) -> Reply {
    server.send(request(Method::GET, path, fields, b"")).await
}

/// A text that becomes smaller, of at least so many bytes.
fn text(length: usize) -> String {
    let mut text = String::new();
    for line in 0.. {
        if text.len() >= length {
            break;
        }
        writeln!(text, "line {line} of a text that says little").unwrap();
    }
    text
}

/// How many bytes a body is that came compressed: the server itself unpacks it for a component.
async fn unpacked_length(server: &Server, coding: &str, body: &[u8]) -> serde_json::Value {
    let fields = [("content-encoding", coding), ("content-type", "x/y")];
    let reply = server
        .send(request(Method::POST, "/echo/x", &fields, body))
        .await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()["bodyLength"].clone()
}

#[tokio::test]
async fn texts_are_compressed_as_the_client_likes() {
    let (small, large) = (text(20_000), text(3_000_000));
    let server = Site::new()
        .page("small.html", &small)
        .page("large.css", &large)
        .page("tiny.txt", "tiny")
        .page("picture.png", &small)
        .guest("echo")
        .start()
        .await;
    for coding in CODINGS {
        for (path, original) in [("/small.html", &small), ("/large.css", &large)] {
            let reply = get(&server, path, &[("accept-encoding", coding)]).await;
            assert_eq!(reply.header("content-encoding"), Some(coding), "{path}");
            assert_eq!(reply.header("vary"), Some("Accept-Encoding"));
            // The small one is kept, and always the same; the large one is compressed as it is sent.
            let is_weak = reply.header("etag").unwrap().starts_with("W/\"");
            assert_eq!(is_weak, path == "/large.css");
            assert!(reply.body.len() < original.len() / 3, "{coding} {path}");
            // Only the small one is compressed before its head is sent.
            let length = reply.header("content-length").map(str::to_owned);
            let expected = (path == "/small.html").then(|| reply.body.len().to_string());
            assert_eq!(length, expected);
            if path == "/small.html" {
                let length = unpacked_length(&server, coding, &reply.body).await;
                assert_eq!(length, json!(original.len()));
            }
        }
    }
    let best = get(
        &server,
        "/small.html",
        &[("accept-encoding", "gzip, deflate, br, zstd")],
    )
    .await;
    assert_eq!(best.header("content-encoding"), Some("zstd"));
    for (path, accepted, vary) in [
        ("/small.html", "identity", Some("Accept-Encoding")),
        ("/small.html", "gzip;q=0, deflate", Some("Accept-Encoding")),
        ("/tiny.txt", "gzip", Some("Accept-Encoding")),
        ("/picture.png", "gzip", None),
    ] {
        let plain = get(&server, path, &[("accept-encoding", accepted)]).await;
        assert_eq!(plain.header("content-encoding"), None, "{path}");
        assert_eq!(plain.header("vary"), vary, "{path}");
        assert!(plain.header("etag").unwrap().starts_with('"'), "{path}");
        assert_eq!(plain.body, server.site.read(&format!("WebFolder{path}")));
    }
}

#[tokio::test]
async fn answers_of_components_are_compressed() {
    let server = Site::new().guest("echo").start().await;
    let query = "x".repeat(3_000);
    let path = format!("/echo/4DACTION/say?text={query}");
    let plain = get(&server, &path, &[]).await;
    assert_eq!(plain.text(), query);
    assert_eq!(plain.header("vary"), Some("Accept-Encoding"));
    for coding in CODINGS {
        let reply = get(&server, &path, &[("accept-encoding", coding)]).await;
        assert_eq!(reply.header("content-encoding"), Some(coding));
        assert_eq!(
            unpacked_length(&server, coding, &reply.body).await,
            json!(3_000)
        );
    }
}

#[tokio::test]
async fn a_head_is_that_of_the_compressed_get() {
    let server = Site::new()
        .page("small.html", text(20_000))
        .page("large.html", text(600_000))
        .start()
        .await;
    for path in ["/small.html", "/large.html"] {
        for http2 in [false, true] {
            let mut client = match http2 {
                true => Client::http2(server.address).await.unwrap(),
                false => Client::http1(server.address).await.unwrap(),
            };
            let mut heads = Vec::new();
            for method in [Method::GET, Method::HEAD] {
                let fields = [("accept-encoding", "gzip")];
                let reply = client
                    .send(request(method, path, &fields, b""))
                    .await
                    .unwrap();
                let mut headers = reply.headers.clone();
                for name in ["content-length", "transfer-encoding", "date"] {
                    headers.remove(name);
                }
                heads.push((headers, reply));
            }
            let [(get, get_reply), (head, reply)] = &heads[..] else {
                unreachable!()
            };
            assert_eq!(get, head, "{path}");
            assert_eq!(head["content-encoding"], "gzip");
            // Known before it is sent only of the page that is kept.
            let length = reply.header("content-length");
            let expected = get_reply.header("content-length");
            assert_eq!(length, expected, "{path}");
            assert_eq!(length.is_some(), path == "/small.html");
            assert!(reply.body.is_empty());
        }
    }
}

#[tokio::test]
async fn a_compressed_page_is_not_sent_again() {
    let server = Site::new().page("a.html", text(5_000)).start().await;
    let fields = [("accept-encoding", "br")];
    let first = get(&server, "/a.html", &fields).await;
    let tag = first.header("etag").unwrap();
    for sent in [tag, tag.trim_start_matches("W/")] {
        let fields = [("accept-encoding", "br"), ("if-none-match", sent)];
        let again = get(&server, "/a.html", &fields).await;
        assert_eq!(again.status, 304, "{sent}");
        assert_eq!(again.header("etag"), Some(tag));
        assert_eq!(again.header("vary"), first.header("vary"));
        assert_eq!(again.header("content-type"), None);
        assert_eq!(again.header("content-encoding"), None);
    }
}

#[tokio::test]
async fn an_http_1_0_client_gets_a_compressed_page_to_its_end() {
    let page = text(300_000);
    let server = Site::new().page("a.html", &page).start().await;
    let ask = "GET /a.html HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n";
    let answer = RawClient::exchange(server.address, ask).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let head = head.to_ascii_lowercase();
    assert!(head.contains("content-encoding: gzip"), "{head}");
    assert!(!head.contains("transfer-encoding"), "{head}");
    assert!(!body.is_empty());
}

#[tokio::test]
async fn request_bodies_are_unpacked_within_the_limit() {
    let server = Site::new()
        .page("zeros.txt", vec![b'0'; 600_000])
        .page("form.txt", "vName=".to_owned() + &"Ann".repeat(1_000))
        .guest_with("echo", "maxRequestSize = 500000\n")
        .start()
        .await;
    for coding in CODINGS {
        let accept = [("accept-encoding", coding)];
        let form = get(&server, "/form.txt", &accept).await;
        let fields = [
            ("content-encoding", coding),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let post = |body: &[u8]| request(Method::POST, "/echo/x", &fields, body);
        let echo = server.send(post(&form.body)).await.json();
        assert_eq!(echo["bodyLength"], json!(3_006));
        assert_eq!(echo["variables"][0][0], "vName");
        // What the head said of the compressed body is not so of what the component reads.
        let header = echo["parameters"]["header"].as_str().unwrap();
        assert!(!header.contains("Content-Encoding"), "{header}");
        assert!(!header.contains("Content-Length"), "{header}");

        // A few bytes that stand for more than may be sent.
        let bomb = get(&server, "/zeros.txt", &accept).await;
        assert!(bomb.body.len() < 5_000);
        let echo = server.send(post(&bomb.body)).await.json();
        let error = echo["bodyLength"].as_str().unwrap();
        assert!(error.contains("larger than maxRequestSize"), "{error}");
        let echo = server.send(post(b"not compressed")).await.json();
        assert!(echo["bodyLength"].is_string(), "{echo}");
    }
    for coding in ["deflate", "gzip, gzip", "unheard"] {
        let fields = [("content-encoding", coding)];
        let reply = server
            .send(request(Method::POST, "/echo/x", &fields, b"abc"))
            .await;
        assert_eq!(reply.status, 415, "{coding}");
        assert_eq!(reply.header("accept-encoding"), Some("zstd, br, gzip"));
    }
}

#[tokio::test]
async fn extended_characters_are_references_in_pages() {
    let server = Site::new()
        .page("a.html", "<p>\u{e9}")
        .guest("echo")
        .start()
        .await;
    let said = async |form: &str| {
        let reply = server.post_form("/echo/4DACTION/say", form).await;
        let content_type = reply.header("content-type").unwrap().to_owned();
        (content_type, reply.text().to_owned())
    };
    let (content_type, page) =
        said("text=<p title='\u{20ac}'>\u{e9}<script>'\u{e9}'</script>").await;
    assert_eq!(content_type, "text/html; charset=utf-8");
    assert_eq!(page, "<p title='&#8364;'>&#233;<script>'\u{e9}'</script>");
    let (content_type, plain) = said("type=text/plain&text=\u{e9}").await;
    assert_eq!(content_type, "text/plain; charset=utf-8");
    assert_eq!(plain, "\u{e9}");
    // Files are sent as they are.
    assert_eq!(get(&server, "/a.html", &[]).await.text(), "<p>\u{e9}");
}

#[tokio::test]
async fn sync_urls_are_refused() {
    let server = Site::new()
        .page("4DSYNC/a.html", "a file")
        .guest("echo")
        .start()
        .await;
    for path in ["/4DSYNC/a.html", "/echo/4dsync/$catalog", "/echo/4DSYNC"] {
        assert_eq!(get(&server, path, &[]).await.status, 403, "{path}");
    }
}

#[tokio::test]
async fn what_the_host_hands_over_counts_for_the_host_too() {
    let patient = "[limits]\ndeadline = \"60 s\"\n";
    let server = Site::new()
        .settings("maxConcurrentProcesses = 10\n")
        .page("a.txt", "static")
        .guest_with("sleep", patient)
        .guest_as_with("sleep", "other", patient)
        .start()
        .await;
    let mut sleeping = Vec::new();
    for number in 0..9 {
        let path = ["/sleep/sleep/60000", "/other/sleep/60000"][number % 2];
        let mut client = Client::http1(server.address).await.unwrap();
        let request = request(Method::GET, path, &[], b"");
        sleeping.push(tokio::spawn(async move { client.send(request).await }));
    }
    server.wait_for_processes("site", 9).await;
    assert_eq!(get(&server, "/other/sleep/0", &[]).await.status, 503);
    assert_eq!(get(&server, "/a.txt", &[]).await.text(), "static");
    sleeping.pop().unwrap().abort();
    server.wait_for_processes("site", 8).await;
    assert_eq!(get(&server, "/other/sleep/0", &[]).await.status, 200);
    for task in sleeping {
        task.abort();
    }
    server.wait_for_processes("site", 0).await;
}

#[tokio::test]
async fn texts_come_in_the_character_set_of_the_settings() {
    let server = Site::new()
        .guest_as_with(
            "echo",
            "turkish",
            "characterSet = 12\n[web]\nsend_extended_characters = true\n",
        )
        .guest_as_with("echo", "japanese", "characterSet = \"Shift-JIS\"\n")
        .guest_as_with("echo", "plain", "[web]\nsend_extended_characters = true\n")
        .start()
        .await;
    for (path, form, content_type, body) in [
        (
            "turkish",
            "text=\u{15f}\u{20ac}",
            "text/html; charset=ISO-8859-9",
            &b"\xfe&#8364;"[..],
        ),
        (
            "turkish",
            "type=text/plain&text=\u{15f}\u{20ac}",
            "text/plain; charset=ISO-8859-9",
            b"\xfe?",
        ),
        (
            "turkish",
            "type=text/plain; charset=utf-8&text=\u{15f}",
            "text/plain; charset=utf-8",
            "\u{15f}".as_bytes(),
        ),
        (
            "turkish",
            "type=application/json&text=\u{15f}",
            "application/json",
            "\u{15f}".as_bytes(),
        ),
        (
            "japanese",
            "text=\u{3042}",
            "text/html; charset=Shift_JIS",
            b"&#12354;",
        ),
        (
            "japanese",
            "type=text/plain&text=\u{3042}",
            "text/plain; charset=Shift_JIS",
            b"\x82\xa0",
        ),
        (
            "plain",
            "text=\u{e9}",
            "text/html; charset=utf-8",
            "\u{e9}".as_bytes(),
        ),
    ] {
        let reply = server
            .post_form(&format!("/{path}/4DACTION/say"), form)
            .await;
        assert_eq!(reply.header("content-type"), Some(content_type), "{form}");
        assert_eq!(reply.body, body, "{form}");
    }
}

#[tokio::test]
async fn level_and_threshold_decide_about_compression() {
    let page = text(40_000);
    let site = |settings: &str| Site::new().settings(settings).page("a.html", &page);
    let mut lengths = Vec::new();
    for level in ["1", "9"] {
        let server = site(&format!("HTTPCompressionLevel = {level}\n"))
            .start()
            .await;
        let reply = get(&server, "/a.html", &[("accept-encoding", "gzip")]).await;
        assert_eq!(reply.header("content-encoding"), Some("gzip"));
        lengths.push(reply.body.len());
    }
    assert!(lengths[0] > lengths[1], "{lengths:?}");
    for (threshold, expected) in [(page.len(), Some("gzip")), (page.len() + 1, None)] {
        let settings =
            format!("HTTPCompressionThreshold = {threshold}\nHTTPCompressionLevel = -1\n");
        let server = site(&settings).start().await;
        let reply = get(&server, "/a.html", &[("accept-encoding", "gzip")]).await;
        assert_eq!(reply.header("content-encoding"), expected, "{threshold}");
    }
}
