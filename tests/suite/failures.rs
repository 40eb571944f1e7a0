//! Components that fail: each visitor gets a status and nothing internal, the log gets everything.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use bytes::Bytes;
use http::Request;
use serde_json::Value;
use tessera_tests::{Reply, Site};

/// What no visitor may read.
fn assert_says_nothing_internal(reply: &Reply, path: &str) {
    let text = reply.text();
    for internal in [
        "purpose",
        "wasm",
        "backtrace",
        "src/",
        ".rs",
        "components/",
        "<pre>",
    ] {
        assert!(!text.contains(internal), "{path}: {text}");
    }
}

#[tokio::test]
async fn every_failure_is_a_500_and_a_line_in_the_log() {
    let server = Site::new().guest("trap").start().await;
    for (path, logged) in [
        ("/trap/error", "the guest failed on purpose"),
        ("/trap/panic", "the guest panicked on purpose"),
        ("/trap/unreachable", "unreachable"),
        ("/trap/exit", "exit"),
        ("/trap/4DACTION/fail", "the method failed on purpose"),
        ("/trap/4DACTION/burst", "the method panicked on purpose"),
    ] {
        let reply = server.get(path).await;
        assert_eq!(reply.status, 500, "{path}");
        assert_says_nothing_internal(&reply, path);
        server.wait_for_log(&[logged]).await;
        // Whatever it did to itself, the next request is served.
        assert_eq!(
            server.get("/trap/fine").await.text(),
            "still here",
            "{path}"
        );
    }
    let trap = server.properties("trap").await;
    assert!(trap["instances"]["trapped"].as_u64() >= Some(3), "{trap}");
    server.wait_for_processes("trap", 0).await;
}

#[tokio::test]
async fn a_stack_without_end_is_a_500() {
    let server = Site::new().guest("trap").start().await;
    let reply = server.get("/trap/overflow").await;
    assert_eq!(reply.status, 500);
    server.wait_for_log(&["trapped in On Web Connection"]).await;
    assert_eq!(server.get("/trap/fine").await.text(), "still here");
}

#[tokio::test]
async fn the_log_has_the_request_and_the_backtrace() {
    let server = Site::new()
        .settings("[log]\nformat = \"json\"\n")
        .guest("trap")
        .start()
        .await;
    assert_eq!(server.get("/trap/panic").await.status, 500);
    let log = server
        .wait_for_log(&["ERROR", "trapped in On Web Connection"])
        .await;
    let line = |part: &str| -> Value {
        let line = log.lines().find(|line| line.contains(part)).unwrap();
        serde_json::from_str(line).unwrap()
    };
    let trap = &line("trapped in On Web Connection")["fields"];
    assert_eq!(trap["server"], "trap", "{trap}");
    let message = trap["message"].as_str().unwrap();
    assert!(message.contains("wasm backtrace"), "{message}");
    assert!(message.contains("unreachable"), "{message}");
    // The message that the guest printed and the failure are about the same request.
    let request = trap["request"].as_str().unwrap();
    assert!(u64::from_str_radix(request, 16).unwrap() > 0);
    assert_eq!(line("panicked on purpose")["fields"]["request"], request);
    // What it was, and what it had taken.
    assert_eq!(trap["method"], "GET", "{trap}");
    assert!(trap["memory"].as_u64() >= Some(64 << 10), "{trap}");
    assert!(trap["milliseconds"].as_f64() > Some(0.0), "{trap}");
    assert!(message.contains("KiB of memory at most"), "{message}");
}

#[tokio::test]
async fn the_last_failures_are_told_with_all_that_is_known() {
    let server = Site::new()
        .guest_with("trap", "[limits]\ndeadline = \"1 min\"\n")
        .start()
        .await;
    let errors = async || server.admin.document("/api/v1/servers/trap/errors").await;
    assert_eq!(errors().await, serde_json::json!([]));
    assert_eq!(server.get("/trap/fine").await.status, 200);
    let form = server.post_form("/trap/overflow?deep=1", "a=b").await;
    assert_eq!(form.status, 500);
    assert_eq!(server.get("/trap/error").await.status, 500);
    let all = errors().await;
    assert_eq!(all.as_array().unwrap().len(), 2, "{all}");
    let (newest, trap) = (&all[0], &all[1]);
    assert_eq!(newest["kind"], "error", "{newest}");
    assert_eq!(newest["memory"], Value::Null, "{newest}");
    assert_eq!(trap["kind"], "trap", "{trap}");
    assert_eq!(trap["method"], "POST", "{trap}");
    assert_eq!(trap["url"], "/trap/overflow?deep=1", "{trap}");
    assert_eq!(trap["generation"], 1, "{trap}");
    assert!(trap["memory"].as_u64() >= Some(64 << 10), "{trap}");
    assert!(trap["time"].as_f64() >= Some(0.0), "{trap}");
    // Names are kept: the function that never returned is called by its own.
    let message = trap["message"].as_str().unwrap();
    assert!(message.contains("trap::deeper"), "{message}");
    // The same request as in the log.
    let request = trap["request"].as_str().unwrap();
    server
        .wait_for_log(&["ERROR", request, "POST", "trapped in On Web Connection"])
        .await;
    let shown = server.cli(&["show", "trap"]).await;
    assert!(
        shown.stdout.contains("POST /trap/overflow?deep=1"),
        "{shown:?}"
    );

    for _ in 0..60 {
        server.get("/trap/error").await;
    }
    assert_eq!(errors().await.as_array().unwrap().len(), 50, "bounded");
    let host = server.admin.document("/api/v1/servers/site/errors").await;
    assert_eq!(host, serde_json::json!([]));
}

#[tokio::test]
async fn development_mode_shows_what_failed() {
    let server = Site::new().guest("trap").argument("--watch").start().await;
    let reply = server.get("/trap/panic").await;
    assert_eq!(reply.status, 500);
    for part in [
        "trapped in On Web Connection",
        "wasm backtrace",
        "request ",
        "GET",
        "KiB of memory at most",
    ] {
        assert!(reply.text().contains(part), "{part}: {reply:?}");
    }
    let reply = server.get("/trap/error").await;
    assert!(reply.text().contains("the guest failed on purpose"));
}

#[tokio::test]
async fn the_last_core_dumps_are_kept_if_they_are_wanted() {
    let server = Site::new()
        .settings("[engine]\ncore_dumps = 2\n")
        .guest("trap")
        .guest("wasihttp3")
        .start()
        .await;
    let folder = server.site.at(".tessera/dumps");
    let dumps = || -> Vec<PathBuf> {
        let entries = std::fs::read_dir(&folder).into_iter().flatten();
        let paths = entries.map(|entry| entry.unwrap().path());
        let mut dumps: Vec<_> = paths
            .filter(|path| path.extension().is_some_and(|it| it == "core"))
            .collect();
        dumps.sort_unstable();
        dumps
    };
    let mut last = PathBuf::new();
    for (path, name) in [
        ("/trap/panic", "-trap-"),
        ("/trap/unreachable", "-trap-"),
        ("/wasihttp3/trap", "-wasihttp3-"),
        ("/trap/panic", "-trap-"),
    ] {
        assert_eq!(server.get(path).await.status, 500, "{path}");
        let before = last.clone();
        last = server
            .wait_until("there is another core dump", async || {
                dumps().pop().filter(|newest| *newest > before)
            })
            .await;
        assert!(last.to_string_lossy().contains(name), "{last:?}");
        server
            .wait_for_log(&["core dump: ", &last.to_string_lossy()])
            .await;
    }
    assert_eq!(dumps().len(), 2);
    let mode = std::fs::metadata(&last).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let dump = std::fs::read(&last).unwrap();
    assert!(dump.starts_with(b"\0asm"));
    // The sections of the format, and what was in the guest's memory.
    for part in [
        "core",
        "coremodules",
        "coreinstances",
        "corestack",
        "the guest panicked on purpose",
    ] {
        let is_there = dump
            .windows(part.len())
            .any(|bytes| bytes == part.as_bytes());
        assert!(is_there, "{part} is not among {} bytes", dump.len());
    }
    let errors = server.admin.document("/api/v1/servers/trap/errors").await;
    let message = errors[0]["message"].as_str().unwrap();
    assert!(
        message.contains("wasm backtrace") && message.contains("core dump: "),
        "{message}"
    );
    // An error that a handler returns is no trap, and without the setting there are none.
    assert_eq!(server.get("/trap/error").await.status, 500);
    let plain = Site::new().guest("trap").start().await;
    assert_eq!(plain.get("/trap/panic").await.status, 500);
    plain.wait_for_log(&["trapped in On Web Connection"]).await;
    assert!(!plain.site.at(".tessera/dumps").exists());
    assert_eq!(dumps().pop(), Some(last));
}

#[tokio::test]
async fn a_failure_answers_head_and_post_as_well() {
    let server = Site::new().guest("trap").start().await;
    let head = Request::head("/trap/error").body(Bytes::new()).unwrap();
    let reply = server.send(head).await;
    assert_eq!((reply.status.as_u16(), reply.body.len()), (500, 0));
    let reply = server.post_form("/trap/error", "a=b").await;
    assert_eq!(reply.status, 500);
}

#[tokio::test]
async fn what_a_guest_prints_is_in_the_log_within_bounds() {
    let server = Site::new().guest("flood").start().await;
    let reply = server.get("/flood/log").await;
    assert_eq!(reply.status, 200);
    let log = server
        .wait_for_log(&["the rest of this web process is not logged"])
        .await;
    let lines = log.matches("nobody wants to read").count();
    assert!((1_000..10_000).contains(&lines), "{lines} lines");
}
