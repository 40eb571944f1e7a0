//! Tests of what is let out, and of how it fails.

use super::*;
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::settings::ComponentSettings;

fn permissions(entries: &str) -> Permissions {
    let folder = tempfile::tempdir().unwrap();
    let settings = format!("[permissions]\nhosts = {entries}\n");
    std::fs::write(folder.path().join("settings.toml"), settings).unwrap();
    let settings = ComponentSettings::load("a", Some(folder.path()), &[]).unwrap();
    settings.permissions
}

/// Of a client's request.
fn origin() -> Origin {
    let nowhere = std::net::IpAddr::from([0, 0, 0, 0]);
    Origin {
        id: 1,
        peer: tessera_engine::Peer {
            client: nowhere,
            server: nowhere,
            secured: false,
        },
        deadline: std::time::Instant::now() + Duration::from_secs(60),
        chain: tessera_engine::Chain::default(),
        stages: None,
    }
}

async fn fetch(
    entries: &str,
    url: &str,
    times: OutboundTimes,
) -> Result<Response<OutboundBody>, OutboundError> {
    let way = Clients::default().for_component("a", &permissions(entries));
    let body = Empty::<Bytes>::new().map_err(|never| match never {});
    let request = Request::builder().uri(url).body(body.boxed_unsync());
    way.send(request.unwrap(), times, &mut origin()).await
}

async fn refused(entries: &str, url: &str) -> OutboundError {
    let response = fetch(entries, url, OutboundTimes::default()).await;
    response.map(drop).unwrap_err()
}

#[tokio::test]
async fn only_what_is_named_is_reached() {
    for (entries, url, expected) in [
        ("[]", "http://127.0.0.1:1/", OutboundError::Denied),
        ("['*:*']", "http://localhost:1/", OutboundError::Denied),
        (
            "['http://a']",
            "http://b@a/",
            OutboundError::Unsupported("its URL has no host"),
        ),
        // A name does not lead to this machine, whatever its server says of it.
        (
            "['http://*:*']",
            "http://localhost:1/",
            OutboundError::AddressDenied,
        ),
        (
            "['http://*:*']",
            "http://127.1:1/",
            OutboundError::AddressDenied,
        ),
        (
            "['http://*:*']",
            "http://127.0.0.1:1/",
            OutboundError::Denied,
        ),
        (
            "['http://localhost:1']",
            "http://localhost:1/",
            OutboundError::Refused,
        ),
        (
            "['http://127.0.0.1:1']",
            "http://127.0.0.1:1/",
            OutboundError::Refused,
        ),
        (
            "['http://[::1]:*', 'http://127.0.0.1']",
            "http://[::1]:1/",
            OutboundError::Refused,
        ),
    ] {
        assert_eq!(refused(entries, url).await, expected, "{entries} {url}");
    }
    let unknown = refused("['http://*:*']", "http://no-such-name.invalid/").await;
    assert!(matches!(unknown, OutboundError::Name(_)), "{unknown:?}");
}

#[tokio::test]
async fn a_silent_server_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let short = Some(Duration::from_millis(50));
    let server = tokio::spawn(async move {
        let (mut silent, _) = listener.accept().await.unwrap();
        silent.read_u8().await.unwrap();
        let (mut stalling, _) = listener.accept().await.unwrap();
        stalling.read_u8().await.unwrap();
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc";
        stalling.write_all(head).await.unwrap();
        (silent, stalling)
    });
    let times = OutboundTimes {
        first_byte: short,
        ..OutboundTimes::default()
    };
    let entries = "['http://127.0.0.1:*']";
    let silent = fetch(entries, &url, times).await.map(drop);
    assert_eq!(silent.unwrap_err(), OutboundError::ReadTimeout);
    let times = OutboundTimes {
        between_bytes: short,
        ..OutboundTimes::default()
    };
    let mut body = fetch(entries, &url, times).await.unwrap().into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(first, "abc");
    let error = body.frame().await.unwrap().unwrap_err();
    assert_eq!(error, OutboundError::ReadTimeout);
    drop(server.await.unwrap());
}
