//! What the settings of sessions do, to the host and to a component.

use serde_json::{Value, json};
use tessera_tests::Site;

use super::{Browser, session_cookie};

#[tokio::test]
async fn settings_of_sessions_change_at_once() {
    let handlers = "handlers = [{regexPattern = '^/host/', class = 'session', method = 'count'}, \
                    {regexPattern = '^/login', class = 'session', method = 'login'}]\n";
    let server = Site::new()
        .settings(handlers)
        .guest("session")
        .start()
        .await;
    let cookie_after = async |name: &str, options: Value| {
        server.admin.set(name, &options).await;
        let path = if name == "site" {
            "/host/a"
        } else {
            "/session/4DACTION/count/a"
        };
        let reply = server.get(path).await;
        assert_eq!(
            reply.status,
            if options["scalableSession"] == false {
                500
            } else {
                200
            },
            "{reply:?}"
        );
        session_cookie(&reply)
    };
    for name in ["site", "session"] {
        let first = cookie_after(name, json!({})).await.unwrap();
        assert!(first.starts_with(&format!("4DSID_{name}=")), "{first}");
        let changed = json!({
            "sessionCookiePath": "/a", "sessionCookieDomain": "/*.4d.fr", "sessionCookieSameSite": "Lax",
        });
        let cookie = cookie_after(name, changed).await.unwrap();
        let (_, attributes) = cookie.split_once("; ").unwrap();
        assert_eq!(
            attributes,
            "Path=/a; Domain=4d.fr; HttpOnly; SameSite=Lax; Max-Age=3600"
        );
        assert_eq!(
            cookie_after(name, json!({"scalableSession": false})).await,
            None
        );
        assert!(
            cookie_after(name, json!({"scalableSession": true}))
                .await
                .is_some()
        );
    }
    // Sizes, the store and the roles.
    let fill = async |bytes: u32| {
        let path = format!("/session/4DACTION/fill/a/{bytes}");
        Browser::default().get(&server, &path).await.json()
    };
    for (name, path) in [
        ("session", "/session/4DACTION/login/ann/reader"),
        ("site", "/login"),
    ] {
        server
            .admin
            .set(name, &json!({"sessions.roles": {"reader": []}}))
            .await;
        let told = server.get(path).await.json();
        assert_eq!(told["privileges"], json!(["reader"]), "{name}: {told}");
        server
            .admin
            .set(
                name,
                &json!({"sessions.store": "memory", "sessions.size": "64 KiB"}),
            )
            .await;
    }
    assert_eq!(fill(60_000).await, 1);
    let full = fill(60_000).await.to_string();
    assert!(full.contains("does not answer"), "{full}");
    server
        .wait_for_log(&["there is no room for another session"])
        .await;
    server
        .admin
        .set("session", &json!({"sessions.size": "1 MiB"}))
        .await;
    assert_eq!(fill(60_000).await, 1);
    server
        .admin
        .set("session", &json!({"sessions.session_size": "1 KiB"}))
        .await;
    assert_eq!(
        fill(1000).await["error"],
        "the session is larger than its limit"
    );
}
