//! Handshakes over a pipe in memory, with a client of the same library.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::ServerName;
use rustls::{
    CipherSuite, ClientConfig, HandshakeKind, ProtocolVersion, RootCertStore, ServerConfig,
    SupportedProtocolVersion,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio_rustls::{TlsConnector, client, server};

use crate::settings::TlsVersion;
use crate::tls::{HandshakeError, ServerTls, handshake};

use super::{Folder, Pair, pair, provider};

const LONG: Duration = Duration::from_secs(60);

/// A client that trusts these pairs.
fn client(trusts: &[&Pair]) -> ClientConfig {
    client_of(trusts, rustls::ALL_VERSIONS)
}

fn client_of(trusts: &[&Pair], versions: &[&'static SupportedProtocolVersion]) -> ClientConfig {
    client_with(provider(), trusts, versions)
}

fn client_with(
    provider: CryptoProvider,
    trusts: &[&Pair],
    versions: &[&'static SupportedProtocolVersion],
) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    for pair in trusts {
        roots.add(pair.der.clone()).unwrap();
    }
    ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

type Met = (
    io::Result<client::TlsStream<DuplexStream>>,
    Result<server::TlsStream<DuplexStream>, HandshakeError>,
);

async fn meet(
    client: &ClientConfig,
    name: &str,
    choose: impl FnOnce(Option<&str>) -> Option<Arc<ServerConfig>>,
) -> Met {
    let (here, there) = tokio::io::duplex(16 * 1024);
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let connector = TlsConnector::from(Arc::new(client.clone()));
    tokio::join!(
        connector.connect(name, here),
        handshake(there, choose, LONG)
    )
}

/// What the server makes of bytes that are no TLS, and what it answers until it closes.
async fn send(bytes: &[u8]) -> (HandshakeError, Vec<u8>) {
    let (mut here, there) = tokio::io::duplex(256 * 1024);
    let client = async {
        // The server may close before it has taken everything.
        let _ = here.write_all(bytes).await;
        let _ = here.shutdown().await;
        let mut answer = Vec::new();
        here.read_to_end(&mut answer).await.unwrap();
        answer
    };
    let (server, answer) = tokio::join!(handshake(there, |_| None, LONG), client);
    (server.unwrap_err(), answer)
}

#[tokio::test]
async fn the_name_asked_for_chooses_the_certificate() {
    let (one, two) = (pair(&["one.test"]), pair(&["*.two.test"]));
    let folders = [Folder::with(&one), Folder::with(&two)];
    let servers = folders.map(|folder| ServerTls::load(&folder.settings()).unwrap());
    let client = client(&[&one, &two]);
    for (name, server) in [("one.test", 0), ("a.two.test", 1), ("One.Test", 0)] {
        let (client, server) = meet(&client, name, |asked| {
            let asked = asked.unwrap();
            let found = servers.iter().position(|server| server.covers(asked));
            assert_eq!(found, Some(server), "{asked}");
            Some(servers[server].config())
        })
        .await;
        // The client has checked that the certificate is for the name.
        client.unwrap();
        let stream = server.unwrap();
        let session = stream.get_ref().1;
        assert!(session.server_name().unwrap().eq_ignore_ascii_case(name));
        assert_eq!(session.protocol_version(), Some(ProtocolVersion::TLSv1_3));
    }
}

#[tokio::test]
async fn a_client_that_asks_for_no_name_is_told_apart() {
    let pair = pair(&["127.0.0.1"]);
    let folder = Folder::with(&pair);
    let server = ServerTls::load(&folder.settings()).unwrap();
    let (client, server) = meet(&client(&[&pair]), "127.0.0.1", |asked| {
        assert_eq!(asked, None);
        Some(server.config())
    })
    .await;
    client.unwrap();
    assert_eq!(server.unwrap().get_ref().1.server_name(), None);
}

#[tokio::test]
async fn a_name_of_no_server_is_refused_with_an_alert() {
    let pair = pair(&["one.test"]);
    let (client, server) = meet(&client(&[&pair]), "other.test", |_| None).await;
    let refusal = client.unwrap_err().to_string();
    assert!(refusal.contains("UnrecognisedName"), "{refusal}");
    let error = server.unwrap_err().to_string();
    assert!(error.contains("\"other.test\""), "{error}");
}

#[tokio::test]
async fn http2_is_preferred_and_each_gets_what_it_speaks() {
    let pair = pair(&["one.test"]);
    let folder = Folder::with(&pair);
    let server = ServerTls::load(&folder.settings()).unwrap();
    let table = [
        (&["http/1.1", "h2"][..], Some("h2")),
        (&["h2"], Some("h2")),
        (&["http/1.1"], Some("http/1.1")),
        (&[], None),
    ];
    for (offered, chosen) in table {
        let mut config = client(&[&pair]);
        config.alpn_protocols = offered.iter().map(|name| name.as_bytes().into()).collect();
        let (_client, stream) = meet(&config, "one.test", |_| Some(server.config())).await;
        let stream = stream.unwrap();
        assert_eq!(
            stream.get_ref().1.alpn_protocol(),
            chosen.map(str::as_bytes)
        );
    }
    let mut config = client(&[&pair]);
    config.alpn_protocols = vec![b"spdy/3".to_vec()];
    let (_client, stream) = meet(&config, "one.test", |_| Some(server.config())).await;
    let error = stream.unwrap_err();
    assert!(matches!(error, HandshakeError::Failed(_)), "{error:?}");
}

#[tokio::test]
async fn the_lowest_version_is_kept_to() {
    let pair = pair(&["one.test"]);
    let folder = Folder::with(&pair);
    let tls12 = client_of(&[&pair], &[&rustls::version::TLS12]);
    for (min_version, accepted) in [(TlsVersion::Tls12, true), (TlsVersion::Tls13, false)] {
        let mut settings = folder.settings();
        settings.min_version = min_version;
        let server = ServerTls::load(&settings).unwrap();
        let (client, stream) = meet(&tls12, "one.test", |_| Some(server.config())).await;
        assert_eq!(client.is_ok(), accepted);
        match stream {
            Ok(stream) => assert_eq!(
                stream.get_ref().1.protocol_version(),
                Some(ProtocolVersion::TLSv1_2)
            ),
            Err(error) => assert!(!accepted, "{error}"),
        }
        let tls13 = client_of(&[&pair], &[&rustls::version::TLS13]);
        let (client, _stream) = meet(&tls13, "one.test", |_| Some(server.config())).await;
        client.unwrap();
    }
}

#[tokio::test]
async fn the_suites_of_the_settings_are_offered_in_their_order() {
    use CipherSuite as Suite;
    let pair = pair(&["one.test"]);
    let folder = Folder::with(&pair);
    let aes128 = Suite::TLS13_AES_128_GCM_SHA256;
    let chacha = Suite::TLS13_CHACHA20_POLY1305_SHA256;
    let old = Suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256;
    let tables = [
        (Some(vec![chacha, aes128]), chacha),
        (Some(vec![aes128, chacha]), aes128),
        // Without a suite of TLS 1.3 that version is not offered.
        (Some(vec![old]), old),
        (None, Suite::TLS13_AES_256_GCM_SHA384),
    ];
    let mut provider = provider();
    // The other way round than the server has them.
    provider.cipher_suites.reverse();
    let client = client_with(provider, &[&pair], rustls::ALL_VERSIONS);
    for (suites, expected) in tables {
        let mut settings = folder.settings();
        settings.cipher_suites = suites;
        let server = ServerTls::load(&settings).unwrap();
        let (_client, stream) = meet(&client, "one.test", |_| Some(server.config())).await;
        let stream = stream.unwrap();
        let suite = stream.get_ref().1.negotiated_cipher_suite().unwrap();
        assert_eq!(suite.suite(), expected);
    }
}

/// Reads once, so that the client gets its tickets.
async fn exchange(met: Met) -> HandshakeKind {
    let (mut client, mut server) = (met.0.unwrap(), met.1.unwrap());
    server.write_all(b"x").await.unwrap();
    server.flush().await.unwrap();
    client.read_u8().await.unwrap();
    server.get_ref().1.handshake_kind().unwrap()
}

#[tokio::test]
async fn sessions_are_resumed_also_after_the_certificate_was_replaced() {
    let pair = pair(&["one.test"]);
    let folder = Folder::with(&pair);
    let server = ServerTls::load(&folder.settings()).unwrap();
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let config = client_of(&[&pair], &[version]);
        let first = meet(&config, "one.test", |_| Some(server.config())).await;
        assert_ne!(exchange(first).await, HandshakeKind::Resumed);
        let second = meet(&config, "one.test", |_| Some(server.config())).await;
        assert_eq!(
            exchange(second).await,
            HandshakeKind::Resumed,
            "{version:?}"
        );
        folder.put(&super::pair(&["one.test"]));
        server.refresh();
        let third = meet(&config, "one.test", |_| Some(server.config())).await;
        assert_eq!(exchange(third).await, HandshakeKind::Resumed, "{version:?}");
        folder.put(&pair);
        server.refresh();
    }
    let mut config = client(&[&pair]);
    config.resumption = Resumption::disabled();
    for _ in 0..2 {
        let met = meet(&config, "one.test", |_| Some(server.config())).await;
        assert_ne!(exchange(met).await, HandshakeKind::Resumed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_does_not_end_is_cut() {
    // Nothing, the beginning of a record, and a record that announces more than it has.
    for beginning in [&b""[..], &[0x16, 3, 1], &[0x16, 3, 1, 1, 0, 1, 0, 0, 252]] {
        let (mut here, there) = tokio::io::duplex(1024);
        here.write_all(beginning).await.unwrap();
        let limit = Duration::from_secs(10);
        let started = tokio::time::Instant::now();
        let error = handshake(there, |_| None, limit).await.unwrap_err();
        assert!(matches!(error, HandshakeError::TimedOut(_)), "{error:?}");
        assert_eq!(started.elapsed(), limit);
        let mut rest = Vec::new();
        here.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, b"");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_stops_after_its_hello_is_cut() {
    let pair = pair(&["one.test"]);
    let folder = Folder::with(&pair);
    let server = ServerTls::load(&folder.settings()).unwrap();
    let name = ServerName::try_from("one.test").unwrap();
    let mut client = rustls::ClientConnection::new(Arc::new(client(&[&pair])), name).unwrap();
    let mut hello = Vec::new();
    client.write_tls(&mut hello).unwrap();
    let (mut here, there) = tokio::io::duplex(16 * 1024);
    here.write_all(&hello).await.unwrap();
    let error = handshake(there, |_| Some(server.config()), LONG)
        .await
        .unwrap_err();
    assert!(matches!(error, HandshakeError::TimedOut(_)), "{error:?}");
    // It was answered, so it was the rest that did not come.
    assert!(here.read_u8().await.is_ok());
}

#[tokio::test]
async fn plain_http_is_told_that_the_port_speaks_https() {
    let long = format!("POST / HTTP/1.1\r\n\r\n{}", "x".repeat(40_000));
    for request in [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        &long,
        "p",
    ] {
        let (error, answer) = send(request.as_bytes()).await;
        assert!(matches!(error, HandshakeError::PlainHttp), "{error:?}");
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{head}");
        assert!(head.contains("\r\nConnection: close\r\n"), "{head}");
        assert!(
            head.ends_with(&format!("Content-Length: {}", body.len())),
            "{head}"
        );
        assert!(body.contains("HTTPS"), "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_plain_client_that_never_closes_does_not_hold_the_connection() {
    let (mut here, there) = tokio::io::duplex(1024);
    here.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    let started = tokio::time::Instant::now();
    let error = handshake(there, |_| None, LONG).await.unwrap_err();
    assert!(matches!(error, HandshakeError::PlainHttp), "{error:?}");
    assert!(started.elapsed() < LONG);
}

#[tokio::test]
async fn garbage_gets_an_alert_at_most_and_never_a_panic() {
    for seed in 0..500_u64 {
        let mut bytes = noise(seed, 600);
        match seed % 4 {
            // As it is; a handshake record of garbage; a ClientHello of garbage; the same in the midst of records.
            0 => bytes[0] |= 0x80,
            1 => bytes[..5].copy_from_slice(&[0x16, 3, 1, 2, 0]),
            2 => bytes[..11].copy_from_slice(&[0x16, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]),
            _ => bytes[..9].copy_from_slice(&[0x16, 3, 1, 0, 4, 1, 0, 1, 252]),
        }
        let (_error, answer) = send(&bytes).await;
        let is_alert = answer.starts_with(&[0x15, 3]) && answer.len() == 7;
        assert!(answer.is_empty() || is_alert, "{seed}: {answer:?}");
    }
    let (error, answer) = send(&[0x80; 100]).await;
    assert!(matches!(error, HandshakeError::Failed(_)), "{error:?}");
    assert!(answer.starts_with(&[0x15, 3]), "{answer:?}");
    let (error, _) = send(&[0x16, 3, 1]).await;
    assert!(matches!(error, HandshakeError::Gone), "{error:?}");
}

#[tokio::test]
async fn a_hello_without_end_is_refused_before_it_fills_the_memory() {
    // A ClientHello that announces 16 MB, in records of 16 KiB.
    let mut bytes = vec![0x16, 3, 1, 0x40, 0, 1, 0xff, 0xff, 0xff];
    bytes.resize(5 + 0x4000, 0);
    for _ in 0..20 {
        bytes.extend([0x16, 3, 1, 0x40, 0]);
        bytes.resize(bytes.len() + 0x4000, 0);
    }
    let (mut here, there) = tokio::io::duplex(1024);
    let client = async {
        let mut sent = 0;
        for piece in bytes.chunks(1024) {
            if here.write_all(piece).await.is_err() {
                break;
            }
            sent += piece.len();
        }
        sent
    };
    let (server, sent) = tokio::join!(handshake(there, |_| None, LONG), client);
    let error = server.unwrap_err();
    assert!(matches!(error, HandshakeError::Failed(_)), "{error:?}");
    assert!(sent <= 80 * 1024, "{sent} bytes were taken");
}

/// Bytes that look random and are the same in each run.
fn noise(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[4]
    };
    (0..count).map(|_| next()).collect()
}
