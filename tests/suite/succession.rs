//! From one version of a component to the next: what is told of each, and what a new one must pass.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use tessera_tests::{Client, RawClient, Server, Site, guest};

const SETTINGS: &str = "components/app/settings.toml";
const MODULE: &str = "components/app/app.wasm";

async fn generations(server: &Server) -> Vec<Value> {
    let path = "/api/v1/servers/app/generations";
    let all = server.admin.document(path).await;
    all.as_array().unwrap().clone()
}

/// Puts a module in place of the one that runs, and waits until it was taken or refused.
async fn replace(server: &Server, name: &str) -> Value {
    let before = generations(server).await;
    let next = server.site.at("components/app/.next");
    fs::copy(guest(name), &next).unwrap();
    fs::rename(next, server.site.at(MODULE)).unwrap();
    server
        .wait_until("the new version was taken or refused", async || {
            let now = generations(server).await;
            let is_news = now.len() > before.len() || now[0] != before[0];
            // What is counted changes too.
            (is_news && now[0]["loadedAt"].is_string() && now.len() > before.len())
                .then(|| now[0].clone())
        })
        .await
}

async fn reload(server: &Server, query: &str) -> Value {
    let path = format!("/api/v1/servers/app/reload{query}");
    let reply = server.admin.post(&path).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()[0].clone()
}

#[tokio::test]
async fn each_version_is_told_with_what_it_is_and_what_it_did() {
    let settings = "[permissions]\ncontrol = [\"self\"]\n[environment]\nTOKEN = \"hunter2\"\n";
    let server = Site::new()
        .guest_as_with("version1", "app", settings)
        .start()
        .await;
    assert_eq!(server.get("/app/").await.text(), "v1");
    assert_eq!(server.get("/app/").await.text(), "v1");
    let all = generations(&server).await;
    assert_eq!(all.len(), 1);
    let first = &all[0];
    assert_eq!(
        (&first["number"], &first["state"], &first["error"]),
        (&json!(1), &json!("serving"), &Value::Null),
        "{first}"
    );
    let module = fs::read(guest("version1")).unwrap();
    assert_eq!(first["size"], module.len());
    assert_eq!(first["digest"].as_str().unwrap().len(), 64, "{first}");
    assert_eq!(
        (&first["requests"], &first["traps"], &first["fromCache"]),
        (&json!(2), &json!(0), &json!(false)),
        "{first}"
    );
    assert_eq!(first["exports"], json!(["tessera:web/connection@0.1.0"]));
    let imports = first["imports"].as_array().unwrap();
    assert!(
        imports.contains(&json!("tessera:web/response@0.1.0")),
        "{first}"
    );
    assert_eq!(
        first["permissions"]["granted"]["control"],
        json!(["self"]),
        "{first}"
    );
    assert_eq!(
        first["permissions"]["granted"]["environment"],
        json!(["TOKEN"]),
        "{first}"
    );
    assert_eq!(first["permissions"]["asked"], json!(["environment"]));
    assert!(first["loadTime"].as_f64().unwrap() > 0.0, "{first}");
    assert!(!first.to_string().contains("hunter2"), "{first}");

    let second = replace(&server, "version2").await;
    assert_eq!(
        (&second["number"], &second["state"]),
        (&json!(2), &json!("serving"))
    );
    assert_ne!(second["digest"], first["digest"]);
    let all = generations(&server).await;
    assert_eq!(all[1]["state"], "replaced", "{all:?}");
    // What it did is not forgotten with it.
    assert_eq!(all[1]["requests"], 2, "{all:?}");
}

#[tokio::test]
async fn versions_that_were_refused_or_stopped_are_told_too() {
    let server = Site::new()
        .guest_as_with("version1", "app", "")
        .start()
        .await;
    assert_eq!(replace(&server, "version2").await["number"], 2);
    server.site.write(MODULE, "no module");
    server.wait_for_log(&["ERROR", "not loaded"]).await;
    let refused = &generations(&server).await[0];
    assert_eq!(
        (&refused["number"], &refused["state"], &refused["imports"]),
        (&Value::Null, &json!("refused"), &Value::Null),
        "{refused}"
    );
    let error = refused["error"].as_str().unwrap();
    assert!(error.contains("not a WebAssembly component"), "{error}");
    assert_eq!(refused["size"], "no module".len());

    server.admin.stop("app").await;
    let states: Vec<_> = generations(&server).await;
    assert_eq!(states[1]["state"], "stopped", "{states:?}");

    let shown = server.cli(&["show", "app"]).await;
    for part in [
        "NUMBER",
        "replaced",
        "stopped",
        "not a WebAssembly component",
    ] {
        assert!(shown.stdout.contains(part), "{part}: {shown:?}");
    }
    let shown = server.cli(&["show", "app", "--json"]).await;
    let document: Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(document["generations"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_version_that_imports_more_waits_to_be_accepted() {
    let server = Site::new()
        .guest_as_with("version1", "app", "")
        .start()
        .await;
    let refused = replace(&server, "echo").await;
    assert_eq!(refused["state"], "refused", "{refused}");
    let error = refused["error"].as_str().unwrap();
    for part in [
        "tessera:web/request@0.1.0, tessera:web/web-server@0.1.0",
        "generation 1 goes on serving",
        "tessera reload --accept app",
        "accept_new_imports = true",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert_eq!(server.get("/app/").await.text(), "v1");
    assert_eq!(server.properties("app").await["error"], *error);
    // A reload alone is no consent, and neither is a setting about its instances.
    assert_eq!(reload(&server, "").await["outcome"], "failed");
    let path = "/api/v1/servers/app";
    let options = json!({"pool": {"max": 3}});
    assert_eq!(server.admin.patch(path, &options).await.status, 422);
    let bad = server
        .admin
        .post(&format!("{path}/reload?accept=yes"))
        .await;
    assert_eq!(bad.status, 400, "{bad:?}");
    assert_eq!(server.get("/app/").await.text(), "v1");

    let accepted = server.cli(&["reload", "--accept", "app"]).await;
    assert_eq!(accepted.code, Some(0), "{accepted:?}");
    assert!(server.get("/app/").await.text().contains("\"version\""));
    assert_eq!(server.properties("app").await["error"], Value::Null);
    // Less is never a question, and more need not be one.
    assert_eq!(replace(&server, "version2").await["state"], "serving");
    server
        .site
        .write(SETTINGS, "[reload]\naccept_new_imports = true\n");
    reload(&server, "").await;
    assert_eq!(replace(&server, "echo").await["state"], "serving");
}

#[tokio::test]
async fn a_version_that_fails_its_probe_does_not_take_over() {
    let server = Site::new()
        .guest_as_with("version1", "app", "[reload]\nprobe = \"/panic\"\n")
        .start()
        .await;
    // The probe is asked of each version; the first one answers anything.
    assert_eq!(server.get("/app/").await.text(), "v1");
    let refused = replace(&server, "trap").await;
    assert_eq!(refused["state"], "refused", "{refused}");
    let error = refused["error"].as_str().unwrap();
    assert!(
        error.contains("probe \"/panic\" failed: trapped"),
        "{error}"
    );
    assert_eq!(server.get("/app/").await.text(), "v1");

    for (probe, expected) in [
        ("/error", Some("failed: On Web Connection failed")),
        ("/4DACTION/nothing", Some("a method that there is not")),
        ("/4DACTION/burst", Some("failed: trapped in the method")),
        ("/fine?a=b", None),
    ] {
        let settings = format!("[reload]\nprobe = \"{probe}\"\n");
        server.site.write(SETTINGS, settings);
        // The watcher may have been quicker, and then nothing is left to be done.
        reload(&server, "").await;
        let error = server.properties("app").await["error"].clone();
        match expected {
            Some(expected) => {
                assert!(error.as_str().unwrap().contains(expected), "{error}");
                assert_eq!(server.get("/app/").await.text(), "v1");
            }
            None => assert_eq!(error, Value::Null),
        }
    }
    assert_eq!(server.get("/app/").await.text(), "still here");
}

/// A server whose second version is on trial.
async fn on_trial(rules: &str) -> Server {
    let settings = format!("[reload]\n{rules}\n");
    let server = Site::new()
        .guest_as_with("version1", "app", &settings)
        .start()
        .await;
    assert_eq!(server.get("/app/").await.text(), "v1");
    assert_eq!(replace(&server, "trap").await["state"], "serving");
    server
}

#[tokio::test]
async fn a_version_that_traps_on_trial_is_taken_back() {
    let server = on_trial("trial_requests = 5\nrollback_after_traps = 2").await;
    assert_eq!(generations(&server).await[1]["state"], "reserve");
    assert_eq!(server.get("/app/fine").await.text(), "still here");
    assert_eq!(server.get("/app/panic").await.status, 500);
    // An error that the handler returns is no trap.
    assert_eq!(server.get("/app/error").await.status, 500);
    assert_eq!(server.get("/app/fine").await.text(), "still here");
    assert_eq!(server.get("/app/unreachable").await.status, 500);
    server.wait_for_text("/app/", "v1").await;
    server
        .wait_for_log(&["ERROR", "generation 2 was taken back", "2 of its first 5"])
        .await;
    let app = server.properties("app").await;
    assert_eq!(app["generation"], 1, "{app}");
    let error = app["error"].as_str().unwrap();
    assert!(error.contains("generation 1 serves again"), "{error}");
    let all = generations(&server).await;
    assert_eq!(
        (&all[0]["state"], &all[1]["state"]),
        (&json!("rolled-back"), &json!("serving")),
        "{all:?}"
    );
    assert_eq!(all[0]["traps"], 2);
    // It does not come back by a setting about the instances.
    let options = json!({"pool": {"max": 3}});
    let reply = server.admin.patch("/api/v1/servers/app", &options).await;
    assert_eq!(reply.status, 422, "{reply:?}");
    assert_eq!(server.get("/app/").await.text(), "v1");
    // Instances are kept again.
    assert_eq!(server.properties("app").await["instances"]["idle"], 1);

    // Whoever asks gets it, on trial again; and it may be replaced.
    assert_eq!(reload(&server, "").await["outcome"], "swapped");
    assert_eq!(server.get("/app/fine").await.text(), "still here");
    assert_eq!(replace(&server, "version2").await["number"], 4);
    assert_eq!(server.get("/app/").await.text(), "v2");
}

#[tokio::test]
async fn what_replaces_a_version_on_trial_is_taken_back_to_the_proven_one() {
    let server = on_trial("trial_requests = 5\naccept_new_imports = true").await;
    assert_eq!(server.get("/app/fine").await.text(), "still here");
    assert_eq!(replace(&server, "hostile").await["state"], "serving");
    let all = generations(&server).await;
    assert_eq!(
        (&all[1]["state"], &all[2]["state"]),
        (&json!("replaced"), &json!("reserve")),
        "{all:?}"
    );
    assert_eq!(server.get("/app/trap/compiler").await.status, 500);
    server.wait_for_text("/app/", "v1").await;
    server
        .wait_for_log(&["generation 3 was taken back", "generation 1 serves again"])
        .await;
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_one_request_of_a_trial() {
    let rules = "trial_requests = 4\nrollback_after_traps = 2\naccept_new_imports = true";
    let settings = format!("[reload]\n{rules}\n");
    let server = Site::new()
        .guest_as_with("version1", "app", &settings)
        .start()
        .await;
    assert_eq!(replace(&server, "wasihttp").await["state"], "serving");
    let cut = "GET /app/trap-later HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let answer = RawClient::exchange(server.address, cut).await;
    assert!(answer.contains("a beginning"), "{answer}");
    server.wait_for_log(&["the answer was cut off"]).await;
    // Counted twice, two more would end the trial.
    for _ in 0..2 {
        assert_eq!(server.get("/app/").await.status, 200);
    }
    assert_eq!(server.get("/app/trap").await.status, 500);
    server.wait_for_text("/app/", "v1").await;
    server
        .wait_for_log(&["generation 2 was taken back", "2 of its first 4"])
        .await;
}

#[tokio::test]
async fn a_version_that_has_passed_its_trial_stays() {
    let server = on_trial("trial_requests = 2").await;
    for _ in 0..2 {
        assert_eq!(server.get("/app/fine").await.text(), "still here");
    }
    server.wait_for_log(&["passed its trial"]).await;
    server
        .wait_until("the one before is given up", async || {
            let all = generations(&server).await;
            (all[1]["state"] == "replaced").then_some(())
        })
        .await;
    assert_eq!(server.get("/app/panic").await.status, 500);
    assert_eq!(server.get("/app/fine").await.text(), "still here");
    assert_eq!(server.properties("app").await["generation"], 2);
}

#[tokio::test]
async fn without_a_trial_a_version_that_traps_stays() {
    let server = on_trial("rollback_after_traps = 1").await;
    assert_eq!(generations(&server).await[1]["state"], "replaced");
    for _ in 0..3 {
        assert_eq!(server.get("/app/panic").await.status, 500);
    }
    assert_eq!(server.get("/app/fine").await.text(), "still here");
}

#[tokio::test]
async fn reloads_under_load_leave_nothing_behind() {
    /// Until as many places for instances have been used as stay mapped.
    const WARM_UP: u64 = 70;
    const RELOADS: u64 = 40;
    /// Less than if each reload took a place that was never used before, or any generation stayed.
    const GROWTH_MAX: u64 = 5 << 20;

    let server = Site::new().guest_as("version1", "version").start().await;
    let stop = Arc::new(AtomicBool::new(false));
    let mut asking = tokio::task::JoinSet::new();
    // The admin server is asked all the while: what it tells of a moment is whole.
    let (stopped, admin) = (stop.clone(), server.admin.clone());
    asking.spawn(async move {
        while !stopped.load(Ordering::Relaxed) {
            let all = admin.document("/api/v1/servers/version/generations").await;
            let newest = &all[0];
            assert_eq!(newest["state"], "serving", "{newest}");
        }
    });
    for _ in 0..4 {
        let (stop, address) = (stop.clone(), server.address);
        asking.spawn(async move {
            let mut client = Client::http1(address).await.unwrap();
            while !stop.load(Ordering::Relaxed) {
                let request = Request::get("/version/x").body(Bytes::new()).unwrap();
                let reply = client.send(request).await.unwrap();
                assert!(["v1", "v2"].contains(&reply.text()), "{reply:?}");
            }
        });
    }
    let mut warm = 0;
    for number in 0..WARM_UP + RELOADS {
        if number == WARM_UP {
            warm = server.resident_bytes();
        }
        let (name, text) = [("version2", "v2"), ("version1", "v1")][number as usize % 2];
        server.site.put_guest(name, "version");
        // The watcher may be quicker; whoever comes second waits for the first and finds nothing to do.
        let reply = server.admin.post("/api/v1/servers/version/reload").await;
        let outcome = &reply.json()[0];
        assert_eq!(outcome["error"], json!(null), "{outcome}");
        assert_eq!(server.get("/version/").await.text(), text);
    }
    stop.store(true, Ordering::Relaxed);
    // A request that failed has ended its task by a panic.
    asking.join_all().await;
    server
        .wait_until("one generation is left", async || {
            let info = server.admin.document("/api/v1/info").await;
            (info["generations"] == 1).then_some(())
        })
        .await;
    let path = "/api/v1/servers/version/generations";
    let all = server.admin.document(path).await;
    let states = all.as_array().unwrap().iter().map(|it| &it["state"]);
    let states: Vec<_> = states.collect();
    assert_eq!(states[0], "serving", "{states:?}");
    assert_eq!(states.len(), 20, "the history is bounded");
    assert!(
        states[1..].iter().all(|state| *state == "replaced"),
        "{states:?}"
    );
    assert_eq!(all[0]["number"], WARM_UP + RELOADS + 1);
    let grown = server.resident_bytes().saturating_sub(warm);
    assert!(grown < GROWTH_MAX, "{RELOADS} reloads took {grown} bytes");
}
