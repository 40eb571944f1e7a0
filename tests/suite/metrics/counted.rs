//! What happens is counted, once and where it belongs.

use bytes::Bytes;
use http::Request;
use tessera_tests::{CertificatePair, RawClient, Site};

use super::Metrics;

#[tokio::test]
async fn they_want_the_key_as_the_api_does() {
    let server = Site::new().start().await;
    let request = || Request::get("/metrics").body(Bytes::new()).unwrap();
    let reply = server.admin.without_key(request()).await;
    assert_eq!(reply.status, 401, "{reply:?}");
    let reply = server.admin.request(request()).await;
    assert_eq!(reply.status, 200);
    // Not on the port of the site.
    assert_eq!(server.get("/metrics").await.status, 404);
}

#[tokio::test]
async fn requests_are_counted_by_kind_and_status() {
    let server = Site::new()
        .page("a.txt", "alpha")
        .page("tags.shtml", "<!--#4DTEXT 1+1-->")
        .guest("echo")
        .start()
        .await;
    for _ in 0..5 {
        assert_eq!(server.get("/a.txt").await.text(), "alpha");
    }
    for _ in 0..3 {
        assert_eq!(server.get("/echo/x").await.status, 200);
    }
    assert_eq!(server.get("/none").await.status, 404);
    assert_eq!(server.get("/tags.shtml").await.text().trim(), "2");
    let mut client = RawClient::connect(server.address).await;
    client.send("GET /a.txt HTTP/1.1\r\n\r\n").await;
    assert!(client.read_to_end().await.starts_with("HTTP/1.1 400 "));

    let metrics = Metrics::of(&server).await;
    let requests = |server: &str, kind: &str, code: &str| {
        metrics.get(&format!(
            "tessera_http_requests_total{{server=\"{server}\",kind=\"{kind}\",code=\"{code}\"}}"
        ))
    };
    assert_eq!(requests("site", "static", "200"), 1.0);
    assert_eq!(requests("site", "cache", "200"), 4.0);
    assert_eq!(requests("site", "other", "404"), 1.0);
    assert_eq!(requests("site", "other", "400"), 1.0);
    assert_eq!(requests("site", "dynamic", "200"), 1.0);
    assert_eq!(requests("echo", "dynamic", "200"), 3.0);
    let family = "tessera_http_request_duration_seconds";
    let of_echo = "server=\"echo\",kind=\"dynamic\"";
    let count = metrics.get(&format!("{family}_count{{{of_echo}}}"));
    let all = metrics.get(&format!("{family}_bucket{{{of_echo},le=\"+Inf\"}}"));
    assert_eq!((count, all), (3.0, 3.0));
    assert!(metrics.get(&format!("{family}_sum{{{of_echo}}}")) > 0.0);
    assert_eq!(
        metrics.get("tessera_cache_hits_total{server=\"site\"}"),
        4.0
    );
    assert!(metrics.get("tessera_cache_entries{cache=\"\"}") >= 1.0);
    assert!(metrics.get("tessera_http_response_bytes_total{server=\"site\"}") >= 25.0);
    assert!(metrics.get("tessera_connections_accepted_total") >= 11.0);
    assert_eq!(
        metrics.get("tessera_guest_calls_total{server=\"echo\"}"),
        3.0
    );
    assert!(metrics.get("tessera_guest_seconds_total{server=\"echo\"}") > 0.0);
    assert!(metrics.get("tessera_instantiations_total{server=\"echo\"}") >= 1.0);
    assert!(metrics.get("tessera_instantiation_seconds_total{server=\"echo\"}") > 0.0);
    assert_eq!(metrics.get("tessera_server_up{server=\"echo\"}"), 1.0);
    assert!(metrics.get("process_resident_memory_bytes") > 1e6);
}

#[tokio::test]
async fn no_label_comes_from_a_client() {
    let server = Site::new().guest("echo").start().await;
    let before = Metrics::of(&server).await;
    for number in 0..20 {
        let request = Request::builder()
            .method(format!("M{number}").as_str())
            .uri(format!("/clientword{number}"))
            .header("host", format!("clientword{number}"));
        server.send(request.body(Bytes::new()).unwrap()).await;
    }
    let after = Metrics::of(&server).await;
    assert!(!after.mentions("clientword") && !after.mentions("M1"));
    assert_eq!(before.kinds, after.kinds);
}

#[tokio::test]
async fn failures_and_reloads_are_counted_and_what_is_removed_vanishes() {
    let server = Site::new().guest("trap").guest("version1").start().await;
    assert_eq!(server.get("/trap/4DACTION/burst").await.status, 500);
    let metrics = Metrics::of(&server).await;
    let traps = "tessera_component_failures_total{server=\"trap\",cause=\"trap\"}";
    assert_eq!(metrics.get(traps), 1.0);
    let started = "tessera_reloads_total{server=\"version1\",outcome=\"started\"}";
    assert_eq!(metrics.get(started), 1.0);
    assert_eq!(metrics.get("tessera_generation{server=\"version1\"}"), 1.0);

    server.site.write("components/broken.wasm", "broken");
    server.wait_for_log(&["not loaded", "broken"]).await;
    let metrics = Metrics::of(&server).await;
    assert_eq!(metrics.get("tessera_server_up{server=\"broken\"}"), 0.0);
    assert!(metrics.mentions("server=\"broken\",outcome=\"failed\""));
    for name in ["broken", "version1"] {
        server.site.remove(&format!("components/{name}.wasm"));
    }
    server
        .wait_until("both are gone", async || {
            let metrics = Metrics::of(&server).await;
            let is_there = metrics.mentions("\"broken\"") || metrics.mentions("\"version1\"");
            (!is_there).then_some(())
        })
        .await;
}

#[tokio::test]
async fn handshakes_are_counted_by_what_became_of_them() {
    let server = Site::new()
        .certificate(&CertificatePair::for_names(&["site.example"]))
        .start()
        .await;
    let https = server.https_address_of("site").await;
    let mut plain = RawClient::connect(https).await;
    plain.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    plain.read_to_end().await;
    server
        .wait_until("it is counted", async || {
            let metrics = Metrics::of(&server).await;
            let plain = metrics.get("tessera_tls_handshakes_total{result=\"plain_http\"}");
            (plain == 1.0).then_some(())
        })
        .await;
    let metrics = Metrics::of(&server).await;
    assert!(metrics.get("tessera_certificate_not_after_seconds{server=\"site\"}") > 1e9);
}
