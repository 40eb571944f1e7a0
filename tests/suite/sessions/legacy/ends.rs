//! How legacy sessions come to their end: silent, closed, in the way of others, with their version, with the process.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::{Browser, session_cookie};
use super::{count, kept, listed, processes, site};

#[tokio::test]
async fn a_session_ends_with_its_hook_when_it_is_closed() {
    let server = site("").start().await;
    let mut browser = Browser::default();
    let first = kept(&server, &mut browser, "count").await;
    count(&server, &mut browser).await;
    let before = browser.clone();
    let reply = browser.get(&server, "/kept/4DACTION/close").await;
    assert!(
        session_cookie(&reply).unwrap().contains("4DSID_kept=; "),
        "{reply:?}"
    );
    let id = first["id"].as_str().unwrap();
    server
        .wait_for_log(&[&format!("goodbye {id} after 2")])
        .await;
    // Its cookie is worth nothing any more, and never becomes that of another session.
    let mut again = before.clone();
    assert_eq!(count(&server, &mut again).await, (1, 1));
    assert_ne!(again.secret(), before.secret());
    // One that operators end.
    let told = kept(&server, &mut again, "count").await;
    let id = told["id"].as_str().unwrap();
    let table = server.cli(&["sessions", "kept"]).await;
    assert!(table.stdout.contains(id), "{table:?}");
    assert!(!table.stdout.contains(again.secret()), "{table:?}");
    let dropped = server.cli(&["sessions", "kept", "--drop", id]).await;
    assert_eq!(dropped.code, Some(0), "{dropped:?}");
    server
        .wait_for_log(&[&format!("goodbye {id} after 2")])
        .await;
    assert_eq!(count(&server, &mut again).await, (1, 1));
    let retired = server.properties("kept").await["instances"]["retired"]["session"].clone();
    assert_eq!(retired, 2);
}

#[tokio::test]
async fn the_session_that_was_silent_for_longest_makes_room() {
    let server = site("maxSessions = 2\n").start().await;
    let mut browsers: Vec<Browser> = vec![Browser::default(); 3];
    let first = kept(&server, &mut browsers[0], "count").await;
    count(&server, &mut browsers[1]).await;
    count(&server, &mut browsers[0]).await;
    assert_eq!(count(&server, &mut browsers[2]).await, (1, 1));
    assert_eq!(processes(&server).await, 2);
    assert_eq!(count(&server, &mut browsers[0]).await, (3, 1));
    // The second one comes back under the same identifier, to another instance, in place of the third.
    let secret = browsers[1].secret().to_owned();
    assert_eq!(count(&server, &mut browsers[1]).await, (1, 1));
    assert_eq!(browsers[1].secret(), secret);
    assert_eq!(count(&server, &mut browsers[0]).await, (4, 1));
    server.wait_for_log(&["goodbye", "after 1"]).await;
    // Where all are at work, nobody is closed.
    let (one, two) = (browsers[0].clone(), browsers[1].clone());
    let busy = |browser: &Browser| server.send(browser.request("/kept/4DACTION/note/1000/a"));
    let refused = async {
        server.wait_for_processes("kept", 2).await;
        server.get("/kept/4DACTION/count").await
    };
    let (one, two, refused) = tokio::join!(busy(&one), busy(&two), refused);
    assert_eq!((one.status.as_u16(), two.status.as_u16()), (200, 200));
    assert_eq!(refused.status, 503);
    assert!(refused.header("retry-after").is_some(), "{refused:?}");
    server.wait_for_log(&["no session can begin"]).await;
    let told = kept(&server, &mut browsers[0], "count").await;
    assert_eq!((&told["count"], &told["id"]), (&json!(5), &first["id"]));
}

#[tokio::test]
async fn a_new_version_begins_anew_under_the_same_identifiers() {
    let server = site("").start().await;
    let mut browser = Browser::default();
    let first = kept(&server, &mut browser, "count").await;
    let id = first["id"].as_str().unwrap();
    // Settings that are not about instances leave them alone.
    server
        .admin
        .set("kept", &json!({"inactiveProcessTimeout": 10}))
        .await;
    assert_eq!(count(&server, &mut browser).await, (2, 1));
    // Those that are make new ones.
    server
        .admin
        .set("kept", &json!({"limits": {"memory": "48 MiB"}}))
        .await;
    server
        .wait_for_log(&[&format!("goodbye {id} after 2")])
        .await;
    let told = kept(&server, &mut browser, "count").await;
    assert_eq!((&told["count"], told["id"].as_str()), (&json!(1), Some(id)));

    // A stop waits for the goodbyes.
    let stopped = server.cli(&["stop", "kept"]).await;
    assert_eq!(stopped.code, Some(0), "{stopped:?}");
    server
        .wait_for_log(&[&format!("goodbye {id} after 1")])
        .await;
    server.admin.start("kept", &json!({})).await;
    assert_eq!(count(&server, &mut browser).await, (1, 1));
    // Without sessions there is no cookie, and nothing is kept.
    server
        .admin
        .set("kept", &json!({"keepSession": false}))
        .await;
    let reply = browser.get(&server, "/kept/4DACTION/count").await;
    assert_eq!((reply.status.as_u16(), session_cookie(&reply)), (200, None));
    assert_eq!(reply.json()["id"], "");
    assert_eq!(listed(&server).await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_shutdown_says_goodbye_to_each_session() {
    let server = site("").start().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        let told = kept(&server, &mut Browser::default(), "count").await;
        ids.push(told["id"].as_str().unwrap().to_owned());
    }
    let (exit, _) = server.stop().await;
    assert_eq!(exit.code, Some(0), "{exit:?}");
    for id in ids {
        assert!(
            (exit.stdout.clone() + &exit.stderr).contains(&format!("goodbye {id} after 1")),
            "{exit:?}"
        );
    }
}

#[tokio::test]
async fn a_hook_that_hangs_ends_with_its_deadline() {
    let server = site("maxSessions = 1\n[limits]\ndeadline = '500 ms'\n")
        .start()
        .await;
    kept(&server, &mut Browser::default(), "hang").await;
    assert_eq!(count(&server, &mut Browser::default()).await, (1, 1));
    server
        .wait_for_log(&["On Web Close Process", "not finished after 500ms"])
        .await;
}

#[tokio::test]
async fn a_silent_session_is_closed_in_its_time() {
    let server = site("inactiveProcessTimeout = 1\n").start().await;
    let mut browser = Browser::default();
    let told = kept(&server, &mut browser, "count").await;
    let id = told["id"].as_str().unwrap();
    let goodbye = format!("goodbye {id} after 1");
    // A minute, which is longer than the harness waits at a time.
    for _ in 0..2 {
        let looks = std::time::Instant::now();
        while looks.elapsed() < Duration::from_secs(50) && !server.log().contains(&goodbye) {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
    assert!(server.log().contains(&goodbye), "{server:?}");
    assert_eq!(processes(&server).await, 0);
    // Its client comes back under the same identifier, to a new instance.
    let told = kept(&server, &mut browser, "count").await;
    assert_eq!((&told["count"], told["id"].as_str()), (&json!(1), Some(id)));
}
