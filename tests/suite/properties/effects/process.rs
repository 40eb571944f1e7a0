//! Settings of the process as a whole that nothing else in the suite shows.

use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use tessera_tests::{Client, Site, tessera_binary, wait_until};

use super::get;
use crate::listen::own_address;

/// Ended with the test.
struct Host(Child);

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn there_may_be_no_admin() {
    let address = own_address();
    let settings = format!(
        "HTTPPort = 8080\nIPAddressToListen = \"{address}\"\n[admin]\nenabled = false\naddress = \"{address}:7080\"\n"
    );
    let site = Site::new().settings(&settings).page("a.txt", "static");
    let host = Command::new(tessera_binary())
        .args(["serve".as_ref(), site.path().as_os_str()])
        .env("XDG_RUNTIME_DIR", site.notes())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _host = Host(host);
    let text = wait_until("the host answers", async || {
        let mut client = Client::http1((address, 8080).into()).await.ok()?;
        Some(client.send(get("/a.txt")).await.ok()?.text().to_owned())
    });
    assert_eq!(text.await, "static");
    for port in 7080..=7100 {
        assert!(TcpStream::connect((address, port)).is_err(), "{port}");
    }
    assert!(!site.at(".tessera/admin.json").exists());
    let exit = site.run(site.path(), &["list"]).await;
    assert_eq!(exit.code, Some(1), "{exit:#?}");
}

#[tokio::test]
async fn the_log_has_what_its_level_says_and_code_is_kept_only_where_it_may_be() {
    let site = |level: &str| {
        let settings = format!("[log]\nlevel = \"{level}\"\n[engine]\ncode_cache = false\n");
        Site::new().settings(&settings).guest("version1")
    };
    for (level, has_info, has_debug) in [
        ("off", false, false),
        ("warn,tessera_host=info", true, false),
        ("debug", true, true),
    ] {
        let server = site(level).start().await;
        assert_eq!(server.get("/version1/").await.text(), "v1");
        server.admin.get("/api/v1/info").await;
        if has_debug {
            server
                .wait_for_log(&["DEBUG", "admin request", "/api/v1/info"])
                .await;
        }
        assert!(!server.site.at(".tessera/code").exists(), "{level}");
        // All of it has been written when the process has ended.
        let (exit, _) = server.stop().await;
        assert_eq!(exit.stderr.contains("INFO"), has_info, "{level}: {exit:#?}");
        assert_eq!(
            exit.stderr.contains("DEBUG"),
            has_debug,
            "{level}: {exit:#?}"
        );
    }
}
