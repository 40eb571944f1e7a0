//! The command line: what commands print, how they fail, and how `serve` ends.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use tessera_tests::{Client, Exit, RawClient, Server, Site, guest, run};
use tokio::task::JoinHandle;

/// One line on standard error that says what to do, nothing on standard output.
fn assert_failed(exit: &Exit, code: i32, parts: &[&str]) {
    assert_eq!(exit.code, Some(code), "{exit:#?}");
    assert_eq!(exit.stdout, "", "{exit:#?}");
    assert_eq!(exit.stderr.lines().count(), 1, "{exit:#?}");
    for part in parts {
        assert!(exit.stderr.contains(part), "{part}: {exit:#?}");
    }
}

fn assert_done(exit: &Exit) {
    assert_eq!(exit.code, Some(0), "{exit:#?}");
}

fn json_of(exit: &Exit) -> Value {
    serde_json::from_str(&exit.stdout).unwrap_or_else(|error| panic!("{error}: {exit:#?}"))
}

#[tokio::test]
async fn bad_usage_ends_with_2() {
    for arguments in [
        &["no-such-command"][..],
        &["serve", "--no-such-option"],
        &["serve", "/no/such/folder"],
        &["serve", "--set", "HTTPPort"],
        &["check", "/no/such/module.wasm"],
        &["new", "Not/A Name"],
        &["show"],
        &["start"],
        &["start", "hello", "HTTPPort"],
        &["stop"],
        &["set", "hello"],
    ] {
        let exit = run(Path::new("/"), arguments).await;
        assert_eq!(exit.code, Some(2), "{arguments:?}: {exit:#?}");
        assert_eq!(exit.stdout, "", "{arguments:?}");
        assert!(
            exit.stderr.starts_with("error: "),
            "{arguments:?}: {exit:#?}"
        );
    }
    for arguments in ["--help", "--version", "help"] {
        let exit = run(Path::new("/"), [arguments]).await;
        assert_done(&exit);
        assert!(exit.stdout.contains("essera"), "{exit:#?}");
    }
}

#[tokio::test]
async fn without_a_running_host_commands_say_what_to_do() {
    let site = Site::new();
    for arguments in [
        &["list"][..],
        &["show", "echo"],
        &["reload"],
        &["start", "echo", "HTTPPort=8080"],
        &["stop", "echo"],
        &["set", "echo", "--reset", "HTTPPort"],
        &["list", "--json"],
    ] {
        let exit = run(site.path(), arguments).await;
        assert_failed(&exit, 1, &["error: ", "tessera serve"]);
    }
    // Also after a crash, which leaves behind where the host was.
    let site = Site::new().start().await.kill().await;
    assert!(site.at(".tessera/admin.json").exists());
    assert_failed(&run(site.path(), ["list"]).await, 1, &["tessera serve"]);
}

#[tokio::test]
async fn list_shows_all_servers() {
    let server = Site::new()
        .guest("echo")
        .file("components/broken.wasm", "broken")
        .start()
        .await;
    let exit = server.cli(&["list"]).await;
    assert_done(&exit);
    let line = |name: &str| {
        let found = exit.stdout.lines().find(|line| line.starts_with(name));
        found
            .unwrap_or_else(|| panic!("{name}: {exit:#?}"))
            .to_owned()
    };
    let host = format!("http://{}/", server.address);
    assert!(line("site").contains(&host), "{exit:#?}");
    assert!(line("echo").contains(&format!("{host}echo/")), "{exit:#?}");
    assert!(line("broken").contains("stopped"), "{exit:#?}");
    assert!(exit.stdout.contains("broken.wasm"), "{exit:#?}");

    let exit = server.cli(&["list", "--json"]).await;
    assert_done(&exit);
    let listed = json_of(&exit);
    let told = server.admin.document("/api/v1/servers").await;
    assert_eq!(listed, told);
    // From elsewhere, by naming the site.
    let site = server.site.path().to_str().unwrap();
    let exit = run(Path::new("/"), ["list", site, "--json"]).await;
    assert_eq!(json_of(&exit), told);
}

#[tokio::test]
async fn the_one_host_that_runs_is_found_from_anywhere() {
    let one = Site::new().start().await;
    let elsewhere = Path::new("/");
    let exit = one.site.run(elsewhere, &["list", "--json"]).await;
    assert_done(&exit);
    assert_eq!(json_of(&exit), one.admin.document("/api/v1/servers").await);

    let two = Site::new().beside(&one.site).start().await;
    let exit = one.site.run(elsewhere, &["list"]).await;
    let sites = [&one, &two].map(|server| server.site.path().to_str().unwrap().to_owned());
    assert_failed(&exit, 2, &[&sites[0], &sites[1]]);
    // Where a site is, that one is meant.
    assert_done(&two.cli(&["list"]).await);
    let (_, two) = two.stop().await;
    assert_done(&two.run(elsewhere, &["list"]).await);
}

#[tokio::test]
async fn show_tells_every_property_of_one_server() {
    let server = Site::new().guest("echo").start().await;
    let exit = server.cli(&["show", "echo"]).await;
    assert_done(&exit);
    for property in ["isRunning", "HTTPPort", "rootFolder"] {
        assert!(exit.stdout.contains(property), "{property}: {exit:#?}");
    }
    let exit = server.cli(&["show", "echo", "--json"]).await;
    let mut shown = json_of(&exit);
    for list in ["generations", "errors"] {
        let path = format!("/api/v1/servers/echo/{list}");
        let list = shown.as_object_mut().unwrap().remove(list).unwrap();
        assert_eq!(list, server.admin.document(&path).await);
    }
    assert_eq!(shown, server.properties("echo").await);
    let exit = server.cli(&["show", "nobody"]).await;
    assert_failed(&exit, 1, &["nobody"]);
}

#[tokio::test]
async fn reload_says_what_it_did() {
    let server = Site::new().guest_as("version1", "version").start().await;
    let exit = server.cli(&["reload"]).await;
    assert_done(&exit);
    assert!(exit.stdout.contains("version"), "{exit:#?}");
    assert!(exit.stdout.contains("unchanged"), "{exit:#?}");

    server.site.put_guest("version2", "version");
    assert_done(&server.cli(&["reload", "version"]).await);
    assert_eq!(server.get("/version/").await.text(), "v2");

    // Settings of the host are read on demand only, so nobody else is quicker here.
    server.site.write("tessera.toml", "maxRequestSize = 1\n");
    let exit = server.cli(&["reload"]).await;
    assert_eq!(exit.code, Some(1), "{exit:#?}");
    assert!(exit.stdout.contains("tessera.toml:1"), "{exit:#?}");
    assert_eq!(exit.stderr.lines().count(), 1, "{exit:#?}");
    let exit = server.cli(&["reload", "--json"]).await;
    assert_eq!(exit.code, Some(1), "{exit:#?}");
    assert_eq!(json_of(&exit)[0]["outcome"], "failed");
    assert_failed(&server.cli(&["reload", "nobody"]).await, 1, &["nobody"]);
}

#[tokio::test]
async fn servers_are_started_stopped_and_set() {
    let server = Site::new()
        .guest_as_with("version1", "own", "HTTPPort = 8099\n")
        .start()
        .await;
    let exit = server.cli(&["start", "own"]).await;
    assert_failed(&exit, 1, &["error: 1001: "]);
    let exit = server.cli(&["stop", "own"]).await;
    assert_done(&exit);
    assert_eq!(exit.stdout, "own has stopped\n");
    let exit = server.cli(&["list"]).await;
    let line = exit.stdout.lines().find(|line| line.starts_with("own"));
    assert!(line.unwrap().contains("stopped"), "{exit:#?}");
    let exit = server.cli(&["stop", "own", "--json"]).await;
    assert_eq!(
        json_of(&exit),
        json!({"success": true, "wasRunning": false})
    );

    let wrong = ["start", "own", "HTTPPort=99999", "name=x"];
    let exit = server.cli(&wrong).await;
    assert_eq!((exit.code, &*exit.stdout), (Some(2), ""), "{exit:#?}");
    for part in ["error: 1103: ", "error: 1101: "] {
        assert!(exit.stderr.contains(part), "{part}: {exit:#?}");
    }
    let exit = server.cli(&[&wrong[..], &["--json"]].concat()).await;
    assert_eq!(exit.code, Some(2), "{exit:#?}");
    assert_eq!(json_of(&exit)["success"], json!(false));

    let exit = server
        .cli(&["start", "own", "pool.max=3", "defaultHomepage=2024"])
        .await;
    assert_done(&exit);
    let url = format!("http://{}/", server.address_of("own").await);
    assert_eq!(exit.stdout, format!("own is running: {url}\n"));
    let own = server.properties("own").await;
    assert_eq!(own["defaultHomepage"], "2024", "{own}");

    let exit = server
        .cli(&["set", "own", "maxRequestSize=700000", "HTTPPort=8098"])
        .await;
    assert_done(&exit);
    for line in [
        "maxRequestSize: in use now\n",
        "HTTPPort: holds from the next start of own\n",
    ] {
        assert!(exit.stdout.contains(line), "{line}: {exit:#?}");
    }
    let exit = server
        .cli(&["set", "own", "--reset", "maxRequestSize", "--json"])
        .await;
    assert_done(&exit);
    assert_eq!(json_of(&exit)["changed"]["live"], json!(["maxRequestSize"]));
    let exit = server.cli(&["set", "own", "maxRequestSize=1"]).await;
    assert_failed(&exit, 2, &["error: maxRequestSize", "500000"]);
    for command in [&["start", "nobody"][..], &["stop", "nobody"]] {
        assert_failed(&server.cli(command).await, 1, &["nobody"]);
    }
}

#[tokio::test]
async fn dev_tls_makes_a_certificate_once() {
    let server = Site::new()
        .guest("echo")
        .argument("--dev-tls")
        .start()
        .await;
    let certificate = server.site.at("cert.pem");
    let shown = certificate.to_str().unwrap();
    server.wait_for_log(&["made a certificate", shown]).await;
    let mode = |path: &str| {
        let metadata = std::fs::metadata(server.site.at(path)).unwrap();
        metadata.permissions().mode() & 0o777
    };
    assert_eq!(mode("key.pem"), 0o600);
    let pem = server.site.read("cert.pem");
    let is_https = |url: &Value| url.as_str().unwrap().starts_with("https://127.0.0.1:");
    for name in ["site", "echo"] {
        let urls = server.properties(name).await["urls"].clone();
        assert!(urls.as_array().unwrap().iter().any(is_https), "{urls}");
    }
    let exit = server.cli(&["list"]).await;
    assert!(exit.stdout.contains("https://127.0.0.1:"), "{exit:#?}");
    let (_, site) = server.stop().await;
    let server = site.start().await;
    server.wait_for_log(&["the certificate is", shown]).await;
    assert_eq!(server.site.read("cert.pem"), pem);
    // Off by hand is off.
    let exit = run(
        Path::new("/"),
        [
            "serve",
            server.site.path().to_str().unwrap(),
            "--dev-tls",
            "--set",
            "HTTPSEnabled=false",
        ],
    )
    .await;
    assert_failed(&exit, 2, &["--dev-tls", "HTTPSEnabled"]);
}

#[tokio::test]
async fn check_looks_without_starting() {
    let module = guest("echo");
    let module = module.to_str().unwrap();
    let exit = run(Path::new("/"), ["check", module]).await;
    assert_done(&exit);
    for part in [
        "On Web Connection",
        "tessera:web/connection",
        "hidden (not through URLs)",
    ] {
        assert!(exit.stdout.contains(part), "{part}: {exit:#?}");
    }
    let exit = run(Path::new("/"), ["check", module, "--json"]).await;
    assert_done(&exit);
    let report = json_of(&exit);
    assert_eq!(report["ok"], json!(true));
    let methods = report["components"][0]["methods"].as_array().unwrap();
    assert!(
        methods.contains(&json!({"name": "hidden", "available": false})),
        "{report}"
    );

    let good = Site::new().guest("echo");
    let exit = run(good.path(), ["check"]).await;
    assert_done(&exit);
    assert!(!good.at(".tessera").exists());

    let bad = Site::new()
        .settings("HTTPPort = \"high\"\n")
        .guest("echo")
        .guest_with("spin", "[limits]\ndeadline = \"soon\"\n")
        .file("components/broken.wasm", "broken");
    let exit = run(bad.path(), ["check"]).await;
    assert_eq!(exit.code, Some(2), "{exit:#?}");
    for part in [
        "tessera.toml:1",
        "settings.toml:2",
        "broken.wasm",
        "echo: ok",
    ] {
        assert!(exit.stdout.contains(part), "{part}: {exit:#?}");
    }
    let exit = run(bad.path(), ["check", "--json"]).await;
    assert_eq!(exit.code, Some(2), "{exit:#?}");
    assert_eq!(json_of(&exit)["ok"], json!(false));
}

#[tokio::test]
async fn check_compares_ports() {
    let site = Site::new()
        .settings("HTTPPort = 8080\n")
        .guest_as_with("version1", "one", "HTTPPort = 8081\n")
        .guest_as_with(
            "version2",
            "two",
            "HTTPPort = 8081\nIPAddressToListen = \"127.0.0.1\"\n",
        );
    let exit = run(site.path(), ["check"]).await;
    assert_eq!(exit.code, Some(2), "{exit:#?}");
    for part in ["one (HTTPPort)", "two (HTTPPort)", "8081", "one: ok"] {
        assert!(exit.stdout.contains(part), "{part}: {exit:#?}");
    }
    site.write("components/two/settings.toml", "HTTPPort = 8082\n");
    assert_done(&run(site.path(), ["check"]).await);
    site.write("components/two/settings.toml", "HTTPPort = 8080\n");
    let exit = run(site.path(), ["check"]).await;
    assert_eq!(exit.code, Some(2), "{exit:#?}");
    assert!(exit.stdout.contains("the host (HTTPPort)"), "{exit:#?}");
}

#[tokio::test]
async fn serve_tells_what_listens_where() {
    let server = Site::new()
        .guest("version1")
        .guest_as_with("version2", "own", "HTTPPort = 8099\n")
        .start()
        .await;
    // Once more, so that the components are there when the host begins to answer, however busy the machine is.
    let (_, site) = server.stop().await;
    let server = site.start().await;
    server
        .wait_for_log(&["ready in", "0 compiled, 2 from cache"])
        .await;
    let stdout = server.stdout();
    let host = format!("http://{}/", server.address);
    let own = format!("http://{}/", server.address_of("own").await);
    let admin = format!("http://{}/", server.admin.address);
    for url in [&host, &own, &admin, &format!("{host}version1/")] {
        assert!(stdout.contains(url), "{url}: {stdout}");
    }
}

#[tokio::test]
async fn serve_ends_after_the_requests_in_flight() {
    for interrupt in [false, true] {
        let server = Site::new().guest("echo").guest("sleep").start().await;
        // A silent connection does not hold it up.
        let mut idle = Client::http1(server.address).await.unwrap();
        let request = Request::get("/sleep/sleep/1").body(Bytes::new()).unwrap();
        assert_eq!(idle.send(request).await.unwrap().text(), "awake");
        // A request that waits for us: its handler runs until the body is there.
        let mut waiting = RawClient::connect(server.address).await;
        let head = "POST /echo/x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";
        waiting.send(head).await;
        server.wait_for_processes("echo", 1).await;
        // And one that the handler itself takes its time for.
        let address = server.address;
        let sleeping = tokio::spawn(async move {
            let mut client = Client::http1(address).await.unwrap();
            let request = Request::get("/sleep/sleep/1000")
                .body(Bytes::new())
                .unwrap();
            client.send(request).await.unwrap()
        });
        server.wait_for_processes("sleep", 1).await;

        if interrupt {
            server.interrupt();
        } else {
            server.terminate();
        }
        server
            .wait_until("the port is closed", async || {
                Client::http1(address).await.is_err().then_some(())
            })
            .await;
        waiting.send("abc").await;
        let answer = waiting.read_to_end().await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert!(answer.contains("\"bodyLength\":3"), "{answer}");
        assert_eq!(sleeping.await.unwrap().text(), "awake");
        let (exit, _) = server.end().await;
        assert_eq!(exit.code, Some(0), "{exit:#?}");
    }
}

/// A server with these settings, and a request to it that never ends; it gives whether it was cut off.
async fn looping(settings: &str) -> (Server, JoinHandle<bool>) {
    let server = Site::new()
        .settings(settings)
        .guest_with("spin", "[limits]\ndeadline = \"60 s\"\n")
        .start()
        .await;
    let address = server.address;
    let spinning = tokio::spawn(async move {
        let mut client = Client::http1(address).await.unwrap();
        let request = Request::get("/spin/spin").body(Bytes::new()).unwrap();
        client.send(request).await.is_err()
    });
    server.wait_for_processes("spin", 1).await;
    (server, spinning)
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let (server, spinning) = looping("[server]\ndrain_timeout = \"60 s\"\n").await;
    server.terminate();
    server.wait_for_log(&["stopping"]).await;
    server.terminate();
    let (exit, _) = server.end().await;
    assert_eq!(exit.code, Some(1), "{exit:#?}");
    assert!(spinning.await.unwrap());
}

#[tokio::test]
async fn draining_has_an_end() {
    let (server, spinning) = looping("[server]\ndrain_timeout = \"200 ms\"\n").await;
    let (exit, _) = server.stop().await;
    assert_eq!(exit.code, Some(0), "{exit:#?}");
    assert!(spinning.await.unwrap());
}
