//! Compiled code that is kept: used again by the next start, and never if it is not certain what it is.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use serde_json::json;
use tessera_tests::{Server, Site, guest};

const FOLDER: &str = ".tessera/code";
const GUESTS: [&str; 4] = ["echo", "version1", "trap", "guard"];

async fn loads(server: &Server) -> serde_json::Value {
    server.admin.document("/api/v1/info").await["loads"].clone()
}

fn with_guests() -> Site {
    GUESTS.into_iter().fold(Site::new(), Site::guest)
}

fn files(site: &Site, extension: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(site.at(FOLDER)) else {
        return Vec::new();
    };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths
        .filter(|path| path.extension().is_some_and(|it| it == extension))
        .collect()
}

#[tokio::test]
async fn the_second_start_compiles_nothing() {
    let server = Site::new().guest("echo").guest("version1").start().await;
    assert_eq!(loads(&server).await, json!({"compiled": 2, "fromCache": 0}));
    let (_, site) = server.stop().await;

    let server = site.start().await;
    assert_eq!(loads(&server).await, json!({"compiled": 0, "fromCache": 2}));
    server.wait_for_log(&["ready in", "0 compiled"]).await;
    assert_eq!(server.get("/version1/").await.text(), "v1");
    // Nor after a crash.
    let site = server.kill().await;
    let server = site.start().await;
    assert_eq!(loads(&server).await, json!({"compiled": 0, "fromCache": 2}));
    assert_eq!(server.get("/echo/").await.status, 200);
}

#[tokio::test]
async fn damaged_code_is_compiled_anew() {
    let server = Site::new().guest("version1").start().await;
    let (_, site) = server.stop().await;
    for entry in fs::read_dir(site.at(".tessera/code")).unwrap() {
        let path = entry.unwrap().path();
        let mut content = fs::read(&path).unwrap();
        let middle = content.len() / 2;
        content[middle] ^= 0xff;
        fs::write(&path, content).unwrap();
    }
    let server = site.start().await;
    assert_eq!(server.get("/version1/").await.text(), "v1");
    assert_eq!(loads(&server).await, json!({"compiled": 1, "fromCache": 0}));
    server.wait_for_log(&["WARN", "damaged"]).await;
}

#[tokio::test]
async fn what_a_killed_process_left_half_written_is_no_obstacle() {
    let server = with_guests().start().await;
    let (_, site) = server.stop().await;
    let [first, second, third, fourth]: [PathBuf; 4] = files(&site, "cwasm").try_into().unwrap();
    // Code that was cut off; code without its checksum; a checksum that was cut off; a checksum without code.
    let whole = fs::read(&first).unwrap();
    fs::write(&first, &whole[..whole.len() / 2]).unwrap();
    fs::remove_file(second.with_extension("sum")).unwrap();
    fs::write(third.with_extension("sum"), "short").unwrap();
    fs::remove_file(&fourth).unwrap();
    site.write(".tessera/code/x.cwasm.77.tmp", &whole[..100]);
    site.write(".tessera/code/x.sum.77.tmp", "");

    let server = site.start().await;
    assert_eq!(loads(&server).await, json!({"compiled": 4, "fromCache": 0}));
    assert_eq!(server.get("/version1/").await.text(), "v1");
    assert_eq!(server.get("/trap/fine").await.text(), "still here");
    assert!(files(&server.site, "tmp").is_empty());
    assert!(!server.log().contains("ERROR"), "{server:?}");
    // All of it was mended.
    let (_, site) = server.stop().await;
    let server = site.start().await;
    assert_eq!(loads(&server).await, json!({"compiled": 0, "fromCache": 4}));
}

#[tokio::test]
async fn killed_while_it_compiles_it_starts_as_ever() {
    let site = with_guests();
    for count in [0, 1, 2, 3, 4, 0, 4] {
        if count == 0 {
            let _ = fs::remove_dir_all(site.at(FOLDER));
        }
        let what = format!("{count} components are compiled");
        site.crash(&what, async || {
            let is_there = site.at(FOLDER).exists();
            (is_there && files(&site, "cwasm").len() >= count).then_some(())
        })
        .await;
    }
    // What those that were killed have kept is used; so often they were killed before anything was kept.
    let _ = fs::remove_dir_all(site.at(FOLDER));
    site.crash("something is compiled", async || {
        (!files(&site, "cwasm").is_empty()).then_some(())
    })
    .await;
    let server = site.start().await;
    for name in GUESTS {
        let properties = server.properties(name).await;
        assert_eq!(properties["isRunning"], true, "{properties}");
    }
    assert_eq!(server.get("/version1/").await.text(), "v1");
    assert!(files(&server.site, "tmp").is_empty());
    for wrong in ["ERROR", "damaged", "not used"] {
        assert!(!server.log().contains(wrong), "{wrong}: {server:?}");
    }
    let (_, site) = server.stop().await;
    let server = site.start().await;
    assert_eq!(loads(&server).await, json!({"compiled": 0, "fromCache": 4}));
}

#[tokio::test]
async fn code_that_somebody_else_may_have_written_is_not_run() {
    let server = Site::new().guest("version1").start().await;
    let (_, site) = server.stop().await;
    let code = files(&site, "cwasm").remove(0);
    fs::set_permissions(&code, fs::Permissions::from_mode(0o666)).unwrap();
    let server = site.start().await;
    assert_eq!(loads(&server).await, json!({"compiled": 1, "fromCache": 0}));
    server.wait_for_log(&["WARN", "others may write it"]).await;

    // It was written anew, and is as it must be.
    let (_, site) = server.stop().await;
    let mode = fs::metadata(&code).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let elsewhere = site.at("elsewhere");
    fs::rename(&code, &elsewhere).unwrap();
    symlink(&elsewhere, &code).unwrap();
    let server = site.start().await;
    assert_eq!(loads(&server).await, json!({"compiled": 1, "fromCache": 0}));

    let (_, site) = server.stop().await;
    let folder = fs::Permissions::from_mode(0o777);
    fs::set_permissions(site.at(FOLDER), folder).unwrap();
    let server = site.start().await;
    assert_eq!(loads(&server).await, json!({"compiled": 1, "fromCache": 0}));
    server
        .wait_for_log(&["WARN", "compiled code is not kept", "chmod go-w"])
        .await;
    assert_eq!(server.get("/version1/").await.text(), "v1");
}

#[tokio::test]
async fn what_compiles_gives_way_to_what_serves() {
    let server = Site::new().guest("version1").start().await;
    let tasks = format!("/proc/{}/task", server.id());
    let mut niceness = Vec::new();
    for entry in fs::read_dir(tasks).unwrap() {
        let folder = entry.unwrap().path();
        let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_default();
        let (name, stat) = (read("comm"), read("stat"));
        // After the name in parentheses the state comes, which is the third field; the nice value is the nineteenth.
        let nice = stat
            .rsplit_once(')')
            .and_then(|(_, rest)| rest.split_whitespace().nth(16)?.parse::<i32>().ok());
        niceness.push((name.trim().to_owned(), nice.unwrap_or_default()));
    }
    let of = |prefix: &str| -> Vec<i32> {
        let threads = niceness.iter().filter(|(name, _)| name.starts_with(prefix));
        threads.map(|(_, nice)| *nice).collect()
    };
    let (compile, guests) = (of("tessera-compile"), of("tessera-guest"));
    assert!(
        !compile.is_empty() && compile.iter().all(|nice| *nice == 10),
        "{niceness:?}"
    );
    assert!(
        !guests.is_empty() && guests.iter().all(|nice| *nice == 5),
        "{niceness:?}"
    );
    let is_other =
        |name: &str| !name.starts_with("tessera-compile") && !name.starts_with("tessera-guest");
    let others = niceness.iter().filter(|(name, _)| is_other(name));
    assert!(others.clone().all(|(_, nice)| *nice == 0), "{niceness:?}");
    assert!(others.count() > 1);
}

#[tokio::test]
async fn a_component_that_is_replaced_by_its_old_self_is_not_compiled_again() {
    let server = Site::new().guest_as("version1", "app").start().await;
    for (number, name) in ["version2", "version1", "version2"].into_iter().enumerate() {
        let content = fs::read(guest(name)).unwrap();
        server.site.write("components/.next", content);
        let module = server.site.at("components/app.wasm");
        fs::rename(server.site.at("components/.next"), module).unwrap();
        let generation = number as u64 + 2;
        server
            .wait_until("it is loaded", async || {
                let properties = server.properties("app").await;
                (properties["generation"] == generation).then_some(())
            })
            .await;
    }
    assert_eq!(loads(&server).await, json!({"compiled": 2, "fromCache": 2}));
}
