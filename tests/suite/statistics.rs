//! WEB GET STATISTICS: what web servers have answered, as components ask for it.

use http::Request;
use serde_json::Value;
use tessera_tests::{Server, Site};

async fn of(server: &Server, name: &str) -> Value {
    let path = format!("/echo/4DACTION/statistics/{name}");
    let reply = server.get(&path).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()
}

fn count(statistics: &Value, name: &str) -> u64 {
    statistics[name]
        .as_u64()
        .unwrap_or_else(|| panic!("{name}: {statistics}"))
}

#[tokio::test]
async fn what_a_server_answers_is_counted() {
    let large = "x".repeat(600 * 1024);
    let server = Site::new()
        .page("a.txt", "alpha")
        .page("large.bin", &large)
        .guest("echo")
        .guest("silent")
        .start()
        .await;
    let before = of(&server, "site").await;
    let requests = count(&before, "requests");
    assert_eq!(
        (count(&before, "cacheHits"), count(&before, "cacheMisses")),
        (0, 0)
    );

    for _ in 0..5 {
        assert_eq!(server.get("/a.txt").await.text(), "alpha");
    }
    let after = of(&server, "site").await;
    assert_eq!(count(&after, "requests") - requests, 5);
    assert_eq!(count(&after, "bytesSent") - count(&before, "bytesSent"), 25);
    assert_eq!(
        (count(&after, "cacheHits"), count(&after, "cacheMisses")),
        (4, 1)
    );

    // Not kept in memory, and so read each time; of a HEAD nothing is sent.
    server.get("/large.bin").await;
    server.get("/large.bin").await;
    let head = Request::head("/large.bin").body("".into()).unwrap();
    assert_eq!(server.send(head).await.status, 200);
    let more = of(&server, "site").await;
    assert_eq!(count(&more, "requests") - count(&after, "requests"), 3);
    let bytes = count(&more, "bytesSent") - count(&after, "bytesSent");
    assert_eq!(bytes, 2 * large.len() as u64);
    assert_eq!(count(&more, "cacheMisses"), 4);
    assert!(count(&more, "cacheBytes") > 5, "{more}");

    // What is refused is answered, too; and each server counts its own.
    let silent = count(&of(&server, "silent").await, "requests");
    assert_eq!(server.get("/none.txt").await.status, 404);
    server.get("/silent/x").await;
    let last = of(&server, "site").await;
    assert_eq!(count(&last, "requests") - count(&more, "requests"), 1);
    assert_eq!(count(&of(&server, "silent").await, "requests") - silent, 1);
}

#[tokio::test]
async fn counters_are_those_of_a_run() {
    let server = Site::new().guest("echo").guest("silent").start().await;
    let own = of(&server, "echo").await;
    assert_eq!(
        (
            count(&own, "currentProcesses"),
            count(&own, "highestProcesses")
        ),
        (1, 1)
    );
    for _ in 0..3 {
        server.get("/silent/x").await;
    }
    assert_eq!(count(&of(&server, "silent").await, "requests"), 3);
    let is_older =
        async || (count(&of(&server, "silent").await, "uptimeSeconds") > 0).then_some(());
    server.wait_until("a second has passed", is_older).await;
    server.admin.stop("silent").await;
    let stopped = of(&server, "silent").await;
    assert_eq!(
        (
            count(&stopped, "requests"),
            count(&stopped, "uptimeSeconds")
        ),
        (3, 0)
    );
    server.admin.start("silent", &serde_json::json!({})).await;
    assert_eq!(count(&of(&server, "silent").await, "requests"), 0);
    let unknown = server.get("/echo/4DACTION/statistics/nobody").await;
    assert_eq!(unknown.status, 500);
}
