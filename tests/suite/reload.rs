//! Components that appear, change, break and vanish while the server runs.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytes::Bytes;
use http::Request;
use serde_json::json;
use tessera_tests::{Client, RawClient, Server, Site, drop_in_slowly, guest};

const MODULE: &str = "components/version.wasm";
const REPLACEMENTS: usize = 20;

async fn running_v1() -> Server {
    let server = Site::new().guest_as("version1", "version").start().await;
    assert_eq!(server.get("/version/").await.text(), "v1");
    server
}

#[tokio::test]
async fn a_half_written_module_is_never_loaded() {
    let server = running_v1().await;
    let content = fs::read(guest("version2")).unwrap();
    let path = server.site.at(MODULE);
    drop_in_slowly(&content, &path, async || {
        // The watcher has had its chance when it has taken up what came later.
        server.site.put_guest("silent", "later");
        server.wait_for_status("/later/", 200).await;
        assert_eq!(server.get("/version/").await.text(), "v1");
        let version = server.properties("version").await;
        assert_eq!(version["error"], json!(null));
        assert_eq!(version["generation"], json!(1));
    })
    .await;
    server.wait_for_text("/version/", "v2").await;
    let version = server.properties("version").await;
    assert_eq!(version["generation"], json!(2));
    assert!(!server.log().contains("not loaded"), "{server:?}");
}

#[tokio::test]
async fn a_broken_module_leaves_the_old_one_serving() {
    let server = running_v1().await;
    let whole = fs::read(guest("version2")).unwrap();
    let broken: [(&[u8], &str); 4] = [
        (b"", "empty"),
        (b"this is no module", "not a WebAssembly component"),
        (&whole[..whole.len() / 2], "version.wasm"),
        (b"\0asm\x01\0\0\0", "not a WebAssembly component"),
    ];
    for (content, expected) in broken {
        server.site.write(MODULE, content);
        server
            .wait_until("the error is shown", async || {
                let error = server.properties("version").await["error"].clone();
                error
                    .as_str()
                    .is_some_and(|error| error.contains(expected))
                    .then_some(())
            })
            .await;
        server
            .wait_for_log(&["ERROR", "not loaded", "version"])
            .await;
        assert_eq!(server.get("/version/").await.text(), "v1", "{expected}");
        let version = server.properties("version").await;
        assert_eq!(version["isRunning"], json!(true), "{version}");
    }
    server.site.put_guest("version2", "version");
    server.wait_for_text("/version/", "v2").await;
    assert_eq!(server.properties("version").await["error"], json!(null));
}

#[tokio::test]
async fn bad_settings_leave_the_old_ones_in_use() {
    let server = Site::new()
        .guest_with("echo", "[mount]\npath = \"/good\"\n")
        .start()
        .await;
    assert_eq!(server.get("/good/").await.status, 200);
    let settings = "components/echo/settings.toml";
    server.site.write(
        settings,
        "[mount]\npath = \"/better\"\n[limits]\nmemory = \"none\"\n",
    );
    server
        .wait_for_log(&["not loaded", "settings.toml:4", "limits.memory"])
        .await;
    assert_eq!(server.get("/good/").await.status, 200);
    assert_eq!(server.get("/better/").await.status, 404);
    let error = server.properties("echo").await["error"].clone();
    assert!(error.as_str().unwrap().contains("limits.memory"), "{error}");

    server.site.write(settings, "[mount]\npath = \"/better\"\n");
    server.wait_for_status("/better/", 200).await;
    assert_eq!(server.get("/good/").await.status, 404);
    assert_eq!(server.properties("echo").await["error"], json!(null));
}

#[tokio::test]
async fn twenty_replacements_at_full_speed_fail_no_request() {
    let server = running_v1().await;
    let stop = Arc::new(AtomicBool::new(false));
    let seen = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    let mut asking = tokio::task::JoinSet::new();
    for number in 0..4 {
        let (stop, seen, address) = (stop.clone(), seen.clone(), server.address);
        asking.spawn(async move {
            let http2 = number == 3;
            let mut client = if http2 {
                Client::http2(address).await.unwrap()
            } else {
                Client::http1(address).await.unwrap()
            };
            while !stop.load(Ordering::Relaxed) {
                let request = Request::get("/version/x").body(Bytes::new()).unwrap();
                // No connection is closed for a reload either.
                let reply = client.send(request).await.unwrap();
                assert_eq!(reply.status, 200, "{reply:?}");
                let version = match reply.text() {
                    "v1" => 0,
                    "v2" => 1,
                    other => panic!("{other}"),
                };
                seen[version].fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    for number in 0..REPLACEMENTS {
        let next = number % 2;
        let (name, other) = [("version2", 1), ("version1", 0)][next];
        let before = seen[other].load(Ordering::Relaxed);
        server.site.put_guest(name, "version");
        // Not the requests alone: one of the round before last may still have been on its way.
        let generation = number as u64 + 2;
        server
            .wait_until("requests see the new version", async || {
                let is_there = server.properties("version").await["generation"] == generation;
                (is_there && seen[other].load(Ordering::Relaxed) > before).then_some(())
            })
            .await;
    }
    stop.store(true, Ordering::Relaxed);
    // A request that failed has ended its task by a panic.
    asking.join_all().await;
    let counts = seen.each_ref().map(|count| count.load(Ordering::Relaxed));
    assert!(
        counts[0] > REPLACEMENTS && counts[1] > REPLACEMENTS,
        "{counts:?}"
    );
    let version = server.properties("version").await;
    let generation = version["generation"].as_u64().unwrap();
    assert!(generation > REPLACEMENTS as u64, "{generation}");
}

#[tokio::test]
async fn a_component_appears_vanishes_and_comes_back() {
    let server = Site::new().guest("silent").start().await;
    assert_eq!(server.get("/version/").await.status, 404);
    server.site.put_guest("version1", "version");
    server.wait_for_text("/version/", "v1").await;

    server.site.remove(MODULE);
    server.wait_for_status("/version/", 404).await;
    // Still listed, and why it does not run.
    let version = server.properties("version").await;
    assert_eq!(version["isRunning"], json!(false), "{version}");
    assert!(
        version["error"].as_str().unwrap().contains("removed"),
        "{version}"
    );
    assert_eq!(version["maxConcurrentProcesses"], json!(100), "{version}");

    server.site.put_guest("version2", "version");
    server.wait_for_text("/version/", "v2").await;
    let version = server.properties("version").await;
    assert_eq!(version["isRunning"], json!(true), "{version}");
    assert_eq!(version["error"], json!(null), "{version}");
    // Nothing of that concerned the other one.
    assert_eq!(server.properties("silent").await["generation"], json!(1));
}

#[tokio::test]
async fn a_site_may_begin_without_components() {
    let server = Site::new().start().await;
    assert!(!server.site.at("components").exists());
    server.site.put_guest("version1", "version");
    server.wait_for_text("/version/", "v1").await;
}

#[tokio::test]
async fn a_folder_may_come_with_module_and_settings() {
    let server = Site::new().guest("silent").start().await;
    let module = fs::read(guest("version1")).unwrap();
    server.site.write(
        "components/shop/settings.toml",
        "[mount]\npath = \"/store\"\n",
    );
    server.site.write("components/shop/shop.wasm", module);
    server.wait_for_text("/store/", "v1").await;
    assert_eq!(server.get("/shop/").await.status, 404);
    fs::remove_dir_all(server.site.at("components/shop")).unwrap();
    server.wait_for_status("/store/", 404).await;
}

#[tokio::test]
async fn a_module_may_become_a_folder_and_a_module_again() {
    let server = running_v1().await;
    let folder = "components/version";
    server
        .site
        .write(&format!("{folder}/WebFolder/a.txt"), "a file");
    let module = fs::read(guest("version2")).unwrap();
    server.site.write(&format!("{folder}/version.wasm"), module);
    server.wait_for_text("/version/", "v2").await;
    server
        .wait_for_log(&["WARN", "version.wasm", "ignored"])
        .await;
    assert_eq!(server.get("/version/a.txt").await.text(), "a file");
    // With the folder gone the module beside it counts again.
    fs::remove_dir_all(server.site.at(folder)).unwrap();
    server.wait_for_text("/version/", "v1").await;
}

#[tokio::test]
async fn a_module_may_be_a_link() {
    let server = Site::new().guest("silent").start().await;
    let link = server.site.at(MODULE);
    std::os::unix::fs::symlink(guest("version1"), &link).unwrap();
    server.wait_for_text("/version/", "v1").await;
    let beside = server.site.at("components/.next");
    std::os::unix::fs::symlink(guest("version2"), &beside).unwrap();
    fs::rename(&beside, &link).unwrap();
    server.wait_for_text("/version/", "v2").await;
    assert!(!server.log().contains("not loaded"), "{server:?}");
}

#[tokio::test]
async fn a_name_that_is_no_url_is_an_error_of_that_component() {
    let server = Site::new().guest("version1").start().await;
    server.site.put_guest("version2", "my shop");
    let log = server.wait_for_log(&["not loaded", "my shop"]).await;
    assert!(log.contains("[mount] path"), "{log}");
    assert_eq!(server.get("/version1/").await.text(), "v1");
    // A mount gives it a place.
    server.site.remove("components/my shop.wasm");
    let module = fs::read(guest("version2")).unwrap();
    server.site.write(
        "components/my shop/settings.toml",
        "[mount]\npath = \"/shop\"\n",
    );
    server.site.write("components/my shop/my shop.wasm", module);
    server.wait_for_text("/shop/", "v2").await;
    let shop = server.admin.document("/api/v1/servers/my%20shop").await;
    assert_eq!(shop["name"], "my shop");
}

#[tokio::test]
async fn many_reloads_at_once_do_not_get_in_each_others_way() {
    let server = running_v1().await;
    for number in 1..=5 {
        let guest = ["version1", "version2"][number % 2];
        server.site.put_guest(guest, "version");
        let mut reloads = tokio::task::JoinSet::new();
        for _ in 0..10 {
            let admin = server.admin.clone();
            reloads.spawn(async move { admin.post("/api/v1/reload").await.json() });
        }
        for outcomes in reloads.join_all().await {
            for outcome in outcomes.as_array().unwrap() {
                assert_eq!(outcome["error"], json!(null), "{outcome}");
            }
        }
        assert_eq!(
            server.get("/version/").await.text(),
            ["v1", "v2"][number % 2]
        );
    }
}

#[tokio::test]
async fn a_port_of_its_own_follows_the_component() {
    let server = Site::new()
        .guest_as_with("version1", "version", "HTTPPort = 8099\n")
        .start()
        .await;
    let own = server.address_of("version").await;
    let ask = async || {
        let request = Request::get("/").header("host", "a").body(Bytes::new());
        let mut client = Client::http1(own).await.ok()?;
        client.send(request.unwrap()).await.ok()
    };
    assert_eq!(ask().await.unwrap().text(), "v1");
    // The listener stays open through a reload of the module.
    let module = fs::read(guest("version2")).unwrap();
    server.site.write("components/version/version.wasm", module);
    server
        .wait_until("the new version answers at the same port", async || {
            (ask().await.expect("the port is open").text() == "v2").then_some(())
        })
        .await;
    server.site.remove("components/version/version.wasm");
    server
        .wait_until("the port is closed", async || {
            ask().await.is_none().then_some(())
        })
        .await;
}

#[tokio::test]
async fn requests_in_flight_finish_on_what_they_began_with() {
    let server = Site::new().guest_as("echo", "version").start().await;
    let mut waiting = RawClient::connect(server.address).await;
    let head = "POST /version/x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";
    waiting.send(head).await;
    server.wait_for_processes("version", 1).await;
    server.site.put_guest("version2", "version");
    server.wait_for_text("/version/", "v2").await;
    // The handler of the old version has waited for the body.
    waiting.send("abc").await;
    let answer = waiting.read_until("\"version\":").await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.contains("\"bodyLength\":3"), "{answer}");
    server.wait_for_processes("version", 0).await;
}

#[tokio::test]
async fn a_reload_on_demand_says_what_it_did() {
    let server = Site::new()
        .guest_as("version1", "version")
        .guest("silent")
        .start()
        .await;
    let all = server.admin.post("/api/v1/reload").await;
    assert_eq!(all.status, 200);
    assert_eq!(
        all.json(),
        json!([
            {"name": "site", "outcome": "unchanged", "error": null},
            {"name": "silent", "outcome": "unchanged", "error": null},
            {"name": "version", "outcome": "unchanged", "error": null},
        ])
    );
    // On demand it is done when it is said to be done; the watcher may have been quicker.
    server.site.put_guest("version2", "version");
    let one = server.admin.post("/api/v1/servers/version/reload").await;
    let outcome = one.json()[0]["outcome"].clone();
    assert!(outcome == "swapped" || outcome == "unchanged", "{one:?}");
    assert_eq!(server.get("/version/").await.text(), "v2");

    server.site.write(MODULE, "broken");
    let one = server.admin.post("/api/v1/servers/version/reload").await;
    assert_eq!(one.status, 200);
    let error = server.properties("version").await["error"].clone();
    assert!(
        error
            .as_str()
            .unwrap()
            .contains("not a WebAssembly component"),
        "{error}"
    );
    assert_eq!(server.get("/version/").await.text(), "v2");
    let unknown = server.admin.post("/api/v1/servers/nobody/reload").await;
    assert_eq!(unknown.status, 404);
}

#[tokio::test]
async fn the_hosts_settings_are_read_again_on_demand() {
    let server = Site::new()
        .page("a.txt", "first")
        .file("other/a.txt", "second")
        .start()
        .await;
    assert_eq!(server.get("/a.txt").await.text(), "first");
    let reload = async || server.admin.post("/api/v1/reload").await.json()[0].clone();

    server.site.write(
        "tessera.toml",
        "rootFolder = \"other\"\nmaxRequestSize = 1\n",
    );
    let outcome = reload().await;
    assert_eq!(outcome["outcome"], "failed");
    let error = outcome["error"].as_str().unwrap();
    assert!(
        error.contains("tessera.toml:2") && error.contains("maxRequestSize"),
        "{error}"
    );
    assert_eq!(server.get("/a.txt").await.text(), "first");

    server.site.write(
        "tessera.toml",
        "rootFolder = \"other\"\n[server]\nmax_connections = 7\n",
    );
    assert_eq!(reload().await["outcome"], "swapped");
    assert_eq!(server.get("/a.txt").await.text(), "second");
    server
        .wait_for_log(&[
            "server.max_connections",
            "when the process is started again",
        ])
        .await;
}
