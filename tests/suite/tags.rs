//! Tags in what a component sends, with the methods and variables of a real guest.

use tessera_tests::{Reply, Server, Site};

/// A site with the guest `pages` at `/pages`, and files below its root.
pub(crate) fn site(files: &[(&str, &str)]) -> Site {
    let site = Site::new().guest_with("pages", "");
    for (path, content) in files {
        site.write(&format!("components/pages/WebFolder/{path}"), content);
    }
    site
}

fn query(values: &[(&str, &str)]) -> String {
    let encoded = |text: &str| -> String {
        let code = |byte: u8| match byte.is_ascii_alphanumeric() {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        };
        text.bytes().map(code).collect()
    };
    let pairs = values.iter();
    let pairs = pairs.map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// What the guest sends of a page by WEB SEND TEXT.
async fn text(server: &Server, page: &str) -> Reply {
    server
        .get(&format!("/pages/text?{}", query(&[("page", page)])))
        .await
}

async fn check(server: &Server, page: &str, expected: &str) {
    let reply = text(server, page).await;
    assert_eq!(
        (reply.status.as_u16(), reply.text()),
        (200, expected),
        "{page}"
    );
}

#[tokio::test]
async fn every_tag_in_a_text_is_carried_out() {
    let server = site(&[("part.html", "<html><body>[$4DTEXT(vCount)]</body></html>")])
        .start()
        .await;
    for (page, expected) in [
        ("no tags, <!-- a comment -->", "no tags, <!-- a comment -->"),
        ("<!--#4DTEXT vTitle-->", "Tom &amp; &quot;Jerry&quot; &lt;3"),
        ("<!--#4DHTML vMarkup-->", "<i>italic</i>"),
        ("<!--#4DEVAL $i:=vCount*2--><!--#4DEVAL $i+1-->", "7"),
        ("<!--#4DEVAL vNew:=5--><!--#4DTEXT vNew-->", "5"),
        (
            "<!--#4DIF (vCount>2)-->many<!--#4DELSEIF (vTrue)-->some<!--#4DELSE-->few<!--#4DENDIF-->",
            "many",
        ),
        (
            "<!--#4DIF vFalse-->yes<!--#4DELSE-->no<!--#4DENDIF-->",
            "no",
        ),
        (
            "<!--#4DLOOP vNames--><!--#4DTEXT vNames{vNames}-->,<!--#4DENDLOOP-->",
            "Ann,Bob,Cid,",
        ),
        (
            "<!--#4DLOOP rows--><!--#4DTEXT vRow-->;<!--#4DENDLOOP-->",
            "row1;row2;row3;",
        ),
        (
            "<!--#4DEVAL $i:=0--><!--#4DLOOP ($i<3)--><!--#4DEVAL $i:=$i+1--><!--#4DTEXT $i--><!--#4DENDLOOP-->",
            "123",
        ),
        (
            "<!--#4DEACH $line in vLines--><!--#4DTEXT $line.name-->=<!--#4DTEXT $line.price-->;<!--#4DENDEACH-->",
            "tea=2.5;&lt;b&gt;cake&lt;/b&gt;=4;",
        ),
        (
            "<!--#4DEACH $name in order--><!--#4DTEXT $name-->;<!--#4DENDEACH-->",
            "number;lines;",
        ),
        ("<!--#4DTEXT vOrder.lines[0].price-->", "1.5"),
        ("<!--#4DINCLUDE part.html-->", "[3]"),
        (
            "<!--#4DBASE sub/--><!--#4DINCLUDE ../part.html--><!--#4DBASE WEBFOLDER-->",
            "[3]",
        ),
        ("<!--#4DSCRIPT/count/a-->", "counted /a"),
        ("<!--#4DSCRIPT/markup/x-->", "<b>bold</b>3"),
        ("<!--#4DTEXT price-->", "2.5"),
        ("<!--#4DTEXT add(price;vCount)-->", "5.5"),
        ("<!--#4DTEXT order.lines[1].name-->", "b"),
        // What a method sends stands for what it returns.
        ("<!--#4DTEXT greeting-->", "&lt;hello&gt;"),
        ("<!--#4DHTML greeting-->", "<hello>"),
        ("<!--#4DTEXT PRICE--><!--#4dtext Price-->", "2.52.5"),
    ] {
        check(&server, page, expected).await;
        // The old form, without `#`.
        check(&server, &page.replace("<!--#4D", "<!--4D"), expected).await;
    }
    // `$` tags are for pages asked for by their URL.
    check(&server, "$4DTEXT(vCount)", "$4DTEXT(vCount)").await;
    check(
        &server,
        "<!--4DVAR vCount--><!--4DACTION/count/b-->",
        "3counted /b",
    )
    .await;
}

#[tokio::test]
async fn a_tag_that_is_wrong_leaves_its_text_and_the_log_says_where() {
    let server = site(&[
        ("self.html", "<!--#4DINCLUDE self.html-->"),
        ("../secret.txt", "the secret"),
    ])
    .start()
    .await;
    for (page, expected) in [
        (
            "<!--#4DTEXT nothing-->",
            "<!--#4DTEXT nothing--> : ## error # 3",
        ),
        ("<!--#4DEVAL 1 2-->", "<!--#4DEVAL 1 2-->: ## error # 1"),
        (
            "<!--#4DSCRIPT/nothing/x-->",
            "<!--#4DSCRIPT/nothing/x--> : ## error # 4",
        ),
        (
            "<!--#4DTEXT secret-->",
            "<!--#4DTEXT secret--> : ## error # 5",
        ),
        (
            "<!--#4DTEXT fails-->",
            "<!--#4DTEXT fails--> : ## error # 6",
        ),
        (
            "<!--#4DTEXT broken-->",
            "<!--#4DTEXT broken--> : ## error # 6",
        ),
        (
            "<!--#4DIF vCount-->x<!--#4DENDIF-->",
            "<!--#4DIF vCount-->: A Boolean expression was expected",
        ),
        (
            "<!--#4DIF vTrue-->x",
            "<!--#4DIF vTrue-->: 4DENDIF expected",
        ),
        (
            "<!--#4DLOOP nothing-->x<!--#4DENDLOOP-->",
            "<!--#4DLOOP nothing-->: The method does not exist",
        ),
        ("<!--#4DCODE a:=1-->", "<!--#4DCODE ...--> : ## error # 12"),
        (
            "<!--#4DINCLUDE none.html-->",
            "<!--#4DINCLUDE none.html--> :The document cannot be opened",
        ),
        (
            "<!--#4DINCLUDE ../secret.txt-->",
            "<!--#4DINCLUDE ../secret.txt--> :The document cannot be opened",
        ),
        (
            "<!--#4DINCLUDE self.html-->",
            "<!--#4DINCLUDE self.html--> :The document cannot be opened",
        ),
    ] {
        check(&server, page, expected).await;
    }
    server
        .wait_for_log(&[
            "WARN",
            ":1:1: <!--#4DTEXT nothing-->: The variable is not defined",
        ])
        .await;
    server
        .wait_for_log(&["WARN", "the method failed that a tag called: out of paper"])
        .await;
}

#[tokio::test]
async fn data_of_visitors_carries_nothing_out_where_it_is_escaped() {
    let server = site(&[]).start().await;
    check(
        &server,
        "<!--#4DTEXT vHostile-->",
        "&lt;!--#4DTEXT vCount--&gt;$4DTEXT(vCount)",
    )
    .await;
    // 4DHTML is for texts of the component's own: comment tags in them are carried out, `$` tags never.
    check(&server, "<!--#4DHTML vHostile-->", "3$4DTEXT(vCount)").await;
}

#[tokio::test]
async fn loops_without_end_and_traps_are_stopped() {
    let settings = "[limits]\ndeadline = \"2s\"\nresponse_size = \"64 KiB\"\n";
    let server = Site::new().guest_with("pages", settings).start().await;
    let endless = "<!--#4DLOOP forever-->x<!--#4DENDLOOP-->";
    let reply = text(&server, endless).await;
    let told = reply.text();
    // Which limit comes first is a matter of the machine: all of them end it.
    assert!(
        told.ends_with(": More than 65536 bytes of output")
            || told.ends_with(": More than 100000 calls of methods")
            || reply.status == 504,
        "{} {}",
        reply.status,
        &told[told.len().saturating_sub(200)..]
    );
    let full = "<!--#4DLOOP (1=1)-->0123456789<!--#4DENDLOOP-->";
    let reply = text(&server, full).await;
    assert!(
        reply.text().ends_with(": More than 65536 bytes of output"),
        "{reply:?}"
    );
    assert_eq!(text(&server, "<!--#4DTEXT spins-->").await.status, 504);
    assert_eq!(text(&server, "a<!--#4DTEXT traps-->").await.status, 500);
    server
        .wait_for_log(&["ERROR", "trapped in the method"])
        .await;
    check(&server, "<!--#4DTEXT price-->", "2.5").await;
}

#[tokio::test]
async fn what_a_method_sets_in_a_tag_goes_with_the_page_and_its_redirection_wins() {
    let server = site(&[]).start().await;
    let reply = text(&server, "a<!--#4DEVAL cookie-->b").await;
    assert_eq!(reply.text(), "ab");
    assert_eq!(reply.header("set-cookie"), Some("seen=yes"));
    let reply = text(&server, "a<!--#4DEVAL leave-->b").await;
    assert_eq!(reply.status, 302);
    assert_eq!(reply.header("location"), Some("/elsewhere"));
}

#[tokio::test]
async fn tags_see_the_variables_of_the_moment_of_sending_and_what_methods_change() {
    let server = site(&[]).start().await;
    // The guest sets vTitle anew after it has sent the page.
    let reply = text(&server, "<!--#4DHTML vTitle-->").await;
    assert_eq!(reply.text(), "Tom & \"Jerry\" <3");
    let reply = server.get("/pages/4DACTION/late").await;
    assert_eq!(reply.text(), "before |changed");
}

#[tokio::test]
async fn only_what_was_sent_last_is_rendered() {
    let server = site(&[("plain.txt", "plain")]).start().await;
    let before = server.get("/pages/4DACTION/counts").await.json();
    let reply = server.get("/pages/4DACTION/twice").await;
    assert_eq!(reply.text(), "second 3");
    let after = server.get("/pages/4DACTION/counts").await.json();
    assert_eq!(before[1], after[1], "the first one's method was called");
}

#[tokio::test]
async fn bytes_have_tags_if_they_are_html() {
    let server = site(&[]).start().await;
    let page = "\u{e9}<!--#4DTEXT vCount-->";
    for (content_type, expected) in [
        ("text/html", "\u{e9}3"),
        ("text/html; charset=utf-8", "\u{e9}3"),
        (".html", "\u{e9}3"),
        ("text/plain", page),
        ("application/octet-stream", page),
        ("", page),
    ] {
        let asked = query(&[("page", page), ("type", content_type)]);
        let reply = server.get(&format!("/pages/blob?{asked}")).await;
        assert_eq!(reply.text(), expected, "{content_type}");
    }
}

#[tokio::test]
async fn texts_have_tags_unless_they_are_json() {
    let server = site(&[]).start().await;
    let page = "\"<!--#4DTEXT vCount-->\"";
    for (content_type, expected) in [
        ("text/html", "\"3\""),
        ("text/plain", "\"3\""),
        ("application/xml", "\"3\""),
        ("application/json", page),
        ("Application/Problem+JSON; charset=utf-8", page),
    ] {
        let asked = query(&[("page", page), ("type", content_type)]);
        let reply = server.get(&format!("/pages/text?{asked}")).await;
        assert_eq!(reply.text(), expected, "{content_type}");
    }
}

#[tokio::test]
async fn a_page_with_tags_is_in_the_servers_character_set_and_is_compressed() {
    let settings = "characterSet = \"ISO-8859-1\"\n[web]\nsend_extended_characters = true\n";
    let server = Site::new().guest_with("pages", settings).start().await;
    let page = format!("\u{e9}<!--#4DTEXT vCount-->{}", " ".repeat(1500));
    let asked = format!("/pages/text?{}", query(&[("page", &page)]));
    let reply = server.get(&asked).await;
    assert_eq!(
        reply.header("content-type"),
        Some("text/html; charset=ISO-8859-1")
    );
    assert_eq!(reply.body.get(..2), Some(&b"\xe93"[..]));
    let request = http::Request::get(&asked).header("accept-encoding", "gzip");
    let reply = server.send(request.body(Default::default()).unwrap()).await;
    assert_eq!(reply.header("content-encoding"), Some("gzip"));
    assert!(reply.body.len() < 1000);
}

#[tokio::test]
async fn a_refusal_has_tags_but_calls_no_method() {
    let server = site(&[]).start().await;
    let reply = text(&server, "refuse").await;
    assert_eq!(reply.status, 401);
    assert_eq!(
        reply.text(),
        "<p>Who are you, <!--#4DTEXT user--> : ## error # 5<!--#4DTEXT price--> : ## error # 5?"
    );
}

#[tokio::test]
async fn process_variables_hold_every_kind_of_value_within_their_bounds() {
    let server = site(&[]).start().await;
    for (name, kind, value, expected) in [
        ("a", "text", "b<", r#""b<""#),
        ("a", "boolean", "true", "true"),
        ("a", "number", "-2.5", "-2.5"),
        (
            "a",
            "json",
            r#"{"b" : [1,null]}"#,
            r#"{"json":"{\"b\" : [1,null]}"}"#,
        ),
        ("a", "null", "", "null"),
        ("%C3%A9t%C3%A9_1", "text", "x", r#""x""#),
        ("a", "long", "16000000", "16000000"),
        (
            "1a",
            "text",
            "x",
            r#"{"error":"not the name of a process variable"}"#,
        ),
        (
            "a-b",
            "text",
            "x",
            r#"{"error":"not the name of a process variable"}"#,
        ),
        (
            "a",
            "long",
            "17000000",
            r#"{"error":"the process variables are larger than their limit"}"#,
        ),
    ] {
        let path = format!(
            "/pages/4DACTION/set/{name}?{}",
            query(&[("kind", kind), ("value", value)])
        );
        assert_eq!(server.get(&path).await.text(), expected, "{path}");
    }
    let path = format!(
        "/pages/4DACTION/set/a?{}",
        query(&[("kind", "json"), ("value", "[1,")])
    );
    let told = server.get(&path).await.json()["error"].clone();
    assert!(told.as_str().unwrap().starts_with("not JSON: "), "{told}");
    // Nine of COMPILER_WEB and one of On Web Authentication are there already.
    let many = server.get("/pages/4DACTION/many/2000").await;
    assert_eq!(many.text(), "990");
}

#[tokio::test]
async fn a_web_process_does_not_see_the_variables_of_the_one_before() {
    for policy in ["reuse", "fresh"] {
        let settings = format!("[pool]\npolicy = \"{policy}\"\nmax = 1\n");
        let server = Site::new().guest_with("pages", &settings).start().await;
        server
            .get("/pages/4DACTION/set/mine?kind=text&value=secret")
            .await;
        let reply = server.get("/pages/4DACTION/get/mine").await;
        assert_eq!(reply.text(), "null", "{policy}");
        let reply = server.get("/pages/4DACTION/get/VCOUNT").await;
        assert_eq!(reply.text(), "3", "{policy}");
    }
}
