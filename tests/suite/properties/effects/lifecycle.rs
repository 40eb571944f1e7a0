//! When web servers start, what their components may do, the instances they have, and what has no effect yet.

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use tessera_tests::{Server, Site};

use super::{ask, connect, get, set, start};

#[tokio::test]
async fn a_host_that_does_not_launch_waits_to_be_started() {
    let server = Site::new()
        .settings("[web]\nlaunch_at_startup = false\n")
        .page("a.txt", "static")
        .guest("version1")
        .guest_as_with("version1", "shop", "HTTPPort = 8099\n")
        .start()
        .await;
    let host = server.properties("site").await;
    assert_eq!(
        (&host["isRunning"], &host["state"]),
        (&json!(false), &json!("stopped"))
    );
    assert_eq!((&host["urls"], &host["error"]), (&json!([]), &Value::Null));
    // Components have no part in it.
    assert_eq!(
        ask(&mut connect(&server, "shop").await, get("/"))
            .await
            .text(),
        "v1"
    );
    let ready = Request::get("/readyz").body(Bytes::new()).unwrap();
    assert_eq!(server.admin.without_key(ready).await.status, 200);
    start(&server, "site", &json!({})).await;
    let mut client = connect(&server, "site").await;
    assert_eq!(ask(&mut client, get("/a.txt")).await.text(), "static");
    assert_eq!(ask(&mut client, get("/version1/")).await.text(), "v1");
}

#[tokio::test]
async fn what_a_component_may_do_changes_at_once() {
    let server = Site::new().guest("pilot").guest("version1").start().await;
    let stop = async |name: &str| {
        let form = format!("name={name}");
        server.post_form("/pilot/4DACTION/stop", &form).await.json()["success"].clone()
    };
    for (control, expected) in [
        (json!(["version1"]), [true, false]),
        (json!(["host"]), [false, false]),
        (json!(["self"]), [false, false]),
        (json!(["*"]), [true, false]),
        (Value::Null, [false, false]),
    ] {
        // The change makes a new version of it, which is the one that is asked.
        set(
            &server,
            "pilot",
            json!({"permissions": {"control": control}}),
        )
        .await;
        for (name, expected) in ["version1", "nobody"].into_iter().zip(expected) {
            assert_eq!(stop(name).await, expected, "{control} {name}");
        }
    }
}

/// What `echo` tells, and how many requests its instance has answered.
async fn echo(server: &Server, path: &str) -> Value {
    let reply = server.get(path).await;
    assert_eq!(reply.status, 200, "{path}: {reply:?}");
    reply.json()
}

#[tokio::test]
async fn instances_and_what_they_have_change_at_once() {
    let server = Site::new().guest("echo").start().await;
    let answered = async || echo(&server, "/echo/").await["answered"].as_u64().unwrap();
    let idle = async || {
        server.properties("echo").await["instances"]["idle"]
            .as_u64()
            .unwrap()
    };
    assert!((answered().await, answered().await) < (2, 3));
    // None is kept.
    set(&server, "echo", json!({"pool": {"max": 0}})).await;
    assert_eq!(
        (answered().await, answered().await, idle().await),
        (1, 1, 0)
    );
    set(&server, "echo", json!({"pool": {"max": 4, "min": 4}})).await;
    server
        .wait_until("the instances are made", async || {
            (idle().await == 4).then_some(())
        })
        .await;
    set(
        &server,
        "echo",
        json!({"pool": {"max": null, "min": null, "max_requests": 2}}),
    )
    .await;
    let counts = [answered().await, answered().await, answered().await];
    assert_eq!(counts, [1, 2, 1]);
    set(
        &server,
        "echo",
        json!({"pool": {"max_requests": null, "policy": "fresh"}}),
    )
    .await;
    assert_eq!((answered().await, answered().await), (1, 1));

    let environment = async || echo(&server, "/echo/4DACTION/environment").await;
    set(
        &server,
        "echo",
        json!({"environment": {"GREETING": "hello"}}),
    )
    .await;
    assert_eq!(environment().await["GREETING"], "hello");
    set(&server, "echo", json!({"environment": null})).await;
    assert_eq!(environment().await.get("GREETING"), None);

    let left = async || {
        echo(&server, "/echo/").await["remainingMilliseconds"]
            .as_u64()
            .unwrap()
    };
    assert!(left().await > 10_000);
    set(
        &server,
        "echo",
        json!({"limits": {"deadline": "5 s", "response_size": "1 KiB"}}),
    )
    .await;
    let large = format!("text={}", "x".repeat(2_000));
    assert_eq!(
        server.post_form("/echo/4DACTION/say", &large).await.status,
        500
    );
    set(&server, "echo", json!({"limits": {"response_size": null}})).await;
    assert_eq!(
        server.post_form("/echo/4DACTION/say", &large).await.status,
        200
    );
    assert!((1..=5_000).contains(&left().await));
}

#[tokio::test]
async fn a_component_moves_at_once() {
    let server = Site::new().guest("echo").start().await;
    let url = async |path: &str| {
        let reply = server.get(path).await;
        (reply.status == 200).then(|| reply.json()["url"].as_str().unwrap().to_owned())
    };
    assert_eq!(url("/echo/a").await.as_deref(), Some("/a"));
    set(&server, "echo", json!({"mount": {"path": "/b/c"}})).await;
    assert_eq!(
        (url("/echo/a").await, url("/b/c/a").await),
        (None, Some("/a".to_owned()))
    );
    set(&server, "echo", json!({"mount": {"strip": false}})).await;
    assert_eq!(url("/b/c/a").await.as_deref(), Some("/b/c/a"));
    set(&server, "echo", json!({"mount": {"host": "shop.test"}})).await;
    assert_eq!(url("/b/c/a").await, None);
    let named = Request::get("/b/c/a")
        .header("host", "shop.test")
        .body(Bytes::new())
        .unwrap();
    assert_eq!(server.send(named).await.status, 200);
    set(&server, "echo", json!({"mount": null})).await;
    assert_eq!(url("/echo/a").await.as_deref(), Some("/a"));
}
