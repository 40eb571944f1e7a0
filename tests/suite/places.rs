//! Places that web servers share, on the host's URLs and on ports: who has one, who keeps it, and who gets it.

use std::net::SocketAddr;

use bytes::Bytes;
use http::Request;
use serde_json::json;
use tessera_tests::{AdminClient, CertificatePair, Client, Server, Site, TlsClient, within};

use crate::listen::own_address;

/// Components that answer `v1` at `/one` and `v2` at `/two`.
async fn one_and_two() -> Server {
    Site::new()
        .guest_as_with("version1", "one", &mount("/one"))
        .guest_as_with("version2", "two", &mount("/two"))
        .start()
        .await
}

fn mount(path: &str) -> String {
    format!("[mount]\npath = \"{path}\"\n")
}

async fn start(admin: &AdminClient, server: &str, path: Option<&str>) {
    let settings = path.map_or_else(|| json!({}), |path| json!({"mount": {"path": path}}));
    let result = admin.start(server, &settings).await;
    assert_eq!(result, json!({"success": true}), "{server} {path:?}");
}

#[tokio::test]
async fn a_stopped_component_that_wants_what_another_has_is_in_nobodys_way() {
    let server = one_and_two().await;
    server.admin.stop("one").await;
    let settings = mount("/two");
    server.site.write("components/one/settings.toml", settings);
    server.admin.post("/api/v1/servers/one/reload").await;
    assert_eq!(server.get("/two/").await.text(), "v2");
    // It is told itself, and nobody else is.
    let result = server.admin.start("one", &json!({})).await;
    assert_eq!(result["errors"][0]["errCode"], json!(1402), "{result}");
    server.site.put_guest("echo", "third");
    server.wait_for_status("/third/", 200).await;
    server.admin.stop("two").await;
    start(&server.admin, "two", None).await;
    assert_eq!(server.get("/two/").await.text(), "v2");
}

#[tokio::test]
async fn a_stopped_component_keeps_the_place_of_its_next_start() {
    let server = one_and_two().await;
    let admin = &server.admin;
    admin.stop("one").await;
    assert_eq!(server.get("/one/").await.status, 503);
    start(admin, "one", Some("/three")).await;
    assert_eq!(server.get("/three/").await.text(), "v1");
    assert_eq!(server.get("/one/").await.status, 404);
    admin.stop("one").await;
    assert_eq!(server.get("/three/").await.status, 404);
    assert_eq!(server.get("/one/").await.status, 503);
    // Unless somebody else has got it meanwhile.
    start(admin, "one", Some("/three")).await;
    admin.stop("two").await;
    start(admin, "two", Some("/one")).await;
    admin.stop("one").await;
    assert_eq!(server.get("/one/").await.text(), "v2");
    admin.stop("two").await;
    start(admin, "two", None).await;
    start(admin, "one", None).await;
    for (path, text) in [("/one/", "v1"), ("/two/", "v2")] {
        assert_eq!(server.get(path).await.text(), text);
    }
}

#[tokio::test]
async fn clients_that_name_no_server_of_a_port_get_the_hosts() {
    let address = own_address();
    let shared = format!("HTTPSPort = 8443\nIPAddressToListen = \"{address}\"\n");
    let [host, a, b] = ["site", "a", "b"].map(|name| CertificatePair::for_names(&[name]));
    let server = Site::new()
        .settings(&format!(
            "HTTPPort = 8080\n{shared}[admin]\naddress = \"{address}:7080\"\n"
        ))
        .with_ports_of_settings()
        .certificate(&host)
        .guest_as_with("version1", "a", &shared)
        .certificate_of("a", &a)
        .guest_as_with("version2", "b", &shared)
        .certificate_of("b", &b)
        .start()
        .await;
    let is_given = async |pair: &CertificatePair| {
        let client = TlsClient::trusting_all("nobody.test");
        let connection = client.open(SocketAddr::from((address, 8443))).await;
        connection.unwrap().facts.is_of(pair)
    };
    assert!(is_given(&host).await);
    server.admin.stop("site").await;
    assert!(is_given(&a).await);
    server.admin.stop("a").await;
    assert!(is_given(&b).await);
    // Coming back later takes nothing away.
    start(&server.admin, "a", None).await;
    assert!(is_given(&a).await);
    start(&server.admin, "site", None).await;
    assert!(is_given(&host).await);
}

#[tokio::test]
async fn a_port_that_nobody_connects_to_takes_no_connection_from_the_others() {
    let server = Site::new()
        .settings("[server]\nmax_connections = 1\n")
        .guest_with("version1", "HTTPPort = 8099\n")
        .start()
        .await;
    let own = server.address_of("version1").await;
    for address in [server.address, own, server.address, own] {
        let mut client = Client::http1(address).await.unwrap();
        let request = Request::get("/").body(Bytes::new()).unwrap();
        let reply = within("an answer", client.send(request)).await;
        assert_eq!(reply.unwrap().status, 200, "{address}");
    }
}

#[tokio::test]
async fn a_connection_is_for_the_server_that_its_name_chose() {
    let address = own_address();
    let shared = format!("HTTPSPort = 8443\nIPAddressToListen = \"{address}\"\n");
    // As browsers take it, a connection to the host may carry requests for all names of its certificate.
    let host = CertificatePair::for_names(&["site.test", "*.site.test"]);
    let shop = CertificatePair::for_names(&["shop.site.test"]);
    let server = Site::new()
        .settings(&format!(
            "HTTPPort = 8080\n{shared}[admin]\naddress = \"{address}:7080\"\n"
        ))
        .with_ports_of_settings()
        .certificate(&host)
        .page("index.html", "host")
        .guest_as_with("version1", "shop", &shared)
        .certificate_of("shop", &shop)
        .start()
        .await;
    let client = TlsClient::trusting_all("site.test");
    let at = SocketAddr::from((address, 8443));
    let own = address.to_string();
    for mut connection in [
        client.http2(at).await.unwrap(),
        client.http1(at).await.unwrap(),
    ] {
        for (name, expected) in [
            ("site.test", Some("host")),
            ("other.site.test:8443", Some("host")),
            ("elsewhere.test", Some("host")),
            (&own, Some("host")),
            ("Shop.site.test:8443", None),
            ("shop.site.test", None),
        ] {
            let request = Request::get("/").header("host", name);
            let request = request.body(Bytes::new()).unwrap();
            let reply = connection.client.send(request).await.unwrap();
            match expected {
                Some(text) => assert_eq!(reply.text(), text, "{name}"),
                None => assert_eq!(reply.status, 421, "{name}"),
            }
        }
        // With the shop gone, the host's certificate is the only one for it.
        server.admin.stop("shop").await;
        let request = Request::get("/").header("host", "shop.site.test");
        let request = request.body(Bytes::new()).unwrap();
        let reply = connection.client.send(request).await.unwrap();
        assert_eq!(reply.text(), "host");
        start(&server.admin, "shop", None).await;
    }
}

#[tokio::test]
async fn no_server_has_the_key_of_another_among_its_files() {
    let pair = CertificatePair::for_names(&["shop.test"]);
    let site = Site::new().page("a.txt", "file");
    let folder = |path: &str| site.at(path).display().to_string();
    let own = |path: &str| {
        format!(
            "HTTPSPort = 8443\ncertificateFolder = \"{}\"\n",
            folder(path)
        )
    };
    let (inside, outside) = (own("WebFolder/keys"), own("keys/shop"));
    for path in ["WebFolder/keys/", "keys/shop/"] {
        site.put_certificate(path, &pair);
    }
    let server = site
        .guest_as_with("version1", "shop", &inside)
        .start()
        .await;
    let shop = server.properties("shop").await;
    assert_eq!(shop["isRunning"], json!(false), "{shop}");
    let error = shop["error"].as_str().unwrap();
    assert!(
        error.contains("WebFolder/keys") && error.contains("site"),
        "{error}"
    );
    server.site.write("components/shop/settings.toml", outside);
    server
        .wait_until("the shop runs", async || {
            let shop = server.properties("shop").await;
            (shop["isRunning"] == true).then_some(())
        })
        .await;
    // The other way round.
    server.admin.stop("site").await;
    let settings = json!({"rootFolder": "keys"});
    let result = server.admin.start("site", &settings).await;
    assert_eq!(result["errors"][0]["errCode"], json!(1301), "{result}");
    start(&server.admin, "site", None).await;
    let reply = server.admin.patch("/api/v1/servers/site", &settings).await;
    assert_eq!(reply.status, 422, "{reply:?}");
    assert_eq!(server.get("/shop/key.pem").await.status, 404);
}
