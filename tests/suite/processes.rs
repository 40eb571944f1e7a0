//! Web processes: how many run at once, on which instances, and when they end.

use bytes::Bytes;
use http::Request;
use serde_json::json;
use tessera_tests::{Client, RawClient, Server, Site};

fn get(path: &str) -> Request<Bytes> {
    Request::get(path).body(Bytes::new()).unwrap()
}

/// How many requests the instance has answered that answers this one.
async fn answered(server: &Server) -> u64 {
    let echo = server.get("/echo/").await.json();
    echo["answered"].as_u64().unwrap()
}

#[tokio::test]
async fn past_the_limit_of_processes_is_a_503() {
    let server = Site::new()
        .page("a.txt", "static")
        .guest_with(
            "sleep",
            "maxConcurrentProcesses = 10\n[limits]\ndeadline = \"60 s\"\n",
        )
        .guest("version1")
        .start()
        .await;
    // "When this number (minus one) is reached": of ten, nine may run.
    let mut sleeping = Vec::new();
    for _ in 0..9 {
        let mut client = Client::http1(server.address).await.unwrap();
        sleeping.push(tokio::spawn(async move {
            client.send(get("/sleep/sleep/60000")).await
        }));
    }
    server.wait_for_processes("sleep", 9).await;
    let refused = server.get("/sleep/sleep/1").await;
    assert_eq!(refused.status, 503);
    let seconds = refused.header("retry-after").unwrap();
    assert!(seconds.parse::<u32>().unwrap() > 0);
    assert!(refused.text().contains("Server unavailable"));
    // Files and other components are not concerned.
    assert_eq!(server.get("/a.txt").await.text(), "static");
    assert_eq!(server.get("/version1/").await.text(), "v1");

    // A client that goes away ends what is done for it.
    sleeping.pop().unwrap().abort();
    server.wait_for_processes("sleep", 8).await;
    assert_eq!(server.get("/sleep/sleep/1").await.text(), "awake");
    for task in sleeping {
        task.abort();
    }
    server.wait_for_processes("sleep", 0).await;
    assert_eq!(
        server.properties("sleep").await["processes"]["highest"],
        json!(9)
    );
}

#[tokio::test]
async fn a_client_that_goes_away_stops_a_loop() {
    let server = Site::new()
        .guest_with("spin", "[limits]\ndeadline = \"60 s\"\n")
        .start()
        .await;
    for http2 in [false, true] {
        let mut client = if http2 {
            Client::http2(server.address).await.unwrap()
        } else {
            Client::http1(server.address).await.unwrap()
        };
        let spinning = tokio::spawn(async move { client.send(get("/spin/spin")).await });
        server.wait_for_processes("spin", 1).await;
        spinning.abort();
        server.wait_for_processes("spin", 0).await;
    }
}

#[tokio::test]
async fn a_client_that_goes_away_ends_the_wait_for_its_body() {
    let server = Site::new().guest("echo").start().await;
    let mut client = RawClient::connect(server.address).await;
    let head = "POST /echo/x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na";
    client.send(head).await;
    server.wait_for_processes("echo", 1).await;
    drop(client);
    server.wait_for_processes("echo", 0).await;
    assert_eq!(server.get("/echo/").await.status, 200);
}

#[tokio::test]
async fn reused_instances_remember_and_fresh_ones_do_not() {
    let reuse = Site::new().guest("echo").start().await;
    for expected in 1..=5 {
        assert_eq!(answered(&reuse).await, expected);
    }
    let fresh = Site::new()
        .guest_with("echo", "[pool]\npolicy = \"fresh\"\n")
        .start()
        .await;
    for _ in 1..=5 {
        assert_eq!(answered(&fresh).await, 1);
    }
    let instances = fresh.properties("echo").await["instances"].clone();
    assert_eq!(instances["idle"], 0, "{instances}");
}

#[tokio::test]
async fn an_instance_retires_after_its_requests() {
    let server = Site::new()
        .guest_with("echo", "[pool]\nmax_requests = 3\n")
        .start()
        .await;
    let mut counts = Vec::new();
    for _ in 0..9 {
        counts.push(answered(&server).await);
    }
    assert!(
        counts.iter().all(|count| (1..=3).contains(count)),
        "{counts:?}"
    );
    assert!(
        counts.iter().filter(|count| **count == 1).count() >= 3,
        "{counts:?}"
    );
}

#[tokio::test]
async fn an_instance_that_trapped_is_not_used_again() {
    let server = Site::new().guest("trap").start().await;
    for _ in 0..3 {
        assert_eq!(server.get("/trap/fine").await.status, 200);
        assert_eq!(server.get("/trap/panic").await.status, 500);
    }
    let instances = server.properties("trap").await["instances"].clone();
    assert_eq!(instances["trapped"], 3, "{instances}");
    assert!(instances["created"].as_u64() >= Some(3), "{instances}");
}

#[tokio::test]
async fn instances_are_made_ahead() {
    let server = Site::new()
        .guest_with("echo", "[pool]\nmin = 4\n")
        .start()
        .await;
    let instances = server.properties("echo").await["instances"].clone();
    assert!(instances["idle"].as_u64() >= Some(4), "{instances}");
}

#[tokio::test]
async fn without_an_instance_in_time_it_is_a_503() {
    let server = Site::new()
        .settings("[engine]\nmax_instances = 1\n")
        .guest_with(
            "sleep",
            "[pool]\nqueue_timeout = \"100 ms\"\n[limits]\ndeadline = \"60 s\"\n",
        )
        .start()
        .await;
    let mut client = Client::http1(server.address).await.unwrap();
    let sleeping = tokio::spawn(async move { client.send(get("/sleep/sleep/60000")).await });
    server.wait_for_processes("sleep", 1).await;
    let refused = server.get("/sleep/sleep/1").await;
    assert_eq!(refused.status, 503);
    assert!(refused.header("retry-after").is_some());
    sleeping.abort();
    server.wait_for_processes("sleep", 0).await;
    server.wait_for_status("/sleep/sleep/1", 200).await;
}
