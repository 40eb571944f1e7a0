//! Web servers are started, stopped and changed, by admin and by the command line.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use tessera_tests::{Client, RawClient, Server, Site, wait_until};

/// A component with a port of its own, and one that is mounted.
async fn two_components() -> Server {
    Site::new()
        .guest_as_with(
            "version1",
            "own",
            "HTTPPort = 8099\nmaxRequestSize = 600000\n",
        )
        .guest("echo")
        .start()
        .await
}

/// The codes of a start that failed.
#[track_caller]
fn codes(result: &Value) -> Vec<u64> {
    assert_eq!(result["success"], json!(false), "{result}");
    let errors = result["errors"].as_array().unwrap();
    for error in errors {
        assert!(!error["message"].as_str().unwrap().is_empty(), "{result}");
        assert!(error["componentSignature"].is_string(), "{result}");
    }
    let mut codes: Vec<_> = errors
        .iter()
        .map(|error| error["errCode"].as_u64().unwrap())
        .collect();
    codes.sort_unstable();
    codes
}

#[track_caller]
fn assert_started(result: &Value) {
    assert_eq!(result, &json!({"success": true}));
}

fn stopped(was_running: bool) -> Value {
    json!({"success": true, "wasRunning": was_running})
}

async fn property(server: &Server, name: &str, key: &str) -> Value {
    server.properties(name).await[key].clone()
}

async fn is_ready(server: &Server) -> bool {
    let request = Request::get("/readyz").body(Bytes::new()).unwrap();
    server.admin.without_key(request).await.status == 200
}

#[tokio::test]
async fn a_running_server_is_not_started_again() {
    let server = two_components().await;
    for name in ["site", "own", "echo"] {
        let result = server
            .admin
            .start(name, &json!({"maxRequestSize": 700_000}))
            .await;
        assert_eq!(codes(&result), [1001], "{name}");
        let size = property(&server, name, "maxRequestSize").await;
        assert_ne!(size, json!(700_000), "{name}");
    }
    assert_eq!(server.get("/echo/").await.status, 200);
}

#[tokio::test]
async fn what_is_wrong_with_settings_is_told_at_once_and_changes_nothing() {
    let server = two_components().await;
    assert_eq!(server.admin.stop("own").await, stopped(true));
    for key in [
        "isRunning",
        "name",
        "openSSLVersion",
        "perfectForwardSecrecy",
        "sessionCookieName",
    ] {
        let result = server.admin.start("own", &json!({key: "x"})).await;
        assert_eq!(codes(&result), [1101], "{key}");
        let reply = server
            .admin
            .patch("/api/v1/servers/own", &json!({key: "x"}))
            .await;
        assert_eq!(reply.status, 422, "{key}: {reply:?}");
        assert_eq!(reply.json()["errors"][0]["key"], key);
    }
    let wrong = json!({"name": "x", "HTTPProt": 1, "HTTPPort": 99_999, "pool": {"max": "many"}});
    let result = server.admin.start("own", &wrong).await;
    assert_eq!(codes(&result), [1101, 1102, 1103, 1103]);
    let reply = server.admin.patch("/api/v1/servers/own", &wrong).await;
    let problem = reply.json();
    assert_eq!(problem["errors"].as_array().unwrap().len(), 4, "{problem}");
    let keys = ["HTTPPort", "HTTPProt", "name", "pool.max"];
    for key in keys {
        assert!(problem["errors"].to_string().contains(key), "{problem}");
    }
    // A good one beside a bad one is not taken either.
    let mixed = json!({"maxRequestSize": 700_000, "HTTPPort": -1});
    let reply = server.admin.patch("/api/v1/servers/own", &mixed).await;
    assert_eq!(reply.status, 422, "{reply:?}");
    let own = server.properties("own").await;
    assert_eq!(
        (&own["isRunning"], &own["maxRequestSize"]),
        (&json!(false), &json!(600_000))
    );
}

#[tokio::test]
async fn start_is_above_the_session_and_that_above_the_file() {
    let server = two_components().await;
    let size = async || property(&server, "own", "maxRequestSize").await;
    assert_eq!(size().await, json!(600_000));
    let own = server
        .admin
        .set("own", &json!({"maxRequestSize": 700_000}))
        .await;
    assert_eq!(
        own["changed"],
        json!({"live": ["maxRequestSize"], "pending": []})
    );
    assert_eq!(
        (&own["maxRequestSize"], size().await),
        (&json!(700_000), json!(700_000))
    );
    // Session options survive a stop.
    assert_eq!(server.admin.stop("own").await, stopped(true));
    assert_eq!(size().await, json!(700_000));
    assert_started(
        &server
            .admin
            .start("own", &json!({"maxRequestSize": 800_000}))
            .await,
    );
    assert_eq!(size().await, json!(800_000));
    // What start was given does not.
    assert_eq!(server.admin.stop("own").await, stopped(true));
    assert_eq!(size().await, json!(700_000));
    assert_started(&server.admin.start("own", &json!({})).await);
    assert_eq!(size().await, json!(700_000));
    // Null takes an option back.
    let own = server
        .admin
        .set("own", &json!({"maxRequestSize": null}))
        .await;
    assert_eq!(own["maxRequestSize"], json!(600_000));
    let own = server.admin.set("own", &json!({})).await;
    assert_eq!(own["changed"], json!({"live": [], "pending": []}));
}

#[tokio::test]
async fn an_option_is_obeyed_as_soon_as_it_is_live() {
    let server = two_components().await;
    let post = async || {
        let body = vec![b'x'; 600_000];
        server
            .post("/echo/", "text/plain", body)
            .await
            .status
            .as_u16()
    };
    assert_eq!(post().await, 200);
    server
        .admin
        .set("echo", &json!({"maxRequestSize": 500_000}))
        .await;
    assert_eq!(post().await, 413);
    server
        .admin
        .set("echo", &json!({"maxRequestSize": null}))
        .await;
    assert_eq!(post().await, 200);
    server.admin.stop("echo").await;
    let settings = json!({"maxRequestSize": 500_000});
    assert_started(&server.admin.start("echo", &settings).await);
    assert_eq!(post().await, 413);
}

#[tokio::test]
async fn running_it_shows_what_is_in_use_and_stopped_what_comes_next() {
    let server = two_components().await;
    let port = server.address_of("own").await.port();
    let own = server.admin.set("own", &json!({"HTTPPort": 8098})).await;
    assert_eq!(own["changed"], json!({"live": [], "pending": ["HTTPPort"]}));
    assert_eq!(own["HTTPPort"], json!(port));
    server.admin.stop("own").await;
    let own = server.properties("own").await;
    assert_eq!((&own["HTTPPort"], &own["urls"]), (&json!(8098), &json!([])));
    // A nested table and a dotted key are the same.
    server
        .admin
        .set("own", &json!({"HTTPPort": null, "pool": {"max": 3}}))
        .await;
    assert_eq!(property(&server, "own", "HTTPPort").await, json!(8099));
    server.admin.set("own", &json!({"pool.max": null})).await;
    assert_started(&server.admin.start("own", &json!({})).await);
    let address = server.address_of("own").await;
    let mut client = Client::http1(address).await.unwrap();
    let request = Request::get("/").body(Bytes::new()).unwrap();
    assert_eq!(client.send(request).await.unwrap().text(), "v1");
}

#[tokio::test]
async fn stopping_what_is_stopped_does_nothing() {
    let server = two_components().await;
    for name in ["own", "echo", "site"] {
        assert_eq!(server.admin.stop(name).await, stopped(true), "{name}");
        assert_eq!(server.admin.stop(name).await, stopped(false), "{name}");
        let one = server.properties(name).await;
        assert_eq!(
            (&one["isRunning"], &one["urls"]),
            (&json!(false), &json!([])),
            "{one}"
        );
    }
    // All of that was wanted, so nothing is missing.
    assert!(is_ready(&server).await);
    for name in ["site", "echo", "own"] {
        assert_started(&server.admin.start(name, &json!({})).await);
    }
    assert!(is_ready(&server).await);
    for path in ["start", "stop"] {
        let path = format!("/api/v1/servers/nobody/{path}");
        assert_eq!(server.admin.post(&path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_stopped_server_stays_so_when_its_files_change() {
    let server = Site::new()
        .guest_as("version1", "version")
        .guest("echo")
        .start()
        .await;
    server.admin.stop("version").await;
    server.site.put_guest("version2", "version");
    // The watcher has had its chance when it has taken up what came later.
    server.site.put_guest("silent", "later");
    server.wait_for_status("/later/", 200).await;
    server.admin.post("/api/v1/reload").await;
    assert_eq!(
        property(&server, "version", "isRunning").await,
        json!(false)
    );
    assert_started(&server.admin.start("version", &json!({})).await);
    server.wait_for_text("/version/", "v2").await;
}

#[tokio::test]
async fn what_does_not_launch_at_startup_waits_to_be_started() {
    let server = Site::new()
        .guest_with("version1", "[web]\nlaunch_at_startup = false\n")
        .start()
        .await;
    assert!(is_ready(&server).await);
    let one = server.properties("version1").await;
    assert_eq!(one["isRunning"], json!(false), "{one}");
    assert_eq!(one["maxConcurrentProcesses"], json!(100), "{one}");
    // Admin answers before the line is printed.
    server.wait_for_log(&["tessera start version1"]).await;
    assert_started(&server.admin.start("version1", &json!({})).await);
    server.wait_for_text("/version1/", "v1").await;
}

#[tokio::test]
async fn stop_comes_back_when_the_requests_in_progress_have_ended() {
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
    wait_until("the port is closed", async || {
        Client::http1(address).await.is_err().then_some(())
    })
    .await;
    assert!(!stopping.is_finished());
    waiting.send("abc").await;
    let answer = waiting.read_to_end().await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(stopping.await.unwrap(), stopped(true));
}

#[tokio::test]
async fn the_host_stops_and_starts_while_components_go_on() {
    let server = two_components().await;
    let address = server.address_of("own").await;
    let (goes_on, count) = (
        Arc::new(AtomicBool::new(true)),
        Arc::new(AtomicUsize::new(0)),
    );
    let (going_on, counted) = (goes_on.clone(), count.clone());
    let asking = tokio::spawn(async move {
        let mut client = Client::http1(address).await.unwrap();
        while going_on.load(Ordering::Relaxed) {
            let request = Request::get("/").body(Bytes::new()).unwrap();
            assert_eq!(client.send(request).await.unwrap().text(), "v1");
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    let more = async || {
        let before = count.load(Ordering::Relaxed);
        wait_until("further requests were answered", async || {
            (count.load(Ordering::Relaxed) > before).then_some(())
        })
        .await;
    };
    for _ in 0..3 {
        assert_eq!(server.admin.stop("site").await, stopped(true));
        more().await;
        // What is only mounted on it cannot be reached now, and does not claim to be.
        assert_eq!(property(&server, "echo", "urls").await, json!([]));
        assert_started(&server.admin.start("site", &json!({})).await);
        more().await;
    }
    goes_on.store(false, Ordering::Relaxed);
    asking.await.unwrap();
    let mut client = Client::http1(server.address_of("site").await)
        .await
        .unwrap();
    let request = Request::get("/echo/").body(Bytes::new()).unwrap();
    assert_eq!(client.send(request).await.unwrap().status, 200);
}

#[tokio::test]
async fn what_has_begun_ends_without_its_client() {
    let server = two_components().await;
    server.admin.stop("own").await;
    let (address, key) = (server.admin.address, &server.admin.key);
    let request = format!(
        "POST /api/v1/servers/own/start HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {key}\r\nContent-Length: 0\r\n\r\n"
    );
    server
        .wait_until("the server runs", async || {
            // On a busy machine the client may be gone before its request is read; then nothing has begun.
            let mut client = RawClient::connect(address).await;
            client.send(&request).await;
            drop(client);
            (property(&server, "own", "isRunning").await == true).then_some(())
        })
        .await;
}

#[tokio::test]
async fn options_that_cannot_be_had_are_refused_as_a_whole() {
    let server = two_components().await;
    server.site.put_guest("version2", "two");
    server.wait_for_text("/two/", "v2").await;
    let wanted = json!({"HTTPTrace": true, "mount": {"path": "/echo"}});
    let reply = server.admin.patch("/api/v1/servers/two", &wanted).await;
    assert_eq!(reply.status, 422, "{reply:?}");
    let problem = reply.json();
    let reason = problem["errors"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("/echo"), "{problem}");
    let two = server.properties("two").await;
    assert_eq!(
        (&two["HTTPTrace"], &two["error"], &two["pending"]),
        (&json!(false), &json!(null), &json!([]))
    );
    // Nothing of them is left for later either.
    let two = server
        .admin
        .set("two", &json!({"maxRequestSize": 700_000}))
        .await;
    assert_eq!(two["maxRequestSize"], json!(700_000));
    server.admin.stop("two").await;
    assert_started(&server.admin.start("two", &json!({})).await);
    assert_eq!(property(&server, "two", "HTTPTrace").await, json!(false));
    assert_eq!(server.get("/two/").await.text(), "v2");
}

#[tokio::test]
async fn null_takes_back_what_there_is() {
    let server = two_components().await;
    let options = json!({"mount": {"path": "/other", "strip": false}, "pool.max": 3});
    server.admin.set("echo", &options).await;
    assert_eq!(server.get("/echo/").await.status, 404);
    // A table stands for all that was set of it.
    let echo = server.admin.set("echo", &json!({"mount": null})).await;
    assert_eq!(
        echo["changed"],
        json!({"live": ["mount.path", "mount.strip"], "pending": []})
    );
    assert_eq!(server.get("/echo/").await.status, 200);
    // What was never used does not wait for anything.
    let own = server.admin.set("own", &json!({"HTTPPort": 8098})).await;
    assert_eq!(own["pending"], json!(["HTTPPort"]));
    let own = server.admin.set("own", &json!({"HTTPPort": null})).await;
    assert_eq!(own["pending"], json!([]));
    for (name, key) in [
        ("own", "HTTPProt"),
        ("own", "isRunning"),
        ("own", "admin"),
        ("site", "pool"),
    ] {
        let path = format!("/api/v1/servers/{name}");
        let reply = server.admin.patch(&path, &json!({key: null})).await;
        assert_eq!(reply.status, 422, "{name} {key}: {reply:?}");
        assert_eq!(reply.json()["errors"][0]["key"], key);
    }
}

#[tokio::test]
async fn a_start_that_failed_changes_nothing() {
    let server = Site::new()
        .guest_with("version1", "HTTPPort = \"x\"\n")
        .guest("version2")
        .start()
        .await;
    server.admin.stop("version2").await;
    for (name, settings) in [
        ("version1", json!({})),
        ("version2", json!({"HTTPPort": 99_999})),
    ] {
        let before = server.properties(name).await;
        assert_eq!(server.admin.start(name, &settings).await["success"], false);
        assert_eq!(server.properties(name).await, before, "{name}");
    }
    // One that was not stopped by hand still starts as soon as it can.
    server.site.write(
        "components/version1/settings.toml",
        "maxRequestSize = 600000\n",
    );
    server.wait_for_text("/version1/", "v1").await;
    assert_eq!(
        property(&server, "version2", "isRunning").await,
        json!(false)
    );
}
