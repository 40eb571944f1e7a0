//! Limits: too large, too long, too much, and that nobody else suffers.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use tessera_tests::{Client, RawClient, Reply, Server, Site};

const MIB: u64 = 1 << 20;
const SHORT: &str = "[limits]\ndeadline = \"300 ms\"\n";

/// Many requests at once, each over a connection of its own.
async fn at_once(server: &Server, count: usize, path: &str) -> Vec<Reply> {
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..count {
        let (address, path) = (server.address, path.to_owned());
        waiting.spawn(async move {
            let mut client = Client::http1(address).await.unwrap();
            let request = Request::get(path).body(Bytes::new()).unwrap();
            client.send(request).await.unwrap()
        });
    }
    waiting.join_all().await
}

#[tokio::test]
async fn a_handler_past_its_deadline_is_a_504() {
    let server = Site::new()
        .guest_with("spin", SHORT)
        .guest_with("sleep", SHORT)
        .start()
        .await;
    for path in ["/spin/spin", "/sleep/sleep/60000"] {
        let reply = server.get(path).await;
        assert_eq!(reply.status, 504, "{path}");
        server.wait_for_log(&["not finished after 300ms"]).await;
    }
    assert_eq!(server.get("/spin/").await.text(), "at rest");
    assert_eq!(server.get("/sleep/sleep/1").await.text(), "awake");
    for name in ["spin", "sleep"] {
        server.wait_for_processes(name, 0).await;
    }
}

#[tokio::test]
async fn a_handler_knows_how_much_time_it_has() {
    let server = Site::new()
        .guest_with("echo", "[limits]\ndeadline = \"7 s\"\n")
        .start()
        .await;
    let echo = server.get("/echo/").await.json();
    let left = echo["remainingMilliseconds"].as_u64().unwrap();
    assert!((1..=7_000).contains(&left), "{left}");
}

#[tokio::test]
async fn an_instance_past_its_memory_is_a_500() {
    let server = Site::new()
        .guest_with("greedy", "[limits]\nmemory = \"16 MiB\"\n")
        .start()
        .await;
    let before = server.resident_bytes();
    for _ in 0..10 {
        let reply = server.get("/greedy/eat").await;
        assert_eq!(reply.status, 500);
    }
    server
        .wait_for_log(&["ran out of memory", "limit 16777216 bytes"])
        .await;
    let after = server.resident_bytes();
    assert!(after < before + 100 * MIB, "{before} to {after}");
    assert_eq!(server.get("/greedy/").await.text(), "not hungry");
}

#[tokio::test]
async fn fifty_clients_on_each_hostile_component_harm_nobody_else() {
    let server = Site::new()
        // Of the host's, each of them takes a place as well.
        .settings("maxConcurrentProcesses = 1000\n")
        .page("a.txt", "static")
        .guest_with("spin", SHORT)
        .guest_with("greedy", "[limits]\nmemory = \"8 MiB\"\n")
        .guest("trap")
        .guest("version1")
        .start()
        .await;
    let (mut spinning, mut eating, mut trapping, mut others) = tokio::join!(
        at_once(&server, 50, "/spin/spin"),
        at_once(&server, 50, "/greedy/eat"),
        at_once(&server, 50, "/trap/panic"),
        async {
            let mut client = Client::http1(server.address).await.unwrap();
            let mut replies = Vec::new();
            for _ in 0..30 {
                for path in ["/a.txt", "/version1/"] {
                    let request = Request::get(path).body(Bytes::new()).unwrap();
                    replies.push(client.send(request).await.unwrap());
                }
            }
            replies
        },
    );
    for (what, replies, status) in [
        ("spin", &mut spinning, 504),
        ("greedy", &mut eating, 500),
        ("trap", &mut trapping, 500),
        ("others", &mut others, 200),
    ] {
        for reply in replies.drain(..) {
            assert_eq!(reply.status, status, "{what}");
            if what == "others" {
                assert!(matches!(reply.text(), "static" | "v1"), "{reply:?}");
            }
        }
    }
    assert!(server.resident_bytes() < 1024 * MIB);
    // Nothing is left behind, and the hostile ones themselves serve on.
    for (path, text) in [
        ("/spin/", "at rest"),
        ("/greedy/", "not hungry"),
        ("/trap/", "still here"),
    ] {
        assert_eq!(server.get(path).await.text(), text);
    }
    for name in ["spin", "greedy", "trap"] {
        server.wait_for_processes(name, 0).await;
    }
}

#[tokio::test]
async fn a_response_has_a_largest_size() {
    let server = Site::new()
        .guest_with("flood", "[limits]\nresponse_size = \"1 MiB\"\n")
        .start()
        .await;
    for path in [
        "/flood/body",
        "/flood/text",
        "/flood/header",
        "/flood/headers",
    ] {
        let reply = server.get(path).await;
        assert_eq!(reply.status, 500, "{path}");
        assert!(reply.headers.len() < 20, "{path}");
    }
    server
        .wait_for_log(&["On Web Connection failed", "flood"])
        .await;
    assert_eq!(server.get("/flood/").await.text(), "a drop");
}

#[tokio::test]
async fn a_body_over_the_limit_is_a_413() {
    let limit = "maxRequestSize = 500000\n";
    let server = Site::new()
        .settings(limit)
        .guest_with("echo", limit)
        .start()
        .await;
    let at_limit = server
        .post("/echo/x", "text/plain", vec![b'x'; 500_000])
        .await;
    assert_eq!(at_limit.json()["bodyLength"], 500_000);
    // Declared: refused before it is sent, to files and to components.
    for path in ["/echo/x", "/index.html"] {
        let raw = format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 500001\r\n\r\n");
        let answer = RawClient::exchange(server.address, raw).await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{path}: {answer}");
    }
    // In chunks: refused when it is too much, whether or not the body itself was asked for.
    let mut client = RawClient::connect(server.address).await;
    client
        .send("POST /echo/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await;
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    for _ in 0..8 {
        if client.try_send(&chunk).await.is_err() {
            break;
        }
    }
    let _ = client.try_send("0\r\n\r\n").await;
    let answer = client.read_to_end().await;
    // The guest tells the error as its answer.
    assert!(
        answer.starts_with("HTTP/1.1 413 ") || answer.contains("larger than maxRequestSize"),
        "{answer}"
    );
    assert!(!answer.contains("524288"), "{answer}");
}

#[tokio::test]
async fn http2_bodies_have_the_same_limit() {
    let limit = "maxRequestSize = 500000\n";
    let server = Site::new().guest_with("echo", limit).start().await;
    let mut client = Client::http2(server.address).await.unwrap();
    let request = |length: usize| Request::post("/echo/x").body(Bytes::from(vec![b'x'; length]));
    let reply = client.send(request(500_001).unwrap()).await.unwrap();
    assert_eq!(reply.status, 413);
    // Only that stream has ended.
    let reply = client.send(request(500_000).unwrap()).await.unwrap();
    assert_eq!(reply.json()["bodyLength"], 500_000);
}

#[tokio::test]
async fn a_body_that_never_comes_is_a_504() {
    let server = Site::new().guest_with("echo", SHORT).start().await;
    let head = "POST /echo/x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na";
    let mut client = RawClient::connect(server.address).await;
    client.send(head).await;
    let answer = client.read_until("\r\n").await;
    assert_eq!(answer, "HTTP/1.1 504 Gateway Timeout\r\n");
    server.wait_for_processes("echo", 0).await;
}

#[tokio::test]
async fn a_large_response_within_its_limit_arrives_whole() {
    let server = Site::new().guest("flood").start().await;
    let reply = server.get("/flood/body").await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.body.len() as u64, 64 * MIB);
    assert!(reply.body.iter().all(|byte| *byte == b'x'));
}

#[tokio::test]
async fn a_url_has_a_longest_length() {
    let server = Site::new().guest("echo").start().await;
    let long = format!("/echo/{}", "a".repeat(8_100));
    assert_eq!(server.get(&long).await.status, 200);
    let longer = format!("/echo/{}", "a".repeat(8_200));
    assert_eq!(server.get(&longer).await.status, 414);
}

#[tokio::test]
async fn a_head_has_a_largest_size() {
    let server = Site::new().guest("echo").start().await;
    let fields = "a: b\r\n".repeat(200);
    let many = format!("GET /echo/ HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
    let answer = RawClient::exchange(server.address, many).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    let value = "x".repeat(100_000);
    let large = format!("GET /echo/ HTTP/1.1\r\nHost: a\r\nLarge: {value}\r\n\r\n");
    let mut client = RawClient::connect(server.address).await;
    // It may be refused before all of it was sent.
    let _ = client.try_send(large).await;
    let answer = client.read_to_end().await;
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431 "),
        "{answer}"
    );
    assert_eq!(server.get("/echo/").await.status, 200);
}

#[tokio::test]
async fn a_looping_component_does_not_delay_files() {
    let server = Site::new()
        .page("a.txt", "static")
        .guest_with("spin", "[limits]\ndeadline = \"2 s\"\n")
        .start()
        .await;
    let spinning = async {
        let replies = at_once(&server, 8, "/spin/spin").await;
        assert!(replies.iter().all(|reply| reply.status == 504));
    };
    let reading = async {
        let mut client = Client::http1(server.address).await.unwrap();
        // As many as take a small part of the deadline on an idle machine.
        for _ in 0..200 {
            let request = Request::get("/a.txt").body(Bytes::new()).unwrap();
            assert_eq!(client.send(request).await.unwrap().text(), "static");
        }
    };
    tokio::pin!(spinning);
    tokio::select! {
        () = &mut spinning => panic!("files waited for the loops to end"),
        done = tokio::time::timeout(Duration::from_secs(20), reading) => done.unwrap(),
    }
    spinning.await;
}
