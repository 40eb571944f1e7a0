//! What is sent of an error: pages of the web server's own, documents for programs, and the built-in page.

use bytes::Bytes;
use http::Request;
use serde_json::json;
use tessera_tests::{Client, Reply, Server, Site};

async fn ask(server: &Server, method: &str, path: &str, accept: &str) -> Reply {
    let request = Request::builder().method(method).uri(path);
    let request = request.header("accept", accept);
    server.send(request.body(Bytes::new()).unwrap()).await
}

#[tokio::test]
async fn the_page_of_a_status_goes_before_that_of_its_range() {
    let settings = "[[rules]]\nregexPattern = '^/private/'\ndenyAccess = true\n";
    let server = Site::new()
        .settings(settings)
        .page("404.html", "<p>own 404 é")
        .page("4xx.html", "own 4xx")
        .page("sub/404.html", "not at the first level")
        .page("index.html", "home")
        .guest_as("version1", "bare")
        .start()
        .await;
    for (method, path, status, expected) in [
        ("GET", "/none", 404, "<p>own 404 é"),
        ("GET", "/sub/none", 404, "<p>own 404 é"),
        ("POST", "/none", 404, "<p>own 404 é"),
        ("GET", "/private/x", 403, "own 4xx"),
        ("DELETE", "/index.html", 405, "own 4xx"),
        ("GET", "/%zz", 400, "own 4xx"),
    ] {
        let reply = ask(&server, method, path, "text/html").await;
        assert_eq!(
            (reply.status.as_u16(), reply.text()),
            (status, expected),
            "{path}"
        );
        assert_eq!(
            reply.header("content-type"),
            Some("text/html; charset=utf-8")
        );
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        let length = expected.len().to_string();
        assert_eq!(reply.header("content-length"), Some(&*length));
        assert_eq!(reply.header("allow").is_some(), status == 405, "{path}");
    }
    let head = ask(&server, "HEAD", "/none", "*/*").await;
    assert_eq!((head.status.as_u16(), head.text()), (404, ""));
    assert_eq!(head.header("content-length"), Some("13"));
    // There is none for this, and a component without a folder has none at all.
    let brew = ask(&server, "BREW", "/none", "*/*").await;
    assert!(brew.text().contains("501 Not Implemented"), "{brew:?}");
    let bare = ask(&server, "GET", "/bare/4DACTION/none", "*/*").await;
    assert!(bare.text().contains("404 Not Found"), "{bare:?}");
    // As a file it is a file.
    let file = server.get("/404.html").await;
    assert_eq!((file.status.as_u16(), file.text()), (200, "<p>own 404 é"));
}

#[tokio::test]
async fn a_component_that_answers_with_a_status_alone_has_its_own_pages() {
    let server = Site::new()
        .page("4xx.html", "the host's")
        .guest_with("echo", "")
        .file("components/echo/WebFolder/404.html", "own 404")
        .file("components/echo/WebFolder/5xx.html", "own 5xx")
        .start()
        .await;
    for (path, status, expected) in [
        ("/echo/4DACTION/status/404", 404, "own 404"),
        ("/echo/4DACTION/status/503", 503, "own 5xx"),
        ("/echo/4DACTION/none", 404, "own 404"),
        ("/echo/4DACTION/status/201", 201, ""),
        // It has something to say.
        ("/echo/4DACTION/teapot", 418, "<p>short and stout"),
    ] {
        let reply = server.get(path).await;
        assert_eq!(
            (reply.status.as_u16(), reply.text()),
            (status, expected),
            "{path}"
        );
    }
}

#[tokio::test]
async fn an_error_without_a_body_gets_the_built_in_one() {
    let server = Site::new()
        .page("a.bin", "alpha")
        .guest("echo")
        .start()
        .await;
    let ask = async |method: &str, path: &str, field: &str, value: &str, accept: &str| {
        let request = Request::builder().method(method).uri(path);
        let request = request.header(field, value).header("accept", accept);
        server.send(request.body(Bytes::new()).unwrap()).await
    };
    for (path, field, value, status, title) in [
        (
            "/a.bin",
            "if-match",
            "\"other\"",
            412,
            "Precondition Failed",
        ),
        ("/a.bin", "range", "bytes=99-", 416, "Range Not Satisfiable"),
        ("/echo/4DACTION/status/410", "x-y", "z", 410, "Gone"),
        (
            "/echo/4DACTION/status/503",
            "x-y",
            "z",
            503,
            "Service Unavailable",
        ),
    ] {
        let page = ask("GET", path, field, value, "text/html").await;
        assert_eq!(page.status, status, "{path}");
        let heading = format!("<h1>{status} {title}</h1></body>");
        assert!(page.text().contains(&heading), "{page:?}");
        assert_eq!(
            page.header("content-type"),
            Some("text/html; charset=utf-8")
        );
        let problem = ask("GET", path, field, value, "application/json").await;
        let expected = json!({"type": "about:blank", "title": title, "status": status});
        assert_eq!(problem.json(), expected, "{path}");
        let head = ask("HEAD", path, field, value, "text/html").await;
        assert_eq!((head.status.as_u16(), head.text()), (status, ""), "{path}");
        let about = (status == 416).then_some("bytes */5");
        assert_eq!(page.header("content-range"), about, "{path}");
    }
    for status in [201, 204] {
        let path = format!("/echo/4DACTION/status/{status}");
        let reply = ask("GET", &path, "x-y", "z", "text/html").await;
        assert_eq!((reply.status.as_u16(), reply.text()), (status, ""));
    }
}

#[tokio::test]
async fn a_failure_shows_the_visitor_nothing() {
    let site = Site::new().guest_with("trap", "");
    let site = site.file("components/trap/WebFolder/500.html", "sorry");
    let server = site.start().await;
    let reply = server.get("/trap/error").await;
    assert_eq!((reply.status.as_u16(), reply.text()), (500, "sorry"));
    let reply = ask(&server, "GET", "/trap/error", "application/json").await;
    assert_eq!(
        reply.header("content-type"),
        Some("application/problem+json")
    );
    let document = reply.json();
    let detail = "The page could not be made. The error has been logged.";
    assert_eq!(document["detail"], detail);
    assert_eq!(document.as_object().unwrap().len(), 4, "{document}");
}

#[tokio::test]
async fn programs_that_ask_for_json_get_a_problem_document() {
    let server = Site::new().settings("CORSEnabled = true\n").start().await;
    for accept in [
        "application/json",
        "application/problem+json",
        "application/json, text/plain, */*",
    ] {
        let reply = ask(&server, "GET", "/none", accept).await;
        assert_eq!(reply.status, 404);
        assert_eq!(
            reply.header("content-type"),
            Some("application/problem+json")
        );
        let vary: Vec<_> = reply.headers.get_all("vary").iter().collect();
        assert_eq!(vary, ["Accept", "Origin"]);
        let problem = reply.json();
        assert_eq!(problem["status"], 404);
        assert_eq!(
            (&problem["type"], &problem["title"]),
            (&"about:blank".into(), &"Not Found".into())
        );
    }
    let handlers = json!([{"pattern": "a", "verbs": "GET", "class": "b", "method": "c"}]);
    let settings = json!({"handlers": handlers, "rules": [{"regexPattern": "^/b", "status": 503}]});
    server.admin.set("site", &settings).await;
    for (method, path, status) in [
        ("DELETE", "/", 405),
        ("PUT", "/a/", 405),
        ("GET", "/a/", 500),
        ("GET", "/b", 503),
    ] {
        let reply = ask(&server, method, path, "application/json").await;
        assert_eq!(reply.status, status, "{path}");
        assert_eq!(reply.json()["status"], status, "{path}");
    }
    for accept in ["text/html, application/json", "*/*", ""] {
        let reply = ask(&server, "GET", "/none", accept).await;
        assert_eq!(
            reply.header("content-type"),
            Some("text/html; charset=utf-8")
        );
    }
    let head = ask(&server, "HEAD", "/none", "application/json").await;
    assert_eq!(
        head.header("content-type"),
        Some("application/problem+json")
    );
    assert!(head.body.is_empty());
}

#[tokio::test]
async fn pages_are_found_soon_after_they_change_and_never_outside_of_the_root() {
    let site = Site::new()
        .page("index.html", "home")
        .file("secret.txt", "secret");
    std::os::unix::fs::symlink("../secret.txt", site.at("WebFolder/4xx.html")).unwrap();
    let server = site.start().await;
    assert!(server.get("/none").await.text().contains("404 Not Found"));
    for text in ["one", "another"] {
        server.site.write("WebFolder/404.html", text);
        server
            .wait_until("the new page is sent", async || {
                let reply = server.get("/none").await;
                assert_eq!(reply.status, 404);
                (reply.text() == text).then_some(())
            })
            .await;
    }
    server.site.remove("WebFolder/404.html");
    server
        .wait_until("the page is gone", async || {
            let reply = server.get("/none").await;
            reply.text().contains("404 Not Found").then_some(())
        })
        .await;
}

#[tokio::test]
async fn a_page_that_is_too_large_is_not_sent_and_a_large_one_is_compressed() {
    let server = Site::new()
        .page("404.html", "x".repeat(512 * 1024 + 1))
        .page("403.html", "x".repeat(512 * 1024))
        .settings("rules = [{regexPattern = '^/no/', denyAccess = true}]\n")
        .start()
        .await;
    assert!(server.get("/none").await.text().contains("404 Not Found"));
    server
        .wait_for_log(&["404.html", "at most 524288 bytes"])
        .await;
    assert_eq!(server.get("/no/").await.body.len(), 512 * 1024);
    let mut client = Client::http2(server.address).await.unwrap();
    let request = Request::get("/no/").header("accept-encoding", "gzip");
    let reply = client
        .send(request.body(Bytes::new()).unwrap())
        .await
        .unwrap();
    assert_eq!(reply.status, 403);
    assert_eq!(reply.header("content-encoding"), Some("gzip"));
}
