//! The URLs that every web server answers by itself, and what OPTIONS says of them and of files.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Request;
use tessera_tests::{Reply, Server, Site};

async fn ask(server: &Server, method: &str, path: &str, fields: &[(&str, &str)]) -> Reply {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    server.send(request.body(Bytes::new()).unwrap()).await
}

/// A site whose files and components are named like what is built in.
async fn shadowed() -> Server {
    let mut site = Site::new().guest("echo").guest_with("guard", "");
    for name in [
        "4DWEBTEST",
        "4dwebtest",
        "4DBLANK",
        "4DSTATS",
        "4DHTMLSTATS",
        "4DCACHECLEAR",
    ] {
        for folder in ["", "components/guard/"] {
            site = site.file(&format!("{folder}WebFolder/{name}"), "a file");
        }
    }
    site.start().await
}

#[tokio::test]
async fn the_test_url_says_who_answers_and_who_asked() {
    let server = shadowed().await;
    // Open to everybody, also where the component asks who it is.
    for path in [
        "/4DWEBTEST",
        "/4dwebtest",
        "/4DWebTest/x?y",
        "/echo/4DWEBTEST",
        "/guard/4dwebtest",
    ] {
        let reply = ask(&server, "GET", path, &[("user-agent", "tests/1.0 (x)")]).await;
        assert_eq!(reply.status, 200, "{path}");
        assert_eq!(
            reply.header("content-type"),
            Some("text/plain; charset=utf-8")
        );
        assert_eq!(
            reply.header("user-agent"),
            Some("tests/1.0 (x) @ 127.0.0.1")
        );
        let product = reply.header("server").unwrap();
        assert!(product.starts_with("Tessera/"), "{product}");
        let date = reply.header("date").unwrap();
        assert!(date.ends_with(" GMT"), "{date}");
        let lines: Vec<_> = reply.text().lines().collect();
        assert!(
            lines[0].starts_with("Date: ") && lines[0].ends_with(" GMT"),
            "{lines:?}"
        );
        assert_eq!(lines[1], format!("Server: {product}"));
        assert_eq!(lines[2], "User-Agent: tests/1.0 (x) @ 127.0.0.1");
    }
    let none = server.get("/4DWEBTEST").await;
    assert_eq!(none.header("user-agent"), Some("- @ 127.0.0.1"));
    let long = ask(
        &server,
        "GET",
        "/4DWEBTEST",
        &[("user-agent", &"x".repeat(5_000))],
    )
    .await;
    assert!(long.body.len() < 1_000, "{}", long.body.len());
}

#[tokio::test]
async fn the_blank_page_is_empty() {
    let server = shadowed().await;
    for path in ["/4DBLANK", "/4dblank", "/echo/4DBLANK"] {
        let reply = server.get(path).await;
        assert_eq!((reply.status.as_u16(), reply.text()), (200, ""), "{path}");
        assert_eq!(
            reply.header("content-type"),
            Some("text/html; charset=utf-8")
        );
        assert_eq!(reply.header("content-length"), Some("0"));
    }
}

#[tokio::test]
async fn no_file_is_found_where_something_is_built_in() {
    let server = shadowed().await;
    for name in [
        "4DWEBTEST",
        "4DBLANK",
        "4DSTATS",
        "4dhtmlstats",
        "4DCacheClear",
    ] {
        for prefix in ["/", "/guard/", "/echo/"] {
            let reply = server.get(&format!("{prefix}{name}")).await;
            assert_ne!(reply.text(), "a file", "{prefix}{name}");
        }
    }
}

#[tokio::test]
async fn what_is_built_in_is_only_read() {
    let server = shadowed().await;
    for path in ["/4DWEBTEST", "/4DBLANK", "/echo/4DWEBTEST"] {
        for method in ["POST", "PUT", "DELETE"] {
            let reply = ask(&server, method, path, &[]).await;
            assert_eq!(reply.status, 405, "{method} {path}");
            assert_eq!(reply.header("allow"), Some("GET, HEAD, OPTIONS"));
        }
        let options = ask(&server, "OPTIONS", path, &[]).await;
        assert_eq!(options.status, 204);
        assert_eq!(options.header("allow"), Some("GET, HEAD, OPTIONS"));
        let head = ask(&server, "HEAD", path, &[]).await;
        assert_eq!((head.status.as_u16(), head.text()), (200, ""));
    }
}

#[tokio::test]
async fn allow_names_what_is_answered() {
    let traced = "HTTPTrace = true\n";
    let site = || Site::new().page("a.txt", "a").guest("echo");
    for (settings, expected) in [
        ("", "GET, HEAD, OPTIONS"),
        (traced, "GET, HEAD, OPTIONS, TRACE"),
    ] {
        let server = site().settings(settings).start().await;
        for path in ["/a.txt", "/none", "/4DWEBTEST"] {
            let options = ask(&server, "OPTIONS", path, &[]).await;
            assert_eq!(options.status, 204, "{path}");
            assert_eq!(options.header("allow"), Some(expected), "{path}");
        }
        let refused = ask(&server, "POST", "/a.txt", &[]).await;
        assert_eq!(refused.header("allow"), Some(expected));
        let trace = ask(&server, "TRACE", "/a.txt", &[]).await;
        let is_refused = trace.status == 405;
        assert_eq!(is_refused, settings.is_empty());
        // A component takes what comes; TRACE is the host's to answer.
        let trace = ask(&server, "TRACE", "/echo/x", &[]).await;
        assert_eq!(trace.status, 405);
        let every = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
        assert_eq!(trace.header("allow"), Some(every));
        for method in ["OPTIONS", "DELETE", "BREW"] {
            let reply = ask(&server, method, "/echo/x", &[]).await;
            assert_eq!(reply.json()["method"], method);
        }
    }
}

#[tokio::test]
async fn robots_are_told_by_a_plain_file() {
    let text = "User-Agent: *\nDisallow: /4D\nDisallow: /%23%23\n";
    let server = Site::new()
        .page("robots.txt", text)
        .page("ROBOTS.TXT", "in capitals")
        .start()
        .await;
    for (path, expected) in [("/robots.txt", text), ("/ROBOTS.TXT", "in capitals")] {
        let reply = server.get(path).await;
        assert_eq!((reply.status.as_u16(), reply.text()), (200, expected));
        assert_eq!(
            reply.header("content-type"),
            Some("text/plain; charset=utf-8")
        );
        assert!(reply.header("etag").is_some());
    }
}

#[tokio::test]
async fn a_component_on_the_root_answers_for_every_path() {
    let server = Site::new()
        .page("a.txt", "the host's")
        .guest_with("echo", "[mount]\npath = '/'\n")
        .file("components/echo/WebFolder/b.txt", "its own")
        .guest("version1")
        .start()
        .await;
    assert_eq!(server.get("/a.txt").await.json()["url"], "/a.txt");
    assert_eq!(server.get("/b.txt").await.text(), "its own");
    assert_eq!(server.get("/4DWEBTEST").await.status, 200);
    assert_eq!(server.get("/version1/").await.text(), "v1");
}

#[tokio::test]
async fn the_cache_is_shown_and_emptied_for_those_who_have_the_key() {
    let server = Site::new()
        .page("a.html", "text")
        .page("b.png", "picture")
        .start()
        .await;
    for page in ["/a.html", "/b.png"] {
        assert_eq!(server.get(page).await.status, 200);
    }
    let encoded = STANDARD.encode(format!("admin:{}", server.admin.key));
    let with_key = format!("Basic {encoded}");
    let ask = async |path: &str| ask(&server, "GET", path, &[("authorization", &with_key)]).await;
    for path in ["/4DSTATS", "/4dhtmlstats", "/4DCACHECLEAR"] {
        let refused = server.get(path).await;
        assert_eq!(refused.status, 401, "{path}");
        let challenge = refused.header("www-authenticate").unwrap();
        assert!(challenge.starts_with("Basic "), "{challenge}");
    }
    let all = ask("/4DSTATS").await;
    assert_eq!(all.status, 200);
    assert!(
        all.text().contains("<th>Cached Objects</th><td>2<"),
        "{}",
        all.text()
    );
    let pages = ask("/4DHTMLSTATS").await;
    assert!(
        pages.text().contains("<th>Filtered Objects</th><td>1<"),
        "{}",
        pages.text()
    );
    assert_eq!(ask("/4DCACHECLEAR").await.status, 200);
    let none = ask("/4DSTATS").await;
    assert!(
        none.text().contains("<th>Cached Objects</th><td>0<"),
        "{}",
        none.text()
    );
}
