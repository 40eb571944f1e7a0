//! HTTPS: certificates and who gets which, versions and suites, clients that do not belong on the port.

use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;

use bytes::Bytes;
use http::{Request, Version};
use rustls::version::{TLS12, TLS13};
use rustls::{CipherSuite, ProtocolVersion};
use serde_json::json;
use tessera_tests::{CertificatePair, RawClient, Reply, Server, Site, TlsClient, TlsConnection};

use crate::listen::own_address;

const NAME: &str = "site.test";

fn pair() -> CertificatePair {
    CertificatePair::for_names(&[NAME])
}

/// A client that takes any certificate, and has no session of before.
fn client() -> TlsClient {
    TlsClient::trusting_all(NAME)
}

async fn get(connection: &mut TlsConnection, path: &str) -> Reply {
    let request = Request::get(path).body(Bytes::new()).unwrap();
    connection.client.send(request).await.unwrap()
}

/// Waits until new connections are shown the certificate of a pair.
async fn wait_for_certificate(server: &Server, address: SocketAddr, pair: &CertificatePair) {
    server
        .wait_until("the certificate is in use", async || {
            let connection = client().open(address).await.ok()?;
            connection.facts.is_of(pair).then_some(())
        })
        .await;
}

#[tokio::test]
async fn both_versions_of_http_are_spoken_over_tls() {
    let pair = pair();
    let site = Site::new().certificate(&pair).guest("echo");
    let server = site.page("a.txt", "file").start().await;
    let address = server.https_address_of("site").await;
    let client = TlsClient::trusting(&pair.certificate, NAME);
    let connections = [
        (client.open(address).await, Version::HTTP_2),
        (client.http2(address).await, Version::HTTP_2),
        (client.http1(address).await, Version::HTTP_11),
    ];
    for (connection, version) in connections {
        let mut connection = connection.unwrap();
        let chosen = match version {
            Version::HTTP_2 => "h2",
            _ => "http/1.1",
        };
        let protocol = connection.facts.protocol.clone();
        assert_eq!(protocol.as_deref(), Some(chosen.as_bytes()));
        let reply = get(&mut connection, "/a.txt").await;
        assert_eq!((reply.status.as_u16(), reply.text()), (200, "file"));
        assert_eq!(reply.version, version);
        let echo = get(&mut connection, "/echo/x").await.json();
        assert_eq!(echo["secured"], json!(true), "{echo}");
    }
    let echo = server.get("/echo/x").await.json();
    assert_eq!(echo["secured"], json!(false), "{echo}");
}

#[tokio::test]
async fn what_a_client_without_alpn_speaks_is_found_out() {
    let server = Site::new()
        .certificate(&pair())
        .page("a.txt", "file")
        .start()
        .await;
    let address = server.https_address_of("site").await;
    let mut stream = client().connect(address, &[]).await.unwrap();
    let request = format!("GET /a.txt HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n");
    let mut answer = Vec::new();
    tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes())
        .await
        .unwrap();
    // Without close_notify this would be an error: an attacker could have cut the answer.
    tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut answer)
        .await
        .unwrap();
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nfile"), "{answer}");
}

#[tokio::test]
async fn a_certificate_replaced_on_disk_is_for_new_connections() {
    let (old, new) = (pair(), pair());
    let site = Site::new().certificate(&old);
    let server = site.page("a.txt", "file").start().await;
    let address = server.https_address_of("site").await;
    let mut connections = Vec::new();
    for connection in [client().http1(address).await, client().http2(address).await] {
        let mut connection = connection.unwrap();
        assert!(connection.facts.is_of(&old));
        assert_eq!(get(&mut connection, "/a.txt").await.text(), "file");
        connections.push(connection);
    }
    server.site.put_certificate("", &new);
    wait_for_certificate(&server, address, &new).await;
    for connection in &mut connections {
        assert_eq!(get(connection, "/a.txt").await.text(), "file");
    }
    // Who trusts only the new one is served.
    let client = TlsClient::trusting(&new.certificate, NAME);
    client.open(address).await.unwrap();
}

#[tokio::test]
async fn a_bad_certificate_leaves_the_old_one_in_use_and_says_so() {
    let (old, new) = (pair(), pair());
    let server = Site::new().certificate(&old).start().await;
    let address = server.https_address_of("site").await;
    server.site.write("cert.pem", "nothing of the kind");
    server.wait_for_log(&["cert.pem", "not PEM"]).await;
    assert!(client().open(address).await.unwrap().facts.is_of(&old));
    wait_for_error(&server, true).await;
    // The one in use is put back.
    server.site.write("cert.pem", &old.certificate);
    wait_for_error(&server, false).await;
    server.site.remove("key.pem");
    server.wait_for_log(&["key.pem", "no such file"]).await;
    assert!(client().open(address).await.unwrap().facts.is_of(&old));
    server.site.put_certificate("", &new);
    wait_for_certificate(&server, address, &new).await;
    let log = server.log();
    assert_eq!(log.matches("not PEM").count(), 1, "{log}");
    // A start begins with what is there.
    server.site.write("cert.pem", "nothing of the kind");
    wait_for_error(&server, true).await;
    server.admin.stop("site").await;
    server.site.put_certificate("", &new);
    server.admin.start("site", &json!({})).await;
    assert!(server.properties("site").await["error"].is_null());
}

/// Waits until the host's web server has something wrong to tell, or nothing any more.
async fn wait_for_error(server: &Server, expected: bool) {
    server
        .wait_until("what is wrong has changed", async || {
            let error = server.properties("site").await["error"].clone();
            (error.is_null() != expected).then_some(())
        })
        .await;
}

#[tokio::test]
async fn a_component_has_a_certificate_of_its_own() {
    let (host, shop) = (pair(), CertificatePair::for_names(&["shop.test"]));
    let new = CertificatePair::for_names(&["shop.test"]);
    let server = Site::new()
        .certificate(&host)
        .guest_as_with("version1", "shop", "HTTPSPort = 8443\n")
        .certificate_of("shop", &shop)
        .start()
        .await;
    let address = server.https_address_of("shop").await;
    assert_ne!(address, server.https_address_of("site").await);
    let client = TlsClient::trusting(&shop.certificate, "shop.test");
    let mut connection = client.open(address).await.unwrap();
    assert_eq!(get(&mut connection, "/").await.text(), "v1");
    server.site.put_certificate("components/shop/", &new);
    wait_for_certificate(&server, address, &new).await;
    assert_eq!(get(&mut connection, "/").await.text(), "v1");
}

/// Settings of a server that shares its HTTPS port with others.
fn shared(address: Ipv4Addr) -> String {
    format!("HTTPSPort = 8443\nIPAddressToListen = \"{address}\"\n")
}

#[tokio::test]
async fn the_name_asked_for_chooses_among_servers_on_one_port() {
    let address = own_address();
    let names = [NAME, "shop.test", "*.blog.test"];
    let [host, shop, blog] = names.map(|name| CertificatePair::for_names(&[name]));
    let settings = shared(address);
    let server = Site::new()
        .settings(&format!(
            "HTTPPort = 8080\n{settings}[admin]\naddress = \"{address}:7080\"\n"
        ))
        .with_ports_of_settings()
        .certificate(&host)
        .page("index.html", "host")
        .guest_as_with("version1", "shop", &settings)
        .certificate_of("shop", &shop)
        .guest_as_with("version2", "blog", &settings)
        .certificate_of("blog", &blog)
        .start()
        .await;
    for name in ["site", "shop", "blog"] {
        let own = server.https_address_of(name).await;
        assert_eq!(own, SocketAddr::from((address, 8443)), "{name}");
    }
    let table = [
        (NAME, &host, "host"),
        ("shop.test", &shop, "v1"),
        ("any.blog.test", &blog, "v2"),
    ];
    for (name, pair, text) in table {
        let client = TlsClient::trusting(&pair.certificate, name);
        for connection in [
            client.http1((address, 8443).into()).await,
            client.http2((address, 8443).into()).await,
        ] {
            let mut connection = connection.unwrap();
            assert!(connection.facts.is_of(pair), "{name}");
            assert_eq!(get(&mut connection, "/").await.text(), text, "{name}");
        }
    }
}

#[tokio::test]
async fn the_lowest_version_is_enforced() {
    for (lowest, tls12_is_served) in [(3, true), (4, false)] {
        let site = Site::new().settings(&format!("minTLSVersion = {lowest}\n"));
        let server = site.certificate(&pair()).start().await;
        let address = server.https_address_of("site").await;
        let tls12 = client().version(&TLS12).open(address).await;
        assert_eq!(tls12.is_ok(), tls12_is_served, "{tls12:?}");
        let tls13 = client().version(&TLS13).open(address).await.unwrap();
        assert_eq!(tls13.facts.version, ProtocolVersion::TLSv1_3);
        let properties = server.properties("site").await;
        assert_eq!(properties["minTLSVersion"], json!(lowest));
    }
}

#[tokio::test]
async fn the_suites_of_the_settings_are_the_ones_in_their_order() {
    use CipherSuite as Suite;
    let suites =
        "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256";
    let site = Site::new().settings(&format!("cipherSuite = \"{suites}\"\n"));
    let server = site.certificate(&pair()).start().await;
    let address = server.https_address_of("site").await;
    let (aes, chacha) = (
        Suite::TLS13_AES_128_GCM_SHA256,
        Suite::TLS13_CHACHA20_POLY1305_SHA256,
    );
    let aes12 = Suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256;
    let table = [
        (&[aes, chacha][..], chacha),
        (&[aes], aes),
        (
            &[Suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, aes12],
            aes12,
        ),
    ];
    for (offered, chosen) in table {
        let version = if chosen == aes12 { &TLS12 } else { &TLS13 };
        let client = client().version(version).suites(offered);
        let connection = client.open(address).await;
        assert_eq!(connection.unwrap().facts.suite, chosen);
    }
    let refused = client().version(&TLS13);
    let refused = refused.suites(&[Suite::TLS13_AES_256_GCM_SHA384]);
    refused.open(address).await.unwrap_err();
    let properties = server.properties("site").await;
    assert_eq!(properties["cipherSuite"], json!(suites));
}

#[tokio::test]
async fn sessions_are_resumed() {
    let server = Site::new()
        .certificate(&pair())
        .page("a.txt", "file")
        .start()
        .await;
    let address = server.https_address_of("site").await;
    for version in [&TLS12, &TLS13] {
        let resuming = client().version(version);
        let full = resuming.clone().without_resumption();
        for (client, resumed) in [(&resuming, [false, true]), (&full, [false, false])] {
            for resumed in resumed {
                let mut connection = client.open(address).await.unwrap();
                assert_eq!(connection.facts.resumed, resumed, "{version:?}");
                // With its response the client gets what it resumes by.
                assert_eq!(get(&mut connection, "/a.txt").await.text(), "file");
            }
        }
    }
}

#[tokio::test]
async fn a_handshake_that_does_not_end_is_cut() {
    let site = Site::new().settings("[tls]\nhandshake_timeout = \"300 ms\"\n");
    let server = site.certificate(&pair()).start().await;
    let address = server.https_address_of("site").await;
    for beginning in [&b""[..], b"\x16\x03\x01\x01\x00\x01\x00\x00\xfc\x03\x03"] {
        let mut client = RawClient::connect(address).await;
        client.send(beginning).await;
        assert_eq!(client.read_to_end().await, "");
    }
    client().open(address).await.unwrap();
}

#[tokio::test]
async fn handshakes_that_wait_hold_up_nobody() {
    let server = Site::new().certificate(&pair()).start().await;
    let address = server.https_address_of("site").await;
    let mut waiting = Vec::new();
    for _ in 0..50 {
        waiting.push(RawClient::connect(address).await);
    }
    client().open(address).await.unwrap();
}

#[tokio::test]
async fn what_is_not_tls_is_sent_away() {
    let server = Site::new()
        .certificate(&pair())
        .page("a.txt", "file")
        .start()
        .await;
    let address = server.https_address_of("site").await;
    for request in [
        "GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let answer = RawClient::exchange(address, request).await;
        assert!(
            answer.starts_with("HTTP/1.1 400 Bad Request\r\n"),
            "{answer}"
        );
        assert!(answer.contains("https://"), "{answer}");
    }
    let answer = RawClient::exchange(address, [0x80; 64]).await;
    assert!(!answer.contains("HTTP"), "{answer}");
    // And the other way round.
    client().open(server.address).await.unwrap_err();
    assert_eq!(server.get("/a.txt").await.text(), "file");
    client().open(address).await.unwrap();
}

#[tokio::test]
async fn the_properties_tell_of_tls() {
    let server = Site::new().certificate(&pair()).start().await;
    let site = server.properties("site").await;
    let library = site["openSSLVersion"].as_str().unwrap();
    assert!(library.starts_with("rustls 0."), "{library}");
    assert!(library.contains("(aws-lc-rs 1."), "{library}");
    assert_eq!(site["perfectForwardSecrecy"], json!(true));
    assert_eq!(site["HTTPSEnabled"], json!(true));
    let address = server.https_address_of("site").await;
    assert_eq!(site["HTTPSPort"], json!(address.port()));
    assert_eq!(site["HTTPPort"], json!(server.address.port()));
}

#[tokio::test]
async fn a_pair_that_is_there_may_be_left_unused() {
    let site = Site::new().settings("HTTPSEnabled = false\n");
    let server = site.certificate(&pair()).start().await;
    let site = server.properties("site").await;
    assert_eq!(site["HTTPSEnabled"], json!(false));
    let urls = site["urls"].as_array().unwrap();
    assert!(
        urls.iter()
            .all(|url| url.as_str().unwrap().starts_with("http://")),
        "{site}"
    );
}

#[tokio::test]
async fn a_server_may_speak_https_only() {
    let site = Site::new().settings("HTTPEnabled = false\n");
    let site = site.certificate(&pair()).page("a.txt", "file");
    let server = site.start().await;
    let address = server.https_address_of("site").await;
    let mut connection = client().open(address).await.unwrap();
    assert_eq!(get(&mut connection, "/a.txt").await.text(), "file");
    let site = server.properties("site").await;
    assert_eq!(site["HTTPEnabled"], json!(false));
    let urls = site["urls"].as_array().unwrap();
    assert!(
        urls.iter()
            .all(|url| url.as_str().unwrap().starts_with("https://")),
        "{site}"
    );
}

#[tokio::test]
async fn https_without_a_certificate_is_told_with_a_way_out() {
    let site = Site::new().settings("HTTPSEnabled = true\n");
    let exit = site.try_start().await.unwrap_err();
    assert_eq!(exit.stdout, "", "{exit:#?}");
    for part in ["error: ", "cert.pem", "--dev-tls"] {
        assert!(exit.stderr.contains(part), "{part}: {exit:#?}");
    }
}

#[tokio::test]
async fn a_pair_for_development_is_made_once() {
    let site = Site::new().argument("--dev-tls").page("a.txt", "file");
    let server = site.start().await;
    let certificate = server.site.read("cert.pem");
    let key = std::fs::metadata(server.site.at("key.pem")).unwrap();
    assert_eq!(key.permissions().mode() & 0o777, 0o600);
    let address = server.https_address_of("site").await;
    for name in ["localhost", "127.0.0.1"] {
        let client = TlsClient::trusting(&certificate, name);
        let mut connection = client.open(address).await.unwrap();
        assert_eq!(
            get(&mut connection, "/a.txt").await.text(),
            "file",
            "{name}"
        );
    }
    let (_, site) = server.stop().await;
    let server = site.start().await;
    assert_eq!(server.site.read("cert.pem"), certificate);
    let address = server.https_address_of("site").await;
    let client = TlsClient::trusting(&certificate, "localhost");
    client.open(address).await.unwrap();
}
