//! The documents and files of the page.

use tessera_tests::Site;

use super::{login, open};

#[tokio::test]
async fn a_browser_is_led_to_the_login_and_then_to_the_page() {
    let server = Site::new().start().await;
    for (path, to) in [
        ("/", "/webadmin/"),
        ("/webadmin", "/webadmin/"),
        ("/webadmin/", "/webadmin/login"),
    ] {
        let reply = open(&server, "GET", path).await;
        assert_eq!(reply.status, 303, "{path}: {reply:?}");
        assert_eq!(reply.header("location"), Some(to), "{path}");
    }
    let form = open(&server, "GET", "/webadmin/login").await;
    assert_eq!(form.status, 200);
    assert!(form.text().contains("<form method=\"post\""), "{form:?}");
    let visit = login(&server).await;
    let page = visit.send(&server, "GET", "/webadmin/").await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("/webadmin/main.js"), "{page:?}");
}

#[tokio::test]
async fn everything_is_from_the_binary_and_under_a_strict_policy() {
    let server = Site::new().start().await;
    for (path, kind) in [
        ("/webadmin/login", "text/html; charset=utf-8"),
        ("/webadmin/main.js", "text/javascript; charset=utf-8"),
        ("/webadmin/style.css", "text/css; charset=utf-8"),
        ("/webadmin/icon.svg", "image/svg+xml"),
    ] {
        let reply = open(&server, "GET", path).await;
        assert_eq!(reply.status, 200, "{path}");
        assert_eq!(reply.header("content-type"), Some(kind), "{path}");
        let policy = reply.header("content-security-policy").unwrap();
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
        ] {
            assert_eq!(reply.header(name), Some(value), "{path} {name}");
        }
        let caching = reply.header("cache-control");
        let is_file = path != "/webadmin/login";
        let expected = if is_file { "no-cache" } else { "no-store" };
        assert_eq!(caching, Some(expected), "{path}");
        assert_eq!(open(&server, "HEAD", path).await.status, 200, "{path}");
    }
    for path in [
        "/webadmin/nothing.js",
        "/webadmin/../Cargo.toml",
        "/webadmin/..%2ftessera.toml",
        "/webadmin//main.js",
    ] {
        assert_eq!(open(&server, "GET", path).await.status, 404, "{path}");
    }
    for path in ["/", "/webadmin/", "/webadmin/main.js"] {
        assert_eq!(open(&server, "DELETE", path).await.status, 405, "{path}");
    }
}
