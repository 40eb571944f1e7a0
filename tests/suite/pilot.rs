//! Components that start and stop web servers, as far as their permissions go.

use std::net::SocketAddr;

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use tessera_tests::{Client, Reply, Server, Site};

const BY_FORM: &str = "application/x-www-form-urlencoded";

/// The settings of a component that may steer these servers.
fn control(entries: &str) -> String {
    format!("[permissions]\ncontrol = [{entries}]\n")
}

/// A site where `pilot` may steer these servers, and `echo` is one of them.
fn site(entries: &str) -> Site {
    Site::new()
        .page("a.txt", "static")
        .guest_with("pilot", &control(entries))
        .guest_with("echo", "")
}

/// Calls a method of `pilot`, which is mounted on the host.
async fn ask(server: &Server, method: &str, fields: &[(&str, &str)]) -> Reply {
    let path = format!("/pilot/4DACTION/{method}");
    server.post(&path, BY_FORM, form(fields)).await
}

/// The same, and what came of it.
async fn steer(server: &Server, method: &str, fields: &[(&str, &str)]) -> Value {
    let reply = ask(server, method, fields).await;
    assert_eq!(
        reply.status, 200,
        "{method} {fields:?}: {reply:?}\n{server:?}"
    );
    reply.json()
}

async fn stop(server: &Server, name: &str) -> Value {
    steer(server, "stop", &[("name", name)]).await
}

async fn start(server: &Server, name: &str, settings: &Value) -> Value {
    let settings = settings.to_string();
    steer(server, "start", &[("name", name), ("settings", &settings)]).await
}

fn form(fields: &[(&str, &str)]) -> String {
    let encoded = |text: &str| -> String {
        let byte = |byte: u8| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        };
        text.bytes().map(byte).collect()
    };
    let fields = fields
        .iter()
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    fields.collect::<Vec<_>>().join("&")
}

fn success() -> Value {
    json!({ "success": true })
}

fn refused(error: &str) -> Value {
    json!({ "success": false, "error": error })
}

/// The codes of a start that failed, each of whose errors says something.
fn codes(result: &Value) -> Vec<u64> {
    assert_eq!(result["success"], false, "{result}");
    let errors = result["errors"].as_array().unwrap();
    let code = |error: &Value| {
        assert!(!error["message"].as_str().unwrap().is_empty(), "{result}");
        assert!(!error["componentSignature"].as_str().unwrap().is_empty());
        error["errCode"].as_u64().unwrap()
    };
    errors.iter().map(code).collect()
}

async fn is_running(server: &Server, name: &str) -> bool {
    let properties = server.properties(name).await;
    properties["isRunning"].as_bool().unwrap()
}

async fn wait_until_running(server: &Server, name: &str, running: bool) {
    let what = format!("{name} has isRunning {running}");
    server
        .wait_until(&what, async || {
            (is_running(server, name).await == running).then_some(())
        })
        .await;
}

#[tokio::test]
async fn by_default_a_component_only_reads() {
    let server = Site::new().guest("pilot").guest("echo").start().await;
    let servers = steer(&server, "servers", &[]).await;
    assert_eq!(
        servers,
        json!({"servers": ["site", "echo", "pilot"], "own": "pilot", "host": "site", "receiving": "site"})
    );
    for name in ["site", "echo", "pilot"] {
        let mut shown = steer(&server, "get", &[("name", name)]).await;
        let mut expected = server.properties(name).await;
        for properties in [&mut shown, &mut expected] {
            // The request that asks is one that runs.
            for changing in ["processes", "instances"] {
                properties.as_object_mut().unwrap().remove(changing);
            }
        }
        assert_eq!(shown, expected, "{name}");
        assert_eq!(stop(&server, name).await, refused("denied"), "{name}");
        assert_eq!(start(&server, name, &json!({})).await, refused("denied"));
        assert!(is_running(&server, name).await, "{name}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_not_found() {
    let server = Site::new().guest("pilot").start().await;
    for name in ["gone", "self", "host", "*", ""] {
        let field = [("name", name)];
        for method in ["start", "stop", "get"] {
            let result = steer(&server, method, &field).await;
            assert_eq!(result, refused("not-found"), "{method} {name}");
        }
    }
}

#[tokio::test]
async fn a_guest_cannot_pass_more_than_the_host_wants_to_hold() {
    let server = Site::new().guest("pilot").start().await;
    for (count, name_bytes, value_bytes) in [
        (129, 4, 1),
        (100_000, 4, 1),
        (1, 257, 1),
        (1, 4, 65_537),
        (2, 4, 40_000),
        (1, 10_000_000, 1),
        (1, 4, 10_000_000),
    ] {
        let fields = [
            ("name", "pilot"),
            ("count", &*format!("{count}")),
            ("name_bytes", &*format!("{name_bytes}")),
            ("value_bytes", &*format!("{value_bytes}")),
        ];
        let result = steer(&server, "flood", &fields).await;
        assert_eq!(codes(&result), [1103], "{fields:?}");
        assert_eq!(result["errors"][0]["componentSignature"], "settings");
    }
    // What is just within goes on to the next check.
    let fields = [
        ("name", "pilot"),
        ("count", "128"),
        ("name_bytes", "256"),
        ("value_bytes", "512"),
    ];
    assert_eq!(steer(&server, "flood", &fields).await, refused("denied"));
}

#[tokio::test]
async fn a_server_of_the_list_is_stopped_and_started() {
    let server = site(r#""echo""#).start().await;
    assert_eq!(server.get("/echo/").await.status, 200);
    let again = start(&server, "echo", &json!({})).await;
    assert_eq!(codes(&again), [1001]);

    assert_eq!(stop(&server, "echo").await, success());
    assert!(!is_running(&server, "echo").await);
    assert_ne!(server.get("/echo/").await.status, 200);
    assert_eq!(stop(&server, "echo").await, success());

    assert_eq!(start(&server, "echo", &json!({})).await, success());
    assert_eq!(server.get("/echo/").await.status, 200);
    for name in ["site", "pilot"] {
        assert_eq!(stop(&server, name).await, refused("denied"), "{name}");
    }
}

#[tokio::test]
async fn settings_of_a_start_last_until_the_stop() {
    let server = site(r#""echo""#).start().await;
    let property = async |name: &str| server.properties("echo").await[name].clone();
    let before = property("maxConcurrentProcesses").await;
    assert_ne!(before, 50);
    assert_eq!(stop(&server, "echo").await, success());
    let settings = json!({"maxConcurrentProcesses": 50, "HTTPTrace": true});
    assert_eq!(start(&server, "echo", &settings).await, success());
    assert_eq!(property("maxConcurrentProcesses").await, 50);
    assert_eq!(property("HTTPTrace").await, true);

    assert_eq!(stop(&server, "echo").await, success());
    assert_eq!(property("maxConcurrentProcesses").await, before);
    let settings = json!({"web.allow_4dsync": true});
    assert_eq!(start(&server, "echo", &settings).await, success());
    assert_eq!(property("HTTPTrace").await, false);
    assert_eq!(property("maxConcurrentProcesses").await, before);
}

#[tokio::test]
async fn a_start_with_wrong_settings_says_what_is_wrong() {
    let server = site(r#""echo""#).start().await;
    assert_eq!(stop(&server, "echo").await, success());
    for (settings, expected) in [
        (json!({"isRunning": true}), 1101),
        (json!({"name": "other"}), 1101),
        (json!({"HTTPPrt": 8080}), 1102),
        (json!({"pool.mx": 1}), 1102),
        (json!({"HTTPPort": 70_000}), 1103),
        (json!({"HTTPPort": 80.5}), 1103),
        (json!({"HTTPPort": "many"}), 1103),
        (json!({"web": {"allow_4dsync": []}}), 1103),
        // What a component may do is for its operator to say, and where the host hands requests over.
        (json!({"pool": {"max": 5}}), 1101),
        (json!({"limits.memory": "1 GiB"}), 1101),
        (json!({"mount.path": "/"}), 1101),
        (json!({"permissions": {"control": ["*"]}}), 1101),
        // A component is no way out of the site for one that may only start servers.
        (json!({"rootFolder": "/etc"}), 1103),
        (json!({"rootFolder": "../../.."}), 1103),
    ] {
        let result = start(&server, "echo", &settings).await;
        assert_eq!(codes(&result), [expected], "{settings}: {result}");
        assert!(!is_running(&server, "echo").await, "{settings}");
    }
    let both = json!({"HTTPPrt": 8080, "HTTPPort": 70_000});
    let mut both = codes(&start(&server, "echo", &both).await);
    both.sort_unstable();
    assert_eq!(both, [1102, 1103]);
    assert_eq!(start(&server, "echo", &json!({})).await, success());
}

#[tokio::test]
async fn a_component_that_stops_itself_still_answers() {
    let server = site(r#""self""#).start().await;
    assert_eq!(stop(&server, "echo").await, refused("denied"));
    assert_eq!(stop(&server, "site").await, refused("denied"));
    assert_eq!(stop(&server, "pilot").await, success());
    assert!(!is_running(&server, "pilot").await);
    assert_ne!(ask(&server, "servers", &[]).await.status, 200);
    assert_eq!(server.get("/echo/").await.status, 200);
}

#[tokio::test]
async fn a_component_restarts_itself() {
    let server = site(r#""self""#).start().await;
    let generation = server.properties("pilot").await["generation"].clone();
    let fields = [("name", "pilot"), ("settings", r#"{"HTTPTrace": true}"#)];
    assert_eq!(steer(&server, "restart", &fields).await, success());
    let after = server.properties("pilot").await;
    assert_ne!(after["generation"], generation, "{after}");
    // The new one serves, and has the permissions of its file.
    assert_eq!(steer(&server, "restart", &fields).await, success());
}

#[tokio::test]
async fn a_component_with_a_port_of_its_own_stops_itself_and_answers() {
    let settings = format!("HTTPPort = 8099\n{}", control(r#""self""#));
    let server = Site::new().guest_with("pilot", &settings).start().await;
    let address = server.address_of("pilot").await;
    let reply = ask_at(address, "stop", &[("name", "pilot")]).await;
    assert_eq!(reply.json(), success());
    wait_until_running(&server, "pilot", false).await;
    wait_until_closed(&server, address).await;
}

#[tokio::test]
async fn the_host_is_stopped_through_itself_and_the_request_is_answered() {
    let server = site(r#""host""#).start().await;
    assert_eq!(stop(&server, "echo").await, refused("denied"));
    assert_eq!(stop(&server, "pilot").await, refused("denied"));
    assert_eq!(stop(&server, "site").await, success());
    wait_until_running(&server, "site", false).await;
    wait_until_closed(&server, server.address).await;
}

#[tokio::test]
async fn a_component_with_a_port_of_its_own_stops_and_starts_the_host() {
    let settings = format!("HTTPPort = 8099\n{}", control(r#""host""#));
    let site = Site::new().page("a.txt", "static");
    let server = site.guest_with("pilot", &settings).start().await;
    let address = server.address_of("pilot").await;
    let site = [("name", "site")];
    assert_eq!(ask_at(address, "stop", &site).await.json(), success());
    assert!(!is_running(&server, "site").await);
    wait_until_closed(&server, server.address).await;
    assert_eq!(ask_at(address, "start", &site).await.json(), success());
    // The system picks the ports of this test, so it may be another one.
    let host = server.address_of("site").await;
    let mut client = Client::http1(host).await.unwrap();
    let request = Request::get("/a.txt").body(Bytes::new()).unwrap();
    assert_eq!(client.send(request).await.unwrap().text(), "static");
}

#[tokio::test]
async fn all_is_all_but_itself() {
    let server = site(r#""*""#).start().await;
    assert_eq!(stop(&server, "pilot").await, refused("denied"));
    assert_eq!(stop(&server, "echo").await, success());
    assert_eq!(start(&server, "echo", &json!({})).await, success());
    assert_eq!(stop(&server, "site").await, success());
}

#[tokio::test]
async fn a_start_goes_on_when_the_deadline_passes() {
    let settings = format!("{}[limits]\ndeadline = \"1 s\"\n", control(r#""late""#));
    let late = format!("{}[environment]\nLATE = \"3000\"\n", control(r#""self""#));
    let site = Site::new().guest_with("pilot", &settings);
    let server = site.guest_with("late", &late).start().await;
    assert_eq!(stop(&server, "late").await, success());
    assert_eq!(ask(&server, "start", &[("name", "late")]).await.status, 504);
    wait_until_running(&server, "late", true).await;
    // While it is asked for its methods it is in nobody's service, and steers nothing: that would wait for itself.
    assert_eq!(server.get("/late/").await.text(), "Err(Denied)");
    server.wait_for_processes("pilot", 0).await;
}

#[tokio::test]
async fn a_stop_goes_on_when_the_deadline_passes() {
    let settings = format!("{}[limits]\ndeadline = \"1 s\"\n", control(r#""sleep""#));
    let server = Site::new()
        .guest_with("pilot", &settings)
        .guest_with("sleep", "HTTPPort = 8099\n")
        .start()
        .await;
    let address = server.address_of("sleep").await;
    let mut client = Client::http1(address).await.unwrap();
    let sleeping = tokio::spawn(async move {
        let request = Request::get("/sleep/20000").body(Bytes::new()).unwrap();
        client.send(request).await
    });
    server.wait_for_processes("sleep", 1).await;
    // It waits for the request that is in progress.
    assert_eq!(ask(&server, "stop", &[("name", "sleep")]).await.status, 504);
    wait_until_running(&server, "sleep", false).await;
    wait_until_closed(&server, address).await;
    sleeping.abort();
}

#[tokio::test]
async fn a_loop_of_stops_and_starts_harms_nobody_else() {
    let settings = format!("{}[limits]\ndeadline = \"2 s\"\n", control(r#""echo""#));
    let server = Site::new()
        .page("a.txt", "static")
        .guest_with("pilot", &settings)
        .guest("version1")
        .guest("echo")
        .start()
        .await;
    let looping = async {
        let (one, two) = tokio::join!(
            ask(&server, "loop", &[("name", "echo")]),
            ask(&server, "loop", &[("name", "echo")]),
        );
        [one, two]
    };
    let others = async {
        for _ in 0..50 {
            assert_eq!(server.get("/a.txt").await.text(), "static");
            assert_eq!(server.get("/version1/").await.text(), "v1");
        }
    };
    let (looped, ()) = tokio::join!(looping, others);
    for reply in looped {
        // Two loops meet, and one starts what the other has just started: an error, and the end of that loop.
        assert!([500, 504].contains(&reply.status.as_u16()), "{reply:?}");
    }
    server.wait_for_processes("pilot", 0).await;
    assert_eq!(stop(&server, "echo").await, success());
    assert_eq!(start(&server, "echo", &json!({})).await, success());
    assert_eq!(server.get("/echo/").await.status, 200);
}

/// Calls a method of `pilot` on a port of its own.
async fn ask_at(address: SocketAddr, method: &str, fields: &[(&str, &str)]) -> Reply {
    let mut client = Client::http1(address).await.unwrap();
    let request = Request::post(format!("/4DACTION/{method}")).header("content-type", BY_FORM);
    let request = request.body(form(fields).into()).unwrap();
    client.send(request).await.unwrap()
}

async fn wait_until_closed(server: &Server, address: SocketAddr) {
    let what = format!("{address} takes no more connections");
    server
        .wait_until(&what, async || {
            Client::http1(address).await.is_err().then_some(())
        })
        .await;
}
