//! Who the client is where proxies are in front: only those that are trusted say so, and only in the way that is set.

use std::net::SocketAddr;

use serde_json::Value;
use tessera_tests::frames::frame::{WHOLE, headers, settings};
use tessera_tests::frames::{Block, FrameClient, PREFACE};
use tessera_tests::{CertificatePair, Server, Site, TlsClient, within};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// The address of the proxy; this machine has all of 127.0.0.0/8.
const PROXY: &str = "127.0.0.2";
const OTHER: &str = "127.0.0.3";
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

async fn start(settings: &str) -> Server {
    Site::new()
        .settings(&format!(
            "HSTSEnabled = true\n[log]\nlevel = \"info,tessera_host=debug\"\n[tls]\nhandshake_timeout = 1\n\
             [proxy]\ntrusted = [\"{PROXY}\", \"10.0.0.0/8\", \"2001:db8::/32\"]\n{settings}"
        ))
        .guest("echo")
        .certificate(&CertificatePair::for_names(&["site.test"]))
        .start()
        .await
}

/// A connection from one of this machine's addresses.
async fn connect(from: &str, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket
        .bind(SocketAddr::new(from.parse().unwrap(), 0))
        .unwrap();
    within("a connection", socket.connect(to)).await.unwrap()
}

/// Sends bytes and gives what comes until the end; a reset is an end as well.
async fn exchange(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), bytes: &[u8]) -> String {
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = within("the end", stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

fn get(fields: &str) -> Vec<u8> {
    format!("GET /echo/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{fields}\r\n").into_bytes()
}

fn seen(answer: &str) -> Value {
    let (_, body) = answer
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("{answer}"));
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

/// The client's address and whether its connection is secured, as a component sees them.
async fn client(server: &Server, from: &str, before: &[u8], fields: &str) -> (String, bool) {
    let mut stream = connect(from, server.address).await;
    let answer = exchange(&mut stream, &[before, &get(fields)].concat()).await;
    let seen = seen(&answer);
    let address = seen["clientAddress"].as_str().unwrap();
    assert_eq!(seen["parameters"]["browserIP"], address);
    let is_secured = seen["secured"].as_bool().unwrap();
    assert_eq!(
        answer.to_lowercase().contains("strict-transport-security"),
        is_secured,
        "{answer}"
    );
    (address.trim_start_matches("::ffff:").to_owned(), is_secured)
}

fn of(address: &str, is_secured: bool) -> (String, bool) {
    (address.to_owned(), is_secured)
}

#[tokio::test]
async fn only_trusted_proxies_name_the_client() {
    let server = start("header = \"x-forwarded-for\"").await;
    let fields = "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n";
    assert_eq!(
        client(&server, PROXY, b"", fields).await,
        of("192.0.2.1", true)
    );
    assert_eq!(client(&server, OTHER, b"", fields).await, of(OTHER, false));
    // What a component sees of the fields is what came, from whomever.
    let mut stream = connect(OTHER, server.address).await;
    let answer = exchange(&mut stream, &get(fields)).await;
    assert!(
        seen(&answer)["headers"].to_string().contains("192.0.2.1"),
        "{answer}"
    );
}

#[tokio::test]
async fn only_the_field_of_the_settings_is_believed() {
    let x_forwarded_for = "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n";
    let forwarded = "Forwarded: for=198.51.100.1;proto=https\r\n";
    let both = [x_forwarded_for, forwarded].concat();
    for (setting, expected) in [
        ("", of(PROXY, false)),
        ("header = \"none\"", of(PROXY, false)),
        ("header = \"x-forwarded-for\"", of("192.0.2.1", true)),
        ("header = \"forwarded\"", of("198.51.100.1", true)),
    ] {
        let server = start(setting).await;
        assert_eq!(
            client(&server, PROXY, b"", &both).await,
            expected,
            "{setting}"
        );
        assert_eq!(
            client(&server, OTHER, b"", &both).await,
            of(OTHER, false),
            "{setting}"
        );
    }
}

#[tokio::test]
async fn the_client_is_the_last_one_that_is_no_proxy() {
    let server = start("header = \"x-forwarded-for\"").await;
    for (fields, address) in [
        ("X-Forwarded-For: 203.0.113.9, 192.0.2.1\r\n", "192.0.2.1"),
        (
            "X-Forwarded-For: 203.0.113.9, 192.0.2.1, 10.0.0.1\r\n",
            "192.0.2.1",
        ),
        (
            "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: 192.0.2.1, 10.0.0.1\r\n",
            "192.0.2.1",
        ),
        ("X-Forwarded-For: 2001:db9::1\r\n", "2001:db9::1"),
        (
            "X-Forwarded-For: [2001:db9::1]:443, [2001:db8::1]\r\n",
            "2001:db9::1",
        ),
        ("X-Forwarded-For: unknown\r\n", PROXY),
        ("X-Forwarded-For: \r\n", PROXY),
        ("X-Forwarded-For: 192.0.2.1, _hidden\r\n", PROXY),
        ("", PROXY),
    ] {
        assert_eq!(
            client(&server, PROXY, b"", fields).await,
            of(address, false),
            "{fields}"
        );
    }
    let server = start("header = \"forwarded\"").await;
    for (fields, address, is_secured) in [
        (
            "Forwarded: for=203.0.113.9, for=\"[2001:db9::1]:1\";proto=https\r\n",
            "2001:db9::1",
            true,
        ),
        (
            "Forwarded: for=192.0.2.1;proto=https, for=10.0.0.1;proto=http\r\n",
            "192.0.2.1",
            true,
        ),
        (
            "Forwarded: for=\"203.0.113.9, for=192.0.2.1\r\n",
            "192.0.2.1",
            false,
        ),
        ("Forwarded: for=unknown;proto=https\r\n", PROXY, false),
    ] {
        assert_eq!(
            client(&server, PROXY, b"", fields).await,
            of(address, is_secured),
            "{fields}"
        );
    }
}

/// A header of version 2.
fn binary(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
    [SIGNATURE, &[command, family], &length, rest].concat()
}

fn announcements() -> Vec<(Vec<u8>, &'static str, &'static str)> {
    let four = [192, 0, 2, 1, 198, 51, 100, 2, 0x12, 0x67, 1, 187];
    let mut six = [0; 36];
    (six[0], six[1], six[2], six[3], six[15], six[31]) = (0x20, 1, 0xd, 0xb9, 1, 9);
    let more = [&four[..], &[0x20; 2000]].concat();
    let line = |text: &str| format!("PROXY {text}\r\n").into_bytes();
    let unknown = "UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535";
    vec![
        (
            line("TCP4 192.0.2.1 198.51.100.2 4711 443"),
            "192.0.2.1",
            "198.51.100.2",
        ),
        (
            line("TCP6 2001:db9::1 2001:db9::2 4711 443"),
            "2001:db9::1",
            "2001:db9::2",
        ),
        (line("UNKNOWN"), PROXY, "127.0.0.1"),
        (line(unknown), PROXY, "127.0.0.1"),
        (binary(0x21, 0x11, &four), "192.0.2.1", "198.51.100.2"),
        (binary(0x21, 0x11, &more), "192.0.2.1", "198.51.100.2"),
        (binary(0x21, 0x21, &six), "2001:db9::1", "::9"),
        (binary(0x20, 0, &[]), PROXY, "127.0.0.1"),
        (binary(0x21, 0x31, &[0; 216]), PROXY, "127.0.0.1"),
    ]
}

#[tokio::test]
async fn a_proxy_announces_each_connection() {
    let server = start("protocol = true").await;
    for (header, address, own) in announcements() {
        let found = client(&server, PROXY, &header, "X-Forwarded-For: 203.0.113.9\r\n").await;
        assert_eq!(found, of(address, false), "{}", header.escape_ascii());
        // In pieces, before TLS, and before HTTP/2.
        let secured = server.https_address_of("site").await;
        let mut stream = connect(PROXY, secured).await;
        stream.set_nodelay(true).unwrap();
        for piece in header.chunks(5) {
            stream.write_all(piece).await.unwrap();
            tokio::task::yield_now().await;
        }
        let tls = TlsClient::trusting_all("site.test");
        let mut stream = tls.over(stream, &["http/1.1"]).await.unwrap();
        let answer = seen(&exchange(&mut stream, &get("")).await);
        let of = |name: &str| {
            answer[name]
                .as_str()
                .unwrap()
                .trim_start_matches("::ffff:")
                .to_owned()
        };
        assert_eq!(
            (of("clientAddress"), of("serverAddress")),
            (address.to_owned(), own.to_owned())
        );
        assert_eq!(answer["secured"], true);

        let mut stream = connect(PROXY, server.address).await;
        stream.write_all(&header).await.unwrap();
        let mut stream = FrameClient::over(stream);
        let request = headers(1, WHOLE, Block::get("/echo/x"));
        stream
            .send([PREFACE, &settings(&[]), &request].concat())
            .await;
        let answer = stream.answer(1).await.text();
        assert!(answer.contains(&format!("{address}\"")), "{answer}");
    }
}

#[tokio::test]
async fn a_connection_that_is_not_announced_as_it_should_be_is_closed() {
    let server = start("protocol = true").await;
    let line = |text: &str| format!("PROXY {text}").into_bytes();
    for header in [
        Vec::new(),
        line("TCP4 192.0.2.1 198.51.100.2 4711 443\n"),
        line("TCP4 192.0.2.1 198.51.100.2 4711 65536\r\n"),
        line("TCP4 2001:db9::1 2001:db9::2 4711 443\r\n"),
        line(&format!("UNKNOWN {}\r\n", "x".repeat(100))),
        line(&"x".repeat(5_000)),
        b"proxy TCP4 192.0.2.1 198.51.100.2 4711 443\r\n".to_vec(),
        binary(0x21, 0x11, &[0; 11]),
        binary(0x21, 0x12, &[0; 12]),
        binary(0x31, 0x11, &[0; 12]),
        binary(0x2f, 0x11, &[0; 12]),
        binary(0x21, 0x11, &[0; 5_000]),
        SIGNATURE[..8].to_vec(),
    ] {
        let mut stream = connect(PROXY, server.address).await;
        let answer = exchange(&mut stream, &[&header[..], &get("")].concat()).await;
        assert_eq!(answer, "", "{}", header.escape_ascii());
    }
    // One that says nothing is waited for, and not for ever.
    let mut silent = connect(PROXY, server.address).await;
    assert_eq!(exchange(&mut silent, b"PROXY TCP4 ").await, "");
    server
        .wait_for_log(&[
            "a connection of a trusted proxy is closed",
            "was not there within 1s",
        ])
        .await;
    let header = &announcements()[0].0;
    assert_eq!(
        client(&server, PROXY, header, "").await,
        of("192.0.2.1", false)
    );
}

#[tokio::test]
async fn clients_cannot_announce_themselves() {
    let server = start("protocol = true").await;
    assert_eq!(client(&server, OTHER, b"", "").await, of(OTHER, false));
    for (header, ..) in announcements() {
        let mut stream = connect(OTHER, server.address).await;
        let answer = exchange(&mut stream, &[&header[..], &get("")].concat()).await;
        assert!(
            !answer.contains("HTTP/1.1 2"),
            "{}: {answer}",
            header.escape_ascii()
        );
        assert!(!answer.contains("192.0.2.1"), "{answer}");
    }
    // Where the protocol is not switched on, neither can proxies.
    let server = start("").await;
    let mut stream = connect(PROXY, server.address).await;
    let answer = exchange(&mut stream, &[&announcements()[0].0[..], &get("")].concat()).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
}

#[tokio::test]
async fn a_proxy_behind_a_proxy_is_believed_where_it_is_trusted_too() {
    let server = start("protocol = true\nheader = \"x-forwarded-for\"").await;
    let fields = "X-Forwarded-For: 192.0.2.1\r\n";
    let from = |address: &str| format!("PROXY TCP4 {address} 10.0.0.9 1 80\r\n").into_bytes();
    let found = client(&server, PROXY, &from("10.0.0.1"), fields).await;
    assert_eq!(found, of("192.0.2.1", false));
    let found = client(&server, PROXY, &from("203.0.113.9"), fields).await;
    assert_eq!(found, of("203.0.113.9", false));
}
