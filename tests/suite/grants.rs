//! What a component may use beside answering requests: exactly what its settings grant.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};

use serde_json::{Value, json};
use tessera_tests::{Server, Site};

const SETTINGS: &str = "components/grants/settings.toml";

async fn ask(server: &Server, method: &str) -> Value {
    let path = format!("/grants/4DACTION/{method}");
    let reply = server.get(&path).await;
    assert_eq!(reply.status, 200, "{path}: {reply:?}");
    reply.json()
}

/// Writes a file below the site that only its owner can read.
fn write_private(site: &Site, path: &str, content: &str) {
    site.write(path, content);
    fs::set_permissions(site.at(path), Permissions::from_mode(0o600)).unwrap();
}

async fn reload(server: &Server) -> Value {
    let path = "/api/v1/servers/grants/reload";
    server.admin.post(path).await.json()[0].clone()
}

#[tokio::test]
async fn configuration_is_what_the_settings_say() {
    let site = Site::new().guest_with("grants", "[config]\ncolor = \"red\"\n\"a b\" = \"\"\n");
    let server = site.start().await;
    assert_eq!(ask(&server, "config/color").await, "red");
    assert_eq!(ask(&server, "config/shape").await, Value::Null);
    let all = json!({"config": {"color": "red", "a b": ""}, "environment": {}});
    assert_eq!(ask(&server, "all").await, all);
    let set = json!({"config": {"color": "blue"}});
    server.admin.set("grants", &set).await;
    assert_eq!(ask(&server, "config/color").await, "blue");
}

#[tokio::test]
async fn a_component_without_configuration_finds_none_and_the_log_says_why() {
    let server = Site::new().guest("grants").start().await;
    let all = json!({"config": {}, "environment": {}});
    assert_eq!(ask(&server, "all").await, all);
    server
        .wait_for_log(&["finds no values there", "wasi:config/store", "[config]"])
        .await;
}

#[tokio::test]
async fn a_secret_is_given_and_read_again_by_a_reload() {
    let site = Site::new().guest_with("grants", "[secrets]\nTOKEN = \"secrets/token\"\n");
    let token = "components/grants/secrets/token";
    write_private(&site, token, "hunter2\n");
    let server = site.start().await;
    let all = |secret: &str| json!({"config": {"TOKEN": secret}, "environment": {"TOKEN": secret}});
    assert_eq!(ask(&server, "all").await, all("hunter2"));
    assert_eq!(reload(&server).await["outcome"], "unchanged");

    write_private(&server.site, token, "hunter3");
    assert_eq!(ask(&server, "all").await, all("hunter2"));
    assert_eq!(reload(&server).await["outcome"], "swapped");
    assert_eq!(ask(&server, "all").await, all("hunter3"));

    // What cannot be had is told, and what was had before stays.
    fs::set_permissions(server.site.at(token), Permissions::from_mode(0o644)).unwrap();
    write_private(&server.site, "components/grants/secrets/other", "x");
    for (settings, reason) in [
        (
            "TOKEN = \"secrets/token\"",
            "secrets/token: its mode 644 lets others read it",
        ),
        (
            "TOKEN = \"secrets/none\"",
            "secrets/none: cannot be read: No such file",
        ),
        ("TOKEN = \"secrets\"", "secrets: is not a file"),
    ] {
        server
            .site
            .write(SETTINGS, format!("[secrets]\n{settings}\n"));
        let reloaded = reload(&server).await;
        let error = reloaded.to_string();
        assert!(
            error.contains("secrets.TOKEN: ") && error.contains(reason),
            "{error}"
        );
        assert_eq!(ask(&server, "all").await, all("hunter3"));
    }
    server
        .site
        .write(SETTINGS, "[secrets]\nOTHER = \"secrets/other\"\n");
    assert_eq!(reload(&server).await["outcome"], "swapped");
    let other = json!({"config": {"OTHER": "x"}, "environment": {"OTHER": "x"}});
    assert_eq!(ask(&server, "all").await, other);

    // Nobody but the component has seen it.
    let shown = server.properties("grants").await.to_string();
    let everything = [server.log(), server.stdout(), shown].concat();
    assert!(!everything.contains("hunter"), "{everything}");
}

#[tokio::test]
async fn folders_are_read_only_unless_said_otherwise() {
    let folders = "[permissions]\nfolders = [{path = \"read\", guest = \"/read\"}, \
                   {path = \"write\", guest = \"/both/inner\", write = true}]\n";
    let site = Site::new()
        .guest_with("grants", folders)
        .file("components/grants/read/a.txt", "alpha")
        .file("components/grants/write/b.txt", "beta");
    let server = site.start().await;
    assert_eq!(ask(&server, "read/read/a.txt").await, "alpha");
    assert_eq!(ask(&server, "list/read").await, "a.txt");
    assert_eq!(ask(&server, "read/both/inner/b.txt").await, "beta");
    assert_eq!(ask(&server, "write/both/inner/c.txt").await, "written");
    let written = server.site.read("components/grants/write/c.txt");
    assert_eq!(written, "written");
    assert_eq!(ask(&server, "remove/both/inner/c.txt").await, "removed");
    for refused in [
        "write/read/a.txt",
        "write/read/new.txt",
        "remove/read/a.txt",
    ] {
        assert!(
            ask(&server, refused).await["error"].is_string(),
            "{refused}"
        );
    }
    assert_eq!(server.site.read("components/grants/read/a.txt"), "alpha");
    // What is not granted is not there, for there is nothing to open it from.
    for hidden in [
        "read/both/b.txt",
        "read/etc/passwd",
        "list/",
        "read/read/none",
    ] {
        assert!(ask(&server, hidden).await["error"].is_string(), "{hidden}");
    }
}

#[tokio::test]
async fn nothing_leads_out_of_a_folder() {
    let folders = "[permissions]\nfolders = [{path = \"data\", guest = \"/data\", write = true}]\n";
    let site = Site::new()
        .guest_with("grants", folders)
        .file("components/grants/data/in/a.txt", "alpha")
        .file("outside.txt", "outside");
    let folder = site.at("components/grants/data");
    symlink("/etc/hostname", folder.join("full")).unwrap();
    symlink("../../../outside.txt", folder.join("relative")).unwrap();
    symlink("..", folder.join("up")).unwrap();
    symlink("in/a.txt", folder.join("inside")).unwrap();
    let server = site.start().await;
    assert_eq!(ask(&server, "read/data/inside").await, "alpha");
    for path in [
        "data/full",
        "data/relative",
        "data/up/settings.toml",
        "data/../settings.toml",
        "data/in/../../settings.toml",
        "data/%2e%2e/settings.toml",
    ] {
        for method in ["read", "write"] {
            let answer = ask(&server, &format!("{method}/{path}")).await;
            assert!(answer["error"].is_string(), "{method} {path}: {answer}");
        }
    }
    assert_eq!(server.site.read("outside.txt"), "outside");
    assert_eq!(server.site.read(SETTINGS), folders);
}

#[tokio::test]
async fn a_folder_that_is_not_there_leaves_the_version_before() {
    let site = Site::new().guest_with("grants", "[config]\na = \"1\"\n");
    let server = site.start().await;
    assert_eq!(ask(&server, "config/a").await, "1");
    let settings =
        "[config]\na = \"2\"\n[permissions]\nfolders = [{path = \"none\", guest = \"/data\"}]\n";
    server.site.write(SETTINGS, settings);
    let error = reload(&server).await.to_string();
    assert!(
        error.contains("[permissions] folders: ") && error.contains("/grants/none: No such file"),
        "{error}"
    );
    assert_eq!(ask(&server, "config/a").await, "1");
}

#[tokio::test]
async fn there_is_no_way_to_the_network() {
    let server = Site::new().guest("grants").start().await;
    let tried = ask(&server, &format!("network/{}", server.address)).await;
    for way in ["connect", "listen", "send", "lookup"] {
        assert!(tried[way]["error"].is_string(), "{way}: {tried}");
    }
}
