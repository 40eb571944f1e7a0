//! What is answered where a URL names no file: listings of folders, pages without their extension, the fallback page.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use bytes::Bytes;
use http::Request;
use tessera_tests::{Reply, Server, Site};

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
const LISTING: &str = "[files]\nlisting = true\n";

async fn ask(server: &Server, method: &str, path: &str, accept: &str) -> Reply {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("accept", accept);
    server.send(request.body(Bytes::new()).unwrap()).await
}

/// The names that a listing for programs has.
async fn names(server: &Server, path: &str) -> Vec<String> {
    let reply = ask(server, "GET", path, "application/json").await;
    assert_eq!(reply.status, 200, "{path}: {reply:?}");
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let listing = reply.json();
    let entries = listing["entries"].as_array().unwrap();
    entries
        .iter()
        .map(|entry| entry["name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_folder_is_listed_only_where_that_is_wanted() {
    let pages = |site: Site| {
        site.page("folder/a.txt", "a")
            .page("home/index.html", "home")
    };
    let server = pages(Site::new()).start().await;
    assert_eq!(server.get("/folder/").await.status, 404);
    let server = pages(Site::new()).settings(LISTING).start().await;
    let reply = ask(&server, "GET", "/folder/", BROWSER).await;
    assert_eq!(reply.status, 200);
    assert_eq!(
        reply.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert!(reply.header("vary").unwrap().starts_with("Accept"));
    assert!(
        reply
            .header("content-security-policy")
            .unwrap()
            .starts_with("default-src 'none'")
    );
    assert!(reply.text().contains("<a href=\"a.txt\">"));
    assert!(reply.text().contains("<a href=\"../\">"));
    let head = ask(&server, "HEAD", "/folder/", BROWSER).await;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
    // Without the slash, links would lead elsewhere.
    let reply = ask(&server, "GET", "/folder", BROWSER).await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("location")),
        (308, Some("./folder/"))
    );
    assert_eq!(server.get("/home/").await.text(), "home");
    assert_eq!(server.get("/none/").await.status, 404);
    assert_eq!(server.get("/folder/a.txt/").await.status, 404);
    assert_eq!(ask(&server, "POST", "/folder/", BROWSER).await.status, 405);
    assert_eq!(
        ask(&server, "OPTIONS", "/folder/", BROWSER).await.status,
        204
    );
}

#[tokio::test]
async fn a_listing_has_what_can_be_had_and_nothing_else() {
    let site = Site::new()
        .settings(LISTING)
        .page("all/b.txt", "12345")
        .page("all/a.txt", "")
        .page("all/.hidden", "secret")
        .page("all/.git/config", "secret")
        .page("all/zebra/x", "")
        .page("other/inside.txt", "")
        .file("secret.txt", "secret");
    symlink("../../secret.txt", site.at("WebFolder/all/out.txt")).unwrap();
    symlink("/etc", site.at("WebFolder/all/etc")).unwrap();
    symlink("nothing", site.at("WebFolder/all/dangling")).unwrap();
    symlink("../other/inside.txt", site.at("WebFolder/all/in.txt")).unwrap();
    symlink("../other", site.at("WebFolder/all/in")).unwrap();
    let server = site.start().await;
    let expected = ["in", "zebra", "a.txt", "b.txt", "in.txt"];
    assert_eq!(names(&server, "/all/").await, expected);
    let listing = ask(&server, "GET", "/all/", "application/json")
        .await
        .json();
    let entries = listing["entries"].as_array().unwrap();
    assert_eq!(listing["truncated"], false);
    for entry in entries {
        let is_folder = entry["type"] == "folder";
        assert_eq!(entry["bytes"].is_null(), is_folder, "{entry}");
        let path = format!("/all/{}", entry["url"].as_str().unwrap());
        assert_eq!(server.get(&path).await.status, 200, "{entry}");
    }
    assert_eq!(entries[3]["bytes"], 5);
    let date = server.get("/all/b.txt").await;
    assert_eq!(
        entries[3]["modified"].as_str(),
        date.header("last-modified")
    );
    for path in ["/all/../", "/all/.git/", "/all/etc/", "/all/%2e%2e/"] {
        assert!(server.get(path).await.status.is_client_error(), "{path}");
    }
}

#[tokio::test]
async fn no_name_can_be_markup_or_lead_elsewhere() {
    let site = Site::new().settings(LISTING);
    let names = [
        "<script>alert(1)</script>",
        "\"onmouseover=\"x",
        "it's",
        "a&amp;b",
        "javascript:alert(1)",
        "a b",
        "100%",
        "a?b#c",
        "größe.txt",
        "line\nbreak",
        "\u{202e}txt.exe",
        "//host",
    ];
    for name in names {
        site.write(&format!("WebFolder/f/{}", name.replace('/', "\\")), name);
    }
    let bytes = std::ffi::OsStr::from_bytes(b"not\xffutf8");
    fs::write(site.at("WebFolder/f").join(bytes), "bytes").unwrap();
    let server = site.start().await;
    let page = ask(&server, "GET", "/f/", BROWSER).await;
    let page = page.text();
    for bad in [
        "<script>",
        "\"onmouseover",
        "href=\"javascript:",
        "\u{202e}",
        "it's",
    ] {
        assert!(!page.contains(bad), "{bad}: {page}");
    }
    let links: Vec<_> = page
        .split("<a href=\"")
        .skip(2)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    assert_eq!(links.len(), names.len() + 1);
    for link in links {
        assert_eq!(
            server.get(&format!("/f/{link}")).await.status,
            200,
            "{link}"
        );
    }
}

#[tokio::test]
async fn a_folder_of_very_many_files_is_cut() {
    let site = Site::new().settings(LISTING).page("many/0", "");
    for i in 1..10_100 {
        fs::File::create(site.at(&format!("WebFolder/many/{i}"))).unwrap();
    }
    let server = site.start().await;
    let listing = ask(&server, "GET", "/many/", "application/json")
        .await
        .json();
    assert_eq!(listing["entries"].as_array().unwrap().len(), 10_000);
    assert_eq!(listing["truncated"], true);
    let page = ask(&server, "GET", "/many/", BROWSER).await;
    assert!(page.text().contains("only 10000 are shown"));
}

#[tokio::test]
async fn a_component_keeps_its_root_and_lists_its_folders() {
    let settings = format!("defaultHomepage = \"\"\n{LISTING}");
    let site = Site::new().guest_with("version1", &settings);
    site.write("components/version1/WebFolder/folder/a.txt", "a");
    let server = site.start().await;
    assert_eq!(server.get("/version1/").await.text(), "v1");
    assert_eq!(
        server.post_form("/version1/folder/", "a=b").await.text(),
        "v1"
    );
    assert_eq!(names(&server, "/version1/folder/").await, ["a.txt"]);
}

#[tokio::test]
async fn addresses_of_an_application_are_answered_with_its_page() {
    let server = Site::new()
        .settings("[files]\nfallback = \"app.html\"\n")
        .page("app.html", "app")
        .page("folder/a.txt", "a")
        .guest_as("version1", "shop")
        .start()
        .await;
    for path in [
        "/users",
        "/users/42",
        "/users/42/",
        "/users?page=1",
        "/folder",
        "/folder/",
        "/folder/none",
    ] {
        let reply = ask(&server, "GET", path, BROWSER).await;
        assert_eq!(
            (reply.status.as_u16(), reply.text()),
            (200, "app"),
            "{path}"
        );
        assert!(
            reply.header("vary").unwrap().starts_with("Accept"),
            "{path}"
        );
        assert_eq!(
            reply.header("content-type"),
            Some("text/html; charset=utf-8")
        );
        // What loads more than the page is told that there is nothing.
        assert_eq!(ask(&server, "GET", path, "*/*").await.status, 404, "{path}");
        assert_eq!(
            ask(&server, "POST", path, BROWSER).await.status,
            404,
            "{path}"
        );
    }
    let head = ask(&server, "HEAD", "/users", BROWSER).await;
    assert_eq!(
        (head.status.as_u16(), head.header("content-length")),
        (200, Some("3"))
    );
    for path in [
        "/none.js",
        "/4DACTION/none",
        "/4DSTATUS",
        "/4dnone/x",
        "/.git/config",
        "//users",
        "/a/../users",
    ] {
        let reply = ask(&server, "GET", path, BROWSER).await;
        assert_eq!(reply.status, 404, "{path}: {}", reply.text());
    }
    assert_eq!(ask(&server, "GET", "/%zz", BROWSER).await.status, 400);
    assert_eq!(
        ask(&server, "GET", "/shop/users", BROWSER).await.text(),
        "v1"
    );
    let tag = ask(&server, "GET", "/users", BROWSER)
        .await
        .header("etag")
        .unwrap()
        .to_owned();
    let again = Request::get("/others")
        .header("accept", BROWSER)
        .header("if-none-match", tag);
    assert_eq!(
        server.send(again.body(Bytes::new()).unwrap()).await.status,
        304
    );
    server.site.remove("WebFolder/app.html");
    server
        .wait_until("that the page is gone", async || {
            let reply = ask(&server, "GET", "/users", BROWSER).await;
            (reply.status == 404).then_some(())
        })
        .await;
}

#[tokio::test]
async fn a_component_has_no_fallback_page() {
    let site = Site::new().guest_with("version1", "[files]\nfallback = \"app.html\"\n");
    let server = site.start().await;
    server.wait_for_log(&["files.fallback"]).await;
}

#[tokio::test]
async fn pages_may_be_named_without_their_extension() {
    let server = Site::new()
        .settings("[files]\nclean_urls = true\n")
        .page("about.html", "about")
        .page("both.html", "page")
        .page("both/index.html", "folder")
        .page("named", "file")
        .page("named.html", "page")
        .start()
        .await;
    for (path, expected) in [
        ("/about", Some("about")),
        ("/about.html", Some("about")),
        ("/about?x=1", Some("about")),
        ("/about/", None),
        ("/about.txt", None),
        ("/named", Some("file")),
        ("/both/", Some("folder")),
        ("/none", None),
        ("/.about", None),
    ] {
        let reply = server.get(path).await;
        let found = (reply.status == 200).then(|| reply.text());
        assert_eq!(found, expected, "{path}");
    }
    assert_eq!(server.get("/both").await.status, 308);
}
