//! How often one client may ask a web server.

use http::Request;
use serde_json::json;
use tessera_tests::{Reply, Server, Site};

/// As many requests at once as the settings here let a client make.
const BURST: usize = 4;
/// More than a slow machine has time for while the settings here let one more pass.
const MANY: usize = 60;

fn settings(more: &str) -> String {
    format!("{more}[rate_limit]\nrequests = 1\nburst = {BURST}\n")
}

/// Asks as a client behind the proxy that these tests are.
async fn get(server: &Server, path: &str, client: &str) -> Reply {
    let request = Request::get(path).header("x-forwarded-for", client);
    server.send(request.body("".into()).unwrap()).await
}

/// Asks until it is refused: how often it was answered before, and the refusal.
async fn until_refused(server: &Server, path: &str, client: &str) -> (usize, Reply) {
    for count in 0..MANY {
        let reply = get(server, path, client).await;
        if reply.status == 429 {
            return (count, reply);
        }
        assert_eq!(reply.status, 200, "{reply:?}");
    }
    panic!("{client} was never refused at {path}");
}

#[tokio::test]
async fn each_server_holds_each_client_to_its_rate() {
    let server = Site::new()
        .settings(&settings(
            "[proxy]\ntrusted = [\"127.0.0.0/8\"]\nheader = \"x-forwarded-for\"\n",
        ))
        .page("a.txt", "alpha")
        .guest_with("echo", &settings(""))
        .guest("silent")
        .start()
        .await;
    for (path, one, other) in [
        ("/a.txt", "192.0.2.1", "192.0.2.2"),
        ("/a.txt", "2001:db8:0:1::1", "2001:db8:0:2::1"),
        ("/echo/x", "192.0.2.1", "192.0.2.2"),
    ] {
        let (count, refused) = until_refused(&server, path, one).await;
        assert!(count >= BURST, "{count}");
        assert_eq!(refused.header("retry-after"), Some("1"), "{refused:?}");
        assert!(
            refused.text().contains("429 Too Many Requests"),
            "{refused:?}"
        );
        // Another client, and another server, have nothing to do with it.
        assert_eq!(get(&server, path, other).await.status, 200);
        for _ in 0..BURST * 2 {
            assert_eq!(get(&server, "/silent/", one).await.status, 200);
        }
        let is_answered = async || (get(&server, path, one).await.status == 200).then_some(());
        server
            .wait_until("the client may ask again", is_answered)
            .await;
    }
    // A network of IPv6 is one client.
    until_refused(&server, "/a.txt", "2001:db8:0:3::1").await;
    let neighbour = get(&server, "/a.txt", "2001:db8:0:3:ffff::2").await;
    assert!(
        matches!(neighbour.status.as_u16(), 200 | 429),
        "{neighbour:?}"
    );
    let (count, _) = until_refused(&server, "/a.txt", "2001:db8:0:3:ffff::3").await;
    assert!(count < BURST, "{count}");
}

#[tokio::test]
async fn a_rate_changes_at_once_and_none_is_no_limit() {
    let server = Site::new().page("a.txt", "alpha").start().await;
    let all = async || {
        let mut refused = 0;
        for _ in 0..MANY {
            refused += usize::from(server.get("/a.txt").await.status == 429);
        }
        refused
    };
    assert_eq!(all().await, 0);
    let set = json!({"rate_limit": {"requests": 1, "burst": 2}});
    server.admin.set("site", &set).await;
    assert!(all().await > 0);
    server.admin.set("site", &json!({"rate_limit": null})).await;
    assert_eq!(all().await, 0);
}
