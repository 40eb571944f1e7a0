//! Deploying through admin: what is taken, what is refused, and that a refusal changes nothing.

use std::fs;

use bytes::Bytes;
use http::Request;
use tessera_tests::{Reply, Server, Site, guest};

fn request(path: &str, kind: Option<&str>, module: impl Into<Bytes>) -> Request<Bytes> {
    let mut request = Request::builder().method("PUT").uri(path);
    if let Some(kind) = kind {
        request = request.header("content-type", kind);
    }
    request.body(module.into()).unwrap()
}

async fn deploy(server: &Server, name: &str, module: impl Into<Bytes>) -> Reply {
    let path = format!("/api/v1/components/{name}");
    let request = request(&path, Some("application/wasm"), module);
    server.admin.request(request).await
}

fn module(name: &str) -> Vec<u8> {
    fs::read(guest(name)).unwrap()
}

#[tokio::test]
async fn a_module_serves_as_soon_as_the_answer_says_so() {
    let server = Site::new().start().await;
    let reply = deploy(&server, "app", module("version1")).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let done = reply.json();
    assert_eq!(done["isRunning"], true, "{done}");
    assert_eq!(done["generation"], 1, "{done}");
    assert_eq!(done["file"], "components/app.wasm", "{done}");
    assert!(done["exports"].to_string().contains("connection"), "{done}");
    assert_eq!(server.get("/app/").await.text(), "v1");

    let done = deploy(&server, "app", module("version2")).await.json();
    assert_eq!(
        (&done["outcome"], &done["generation"]),
        (&"swapped".into(), &2.into())
    );
    assert_eq!(server.get("/app/").await.text(), "v2");
    assert_eq!(
        fs::read(server.site.at("components/app.wasm")).unwrap(),
        module("version2")
    );
    assert!(!server.site.at(".tessera/incoming/module.wasm").exists());
    // The watcher does not load it a second time.
    let versions = server
        .admin
        .document("/api/v1/servers/app/generations")
        .await;
    assert_eq!(versions.as_array().unwrap().len(), 2, "{versions}");
}

#[tokio::test]
async fn a_component_in_a_folder_stays_there_and_keeps_its_settings() {
    let server = Site::new()
        .guest_as_with("version1", "app", "[mount]\npath = \"/here\"\n")
        .start()
        .await;
    let done = deploy(&server, "app", module("version2")).await.json();
    assert_eq!(done["file"], "components/app/app.wasm", "{done}");
    assert_eq!(server.get("/here/").await.text(), "v2");
    assert!(!server.site.at("components/app.wasm").exists());
}

#[tokio::test]
async fn what_is_no_good_changes_nothing() {
    let server = Site::new()
        .guest_as_with("version1", "app", "[reload]\nprobe = \"/panic\"\n")
        .start()
        .await;
    let mut cut = module("version2");
    cut.truncate(cut.len() / 2);
    for (what, module, reason) in [
        ("text", b"hello".to_vec(), "not a WebAssembly component"),
        ("nothing", Vec::new(), "empty"),
        ("half of one", cut, "app.wasm"),
        ("one that fails its probe", module("trap"), "probe"),
    ] {
        let path = "/api/v1/components/app?accept=true";
        let request = request(path, Some("application/wasm"), module);
        let reply = server.admin.request(request).await;
        assert_eq!(reply.status, 422, "{what}: {reply:?}");
        let problem = reply.json();
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(reason), "{what}: {detail}");
        assert!(!detail.contains("incoming"), "{what}: {detail}");
        assert_eq!(problem["errors"][0]["reason"], detail);
    }
    assert_eq!(server.get("/app/").await.text(), "v1");
    let kept = fs::read(server.site.at("components/app/app.wasm")).unwrap();
    assert_eq!(kept, module("version1"));
    assert!(!server.site.at(".tessera/incoming/module.wasm").exists());
    let app = server.properties("app").await;
    assert_eq!(app["generation"], 1, "{app}");
    assert!(app["error"].is_null(), "{app}");
    // A name that leads nowhere has left no trace either.
    assert_eq!(deploy(&server, "fresh", "hello").await.status, 422);
    assert_eq!(server.admin.get("/api/v1/servers/fresh").await.status, 404);
}

#[tokio::test]
async fn new_imports_want_to_be_accepted() {
    let server = Site::new().guest_as("version1", "app").start().await;
    let reply = deploy(&server, "app", module("session")).await;
    assert_eq!(reply.status, 409, "{reply:?}");
    let problem = reply.json();
    let new = problem["newImports"].to_string();
    assert!(new.contains("tessera:web/session"), "{problem}");
    assert_eq!(server.get("/app/").await.text(), "v1");
    let accepted = request(
        "/api/v1/components/app?accept=true",
        Some("application/wasm"),
        module("session"),
    );
    let done = server.admin.request(accepted).await.json();
    assert_eq!(
        (&done["isRunning"], &done["generation"]),
        (&true.into(), &2.into()),
        "{done}"
    );
}

#[tokio::test]
async fn names_and_types_are_held_to() {
    let server = Site::new().start().await;
    for name in [
        "..%2Fevil",
        ".hidden",
        "a%20b",
        "a%00",
        "%2Fetc%2Fx",
        "-f",
        "site",
    ] {
        let reply = deploy(&server, name, module("version1")).await;
        assert_eq!(reply.status, 422, "{name}: {reply:?}");
    }
    for kind in [None, Some("application/octet-stream"), Some("text/plain")] {
        let request = request("/api/v1/components/app", kind, module("version1"));
        let reply = server.admin.request(request).await;
        assert_eq!(reply.status, 415, "{reply:?}");
    }
    let request = request("/api/v1/components/app", Some("application/wasm"), "x");
    assert_eq!(server.admin.without_key(request).await.status, 401);
    assert_eq!(server.admin.get("/api/v1/components/app").await.status, 405);
    assert!(!server.site.at("components/app.wasm").exists());
}

#[tokio::test]
async fn a_stopped_component_takes_the_module_and_stays_stopped() {
    let server = Site::new().guest_as("version1", "app").start().await;
    server.admin.stop("app").await;
    let done = deploy(&server, "app", module("version2")).await.json();
    assert_eq!(done["isRunning"], false, "{done}");
    assert!(done["generation"].is_null(), "{done}");
    server.admin.start("app", &serde_json::json!({})).await;
    assert_eq!(server.get("/app/").await.text(), "v2");
}

#[tokio::test]
async fn the_command_line_deploys_too() {
    let server = Site::new().start().await;
    let file = guest("version1").display().to_string();
    let exit = server.cli(&["deploy", &file, "--name", "app"]).await;
    assert_eq!(exit.code, Some(0), "{exit:?}");
    assert!(
        exit.stdout.contains("app serves as generation 1"),
        "{exit:?}"
    );
    assert_eq!(server.get("/app/").await.text(), "v1");
    let file = guest("session").display().to_string();
    let exit = server.cli(&["deploy", &file, "--name", "app"]).await;
    assert_eq!(exit.code, Some(1), "{exit:?}");
    assert!(exit.stderr.contains("tessera:web/session"), "{exit:?}");
    let exit = server
        .cli(&["deploy", &file, "--name", "app", "--accept"])
        .await;
    assert_eq!(exit.code, Some(0), "{exit:?}");
}
