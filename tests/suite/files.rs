//! Static files: what is sent, what is not sent again, and what is never sent.

use std::os::unix::fs::symlink;

use bytes::Bytes;
use http::Request;
use tessera_tests::{RawClient, Reply, Server, Site};

const PAGE: &str = "<!doctype html><title>a page</title>";

fn request(method: &str, path: &str, fields: &[(&str, &str)]) -> Request<Bytes> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request.body(Bytes::new()).unwrap()
}

async fn ask(server: &Server, method: &str, path: &str, fields: &[(&str, &str)]) -> Reply {
    server.send(request(method, path, fields)).await
}

#[tokio::test]
async fn browsers_are_not_to_guess_the_type_of_a_file() {
    let server = Site::new().page("a.txt", "<script>").start().await;
    let reply = server.get("/a.txt").await;
    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
}

#[tokio::test]
async fn no_spelling_of_a_path_leads_out_of_the_root() {
    let site = Site::new()
        .page("index.html", PAGE)
        .page("inside/a.txt", "inside")
        .page(".hidden", "secret")
        .page("inside/.git/config", "secret")
        .file("secret.txt", "secret")
        .file("WebFolder2/secret.txt", "secret")
        .guest("echo");
    symlink("../secret.txt", site.at("WebFolder/link.txt")).unwrap();
    symlink("..", site.at("WebFolder/up")).unwrap();
    symlink("/etc", site.at("WebFolder/etc")).unwrap();
    let server = site.start().await;
    for path in [
        "/../secret.txt",
        "/inside/../../secret.txt",
        "/inside/../../../../../../../etc/passwd",
        "/%2e%2e/secret.txt",
        "/%2E%2E%2Fsecret.txt",
        "/..%2fsecret.txt",
        "/..%5csecret.txt",
        "/..\\secret.txt",
        "/%252e%252e/secret.txt",
        "/.%2e/secret.txt",
        "/inside/%2e%2e/%2e%2e/secret.txt",
        "/inside//../../secret.txt",
        "/./../secret.txt",
        "//../secret.txt",
        "//etc/passwd",
        "/%2fetc/passwd",
        "/....//secret.txt",
        "/..;/secret.txt",
        "/%c0%ae%c0%ae/secret.txt",
        "/%ff%fe/secret.txt",
        "/secret.txt%00.html",
        "/../WebFolder2/secret.txt",
        "/.hidden",
        "/%2ehidden",
        "/inside/.git/config",
        "/link.txt",
        "/up/secret.txt",
        "/up/tessera.toml",
        "/etc/passwd",
        "/../.tessera/access-key",
        "/../components/echo.wasm",
        "/%",
        "/%zz",
        "/a%0d%0aSet-Cookie:%20a=b",
    ] {
        let raw = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        let answer = RawClient::exchange(server.address, raw).await;
        let status = answer.split(' ').nth(1).unwrap_or_default();
        assert!(
            matches!(status, "400" | "404"),
            "{path} was answered with: {answer}"
        );
        for secret in ["secret", "root:", "Set-Cookie"] {
            assert!(!answer.contains(secret), "{path}: {answer}");
        }
    }
    assert_eq!(server.get("/inside/a.txt").await.text(), "inside");
}

#[tokio::test]
async fn what_is_not_there_is_404() {
    let server = Site::new()
        .page("a.txt", "a")
        .page("folder/b.txt", "b")
        .start()
        .await;
    for path in [
        "/none", "/none/", "/a.txt/", "/a.txt/b", "/folder", "/folder/", "/A.TXT",
    ] {
        let reply = server.get(path).await;
        assert_eq!(reply.status, 404, "{path}");
        assert_eq!(
            reply.header("content-type"),
            Some("text/html; charset=utf-8")
        );
        assert!(reply.text().contains("404"), "{path}");
    }
}

#[tokio::test]
async fn a_file_takes_get_and_head_only() {
    let server = Site::new().page("a.html", PAGE).start().await;
    for method in ["POST", "PUT", "DELETE", "PATCH"] {
        let reply = ask(&server, method, "/a.html", &[]).await;
        assert_eq!(reply.status, 405, "{method}");
        assert_eq!(reply.header("allow"), Some("GET, HEAD, OPTIONS"));
    }
    let reply = ask(&server, "TRACE", "/a.html", &[("x-secret", "1")]).await;
    assert_eq!(reply.status, 405);
    assert!(!reply.text().contains("x-secret"));
    for path in ["/a.html", "/none"] {
        assert_eq!(ask(&server, "BREW", path, &[]).await.status, 501, "{path}");
    }
    let reply = ask(&server, "OPTIONS", "/a.html", &[]).await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("allow")),
        (204, Some("GET, HEAD, OPTIONS"))
    );
}

#[tokio::test]
async fn a_file_is_sent_with_its_type_and_date() {
    let large = "0123456789".repeat(100_000);
    let server = Site::new()
        .page("a.html", PAGE)
        .page("a b.txt", "with a space")
        .page("größe.css", "p{}")
        .page("a.js", "1")
        .page("a.svg", "<svg/>")
        .page("a.wasm", "\0asm")
        .page("a.png", "png")
        .page("a.json", "{}")
        .page("noextension", "?")
        .page("empty.txt", "")
        .page("large.txt", &large)
        .page(".well-known/security.txt", "here")
        .start()
        .await;
    for (path, content_type, body) in [
        ("/a.html", "text/html; charset=utf-8", PAGE),
        ("/a.html?query=1", "text/html; charset=utf-8", PAGE),
        ("/a%20b.txt", "text/plain; charset=utf-8", "with a space"),
        ("/gr%C3%B6%C3%9Fe.css", "text/css; charset=utf-8", "p{}"),
        ("/a.js", "text/javascript; charset=utf-8", "1"),
        ("/a.svg", "image/svg+xml", "<svg/>"),
        ("/a.wasm", "application/wasm", "\0asm"),
        ("/a.png", "image/png", "png"),
        ("/a.json", "application/json", "{}"),
        ("/noextension", "application/octet-stream", "?"),
        ("/empty.txt", "text/plain; charset=utf-8", ""),
        ("/large.txt", "text/plain; charset=utf-8", &large),
        (
            "/.well-known/security.txt",
            "text/plain; charset=utf-8",
            "here",
        ),
    ] {
        let reply = server.get(path).await;
        assert_eq!(reply.status, 200, "{path}");
        assert_eq!(reply.header("content-type"), Some(content_type), "{path}");
        assert_eq!(reply.text(), body, "{path}");
        assert!(reply.header("last-modified").is_some(), "{path}");
        assert!(reply.header("server").unwrap().starts_with("Tessera/"));

        let head = ask(&server, "HEAD", path, &[]).await;
        assert_eq!(head.status, 200, "{path}");
        assert!(head.body.is_empty(), "{path}");
        for name in ["content-type", "content-length", "etag", "last-modified"] {
            assert_eq!(head.header(name), reply.header(name), "{path}: {name}");
        }
        assert_eq!(
            head.header("content-length"),
            Some(body.len().to_string().as_str())
        );
    }
}

#[tokio::test]
async fn what_the_client_has_is_not_sent_again() {
    let server = Site::new().page("a.html", PAGE).start().await;
    let first = server.get("/a.html").await;
    let date = first.header("last-modified").unwrap();
    let etag = first.header("etag").unwrap();
    for (fields, status) in [
        (&[("if-modified-since", date)][..], 304),
        (&[("if-none-match", etag)], 304),
        (&[("if-none-match", "*")], 304),
        (
            &[("if-none-match", "\"other\""), ("if-modified-since", date)],
            200,
        ),
        (
            &[("if-modified-since", "Thu, 01 Jan 1970 00:00:00 GMT")],
            200,
        ),
        (&[("if-modified-since", "nonsense")], 200),
        (&[("if-match", "\"other\"")], 412),
        (
            &[("if-unmodified-since", "Thu, 01 Jan 1970 00:00:00 GMT")],
            412,
        ),
    ] {
        let reply = ask(&server, "GET", "/a.html", fields).await;
        assert_eq!(reply.status, status, "{fields:?}");
        assert_eq!(reply.body.is_empty(), status == 304, "{fields:?}");
        if status == 304 {
            assert_eq!(reply.header("etag"), Some(etag));
        }
    }
    // Another content is another file, also within the same second.
    server.site.write("WebFolder/a.html", "changed");
    let fields = [("if-none-match", etag)];
    let reply = server
        .wait_until("the page that changed", async || {
            let reply = ask(&server, "GET", "/a.html", &fields).await;
            (reply.status != 304).then_some(reply)
        })
        .await;
    assert_eq!((reply.status.as_u16(), reply.text()), (200, "changed"));
}

#[tokio::test]
async fn the_home_page_is_made_at_the_first_start_only() {
    let server = Site::new().start().await;
    let made = server.get("/").await;
    assert_eq!(made.status, 200);
    assert_eq!(
        made.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(made.text(), server.site.read("WebFolder/index.html"));

    let (exit, site) = server.stop().await;
    assert_eq!(exit.code, Some(0), "{exit:?}");
    site.remove("WebFolder/index.html");
    let server = site.start().await;
    assert_eq!(server.get("/").await.status, 404);
    assert!(!server.site.at("WebFolder/index.html").exists());
}

#[tokio::test]
async fn a_home_page_that_is_there_is_left_alone() {
    let server = Site::new().page("index.html", PAGE).start().await;
    assert_eq!(server.get("/").await.text(), PAGE);
    assert_eq!(server.site.read("WebFolder/index.html"), PAGE);
}

#[tokio::test]
async fn folders_have_home_pages_too() {
    let server = Site::new()
        .settings("rootFolder = \"public\"\ndefaultHomepage = \"home.html\"\n")
        .file("public/home.html", "home")
        .file("public/deep/er/home.html", "deeper")
        .file("WebFolder/index.html", "not the root")
        .start()
        .await;
    assert_eq!(server.get("/").await.text(), "home");
    assert_eq!(server.get("/deep/er/").await.text(), "deeper");
    assert_eq!(server.get("/index.html").await.status, 404);
    let reply = server.get("/deep/er").await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("location")),
        (308, Some("./er/"))
    );
}

#[tokio::test]
async fn a_component_has_files_of_its_own() {
    let site = Site::new().guest_with("echo", "");
    site.write(
        "components/echo/WebFolder/index.html",
        "the component's home",
    );
    site.write("components/echo/WebFolder/a.txt", "the component's file");
    site.write("WebFolder/a.txt", "the host's file");
    let server = site.start().await;
    assert_eq!(server.get("/a.txt").await.text(), "the host's file");
    assert_eq!(server.get("/echo/").await.text(), "the component's home");
    assert_eq!(
        server.get("/echo/a.txt").await.text(),
        "the component's file"
    );
    // What is no file is On Web Connection's, and so is a form posted to the root.
    assert_eq!(server.get("/echo/b.txt").await.json()["url"], "/b.txt");
    let posted = server.post_form("/echo/", "a=b").await.json();
    assert_eq!(
        (&posted["method"], &posted["url"]),
        (&"POST".into(), &"/".into())
    );
    // 4DCGI goes past files.
    let cgi = server.get("/echo/4DCGI/a.txt").await.json();
    assert_eq!(cgi["url"], "/4DCGI/a.txt");
    for path in [
        "/echo/settings.toml",
        "/echo/../settings.toml",
        "/echo/echo.wasm",
    ] {
        let raw = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        let answer = RawClient::exchange(server.address, raw).await;
        assert!(!answer.contains("\0asm"), "{path}");
    }
}
