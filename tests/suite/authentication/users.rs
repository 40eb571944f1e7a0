//! The users file: kept by the command line, looked up before the hook.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use serde_json::Value;
use tessera_tests::{Server, tessera_binary};

use super::{ask, basic, called_with, challenges, site};

/// Runs `tessera user`, with the password on its standard input. Gives the exit code and what it printed.
fn user(server: &Server, arguments: &[&str], password: &str) -> (Option<i32>, String) {
    let mut child = Command::new(tessera_binary());
    child
        .arg("user")
        .args(arguments)
        .arg("--site")
        .arg(server.site.path());
    child
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = child.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    // One that is refused at once reads nothing.
    let _ = input.write_all(password.as_bytes());
    drop(input);
    let output = child.wait_with_output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

#[tokio::test]
async fn users_of_the_file_are_let_in_as_soon_as_they_are_there() {
    let server = site("mode = 'basic'\nusers_file = true").start().await;
    let right = basic("bob", "correct horse");
    assert_eq!(
        called_with(&ask(&server, "/doorman/x", &right).await),
        Some("user=bob password=correct horse")
    );

    assert_eq!(
        user(&server, &["add", "bob"], "correct horse\n"),
        (Some(0), "bob is a user now\n".to_owned())
    );
    let file = server.site.at(".tessera/users");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!server.site.read(".tessera/users").contains("correct"));
    server
        .wait_until("the user is known", async || {
            (ask(&server, "/doorman/x", &right).await.status == 200).then_some(())
        })
        .await;
    let reply = ask(&server, "/doorman/x", &right).await;
    // The hook is not asked, and nobody is told the password, by whatever way.
    assert_eq!(
        (reply.text(), called_with(&reply)),
        ("user=bob password= field=false", None)
    );
    let refused = ask(&server, "/doorman/x", &basic("bob", "correct horsf")).await;
    assert_eq!(
        (
            refused.status.as_u16(),
            called_with(&refused),
            challenges(&refused).len()
        ),
        (401, None, 1)
    );
    // Who is not in it is the hook's to know, and so is who says nothing.
    assert_eq!(
        called_with(&ask(&server, "/doorman/x", &basic("ann", "secret")).await),
        Some("user=ann password=secret")
    );
    assert_eq!(
        called_with(&ask(&server, "/doorman/open", "").await),
        Some("user= password=")
    );

    assert_eq!(
        user(&server, &["passwd", "bob"], "battery staple").0,
        Some(0)
    );
    server
        .wait_until("the password is another", async || {
            (ask(&server, "/doorman/x", &right).await.status == 401).then_some(())
        })
        .await;
    assert_eq!(
        ask(&server, "/doorman/x", &basic("bob", "battery staple"))
            .await
            .status,
        200
    );
    assert_eq!(user(&server, &["remove", "bob"], "").0, Some(0));
    server
        .wait_until("the user is gone", async || {
            let reply = ask(&server, "/doorman/x", &basic("bob", "battery staple")).await;
            called_with(&reply).map(|_| ())
        })
        .await;
}

#[tokio::test]
async fn the_file_alone_is_enough_for_components_without_a_hook() {
    let settings = "[authentication]\nmode = 'basic'\nusers_file = true\n";
    let site = tessera_tests::Site::new()
        .guest_with("wasihttp", settings)
        .guest_with("version1", settings);
    let server = site.start().await;
    assert_eq!(user(&server, &["add", "bob"], "correct horse\n").0, Some(0));
    for path in ["/wasihttp/", "/version1/"] {
        assert_eq!(ask(&server, path, "").await.status, 401, "{path}");
        assert_eq!(
            ask(&server, path, &basic("bob", "correct horse"))
                .await
                .status,
            200,
            "{path}"
        );
        assert_eq!(
            ask(&server, path, &basic("bob", "wrong")).await.status,
            401,
            "{path}"
        );
        assert_eq!(
            ask(&server, path, &basic("eve", "correct horse"))
                .await
                .status,
            401,
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_read_lets_nobody_in() {
    let site = site("mode = 'basic'\nusers_file = true");
    site.write(".tessera/users", "bob:secret\n");
    let server = site.start().await;
    for credentials in [basic("bob", "secret"), basic("ann", "secret")] {
        assert_eq!(ask(&server, "/doorman/x", &credentials).await.status, 503);
    }
    let line = server
        .wait_for_log(&["users:1:", "tessera user passwd"])
        .await;
    assert!(!line.contains("secret"), "{line}");
    let (code, text) = user(&server, &["add", "eve"], "correct horse\n");
    assert_eq!(code, Some(1));
    assert!(text.contains("users:1:"), "{text}");
}

#[tokio::test]
async fn the_command_line_says_what_is_wrong() {
    let server = site("").start().await;
    assert_eq!(user(&server, &["add", "bob"], "correct horse\n").0, Some(0));
    for (arguments, password, code, words) in [
        (
            &["add", "bob"][..],
            "battery staple\n",
            2,
            "there is a user \"bob\" already",
        ),
        (
            &["add", "a:b"],
            "battery staple\n",
            2,
            "cannot be the name of a user",
        ),
        (&["add", "eve"], "short\n", 2, "8 to 1024 bytes"),
        (&["add", "eve"], "", 2, "there is no password"),
        (
            &["passwd", "eve"],
            "battery staple\n",
            2,
            "there is no user \"eve\"",
        ),
        (&["remove", "eve"], "", 2, "there is no user \"eve\""),
    ] {
        let (found, text) = user(&server, arguments, password);
        assert_eq!(found, Some(code), "{arguments:?}: {text}");
        assert!(text.contains(words), "{arguments:?}: {text}");
    }
    assert_eq!(user(&server, &["list"], ""), (Some(0), "bob\n".to_owned()));
    let (_, json) = user(&server, &["list", "--json"], "");
    assert_eq!(
        serde_json::from_str::<Value>(&json).unwrap()["users"][0],
        "bob"
    );
}
