//! Components that are called before the HTTP library has read the request: what they are told and what the client gets is
//! the same as after it, and what takes longer is waited for.

use bytes::Bytes;
use http::Request;
use serde_json::Value;
use tessera_tests::{Client, RawClient, Reply, Server, Site};

use super::at_once::{MORE, told};

async fn ask(client: &mut Client, path: &str, fields: &[(&str, &str)]) -> Reply {
    let mut request = Request::get(path);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let request = request.body(Bytes::new()).unwrap();
    client.send(request).await.unwrap()
}

async fn site() -> Server {
    Site::new()
        .settings("[keep_alive]\nmax_requests = 0\n")
        .guest("echo")
        .guest("trap")
        .guest("sleep")
        .page("own.txt", "a page")
        .start()
        .await
}

/// What a component was told, but for what differs from request to request and for the field of the library's.
fn seen(reply: &Reply) -> Value {
    let mut seen: Value = serde_json::from_slice(&reply.body).unwrap();
    for one in ["id", "remainingMilliseconds", "answered"] {
        seen[one].take();
    }
    let headers = seen["headers"].as_array_mut().unwrap();
    headers.retain(|field| field[0] != MORE.0);
    let text = seen["parameters"]["header"].as_str().map(str::to_lowercase);
    if let Some(text) = text {
        seen["parameters"]["header"] = text.replace("te: trailers\r\n", "").into();
    }
    seen
}

#[tokio::test]
async fn a_component_is_told_the_same() {
    let server = site().await;
    let mut client = Client::http1(server.address).await.unwrap();
    let plain: &[(&str, &str)] = &[("Accept", "a/b"), ("X-One", "1"), ("x-one", "2")];
    let cookie = &[("Cookie", "a=b; c=d")][..];
    let cookies = &[("Cookie", "a=b"), ("Cookie", "c=d")][..];
    let login = &[("Authorization", "Basic YW5uOnNlY3JldA==")][..];
    let prefix = &[("X-Forwarded-Prefix", "/mine")][..];
    let caller = &[("X-Tessera-Caller", "/mine")][..];
    for path in [
        "/echo/a/b?c=d&e=%20f",
        "/echo",
        "/echo?x=y",
        "/echo/",
        "/echo/4DACTION/echo/p%20q?v=1",
        "/echo/4dcgi/x",
    ] {
        for fields in [plain, cookie, cookies, login, prefix, caller] {
            // The second time it is known that there is no file.
            ask(&mut client, path, fields).await;
            let at_once = ask(&mut client, path, fields).await;
            let librarys = ask(&mut client, path, &[fields, &[MORE]].concat()).await;
            assert_eq!(seen(&at_once), seen(&librarys), "{path} {fields:?}");
            let prefixes = seen(&at_once)["headers"].to_string();
            assert_eq!(prefixes.matches("x-forwarded-prefix").count(), 1);
            assert!(!prefixes.contains("/mine"));
        }
    }
}

#[tokio::test]
async fn the_client_gets_the_same() {
    let server = site().await;
    let mut client = Client::http1(server.address).await.unwrap();
    for path in [
        "/echo/4DACTION/status/204",
        "/echo/4DACTION/status/404",
        "/echo/4DACTION/status/599",
        "/echo/4DACTION/teapot",
        "/echo/4DACTION/say?text=a%20text",
        "/echo/4DACTION/say?type=text/plain;charset=latin1&text=%C3%A9",
        "/echo/4DACTION/bytes",
        "/echo/4DACTION/go/a/b",
        "/echo/4DACTION/moved/a/b",
        "/echo/4DACTION/none",
        "/echo/4DACTION/hidden",
        "/echo/4DWEBTEST",
        "/echo/4DBLANK",
        "/own.txt",
        "/trap/panic",
        "/trap/error",
        "/trap/4DACTION/fail",
        "/sleep/x",
        "/sleep/sleep/40",
    ] {
        for codings in ["identity", "gzip"] {
            let fields = [("Accept-Encoding", codings), ("Accept", "application/json")];
            ask(&mut client, path, &fields).await;
            let at_once = ask(&mut client, path, &fields).await;
            let librarys = ask(&mut client, path, &[&fields[..], &[MORE]].concat()).await;
            assert_eq!(told(&at_once), told(&librarys), "{path} {codings}");
        }
    }
}

#[tokio::test]
async fn requests_that_come_together_are_answered_in_their_order() {
    let server = site().await;
    let ask = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
    let said = |number: usize| ask(&format!("/echo/4DACTION/say?text=number+{number}."));
    for rounds in [1, 30] {
        let mut client = RawClient::connect(server.address).await;
        let mut sent = String::new();
        let mut expected = Vec::new();
        for round in 0..rounds {
            sent += &said(round);
            expected.push(format!("number {round}."));
            if round % 7 == 3 {
                // What waits keeps all others waiting.
                sent += &ask("/sleep/sleep/20");
                expected.push("awake".to_owned());
                sent += &ask("/own.txt");
                expected.push("a page".to_owned());
            }
        }
        sent += "GET /own.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        client.send(sent).await;
        let received = client.read_to_end().await;
        let bodies = received.split("HTTP/1.1 200 OK\r\n").skip(1);
        let mut bodies: Vec<_> = bodies
            .map(|answer| answer.split_once("\r\n\r\n").unwrap().1)
            .collect();
        assert_eq!(bodies.pop(), Some("a page"));
        assert_eq!(bodies, expected);
    }
}

#[tokio::test]
async fn what_nobody_waits_for_any_more_is_ended() {
    let server = site().await;
    let mut client = RawClient::connect(server.address).await;
    let request = "GET /sleep/sleep/600000 HTTP/1.1\r\nHost: a\r\n\r\n";
    client.send(request).await;
    server.wait_for_processes("sleep", 1).await;
    drop(client);
    server.wait_for_processes("sleep", 0).await;
}
