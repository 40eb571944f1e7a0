//! Ports and addresses, as the settings say: no test but these takes ports that are not picked by the system.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU8, Ordering};

use bytes::Bytes;
use http::Request;
use serde_json::json;
use tessera_tests::{Client, Reply, Site};

/// An address of this machine that nobody else uses: all of 127.0.0.0/8 is ours, so that ports are never in the way.
pub(crate) fn own_address() -> Ipv4Addr {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let [.., high, low] = std::process::id().to_be_bytes();
    // Never 127.0.0.x, which others use.
    Ipv4Addr::new(127, high | 0x80, low, NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Settings of a host at an address, with the standard ports of admin and of the second web server.
fn at(address: Ipv4Addr) -> String {
    format!(
        "HTTPPort = 8080\nIPAddressToListen = \"{address}\"\n[admin]\naddress = \"{address}:7080\"\n"
    )
}

fn own_port(address: Ipv4Addr, port: u16) -> String {
    format!("HTTPPort = {port}\nIPAddressToListen = \"{address}\"\n")
}

async fn get(address: impl Into<SocketAddr>, path: &str) -> Option<Reply> {
    let mut client = Client::http1(address.into()).await.ok()?;
    let request = Request::get(path).body(Bytes::new()).unwrap();
    client.send(request).await.ok()
}

#[tokio::test]
async fn a_port_in_use_is_told_with_a_way_out() {
    let address = own_address();
    let _taken = TcpListener::bind((address, 8080)).unwrap();
    let site = Site::new().settings(&at(address)).with_ports_of_settings();
    let exit = site.try_start().await.unwrap_err();
    assert_eq!(exit.code, Some(1), "{exit:#?}");
    assert_eq!(exit.stdout, "", "{exit:#?}");
    assert_eq!(exit.stderr.lines().count(), 1, "{exit:#?}");
    for part in ["error: ", "8080", "in use", "--set HTTPPort=8080"] {
        assert!(exit.stderr.contains(part), "{part}: {exit:#?}");
    }
}

#[tokio::test]
async fn a_busy_admin_port_is_passed_over() {
    let address = own_address();
    let _taken = TcpListener::bind((address, 7080)).unwrap();
    let site = Site::new().settings(&at(address)).with_ports_of_settings();
    let server = site.start().await;
    assert_eq!(server.address, SocketAddr::from((address, 8080)));
    assert_eq!(server.admin.address, SocketAddr::from((address, 7081)));
}

#[tokio::test]
async fn a_component_whose_port_is_taken_waits_for_a_reload() {
    let address = own_address();
    let taken = TcpListener::bind((address, 8081)).unwrap();
    let server = Site::new()
        .settings(&at(address))
        .with_ports_of_settings()
        .guest_with("version1", &own_port(address, 8081))
        .guest("version2")
        .start()
        .await;
    assert_eq!(server.get("/version2/").await.text(), "v2");
    let version1 = server.properties("version1").await;
    assert_eq!(version1["isRunning"], json!(false), "{version1}");
    let error = version1["error"].as_str().unwrap();
    assert!(
        error.contains("8081") && error.contains("in use"),
        "{error}"
    );
    drop(taken);
    // The files have not changed, but what was wrong may have.
    server.admin.post("/api/v1/servers/version1/reload").await;
    let reply = get((address, 8081), "/").await;
    assert_eq!(
        reply.map(|reply| reply.text().to_owned()),
        Some("v1".to_owned())
    );
}

#[tokio::test]
async fn a_component_moves_to_another_port() {
    let address = own_address();
    let server = Site::new()
        .settings(&at(address))
        .with_ports_of_settings()
        .guest_with("version1", &own_port(address, 8081))
        .start()
        .await;
    assert_eq!(get((address, 8081), "/").await.unwrap().text(), "v1");
    let settings = own_port(address, 8082);
    server
        .site
        .write("components/version1/settings.toml", settings);
    server
        .wait_until("the new port answers", async || {
            get((address, 8082), "/").await
        })
        .await;
    server
        .wait_until("the old port is closed", async || {
            get((address, 8081), "/").await.is_none().then_some(())
        })
        .await;
}

#[tokio::test]
async fn a_server_may_have_several_addresses() {
    let (one, two) = (own_address(), own_address());
    let settings = format!(
        "HTTPPort = 8080\nIPAddressToListen = [\"{one}\", \"{two}\"]\n[admin]\naddress = \"{one}:7080\"\n"
    );
    let server = Site::new()
        .settings(&settings)
        .with_ports_of_settings()
        .guest("echo")
        .start()
        .await;
    for address in [one, two] {
        let echo = get((address, 8080), "/echo/x").await.unwrap().json();
        assert_eq!(echo["serverAddress"], format!("::ffff:{address}"));
    }
    let other = own_address();
    assert!(get((other, 8080), "/echo/x").await.is_none());
    let urls = server.properties("site").await["urls"].clone();
    let expected = [one, two].map(|address| format!("http://{address}:8080/"));
    assert_eq!(urls, json!(expected));
}

#[tokio::test]
async fn ipv6_is_served_where_there_is_any() {
    if TcpListener::bind("[::1]:0").is_err() {
        // A machine without IPv6 has nothing to show here.
        return;
    }
    let server = Site::new()
        .settings("IPAddressToListen = \"::1\"\n")
        .guest("echo")
        .start()
        .await;
    assert!(server.address.is_ipv6());
    let echo = server.get("/echo/x").await.json();
    assert_eq!(echo["clientAddress"], "::1");
    assert_eq!(echo["serverAddress"], "::1");
}
