//! Requests that a component answers: what its hooks are told, and how what they answer arrives.

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use tessera_tests::{Client, RawClient, Reply, Server, Site};

const HEADER_TEXT_MAX: usize = 32 * 1024;

async fn echo_server() -> Server {
    Site::new().guest("echo").start().await
}

async fn echo(server: &Server, path: &str) -> Value {
    let reply = server.get(path).await;
    assert_eq!(reply.status, 200, "{path}: {reply:?}");
    reply.json()
}

/// The JSON at the end of a raw response.
fn raw_json(answer: &str) -> Value {
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

#[tokio::test]
async fn on_web_connection_gets_its_six_parameters() {
    let server = echo_server().await;
    let raw = "POST /echo/a/b?c=d HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\
               Authorization: Basic YW5uOnMzY3I6ZXQ=\r\nContent-Type: text/plain\r\n\
               Content-Length: 11\r\n\r\nthe b\u{f6}dy!\n";
    let answer = RawClient::exchange(server.address, raw).await;
    let echo = raw_json(&answer);
    assert_eq!(echo["hook"], "connection");
    let parameters = &echo["parameters"];
    assert_eq!(parameters["url"], "/a/b?c=d");
    assert_eq!(parameters["browserIP"], "::ffff:127.0.0.1");
    assert_eq!(parameters["serverIP"], "::ffff:127.0.0.1");
    assert_eq!(parameters["user"], "ann");
    assert_eq!(parameters["password"], "s3cr:et");
    let header = parameters["header"].as_str().unwrap();
    assert!(header.starts_with("POST /a/b?c=d HTTP/1.1\r\n"), "{header}");
    for line in ["Host: example.com\r\n", "Content-Type: text/plain\r\n"] {
        assert!(header.contains(line), "{header}");
    }
    assert!(header.ends_with("\r\n\r\nthe b\u{f6}dy!\n"), "{header}");
    // The same by the other ways to ask.
    assert_eq!(echo["method"], "POST");
    assert_eq!(echo["url"], "/a/b?c=d");
    assert_eq!(echo["version"], "HTTP/1.1");
    assert_eq!(echo["bodyLength"], json!(11));
    assert_eq!(echo["secured"], json!(false));
    assert_eq!(echo["clientAddress"], "::ffff:127.0.0.1");
    assert_eq!(echo["serverAddress"], "::ffff:127.0.0.1");
    assert_eq!(echo["headers"][0], json!(["X-METHOD", "POST"]));
    assert_eq!(echo["headers"][1], json!(["X-URL", "/a/b?c=d"]));
    assert_eq!(echo["headers"][2], json!(["X-VERSION", "HTTP/1.1"]));
}

#[tokio::test]
async fn the_header_text_ends_at_32_kib() {
    let server = echo_server().await;
    let body = "a\u{e4}".repeat(40_000);
    let reply = server.post("/echo/x", "text/plain", body.clone()).await;
    let echo = reply.json();
    let header = echo["parameters"]["header"].as_str().unwrap();
    // Never in the midst of a character.
    assert!(
        (HEADER_TEXT_MAX - 3..=HEADER_TEXT_MAX).contains(&header.len()),
        "{}",
        header.len()
    );
    // The body is whole all the same.
    assert_eq!(echo["bodyLength"], json!(body.len()));
}

#[tokio::test]
async fn credentials_are_empty_without_basic_authentication() {
    let server = echo_server().await;
    for authorization in [
        None,
        Some("Bearer abc"),
        Some("Basic ???"),
        Some("Basic YW5u"),
    ] {
        let mut request = Request::get("/echo/x");
        if let Some(value) = authorization {
            request = request.header("authorization", value);
        }
        let reply = server.send(request.body(Bytes::new()).unwrap()).await;
        let parameters = &reply.json()["parameters"];
        assert_eq!(parameters["user"], "", "{authorization:?}");
        assert_eq!(parameters["password"], "", "{authorization:?}");
    }
}

#[tokio::test]
async fn http2_looks_the_same_to_a_component() {
    let server = echo_server().await;
    let mut client = Client::http2(server.address).await.unwrap();
    let request = Request::get("/echo/a?b").body(Bytes::new()).unwrap();
    let echo = client.send(request).await.unwrap().json();
    assert_eq!(echo["version"], "HTTP/2.0");
    let header = echo["parameters"]["header"].as_str().unwrap();
    assert!(header.starts_with("GET /a?b HTTP/2.0\r\n"), "{header}");
    let host = format!("Host: {}\r\n", server.address);
    assert!(header.contains(&host), "{header}");
}

#[tokio::test]
async fn variables_come_from_the_query_or_the_form() {
    let server = echo_server().await;
    let get = echo(
        &server,
        "/echo/x?vName=Ann+B&vExact=%C3%A4%26&empty=&vName=again",
    )
    .await;
    assert_eq!(
        get["variables"],
        json!([
            ["vName", "Ann B"],
            ["vExact", "\u{e4}&"],
            ["empty", ""],
            ["vName", "again"]
        ])
    );
    let form = "vName=Ann&vExact=Word&sum=1%2B1%3D2";
    let posted = server.post_form("/echo/4DACTION/echo?not=this", form).await;
    assert_eq!(
        posted.json()["variables"],
        json!([["vName", "Ann"], ["vExact", "Word"], ["sum", "1+1=2"]])
    );
    let parts = "--sep\r\nContent-Disposition: form-data; name=\"vName\"\r\n\r\nAnn\r\n\
                 --sep\r\nContent-Disposition: form-data; name=\"vFile\"; filename=\"a.txt\"\r\n\
                 Content-Type: text/plain\r\n\r\nline one\r\nline two\r\n--sep--\r\n";
    let multipart = "multipart/form-data; boundary=sep";
    let posted = server.post("/echo/x", multipart, parts).await;
    assert_eq!(
        posted.json()["variables"],
        json!([["vName", "Ann"], ["vFile", "line one\r\nline two"]])
    );
    let json_body = server
        .post("/echo/x", "application/json", "{\"a\":1}")
        .await;
    assert_eq!(json_body.json()["variables"], json!([]));
}

#[tokio::test]
async fn forms_that_are_broken_are_the_handlers_to_judge() {
    let server = echo_server().await;
    let multipart = "multipart/form-data; boundary=sep";
    let broken = server.post("/echo/x", multipart, "no parts at all").await;
    assert_eq!(broken.status, 200);
    assert!(broken.json()["variables"].is_string(), "{broken:?}");
    let many = "a=1&".repeat(10_001);
    let posted = server.post_form("/echo/x", &many).await;
    let error = posted.json()["variables"].clone();
    assert!(error.as_str().unwrap().contains("10000"), "{error}");
}

#[tokio::test]
async fn a_method_is_called_by_4daction() {
    let server = echo_server().await;
    for (path, parameter) in [
        ("/echo/4DACTION/echo", Value::Null),
        ("/echo/4DACTION/echo/", Value::Null),
        ("/echo/4DACTION/echo/a%20b", json!("a b")),
        ("/echo/4DACTION/echo/a/b?c=d", json!("a/b")),
        ("/echo/4daction/ECHO/x", json!("x")),
        ("/echo/4DAction/Echo/%C3%A4", json!("\u{e4}")),
    ] {
        let echo = echo(&server, path).await;
        assert_eq!(echo["hook"], "method", "{path}");
        assert_eq!(echo["parameters"], parameter, "{path}");
    }
    let posted = server
        .post("/echo/4DACTION/echo/p", "text/plain", "body")
        .await;
    assert_eq!(posted.json()["bodyLength"], json!(4));
}

#[tokio::test]
async fn what_may_not_be_called_is_refused() {
    let server = Site::new().guest("echo").guest("spin").start().await;
    for (path, status) in [
        ("/echo/4DACTION/hidden", 403),
        ("/echo/4daction/HIDDEN/x", 403),
        ("/echo/4DACTION/hidd%65n", 403),
        ("/echo/4DACTION/none", 404),
        ("/echo/4DACTION/", 404),
        ("/echo/4DACTION", 404),
        ("/spin/4DACTION/echo", 404),
        // The host's server has no methods, and none of the components' by this way.
        ("/4DACTION/echo", 404),
        ("/4DCGI/x", 404),
    ] {
        let reply = server.get(path).await;
        assert_eq!(reply.status, status, "{path}");
        assert!(!reply.text().contains("hidden"), "{path}");
    }
}

#[tokio::test]
async fn authentication_stands_before_everything_dynamic() {
    let site = Site::new().guest_with("guard", "");
    site.write("components/guard/WebFolder/file.txt", "a file");
    let server = site.start().await;
    let ask = async |path: &str, credentials: &str| -> Reply {
        let mut request = Request::get(path);
        if !credentials.is_empty() {
            request = request.header("authorization", format!("Basic {credentials}"));
        }
        server.send(request.body(Bytes::new()).unwrap()).await
    };
    const ANN: &str = "YW5uOnNlY3JldA==";
    const ANN_WRONG: &str = "YW5uOndyb25n";
    for (path, credentials, status, text) in [
        ("/guard/x", "", 401, ""),
        ("/guard/x", ANN_WRONG, 401, ""),
        ("/guard/x", ANN, 200, "user=ann password=secret"),
        ("/guard/open", "", 200, "user= password="),
        ("/guard/4DACTION/safe", "", 401, ""),
        ("/guard/4DACTION/safe", ANN_WRONG, 401, ""),
        ("/guard/4DACTION/safe", ANN, 200, "inside"),
        ("/guard/broken", ANN, 401, ""),
        ("/guard/file.txt", "", 200, "a file"),
    ] {
        let reply = ask(path, credentials).await;
        assert_eq!(reply.status, status, "{path} {credentials}");
        match status {
            200 => assert_eq!(reply.text(), text, "{path} {credentials}"),
            _ => assert!(!reply.text().contains("inside"), "{path}"),
        }
    }
    // Why the guard itself failed is the operator's to know.
    server
        .wait_for_log(&["the guard failed on purpose", "guard"])
        .await;
    assert!(
        !ask("/guard/broken", ANN)
            .await
            .text()
            .contains("on purpose")
    );
}

#[tokio::test]
async fn compiler_web_runs_before_every_request() {
    let server = echo_server().await;
    // The guest forgets after each request that it ran.
    for path in ["/echo/a", "/echo/b", "/echo/4DACTION/echo"] {
        assert_eq!(echo(&server, path).await["compiled"], json!(true), "{path}");
    }
}

#[tokio::test]
async fn an_answer_arrives_as_it_was_made() {
    let server = echo_server().await;
    let pot = server.get("/echo/4DACTION/teapot").await;
    assert_eq!(pot.status, 418);
    assert_eq!(pot.header("x-pot"), Some("tea"));
    let cookies: Vec<_> = pot.headers.get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["a=1", "b=2"]);
    assert_eq!(pot.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(pot.text(), "<p>short and stout</p>".replace("</p>", ""));

    let bytes = server.get("/echo/4DACTION/bytes").await;
    let every_byte: Vec<u8> = (0..=255).collect();
    assert_eq!(bytes.body, every_byte);
    assert_eq!(
        bytes.header("content-type"),
        Some("application/octet-stream")
    );
    assert_eq!(bytes.header("content-length"), Some("256"));

    let json = server.get("/echo/x").await;
    assert_eq!(json.header("content-type"), Some("application/json"));

    for status in [200, 201, 204, 304, 404, 503, 599] {
        let reply = server.get(&format!("/echo/4DACTION/status/{status}")).await;
        assert_eq!(reply.status, status);
        assert_eq!(reply.body.is_empty(), status < 400, "{status}");
    }
}

#[tokio::test]
async fn a_redirect_leads_where_the_component_says() {
    let server = echo_server().await;
    for (path, status, location) in [
        ("/echo/4DACTION/go/a/b", 302, "/a/b"),
        ("/echo/4DACTION/go/a%20b", 302, "/a%20b"),
        ("/echo/4DACTION/moved/a/b", 301, "/a/b"),
    ] {
        let reply = server.get(path).await;
        assert_eq!(reply.status, status, "{path}");
        assert_eq!(reply.header("location"), Some(location), "{path}");
        assert!(reply.body.is_empty(), "{path}");
    }
    // No way to smuggle a field into the response.
    let reply = server.get("/echo/4DACTION/go/a%0d%0aX-Evil:%201").await;
    assert!(reply.header("x-evil").is_none(), "{reply:?}");
}

#[tokio::test]
async fn a_component_cannot_break_the_response() {
    let server = echo_server().await;
    for (field, refused) in [
        ("X-Fine:value", false),
        ("Content-Length:3", true),
        ("Transfer-Encoding:chunked", true),
        ("Connection:close", true),
        ("X-Evil:a%0d%0aSet-Cookie:%20b=c", true),
        ("X%20Evil:a", true),
    ] {
        let reply = server.get(&format!("/echo/4DACTION/header/{field}")).await;
        assert_eq!(reply.status, 200, "{field}");
        assert_eq!(reply.text() != "set", refused, "{field}: {reply:?}");
        assert!(reply.header("set-cookie").is_none(), "{field}");
        assert!(reply.header("transfer-encoding").is_none(), "{field}");
    }
}

#[tokio::test]
async fn head_gets_the_head_of_what_get_gets() {
    let server = echo_server().await;
    let request = Request::head("/echo/4DACTION/bytes").body(Bytes::new());
    let reply = server.send(request.unwrap()).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-length"), Some("256"));
    assert!(reply.body.is_empty());
}

#[tokio::test]
async fn every_method_reaches_the_component() {
    let server = echo_server().await;
    for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"] {
        let request = Request::builder().method(method).uri("/echo/x");
        let reply = server.send(request.body(Bytes::from("abc")).unwrap()).await;
        assert_eq!(reply.status, 200, "{method}");
        assert_eq!(reply.json()["method"], method);
    }
    let trace = Request::builder().method("TRACE").uri("/echo/x");
    let reply = server.send(trace.body(Bytes::new()).unwrap()).await;
    assert_eq!(reply.status, 405);
}

#[tokio::test]
async fn a_component_that_sends_nothing_answers_200() {
    let server = Site::new().guest("silent").start().await;
    let reply = server.get("/silent/x").await;
    assert_eq!((reply.status.as_u16(), reply.body.len()), (200, 0));
}

#[tokio::test]
async fn the_environment_is_what_the_settings_say() {
    // What the host itself was started with is nothing that a component may see; `env` in a guest is only this.
    let server = Site::new()
        .guest_with("echo", "[environment]\nGREETING = \"hello\"\n")
        .start()
        .await;
    let echo = echo(&server, "/echo/4DACTION/environment").await;
    assert_eq!(echo, json!({"GREETING": "hello"}));
}
