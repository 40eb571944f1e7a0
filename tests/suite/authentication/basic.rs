//! BASIC: the rules of the documents, over a socket.

use bytes::Bytes;
use http::Request;

use super::{ask, basic, called_with, challenges, site};

const CHALLENGE: &str = "Basic realm=\"doorman\", charset=\"UTF-8\"";

#[tokio::test]
async fn the_hook_stands_before_all_that_is_dynamic_and_nothing_else() {
    let server = site("mode = 'basic'").start().await;
    let right = basic("ann", "secret");
    // Where it is called, and what there is for those who may come in.
    for (path, text) in [
        ("/doorman/", "user=ann password=secret field=true"),
        (
            "/doorman/no/such/file.html",
            "user=ann password=secret field=true",
        ),
        ("/doorman/4DCGI/x", "user=ann password=secret field=true"),
        ("/doorman/4DACTION/inside", "inside"),
        ("/doorman/calls.shtml", "<b>inside</b>"),
    ] {
        for (credentials, user) in [
            ("", "user= password="),
            ("Bearer x", "user= password="),
            ("Basic ???", "user= password="),
        ] {
            let refused = ask(&server, path, credentials).await;
            assert_eq!(
                (refused.status.as_u16(), challenges(&refused)),
                (401, vec![CHALLENGE]),
                "{path}"
            );
            assert_eq!(called_with(&refused), Some(user), "{path}");
            assert!(
                refused.text().contains("log in"),
                "{path}: the page that goes along"
            );
            assert_eq!(refused.header("cache-control"), Some("no-store"));
        }
        let refused = ask(&server, path, &basic("ann", "wrong")).await;
        assert_eq!(
            (refused.status.as_u16(), challenges(&refused)),
            (401, vec![CHALLENGE]),
            "{path}"
        );
        assert_eq!(
            called_with(&refused),
            Some("user=ann password=wrong"),
            "{path}"
        );
        let accepted = ask(&server, path, &right).await;
        assert_eq!(
            (accepted.status.as_u16(), accepted.text()),
            (200, text),
            "{path}"
        );
        assert_eq!(
            called_with(&accepted),
            Some("user=ann password=secret"),
            "{path}"
        );
        assert!(challenges(&accepted).is_empty(), "{path}");
    }
}

#[tokio::test]
async fn the_hook_is_not_called_for_what_is_not_dynamic() {
    let server = site("mode = 'basic'").start().await;
    for (path, text) in [
        ("/doorman/file.txt", "a file"),
        ("/doorman/plain.shtml", "<b>2</b>"),
        ("/doorman/handled/x", ""),
        ("/doorman/4DWEBTEST", ""),
    ] {
        let reply = ask(&server, path, "").await;
        assert_eq!(
            (reply.status.as_u16(), called_with(&reply)),
            (200, None),
            "{path}"
        );
        assert!(text.is_empty() || reply.text() == text, "{path}: {reply:?}");
    }
    // A posted form, and a method that is there for nobody.
    let form = server.post_form("/doorman/form", "a=b").await;
    assert_eq!(
        (form.status.as_u16(), challenges(&form)),
        (401, vec![CHALLENGE])
    );
    assert_eq!(
        ask(&server, "/doorman/4DACTION/nothing", "").await.status,
        404
    );
}

#[tokio::test]
async fn the_hook_decides_and_what_it_says_goes_along() {
    let server = site("mode = 'basic'\nrealm = 'The back door'")
        .start()
        .await;
    // Open to those who say nothing of themselves, too.
    let open = ask(&server, "/doorman/open", "").await;
    assert_eq!(
        (open.status.as_u16(), open.text()),
        (200, "user= password= field=false")
    );
    let page = ask(&server, "/doorman/page", "").await;
    assert_eq!(
        (page.status.as_u16(), page.text()),
        (401, "<p>Who are you?</p>")
    );
    assert_eq!(
        challenges(&page),
        ["Basic realm=\"The back door\", charset=\"UTF-8\""]
    );
    let own = ask(&server, "/doorman/own-challenge", "").await;
    assert_eq!(
        (own.status.as_u16(), challenges(&own)),
        (401, vec!["Bearer"])
    );
    let away = ask(&server, "/doorman/away", "").await;
    assert_eq!(
        (away.status.as_u16(), away.header("location")),
        (302, Some("/login"))
    );
    assert!(challenges(&away).is_empty());
    // Names and passwords are UTF-8, and only the first colon parts them.
    let other = ask(&server, "/doorman/x", &basic("J\u{f6}rg", "p\u{e4}ss:word")).await;
    assert_eq!(
        other.text(),
        "user=J\u{f6}rg password=p\u{e4}ss:word field=true"
    );
    // Twice is not once.
    let request = Request::get("/doorman/x")
        .header("authorization", basic("ann", "secret"))
        .header("authorization", basic("bob", "secret"));
    let twice = server.send(request.body(Bytes::new()).unwrap()).await;
    assert_eq!(
        (twice.status.as_u16(), called_with(&twice)),
        (401, Some("user= password="))
    );
}

#[tokio::test]
async fn a_hook_that_traps_lets_nobody_in() {
    for mode in ["custom", "basic", "digest"] {
        let server = site(&format!("mode = '{mode}'")).start().await;
        let reply = ask(&server, "/doorman/trap/open", &basic("ann", "secret")).await;
        assert_eq!(reply.status.as_u16(), 500, "{mode}");
        assert!(!reply.text().contains("user="), "{mode}: {reply:?}");
        server
            .wait_for_log(&["trapped in On Web Authentication"])
            .await;
    }
}

#[tokio::test]
async fn without_a_hook_nobody_is_let_in_unless_custom() {
    for (mode, status) in [("custom", 200), ("basic", 401), ("digest", 401)] {
        let settings = format!("[authentication]\nmode = '{mode}'\n");
        for guest in ["version1", "wasihttp", "wasihttp3"] {
            let server = tessera_tests::Site::new()
                .guest_with(guest, &settings)
                .start()
                .await;
            for credentials in [String::new(), basic("ann", "secret")] {
                let reply = ask(&server, &format!("/{guest}/"), &credentials).await;
                assert_eq!(reply.status.as_u16(), status, "{mode} {guest}");
                assert_eq!(
                    challenges(&reply).is_empty(),
                    status == 200,
                    "{mode} {guest}"
                );
            }
        }
    }
}
