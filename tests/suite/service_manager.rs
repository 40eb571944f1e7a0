//! What a service manager is told over the socket that it names in the environment.

use std::fs;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use rustix::process::{Pid, Signal, kill_process};
use tessera_tests::{Client, RawClient, Server, Site, wait_until};

/// A manager's end of the socket.
struct Manager(UnixDatagram);

impl Manager {
    /// In a folder of the site; what the service is given in its environment.
    fn at(site: &Site) -> (Self, std::path::PathBuf) {
        let path = site.notes().join("manager");
        (Self::of(UnixDatagram::bind(&path).unwrap()), path)
    }

    fn of(socket: UnixDatagram) -> Self {
        socket.set_nonblocking(true).unwrap();
        Self(socket)
    }

    fn next(&self) -> Option<String> {
        let mut buffer = [0; 4096];
        let length = self.0.recv(&mut buffer).ok()?;
        Some(String::from_utf8_lossy(&buffer[..length]).into_owned())
    }

    /// Waits for the next message, and asserts that it begins so. A status by itself may come at any time.
    async fn told(&self, beginning: &str) -> String {
        let is_other = |message: &String| !message.starts_with("STATUS=");
        let message = wait_until(&format!("the manager is told {beginning:?}"), async || {
            self.next().filter(is_other)
        })
        .await;
        assert!(message.starts_with(beginning), "{beginning:?}: {message}");
        message
    }
}

fn hang_up(server: &Server) {
    let id = i32::try_from(server.id()).unwrap();
    kill_process(Pid::from_raw(id).unwrap(), Signal::HUP).unwrap();
}

#[tokio::test]
async fn the_manager_is_told_when_the_ports_answer_and_when_the_end_begins() {
    let site = Site::new()
        .page("index.html", "home")
        .guest("echo")
        .file("components/bad.wasm", "no component");
    let (manager, path) = Manager::at(&site);
    let discovery = site.at(".tessera/admin.json");
    let readiness = async {
        let ready = manager.told("READY=1\n").await;
        // Nothing is waited for any more.
        let discovery: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(discovery).unwrap()).unwrap();
        let admin = discovery["address"].as_str().unwrap().parse().unwrap();
        let mut client = Client::http1(admin).await.unwrap();
        let health = http::Request::get("/healthz").body(bytes::Bytes::new());
        assert_eq!(client.send(health.unwrap()).await.unwrap().status, 200);
        ready
    };
    let starting = site.variable("NOTIFY_SOCKET", path).start();
    let (ready, server) = tokio::join!(readiness, starting);
    // On a machine that is busy the host does not wait for a component that takes long to compile.
    let statuses = [
        "2 web servers run; not running: bad\n",
        "1 web server runs; not running: bad, echo\n",
    ];
    let is_one = |status: &&str| ready.contains(&format!("STATUS={status}"));
    assert!(statuses.iter().any(is_one), "{ready}");
    assert_eq!(server.get("/").await.text(), "home");

    let mut waiting = RawClient::connect(server.address).await;
    let head = "POST /echo/x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";
    waiting.send(head).await;
    server.wait_for_processes("echo", 1).await;
    server.terminate();
    let stopping = manager.told("STOPPING=1\n").await;
    // The drain of 10 seconds, and what comes after it.
    assert!(
        stopping.contains("EXTEND_TIMEOUT_USEC=15000000\n"),
        "{stopping}"
    );
    waiting.send("abc").await;
    assert!(waiting.read_to_end().await.starts_with("HTTP/1.1 200 "));
    assert_eq!(server.end().await.0.code, Some(0));
}

#[tokio::test]
async fn a_reload_is_told_from_its_beginning_to_its_end() {
    let site = Site::new()
        .settings("defaultHomepage = \"a.html\"\n")
        .page("a.html", "alpha")
        .page("b.html", "beta");
    let (manager, path) = Manager::at(&site);
    let server = site.variable("NOTIFY_SOCKET", path).start().await;
    manager.told("READY=1\n").await;
    let check = async |reloading: &str| {
        let since = reloading
            .lines()
            .find_map(|line| line.strip_prefix("MONOTONIC_USEC="));
        assert!(since.unwrap().parse::<u64>().unwrap() > 0, "{reloading}");
        manager.told("READY=1\n").await;
    };
    server
        .site
        .write("tessera.toml", "defaultHomepage = \"b.html\"\n");
    hang_up(&server);
    check(&manager.told("RELOADING=1\n").await).await;
    assert_eq!(server.get("/").await.text(), "beta");
    // Settings that are wrong leave the ones before in use, and the service is ready again.
    server.site.write("tessera.toml", "defaultHomepage = 5\n");
    let reloaded = server.admin.post("/api/v1/reload").await.json();
    assert_eq!(reloaded[0]["outcome"], "failed", "{reloaded}");
    check(&manager.told("RELOADING=1\n").await).await;
    assert_eq!(server.get("/").await.text(), "beta");
}

#[tokio::test]
async fn a_manager_without_a_path_is_told_that_the_process_is_alive() {
    let name = format!("tessera-suite-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let manager = Manager::of(UnixDatagram::bind_addr(&address).unwrap());
    let server = Site::new()
        .guest("spin")
        .variable("NOTIFY_SOCKET", format!("@{name}"))
        .variable("WATCHDOG_USEC", "1000000")
        .start()
        .await;
    let told = async |what: &str| {
        let sought = async || loop {
            let message = manager.next()?;
            if message.starts_with(what) {
                return Some(());
            }
        };
        server.wait_until(what, sought).await;
    };
    told("READY=1\n").await;
    told("WATCHDOG=1\n").await;
    // Guests that compute for long hold up nothing.
    let mut spinning = Vec::new();
    for _ in 0..3 {
        let mut client = RawClient::connect(server.address).await;
        client
            .send("GET /spin/spin HTTP/1.1\r\nHost: a\r\n\r\n")
            .await;
        spinning.push(client);
    }
    server.wait_for_processes("spin", 3).await;
    told("WATCHDOG=1\n").await;
    told("WATCHDOG=1\n").await;
}

#[tokio::test]
async fn a_manager_that_cannot_be_told_anything_is_a_warning() {
    let server = Site::new()
        .page("index.html", "home")
        .variable("NOTIFY_SOCKET", "vsock:2:1234")
        .start()
        .await;
    server
        .wait_for_log(&["WARN", "NOTIFY_SOCKET", "vsock:2:1234"])
        .await;
    assert_eq!(server.get("/").await.text(), "home");
}
