//! What is decided before anything runs: TRACE, pages of other hosts, `/4DSYNC`, web servers that are stopped.

use bytes::Bytes;
use http::{Method, Request};
use tessera_tests::{Client, RawClient, Reply, Server, Site};

const SHOP: &str = "https://shop.example";
/// A rule that spells an origin out, one for a part of a network, one for a name with a few methods.
const CORS: &str = "CORSEnabled = true\nCORSSettings = [\n\
    { host = \"https://shop.example\" },\n\
    { host = \"192.168.*\", methods = \"get\" },\n\
    { host = \"*.Example.org\", methods = \"get;post\" },\n\
    { methods = \"get\" },\n]\n";

async fn ask(server: &Server, method: Method, path: &str, fields: &[(&str, &str)]) -> Reply {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    server.send(request.body(Bytes::new()).unwrap()).await
}

async fn cors_server() -> Server {
    let site = Site::new().settings(CORS).page("a.txt", "static");
    site.guest_with("echo", CORS).start().await
}

#[tokio::test]
async fn pages_of_other_hosts_may_ask_as_the_settings_say() {
    let server = cors_server().await;
    for path in ["/a.txt", "/echo/x"] {
        for (origin, status) in [
            (SHOP, 200),
            ("http://192.168.5.17:8081", 200),
            ("https://a.b.example.org", 200),
            ("http://192.168.evil.example", 403),
            ("https://evil.example", 403),
            ("https://example.org", 403),
            ("http://shop.example", 403),
            ("null", 403),
        ] {
            let reply = ask(&server, Method::GET, path, &[("origin", origin)]).await;
            assert_eq!(reply.status, status, "{path} {origin}");
            let expected = (status == 200).then_some(origin);
            let allowed = reply.header("access-control-allow-origin");
            assert_eq!(allowed, expected, "{path} {origin}");
            let credentials = (origin == SHOP).then_some("true");
            let found = reply.header("access-control-allow-credentials");
            assert_eq!(found, credentials, "{path} {origin}");
            let vary = match (path, status) {
                ("/a.txt", 200) => "Origin, Accept-Encoding",
                _ => "Origin",
            };
            assert_eq!(reply.header("vary"), Some(vary), "{path} {origin}");
        }
    }
    // The method counts, and refused requests cost no web process.
    let origin = [("origin", "https://a.example.org")];
    let echo = ask(&server, Method::POST, "/echo/x", &origin).await;
    assert_eq!(echo.status, 200);
    let answered = echo.json()["answered"].as_u64().unwrap();
    let refused = ask(&server, Method::PUT, "/echo/x", &origin).await;
    assert_eq!(refused.status, 403);
    let echo = ask(&server, Method::GET, "/echo/x", &[]).await;
    assert_eq!(echo.json()["answered"].as_u64(), Some(answered + 1));
    // Pages of the server's own may ask, and so may whoever is no page.
    let own = format!("http://{}", server.address);
    for fields in [&[("origin", own.as_str())][..], &[]] {
        let reply = ask(&server, Method::PUT, "/echo/x", fields).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("access-control-allow-origin"), None);
        assert_eq!(reply.header("vary"), Some("Origin"));
    }
}

#[tokio::test]
async fn errors_and_304s_say_that_they_depend_on_the_origin() {
    let server = cors_server().await;
    let tag = ask(&server, Method::GET, "/a.txt", &[]).await;
    let tag = tag.header("etag").unwrap().to_owned();
    for (path, fields, status) in [
        ("/a.txt", &[("if-none-match", tag.as_str())][..], 304),
        ("/missing", &[("origin", SHOP)], 404),
        ("/%zz", &[("origin", SHOP)], 400),
        ("/4DSYNC/", &[("origin", SHOP)], 403),
    ] {
        let reply = ask(&server, Method::GET, path, fields).await;
        assert_eq!(reply.status, status, "{path}");
        let vary = match path {
            "/a.txt" => "Origin, Accept-Encoding",
            _ => "Origin",
        };
        assert_eq!(reply.header("vary"), Some(vary), "{path}");
        let allowed = reply.header("access-control-allow-origin");
        assert_eq!(allowed.is_some(), status != 304, "{path}");
    }
}

#[tokio::test]
async fn a_browser_that_asks_first_is_answered_by_the_server() {
    let server = cors_server().await;
    let preflight = async |origin: &str, method: &str| {
        let fields = [
            ("origin", origin),
            ("access-control-request-method", method),
            ("access-control-request-headers", "content-type, x-one"),
        ];
        ask(&server, Method::OPTIONS, "/echo/anything", &fields).await
    };
    let reply = preflight("https://a.example.org", "POST").await;
    assert_eq!(reply.status, 204);
    for (name, value) in [
        ("access-control-allow-origin", "https://a.example.org"),
        ("access-control-allow-methods", "GET, POST"),
        ("access-control-allow-headers", "content-type, x-one"),
        ("access-control-max-age", "600"),
        ("vary", "Origin"),
    ] {
        assert_eq!(reply.header(name), Some(value), "{name}");
    }
    assert!(reply.body.is_empty());
    let all = preflight(SHOP, "DELETE").await;
    assert_eq!(all.status, 204);
    assert_eq!(all.header("access-control-allow-credentials"), Some("true"));
    for (origin, method) in [
        ("https://a.example.org", "PUT"),
        ("https://evil.example", "GET"),
    ] {
        let refused = preflight(origin, method).await;
        assert_eq!(refused.status, 403);
        assert_eq!(refused.header("access-control-allow-origin"), None);
    }
}

#[tokio::test]
async fn without_cors_an_origin_is_a_field_like_others() {
    let server = Site::new().page("a.txt", "static").start().await;
    let reply = ask(&server, Method::GET, "/a.txt", &[("origin", SHOP)]).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("access-control-allow-origin"), None);
    assert_eq!(reply.header("vary"), Some("Accept-Encoding"));
}

#[tokio::test]
async fn trace_sends_the_request_back_without_its_secrets() {
    let server = Site::new()
        .settings("HTTPTrace = true\n")
        .guest("echo")
        .start()
        .await;
    let ask = "TRACE /a?b=c HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\nX-Way: one\r\n\
               Cookie: a=secret\r\nAuthorization: Basic secret\r\nProxy-Authorization: secret\r\n\
               Content-Length: 8\r\n\r\nthe body";
    let answer = RawClient::exchange(server.address, ask).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(head.contains("content-type: message/http"), "{answer}");
    assert!(body.starts_with("TRACE /a?b=c HTTP/1.1\r\n"), "{answer}");
    assert!(body.contains("\r\nx-way: one\r\n"), "{answer}");
    assert!(body.ends_with("\r\n\r\nthe body"), "{answer}");
    assert!(!answer.contains("secret"), "{answer}");

    let mut client = Client::http2(server.address).await.unwrap();
    let trace = |path: &str, length: usize| {
        let request = Request::builder().method("TRACE").uri(path);
        request.body(vec![b'x'; length].into()).unwrap()
    };
    let reply = client.send(trace("/x", 0)).await.unwrap();
    let expected = format!("TRACE /x HTTP/2.0\r\nhost: {}\r\n", server.address);
    assert!(reply.text().starts_with(&expected), "{reply:?}");

    assert_eq!(server.send(trace("/", 65_536)).await.status, 200);
    assert_eq!(server.send(trace("/", 65_537)).await.status, 413);
    // Each web server decides for itself.
    let off = server.send(trace("/echo/", 0)).await;
    assert_eq!(off.status, 405);
    assert!(off.header("allow").is_some());
}

#[tokio::test]
async fn sync_urls_reach_the_component_where_they_may() {
    let server = Site::new()
        .page("4DSYNC/a.html", "a file")
        .guest_with("echo", "[web]\nallow_4dsync = true\n")
        .start()
        .await;
    assert_eq!(server.get("/4DSYNC/a.html").await.status, 403);
    let echo = server.get("/echo/4DSYNC/$catalog").await.json();
    assert_eq!(echo["hook"], "connection");
    assert_eq!(echo["url"], "/4DSYNC/$catalog");
}

#[tokio::test]
async fn a_server_that_is_stopped_says_so() {
    let server = Site::new()
        .page("a.txt", "static")
        .guest("echo")
        .start()
        .await;
    let stopped = server.admin.post("/api/v1/servers/echo/stop").await;
    assert!(stopped.status.is_success(), "{stopped:?}");
    let reply = server.wait_for_status("/echo/x", 503).await;
    assert!(reply.header("retry-after").is_some());
    assert_eq!(server.get("/a.txt").await.text(), "static");
}
