//! TLS of the host and of a component: its certificate, versions, suites, and what browsers are told.

use rustls::version::{TLS12, TLS13};
use rustls::{CipherSuite as Suite, ProtocolVersion};
use serde_json::{Value, json};
use tessera_tests::{CertificatePair, Client, Server, Site, TlsClient};

use super::{SERVERS, ask, connect, get, restart, set, set_for_later};

const NAME: &str = "site.test";

/// A host and `shop`, both with HTTPS and another pair in `tls/`.
fn secured() -> (Site, [CertificatePair; 2]) {
    let pairs = [(); 2].map(|()| CertificatePair::for_names(&[NAME]));
    let site = Site::new().page("index.html", "v1").guest_as_with(
        "version1",
        "shop",
        "HTTPPort = 8099\nHTTPSPort = 8449\n[mount]\n",
    );
    for folder in ["", "components/shop/"] {
        site.put_certificate(folder, &pairs[0]);
        site.put_certificate(&format!("{folder}tls/"), &pairs[1]);
    }
    (site, pairs)
}

async fn secured_client(server: &Server, name: &str) -> Client {
    let address = server.https_address_of(name).await;
    TlsClient::trusting_all(NAME)
        .http1(address)
        .await
        .unwrap()
        .client
}

#[tokio::test]
async fn the_certificate_is_that_of_its_folder() {
    let (site, [first, second]) = secured();
    let server = site.start().await;
    let shown = async |name: &str| {
        let address = server.https_address_of(name).await;
        let facts = TlsClient::trusting_all(NAME)
            .open(address)
            .await
            .unwrap()
            .facts;
        (facts.is_of(&first), facts.is_of(&second))
    };
    for name in SERVERS {
        assert_eq!(shown(name).await, (true, false), "{name}");
        set_for_later(&server, name, &json!({"certificateFolder": "tls"})).await;
        assert_eq!(shown(name).await, (true, false), "{name}");
        restart(&server, name, &json!({})).await;
        assert_eq!(shown(name).await, (false, true), "{name}");
        // What is given to a start is above it, as a full path too.
        let folder = match name {
            "site" => server.site.path().to_owned(),
            _ => server.site.at("components/shop"),
        };
        restart(&server, name, &json!({"certificateFolder": folder})).await;
        assert_eq!(shown(name).await, (true, false), "{name}");
    }
    // A folder without a pair: no HTTPS, where nothing said that there must be.
    restart(&server, "site", &json!({"certificateFolder": "empty"})).await;
    let site = server.properties("site").await;
    assert_eq!(
        (&site["HTTPSEnabled"], &site["perfectForwardSecrecy"]),
        (&json!(false), &json!(false))
    );
    server.admin.stop("shop").await;
    let result = server
        .admin
        .start("shop", &json!({"certificateFolder": "empty"}))
        .await;
    let message = result["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains("empty/cert.pem"), "{result}");
}

#[tokio::test]
async fn versions_and_suites_are_those_of_the_start() {
    let (site, _) = secured();
    let server = site.start().await;
    let suites = [
        Suite::TLS13_AES_128_GCM_SHA256,
        Suite::TLS13_CHACHA20_POLY1305_SHA256,
    ];
    let list = "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256";
    for name in SERVERS {
        let address = server.https_address_of(name).await;
        let client = || TlsClient::trusting_all(NAME);
        let speaks12 = async || client().version(&TLS12).open(address).await.is_ok();
        // The client's own order is the other way round.
        let chosen = async || {
            let client = client().version(&TLS13).suites(&suites);
            client.open(address).await.unwrap().facts.suite
        };
        assert!(speaks12().await, "{name}");
        assert_eq!(chosen().await, suites[0], "{name}");
        set_for_later(
            &server,
            name,
            &json!({"minTLSVersion": 4, "cipherSuite": list}),
        )
        .await;
        assert!(speaks12().await, "{name}");
        assert_eq!(chosen().await, suites[0], "{name}");
        restart(&server, name, &json!({})).await;
        assert!(!speaks12().await, "{name}");
        assert_eq!(chosen().await, suites[1], "{name}");
        let facts = client().open(address).await.unwrap().facts;
        assert_eq!(facts.version, ProtocolVersion::TLSv1_3);
        // A list of TLS 1.2 alone leaves TLS 1.3 what it has; one of TLS 1.3 leaves nothing to 1.2.
        for (list, speaks, version) in [
            ("ECDHE-ECDSA-AES256-GCM-SHA384", true, &TLS12),
            ("TLS_AES_256_GCM_SHA384", false, &TLS13),
        ] {
            restart(
                &server,
                name,
                &json!({"minTLSVersion": 3, "cipherSuite": list}),
            )
            .await;
            assert_eq!(speaks12().await, speaks, "{name} {list}");
            let suite = client()
                .version(version)
                .open(address)
                .await
                .unwrap()
                .facts
                .suite;
            let expected = [
                Suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
                Suite::TLS13_AES_256_GCM_SHA384,
            ];
            assert!(expected.contains(&suite), "{name} {list}: {suite:?}");
            assert!(
                client().version(&TLS13).open(address).await.is_ok(),
                "{name} {list}"
            );
        }
    }
}

#[tokio::test]
async fn browsers_are_told_to_stay_with_https_over_https_only() {
    const FIELD: &str = "strict-transport-security";
    let (site, _) = secured();
    let server = site.start().await;
    for name in SERVERS {
        let mut plain = connect(&server, name).await;
        let mut safe = secured_client(&server, name).await;
        assert_eq!(ask(&mut safe, get("/")).await.header(FIELD), None);
        set_for_later(&server, name, &json!({"HSTSEnabled": true})).await;
        assert_eq!(ask(&mut safe, get("/")).await.header(FIELD), None);
        restart(&server, name, &json!({})).await;
        let mut safe = secured_client(&server, name).await;
        let two_years = "max-age=63072000";
        for path in ["/", "/missing", "/%zz"] {
            let reply = safe.send(get(path)).await.unwrap();
            assert_eq!(reply.header(FIELD), Some(two_years), "{name} {path}");
        }
        let mut safe = secured_client(&server, name).await;
        // How long is said anew with every response, and switching it off waits.
        for seconds in [0, 300, 2_147_483_647_u64] {
            set(&server, name, json!({"HSTSMaxAge": seconds})).await;
            let expected = format!("max-age={seconds}");
            assert_eq!(
                ask(&mut safe, get("/")).await.header(FIELD),
                Some(&*expected),
                "{name}"
            );
        }
        set_for_later(&server, name, &json!({"HSTSEnabled": Value::Null})).await;
        assert!(
            ask(&mut safe, get("/")).await.header(FIELD).is_some(),
            "{name}"
        );
        plain = match plain.send(get("/")).await {
            Ok(_) => plain,
            // The restart ended it.
            Err(_) => connect(&server, name).await,
        };
        assert_eq!(
            ask(&mut plain, get("/")).await.header(FIELD),
            None,
            "{name}"
        );
        if name == "site" {
            // Of a component on the host's port, it is the host that speaks with the browser.
            let mounted = ask(&mut safe, get("/shop/")).await;
            assert_eq!(
                (mounted.text(), mounted.header(FIELD).is_some()),
                ("v1", true)
            );
        }
        restart(&server, name, &json!({})).await;
        let mut safe = secured_client(&server, name).await;
        assert_eq!(ask(&mut safe, get("/")).await.header(FIELD), None, "{name}");
    }
}
