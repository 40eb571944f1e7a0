//! Answers from memory without the HTTP library: the same that the library sends, to whoever asks, in every turn.

use bytes::Bytes;
use http::Request;
use tessera_tests::{CertificatePair, Client, RawClient, Reply, Server, Site, TlsClient};

/// With this field a request is the library's.
pub(super) const MORE: (&str, &str) = ("te", "trailers");
const CODINGS: [&str; 7] = [
    "",
    "gzip, deflate, br, zstd",
    "gzip",
    "gzip;q=0.5, br;q=0.4",
    "identity",
    "identity;q=0, gzip",
    "*;q=0",
];

async fn ask(client: &mut Client, path: &str, codings: &str, fields: &[(&str, &str)]) -> Reply {
    let mut request = Request::get(path).header("cookie", "a=b");
    if !codings.is_empty() {
        request = request.header("accept-encoding", codings);
    }
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    client
        .send(request.body(Bytes::new()).unwrap())
        .await
        .unwrap()
}

/// Status, fields but for the date, and body.
pub(super) fn told(reply: &Reply) -> (u16, Vec<String>, Bytes) {
    assert!(reply.header("date").is_some());
    let fields = reply.headers.iter().filter(|(name, _)| *name != "date");
    let mut fields: Vec<String> = fields
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    fields.sort();
    (reply.status.as_u16(), fields, reply.body.clone())
}

async fn site() -> Server {
    let text = "All work and no play makes Jack a dull boy. ".repeat(100);
    Site::new()
        .settings("HSTSEnabled = true\n[keep_alive]\nmax_requests = 0\n")
        .page("index.html", "home")
        .page("text.html", &text)
        .page("text.css", &text)
        .page("picture.png", "\u{89}PNG")
        .page("empty.txt", "")
        .page("tags.xml", "<!-- none of ours -->")
        .page("both.js", &text)
        .page("both.js.br", "not really Brotli")
        .page("below/index.html", "below")
        .page("b c.txt", "with a space")
        .guest("version1")
        .file("components/version1/WebFolder/own.txt", "the component's")
        .certificate(&CertificatePair::for_names(&["site.test"]))
        .start()
        .await
}

const PATHS: [&str; 14] = [
    "/tags.xml",
    "/",
    "/?a=b",
    "/text.html",
    "/text.css?v=3",
    "/picture.png",
    "/empty.txt",
    "/both.js",
    "/below/",
    "/below",
    "/b%20c.txt",
    "/none",
    "/version1/own.txt",
    "/version1/x",
];

async fn compare(client: &mut Client) {
    for path in PATHS {
        for codings in CODINGS {
            // What is not kept yet is the library's, too.
            for _ in 0..2 {
                ask(client, path, codings, &[]).await;
            }
            let at_once = ask(client, path, codings, &[]).await;
            let librarys = ask(client, path, codings, &[MORE]).await;
            assert_eq!(told(&at_once), told(&librarys), "{path} {codings}");
        }
    }
}

#[tokio::test]
async fn the_answers_are_those_of_the_library() {
    let server = site().await;
    let mut client = Client::http1(server.address).await.unwrap();
    compare(&mut client).await;
}

#[tokio::test]
async fn whoever_has_the_page_hears_the_same() {
    let server = site().await;
    let mut client = Client::http1(server.address).await.unwrap();
    const DATE: &str = "last-modified";
    let mut unchanged = 0;
    for path in PATHS {
        for codings in CODINGS {
            for _ in 0..2 {
                ask(&mut client, path, codings, &[]).await;
            }
            let whole = ask(&mut client, path, codings, &[]).await;
            let own = |name| whole.header(name).unwrap_or("none").to_owned();
            let (tag, date) = (own("etag"), own(DATE));
            let weak = format!("\"x\", W/{tag}");
            let conditions: [&[(&str, &str)]; 9] = [
                &[("if-none-match", &tag)],
                &[("if-none-match", &weak)],
                &[("if-none-match", "*")],
                &[("if-none-match", "\"x\"")],
                &[("if-none-match", "\"x\""), ("if-none-match", &tag)],
                &[("if-none-match", "\"x\""), ("if-modified-since", &date)],
                &[("if-modified-since", &date)],
                &[("if-modified-since", "Mon, 07 Dec 2020 13:12:49 GMT")],
                &[("if-modified-since", "yesterday")],
            ];
            for condition in conditions {
                let at_once = ask(&mut client, path, codings, condition).await;
                let more = [condition, &[MORE]].concat();
                let librarys = ask(&mut client, path, codings, &more).await;
                let context = format!("{path} {codings} {condition:?}");
                assert_eq!(told(&at_once), told(&librarys), "{context}");
                unchanged += usize::from(at_once.status == 304);
            }
        }
    }
    assert!(unchanged > 100, "{unchanged}");
}

#[tokio::test]
async fn inside_tls_they_are_the_same_too() {
    let server = site().await;
    let address = server.https_address_of("site").await;
    let tls = TlsClient::trusting_all("site.test");
    let mut client = tls.http1(address).await.unwrap().client;
    let reply = ask(&mut client, "/", "", &[]).await;
    assert!(reply.header("strict-transport-security").is_some());
    compare(&mut client).await;
}

#[tokio::test]
async fn a_large_page_arrives_whole_however_slowly_it_is_read() {
    let page: String = (0..400_000)
        .map(|i| char::from(b'a' + i as u8 % 26))
        .collect();
    let server = Site::new().page("a.bin", &page).start().await;
    server.get("/a.bin").await;
    let mut client = RawClient::connect(server.address).await;
    let request = "GET /a.bin HTTP/1.1\r\nHost: a\r\n\r\n";
    let last = "GET /a.bin HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    client
        .send([request, request, request, last].concat())
        .await;
    let received = client.read_to_end().await;
    assert_eq!(received.matches(&page).count(), 4);
    assert_eq!(received.matches("HTTP/1.1 200 OK\r\n").count(), 4);
}

#[tokio::test]
async fn a_page_that_is_on_its_way_is_sent_to_its_end_when_the_server_stops() {
    // More than the system takes at once.
    let page = "x".repeat(8_000_000);
    let site = Site::new().settings("[cache]\nmax_object_size = \"10 MiB\"\n");
    let server = site.page("a.bin", &page).start().await;
    server.get("/a.bin").await;
    let mut client = RawClient::connect(server.address).await;
    client.send("GET /a.bin HTTP/1.1\r\nHost: a\r\n\r\n").await;
    client.read_until("\r\n\r\n").await;
    server.terminate();
    server.wait_for_log(&["stopping"]).await;
    let received = client.read_to_end().await;
    let (_, body) = received.split_once("\r\n\r\n").unwrap();
    assert_eq!(body.len(), page.len());
}
