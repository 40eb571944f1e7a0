//! Which web server answers: mounts by path and by host name, and ports of their own.

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use tessera_tests::{Client, RawClient, Server, Site};

fn of_host(host: &str, path: &str) -> Request<Bytes> {
    let request = Request::get(path).header("host", host);
    request.body(Bytes::new()).unwrap()
}

/// The value of a field, as the `echo` guest saw it; null if it saw none.
fn seen(echo: &Value, name: &str) -> Value {
    let fields = echo["headers"].as_array().unwrap();
    let is_it = |field: &&Value| {
        let text = field[0].as_str().unwrap();
        text.eq_ignore_ascii_case(name)
    };
    let found: Vec<_> = fields.iter().filter(is_it).collect();
    assert!(found.len() < 2, "{name} is there more than once: {echo}");
    found.first().map_or(Value::Null, |field| field[1].clone())
}

async fn echo(server: &Server, path: &str) -> Value {
    let reply = server.get(path).await;
    assert_eq!(reply.status, 200, "{path}: {reply:?}");
    reply.json()
}

#[tokio::test]
async fn a_place_that_is_taken_is_an_error_that_names_both() {
    let server = Site::new()
        .guest_with("echo", "[mount]\npath = \"/shop\"\n")
        .start()
        .await;
    server.site.write(
        "components/spin/settings.toml",
        "[mount]\npath = \"/shop\"\n",
    );
    server.site.write(
        "components/spin/spin.wasm",
        std::fs::read(tessera_tests::guest("spin")).unwrap(),
    );
    let log = server.wait_for_log(&["not loaded", "spin", "echo"]).await;
    assert!(log.contains("/shop"), "{log}");
    let spin = server.properties("spin").await;
    assert_eq!(spin["isRunning"], json!(false));
    let error = spin["error"].as_str().unwrap();
    assert!(error.contains("/shop") && error.contains("echo"), "{error}");
    // Who was there first goes on.
    assert_eq!(echo(&server, "/shop/a").await["url"], "/a");
}

#[tokio::test]
async fn a_component_is_mounted_by_its_name() {
    let server = Site::new().guest("echo").start().await;
    for (asked, expected) in [
        ("/echo", "/"),
        ("/echo/", "/"),
        ("/echo?a=b", "/?a=b"),
        ("/echo/a/b?c=d", "/a/b?c=d"),
        ("/echo/%41/b%2Fc?d=%20+", "/%41/b%2Fc?d=%20+"),
        ("/echo//x", "//x"),
    ] {
        let echo = echo(&server, asked).await;
        assert_eq!(echo["url"], expected, "{asked}");
        assert_eq!(echo["parameters"]["url"], expected, "{asked}");
        assert_eq!(seen(&echo, "X-Forwarded-Prefix"), "/echo", "{asked}");
    }
    // Not what only begins alike, and not by a part of the path.
    for path in ["/echoes", "/ech", "/a/echo", "/ECHO/"] {
        assert_eq!(server.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_mount_has_a_path_and_may_keep_it() {
    let server = Site::new()
        .guest_with("echo", "[mount]\npath = \"/shop/cart\"\n")
        .guest_as_with("echo", "kept", "[mount]\npath = \"/kept\"\nstrip = false\n")
        .start()
        .await;
    let stripped = echo(&server, "/shop/cart/a?b").await;
    assert_eq!(stripped["url"], "/a?b");
    assert_eq!(seen(&stripped, "X-Forwarded-Prefix"), "/shop/cart");
    for path in ["/echo/a", "/shop", "/shop/cartoon"] {
        assert_eq!(server.get(path).await.status, 404, "{path}");
    }
    let kept = echo(&server, "/kept/a?b").await;
    assert_eq!(kept["url"], "/kept/a?b");
    assert_eq!(seen(&kept, "X-Forwarded-Prefix"), Value::Null);
}

#[tokio::test]
async fn a_client_cannot_forge_the_prefix() {
    let server = Site::new().guest("echo").start().await;
    let request = Request::get("/echo/a").header("X-Forwarded-Prefix", "/evil");
    let reply = server.send(request.body(Bytes::new()).unwrap()).await;
    assert_eq!(seen(&reply.json(), "X-Forwarded-Prefix"), "/echo");
}

#[tokio::test]
async fn a_mount_may_be_a_host_name() {
    let server = Site::new()
        .page("a.txt", "the host's")
        .guest_with("echo", "[mount]\nhost = \"shop.example.com\"\n")
        .guest_as_with(
            "version1",
            "cart",
            "[mount]\nhost = \"shop.example.com\"\npath = \"/cart\"\n",
        )
        .start()
        .await;
    for host in [
        "shop.example.com",
        "SHOP.example.com",
        "shop.example.com:8080",
    ] {
        let reply = server.send(of_host(host, "/a.txt?b")).await;
        assert_eq!(reply.status, 200, "{host}");
        assert_eq!(reply.json()["url"], "/a.txt?b", "{host}");
        assert_eq!(seen(&reply.json(), "Host"), host);
        let reply = server.send(of_host(host, "/cart/x")).await;
        assert_eq!(reply.text(), "v1", "{host}");
    }
    for host in ["example.com", "www.shop.example.com", "127.0.0.1"] {
        let reply = server.send(of_host(host, "/a.txt")).await;
        assert_eq!(reply.text(), "the host's", "{host}");
    }
    // HTTP/2 has the host elsewhere, and HTTP/1.1 may have it in the request line.
    let mut client = Client::http2(server.address).await.unwrap();
    let reply = client
        .send(of_host("shop.example.com", "/b"))
        .await
        .unwrap();
    assert_eq!(reply.json()["url"], "/b");
    let answer = RawClient::exchange(
        server.address,
        "GET http://shop.example.com/cart/ HTTP/1.1\r\nHost: shop.example.com\r\nConnection: close\r\n\r\n",
    )
    .await;
    assert!(answer.ends_with("v1"), "{answer}");
}

#[tokio::test]
async fn a_component_may_have_a_port_of_its_own() {
    let server = Site::new()
        .guest_with("echo", "HTTPPort = 8099\n")
        .guest_as_with(
            "echo",
            "both",
            "HTTPPort = 8098\n[mount]\npath = \"/both\"\n",
        )
        .start()
        .await;
    for (name, mounted) in [("echo", 404), ("both", 200)] {
        let own = server.address_of(name).await;
        assert_ne!(own, server.address);
        let mut client = Client::http1(own).await.unwrap();
        let reply = client.send(of_host("a", "/x?y")).await.unwrap();
        assert_eq!(reply.json()["url"], "/x?y", "{name}");
        assert_eq!(seen(&reply.json(), "X-Forwarded-Prefix"), Value::Null);
        let port = json!(own.port());
        assert_eq!(server.properties(name).await["HTTPPort"], port, "{name}");
        let reply = server.get(&format!("/{name}/x")).await;
        assert_eq!(reply.status, mounted, "{name}");
    }
    // Other components are not to be had at this port.
    let mut client = Client::http1(server.address_of("echo").await)
        .await
        .unwrap();
    let reply = client.send(of_host("a", "/both/x")).await.unwrap();
    assert_eq!(reply.json()["url"], "/both/x");
}

#[tokio::test]
async fn a_component_sees_all_web_servers() {
    let server = Site::new()
        .guest("echo")
        .guest_with("version1", "HTTPPort = 8099\n")
        .start()
        .await;
    let seen = echo(&server, "/echo/4DACTION/servers").await;
    assert_eq!(seen["own"], "echo");
    assert_eq!(seen["host"], "site");
    assert_eq!(seen["receiving"], "site");
    let names: Vec<_> = seen["servers"].as_array().unwrap().iter().collect();
    let names: Vec<_> = names.iter().map(|one| one["server"].as_str()).collect();
    assert_eq!(names, [Some("site"), Some("echo"), Some("version1")]);
    let version1 = &seen["servers"][2]["properties"];
    assert_eq!(version1["isRunning"], json!(true));
    assert_eq!(version1["kind"], "component");
}
