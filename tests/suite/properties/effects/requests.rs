//! Files and requests: each setting is changed while a connection is open, and holds for its next request.

use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Value, json};
use tessera_tests::{Client, RawClient, Reply, Server, Site};
use tokio::task::JoinHandle;

use super::{OWN_PORT, SERVERS, ask, connect, get, request, set, site};

#[tokio::test]
async fn the_root_and_its_home_page_change_while_a_connection_is_open() {
    let mut site = Site::new().guest_as_with("version1", "shop", OWN_PORT);
    for (folder, name) in [("", "site"), ("components/shop/", "shop")] {
        for (page, text) in [
            ("WebFolder/index.html", "home"),
            ("WebFolder/sub/start.html", "start"),
            ("public/html/index.html", "public"),
        ] {
            site = site.file(&format!("{folder}{page}"), format!("{text} of {name}"));
        }
    }
    let server = site.start().await;
    for name in SERVERS {
        let mut client = connect(&server, name).await;
        let public = server.site.at(match name {
            "shop" => "components/shop/public/html",
            _ => "public/html",
        });
        for (options, expected) in [
            (json!({}), "home"),
            (json!({"defaultHomepage": "sub/start.html"}), "start"),
            (json!({"defaultHomepage": "missing.html"}), ""),
            (json!({"defaultHomepage": ""}), ""),
            (json!({"defaultHomepage": null}), "home"),
            (json!({"rootFolder": "public/html"}), "public"),
            (json!({"rootFolder": "nothing/there"}), ""),
            (json!({"rootFolder": public}), "public"),
            (json!({"rootFolder": null}), "home"),
        ] {
            set(&server, name, options.clone()).await;
            let reply = ask(&mut client, get("/")).await;
            match (expected, name) {
                ("", "site") => assert_eq!(reply.status, 404, "{options}"),
                // With no page `/` goes to On Web Connection.
                ("", _) => assert_eq!(reply.text(), "v1", "{options}"),
                (text, name) => assert_eq!(reply.text(), format!("{text} of {name}"), "{options}"),
            }
        }
    }
}

/// Whether a page of another host may ask.
async fn cross_site(client: &mut Client, method: Method, origin: &str) -> bool {
    let reply = ask(client, request(method, "/", &[("origin", origin)])).await;
    let allowed = reply.header("access-control-allow-origin");
    match reply.status.as_u16() {
        403 => assert_eq!(allowed, None),
        // What a server without CORS says is the same as before there was any.
        status => {
            assert_eq!(status, 200);
            assert!(
                allowed.is_none_or(|allowed| allowed == origin || allowed == "*"),
                "{reply:?}"
            );
        }
    }
    allowed.is_some()
}

#[tokio::test]
async fn what_is_let_in_changes_while_a_connection_is_open() {
    let server = Site::new()
        .page("index.html", "home")
        .guest_as_with("version1", "shop", OWN_PORT)
        .start()
        .await;
    let rules = |host: &str| json!([{"host": host, "methods": "get"}]);
    for name in SERVERS {
        let mut client = connect(&server, name).await;
        for (traced, status) in [(true, 200), (false, 405), (true, 200)] {
            set(&server, name, json!({"HTTPTrace": traced})).await;
            let reply = ask(
                &mut client,
                request(Method::TRACE, "/a?b", &[("x-way", "one")]),
            )
            .await;
            assert_eq!(reply.status, status, "{name}");
            let echoed = reply.text().starts_with("TRACE /a?b HTTP/1.1\r\n");
            assert_eq!(
                echoed && reply.text().contains("x-way: one\r\n"),
                traced,
                "{reply:?}"
            );
        }

        let (one, two) = ("https://one.example", "https://two.example");
        // Without CORS nobody is told anything, and nobody is refused.
        assert!(!cross_site(&mut client, Method::GET, one).await, "{name}");
        for (options, expected) in [
            (json!({"CORSEnabled": true}), [false; 3]),
            (
                json!({"CORSSettings": rules("one.example")}),
                [true, false, false],
            ),
            (
                json!({"CORSSettings": rules("*.example")}),
                [true, true, false],
            ),
            (json!({"CORSSettings": [{"host": "*"}]}), [true; 3]),
            (json!({"CORSSettings": null}), [false; 3]),
        ] {
            set(&server, name, options.clone()).await;
            for ((method, origin), expected) in
                [(Method::GET, one), (Method::GET, two), (Method::HEAD, one)]
                    .into_iter()
                    .zip(expected)
            {
                let found = cross_site(&mut client, method, origin).await;
                assert_eq!(found, expected, "{name} {options}");
            }
            let refused = ask(
                &mut client,
                request(Method::GET, "/", &[("origin", "null")]),
            )
            .await;
            assert_eq!(
                refused.status == 403,
                options["CORSSettings"] != json!([{"host": "*"}]),
                "{name} {options}"
            );
        }
        set(&server, name, json!({"CORSEnabled": false})).await;
        assert!(!cross_site(&mut client, Method::GET, one).await, "{name}");

        // Where they may, the host has nobody to answer them, and a component has.
        let found = if name == "site" { 404 } else { 200 };
        for (allowed, status) in [(false, 403), (true, found), (false, 403)] {
            set(&server, name, json!({"web": {"allow_4dsync": allowed}})).await;
            let reply = ask(&mut client, get("/4DSYNC/x")).await;
            assert_eq!(reply.status, status, "{name}");
        }
    }
}

/// The first line of the answer to the head of a POST with a body of so many bytes; `100` when the body is wanted.
async fn asked_to_send(server: &Server, name: &str, length: u64) -> String {
    let mut client = RawClient::connect(server.address_of(name).await).await;
    let head = format!(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n\r\n"
    );
    client.send(head).await;
    let line = client.read_until("\r\n").await;
    line.split(' ').nth(1).unwrap().to_owned()
}

#[tokio::test]
async fn the_largest_body_changes_at_once_and_the_highest_value_is_no_limit() {
    let server = site("").page("index.html", "home").start().await;
    // A file takes no POST at all; the size is looked at before that.
    for (name, wanted) in [("site", "405"), ("shop", "100")] {
        let mut client = connect(&server, name).await;
        for (limit, length, expected) in [
            (Value::Null, 2_000_000, wanted),
            (Value::Null, 2_000_001, "413"),
            (json!(500_000), 500_000, wanted),
            (json!(500_000), 500_001, "413"),
            (json!(2_147_483_646), 2_147_483_647, "413"),
            (json!(2_147_483_647), 2_147_483_648, wanted),
            (json!(2_147_483_647), 1 << 40, wanted),
        ] {
            set(&server, name, json!({"maxRequestSize": limit})).await;
            assert_eq!(
                asked_to_send(&server, name, length).await,
                expected,
                "{name} {limit} {length}"
            );
            assert_eq!(ask(&mut client, get("/index.html")).await.status, 200);
        }
    }
    // A body that does not say how long it is, on the component's own port.
    set(&server, "shop", json!({"maxRequestSize": 500_000})).await;
    let mut client = RawClient::connect(server.address_of("shop").await).await;
    let head =
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    let _ = client
        .try_send([head, &chunk.repeat(8), "0\r\n\r\n"].concat())
        .await;
    let answer = client.read_to_end().await;
    // The guest tells the error as its answer.
    assert!(
        answer.starts_with("HTTP/1.1 413 ") || answer.contains("larger than maxRequestSize"),
        "{answer}"
    );
}

async fn sleep(server: &Server, name: &str, path: &str) -> Reply {
    connect(server, name).await.send(get(path)).await.unwrap()
}

#[tokio::test]
async fn the_number_of_processes_changes_at_once() {
    let settings = "HTTPPort = 8099\n[mount]\n[limits]\ndeadline = \"60 s\"\n";
    let server = Site::new()
        .guest_as_with("sleep", "shop", settings)
        .start()
        .await;
    let mut sleeping: Vec<JoinHandle<_>> = Vec::new();
    for _ in 0..9 {
        let mut client = connect(&server, "site").await;
        sleeping.push(tokio::spawn(async move {
            client.send(get("/shop/sleep/60000")).await
        }));
    }
    for name in SERVERS {
        server.wait_for_processes(name, 9).await;
    }
    // Handed over by the host they count for both, else for the component alone.
    for (host, shop, by_host, by_shop) in [
        (100, 100, 200, 200),
        (10, 100, 503, 200),
        (11, 100, 200, 200),
        (11, 10, 503, 503),
        (100, 11, 200, 200),
    ] {
        for (name, limit) in [("site", host), ("shop", shop)] {
            set(&server, name, json!({"maxConcurrentProcesses": limit})).await;
        }
        let mounted = sleep(&server, "site", "/shop/sleep/1").await;
        let own = sleep(&server, "shop", "/sleep/1").await;
        assert_eq!(
            (mounted.status.as_u16(), own.status.as_u16()),
            (by_host, by_shop),
            "{host} {shop}"
        );
    }
    // Those that ran have not been touched.
    for task in &sleeping {
        assert!(!task.is_finished());
    }
    for task in sleeping {
        task.abort();
    }
    for name in SERVERS {
        server.wait_for_processes(name, 0).await;
    }
}

#[tokio::test]
async fn a_request_that_has_begun_ends_by_the_settings_it_began_with() {
    let server = site("").start().await;
    let mut client = RawClient::connect(server.address_of("shop").await).await;
    client
        .send("POST /4DACTION/say HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\
            Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 16\r\n\r\ntype=text/plain")
        .await;
    server.wait_for_processes("shop", 1).await;
    set(
        &server,
        "shop",
        json!({"characterSet": "Windows-1251", "defaultHomepage": ""}),
    )
    .await;
    client.send("&").await;
    let answer = client.read_to_end().await.to_ascii_lowercase();
    assert!(
        answer.contains("content-type: text/plain; charset=utf-8\r\n"),
        "{answer}"
    );
    let request = Request::get("/4DACTION/say?type=text/plain")
        .body(Bytes::new())
        .unwrap();
    let after = connect(&server, "shop").await.send(request).await.unwrap();
    assert_eq!(
        after.header("content-type"),
        Some("text/plain; charset=windows-1251")
    );
}
