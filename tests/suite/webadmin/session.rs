//! Logging in, what the two halves of a session are worth, and requests that other pages have browsers send.

use bytes::Bytes;
use http::Request;
use tessera_tests::{Server, Site};

use super::{login, open, try_login};

const SERVERS: &str = "/api/v1/servers";

async fn with(server: &Server, method: &str, path: &str, fields: &[(&str, &str)]) -> u16 {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let request = request.body(Bytes::new()).unwrap();
    server.admin.without_key(request).await.status.as_u16()
}

#[tokio::test]
async fn only_the_key_logs_in() {
    let server = Site::new().start().await;
    for wrong in ["", "wrong", "%00", &"x".repeat(3000)] {
        let reply = try_login(&server, wrong).await;
        assert!(
            [401, 429].contains(&reply.status.as_u16()),
            "{wrong:?}: {reply:?}"
        );
        assert!(reply.header("set-cookie").is_none(), "{reply:?}");
        assert!(reply.text().contains("role=\"alert\""), "{reply:?}");
    }
    assert_eq!(try_login(&server, &"x".repeat(5000)).await.status, 413);
    // Wrong ones have not locked out who has the key.
    let visit = login(&server).await;
    assert_eq!(visit.send(&server, "GET", SERVERS).await.status, 200);
    assert!(!server.log().contains(&visit.proof), "{server:?}");
}

#[tokio::test]
async fn the_cookie_alone_opens_nothing() {
    let server = Site::new().start().await;
    let (one, other) = (login(&server).await, login(&server).await);
    assert_ne!(one.cookie, other.cookie);
    for (method, path) in [
        ("GET", SERVERS),
        ("GET", "/api/v1/events"),
        ("GET", "/metrics"),
        ("POST", "/api/v1/servers/site/stop"),
        ("POST", "/webadmin/logout"),
    ] {
        let cookie = ("cookie", one.cookie.as_str());
        assert_eq!(with(&server, method, path, &[cookie]).await, 403, "{path}");
        let crossed = ("x-tessera-proof", other.proof.as_str());
        let status = with(&server, method, path, &[cookie, crossed]).await;
        assert_eq!(status, 403, "{path}");
        let proof = ("x-tessera-proof", one.proof.as_str());
        let status = with(&server, method, path, &[proof]).await;
        assert_eq!(status, 401, "{path}");
    }
    assert!(
        server.properties("site").await["isRunning"]
            .as_bool()
            .unwrap()
    );
}

#[tokio::test]
async fn other_pages_cannot_have_the_browser_ask() {
    let server = Site::new().start().await;
    let visit = login(&server).await;
    let own = format!("http://{}", server.admin.address);
    let both = [
        ("cookie", visit.cookie.as_str()),
        ("x-tessera-proof", visit.proof.as_str()),
    ];
    for (name, value, expected) in [
        ("origin", own.as_str(), 200),
        ("sec-fetch-site", "same-origin", 200),
        ("origin", "http://127.0.0.1:1", 403),
        ("origin", "http://evil.example", 403),
        ("origin", "null", 403),
        ("sec-fetch-site", "same-site", 403),
        ("sec-fetch-site", "cross-site", 403),
    ] {
        let fields = [both[0], both[1], (name, value)];
        for (method, path) in [("GET", SERVERS), ("POST", "/api/v1/reload")] {
            let status = with(&server, method, path, &fields).await;
            assert_eq!(status, expected, "{method} {name}: {value}");
        }
    }
    // Nor log somebody in.
    let form = format!("key={}", server.admin.key);
    let request = Request::builder()
        .method("POST")
        .uri("/webadmin/login")
        .header("origin", "http://evil.example");
    let reply = server
        .admin
        .without_key(request.body(form.into()).unwrap())
        .await;
    assert_eq!(reply.status, 403, "{reply:?}");
    // Not by a name of theirs either.
    let fields = [both[0], both[1], ("host", "rebound.example")];
    assert_eq!(with(&server, "GET", SERVERS, &fields).await, 421);
    assert_eq!(
        with(&server, "GET", "/", &[("host", "rebound.example")]).await,
        421
    );
}

#[tokio::test]
async fn a_wrong_key_is_wrong_also_with_a_session() {
    let server = Site::new().start().await;
    let visit = login(&server).await;
    let mut request = visit.request("GET", SERVERS);
    let wrong = "Bearer wrong".parse().unwrap();
    request.headers_mut().insert("authorization", wrong);
    assert_eq!(server.admin.without_key(request).await.status, 401);
}

#[tokio::test]
async fn a_logout_ends_the_session_and_no_other() {
    let server = Site::new().start().await;
    let (one, other) = (login(&server).await, login(&server).await);
    let reply = one.send(&server, "POST", "/webadmin/logout").await;
    assert_eq!(reply.status, 303, "{reply:?}");
    assert!(reply.header("set-cookie").unwrap().contains("Max-Age=0"));
    assert_eq!(one.send(&server, "GET", SERVERS).await.status, 401);
    assert_eq!(other.send(&server, "GET", SERVERS).await.status, 200);
    let page = one.send(&server, "GET", "/webadmin/").await;
    assert_eq!(page.header("location"), Some("/webadmin/login"));
    // Sessions end with the process.
    let (_, site) = server.stop().await;
    let server = site.start().await;
    assert_eq!(other.send(&server, "GET", SERVERS).await.status, 401);
    assert_eq!(open(&server, "GET", "/webadmin/login").await.status, 200);
}
