//! WEB SET HOME PAGE: each client's own, as long as its session.

use tessera_tests::Site;

use super::Browser;

fn site() -> Site {
    Site::new()
        .guest_with("commands", "scalableSession = true\n")
        .file("components/commands/WebFolder/index.html", "everybody's")
        .file("components/commands/WebFolder/mine/a b.html", "mine")
        .file(
            "components/commands/WebFolder/tags.shtml",
            "<!--#4DTEXT 1+1-->",
        )
}

#[tokio::test]
async fn a_client_has_the_home_page_that_was_set_for_it() {
    let server = site().start().await;
    let mut browser = Browser::default();
    let set = "/commands/4DACTION/home";
    for (page, expected) in [
        ("mine/a%20b.html", "mine"),
        ("tags.shtml", "2"),
        ("none.html", "everybody's"),
        ("", "everybody's"),
    ] {
        let said = browser.get(&server, &format!("{set}/{page}")).await;
        assert_eq!(said.text(), "Ok(())", "{page}");
        assert!(browser.cookie.is_some());
        // Again and again: from memory, too.
        for _ in 0..3 {
            let reply = browser.get(&server, "/commands/").await;
            assert_eq!(reply.text(), expected, "{page}");
            let is_own = expected != "everybody's";
            let vary: Vec<_> = reply.headers.get_all("vary").iter().collect();
            let varies = vary
                .iter()
                .any(|it| it.to_str().unwrap().contains("Cookie"));
            assert_eq!(varies, is_own, "{vary:?}");
            let reply = server.get("/commands/").await;
            assert_eq!(reply.text(), "everybody's", "nobody else's");
        }
    }
}

#[tokio::test]
async fn without_sessions_there_is_nothing_to_keep_it_in() {
    let settings = "scalableSession = false\n";
    let server = Site::new().guest_with("commands", settings).start().await;
    let said = server.get("/commands/4DACTION/home/a.html").await;
    assert!(said.text().contains("scalableSession"), "{said:?}");
    assert_eq!(said.header("set-cookie"), None);
}
