//! What goes on inside TLS: the protocol that was agreed on, and how connections end.

use std::net::SocketAddr;

use bytes::Bytes;
use http::Request;
use serde_json::json;
use tessera_tests::{CertificatePair, RawClient, Server, Site, TlsClient, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::listen::own_address;

/// How an HTTP/2 connection begins: the preface, and settings that say nothing.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// The settings that a server begins with.
const SETTINGS: u8 = 4;

fn client() -> TlsClient {
    TlsClient::trusting_all("site.test")
}

/// A host with a page, and where it speaks HTTPS.
async fn secured(settings: &str) -> (Server, SocketAddr) {
    let site = Site::new().settings(settings).page("a.txt", "file");
    let pair = CertificatePair::for_names(&["site.test"]);
    let server = site.certificate(&pair).start().await;
    let address = server.https_address_of("site").await;
    (server, address)
}

/// Sends bytes inside TLS and gives what comes until the end, which must be told: without a close_notify anybody on the
/// way could have made it.
async fn exchange(address: SocketAddr, protocols: &[&str], bytes: &[u8]) -> Vec<u8> {
    let mut stream = client().connect(address, protocols).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let end = within("the end", stream.read_to_end(&mut answer)).await;
    end.unwrap_or_else(|error| panic!("{protocols:?} {bytes:?}: {error}, after {answer:?}"));
    answer
}

#[tokio::test]
async fn clients_of_every_age_agree_on_a_protocol() {
    let (_server, address) = secured("").await;
    let table: [(&[&str], &str); 5] = [
        (&["http/1.0"], "1.0"),
        (&["http/1.0", "http/1.1"], "1.1"),
        (&["spdy/3", "http/1.1"], "1.1"),
        (&[], "1.1"),
        (&[], "1.0"),
    ];
    for (protocols, version) in table {
        let request =
            format!("GET /a.txt HTTP/{version}\r\nHost: site.test\r\nConnection: close\r\n\r\n");
        let answer = exchange(address, protocols, request.as_bytes()).await;
        let answer = String::from_utf8(answer).unwrap();
        assert!(
            answer.starts_with("HTTP/1.") && answer.ends_with("\r\n\r\nfile"),
            "{protocols:?}: {answer}"
        );
    }
    for protocols in [&["spdy/3"][..], &["h2c", "http/0.9"]] {
        let refused = client().connect(address, protocols).await.unwrap_err();
        let refused = refused.to_string();
        assert!(refused.contains("NoApplicationProtocol"), "{refused}");
    }
}

#[tokio::test]
async fn what_was_agreed_on_is_what_is_spoken() {
    let (_server, address) = secured("").await;
    let request = b"GET /a.txt HTTP/1.1\r\nHost: site.test\r\n\r\n";
    let answer = exchange(address, &["h2"], request).await;
    assert!(
        !answer.starts_with(b"HTTP"),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    for protocols in [&["http/1.1"][..], &[]] {
        let answer = exchange(address, protocols, PREFACE).await;
        assert_ne!(answer.get(3), Some(&SETTINGS), "{answer:?}");
    }
    let mut stream = client().connect(address, &["h2"]).await.unwrap();
    stream.write_all(PREFACE).await.unwrap();
    let mut head = [0; 9];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(head[3], SETTINGS);
}

#[tokio::test]
async fn a_connection_that_is_given_up_is_closed_in_order() {
    let settings = "[server]\nheader_timeout = \"200 ms\"\n[keep_alive]\ntimeout = \"200 ms\"\n";
    let (_server, address) = secured(settings).await;
    let whole = b"GET /a.txt HTTP/1.1\r\nHost: site.test\r\n\r\n";
    for (protocols, bytes) in [
        (&["http/1.1"][..], &b""[..]),
        (&["http/1.1"], b"GET /a.txt HT"),
        (&["http/1.1"], whole),
        (&["http/1.1"], b"no request\r\n\r\n"),
        (&["http/1.1"], &[0; 64]),
        (&["h2"], b""),
        (&["h2"], b"PRI * HT"),
        (&["h2"], PREFACE),
        (&["h2"], &[0; 64]),
    ] {
        exchange(address, protocols, bytes).await;
    }
}

#[tokio::test]
async fn an_answer_that_is_cut_off_does_not_look_complete() {
    let page = "0123456789abcdef".repeat(1 << 20);
    let site = Site::new().settings("[server]\ndrain_timeout = \"0 s\"\n");
    let pair = CertificatePair::for_names(&["site.test"]);
    let site = site.page("large.txt", &page).certificate(&pair);
    let server = site.start().await;
    let address = server.https_address_of("site").await;
    let mut stream = client().connect(address, &["http/1.1"]).await.unwrap();
    let request = b"GET /large.txt HTTP/1.1\r\nHost: site.test\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut first = [0; 1024];
    stream.read_exact(&mut first).await.unwrap();
    server.admin.stop("site").await;
    let mut rest = Vec::new();
    let end = within("the end", stream.read_to_end(&mut rest)).await;
    end.unwrap_err();
    assert!(rest.len() < page.len());
}

#[tokio::test]
async fn no_session_lets_a_client_begin_with_what_can_be_replayed() {
    let (_server, address) = secured("").await;
    let client = client();
    for resumed in [false, true] {
        let mut connection = client.http1(address).await.unwrap();
        assert_eq!(connection.facts.resumed, resumed);
        let request = Request::get("/a.txt").body(Bytes::new()).unwrap();
        let reply = connection.client.send(request).await.unwrap();
        assert_eq!(reply.text(), "file");
        assert!(!client.may_send_early_data());
    }
}

#[tokio::test]
async fn the_last_place_for_a_connection_is_for_the_port_that_is_asked() {
    let (server, address) = secured("[server]\nmax_connections = 1\n").await;
    let plain = b"GET /a.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    for _ in 0..3 {
        for _ in 0..2 {
            let answer = exchange(address, &["http/1.1"], plain).await;
            assert!(answer.ends_with(b"\r\n\r\nfile"));
        }
        for _ in 0..2 {
            let answer = RawClient::exchange(server.address, plain).await;
            assert!(answer.ends_with("\r\n\r\nfile"), "{answer}");
        }
    }
}

#[tokio::test]
async fn a_start_forgets_what_was_wrong_with_a_certificate_before() {
    let (server, address) = secured("").await;
    let good = CertificatePair::for_names(&["site.test"]);
    server.site.write("cert.pem", "nothing of the kind");
    server
        .wait_until("the bad certificate is told", async || {
            let site = server.properties("site").await;
            site["error"].as_str()?.contains("not PEM").then_some(())
        })
        .await;
    server.admin.stop("site").await;
    let site = server.properties("site").await;
    assert_eq!(site["error"], json!(null), "{site}");
    server.site.put_certificate("", &good);
    server.admin.start("site", &json!({})).await;
    let site = server.properties("site").await;
    assert_eq!(site["error"], json!(null), "{site}");
    assert!(client().open(address).await.unwrap().facts.is_of(&good));
}

#[tokio::test]
async fn who_names_no_server_gets_the_same_one_after_every_start() {
    let names = ["alpha", "beta", "gamma"];
    let pairs = names.map(|name| CertificatePair::for_names(&[&format!("{name}.test")]));
    let address = own_address();
    let settings = format!("HTTPSPort = 8443\nIPAddressToListen = \"{address}\"\n");
    let mut site = Site::new().with_ports_of_settings().settings(&format!(
        "HTTPPort = 8080\nIPAddressToListen = \"{address}\"\n[admin]\naddress = \"{address}:7080\"\n"
    ));
    for (name, pair) in names.iter().zip(&pairs) {
        site = site.guest_as_with("version1", name, &settings);
        site = site.certificate_of(name, pair);
    }
    let server = site.start().await;
    let shown = async || {
        let client = TlsClient::trusting_all(&address.to_string());
        let connection = client.open((address, 8443).into()).await.unwrap();
        pairs.iter().position(|pair| connection.facts.is_of(pair))
    };
    // Whichever was loaded first: the first by name, as long as it runs.
    assert_eq!(shown().await, Some(0));
    for (stopped, next) in [(0, 1), (1, 0), (2, 0)] {
        server.admin.stop(names[stopped]).await;
        assert_eq!(shown().await, Some(next), "{}", names[stopped]);
        server.admin.start(names[stopped], &json!({})).await;
        assert_eq!(shown().await, Some(0), "{}", names[stopped]);
    }
}
