//! Web servers are stopped, started with other settings and stopped again, while the others are under load.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;

use http::Version;
use serde_json::{Value, json};
use tessera_tests::{CertificatePair, Load, Server, Site, Target, TlsClient, wait_until};

use crate::listen::own_address;

const VERSIONS: [Version; 2] = [Version::HTTP_11, Version::HTTP_2];
/// The port that two servers may share.
const SHARED: u16 = 8443;

/// A web server of the site, as its files have it.
struct Subject {
    name: &'static str,
    address: Ipv4Addr,
    port: u16,
    /// The pairs of its folder and of the folder `other` in it; none for HTTP.
    pairs: Option<[CertificatePair; 2]>,
    /// Another answers on its port as well.
    shares: bool,
}

/// How a subject is set up: by its files, or by the settings that it is started with.
#[derive(Clone, Copy, Debug)]
enum Setup {
    Files,
    Start,
}

impl Subject {
    fn http(name: &'static str, address: Ipv4Addr, port: u16) -> Self {
        Self {
            name,
            address,
            port,
            pairs: None,
            shares: false,
        }
    }

    fn https(name: &'static str, address: Ipv4Addr, port: u16) -> Self {
        let own = || CertificatePair::for_names(&[&format!("{name}.test")]);
        Self {
            pairs: Some([own(), own()]),
            shares: port == SHARED,
            ..Self::http(name, address, port)
        }
    }

    /// The property that has its port.
    fn key(&self) -> &'static str {
        match self.pairs {
            None => "HTTPPort",
            Some(_) => "HTTPSPort",
        }
    }

    fn port(&self, setup: Setup) -> u16 {
        match setup {
            Setup::Files => self.port,
            Setup::Start => self.port + 100,
        }
    }

    fn settings(&self) -> String {
        let (key, port, address) = (self.key(), self.port, self.address);
        format!("{key} = {port}\nIPAddressToListen = \"{address}\"\n")
    }

    /// The settings that it is started with.
    fn other_settings(&self) -> Value {
        let mut settings =
            json!({self.key(): self.port(Setup::Start), "defaultHomepage": "other.html"});
        if self.pairs.is_some() {
            settings["certificateFolder"] = json!("other");
        }
        settings
    }

    /// It, asked with trust in nothing but the certificate that it should have.
    fn target(&self, setup: Setup) -> Target {
        let pair = self.pairs.as_ref().map(|[files, start]| match setup {
            Setup::Files => files,
            Setup::Start => start,
        });
        let name = format!("{}.test", self.name);
        let home = match setup {
            Setup::Files => self.name.to_owned(),
            Setup::Start => format!("other {}", self.name),
        };
        let mut pages = vec![("/".to_owned(), home)];
        if self.name != "site" {
            pages.push(("/any".to_owned(), "awake".to_owned()));
        }
        Target {
            address: (self.address, self.port(setup)).into(),
            tls: pair.map(|pair| TlsClient::trusting(&pair.certificate, &name)),
            pages,
        }
    }

    /// It answers as it is set up, in both versions of HTTP.
    async fn assert_serves(&self, setup: Setup) {
        let target = self.target(setup);
        for version in VERSIONS {
            for (path, text) in &target.pages {
                let answer = target.get(version, path).await;
                assert_eq!(&answer.unwrap(), text, "{} {version:?} {path}", self.name);
            }
        }
    }

    /// Nobody takes connections where it would be; on a port that it shares, nobody has its certificate.
    async fn is_gone(&self, setup: Setup) -> bool {
        let target = self.target(setup);
        if self.shares && matches!(setup, Setup::Files) {
            return target.open(Version::HTTP_11).await.is_err();
        }
        is_closed(target.address).await
    }
}

async fn is_closed(address: SocketAddr) -> bool {
    match tokio::net::TcpStream::connect(address).await {
        Ok(_) => false,
        Err(error) => {
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
            true
        }
    }
}

/// A host and three components with a port each, two of them with HTTPS; and one that is mounted on the host.
async fn four_servers(ports: [u16; 4]) -> (Server, Vec<Subject>) {
    let address = own_address();
    let [host, one, two, three] = ports;
    let subjects = vec![
        Subject::http("site", address, host),
        Subject::http("one", address, one),
        Subject::https("two", address, two),
        Subject::https("three", address, three),
    ];
    let mut site = Site::new()
        .with_ports_of_settings()
        .guest_as("sleep", "slow");
    for subject in &subjects {
        let (name, settings) = (subject.name, subject.settings());
        let folder = match name {
            "site" => {
                site = site.settings(&format!(
                    "{settings}[admin]\naddress = \"{address}:7080\"\n"
                ));
                String::new()
            }
            _ => {
                site = site.guest_as_with("sleep", name, &settings);
                format!("components/{name}/")
            }
        };
        site.write(&format!("{folder}WebFolder/index.html"), name);
        site.write(
            &format!("{folder}WebFolder/other.html"),
            format!("other {name}"),
        );
        if let Some([files, start]) = &subject.pairs {
            site.put_certificate(&folder, files);
            site.put_certificate(&format!("{folder}other/"), start);
        }
    }
    let server = site.start().await;
    for subject in &subjects {
        subject.assert_serves(Setup::Files).await;
    }
    (server, subjects)
}

/// Stops a server in the midst of requests, which are answered; meanwhile its port is closed.
async fn stop_amid_requests(server: &Server, subject: &Subject, setup: Setup) {
    let (path, counted) = match subject.name {
        "site" => ("/slow/sleep/700", "slow"),
        name => ("/sleep/700", name),
    };
    let target = Arc::new(subject.target(setup));
    let asked = VERSIONS.map(|version| {
        let target = target.clone();
        tokio::spawn(async move { target.get(version, path).await })
    });
    server.wait_for_processes(counted, 2).await;
    let (admin, name) = (server.admin.clone(), subject.name);
    let stopping = tokio::spawn(async move { admin.stop(name).await });
    wait_until("nobody answers", async || {
        subject.is_gone(setup).await.then_some(())
    })
    .await;
    for answer in asked {
        assert_eq!(answer.await.unwrap().unwrap(), "awake", "{name}");
    }
    let stopped = json!({"success": true, "wasRunning": true});
    assert_eq!(stopping.await.unwrap(), stopped, "{name}");
    assert!(subject.is_gone(setup).await, "{name}");
    // What it shows is what the next start takes, which is in its files.
    let properties = server.properties(name).await;
    assert_eq!(properties["isRunning"], false, "{properties}");
    assert_eq!(properties[subject.key()], subject.port, "{properties}");
    assert_eq!(properties["defaultHomepage"], "index.html", "{properties}");
}

/// Stops, starts with other settings, stops and starts each of the servers, under load on the others.
async fn each_in_turn(ports: [u16; 4]) {
    let (server, subjects) = four_servers(ports).await;
    for (turn, subject) in subjects.iter().enumerate() {
        let others = subjects.iter().enumerate();
        let others = others.filter(|(other, _)| *other != turn);
        let others: Vec<_> = others
            .map(|(_, other)| other.target(Setup::Files))
            .collect();
        let load = Load::on(&others);
        load.goes_on().await;

        stop_amid_requests(&server, subject, Setup::Files).await;
        load.goes_on().await;
        let other = subject.other_settings();
        let started = server.admin.start(subject.name, &other).await;
        assert_eq!(started, json!({"success": true}), "{}", subject.name);
        subject.assert_serves(Setup::Start).await;
        assert!(subject.is_gone(Setup::Files).await, "{}", subject.name);
        let properties = server.properties(subject.name).await;
        assert_eq!(properties[subject.key()], other[subject.key()]);
        assert_eq!(properties["defaultHomepage"], "other.html");
        load.goes_on().await;

        stop_amid_requests(&server, subject, Setup::Start).await;
        let started = server.admin.start(subject.name, &json!({})).await;
        assert_eq!(started, json!({"success": true}), "{}", subject.name);
        subject.assert_serves(Setup::Files).await;
        assert!(subject.is_gone(Setup::Start).await, "{}", subject.name);
        load.goes_on().await;
        let requests = load.end().await;
        assert!(requests > 50, "{requests} are no load");
    }
}

#[tokio::test]
async fn a_server_that_stops_and_starts_fails_no_request_of_others() {
    each_in_turn([8080, 8081, 8445, 8446]).await;
}

#[tokio::test]
async fn nor_does_one_that_shares_its_port_with_another() {
    each_in_turn([8080, 8081, SHARED, SHARED]).await;
}

/// The code and the message of a start that failed for one reason.
#[track_caller]
fn failure(result: &Value) -> (u64, &str) {
    assert_eq!(result["success"], false, "{result}");
    let errors = result["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 1, "{result}");
    let code = errors[0]["errCode"].as_u64().unwrap();
    (code, errors[0]["message"].as_str().unwrap())
}

#[tokio::test]
async fn a_port_goes_from_one_server_to_another() {
    let (server, subjects) = four_servers([8080, 8081, 8445, 8446]).await;
    let [site, one, two, three] = &subjects[..] else {
        panic!("there are four");
    };
    let success = json!({"success": true});
    let load = Load::on(&[three.target(Setup::Files)]);
    server.admin.stop("two").await;
    for (holder, name) in [(site, "site"), (one, "one")] {
        let wants = json!({"HTTPPort": holder.port, "HTTPSEnabled": false});
        // With HTTPS as well: what is taken is the port, whatever is spoken there.
        for wants in [&wants, &json!({"HTTPSPort": holder.port})] {
            let result = server.admin.start("two", wants).await;
            let (code, message) = failure(&result);
            assert_eq!(code, 1201, "{result}");
            let port = holder.port.to_string();
            assert!(
                message.contains(&format!("{name:?}")) && message.contains(&port),
                "{message}"
            );
            let properties = server.properties("two").await;
            assert_eq!(properties["isRunning"], false, "{properties}");
            assert!(two.is_gone(Setup::Files).await);
            for unaffected in [site, one] {
                unaffected.assert_serves(Setup::Files).await;
            }
        }
        server.admin.stop(name).await;
        assert_eq!(server.admin.start("two", &wants).await, success);
        let target = Target {
            tls: None,
            address: (two.address, holder.port).into(),
            ..two.target(Setup::Files)
        };
        for version in VERSIONS {
            assert_eq!(target.get(version, "/").await.unwrap(), "two");
        }
        let result = server.admin.start(name, &json!({})).await;
        let (code, message) = failure(&result);
        assert!(code == 1201 && message.contains("\"two\""), "{result}");
        server.admin.stop("two").await;
        assert_eq!(server.admin.start(name, &json!({})).await, success);
        holder.assert_serves(Setup::Files).await;
    }
    assert_eq!(server.admin.start("two", &json!({})).await, success);
    two.assert_serves(Setup::Files).await;
    load.goes_on().await;
    load.end().await;
}

#[tokio::test]
async fn a_port_that_another_program_took_meanwhile_is_told() {
    let (server, subjects) = four_servers([8080, 8081, 8445, 8446]).await;
    let (load, success) = (
        Load::on(&[subjects[0].target(Setup::Files)]),
        json!({"success": true}),
    );
    for subject in &subjects[1..3] {
        server.admin.stop(subject.name).await;
        let taken = TcpListener::bind((subject.address, subject.port)).unwrap();
        for _ in 0..3 {
            let result = server.admin.start(subject.name, &json!({})).await;
            let (code, message) = failure(&result);
            assert_eq!(code, 1201, "{result}");
            assert!(message.contains(subject.key()), "{message}");
        }
        drop(taken);
        assert_eq!(server.admin.start(subject.name, &json!({})).await, success);
        subject.assert_serves(Setup::Files).await;
    }
    load.goes_on().await;
    load.end().await;
}
