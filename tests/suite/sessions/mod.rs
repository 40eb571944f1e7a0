//! Sessions of clients: begun, kept, given rights, continued elsewhere, ended.

mod attacks;
mod home_page;
mod legacy;
mod settings;
mod stores;

use std::collections::BTreeSet;

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use tessera_tests::{Reply, Server, Site};

const ROLES: &str = "roles = {reader = [], editor = ['reader', 'print']}\n";

/// A component with sessions in that store.
fn site(store: &str) -> Site {
    let settings = format!("[sessions]\nstore = '{store}'\n{ROLES}");
    Site::new().guest_with("session", &settings)
}

/// A client that keeps cookies.
#[derive(Clone, Debug, Default)]
struct Browser {
    cookie: Option<String>,
}

impl Browser {
    fn with(cookie: &str) -> Self {
        Self {
            cookie: Some(cookie.to_owned()),
        }
    }

    fn request(&self, path: &str) -> Request<Bytes> {
        let mut request = Request::builder().uri(path);
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        request.body(Bytes::new()).unwrap()
    }

    async fn get(&mut self, server: &Server, path: &str) -> Reply {
        let reply = server.send(self.request(path)).await;
        if let Some(cookie) = session_cookie(&reply) {
            let pair = cookie.split(';').next().unwrap();
            self.cookie = Some(pair.to_owned()).filter(|pair| !pair.ends_with('='));
        }
        reply
    }

    /// Calls a method of the component.
    async fn ask(&mut self, server: &Server, method: &str) -> Value {
        let path = format!("/session/4DACTION/{method}");
        let reply = self.get(server, &path).await;
        assert_eq!(reply.status, 200, "{path}: {reply:?}");
        reply.json()
    }

    fn secret(&self) -> &str {
        let cookie = self.cookie.as_deref().unwrap_or_default();
        cookie.split_once('=').map_or("", |(_, value)| value)
    }
}

fn cookies(reply: &Reply) -> Vec<&str> {
    let fields = reply.headers.get_all("set-cookie").iter();
    fields.map(|field| field.to_str().unwrap()).collect()
}

fn session_cookie(reply: &Reply) -> Option<String> {
    let cookies = cookies(reply);
    let ours = cookies.iter().find(|cookie| cookie.starts_with("4DSID_"));
    ours.map(|cookie| (*cookie).to_owned())
}

#[tokio::test]
async fn a_session_begins_when_something_is_written() {
    let server = site("file").start().await;
    let mut browser = Browser::default();
    for method in [
        "nothing",
        "info",
        "get/a",
        "keys",
        "has/reader",
        "logout",
        "login//unknown",
    ] {
        let reply = browser
            .get(&server, &format!("/session/4DACTION/{method}"))
            .await;
        assert_eq!(
            (reply.status.as_u16(), cookies(&reply).len()),
            (200, 0),
            "{method}: {reply:?}"
        );
        assert_eq!(reply.header("cache-control"), None, "{method}");
    }
    let reply = browser.get(&server, "/session/4DACTION/count/a").await;
    assert_eq!(reply.json(), 1);
    assert_eq!(reply.header("cache-control"), Some("private"));
    let cookie = cookies(&reply);
    let (pair, attributes) = cookie[0].split_once("; ").unwrap();
    assert!(
        pair.starts_with("4DSID_session=") && pair.len() == 14 + 32,
        "{pair}"
    );
    assert_eq!(
        attributes,
        "Path=/; HttpOnly; SameSite=Strict; Max-Age=3600"
    );
    assert_eq!(
        server.properties("session").await["sessionCookieName"],
        "4DSID_session"
    );

    let told = browser.ask(&server, "info").await;
    assert_eq!(
        (told["guest"].clone(), told["idle"].clone()),
        (json!(true), json!(60))
    );
    let expires = told["expires"].as_str().unwrap();
    assert!(expires.len() == 24 && expires.ends_with('Z'), "{expires}");
    assert_eq!(browser.ask(&server, "count/a").await, 2);
    assert_eq!(browser.ask(&server, "info").await["id"], told["id"]);
    // Another client has another session, and a static page needs none.
    assert_eq!(Browser::default().ask(&server, "count/a").await, 1);
    let reply = browser.get(&server, "/").await;
    assert_eq!(cookies(&reply).len(), 0, "{reply:?}");
    // A cookie that the component sets itself stays beside it, whatever it does to that field.
    let reply = Browser::default()
        .get(&server, "/session/4DACTION/cookie/x")
        .await;
    let names: BTreeSet<_> = cookies(&reply).into_iter().map(|it| &it[..4]).collect();
    assert_eq!(names, BTreeSet::from(["own=", "4DSI"]), "{reply:?}");
    // What a handler of the host asks for is a session of the host: see the test of the settings.
}

#[tokio::test]
async fn storage_is_written_over_what_is_expected_only() {
    let server = site("memory").start().await;
    let mut browser = Browser::default();
    for (method, expected) in [
        ("set/a/1/absent", json!(1)),
        ("set/a/2/absent", json!({"conflict": ["1", 1]})),
        ("set/a/2/1", json!(2)),
        ("set/a/3/1", json!({"conflict": ["2", 2]})),
        ("set/b/x/any", json!(3)),
        ("get/a", json!(["2", 2])),
        ("keys", json!(["a", "b"])),
        ("remove/a/1", json!({"conflict": ["2", 2]})),
        ("remove/a/2", json!(null)),
        ("remove/a/any", json!(null)),
        ("get/a", json!(null)),
        ("set/a/1/2", json!({"conflict": null})),
        ("set/a/1/absent", json!(4)),
        (
            "fill/c/70000",
            json!({"error": "the session is larger than its limit"}),
        ),
        ("fill/c/60000", json!(5)),
        ("idle/10", json!(60)),
        ("idle/90", json!(90)),
        ("close", json!(true)),
        ("keys", json!([])),
    ] {
        let found = browser.ask(&server, method).await;
        let found = found.get("idle").unwrap_or(&found);
        assert_eq!(*found, expected, "{method}");
    }
    assert_eq!(browser.cookie, None, "it was taken back");
}

#[tokio::test]
async fn operators_list_sessions_and_end_them() {
    let server = site("file").start().await;
    let mut ann = Browser::default();
    let id = ann.ask(&server, "login/ann/editor").await["id"].clone();
    let id = id.as_str().unwrap();
    Browser::default().ask(&server, "count/a").await;
    let path = "/api/v1/servers/session/sessions";
    let listed = server.admin.document(path).await;
    assert_eq!(listed["sessions"].as_array().unwrap().len(), 2, "{listed}");
    assert!(!listed.to_string().contains(ann.secret()), "{listed}");
    let ours = server.admin.document(&format!("{path}?user=ann")).await;
    let session = &ours["sessions"][0];
    assert_eq!(session["id"], id);
    assert_eq!(session["privileges"], json!(["editor", "print", "reader"]));
    let none = server.admin.document("/api/v1/servers/site/sessions").await;
    assert_eq!(none, json!({"sessions": [], "more": false, "next": null}));

    let table = server.cli(&["sessions", "session", "--user", "ann"]).await;
    assert!(
        table.stdout.contains(id) && table.stdout.contains("editor,print,reader"),
        "{table:?}"
    );
    let dropped = server.cli(&["sessions", "session", "--drop", id]).await;
    assert_eq!(dropped.code, Some(0), "{dropped:?}");
    let again = server.cli(&["sessions", "session", "--drop", id]).await;
    assert!(
        again.code == Some(1) && again.stderr.contains("there is no session"),
        "{again:?}"
    );
    assert_eq!(ann.ask(&server, "info").await["guest"], true);
}

#[tokio::test]
async fn privileges_are_given_and_taken() {
    let server = site("memory").start().await;
    let mut browser = Browser::default();
    browser.ask(&server, "count/cart").await;
    let before = browser.clone();
    let told = browser.ask(&server, "login/ann/editor,unknown").await;
    assert_eq!(told["user"], "ann");
    assert_eq!(told["privileges"], json!(["editor", "print", "reader"]));
    assert_ne!(browser.secret(), before.secret());
    assert_eq!(browser.ask(&server, "has/print").await, true);
    assert_eq!(browser.ask(&server, "has/unknown").await, false);
    assert_eq!(
        browser.ask(&server, "count/cart").await,
        2,
        "the storage went along"
    );
    let lower = browser.ask(&server, "login//reader").await;
    assert_eq!(
        (&lower["user"], &lower["privileges"]),
        (&json!("ann"), &json!(["reader"]))
    );
    let guest = browser.ask(&server, "logout").await;
    assert_eq!(
        (&guest["user"], &guest["guest"]),
        (&json!(""), &json!(true))
    );
    assert_eq!(browser.ask(&server, "count/cart").await, 3);
}
