//! Many starts, stops, settings and reloads at once, on the same servers and on others that want their ports.

use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use http::{Request, Version};
use serde_json::{Value, json};
use tessera_tests::{AdminClient, CertificatePair, Client, Reply, Server, Site, Target, TlsClient};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::listen::own_address;

/// Every server with the text of its answers.
const SERVERS: [(&str, &str); 4] = [
    ("site", "host"),
    ("one", "v1"),
    ("two", "v2"),
    ("three", "awake"),
];
/// The ports that they want; the first four are for HTTP in their files, the last one for HTTPS of two of them.
const PORTS: [u16; 6] = [8080, 8081, 8082, 8083, 8084, 8443];
const HTTPS: u16 = 8443;

/// Numbers that look like chance, and are the same each time.
struct Dice(u64);

impl Dice {
    /// One of so many, from 0.
    fn roll(&mut self, sides: usize) -> usize {
        // Knuth's multiplier; the high bits are the better ones.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.roll(all.len())]
    }
}

fn own_settings(address: Ipv4Addr, port: u16) -> String {
    format!("HTTPPort = {port}\nIPAddressToListen = \"{address}\"\n")
}

async fn four_servers(address: Ipv4Addr) -> Server {
    let https = format!("HTTPSPort = {HTTPS}\n");
    let pair = |name| CertificatePair::for_names(&[name]);
    let host = own_settings(address, 8080);
    Site::new()
        .with_ports_of_settings()
        .settings(&format!("{host}[admin]\naddress = \"{address}:7080\"\n"))
        .page("index.html", "host")
        .guest_as_with("version1", "one", &own_settings(address, 8081))
        .guest_as_with("version2", "two", &(own_settings(address, 8082) + &https))
        .certificate_of("two", &pair("two.test"))
        .guest_as_with("sleep", "three", &(own_settings(address, 8083) + &https))
        .certificate_of("three", &pair("three.test"))
        .start()
        .await
}

/// Does something to a server, whatever comes of it.
async fn change(admin: AdminClient, name: &str, what: usize, port: u16) -> Reply {
    let path = |rest: &str| format!("/api/v1/servers/{name}{rest}");
    let start = async |settings: Value| admin.post_json(&path("/start"), &settings).await;
    let set = async |settings: Value| admin.patch(&path(""), &settings).await;
    match what {
        0 | 1 => start(json!({})).await,
        2 => start(json!({"HTTPPort": port})).await,
        3 => {
            start(json!({"HTTPPort": port, "HTTPSEnabled": false, "maxRequestSize": 700_000})).await
        }
        4 => start(json!({"HTTPPort": -1})).await,
        5 | 6 => admin.post(&path("/stop")).await,
        7 => set(json!({"HTTPPort": port, "HTTPTrace": true})).await,
        8 => set(json!({"HTTPPort": null, "maxRequestSize": 800_000})).await,
        9 => set(json!({"keep_alive": {"max_requests": 3}, "maxConcurrentProcesses": 20})).await,
        10 => admin.post(&path("/reload")).await,
        _ => admin.post("/api/v1/reload").await,
    }
}

/// What a GET of a path on a port is answered with; `None` if nobody takes the connection, or it ends before.
async fn ask(address: SocketAddr) -> Option<Reply> {
    let mut client = Client::http1(address).await.ok()?;
    let request = Request::get("/").body(Bytes::new()).unwrap();
    client.send(request).await.ok()
}

/// Many changes at once, beside requests that may come at any moment of them.
async fn storm(server: &Server, address: Ipv4Addr, dice: &mut Dice) {
    let mut changes = JoinSet::new();
    for _ in 0..80 {
        let (admin, (name, _)) = (server.admin.clone(), dice.of(&SERVERS));
        let (what, port) = (dice.roll(12), dice.of(&PORTS));
        changes.spawn(async move {
            let reply = change(admin, name, what, port).await;
            let status = reply.status.as_u16();
            assert!(
                matches!(status, 200 | 422),
                "{name} {what} {port}: {reply:?}"
            );
        });
        if dice.roll(2) == 0 {
            changes.spawn(async move {
                // On the port for HTTPS this is the 400 for who does not speak it.
                let Some(reply) = ask((address, port).into()).await else {
                    return;
                };
                let is_known = SERVERS.iter().any(|(_, text)| reply.text() == *text);
                let status = reply.status.as_u16();
                assert!(
                    (status == 200 && is_known) || matches!(status, 400 | 503),
                    "{port}: {reply:?}"
                );
            });
        }
    }
    while let Some(changed) = changes.join_next().await {
        changed.unwrap();
    }
}

/// Each server either runs and answers wherever it says, or it does not and says so; nothing else is open.
async fn assert_consistent(server: &Server, address: Ipv4Addr) {
    let mut open = Vec::new();
    for (name, text) in SERVERS {
        let properties = server.properties(name).await;
        let urls = properties["urls"].as_array().unwrap();
        let is_running = properties["isRunning"].as_bool().unwrap();
        assert_eq!(is_running, !urls.is_empty(), "{properties}");
        assert_eq!(properties["state"] == "running", is_running, "{properties}");
        for url in urls {
            let (scheme, authority) = url.as_str().unwrap().split_once("://").unwrap();
            let address: SocketAddr = authority.trim_end_matches('/').parse().unwrap();
            let tls = (scheme == "https").then(|| TlsClient::trusting_all(&format!("{name}.test")));
            let pages = Vec::new();
            let target = Target {
                address,
                tls,
                pages,
            };
            for version in [Version::HTTP_11, Version::HTTP_2] {
                let answer = target.get(version, "/").await;
                assert_eq!(answer.unwrap(), text, "{version:?} {properties}");
            }
            open.push(address.port());
        }
    }
    for port in PORTS {
        let connected = TcpStream::connect((address, port)).await;
        assert_eq!(
            connected.is_ok(),
            open.contains(&port),
            "{port}: {server:?}"
        );
    }
}

#[tokio::test]
async fn a_storm_of_changes_leaves_every_server_running_or_stopped() {
    let address = own_address();
    let server = four_servers(address).await;
    for seed in 1..=4 {
        storm(&server, address, &mut Dice(seed)).await;
        assert_consistent(&server, address).await;
    }
    // What the session has piled up is taken away; then all is as the files have it.
    let taken_back = [
        "HTTPPort",
        "HTTPTrace",
        "maxRequestSize",
        "keep_alive.max_requests",
        "maxConcurrentProcesses",
    ];
    for (name, _) in SERVERS {
        // The host has no pool.
        let of_server = |key: &&str| name != "site" || !key.starts_with("pool.");
        let options = taken_back.into_iter().filter(of_server);
        let options = options.map(|key| (key.to_owned(), Value::Null));
        server
            .admin
            .set(name, &Value::Object(options.into_iter().collect()))
            .await;
        server.admin.stop(name).await;
    }
    assert_consistent(&server, address).await;
    for (index, (name, _)) in SERVERS.into_iter().enumerate() {
        assert_eq!(server.properties(name).await["isRunning"], false);
        let started = server.admin.start(name, &json!({})).await;
        assert_eq!(started, json!({"success": true}), "{name}");
        let properties = server.properties(name).await;
        assert_eq!(properties["HTTPPort"], PORTS[index], "{properties}");
        assert_eq!(properties["maxRequestSize"], 2_000_000, "{properties}");
    }
    assert_consistent(&server, address).await;
}

#[tokio::test]
async fn of_many_starts_of_one_server_one_succeeds() {
    let address = own_address();
    let server = four_servers(address).await;
    for name in ["site", "two"] {
        server.admin.stop(name).await;
        let mut starts = JoinSet::new();
        for _ in 0..20 {
            let admin = server.admin.clone();
            starts.spawn(async move { admin.start(name, &json!({})).await });
        }
        let results = starts.join_all().await;
        let successes = results.iter().filter(|result| result["success"] == true);
        assert_eq!(successes.count(), 1, "{name}: {results:?}");
        for result in results.iter().filter(|result| result["success"] == false) {
            assert_eq!(result["errors"][0]["errCode"], 1001, "{name}: {result}");
        }
        let mut stops = JoinSet::new();
        for _ in 0..20 {
            let admin = server.admin.clone();
            stops.spawn(async move { admin.stop(name).await });
        }
        let stopped = stops.join_all().await;
        let stopped = stopped.iter().filter(|result| result["wasRunning"] == true);
        assert_eq!(stopped.count(), 1, "{name}");
        assert_consistent(&server, address).await;
    }
}

#[tokio::test]
async fn of_many_servers_that_want_one_port_one_gets_it() {
    let address = own_address();
    let server = four_servers(address).await;
    for (name, _) in SERVERS {
        server.admin.stop(name).await;
    }
    for _ in 0..5 {
        let mut starts = JoinSet::new();
        for (name, _) in SERVERS {
            let admin = server.admin.clone();
            let settings = json!({"HTTPPort": 8084, "HTTPSEnabled": false});
            starts.spawn(async move { (name, admin.start(name, &settings).await) });
        }
        let results = starts.join_all().await;
        let winner = results
            .iter()
            .filter(|(_, result)| result["success"] == true);
        let winner: Vec<_> = winner.map(|(name, _)| *name).collect();
        assert_eq!(winner.len(), 1, "{results:?}");
        for (name, result) in &results {
            let code = &result["errors"][0]["errCode"];
            assert!(winner.contains(name) || code == 1201, "{name}: {result}");
        }
        assert_consistent(&server, address).await;
        server.admin.stop(winner[0]).await;
        assert_consistent(&server, address).await;
    }
}
