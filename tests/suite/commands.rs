//! The commands for requests and responses, one by one, as the documents describe them.

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use tessera_tests::{RawClient, Reply, Server, Site};

async fn server() -> Server {
    Site::new().guest("commands").guest("echo").start().await
}

async fn call(server: &Server, method: &str) -> Reply {
    server.get(&format!("/commands/4DACTION/{method}")).await
}

async fn ask(server: &Server, method: &str, path: &str) -> Reply {
    let request = Request::builder().method(method).uri(path);
    server.send(request.body(Bytes::new()).unwrap()).await
}

fn cookies(reply: &Reply) -> Vec<&str> {
    let cookies = reply.headers.get_all("set-cookie").iter();
    cookies.filter_map(|value| value.to_str().ok()).collect()
}

#[tokio::test]
async fn a_blob_has_the_type_that_was_named_or_none() {
    let server = server().await;
    for (named, content_type) in [
        ("", None),
        ("/.GIF", Some("image/gif")),
        ("/.JPEG", Some("image/jpeg")),
        ("/.png", Some("image/png")),
        ("/.HTM", Some("text/html")),
        ("/.pdf", Some("application/pdf")),
        ("/.PICT", Some("image/pict")),
        ("/.zip", Some("application/x-zip")),
        ("/application/x-Invoice", Some("application/x-Invoice")),
        ("/.unheardof", Some("application/octet-stream")),
    ] {
        let reply = call(&server, &format!("blob_of{named}")).await;
        assert_eq!(reply.status, 200, "{named}");
        assert_eq!(reply.header("content-type"), content_type, "{named}");
        assert_eq!(reply.text(), "bytes");
    }
}

#[tokio::test]
async fn headers_are_set_by_arrays_and_by_a_text() {
    let server = server().await;
    let by_array = call(&server, "header_array").await;
    let by_text = call(&server, "header_text").await;
    for reply in [&by_array, &by_text] {
        assert_eq!((reply.status.as_u16(), reply.text()), (404, "not here"));
        assert_eq!(reply.header("x-one"), Some("1"));
        assert_eq!(cookies(reply)[0], "USER=ann; PATH=/");
        assert_eq!(reply.header("x-version"), None);
        assert_eq!(reply.header("x-status"), None);
        // Nothing of what was refused.
        assert_eq!(reply.header("x-two"), None);
        assert_eq!(reply.header("content-length"), Some("8"));
        assert!(reply.header("date").is_some() && reply.header("server").is_some());
    }
    assert_eq!(cookies(&by_array), ["USER=ann; PATH=/", "SHOP=1"]);
}

#[tokio::test]
async fn redirects_follow_the_documents() {
    let server = server().await;
    for (how, status, location) in [
        ("encoded", 302, "http://a.example/b%20c?d=%C3%A9&e=%20#f"),
        ("verbatim", 302, "/a?b='c|d'"),
        ("first", 302, "/first"),
        ("twice", 302, "/second"),
        ("moved", 301, "/moved"),
        ("no-status", 302, "/found"),
    ] {
        let reply = call(&server, &format!("go/{how}")).await;
        assert_eq!(reply.status, status, "{how}");
        assert_eq!(reply.header("location"), Some(location), "{how}");
        assert_eq!(reply.body.len(), 0, "{how}");
    }
    let split = call(&server, "go/split").await;
    assert_eq!(split.status, 500);
    assert_eq!(split.header("x-split"), None);
}

#[tokio::test]
async fn the_last_of_several_wins_and_headers_stay() {
    let server = server().await;
    let reply = call(&server, "last").await;
    assert_eq!(reply.text(), "<p>three");
    assert_eq!(
        reply.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(reply.header("x-kept"), Some("1"));
    assert_eq!(reply.header("x-compiled"), Some("1"));
}

#[tokio::test]
async fn a_home_page_is_a_page_of_the_root() {
    let server = server().await;
    for path in ["", "/welcome.html", "/a/b.shtml"] {
        assert_eq!(
            call(&server, &format!("home{path}")).await.text(),
            "Ok(())",
            "{path}"
        );
    }
    for path in ["/a//b.html", "/a/", "/.git"] {
        let said = call(&server, &format!("home{path}")).await;
        assert!(said.text().starts_with("Err(Invalid("), "{path}: {said:?}");
    }
}

#[tokio::test]
async fn the_head_of_a_request_is_told_in_three_ways() {
    let server = server().await;
    let asked = "GET /commands/4DACTION/header_of/X-Two?a=b HTTP/1.0\r\nHost: h\r\nUser-Agent: browser\r\n\
                 Cookie: C=HELLO\r\nX-Two: 1\r\nX-Two: 2\r\nCookie: D=1\r\n\r\n";
    let answer = RawClient::exchange(server.address, asked).await;
    let (_, told) = answer.split_once("\r\n\r\n").unwrap();
    let (one, raw) = told.split_once('\n').unwrap();
    assert_eq!(one, "Some(\"1, 2\")");
    assert!(
        raw.starts_with("GET /4DACTION/header_of/X-Two?a=b HTTP/1.0\r\n"),
        "{raw}"
    );
    for line in ["User-Agent: browser\r\n", "X-Two: 1\r\nX-Two: 2\r\n"] {
        assert!(raw.contains(line), "{raw}");
    }
    assert!(raw.ends_with("\r\n\r\n"), "{raw}");
    let none = call(&server, "header_of/X-None").await;
    assert!(none.text().starts_with("None\n"), "{none:?}");
    let asked = "GET /echo/x HTTP/1.1\r\nHost: h\r\nX-Last: 1\r\nConnection: close\r\nCookie: a=b\r\nCookie: c=d\r\n\r\n";
    let answer = RawClient::exchange(server.address, asked).await;
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let echo: Value = serde_json::from_str(body).unwrap();
    assert_eq!(echo["headers"][0], json!(["X-METHOD", "GET"]));
    assert_eq!(echo["headers"][1], json!(["X-URL", "/x"]));
    assert_eq!(echo["headers"][2], json!(["X-VERSION", "HTTP/1.1"]));
    let fields = echo["headers"].as_array().unwrap();
    assert!(
        fields.contains(&json!(["cookie", "a=b; c=d"])),
        "{fields:?}"
    );
}

#[tokio::test]
async fn forms_are_told_as_they_were_sent() {
    let server = server().await;
    for (content_type, body, expected) in [
        (
            "application/x-www-form-urlencoded",
            "vName=ABCD&vExact=Word&OK=Search",
            json!([["vName", "ABCD"], ["vExact", "Word"], ["OK", "Search"]]),
        ),
        (
            "APPLICATION/X-WWW-FORM-URLENCODED; charset=iso-8859-1",
            "n=%e9+%2B&n=2&N=3&empty=&none",
            json!([
                ["n", "\u{e9} +"],
                ["n", "2"],
                ["N", "3"],
                ["empty", ""],
                ["none", ""]
            ]),
        ),
        (
            "text/plain; charset=utf-8",
            "vName=a b=c\r\n\u{e9}=1\r\n",
            json!([["vName", "a b=c"], ["\u{e9}", "1"]]),
        ),
        (
            "multipart/form-data; boundary=\"b c\"",
            "--b c\r\nContent-Disposition: form-data; name=\"one\"\r\n\r\n1\r\n--b c\r\n\
             Content-Disposition: form-data; name=\"one\"\r\n\r\n2\r\n--b c--\r\n",
            json!([["one", "1"], ["one", "2"]]),
        ),
    ] {
        let reply = server
            .post("/echo/4DACTION/echo?q=1", content_type, body)
            .await;
        assert_eq!(reply.json()["variables"], expected, "{content_type}");
    }
    // Without a form, those of the query: whatever the method, with the case and the order of their names.
    let reply = server
        .get("/echo/4daction/echo?vNAME=ROBERT&vCITY=DALLAS")
        .await;
    let expected = json!([["vNAME", "ROBERT"], ["vCITY", "DALLAS"]]);
    assert_eq!(reply.json()["variables"], expected);
    let reply = server.post("/echo/x?a=1", "image/png", "a=2").await;
    assert_eq!(reply.json()["variables"], json!([["a", "1"]]));
    // A body that comes in chunks is a form like others, and may be read several times.
    let chunked = "POST /commands/4DACTION/bodies HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\
                   Transfer-Encoding: chunked\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n\
                   4\r\na=1&\r\n3\r\nb=2\r\n0\r\n\r\n";
    let answer = RawClient::exchange(server.address, chunked).await;
    assert!(answer.ends_with("\r\n\r\n7 7 2"), "{answer}");
}

#[tokio::test]
async fn keywords_of_urls_have_no_case() {
    let server = server().await;
    for path in [
        "/echo/4DACTION/echo/P",
        "/echo/4daction/ECHO/P",
        "/echo/4DAction/Echo/P",
    ] {
        let echo = server.get(path).await.json();
        assert_eq!(echo["parameters"], "P", "{path}");
    }
    for path in ["/echo/4DCGI/action", "/echo/4dcgi/action"] {
        let echo = server.get(path).await.json();
        assert_eq!(echo["hook"], "connection", "{path}");
        assert_eq!(
            echo["parameters"]["url"],
            path.strip_prefix("/echo").unwrap()
        );
    }
    for path in ["/4DWEBTEST", "/4dwebtest"] {
        let reply = server.get(path).await;
        let content_type = reply.header("content-type").unwrap_or_default();
        assert!(content_type.starts_with("text/plain"), "{path}: {reply:?}");
    }
}

#[tokio::test]
async fn a_component_declares_handlers_and_the_settings_go_before_them() {
    let settings = "[[handlers]]\npattern = 'papers'\nverbs = 'GET'\nmethod = 'last'\n";
    let server = Site::new()
        .guest("commands")
        .guest_as_with("commands", "own", settings)
        .start()
        .await;
    for (method, path, status, text) in [
        ("GET", "/commands/books/7?a=b", 200, "books /books/7?a=b"),
        ("POST", "/commands/books/7", 201, ""),
        ("GET", "/commands/papers/", 200, "others"),
        ("PUT", "/commands/papers/1", 200, "others"),
        ("GET", "/commands/books", 200, "On Web Connection"),
        ("GET", "/own/papers/1", 200, "<p>three"),
        ("GET", "/own/books/1", 200, "books /books/1"),
    ] {
        let reply = ask(&server, method, path).await;
        assert_eq!(
            (reply.status.as_u16(), reply.text()),
            (status, text),
            "{method} {path}"
        );
        let is_handler = text != "On Web Connection";
        assert_eq!(reply.header("x-compiled").is_none(), is_handler, "{path}");
    }
    // The first pattern decides, and it takes neither.
    for path in ["/commands/books/1", "/own/papers/1"] {
        let refused = ask(&server, "DELETE", path).await;
        assert_eq!(refused.status, 405, "{path}");
    }
    let allow = ask(&server, "DELETE", "/commands/books/1").await;
    assert_eq!(allow.header("allow"), Some("GET, HEAD, POST, OPTIONS"));
    // They are no methods for URLs.
    assert_eq!(call(&server, "books").await.status, 403);
    let shown = server.properties("commands").await;
    assert_eq!(
        shown["declaredHandlers"],
        json!([
            {"pattern": "books", "verbs": "GET, head", "method": "books"},
            {"pattern": "books", "verbs": "POST", "method": "add_book"},
            {"regexPattern": "^/(books|papers)/", "method": "others"},
        ])
    );
    let (_, site) = server.stop().await;
    let check = site.run(site.path(), &["check", "."]).await;
    assert_eq!(check.code, Some(0), "{check:?}");
    for line in [
        "  handlers GET, head /books/ -> books",
        "all methods ^/(books|papers)/ -> others",
    ] {
        assert!(check.stdout.contains(line), "{check:?}");
    }
}
