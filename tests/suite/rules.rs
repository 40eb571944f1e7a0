//! HTTP rules: what they make of files, components, errors and redirects, and where they are written.

use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Value, json};
use tessera_tests::{Client, RawClient, Reply, Server, Site};

async fn ask(server: &Server, method: &str, path: &str, fields: &[(&str, &str)]) -> Reply {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    server.send(request.body(Bytes::new()).unwrap()).await
}

/// All values of a field.
fn all<'a>(reply: &'a Reply, name: &str) -> Vec<&'a str> {
    let values = reply.headers.get_all(name).iter();
    values.map(|value| value.to_str().unwrap()).collect()
}

#[tokio::test]
async fn fields_are_changed_in_every_kind_of_response() {
    let rules = r#"
[[rules]]
regexPattern = "/(.*)"
setHeaders = { Allow = "GET", X-Frame-Options = "SAMEORIGIN" }
removeHeaders = "Server"
[[rules]]
regexPattern = "/rest/(.*)"
addHeaders = { Allow = "POST" }
[[rules]]
regexPattern = "\\.[0-9a-f]{8}\\.(js|css)$"
setHeaders = { Cache-Control = "max-age=31536000, immutable" }
"#;
    let server = Site::new()
        .settings(rules)
        .page("app.0123abcd.js", "js")
        .page("app.js", "js")
        .page("rest/a.txt", "a")
        .page("big.bin", vec![0; 100_000])
        .guest("echo")
        .start()
        .await;
    let tag = server.get("/app.js").await;
    let tag = tag.header("etag").unwrap().to_owned();
    for (method, path, fields, status) in [
        ("GET", "/app.js", &[][..], 200),
        ("HEAD", "/app.js", &[], 200),
        ("GET", "/app.js", &[("if-none-match", tag.as_str())], 304),
        ("GET", "/big.bin", &[], 200),
        ("GET", "/rest/a.txt", &[], 200),
        ("GET", "/none", &[], 404),
        ("POST", "/app.js", &[], 405),
        ("BREW", "/none", &[], 501),
        ("OPTIONS", "/app.js", &[], 204),
        ("GET", "/echo/x", &[], 200),
        ("GET", "/echo/4DACTION/status/503", &[], 503),
        ("GET", "/4DWEBTEST", &[], 200),
        ("GET", "/%zz", &[], 400),
    ] {
        let reply = ask(&server, method, path, fields).await;
        assert_eq!(reply.status, status, "{method} {path}");
        assert_eq!(
            reply.header("x-frame-options"),
            Some("SAMEORIGIN"),
            "{path}"
        );
        assert_eq!(reply.header("server"), None, "{path}");
        let allow: &[&str] = if path.starts_with("/rest/") {
            &["GET", "POST"]
        } else {
            &["GET"]
        };
        assert_eq!(all(&reply, "allow"), allow, "{path}");
    }
    for (path, expected) in [
        ("/app.0123abcd.js", Some("max-age=31536000, immutable")),
        // The query is not a part of it.
        ("/app.0123abcd.js?v=1", Some("max-age=31536000, immutable")),
        ("/app.js", None),
        ("/app.js?/app.0123abcd.js", None),
    ] {
        assert_eq!(
            server.get(path).await.header("cache-control"),
            expected,
            "{path}"
        );
    }
    // Over HTTP/2 the same; and what is refused before a server is found.
    let mut client = Client::http2(server.address).await.unwrap();
    let get = Request::get("/none").body(Bytes::new()).unwrap();
    let reply = client.send(get).await.unwrap();
    assert_eq!(reply.header("x-frame-options"), Some("SAMEORIGIN"));
}

#[tokio::test]
async fn what_no_rule_may_change_stays_as_it_is() {
    let rules = r#"
[[rules]]
regexPattern = "/"
removeHeaders = ["Date", "Content-Length", "Content-Encoding", "Vary", "Set-Cookie", "Connection", "X-None"]
setHeaders = { Date = "never", Content-Length = "5", Content-Encoding = "br", Vary = "X-Set", Set-Cookie = "c=3", Transfer-Encoding = "chunked" }
addHeaders = { Date = "never", Content-Length = "6", Content-Encoding = "zstd", Vary = "X-Added", Connection = "close" }
"#;
    let site = Site::new().guest_with("echo", rules).settings(rules);
    let page = "x".repeat(5_000);
    let server = site.page("a.html", &page).start().await;
    let reply = ask(&server, "GET", "/a.html", &[("accept-encoding", "gzip")]).await;
    assert_eq!(all(&reply, "content-encoding"), ["gzip"]);
    assert_eq!(
        all(&reply, "content-length"),
        [reply.body.len().to_string()]
    );
    assert_eq!(all(&reply, "vary"), ["Accept-Encoding", "X-Added"]);
    assert!(all(&reply, "date")[0].ends_with(" GMT") && all(&reply, "date").len() == 1);
    assert_eq!(all(&reply, "set-cookie"), ["c=3"]);
    assert_eq!(all(&reply, "connection"), Vec::<&str>::new());
    // Twice: those of the component, and those of the host that it is mounted on.
    let reply = server.get("/echo/4DACTION/teapot").await;
    assert_eq!(all(&reply, "set-cookie"), ["a=1", "b=2", "c=3", "c=3"]);
    assert_eq!(reply.text(), "<p>short and stout");
}

#[tokio::test]
async fn access_is_denied_however_the_path_is_spelled() {
    let rules = r#"
[[rules]]
regexPattern = "^/private/(.*)"
denyAccess = true
[[rules]]
regexPattern = "^/private/allowed/(.*)"
denyAccess = false
[[rules]]
regexPattern = "^/hidden/"
denyAccess = true
status = 404
[[rules]]
regexPattern = "^/counted/private"
denyAccess = true
"#;
    let server = Site::new()
        .settings(rules)
        .page("private/a.txt", "secret")
        .page("private/allowed/a.txt", "public")
        .page("hidden/a.txt", "secret")
        .guest_as("echo", "counted")
        .start()
        .await;
    for path in [
        "/private/a.txt",
        "/private/",
        "/private/none",
        "/%70rivate/a.txt",
        "/priv%61te/a.txt?/private/allowed/",
        "/private%2Fa.txt",
        "/private/./allowed/../a.txt",
    ] {
        let raw = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        let answer = RawClient::exchange(server.address, raw).await;
        assert!(answer.starts_with("HTTP/1.1 403 "), "{path}: {answer}");
        assert!(!answer.contains("secret"), "{path}: {answer}");
    }
    assert_eq!(server.get("/private/allowed/a.txt").await.text(), "public");
    let hidden = server.get("/hidden/a.txt").await;
    let missing = server.get("/none").await;
    assert_eq!(hidden.status, 404);
    assert!(!hidden.text().contains("denied") && missing.status == 404);
    for method in ["HEAD", "POST", "OPTIONS", "DELETE"] {
        let reply = ask(&server, method, "/private/a.txt", &[]).await;
        assert_eq!(reply.status, 403, "{method}");
    }
    // What is denied costs no web process, not even of a component that the host hands over to.
    assert_eq!(server.get("/counted/x").await.json()["answered"], 1);
    assert_eq!(server.get("/counted/private/x").await.status, 403);
    assert_eq!(server.get("/counted/x").await.json()["answered"], 2);
}

#[tokio::test]
async fn redirects_and_statuses_are_those_of_the_last_rule() {
    let rules = json!([
        {"regexPattern": "^/old/", "redirect": "https://cdn.example.com/"},
        {"regexPattern": "^/old/for-ever/", "redirect": "/new and ä/", "status": 301},
        {"regexPattern": "^/maintenance.html", "status": 503},
        {"regexPattern": "^/gone", "status": 410},
        {"regexPattern": "^/fine", "status": 200},
    ]);
    let server = Site::new()
        .file("HTTPRules.json", rules.to_string())
        .page("maintenance.html", "we are back at noon")
        .start()
        .await;
    for (path, status, location) in [
        ("/old/a.css", 302, "https://cdn.example.com/"),
        ("/old/for-ever/x?y", 301, "/new%20and%20%C3%A4/"),
    ] {
        let reply = server.get(path).await;
        assert_eq!(reply.status, status, "{path}");
        assert_eq!(reply.header("location"), Some(location));
        assert!(reply.body.is_empty());
    }
    let reply = server.get("/maintenance.html").await;
    assert_eq!(
        (reply.status.as_u16(), reply.text()),
        (503, "we are back at noon")
    );
    // With another status the whole is sent, whatever the client has of it.
    let tag = reply.header("etag").unwrap().to_owned();
    let again = ask(
        &server,
        "GET",
        "/maintenance.html",
        &[("if-none-match", &tag)],
    )
    .await;
    assert_eq!(
        (again.status.as_u16(), again.text()),
        (503, "we are back at noon")
    );
    let gone = server.get("/gone").await;
    assert_eq!(gone.status, 410);
    assert!(gone.text().contains("410 Gone"), "{gone:?}");
    assert_eq!(server.get("/fine").await.status, 200);
}

#[tokio::test]
async fn each_web_server_has_its_own_and_the_host_its_urls() {
    let rule = |name: &str, pattern: &str| {
        format!("[[rules]]\nregexPattern = '{pattern}'\naddHeaders = {{ X-By = '{name}' }}\n")
    };
    let server = Site::new()
        .settings(&rule("host", "^/(shop|x)"))
        .guest_as_with("echo", "shop", &rule("shop", "^/x"))
        .guest_as_with(
            "echo",
            "named",
            &format!("[mount]\nhost = 'named.example'\n{}", rule("named", "^/x")),
        )
        .guest_as_with(
            "echo",
            "ported",
            &format!("HTTPPort = 8101\n{}", rule("ported", "^/x")),
        )
        .start()
        .await;
    assert_eq!(all(&server.get("/shop/x").await, "x-by"), ["shop", "host"]);
    assert_eq!(all(&server.get("/shop/y").await, "x-by"), ["host"]);
    assert_eq!(all(&server.get("/x").await, "x-by"), ["host"]);
    let named = ask(&server, "GET", "/x", &[("host", "named.example")]).await;
    assert_eq!(all(&named, "x-by"), ["named"]);
    let mut ported = Client::http1(server.address_of("ported").await)
        .await
        .unwrap();
    let get = Request::get("/x").body(Bytes::new()).unwrap();
    assert_eq!(all(&ported.send(get).await.unwrap(), "x-by"), ["ported"]);
}

#[tokio::test]
async fn the_files_are_read_again_and_shown() {
    let server = Site::new()
        .file(
            "HTTPRules.json",
            "[{\"regexPattern\": \"/\", \"status\": 201}]",
        )
        .guest_with("version1", "")
        .start()
        .await;
    assert_eq!(server.get("/none").await.status, 201);
    let shown = server.properties("site").await;
    assert_eq!(
        shown["rules"],
        json!([{"regexPattern": "/", "status": 201}])
    );

    server
        .site
        .write("HTTPRules.json", "[\n{\"regexPattern\": \"(\"}]");
    let reloaded = server
        .admin
        .post("/api/v1/servers/site/reload")
        .await
        .json();
    let error = reloaded[0]["error"].as_str();
    assert!(
        error.unwrap().contains("HTTPRules.json:2: rules = {"),
        "{reloaded}"
    );
    assert_eq!(server.get("/none").await.status, 201, "the old ones stay");

    server.site.write(
        "HTTPRules.json",
        "[{\"regexPattern\": \"/\", \"status\": 202}]",
    );
    server.admin.post("/api/v1/servers/site/reload").await;
    assert_eq!(server.get("/none").await.status, 202);
    server.site.remove("HTTPRules.json");
    server.admin.post("/api/v1/servers/site/reload").await;
    assert_eq!(server.get("/none").await.status, 404);

    // A component is reloaded by itself, and a start with rules is above the file.
    let file = "components/version1/HTTPRules.json";
    server
        .site
        .write(file, "[{\"regexPattern\": \"/\", \"status\": 203}]");
    server.wait_for_status("/version1/", 203).await;
    server.admin.stop("version1").await;
    let rules = json!({"rules": [{"regexPattern": "/", "status": 207}]});
    let started = server.admin.start("version1", &rules).await;
    assert_eq!(started, json!({"success": true}));
    assert_eq!(server.get("/version1/").await.status, 207);
    let shown = server.properties("version1").await;
    assert_eq!(shown["rules"], rules["rules"]);
}

#[tokio::test]
async fn wrong_rules_keep_a_server_from_starting() {
    let site = Site::new().file(
        "HTTPRules.json",
        "[\n  {},\n  {\"regexPattern\": \"a(\"}\n]",
    );
    let exit = site.try_start().await.unwrap_err();
    assert_eq!(exit.code, Some(2), "{exit:?}");
    for line in [
        "HTTPRules.json:2: rules = {}: entry 1: needs regexPattern",
        "HTTPRules.json:3: rules = {\"regexPattern\":\"a(\"}: entry 2: regexPattern \"a(\" must be",
    ] {
        assert!(exit.stderr.contains(line), "{exit:?}");
    }
    let twice = Site::new()
        .file("HTTPRules.json", "[]")
        .settings("rules = []\n");
    let exit = twice.try_start().await.unwrap_err();
    assert!(exit.stderr.contains("rules stand in"), "{exit:?}");
}

#[tokio::test]
async fn rules_and_handlers_change_while_a_connection_is_open() {
    let server = Site::new()
        .guest_as_with("echo", "shop", "HTTPPort = 8102\n")
        .start()
        .await;
    for name in ["site", "shop"] {
        let mut client = Client::http1(server.address_of(name).await).await.unwrap();
        let mut get = async |path: &str| {
            let request = Request::builder().method(Method::GET).uri(path);
            let reply = client
                .send(request.body(Bytes::new()).unwrap())
                .await
                .unwrap();
            assert_eq!(reply.header("connection"), None, "{reply:?}");
            reply
        };
        let set = async |options: Value| {
            let changed = server.admin.set(name, &options).await["changed"].clone();
            assert_eq!(changed["pending"], json!([]), "{options}");
        };
        for (rules, status) in [
            (json!([{"regexPattern": "^/x", "status": 299}]), 299),
            (json!([{"regexPattern": "^/x", "denyAccess": true}]), 403),
            (Value::Null, if name == "site" { 404 } else { 200 }),
        ] {
            set(json!({ "rules": rules })).await;
            assert_eq!(get("/x").await.status, status, "{name} {rules}");
        }
        for (method, hook) in [("echo", "method"), ("hidden", "")] {
            let handlers = json!([{"pattern": "x", "class": "shop", "method": method}]);
            set(json!({ "handlers": handlers })).await;
            let reply = get("/x/y").await;
            assert_eq!(reply.status, 200, "{name}: {reply:?}");
            match hook {
                "" => assert_eq!(reply.text(), "hidden"),
                hook => assert_eq!(reply.json()["hook"], hook),
            }
        }
        set(json!({"handlers": null})).await;
        let status = if name == "site" { 404 } else { 200 };
        assert_eq!(get("/x/y").await.status, status);
    }
}
