//! Semi-dynamic pages: asked for by their URL, included, and files that a component sends.

use bytes::Bytes;
use http::Request;
use tessera_tests::{RawClient, Reply, Server, Site};

use crate::tags::site;

async fn ask(server: &Server, method: &str, path: &str, fields: &[(&str, &str)]) -> Reply {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    server.send(request.body(Bytes::new()).unwrap()).await
}

const TAGS: &str = "<!--#4DEVAL $i:=3--><!--#4DTEXT $i*2-->|$4DTEXT($i)|<!--4DTEXT $i-->";

#[tokio::test]
async fn a_host_without_components_carries_tags_out_in_pages_of_their_types() {
    let server = Site::new()
        .page("a.shtml", TAGS)
        .page("a.SHTM", TAGS)
        .page("a.xml", TAGS)
        .page("a.xsl", TAGS)
        .page("a.html", TAGS)
        .page("a.htm", TAGS)
        .page("a.txt", TAGS)
        .page("method.shtml", "<!--#4DTEXT price--> <!--#4DSCRIPT/a/b-->")
        .start()
        .await;
    // Twice: once from disk, once from memory.
    for _ in 0..2 {
        for page in ["a.shtml", "a.SHTM", "a.xml", "a.xsl"] {
            let reply = server.get(&format!("/{page}")).await;
            assert_eq!(
                (reply.status.as_u16(), reply.text()),
                (200, "6|3|3"),
                "{page}"
            );
        }
        for page in ["a.html", "a.htm", "a.txt"] {
            assert_eq!(server.get(&format!("/{page}")).await.text(), TAGS, "{page}");
        }
        let reply = server.get("/method.shtml").await;
        assert_eq!(
            reply.text(),
            "<!--#4DTEXT price--> : ## error # 3 <!--#4DSCRIPT/a/b--> : ## error # 4"
        );
    }
}

#[tokio::test]
async fn a_page_with_tags_is_made_each_time_and_one_without_is_a_file() {
    let server = Site::new()
        .page("tags.shtml", "$4DTEXT(1+1)")
        .page("none.shtml", "no tags")
        .start()
        .await;
    for _ in 0..3 {
        let reply = server.get("/tags.shtml").await;
        assert_eq!(reply.text(), "2");
        for name in ["etag", "last-modified", "accept-ranges"] {
            assert_eq!(reply.header(name), None, "{name}");
        }
        assert_eq!(reply.header("cache-control"), Some("no-cache"));
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(
            reply.header("content-type"),
            Some("text/html; charset=utf-8")
        );
        let reply = server.get("/none.shtml").await;
        assert_eq!(reply.text(), "no tags");
        assert!(reply.header("etag").is_some());
    }
    let reply = ask(
        &server,
        "GET",
        "/tags.shtml",
        &[("range", "bytes=0-0"), ("if-none-match", "*")],
    )
    .await;
    assert_eq!((reply.status.as_u16(), reply.text()), (200, "2"));
    let reply = ask(&server, "HEAD", "/tags.shtml", &[]).await;
    assert_eq!(reply.header("content-length"), Some("1"));
    assert!(reply.body.is_empty());
    assert_eq!(ask(&server, "POST", "/tags.shtml", &[]).await.status, 405);
}

#[tokio::test]
async fn no_way_to_a_page_shows_its_tags() {
    let server = Site::new()
        .settings("defaultHomepage = \"index.shtml\"\n")
        .page("index.shtml", TAGS)
        .page("sub/index.shtml", TAGS)
        .start()
        .await;
    for path in ["/", "/index.shtml", "/sub/", "/%69ndex.shtml", "/?a=b"] {
        for fields in [
            &[][..],
            &[("accept-encoding", "gzip, br")],
            &[("te", "trailers")],
        ] {
            for _ in 0..2 {
                let reply = ask(&server, "GET", path, fields).await;
                assert_eq!(reply.text(), "6|3|3", "{path} {fields:?}");
            }
        }
    }
    let raw = "GET /index.shtml HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let answers = RawClient::exchange(server.address, raw.to_owned()).await;
    assert_eq!(answers.matches("6|3|3").count(), 2, "{answers}");
    assert!(!answers.contains("4D"), "{answers}");
}

#[tokio::test]
async fn a_page_is_compiled_anew_when_its_file_changes() {
    let site = Site::new()
        .page("a.shtml", "one $4DTEXT(1) <!--#4DINCLUDE part.html-->")
        .page("part.html", "<body>part $4DTEXT(2)</body>");
    let server = site.start().await;
    assert_eq!(server.get("/a.shtml").await.text(), "one 1 part 2");
    server
        .site
        .write("WebFolder/part.html", "<body>other $4DTEXT(3)</body>");
    server.wait_for_text("/a.shtml", "one 1 other 3").await;
    server.site.write("WebFolder/a.shtml", "plain");
    server.wait_for_text("/a.shtml", "plain").await;
    server.site.write("WebFolder/a.shtml", "again $4DTEXT(4)");
    server.wait_for_text("/a.shtml", "again 4").await;
}

#[tokio::test]
async fn included_pages_stay_below_the_root_and_do_not_go_round() {
    let site = Site::new()
        .page(
            "a.shtml",
            "<!--#4DINCLUDE sub/b.html-->|<!--#4DBASE sub/--><!--#4DINCLUDE c.txt-->|<!--#4DINCLUDE ../plain.html-->",
        )
        .page("sub/b.html", "<body>b <!--#4DINCLUDE c.txt--> <!--#4DINCLUDE ../plain.html--></body>")
        .page("sub/c.txt", "c$4DTEXT(1)")
        .page("plain.html", "plain")
        .page("round.shtml", "r<!--#4DINCLUDE back.html-->")
        .page("back.html", "b<!--#4DINCLUDE round.shtml-->")
        .page("out.shtml", "<!--#4DINCLUDE ../secret.txt--><!--#4DINCLUDE link.txt--><!--#4DINCLUDE .hidden-->")
        .page(".hidden", "the secret")
        .file("secret.txt", "the secret");
    std::os::unix::fs::symlink("../secret.txt", site.at("WebFolder/link.txt")).unwrap();
    let server = site.start().await;
    assert_eq!(server.get("/a.shtml").await.text(), "b c1 plain|c1|plain");
    assert_eq!(
        server.get("/round.shtml").await.text(),
        "rb<!--#4DINCLUDE round.shtml--> :The document cannot be opened"
    );
    let out = server.get("/out.shtml").await;
    assert_eq!(
        out.text().matches("The document cannot be opened").count(),
        3
    );
    assert!(!out.text().contains("the secret"), "{}", out.text());
}

#[tokio::test]
async fn a_page_that_calls_a_method_passes_on_web_authentication_first() {
    let server = site(&[
        ("free.shtml", "<!--#4DTEXT 1+1--> <!--#4DTEXT nothing-->"),
        (
            "calls.shtml",
            "$4DTEXT(vCount) $4DTEXT(admitted) <!--#4DSCRIPT/count/x-->",
        ),
        ("refuse.shtml", "<!--#4DTEXT price-->"),
        ("denied.shtml", "<!--#4DTEXT secret-->"),
    ])
    .start()
    .await;
    let admitted = async || server.get("/pages/4DACTION/counts").await.json()[0].clone();
    let before = admitted().await;
    let free = server.get("/pages/free.shtml").await;
    assert_eq!(free.text(), "2 <!--#4DTEXT nothing--> : ## error # 3");
    let denied = server.get("/pages/denied.shtml").await;
    assert_eq!(denied.text(), "<!--#4DTEXT secret--> : ## error # 5");
    let between = admitted().await;
    assert_eq!(before.as_u64().unwrap() + 1, between.as_u64().unwrap());
    let calls = server.get("/pages/calls.shtml").await;
    assert_eq!(calls.text(), "3 True counted /x");
    assert_eq!(calls.header("cache-control"), Some("private, no-cache"));
    assert_eq!(calls.header("etag"), None);
    let after = admitted().await;
    assert_eq!(between.as_u64().unwrap() + 2, after.as_u64().unwrap());
    assert_eq!(server.get("/pages/refuse.shtml").await.status, 401);
}

#[tokio::test]
async fn a_page_whose_method_traps_is_a_500_and_the_next_one_is_made() {
    let server = site(&[
        ("traps.shtml", "before <!--#4DEVAL traps-->"),
        (
            "rows.shtml",
            "<!--#4DLOOP rows-->$4DTEXT(vRow);<!--#4DENDLOOP--><!--#4DEVAL cookie-->",
        ),
        ("leave.shtml", "<!--#4DEVAL leave-->"),
    ])
    .start()
    .await;
    let reply = server.get("/pages/traps.shtml").await;
    assert_eq!(reply.status, 500);
    assert!(!reply.text().contains("before"));
    let reply = server.get("/pages/rows.shtml").await;
    assert_eq!(reply.text(), "row1;row2;row3;");
    assert_eq!(reply.header("set-cookie"), Some("seen=yes"));
    let reply = server.get("/pages/leave.shtml").await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("location")),
        (302, Some("/elsewhere"))
    );
}

#[tokio::test]
async fn what_is_too_long_for_tags_does_not_show_them() {
    let long = format!("$4DTEXT(1){}", " ".repeat(17 << 20));
    let large = format!("$4DTEXT(1){}", " ".repeat(1 << 20));
    let server = Site::new()
        .page("long.shtml", &long)
        .page("large.shtml", &large)
        .page("a.shtml", "[<!--#4DINCLUDE long.shtml-->]")
        .start()
        .await;
    assert_eq!(server.get("/long.shtml").await.status, 500);
    server.wait_for_log(&["ERROR", "/long.shtml"]).await;
    let included = server.get("/a.shtml").await;
    assert_eq!(
        included.text(),
        "[<!--#4DINCLUDE long.shtml--> :The document cannot be opened]"
    );
    // Larger than what is kept in memory, and read each time.
    for _ in 0..2 {
        let reply = server.get("/large.shtml").await;
        assert_eq!((reply.status.as_u16(), reply.text().trim_end()), (200, "1"));
    }
}

#[tokio::test]
async fn a_component_sends_files_of_its_root() {
    let server = site(&[
        (
            "page.html",
            "<!--#4DTEXT vCount-->$4DTEXT(vCount)<!--#4DSCRIPT/count/f-->",
        ),
        ("sub/style.css", "a{}"),
        (
            "latin.html",
            "<meta charset=iso-8859-1><!--#4DTEXT vCount-->",
        ),
        ("data.bin", "<!--#4DTEXT vCount-->"),
        (".hidden", "the secret"),
        ("../outside.txt", "the secret"),
    ])
    .start()
    .await;
    for (path, expected, content_type) in [
        (
            "page.html",
            "3$4DTEXT(vCount)counted /f",
            "text/html; charset=utf-8",
        ),
        (
            "/page.html",
            "3$4DTEXT(vCount)counted /f",
            "text/html; charset=utf-8",
        ),
        ("sub/style.css", "a{}", "text/css; charset=utf-8"),
        ("sub/../sub//style.css", "a{}", "text/css; charset=utf-8"),
        (
            "latin.html",
            "<meta charset=iso-8859-1>3",
            "text/html; charset=ISO-8859-1",
        ),
        ("data.bin", "<!--#4DTEXT vCount-->", "application/x-stuffit"),
    ] {
        let reply = server.get(&format!("/pages/file?path={path}")).await;
        assert_eq!(
            (reply.status.as_u16(), reply.text()),
            (200, expected),
            "{path}"
        );
        assert_eq!(reply.header("content-type"), Some(content_type), "{path}");
    }
    for path in [
        "none.html",
        "",
        "sub",
        "sub/",
        ".hidden",
        "../outside.txt",
        "sub/../../outside.txt",
        "/etc/passwd",
    ] {
        let reply = server
            .get(&format!("/pages/4DACTION/download/{path}"))
            .await;
        assert_eq!(reply.status, 404, "{path}");
        assert_eq!(
            reply.text(),
            "there is no such file in the HTML root",
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_file_that_is_sent_keeps_its_validators_and_ranges() {
    let long = "0123456789".repeat(200_000);
    let server = site(&[("long.bin", &long), ("short.txt", "short")])
        .start()
        .await;
    let path = "/pages/4DACTION/download/long.bin";
    let reply = server.get(path).await;
    assert_eq!(reply.body.len(), long.len());
    assert_eq!(reply.header("content-disposition"), Some("attachment"));
    assert_eq!(reply.header("cache-control"), Some("private"));
    let etag = reply.header("etag").unwrap().to_owned();
    let reply = ask(&server, "GET", path, &[("if-none-match", &etag)]).await;
    assert_eq!(reply.status, 304);
    let reply = ask(&server, "GET", path, &[("range", "bytes=5-14")]).await;
    assert_eq!((reply.status.as_u16(), reply.text()), (206, "5678901234"));
    let reply = ask(&server, "HEAD", path, &[]).await;
    assert_eq!(reply.header("content-length"), Some("2000000"));
    assert!(reply.body.is_empty());
    let reply = ask(
        &server,
        "POST",
        "/pages/4DACTION/download/short.txt",
        &[("range", "bytes=0-1")],
    )
    .await;
    assert_eq!((reply.status.as_u16(), reply.text()), (200, "short"));
}
