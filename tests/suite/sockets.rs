//! Sockets and descriptors: what the system refuses for a while, and what a service manager hands over.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::process::{Command, Stdio};

use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use tessera_tests::{Client, Site, tessera_binary, wait_until};

use bytes::Bytes;
use http::Request;

#[tokio::test]
async fn without_descriptors_a_listener_waits_and_goes_on() {
    let server = Site::new().page("index.html", "home").start().await;
    let process = Pid::from_raw(i32::try_from(server.id()).unwrap());
    let open = std::fs::read_dir(format!("/proc/{}/fd", server.id()))
        .unwrap()
        .count() as u64;
    let limit = |current| Rlimit {
        current: Some(current),
        ..getrlimit(Resource::Nofile)
    };
    let before = prlimit(process, Resource::Nofile, limit(open + 4)).unwrap();
    let mut connections = Vec::new();
    for _ in 0..20 {
        // The system takes them into its queue whatever the server does.
        connections.push(TcpStream::connect(server.address).unwrap());
    }
    server
        .wait_for_log(&["WARN", "a connection could not be accepted"])
        .await;
    drop(connections);
    // While they end, some may find no descriptor left for the file; none is told that there is no file.
    server
        .wait_until("a file is sent again", async || {
            let reply = server.get("/").await;
            assert_ne!(reply.status, 404, "{reply:?}");
            (reply.text() == "home").then_some(())
        })
        .await;
    prlimit(process, Resource::Nofile, before).unwrap();
    assert_eq!(server.get("/").await.text(), "home");
}

#[tokio::test]
async fn a_socket_of_the_service_manager_is_used_and_outlives_a_stop() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let unused = TcpListener::bind("127.0.0.1:0").unwrap();
    // A service manager's sockets are the only ones that are to be inherited.
    for socket in [&socket, &unused] {
        fcntl_setfd(socket, FdFlags::empty()).unwrap();
    }
    let site = Site::new().page("index.html", "home").settings(&format!(
        "HTTPPort = {}\nIPAddressToListen = \"127.0.0.1\"\n[admin]\naddress = \"127.0.0.1:0\"\n",
        address.port()
    ));
    let script =
        "exec 3<&\"$1\" 4<&\"$2\"; export LISTEN_FDS=2 LISTEN_PID=$$; shift 2; exec \"$@\"";
    let descriptor =
        |socket: &TcpListener| std::os::fd::AsRawFd::as_raw_fd(&socket.as_fd()).to_string();
    let log = site.at("log");
    let mut child = Command::new("bash")
        .args([
            "-c",
            script,
            "bash",
            &descriptor(&socket),
            &descriptor(&unused),
        ])
        .arg(tessera_binary())
        .arg("serve")
        .arg(site.path())
        .env("XDG_RUNTIME_DIR", site.notes())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    drop(socket);
    wait_until("the socket answers", async || {
        answers(address).await.then_some(())
    })
    .await;
    wait_until("the unused socket is told", async || {
        let log = std::fs::read_to_string(&log).unwrap();
        log.contains(&unused.local_addr().unwrap().to_string())
            .then_some(())
    })
    .await;
    wait_until("admin has started", async || {
        site.at(".tessera/admin.json").exists().then_some(())
    })
    .await;
    for command in ["stop", "start"] {
        let exit = site.run(site.path(), &[command, "site"]).await;
        assert_eq!(exit.code, Some(0), "{command}: {exit:?}");
    }
    assert!(answers(address).await);
    child.kill().unwrap();
    child.wait().unwrap();
}

async fn answers(address: SocketAddr) -> bool {
    let Ok(mut client) = Client::http1(address).await else {
        return false;
    };
    let request = Request::get("/").body(Bytes::new()).unwrap();
    client
        .send(request)
        .await
        .is_ok_and(|reply| reply.text() == "home")
}
