//! Components that call each other inside of the host: what they reach, what holds them, and how it ends.

use bytes::Bytes;
use http::Request;
use tessera_tests::{RawClient, Server, Site};

const MIB: usize = 1 << 20;

fn may_call(names: &str) -> String {
    format!("maxRequestSize = 100000000\n[permissions]\ncomponents = [{names}]\n")
}

async fn text(server: &Server, path: &str) -> String {
    server.get(path).await.text().to_owned()
}

#[tokio::test]
async fn a_component_calls_those_that_its_permissions_name() {
    let site = Site::new()
        .guest_as_with("wasihttp", "front", &may_call("'Back', 'back3', 'host'"))
        .guest_as_with("wasihttp3", "front3", &may_call("'*'"))
        .guest_as_with("caller", "classic", &may_call("'Back', 'gone'"))
        .guest_as_with("wasihttp", "Back", "")
        .guest_as_with("wasihttp3", "back3", "")
        .guest("echo");
    site.write("WebFolder/page.html", "a page of the host");
    site.write(
        "components/Back/WebFolder/page.html",
        "a page of a component",
    );
    let server = site.start().await;

    // Hosts are written in any case; the component sees its own URL, and who asks.
    let seen = text(
        &server,
        "/front/fetch/http://back.tessera.internal/request/a?b=c",
    )
    .await;
    let line = "Method::Get http back.tessera.internal /request/a?b=c\n";
    assert!(seen.starts_with(line), "{seen}");
    assert!(seen.contains("x-tessera-caller: front\n"), "{seen}");
    let spoofed = Request::get("/Back/request").header("x-tessera-caller", "front");
    let seen = server.send(spoofed.body(Bytes::new()).unwrap()).await;
    assert!(!seen.text().contains("x-tessera-caller"), "{}", seen.text());
    let seen = text(
        &server,
        "/front/fetch/https://back3.tessera.internal/request",
    )
    .await;
    assert!(seen.contains("Https"), "{seen}");

    for front in ["/front", "/front3"] {
        for (url, expected) in [
            ("Back.tessera.internal/page.html", "a page of a component"),
            // What the host serves, a mounted component and files: as its clients have it.
            ("tessera.internal/page.html", "a page of the host"),
            ("tessera.internal/back3/", "hello from wasi:http 0.3"),
        ] {
            let answer = text(&server, &format!("{front}/fetch/http://{url}")).await;
            assert_eq!(answer, expected, "{front} {url}");
        }
    }
    let page = text(&server, "/classic/back.tessera.internal/page.html").await;
    assert_eq!(page, "200 a page of a component");
    let missing = text(&server, "/classic/back.tessera.internal/fetch/missing.html").await;
    assert!(missing.starts_with("500 "), "{missing}");

    for (path, expected) in [
        (
            "/front/fetch/http://front.tessera.internal/",
            "HttpRequestDenied",
        ),
        (
            "/front/fetch/http://echo.tessera.internal/",
            "HttpRequestDenied",
        ),
        (
            "/front3/fetch/http://front3.tessera.internal/",
            "HttpRequestDenied",
        ),
        ("/front3/fetch/http://gone.tessera.internal/", "DnsError"),
        ("/classic/gone.tessera.internal/", "DnsError"),
        ("/classic/tessera.internal/", "HttpRequestDenied"),
        (
            "/Back/fetch/http://back3.tessera.internal/",
            "HttpRequestDenied",
        ),
    ] {
        let answer = text(&server, path).await;
        assert!(answer.contains(expected), "{path}: {answer}");
    }
    let allowing = "[permissions] components = [\"echo\"]";
    server.wait_for_log(&["front, request", allowing]).await;
}

#[tokio::test]
async fn bodies_pass_between_components_as_they_come() {
    let server = Site::new()
        .guest_as_with("wasihttp", "front", &may_call("'back', 'back3'"))
        .guest_as_with("wasihttp3", "front3", &may_call("'back', 'back3'"))
        .guest_as_with("wasihttp", "back", "maxRequestSize = 100000000\n")
        .guest_as_with("wasihttp3", "back3", "maxRequestSize = 100000000\n")
        .start()
        .await;
    let before = server.resident_bytes();
    let body: Vec<u8> = (0..8 * MIB).map(|at| (at / 7) as u8).collect();
    for front in ["front", "front3"] {
        for back in ["back", "back3"] {
            let path = format!("/{front}/forward/http://{back}.tessera.internal/echo");
            let reply = server.post(&path, "text/plain", body.clone()).await;
            let length = reply.body.len();
            assert!(reply.body == body, "{front} {back}: {length} bytes");
        }
    }
    let path = "/front/fetch/http://back.tessera.internal/download/40000000";
    assert_eq!(server.get(path).await.body.len(), 40_000_000);
    let more = server.resident_bytes().saturating_sub(before);
    assert!(more < 64 << 20, "{more} bytes more");
    for name in ["front", "front3", "back", "back3"] {
        server.wait_for_processes(name, 0).await;
    }
}

#[tokio::test]
async fn a_loop_ends_and_a_fan_out_is_bounded() {
    let all = may_call("'a', 'b', 'a3', 'classic'");
    let server = Site::new()
        .guest_as_with("wasihttp", "a", &all)
        .guest_as_with("wasihttp", "b", &all)
        .guest_as_with("wasihttp3", "a3", &all)
        .start()
        .await;
    // Whether an instance has other requests or not, and however often.
    for (one, other) in [("a", "b"), ("a", "a"), ("a3", "a3"), ("a3", "b")] {
        let hop = |index: usize| {
            let name = if index.is_multiple_of(2) { other } else { one };
            format!("/fetch/http://{name}.tessera.internal")
        };
        for (depth, is_loop) in [(8, false), (9, true), (8, false), (30, true)] {
            let hops: String = (0..depth).map(hop).collect();
            let path = format!("/{one}{hops}/echo");
            let answer = text(&server, &path).await;
            let found = answer.contains("508");
            assert_eq!(found, is_loop, "{one} {other} {depth}: {answer}");
        }
    }
    let many = "/fetch-many/30/http://a.tessera.internal";
    let answer = text(&server, &format!("/a{many}{many}{many}/echo")).await;
    assert_eq!(answer.lines().count(), 30, "{answer}");
    server
        .wait_for_log(&["have called each other too often"])
        .await;
    for name in ["a", "b", "a3"] {
        server.wait_for_processes(name, 0).await;
    }
    assert_eq!(text(&server, "/b/").await, "hello from wasi:http");
}

#[tokio::test]
async fn who_has_a_place_does_not_wait_for_another() {
    let settings = may_call("'a'") + "[pool]\nqueue_timeout = \"1 min\"\n";
    let server = Site::new()
        .guest_as_with("wasihttp", "a", &settings)
        .settings("[engine]\nmax_instances = 4\n")
        .start()
        .await;
    let hops = "/fetch/http://a.tessera.internal".repeat(6);
    let answer = text(&server, &format!("/a{hops}/echo")).await;
    assert!(answer.contains("503"), "{answer}");
    server.wait_for_processes("a", 0).await;
}

#[tokio::test]
async fn who_gives_up_ends_those_that_were_called() {
    let hasty = may_call("'back3'") + "[limits]\ndeadline = \"300 ms\"\n";
    let server = Site::new()
        .guest_as_with("wasihttp", "front", &may_call("'back3', 'back'"))
        .guest_as_with("wasihttp", "hasty", &hasty)
        .guest_as_with("wasihttp", "back", "")
        .guest_as_with("wasihttp3", "back3", "")
        .start()
        .await;
    let wait = "fetch/http://back3.tessera.internal/wait";
    let mut client = RawClient::connect(server.address).await;
    let request = format!("GET /front/{wait} HTTP/1.1\r\nHost: a\r\n\r\n");
    client.send(request).await;
    server.wait_for_processes("back3", 1).await;
    drop(client);
    server.wait_for_processes("back3", 0).await;
    server.wait_for_processes("front", 0).await;

    assert_eq!(server.get(&format!("/hasty/{wait}")).await.status, 504);
    server.wait_for_processes("back3", 0).await;

    // One that breaks in the midst of its answer is told from one that ends.
    let path = "/front/fetch/http://back.tessera.internal/trap-later";
    let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let answer = RawClient::exchange(server.address, request).await;
    assert!(!answer.ends_with("0\r\n\r\n"), "{answer}");
    server
        .wait_for_log(&["the body broke", "component=\"front\""])
        .await;
    server.wait_for_processes("front", 0).await;
}
