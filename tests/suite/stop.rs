//! The end of web servers and of the process: requests in progress are finished first.

use std::time::Duration;

use serde_json::json;
use tessera_tests::{Client, RawClient, Site, pause};

#[tokio::test]
async fn the_process_ends_after_requests_of_servers_that_were_stopped_before() {
    let server = Site::new()
        .guest_with("echo", "HTTPPort = 8099\n")
        .start()
        .await;
    let address = server.address_of("echo").await;
    let mut waiting = RawClient::connect(address).await;
    let head = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";
    waiting.send(head).await;
    server.wait_for_processes("echo", 1).await;
    let admin = server.admin.clone();
    let stopping = tokio::spawn(async move { admin.stop("echo").await });
    let closed = async |address| Client::http1(address).await.is_err().then_some(());
    server
        .wait_until("its port is closed", async || closed(address).await)
        .await;
    // Nobody waits for that stop any more.
    stopping.abort();
    server.terminate();
    server
        .wait_until("the host's port is closed", async || {
            closed(server.address).await
        })
        .await;
    // Time for the process to end, as it would if nothing were in progress.
    pause(Duration::from_millis(500)).await;
    waiting.send("abc").await;
    let answer = waiting.read_to_end().await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(server.end().await.0.code, Some(0));
}

#[tokio::test]
async fn nothing_is_started_while_the_process_ends() {
    let server = Site::new()
        .guest_with("echo", "HTTPPort = 8099\n")
        .guest_with("version1", "HTTPPort = 8098\n")
        .start()
        .await;
    server.admin.stop("version1").await;
    let mut waiting = RawClient::connect(server.address_of("echo").await).await;
    let head = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";
    waiting.send(head).await;
    server.wait_for_processes("echo", 1).await;
    server.terminate();
    server
        .wait_until("the host's port is closed", async || {
            Client::http1(server.address).await.is_err().then_some(())
        })
        .await;
    let result = server.admin.start("version1", &json!({})).await;
    assert_eq!(result["errors"][0]["errCode"], json!(1099), "{result}");
    let version1 = server.properties("version1").await;
    assert_eq!(version1["isRunning"], json!(false), "{version1}");
    waiting.send("abc").await;
    assert!(waiting.read_to_end().await.starts_with("HTTP/1.1 200 "));
    assert_eq!(server.end().await.0.code, Some(0));
}
