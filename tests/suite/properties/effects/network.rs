//! Where web servers listen: protocols, ports and addresses, for the host and for a component.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use serde_json::{Value, json};
use tessera_tests::{CertificatePair, Client, Server, Site, TlsClient};

use super::{SERVERS, ask, connect, get, restart, set_for_later, start};
use crate::listen::own_address;

const NAME: &str = "site.test";
/// The ports of either for HTTP and HTTPS, where nobody else has them.
const PORTS: [(&str, u16, u16); 2] = [("site", 8080, 8443), ("shop", 8081, 8444)];

/// A host and `shop`, both with certificates and with settings about their ports.
fn site(host: &str, shop: &str) -> Site {
    let pair = CertificatePair::for_names(&[NAME]);
    Site::new()
        .settings(host)
        .page("index.html", "v1")
        .certificate(&pair)
        .guest_as_with("version1", "shop", shop)
        .certificate_of("shop", &pair)
}

/// The same on [`PORTS`] of an address. A port that was given back there is nobody's.
fn at(address: Ipv4Addr) -> Site {
    let [host, shop] = PORTS.map(|(_, http, https)| {
        format!("HTTPPort = {http}\nHTTPSPort = {https}\nIPAddressToListen = \"{address}\"\n")
    });
    let host = format!("{host}[admin]\naddress = \"{address}:7080\"\n");
    site(&host, &shop).with_ports_of_settings()
}

async fn is_open(address: impl Into<SocketAddr>) -> bool {
    Client::http1(address.into()).await.is_ok()
}

async fn is_secured(address: impl Into<SocketAddr>) -> bool {
    let client = TlsClient::trusting_all(NAME);
    client.open(address.into()).await.is_ok()
}

/// The URLs of the own ports of a web server.
async fn urls(server: &Server, name: &str) -> Vec<String> {
    let urls = server.properties(name).await["urls"].clone();
    let urls = urls.as_array().unwrap().iter();
    urls.map(|url| url.as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn each_protocol_is_switched_off_by_itself() {
    let address = own_address();
    let server = at(address).start().await;
    for (name, http, https) in PORTS {
        let open = async || {
            let http = is_open((address, http)).await;
            (http, is_secured((address, https)).await)
        };
        assert_eq!(open().await, (true, true), "{name}");
        for (settings, expected) in [
            (json!({"HTTPEnabled": false}), (false, true)),
            (json!({"HTTPSEnabled": false}), (true, false)),
            (
                json!({"HTTPEnabled": false, "HTTPSEnabled": false}),
                (false, false),
            ),
        ] {
            // A running server keeps its ports until it is started again.
            restart(&server, name, &json!({})).await;
            set_for_later(&server, name, &settings).await;
            assert_eq!(open().await, (true, true), "{name} {settings}");
            restart(&server, name, &json!({})).await;
            assert_eq!(open().await, expected, "{name} {settings}");
            let urls = urls(&server, name).await;
            let has = |scheme: &str| urls.iter().any(|url| url.starts_with(scheme));
            assert_eq!(
                (has("http://"), has("https://")),
                expected,
                "{name} {settings}"
            );
            let keys = settings.as_object().unwrap().keys();
            let reset = keys.map(|key| (key.clone(), Value::Null)).collect();
            set_for_later(&server, name, &reset).await;
        }
    }
}

#[tokio::test]
async fn a_port_is_changed_by_the_next_start() {
    let address = own_address();
    let server = at(address).start().await;
    let next = (9080, 9443);
    for (name, http, https) in PORTS {
        assert_eq!(server.address_of(name).await, (address, http).into());
        assert_eq!(server.https_address_of(name).await, (address, https).into());
        let mut client = connect(&server, name).await;
        set_for_later(
            &server,
            name,
            &json!({"HTTPPort": next.0, "HTTPSPort": next.1}),
        )
        .await;
        assert_eq!(ask(&mut client, get("/")).await.text(), "v1");
        let shown = server.properties(name).await;
        assert_eq!(shown["pending"], json!(["HTTPPort", "HTTPSPort"]));
        assert_eq!(
            (&shown["HTTPPort"], &shown["HTTPSPort"]),
            (&json!(http), &json!(https))
        );
        server.admin.stop(name).await;
        let shown = server.properties(name).await;
        assert_eq!(
            (&shown["HTTPPort"], &shown["HTTPSPort"]),
            (&json!(next.0), &json!(next.1))
        );
        for port in [http, https, next.0, next.1] {
            assert!(!is_open((address, port)).await, "{name} {port}");
        }
        start(&server, name, &json!({})).await;
        for (port, expected) in [
            (http, false),
            (https, false),
            (next.0, true),
            (next.1, true),
        ] {
            assert_eq!(is_open((address, port)).await, expected, "{name} {port}");
        }
        assert_eq!(
            ask(&mut connect(&server, name).await, get("/"))
                .await
                .text(),
            "v1"
        );
        assert!(is_secured((address, next.1)).await, "{name}");
        // Then the other one may have the same.
        let reset = json!({"HTTPPort": null, "HTTPSPort": null});
        set_for_later(&server, name, &reset).await;
        restart(&server, name, &json!({})).await;
    }
}

#[tokio::test]
async fn port_0_is_the_standard_one() {
    let address = own_address();
    let server = at(address).start().await;
    for name in SERVERS {
        server.admin.stop(name).await;
    }
    for name in SERVERS {
        let zero = json!({"HTTPPort": 0, "HTTPSPort": 0});
        let result = server.admin.start(name, &zero).await;
        if result["success"] == true {
            // The way of who may open them.
            assert!(is_open((address, 80)).await && is_secured((address, 443)).await);
            let expected = ["http", "https"].map(|scheme| format!("{scheme}://{address}/"));
            assert_eq!(urls(&server, name).await, expected, "{name}");
        } else {
            let error = &result["errors"][0];
            let message = error["message"].as_str().unwrap();
            assert_eq!(error["errCode"], 1202, "{result}");
            assert!(message.contains(&format!("{address}:80")), "{result}");
        }
        server.admin.stop(name).await;
    }
}

/// Has a web server listen on addresses, and gives where it is then: each address and a port that the system picked.
async fn listen_on(server: &Server, name: &str, addresses: Value) -> Vec<SocketAddr> {
    restart(server, name, &json!({ "IPAddressToListen": addresses })).await;
    let urls = urls(server, name).await.into_iter();
    let places = urls.filter_map(|url| {
        let place = url.strip_prefix("http://")?;
        place.trim_end_matches('/').parse().ok()
    });
    places.collect()
}

#[tokio::test]
async fn a_web_server_listens_on_its_addresses_and_no_other() {
    let [one, two, other] = [(); 3].map(|()| IpAddr::from(own_address()));
    let has_ipv6 = TcpListener::bind("[::1]:0").is_ok();
    let server = site("", "HTTPPort = 8099\nHTTPSPort = 8449\n")
        .start()
        .await;
    for name in SERVERS {
        let before = server.address_of(name).await;
        set_for_later(&server, name, &json!({"IPAddressToListen": one})).await;
        assert!(is_open(before).await, "{name}");
        restart(&server, name, &json!({})).await;
        assert_eq!(server.address_of(name).await.ip(), one, "{name}");

        let mut lists = vec![vec![two], vec![one, two]];
        if has_ipv6 {
            lists.push(vec![Ipv6Addr::LOCALHOST.into()]);
        }
        for list in lists {
            let places = listen_on(&server, name, json!(list)).await;
            assert_eq!(
                places.iter().map(SocketAddr::ip).collect::<Vec<_>>(),
                list,
                "{name}"
            );
            for place in places {
                let mut client = Client::http1(place).await.unwrap();
                assert_eq!(
                    ask(&mut client, get("/")).await.text(),
                    "v1",
                    "{name} {place}"
                );
                assert!(!is_open((other, place.port())).await, "{name} {place}");
            }
        }
        for any in ["0.0.0.0", "::"] {
            let port = listen_on(&server, name, json!(any)).await[0].port();
            assert!(is_open((other, port)).await, "{name} {any}");
            assert_eq!(
                is_open((Ipv6Addr::LOCALHOST, port)).await,
                has_ipv6,
                "{name} {any}"
            );
        }
        server.admin.stop(name).await;
        let foreign = json!({"IPAddressToListen": "192.0.2.7"});
        let result = server.admin.start(name, &foreign).await;
        assert_eq!(result["errors"][0]["errCode"], 1203, "{result}");
        start(&server, name, &json!({})).await;
    }
}
