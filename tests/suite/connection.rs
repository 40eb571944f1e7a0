//! Connections: HTTP/1.1 and HTTP/2, malformed requests, and clients that are slow or silent.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http::Version;
use tessera_tests::{Client, RawClient, Server, Site};

async fn status_of(server: &Server, raw: &str) -> String {
    let answer = RawClient::exchange(server.address, raw).await;
    answer.split(' ').nth(1).unwrap_or("none").to_owned()
}

#[tokio::test]
async fn malformed_requests_are_refused() {
    let server = Site::new().page("index.html", "home").start().await;
    for raw in [
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: user@a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
        "GET * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET index.html HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nbroken line\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 2\r\n\r\nab",
        "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n",
        "nonsense\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\u{fc}\u{3}\u{3}",
    ] {
        let mut client = RawClient::connect(server.address).await;
        client.send(raw).await;
        let answer = client.read_until("\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{raw:?}: {answer}");
        // What follows cannot be told from the request's rest: the connection ends.
        client.read_to_end().await;
    }
    assert_eq!(server.get("/").await.text(), "home");
}

#[tokio::test]
async fn two_ways_to_end_a_body_are_one_too_many() {
    let server = Site::new().guest("echo").start().await;
    // A proxy in front might go by the other one, and see one request where there are two.
    let raw = "POST /echo/first HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\
               Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /echo/second HTTP/1.1\r\nHost: a\r\n\
               Connection: close\r\n\r\n";
    let answer = RawClient::exchange(server.address, raw).await;
    assert!(!answer.contains("/second"), "{answer}");
}

#[tokio::test]
async fn methods_for_proxies_are_not_for_us() {
    let server = Site::new().start().await;
    for (raw, status) in [
        (
            "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n",
            "501",
        ),
        (
            "OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            "204",
        ),
    ] {
        assert_eq!(status_of(&server, raw).await, status, "{raw}");
    }
}

#[tokio::test]
async fn old_and_absolute_requests_are_understood() {
    let server = Site::new().page("a.txt", "text").start().await;
    for raw in [
        "GET /a.txt HTTP/1.0\r\n\r\n",
        "GET http://example.com/a.txt HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n",
        "\r\nGET /a.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /a.txt HTTP/1.1\r\nHost: [::1]:80\r\nConnection: close\r\n\r\n",
    ] {
        let answer = RawClient::exchange(server.address, raw).await;
        assert!(answer.starts_with("HTTP/1."), "{raw}: {answer}");
        assert!(answer.contains(" 200 OK\r\n"), "{raw}: {answer}");
        assert!(answer.ends_with("\r\n\r\ntext"), "{raw}: {answer}");
    }
}

#[tokio::test]
async fn requests_may_follow_each_other_without_waiting() {
    let server = Site::new()
        .page("a.txt", "text")
        .guest("echo")
        .start()
        .await;
    let mut client = RawClient::connect(server.address).await;
    let one = "GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n";
    let two = "POST /echo/two HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
    let last = "GET /none HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    client.send([one, two, one, last].concat()).await;
    let answer = client.read_to_end().await;
    let statuses: Vec<_> = answer.matches("HTTP/1.1 200").collect();
    assert_eq!(statuses.len(), 3, "{answer}");
    assert!(answer.contains("\"bodyLength\":3"), "{answer}");
    assert!(answer.contains("HTTP/1.1 404"), "{answer}");
}

#[tokio::test]
async fn a_client_may_ask_before_it_sends() {
    let server = Site::new().guest("echo").start().await;
    let mut client = RawClient::connect(server.address).await;
    client
        .send(
            "POST /echo/x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\
             Connection: close\r\n\r\n",
        )
        .await;
    client.read_until("HTTP/1.1 100 Continue\r\n\r\n").await;
    client.send("abc").await;
    let answer = client.read_to_end().await;
    assert!(answer.contains("\"bodyLength\":3"), "{answer}");
}

#[tokio::test]
async fn many_streams_share_one_http2_connection() {
    let server = Site::new()
        .page("a.txt", "static")
        .guest("version1")
        .guest("trap")
        .start()
        .await;
    let client = Client::http2(server.address).await.unwrap();
    let expected = [
        ("/a.txt", 200, "static"),
        ("/version1/", 200, "v1"),
        ("/trap/error", 500, ""),
        ("/none", 404, ""),
    ];
    // More than the server allows to be open: the rest waits, and is served.
    let requests = (0..400).map(|number| {
        let (path, _, _) = expected[number % expected.len()];
        Request::get(path).body(Bytes::new()).unwrap()
    });
    let replies = client.send_all(requests.collect()).await;
    for (number, reply) in replies.into_iter().enumerate() {
        let reply = reply.unwrap();
        let (path, status, text) = expected[number % expected.len()];
        assert_eq!(reply.status, status, "{path}");
        assert_eq!(reply.version, Version::HTTP_2);
        assert!(text.is_empty() || reply.text() == text, "{path}: {reply:?}");
        assert!(reply.header("connection").is_none());
    }
}

#[tokio::test]
async fn http2_knows_methods_and_bodies_too() {
    let server = Site::new()
        .page("a.txt", "static")
        .guest("echo")
        .start()
        .await;
    let mut client = Client::http2(server.address).await.unwrap();
    let head = Request::head("/a.txt").body(Bytes::new()).unwrap();
    let reply = client.send(head).await.unwrap();
    assert_eq!(reply.header("content-length"), Some("6"));
    assert!(reply.body.is_empty());
    let large = Bytes::from(vec![b'x'; 300_000]);
    let post = Request::post("/echo/x").body(large).unwrap();
    let reply = client.send(post).await.unwrap();
    assert_eq!(reply.json()["bodyLength"], 300_000);
    let post = Request::post("/a.txt").body(Bytes::new()).unwrap();
    assert_eq!(client.send(post).await.unwrap().status, 405);
}

#[tokio::test]
async fn a_slow_head_is_cut_off() {
    let server = Site::new()
        .settings("[server]\nheader_timeout = \"200 ms\"\n")
        .start()
        .await;
    for begun in [
        "G",
        "GET / HTTP/1.1\r\nHost: a\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: ",
        "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /again HTTP/1.1\r\n",
    ] {
        let mut client = RawClient::connect(server.address).await;
        client.send(begun).await;
        let answer = client.read_to_end().await;
        let late = answer.split_once("HTTP/1.1 408 ").expect(&answer).1;
        assert!(late.contains("\r\nserver: Tessera/"), "{begun:?}: {answer}");
        assert!(
            late.contains("\r\nconnection: close\r\n"),
            "{begun:?}: {answer}"
        );
    }
    // Browsers open connections that they may need: nothing is said on these.
    for nothing in ["", "\r\n"] {
        let mut silent = RawClient::connect(server.address).await;
        silent.send(nothing).await;
        assert_eq!(silent.read_to_end().await, "");
    }
    // A byte now and then does not help.
    let mut client = RawClient::connect(server.address).await;
    let drip = async {
        for byte in "GET / HTTP/1.1\r\nHost: a\r\n".bytes().cycle() {
            if client.try_send([byte]).await.is_err() {
                break;
            }
            tessera_tests::pause(Duration::from_millis(50)).await;
        }
    };
    tessera_tests::within("the dripping client to be cut off", drip).await;
}

#[tokio::test]
async fn a_silent_connection_is_closed() {
    let server = Site::new()
        .settings("[keep_alive]\ntimeout = \"600 ms\"\n")
        .page("a.txt", "text")
        .guest("sleep")
        .start()
        .await;
    // Nothing sent at all, and nothing after a request.
    let mut silent = RawClient::connect(server.address).await;
    assert_eq!(silent.read_to_end().await, "");
    let mut client = RawClient::connect(server.address).await;
    client.send("GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let answer = client.read_to_end().await;
    assert!(answer.ends_with("\r\n\r\ntext"), "{answer}");
    // A request in progress is no silence.
    let reply = server.get("/sleep/sleep/1500").await;
    assert_eq!(reply.text(), "awake");
}

#[tokio::test]
async fn past_the_limit_of_connections_new_ones_wait() {
    let server = Site::new()
        .settings("[server]\nmax_connections = 1\n")
        .page("a.txt", "text")
        .start()
        .await;
    let get = || Request::get("/a.txt").body(Bytes::new()).unwrap();
    let mut first = Client::http1(server.address).await.unwrap();
    assert_eq!(first.send(get()).await.unwrap().text(), "text");
    let mut second = RawClient::connect(server.address).await;
    second
        .send("GET /a.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .await;
    // Open, and without an answer.
    assert!(second.is_open_after(Duration::from_millis(200)).await);
    assert_eq!(first.send(get()).await.unwrap().text(), "text");
    drop(first);
    let answer = second.read_to_end().await;
    assert!(answer.ends_with("\r\n\r\ntext"), "{answer}");
}

#[tokio::test]
async fn an_idle_connection_outlives_the_limit_for_heads() {
    let server = Site::new()
        .settings("[server]\nheader_timeout = \"200 ms\"\n[keep_alive]\ntimeout = \"1 min\"\n")
        .start()
        .await;
    let mut client = Client::http1(server.address).await.unwrap();
    let ask = || Request::get("/").body(Bytes::new()).unwrap();
    assert_eq!(client.send(ask()).await.unwrap().status, 200);
    // Long enough for a connection that owed a head to be closed: one that does, is.
    let mut silent = RawClient::connect(server.address).await;
    assert_eq!(silent.read_to_end().await, "");
    assert_eq!(client.send(ask()).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_slow_download_is_not_cut_off() {
    // More than the system buffers, so that the server has to wait for the client.
    let page = "0123456789abcdef".repeat(1 << 20);
    let server = Site::new()
        .settings("[server]\nheader_timeout = \"100 ms\"\n[keep_alive]\ntimeout = \"100 ms\"\n")
        .page("large.txt", &page)
        .start()
        .await;
    let mut slow = RawClient::connect(server.address).await;
    slow.send("GET /large.txt HTTP/1.1\r\nHost: x\r\n\r\n")
        .await;
    // Reads nothing while three connections in a row are closed for their silence.
    for _ in 0..3 {
        let mut silent = RawClient::connect(server.address).await;
        assert_eq!(silent.read_to_end().await, "");
    }
    let response = slow.read_to_end().await;
    assert_eq!(response.split_once("\r\n\r\n").unwrap().1.len(), page.len());
}
