//! Connections that are kept: whether, how long, and for how many requests.

use std::time::Duration;

use serde_json::{Value, json};
use tessera_tests::{RawClient, Server, Site};

use super::{OWN_PORT, SERVERS, ask, connect, get, set};

const ASK: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

async fn two_servers() -> Server {
    let site = Site::new().guest_as_with("version1", "shop", OWN_PORT);
    site.start().await
}

/// How many requests a new connection answers until the server says that it closes it; `None` if it goes on.
async fn answered(server: &Server, name: &str) -> Option<usize> {
    let mut client = connect(server, name).await;
    for number in 1..=130 {
        let reply = client.send(get("/")).await.unwrap();
        assert_eq!(reply.status, 200);
        if reply.header("connection").is_some() {
            return Some(number);
        }
    }
    None
}

#[tokio::test]
async fn a_connection_has_as_many_requests_as_the_settings_say() {
    let server = two_servers().await;
    for name in SERVERS {
        for (options, expected) in [
            (json!({}), Some(100)),
            (json!({"max_requests": 3}), Some(3)),
            (json!({"max_requests": 1}), Some(1)),
            (json!({"max_requests": 0}), None),
            (json!({"enabled": false}), Some(1)),
            (json!({"max_requests": null, "enabled": null}), Some(100)),
        ] {
            set(&server, name, json!({ "keep_alive": options })).await;
            assert_eq!(answered(&server, name).await, expected, "{name} {options}");
        }
    }
}

#[tokio::test]
async fn an_open_connection_ends_after_its_next_request_when_none_are_kept() {
    let server = two_servers().await;
    for name in SERVERS {
        let mut client = RawClient::connect(server.address_of(name).await).await;
        client.send(ASK).await;
        client.read_until("\r\n\r\n").await;
        set(&server, name, json!({"keep_alive.enabled": false})).await;
        // Not at once: a request may be on its way.
        assert!(
            client.is_open_after(Duration::from_millis(50)).await,
            "{name}"
        );
        client.send(ASK).await;
        let answer = client.read_to_end().await.to_ascii_lowercase();
        assert_eq!(answer.matches("http/1.1 200 ").count(), 2, "{answer}");
        assert_eq!(
            answer.matches("\r\nconnection: close\r\n").count(),
            1,
            "{answer}"
        );
    }
}

#[tokio::test]
async fn a_silent_connection_of_either_is_closed_in_its_time() {
    let server = two_servers().await;
    for (short, long) in [("site", "shop"), ("shop", "site")] {
        let mut kept = connect(&server, long).await;
        assert_eq!(ask(&mut kept, get("/")).await.status, 200);
        set(&server, short, json!({"keep_alive": {"timeout": "150 ms"}})).await;
        let mut silent = RawClient::connect(server.address_of(short).await).await;
        silent.send(ASK).await;
        assert!(
            silent.read_to_end().await.starts_with("HTTP/1.1 200 "),
            "{short}"
        );
        // The other web server's are its own.
        assert_eq!(ask(&mut kept, get("/")).await.status, 200, "{long}");
        set(
            &server,
            short,
            json!({"keep_alive": {"timeout": Value::Null}}),
        )
        .await;
    }
}
