//! Settings: faults that keep a server from starting, and what it does without them.

use serde_json::json;
use tessera_tests::{Exit, Site};

async fn refused(site: Site) -> Exit {
    match site.try_start().await {
        Ok(server) => panic!("started: {server:?}"),
        Err(exit) => exit,
    }
}

#[tokio::test]
async fn every_fault_is_told_with_its_place_and_remedy() {
    let site = Site::new().settings(
        "HTTPPort = 99999\nhttpport = 1\n\n[server]\ndrain_timeout = true\nmax_conections = 3\n\
         [admin]\naddress = \"0.0.0.0:7080\"\n[nothing]\n",
    );
    let exit = refused(site).await;
    assert_eq!(exit.code, Some(2), "{exit:?}");
    assert_eq!(exit.stdout, "");
    for (line, parts) in [
        (1, &["HTTPPort = 99999", "65535"][..]),
        (2, &["httpport", "HTTPPort"]),
        (5, &["server.drain_timeout = true"]),
        (6, &["max_conections", "max_connections"]),
        (8, &["admin.address", "0.0.0.0:7080"]),
        (9, &["nothing"]),
    ] {
        let place = format!("tessera.toml:{line}:");
        let told = exit.stderr.lines().find(|told| told.contains(&place));
        let told = told.unwrap_or_else(|| panic!("{place} is not told: {exit:#?}"));
        for part in parts {
            assert!(told.contains(part), "{part}: {told}");
        }
    }
}

#[tokio::test]
async fn what_is_not_toml_is_told_with_its_line() {
    let site = Site::new().settings("HTTPPort = 80\nrootFolder = \"unclosed\n");
    let exit = refused(site).await;
    assert_eq!(exit.code, Some(2), "{exit:?}");
    assert!(exit.stderr.contains("tessera.toml:2"), "{exit:?}");
}

#[tokio::test]
async fn what_has_no_meaning_in_this_version_is_refused() {
    let exit = refused(Site::new().settings("quotas = []\n")).await;
    assert_eq!(exit.code, Some(2), "{exit:?}");
    assert!(exit.stderr.contains("quotas"), "{exit:?}");
}

#[tokio::test]
async fn the_command_line_stands_above_the_file() {
    let server = Site::new()
        .settings("maxConcurrentProcesses = 50\ndefaultHomepage = \"a.html\"\n")
        .page("b.html", "b")
        .argument("--set")
        .argument("defaultHomepage=b.html")
        .argument("--set")
        .argument("server.max_connections=99")
        .start()
        .await;
    assert_eq!(server.get("/").await.text(), "b");
    let host = server.properties("site").await;
    assert_eq!(host["maxConcurrentProcesses"], json!(50));
    assert_eq!(host["defaultHomepage"], "b.html");

    let site = Site::new().argument("--set").argument("HTTPPort=high");
    let exit = refused(site).await;
    assert_eq!(exit.code, Some(2), "{exit:?}");
    assert!(exit.stderr.contains("--set HTTPPort=high"), "{exit:?}");
}

#[tokio::test]
async fn a_component_with_bad_settings_does_not_keep_the_site_from_starting() {
    let server = Site::new()
        .page("a.txt", "text")
        .guest_with("echo", "\n[pool]\npolicy = \"sometimes\"\n")
        .guest("version1")
        .start()
        .await;
    assert_eq!(server.get("/a.txt").await.text(), "text");
    assert_eq!(server.get("/version1/").await.text(), "v1");
    assert_eq!(server.get("/echo/").await.status, 404);
    let echo = server.properties("echo").await;
    assert_eq!(echo["isRunning"], json!(false));
    let error = echo["error"].as_str().unwrap();
    for part in ["settings.toml:3", "pool.policy", "sometimes", "fresh"] {
        assert!(error.contains(part), "{part}: {error}");
    }
}

#[tokio::test]
async fn only_state_and_the_home_page_are_written_into_a_site() {
    let server = Site::new().guest("echo").start().await;
    assert_eq!(server.get("/echo/").await.status, 200);
    let (_, site) = server.stop().await;
    let names = |folder: &str| {
        let entries = std::fs::read_dir(site.at(folder)).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names("."), [".tessera", "WebFolder", "components"]);
    assert_eq!(names("WebFolder"), ["index.html"]);
    assert_eq!(names("components"), ["echo.wasm"]);
}

#[tokio::test]
async fn a_folder_without_a_module_says_nothing_about_the_module_beside_it() {
    let server = Site::new()
        .guest("echo")
        .file("components/echo/settings.toml", "maxRequestSize = 600000\n")
        .start()
        .await;
    let size = async || server.properties("echo").await["maxRequestSize"].clone();
    assert_eq!(size().await, json!(2_000_000));
    server.admin.set("echo", &json!({"HTTPTrace": true})).await;
    assert_eq!(size().await, json!(2_000_000));
    server.admin.stop("echo").await;
    assert_eq!(size().await, json!(2_000_000));
}

#[tokio::test]
async fn an_option_does_not_hide_that_the_module_is_wrong() {
    let server = Site::new().guest("echo").start().await;
    server.site.write("components/echo.wasm", "no module");
    server
        .wait_until("the module is refused", async || {
            let error = server.properties("echo").await["error"].clone();
            (!error.is_null()).then_some(())
        })
        .await;
    let echo = server.admin.set("echo", &json!({"HTTPTrace": true})).await;
    assert_eq!(echo["HTTPTrace"], json!(true), "{echo}");
    let error = echo["error"].as_str().unwrap();
    assert!(error.contains("echo.wasm"), "{error}");
    let reloaded = server.admin.post("/api/v1/servers/echo/reload").await;
    assert_eq!(reloaded.json()[0]["outcome"], "failed", "{reloaded:?}");
}
