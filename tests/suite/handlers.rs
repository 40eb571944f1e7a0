//! HTTP request handlers: which requests they take, before what, and what they run.

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use tessera_tests::{Reply, Server, Site};

async fn ask(server: &Server, method: &str, path: &str) -> Reply {
    let request = Request::builder().method(method).uri(path);
    server.send(request.body(Bytes::new()).unwrap()).await
}

#[tokio::test]
async fn a_handler_is_the_only_thing_that_runs() {
    let handlers = json!([
        {"pattern": "info", "class": "guard", "method": "safe", "verbs": "get, POST"},
        {"regexPattern": "^/docs/.+/index\\.html$", "class": "echo", "method": "ECHO", "comment": "names have no case"},
        {"regexPattern": "^/4DBLANK", "class": "guard", "method": "safe"},
    ]);
    let server = Site::new()
        .file("HTTPHandlers.json", handlers.to_string())
        .page("info/a.txt", "a file")
        .page("docs/a/index.html", "a file")
        .page("info.txt", "a file")
        .guest("guard")
        .guest("echo")
        .start()
        .await;
    // By its URL the method is for those who log in.
    assert_eq!(server.get("/guard/4DACTION/safe").await.status, 401);
    for path in [
        "/info/",
        "/info/general",
        "/info/a.txt",
        "/4DBLANK",
        "/%69nfo/x",
    ] {
        let reply = server.get(path).await;
        assert_eq!(
            (reply.status.as_u16(), reply.text()),
            (200, "inside"),
            "{path}"
        );
    }
    for path in ["/info", "/information/", "/x/info/"] {
        assert_eq!(server.get(path).await.status, 404, "{path}");
    }
    assert_eq!(server.get("/info.txt").await.text(), "a file");

    let echo = server
        .post("/docs/a/index.html?b=c", "text/plain", "body")
        .await
        .json();
    assert_eq!(echo["hook"], "method");
    assert_eq!(echo["parameters"], Value::Null);
    assert_eq!(echo["method"], "POST");
    // The URL is the one that the host's server sees.
    assert_eq!(echo["url"], "/docs/a/index.html?b=c");
    assert_eq!(echo["bodyLength"], 4);
    assert_eq!(echo["compiled"], false, "COMPILER_WEB did not run");
    let shown = server.properties("site").await;
    assert_eq!(shown["handlers"][0], handlers[0]);
}

#[tokio::test]
async fn methods_that_no_handler_of_the_pattern_takes_are_405() {
    let server = Site::new()
        .guest_with(
            "echo",
            "[[handlers]]\npattern = 'one'\nverbs = 'GET'\nmethod = 'echo'\n\
             [[handlers]]\npattern = 'one'\nverbs = 'put,get'\nmethod = 'teapot'\n\
             [[handlers]]\npattern = 'two'\nverbs = 'GET'\nmethod = 'echo'\n\
             [[handlers]]\npattern = 'two'\nmethod = 'teapot'\n\
             [[handlers]]\nregexPattern = '/one/'\nmethod = 'bytes'\n",
        )
        .start()
        .await;
    for (method, path, status) in [
        ("GET", "/echo/one/x", 200),
        ("PUT", "/echo/one/x", 418),
        ("GET", "/echo/two/x", 200),
        ("BREW", "/echo/two/x", 418),
        ("OPTIONS", "/echo/two/x", 418),
    ] {
        assert_eq!(
            ask(&server, method, path).await.status,
            status,
            "{method} {path}"
        );
    }
    for (method, status) in [
        ("POST", 405),
        ("HEAD", 405),
        ("BREW", 405),
        ("OPTIONS", 204),
    ] {
        let reply = ask(&server, method, "/echo/one/x").await;
        assert_eq!(reply.status, status, "{method}");
        assert_eq!(reply.header("allow"), Some("GET, PUT, OPTIONS"), "{method}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_a_500_that_says_so() {
    let handlers = json!([
        {"pattern": "a", "class": "nobody", "method": "m"},
        {"pattern": "b", "class": "site", "method": "m"},
        {"pattern": "c", "class": "echo", "method": "nothing"},
        {"pattern": "d", "class": "echo", "method": "echo"},
    ]);
    let settings = json!({ "handlers": handlers });
    let server = Site::new().guest("echo").start().await;
    server.admin.set("site", &settings).await;
    for (path, text) in [
        ("/a/", "Cannot find singleton"),
        ("/b/", "Cannot find singleton"),
        ("/c/", "Cannot find singleton function"),
    ] {
        let reply = server.get(path).await;
        assert_eq!(reply.status, 500, "{path}");
        assert!(
            reply.text().contains(&format!("<p>{text}</p>")),
            "{reply:?}"
        );
    }
    server
        .wait_for_log(&["ERROR", "Cannot find singleton", "nobody"])
        .await;
    server
        .wait_for_log(&["Cannot find singleton function", "echo", "nothing"])
        .await;
    // One that is stopped is there, and will be back.
    server.admin.stop("echo").await;
    assert_eq!(server.get("/d/").await.status, 503);
    server.admin.start("echo", &json!({})).await;
    assert_eq!(server.get("/d/").await.status, 200);
}

#[tokio::test]
async fn urls_with_a_meaning_of_their_own_are_not_handled() {
    let handler = "[[handlers]]\nregexPattern = '/'\nmethod = 'teapot'\n";
    let server = Site::new().guest_with("echo", handler).start().await;
    for (path, status) in [
        ("/echo/", 418),
        ("/echo/4DCGI/x", 418),
        ("/echo/4DACTION/bytes", 200),
        ("/echo/4daction/none", 404),
        ("/echo/rest/x", 200),
        ("/echo/$shared/x", 200),
    ] {
        assert_eq!(server.get(path).await.status, status, "{path}");
    }
    let refused =
        Site::new().settings("handlers = [{pattern = 'rest', class = 'a', method = 'b'}]\n");
    let exit = refused.try_start().await.unwrap_err();
    assert_eq!(exit.code, Some(2));
    assert!(exit.stderr.contains("must not be of /rest"), "{exit:?}");
}

#[tokio::test]
async fn a_handler_that_fails_is_a_500_and_one_is_held_to_its_servers_limits() {
    let handlers = "handlers = [{pattern = 'fail', class = 'trap', method = 'fail'}, \
                    {pattern = 'burst', class = 'trap', method = 'burst'}, \
                    {pattern = 'tell', class = 'echo', method = 'echo'}]\n";
    let server = Site::new()
        .settings(&format!("maxRequestSize = 500000\n{handlers}"))
        .guest("trap")
        .guest("echo")
        .start()
        .await;
    for (path, logged) in [
        ("/fail/", "the method failed on purpose"),
        ("/burst/", "the method panicked on purpose"),
    ] {
        let reply = server.get(path).await;
        assert_eq!(reply.status, 500, "{path}");
        assert!(!reply.text().contains("purpose"), "{reply:?}");
        server.wait_for_log(&[logged]).await;
    }
    for (length, status) in [(500_000, 200), (500_001, 413)] {
        let reply = server
            .post("/tell/", "text/plain", vec![b' '; length])
            .await;
        assert_eq!(reply.status, status, "{length}");
    }
    server.wait_for_processes("trap", 0).await;
    server.wait_for_processes("site", 0).await;
}

#[tokio::test]
async fn check_says_which_handlers_lead_nowhere() {
    let handlers = json!([
        {"pattern": "a", "class": "echo", "method": "ECHO"},
        {"pattern": "b", "class": "nobody", "method": "m"},
        {"pattern": "c", "class": "echo", "method": "nothing"},
    ]);
    let site = Site::new()
        .file("HTTPHandlers.json", handlers.to_string())
        .guest_with(
            "echo",
            "handlers = [{pattern = 'a', method = 'no'}, {pattern = 'a', method = 'go'}]\n",
        );
    let exit = site.run(site.path(), &["check", "--json", "."]).await;
    assert_eq!(exit.code, Some(0), "{exit:?}");
    let report: Value = serde_json::from_str(&exit.stdout).unwrap();
    assert_eq!(
        report["settings"]["notes"],
        json!([
            "handlers: entry 2: there is no component \"nobody\"",
            "handlers: entry 3: the component \"echo\" has no method \"nothing\"",
        ])
    );
    assert_eq!(
        report["components"][0]["notes"],
        json!(["handlers: entry 1: the component \"echo\" has no method \"no\""])
    );
}
