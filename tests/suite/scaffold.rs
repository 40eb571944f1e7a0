//! `tessera new`: what it makes builds as its README says, and answers in a running host.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;
use tessera_tests::{RawClient, Server, Site, repository, run, target, wait_until};

#[tokio::test]
async fn a_name_that_cannot_be_one_is_refused() {
    let place = TempDir::new().unwrap();
    fs::create_dir(place.path().join("taken")).unwrap();
    for name in [
        "Greeter",
        "../greeter",
        "my shop",
        "2shop",
        "test",
        "",
        "taken",
    ] {
        let exit = run(place.path(), ["new", name]).await;
        assert_eq!(exit.code, Some(2), "{name}: {exit:#?}");
        assert!(exit.stderr.starts_with("error: "), "{name}: {exit:#?}");
    }
    let left: Vec<_> = fs::read_dir(place.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(fs::read_dir(place.path().join("taken")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_new_component_builds_and_drops_into_a_running_host() {
    let server = Site::new().guest("silent").start().await;
    let place = TempDir::new().unwrap();
    let exit = run(place.path(), ["new", "my-greeter"]).await;
    assert_eq!(exit.code, Some(0), "{exit:#?}");
    assert!(exit.stdout.contains("cargo build"), "{exit:#?}");
    let folder = place.path().join("my-greeter");
    let readme = fs::read_to_string(folder.join("README.md")).unwrap();
    let command = "cargo build --release --target wasm32-wasip2";
    assert!(readme.contains(command), "{readme}");

    let module = tokio::task::spawn_blocking(move || build(&folder, "my_greeter"))
        .await
        .unwrap();
    let check = run(Path::new("/"), ["check".as_ref(), module.as_os_str()]).await;
    assert_eq!(check.code, Some(0), "{check:#?}");
    takes_its_place(&server, &module).await;
    let greeting = server.get("/my-greeter/4DACTION/greet/Ann").await;
    assert_eq!(greeting.text(), "Hello, Ann!\n");
}

#[tokio::test]
async fn every_template_builds_and_answers() {
    let server = Site::new().guest("silent").start().await;
    let place = TempDir::new().unwrap();
    for (template, shown) in [
        ("form", "<form method=\"post\" action=\"order\">"),
        ("upload", "enctype=\"multipart/form-data\""),
        ("sse", "new EventSource(\"events\")"),
    ] {
        let name = format!("new-{template}");
        let exit = run(place.path(), ["new", &name, "--template", template]).await;
        assert_eq!(exit.code, Some(0), "{exit:#?}");
        let folder = place.path().join(&name);
        let file = name.replace('-', "_");
        let module = tokio::task::spawn_blocking(move || build(&folder, &file))
            .await
            .unwrap();
        let content = fs::read(module).unwrap();
        server
            .site
            .write(&format!("components/{name}.wasm"), content);
        let page = server.wait_for_status(&format!("/{name}/"), 200).await;
        assert!(page.text().contains(shown), "{page:?}");
    }
    let form = "article=%3Cink%3E&pieces=2&gift=on";
    let ordered = server.post_form("/new-form/order", form).await;
    let told = "Ordered: 2 of &lt;ink&gt;, as a gift.";
    assert!(ordered.text().contains(told), "{ordered:?}");
    let refused = server
        .post_form("/new-form/order", "article=ink&pieces=x")
        .await;
    assert_eq!(refused.status, 400);
    let mut events = RawClient::connect(server.address_of("site").await).await;
    events
        .send("GET /new-sse/events HTTP/1.1\r\nHost: site\r\n\r\n")
        .await;
    events.read_until("event: number\ndata: 1\n").await;
}

/// What the README says, with the compiler that `cargo xtask setup` finds. All runs share what is compiled.
fn build(folder: &Path, module: &str) -> std::path::PathBuf {
    let setup = Command::new("bash")
        .arg(repository().join("xtask/wasip2.sh"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(setup.status.success(), "{setup:?}");
    let rustc = String::from_utf8(setup.stdout).unwrap();

    let target = target("guests-scaffold");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args(["build", "--release", "--target", "wasm32-wasip2"])
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", &target)
        .stdin(Stdio::null());
    // What Cargo told this test about its own package is not meant for another one.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&*name);
        }
    }
    if !rustc.trim().is_empty() {
        command.env("RUSTC", rustc.trim());
    }
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    assert!(!told.contains("warning"), "{told}");
    target.join(format!("wasm32-wasip2/release/{module}.wasm"))
}

/// The new component comes, and nothing else stops meanwhile.
async fn takes_its_place(server: &Server, module: &Path) {
    let content = fs::read(module).unwrap();
    server.site.write("components/my-greeter.wasm", content);
    wait_until("the new component answers", async || {
        assert_eq!(server.get("/silent/").await.status, 200);
        let reply = server.get("/my-greeter/a").await;
        (reply.status == 200).then_some(reply)
    })
    .await;
    let reply = server.get("/my-greeter/some/path").await;
    assert!(
        reply.text().contains("You asked for /some/path."),
        "{reply:?}"
    );
}
