//! The health endpoint, for probes from other machines, and `tessera health`.

use std::net::SocketAddr;

use bytes::Bytes;
use http::Request;
use serde_json::json;
use tessera_tests::{Client, RawClient, Reply, Server, Site};
use tokio::net::TcpStream;

const ON: &str = "[admin]\nhealth_address = \"127.0.0.1:9080\"\n";

/// Where the health endpoint of a server is.
async fn endpoint(server: &Server) -> SocketAddr {
    let address = async || {
        let stdout = server.stdout();
        let line = stdout.lines().find(|line| line.starts_with("health "))?;
        let url = line.split_whitespace().nth(1)?;
        let address = url.strip_prefix("http://")?.strip_suffix('/')?;
        address.parse().ok()
    };
    server
        .wait_until("the health endpoint is told", address)
        .await
}

async fn ask(address: SocketAddr, method: &str, path: &str, key: Option<&str>) -> Reply {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        // As a probe of another machine calls it.
        .header("Host", "10.1.2.3:9080");
    if let Some(key) = key {
        request = request.header("Authorization", format!("Bearer {key}"));
    }
    let mut client = Client::http1(address).await.unwrap();
    client
        .send(request.body(Bytes::new()).unwrap())
        .await
        .unwrap()
}

#[tokio::test]
async fn probes_of_other_machines_learn_whether_the_site_is_ready_and_nothing_else() {
    let server = Site::new().settings(ON).guest("echo").start().await;
    let address = endpoint(&server).await;
    let key = server.admin.key.clone();
    let get = async |path: &str| ask(address, "GET", path, Some(&key)).await;
    assert_eq!(get("/healthz").await.json(), json!({"status": "ok"}));
    assert_eq!(get("/readyz").await.json(), json!({"status": "ready"}));
    assert_eq!(ask(address, "HEAD", "/readyz", None).await.status, 200);
    for path in ["/metrics", "/api/v1/servers", "/api/v1/info", "/"] {
        let reply = get(path).await;
        assert_eq!(reply.status, 404, "{path}: {reply:?}");
    }
    let reply = ask(address, "POST", "/healthz", None).await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("allow")),
        (405, Some("GET, HEAD"))
    );

    let exit = server.cli(&["health"]).await;
    assert_eq!((exit.code, exit.stdout.as_str()), (Some(0), "ready\n"));
    server.site.write("components/secret.wasm", "no component");
    server.admin.post("/api/v1/reload").await;
    let reply = get("/readyz").await;
    assert_eq!(reply.status, 503, "{reply:?}");
    assert!(!reply.text().contains("secret"), "{reply:?}");
    assert_eq!(get("/healthz").await.status, 200);
    let exit = server.cli(&["health"]).await;
    assert_eq!(exit.code, Some(1), "{exit:?}");
    assert!(exit.stderr.contains("secret"), "{exit:?}");
    server.site.remove("components/secret.wasm");
    server.admin.post("/api/v1/reload").await;
    assert_eq!(get("/readyz").await.status, 200);

    let mut waiting = RawClient::connect(server.address).await;
    let head = "POST /echo/x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";
    waiting.send(head).await;
    server.wait_for_processes("echo", 1).await;
    server.terminate();
    server
        .wait_until("the site is not ready any more", async || {
            let reply = get("/readyz").await;
            reply.text().contains("draining").then_some(())
        })
        .await;
    waiting.send("abc").await;
    assert!(waiting.read_to_end().await.starts_with("HTTP/1.1 200 "));
    assert_eq!(server.end().await.0.code, Some(0));
}

#[tokio::test]
async fn metrics_are_there_only_if_they_may_be_and_for_the_key() {
    let settings = format!("{ON}health_metrics = true\n");
    let server = Site::new().settings(&settings).start().await;
    let address = endpoint(&server).await;
    let get = async |key| ask(address, "GET", "/metrics", key).await;
    assert_eq!(get(None).await.status, 401);
    assert_eq!(get(Some("wrong-key")).await.status, 401);
    let reply = get(Some(&server.admin.key)).await;
    assert_eq!(reply.status, 200);
    assert!(reply.text().contains("tessera_build_info"), "{reply:?}");
}

#[tokio::test]
async fn clients_that_say_nothing_keep_no_probe_out() {
    let server = Site::new().settings(ON).start().await;
    let address = endpoint(&server).await;
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    let reply = ask(address, "GET", "/healthz", None).await;
    assert_eq!(reply.status, 200, "{reply:?}");
}

#[tokio::test]
async fn a_health_port_that_is_taken_is_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let settings = format!(
        "HTTPPort = 8080\nIPAddressToListen = \"127.7.7.9\"\n[admin]\naddress = \"127.7.7.9:7080\"\nhealth_address = \"{address}\"\n"
    );
    let site = Site::new().settings(&settings).with_ports_of_settings();
    let exit = site.try_start().await.unwrap_err();
    assert_eq!(exit.code, Some(1), "{exit:?}");
    let told = ["admin.health_address", &address.to_string()];
    assert!(
        told.iter().all(|part| exit.stderr.contains(part)),
        "{exit:?}"
    );
}
