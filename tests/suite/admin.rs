//! The admin endpoint: who may ask, and what it tells.

use std::os::unix::fs::PermissionsExt;

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use tessera_tests::{Client, RawClient, Reply, Server, Site};

fn request(method: &str, path: &str) -> Request<Bytes> {
    let request = Request::builder().method(method).uri(path);
    request.body(Bytes::new()).unwrap()
}

/// Errors are problem documents.
fn assert_problem(reply: &Reply, status: u16) {
    assert_eq!(reply.status, status, "{reply:?}");
    assert_eq!(
        reply.header("content-type"),
        Some("application/problem+json"),
        "{reply:?}"
    );
    let problem = reply.json();
    assert_eq!(problem["status"], json!(status), "{problem}");
    for member in ["type", "title", "detail"] {
        assert!(problem[member].is_string(), "{member}: {problem}");
    }
}

async fn with_authorization(server: &Server, path: &str, value: &str) -> Reply {
    let mut request = request("GET", path);
    let value = value.parse().unwrap();
    request.headers_mut().insert("authorization", value);
    server.admin.without_key(request).await
}

#[tokio::test]
async fn nobody_gets_in_without_the_key() {
    let server = Site::new().start().await;
    for path in [
        "/api/v1/servers",
        "/api/v1/servers/site",
        "/api/v1/info",
        "/api/v1/reload",
        "/api/v1/nothing",
        "/api",
    ] {
        let reply = server.admin.without_key(request("GET", path)).await;
        assert_problem(&reply, 401);
        assert_eq!(reply.header("www-authenticate"), Some("Bearer"), "{path}");
    }
    for (method, path) in [
        ("POST", "/api/v1/reload"),
        ("POST", "/api/v1/servers/site/start"),
        ("POST", "/api/v1/servers/site/stop"),
        ("PATCH", "/api/v1/servers/site"),
        ("GET", "/api/v1/openapi.json"),
    ] {
        let reply = server.admin.without_key(request(method, path)).await;
        assert_problem(&reply, 401);
    }
    let key = server.admin.key.clone();
    for value in ["Bearer wrong", "Bearer", &format!("Basic {key}")] {
        let reply = with_authorization(&server, "/api/v1/servers", value).await;
        assert_problem(&reply, 401);
        assert!(!reply.text().contains(&key));
    }
    let reply = with_authorization(&server, "/api/v1/servers", &format!("bearer {key}")).await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn web_pages_cannot_reach_it_by_a_name_of_theirs() {
    let server = Site::new().start().await;
    let mut foreign = request("GET", "/healthz");
    let host = "rebound.example".parse().unwrap();
    foreign.headers_mut().insert("host", host);
    assert_problem(&server.admin.request(foreign).await, 421);
}

#[tokio::test]
async fn the_key_is_kept_from_others() {
    let server = Site::new().start().await;
    let mode = |path: &str| {
        let metadata = std::fs::metadata(server.site.at(path)).unwrap();
        metadata.permissions().mode() & 0o777
    };
    assert_eq!(mode(".tessera"), 0o700);
    assert_eq!(mode(".tessera/access-key"), 0o600);
    // Shown at the first start, and never again.
    let key = server.admin.key.clone();
    server.wait_for_log(&["shown this once", &key]).await;
    let (_, site) = server.stop().await;
    assert!(!site.at(".tessera/admin.json").exists());
    let server = site.start().await;
    assert_eq!(server.admin.key, key);
    server.wait_for_log(&["ready in"]).await;
    assert!(!server.log().contains(&key), "{server:?}");
}

#[tokio::test]
async fn the_key_may_be_set() {
    let key = "correct-horse-battery-staple";
    let server = Site::new()
        .settings(&format!("[admin]\naccess_key = \"{key}\"\n"))
        .start()
        .await;
    assert_eq!(server.admin.key, key);
    assert_eq!(server.admin.get("/api/v1/info").await.status, 200);
    server.wait_for_log(&["ready in"]).await;
    assert!(!server.log().contains(key), "{server:?}");
    let shown = server.admin.document("/api/v1/servers").await.to_string();
    assert!(!shown.contains(key), "{shown}");
}

#[tokio::test]
async fn servers_are_listed_the_host_first_running_or_not() {
    let server = Site::new()
        .guest("echo")
        .guest_with("version1", "HTTPPort = 8099\n")
        .file("components/aaa.wasm", "broken")
        .start()
        .await;
    let list = server.admin.document("/api/v1/servers").await;
    let list = list.as_array().unwrap();
    let shown: Vec<_> = list
        .iter()
        .map(|one| {
            (
                one["name"].as_str().unwrap(),
                one["isRunning"].as_bool().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("site", true),
            ("aaa", false),
            ("echo", true),
            ("version1", true)
        ]
    );
    // Every property of the class that there is so far, on every server that runs.
    for one in list.iter().filter(|one| one["isRunning"] == json!(true)) {
        for property in [
            "name",
            "isRunning",
            "HTTPEnabled",
            "HTTPPort",
            "IPAddressToListen",
            "rootFolder",
            "defaultHomepage",
            "maxRequestSize",
            "maxConcurrentProcesses",
        ] {
            assert!(one.get(property).is_some(), "{property}: {one}");
        }
    }
    let echo = &list[2];
    assert_eq!(echo["mount"]["path"], "/echo");
    assert_eq!(echo["hooks"]["COMPILER_WEB"], json!(true));
    assert_eq!(echo["hooks"]["On Web Authentication"], json!(false));
    let methods = echo["methods"].as_array().unwrap();
    assert!(
        methods.contains(&json!({"name": "hidden", "available": false})),
        "{echo}"
    );
    assert!(list[1]["error"].as_str().unwrap().contains("aaa.wasm"));

    assert_eq!(server.properties("echo").await["name"], "echo");
    assert_problem(&server.admin.get("/api/v1/servers/nobody").await, 404);
}

#[tokio::test]
async fn health_and_readiness_need_no_key() {
    let server = Site::new().guest("version1").start().await;
    for path in ["/healthz", "/readyz"] {
        let reply = server.admin.without_key(request("GET", path)).await;
        assert_eq!(reply.status, 200, "{path}");
    }
    // A component that should run and does not makes the site not ready, and still healthy.
    server.site.write("components/broken.wasm", "broken");
    server.wait_for_log(&["not loaded", "broken"]).await;
    let reply = server.admin.without_key(request("GET", "/readyz")).await;
    assert_problem(&reply, 503);
    assert!(reply.json()["detail"].as_str().unwrap().contains("broken"));
    let reply = server.admin.without_key(request("GET", "/healthz")).await;
    assert_eq!(reply.status, 200);
    server.site.remove("components/broken.wasm");
    tessera_tests::wait_until("the site is ready again", async || {
        let reply = server.admin.without_key(request("GET", "/readyz")).await;
        (reply.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_site_that_is_stopping_is_not_ready() {
    let server = Site::new().guest("echo").start().await;
    // A request that waits for us holds up the end of the process.
    let mut waiting = RawClient::connect(server.address).await;
    let head = "POST /echo/x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";
    waiting.send(head).await;
    server.wait_for_processes("echo", 1).await;
    server.terminate();
    let what = "the site is not ready any more";
    server
        .wait_until(what, async || {
            let reply = server.admin.without_key(request("GET", "/readyz")).await;
            (reply.status != 200).then(|| {
                assert_problem(&reply, 503);
                assert!(reply.text().contains("draining"), "{reply:?}");
            })
        })
        .await;
    let reply = server.admin.without_key(request("GET", "/healthz")).await;
    assert_eq!(reply.status, 200);
    waiting.send("abc").await;
    let (exit, _) = server.end().await;
    assert_eq!(exit.code, Some(0), "{exit:#?}");
}

#[tokio::test]
async fn what_leads_to_a_component_is_in_its_urls() {
    let server = Site::new()
        .guest("echo")
        .guest_as_with(
            "version1",
            "both",
            "HTTPPort = 8099\n[mount]\npath = \"/\"\nhost = \"shop.example\"\n",
        )
        .start()
        .await;
    let port = server.address.port();
    let echo = server.properties("echo").await;
    let expected = format!("http://{}/echo/", server.address);
    assert_eq!(echo["urls"], json!([expected]));
    let both = server.properties("both").await;
    let mounted = format!("http://shop.example:{port}/");
    assert_eq!(both["urls"][1], json!(mounted), "{both}");
    // The list shows the same.
    let list = server.admin.document("/api/v1/servers").await;
    assert_eq!(list[2]["urls"], echo["urls"]);
}

#[tokio::test]
async fn bodies_are_json_objects_within_bounds() {
    let server = Site::new().start().await;
    let deep = "[".repeat(60_000);
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(70_000));
    let json = "application/json";
    for (method, path) in [
        ("POST", "/api/v1/servers/site/start"),
        ("PATCH", "/api/v1/servers/site"),
    ] {
        for (content_type, body, status) in [
            ("application/x-www-form-urlencoded", "HTTPPort=80", 415),
            ("text/plain", "{}", 415),
            (json, "{", 400),
            (json, "[]", 400),
            (json, "{\"HTTPPort\":1,\"HTTPPort\":2}", 400),
            (json, "{\"pool\":{\"max\":1},\"pool.max\":2}", 400),
            (json, &deep, 400),
            (json, &long, 413),
        ] {
            let request = Request::builder()
                .method(method)
                .uri(path)
                .header("content-type", content_type)
                .body(body.to_owned().into())
                .unwrap();
            assert_problem(&server.admin.request(request).await, status);
        }
    }
    for (method, path) in [
        ("POST", "/api/v1/servers/nobody/start"),
        ("POST", "/api/v1/servers/nobody/stop"),
        ("POST", "/api/v1/servers/nobody/reload"),
    ] {
        let reply = server.admin.request(request(method, path)).await;
        assert_problem(&reply, 404);
    }
    let reply = server
        .admin
        .patch("/api/v1/servers/nobody", &json!({}))
        .await;
    assert_problem(&reply, 404);
}

#[tokio::test]
async fn it_describes_itself() {
    let server = Site::new().start().await;
    let description = server.admin.document("/api/v1/openapi.json").await;
    assert_eq!(description["openapi"], "3.1.0");
    for path in ["/api/v1/servers/{name}/start", "/api/v1/info", "/readyz"] {
        assert!(description["paths"][path].is_object(), "{path}");
    }
}

#[tokio::test]
async fn the_description_has_every_property_that_servers_show() {
    let server = Site::new().guest("echo").start().await;
    let description = server.admin.document("/api/v1/openapi.json").await;
    let schemas = &description["components"]["schemas"];
    let described = schemas["Server"]["properties"].as_object().unwrap();
    for one in server
        .admin
        .document("/api/v1/servers")
        .await
        .as_array()
        .unwrap()
    {
        for property in one.as_object().unwrap().keys() {
            assert!(described.contains_key(property), "{property}: {one}");
        }
    }
    // What can be set at all stands in the schemas of the two kinds.
    for (schema, table) in [("HostSettings", "server"), ("ComponentSettings", "pool")] {
        let properties = &schemas[schema]["properties"];
        assert!(properties["HTTPPort"].is_object(), "{properties}");
        assert!(properties[table]["properties"].is_object(), "{properties}");
    }
}

#[tokio::test]
async fn what_it_does_not_know_is_a_problem_document() {
    let server = Site::new().start().await;
    for (method, path, status, allow) in [
        ("GET", "/nothing", 404, None),
        ("GET", "/api/v1/nothing", 404, None),
        ("GET", "/api/v1/reload", 405, Some("POST")),
        ("DELETE", "/api/v1/servers", 405, Some("GET, HEAD")),
        ("POST", "/healthz", 405, Some("GET, HEAD")),
        ("PUT", "/api/v1/servers/site", 405, Some("GET, HEAD, PATCH")),
    ] {
        let reply = server.admin.request(request(method, path)).await;
        assert_problem(&reply, status);
        assert_eq!(reply.header("allow"), allow, "{method} {path}");
    }
}

#[tokio::test]
async fn info_tells_about_the_process() {
    let server = Site::new().guest("version1").start().await;
    let info = server.admin.document("/api/v1/info").await;
    assert_eq!(info["pid"], json!(server.id()));
    assert_eq!(info["servers"], json!({"all": 2, "running": 2}));
    assert!(info["version"].is_string(), "{info}");
    assert!(info["memory"]["max"].as_u64() > Some(0), "{info}");
}

#[tokio::test]
async fn it_is_not_on_the_web_servers_port() {
    let server = Site::new().start().await;
    assert_ne!(server.admin.address, server.address);
    let mut client = Client::http1(server.address).await.unwrap();
    for path in ["/api/v1/servers", "/healthz"] {
        let mut request = request("GET", path);
        let bearer = format!("Bearer {}", server.admin.key).parse().unwrap();
        request.headers_mut().insert("authorization", bearer);
        let reply = client.send(request).await.unwrap();
        assert_eq!(reply.status, 404, "{path}");
    }
}

#[tokio::test]
async fn wrong_keys_are_slowed_down_and_the_right_one_is_not() {
    let server = Site::new().start().await;
    // One after the other until an answer takes its time, which is said in the log.
    for number in 0..5 {
        let value = format!("Bearer wrong{number}");
        assert_problem(
            &with_authorization(&server, "/api/v1/info", &value).await,
            401,
        );
    }
    server
        .wait_for_log(&["wrong access keys again and again"])
        .await;
    let info: Value = server.admin.document("/api/v1/info").await;
    assert!(info.is_object());
}

#[tokio::test]
async fn a_site_has_one_host() {
    let server = Site::new().start().await;
    let second = server.cli(&["serve", ".", "--free-ports"]).await;
    assert_eq!(second.code, Some(1), "{second:#?}");
    assert!(second.stderr.contains("served already"), "{second:#?}");
    // The first is still found.
    assert_eq!(server.cli(&["list"]).await.code, Some(0));
    // A host that was killed leaves nothing that stands in the way of the next.
    let site = server.kill().await;
    assert_eq!(site.start().await.get("/").await.status, 200);
}
