//! Clients that are slow with bodies and responses, and those that go on sending when they should not.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use tessera_tests::frames::frame::{self, WHOLE};
use tessera_tests::frames::{Block, PREFACE};
use tessera_tests::{Client, RawClient, Server, Site, pause, within};

/// More than the system buffers.
fn large() -> String {
    "0123456789abcdef".repeat(1 << 20)
}

fn ask(path: &str, fields: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: a\r\n{fields}\r\n")
}

async fn echo_server(settings: &str) -> Server {
    let site = Site::new().settings(settings).page("a.txt", "text");
    site.guest("echo").start().await
}

fn assert_late(answer: &str) {
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("\r\nserver: Tessera/"), "{answer}");
    assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
}

#[tokio::test]
async fn a_body_that_does_not_go_on_is_late() {
    let server = echo_server("[server]\nbody_timeout = \"200 ms\"\n").await;
    for begun in [
        "Content-Length: 10\r\n\r\nabc",
        "Content-Length: 10\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    ] {
        let mut client = RawClient::connect(server.address).await;
        let (fields, body) = begun.split_once("\r\n\r\n").unwrap();
        client
            .send(ask("/echo/x", &format!("{fields}\r\n")) + body)
            .await;
        assert_late(&client.read_to_end().await);
    }
    let reply = server.get("/echo/x").await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn a_body_that_drips_is_late() {
    let server = echo_server("[server]\nbody_timeout = \"400 ms\"\nmin_rate = 100000\n").await;
    let mut client = RawClient::connect(server.address).await;
    client
        .send(ask("/echo/x", "Content-Length: 1000000\r\n"))
        .await;
    let drip = async {
        while client.try_send("x").await.is_ok() {
            pause(Duration::from_millis(20)).await;
        }
    };
    // It ends when the connection does, some time after the answer.
    within("the dripping client to be cut off", drip).await;
    assert_late(&client.read_to_end().await);
}

#[tokio::test]
async fn a_client_that_reads_nothing_makes_room_for_others() {
    let page = large();
    let server = Site::new()
        .settings("[server]\nmax_connections = 1\nsend_timeout = \"300 ms\"\n")
        .page("large.txt", &page)
        .page("a.txt", "text")
        .start()
        .await;
    let get = |path: &str| Request::get(path.to_owned()).body(Bytes::new()).unwrap();
    let mut slow = RawClient::connect(server.address).await;
    slow.send("GET /large.txt HTTP/1.1\r\nHost: a\r\n\r\n")
        .await;
    slow.read_until("\r\n\r\n").await;
    // The one place is free again when the slow client has lost it.
    let mut other = Client::http1(server.address).await.unwrap();
    assert_eq!(other.send(get("/a.txt")).await.unwrap().text(), "text");
    assert!(slow.read_to_end().await.len() < page.len());
    // Who reads gets it all.
    let reply = other.send(get("/large.txt")).await.unwrap();
    assert_eq!(reply.body.len(), page.len());
}

#[tokio::test]
async fn a_client_whose_windows_stay_shut_is_left() {
    const INITIAL_WINDOW_SIZE: u16 = 4;
    let server = Site::new()
        .settings("[server]\nsend_timeout = \"300 ms\"\n")
        .page("large.txt", large())
        .start()
        .await;
    let mut client = RawClient::connect(server.address).await;
    let begin = [
        PREFACE.to_vec(),
        frame::settings(&[(INITIAL_WINDOW_SIZE, 0)]),
        frame::headers(1, WHOLE, Block::get("/large.txt")),
    ];
    client.send(begin.concat()).await;
    // Its request is in progress for ever, and no other limit is there for that.
    client.read_to_end().await;
}

#[tokio::test]
async fn the_last_answers_arrive_however_much_was_asked_for() {
    let server = echo_server("").await;
    let many = "GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n".repeat(1000);
    for run in 0..20 {
        let mut client = RawClient::connect(server.address).await;
        let _ = client.try_send(&many).await;
        let answers = client.read_to_end().await;
        assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 100, "{run}");
        assert!(answers.ends_with("\r\n\r\ntext"), "{run}");
    }
}

#[tokio::test]
async fn who_sends_too_much_is_told_so_when_it_has_sent_it() {
    let site = Site::new().guest_with("echo", "maxRequestSize = 500000\n");
    let server = site.start().await;
    let sized = ask("/echo/x", "Content-Length: 4000000\r\n") + &"x".repeat(4_000_000);
    let chunk = format!("{:x}\r\n{}\r\n", 10_000, "x".repeat(10_000));
    let chunked =
        ask("/echo/x", "Transfer-Encoding: chunked\r\n") + &chunk.repeat(400) + "0\r\n\r\n";
    for _ in 0..5 {
        let answer = RawClient::exchange(server.address, &sized).await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
        // Here the component finds out, and says so with its own words.
        let answer = RawClient::exchange(server.address, &chunked).await;
        assert!(answer.contains("larger than maxRequestSize"), "{answer}");
        assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
    }
}

#[tokio::test]
async fn the_last_answer_of_an_old_client_does_not_promise_another() {
    let server = echo_server("[keep_alive]\nmax_requests = 2\n").await;
    let old = "GET /a.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    let answer = RawClient::exchange(server.address, old.repeat(2)).await;
    let (first, last) = answer.split_at(answer.rfind("HTTP/1.0 ").unwrap());
    assert!(first.contains("\r\nconnection: keep-alive\r\n"), "{answer}");
    assert!(last.contains("\r\nconnection: close\r\n"), "{answer}");
    assert!(!last.contains("keep-alive"), "{answer}");
}

#[tokio::test]
async fn a_body_that_breaks_off_makes_a_bad_request() {
    let server = echo_server("").await;
    for path in ["/echo/x", "/a.txt"] {
        let mut client = RawClient::connect(server.address).await;
        client
            .send(ask(path, "Content-Length: 10\r\n") + "abc")
            .await;
        client.finish().await;
        let answer = client.read_to_end().await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{path}: {answer}");
        assert!(
            answer.contains("\r\nconnection: close\r\n"),
            "{path}: {answer}"
        );
    }
}
