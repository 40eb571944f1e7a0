//! Sessions of clients: begun, kept, given rights, continued elsewhere, ended; in memory, in a file, in Redis.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use tempfile::TempDir;
use tessera_tests::{Reply, Server, Site};
use tokio::task::JoinSet;

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

/// Fixation, stolen and made-up identifiers, tokens used twice, names and values with line breaks: none of it helps.
#[tokio::test]
async fn attacks_meet_a_guest_session() {
    let settings = format!("[sessions]\nstore = 'memory'\n{ROLES}");
    let server = Site::new()
        .guest_with("session", &settings)
        .guest_as_with("session", "other", &settings)
        .start()
        .await;
    // Fixation: the attacker has the victim use a session whose cookie the attacker knows, or made up.
    let mut attacker = Browser::default();
    attacker.ask(&server, "count/trap").await;
    let mut victim = attacker.clone();
    victim.ask(&server, "login/ann/editor").await;
    assert_eq!(attacker.ask(&server, "info").await["guest"], true);
    assert_eq!(
        attacker.ask(&server, "get/trap").await,
        json!(null),
        "the old one is gone"
    );
    let made_up = "A".repeat(32);
    let mut fixed = Browser::with(&format!("4DSID_session={made_up}"));
    fixed.ask(&server, "login/bob/editor").await;
    assert_ne!(fixed.secret(), made_up);

    // The cookie of another server, under its name and under this one's.
    let mut stranger = Browser::default();
    let reply = stranger
        .get(&server, "/other/4DACTION/login/eve/editor")
        .await;
    assert_eq!(reply.json()["user"], "eve");
    let secret = stranger.secret().to_owned();
    let told = stranger.ask(&server, "info").await;
    assert_eq!((&told["user"], &told["guest"]), (&json!(""), &json!(true)));
    let id = victim.ask(&server, "info").await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let unpadded = victim.secret().to_owned();
    for value in [
        secret.as_str(),
        "",
        &id,
        &unpadded[1..],
        &format!("{unpadded}="),
        &format!("\"{unpadded}\""),
        &format!("{unpadded}%0d%0aSet-Cookie:x"),
        &"x".repeat(4000),
        "../../../etc/passwd",
    ] {
        let mut made = Browser::with(&format!("4DSID_session={value}"));
        let told = made.ask(&server, "info").await;
        assert_eq!(
            (&told["user"], &told["guest"]),
            (&json!(""), &json!(true)),
            "{value}"
        );
    }

    // One-time tokens: once, and in the URL before any code runs.
    let otp = victim
        .ask(&server, "otp/30")
        .await
        .as_str()
        .unwrap()
        .to_owned();
    let mut phone = Browser::default();
    let told = phone
        .get(&server, &format!("/session/x?$4DSID={otp}"))
        .await
        .json();
    assert_eq!(told["user"], "ann");
    assert_eq!(phone.secret(), victim.secret());
    let mut thief = Browser::default();
    let told = thief
        .get(&server, &format!("/session/x?$4DSID={otp}"))
        .await
        .json();
    assert_eq!((&told["user"], thief.cookie.is_none()), (&json!(""), true));
    assert_eq!(thief.ask(&server, &format!("restore/{otp}")).await, false);
    let otp = victim
        .ask(&server, "otp/")
        .await
        .as_str()
        .unwrap()
        .to_owned();
    let reply = thief
        .get(&server, &format!("/other/4DACTION/restore/{otp}"))
        .await;
    assert_eq!(reply.json(), false, "it is of another server");
    assert_eq!(thief.ask(&server, &format!("restore/{otp}")).await, true);
    assert_eq!(thief.ask(&server, "info").await["user"], "ann");

    // Header injection through what a component takes from the URL.
    let mut browser = Browser::default();
    let reply = browser
        .get(
            &server,
            "/session/4DACTION/cookie/a%0D%0ASet-Cookie:%20evil=1",
        )
        .await;
    assert_eq!(reply.json(), json!([true, false]), "{reply:?}");
    assert!(
        cookies(&reply)
            .iter()
            .all(|it| it.starts_with("4DSID_session=")),
        "{reply:?}"
    );
    let told = browser
        .ask(&server, "login/a%0D%0ASet-Cookie:%20evil=1/reader")
        .await;
    assert_eq!(told["user"], "a\r\nSet-Cookie: evil=1");
    // A web process that traps gives nothing away, and its session is nobody's.
    let reply = Browser::default()
        .get(&server, "/session/4DACTION/trap")
        .await;
    assert_eq!((reply.status.as_u16(), cookies(&reply).len()), (500, 0));
}

/// 64 requests at once of one session, at some hosts.
async fn count_at_once(servers: &[&Server], browser: &Browser, key: &str) {
    let mut requests = JoinSet::new();
    for number in 0..64 {
        let address = servers[number % servers.len()].address;
        let request = browser.request(&format!("/session/4DACTION/count/{key}"));
        requests.spawn(async move {
            let client = tessera_tests::Client::http1(address).await;
            client.unwrap().send(request).await.unwrap()
        });
    }
    let mut sums = BTreeSet::new();
    while let Some(reply) = requests.join_next().await {
        let reply = reply.unwrap();
        assert_eq!(reply.status, 200, "{reply:?}");
        sums.insert(reply.json().as_u64().unwrap());
    }
    assert_eq!(sums, (1..=64).collect(), "each sum was seen by one");
}

#[tokio::test]
async fn no_addition_of_64_at_once_is_lost() {
    for store in ["memory", "file"] {
        let server = site(store).start().await;
        let mut browser = Browser::default();
        browser.ask(&server, "set/other/x/any").await;
        count_at_once(&[&server], &browser, "sum").await;
        assert_eq!(browser.ask(&server, "get/sum").await[0], "64", "{store}");
        assert_eq!(browser.ask(&server, "get/other").await[0], "x", "{store}");
    }
}

#[tokio::test]
async fn sessions_in_a_file_outlive_a_process_that_is_killed() {
    let mut server = site("file").start().await;
    let mut browsers = Vec::new();
    for round in 0..3 {
        let mut browser = Browser::default();
        browser.ask(&server, "count/a").await;
        browser.ask(&server, "login/ann/reader").await;
        browsers.push(browser);
        // What was written in the last 100 ms may be lost; until then others go on writing.
        let written = Instant::now();
        while written.elapsed() < Duration::from_millis(300) {
            Browser::default().ask(&server, "count/a").await;
        }
        server = server.kill().await.start().await;
        for browser in &mut browsers {
            let told = browser.ask(&server, "info").await;
            assert_eq!(told["user"], "ann", "round {round}: {}", server.log());
            assert_eq!(browser.ask(&server, "get/a").await, json!(["1", 1]));
        }
    }
    // An orderly end loses nothing.
    let mut last = Browser::default();
    last.ask(&server, "count/a").await;
    let (exit, site) = server.stop().await;
    assert_eq!(exit.code, Some(0), "{exit:?}");
    let server = site.start().await;
    assert_eq!(last.ask(&server, "count/a").await, 2);
}

#[tokio::test]
async fn sessions_in_memory_outlive_a_reload_only() {
    let server = site("memory").start().await;
    let mut browser = Browser::default();
    browser.ask(&server, "count/a").await;
    server.admin.post("/api/v1/servers/session/reload").await;
    assert_eq!(browser.ask(&server, "count/a").await, 2);
    assert!(!server.site.at(".tessera/sessions.redb").exists());
    let server = server.kill().await.start().await;
    assert_eq!(browser.ask(&server, "count/a").await, 1);
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_is_a_503_for_those_who_need_it() {
    let server = site("file").page("page.html", "a page").start().await;
    server.site.write(".tessera/sessions.redb", "not a store");
    let mut browser = Browser::with(&format!("4DSID_session={}", "A".repeat(32)));
    for (method, status) in [
        ("info", 503),
        ("must/a", 503),
        ("has/a", 503),
        ("nothing", 200),
    ] {
        let reply = browser
            .get(&server, &format!("/session/4DACTION/{method}"))
            .await;
        assert_eq!(reply.status, status, "{method}: {reply:?}");
    }
    // Who is told so may do without.
    let told = browser.ask(&server, "get/a").await.to_string();
    assert!(told.contains("does not answer"), "{told}");
    assert_eq!(server.get("/page.html").await.text(), "a page");
    server
        .wait_for_log(&["sessions are not available", "sessions.redb"])
        .await;
}

/// A Redis server on a port of its own; none where the program is not installed.
struct Redis {
    process: Child,
    port: u16,
    folder: TempDir,
}

impl Redis {
    #[expect(
        clippy::print_stdout,
        reason = "who runs the tests should know what was left out"
    )]
    fn start() -> Option<Self> {
        // Free a moment ago; nothing else of the suite asks for a port of this kind.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let folder = TempDir::new().unwrap();
        let process = Self::run(port, &folder)
            .inspect_err(|error| println!("skipped: redis-server cannot be run: {error}"))
            .ok()?;
        Some(Self {
            process,
            port,
            folder,
        })
    }

    fn run(port: u16, folder: &TempDir) -> std::io::Result<Child> {
        Command::new("redis-server")
            .args([
                "--port",
                &port.to_string(),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
            ])
            .args(["--requirepass", "hunter2"])
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .spawn()
    }

    fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

#[tokio::test]
async fn hosts_on_one_redis_have_one_session() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    let store = format!("redis://:hunter2@127.0.0.1:{}/1", redis.port);
    let site = || site(&store).page("page.html", "a page");
    let (server, other) = (site().start().await, site().start().await);
    let mut browser = Browser::default();
    let is_up = async |browser: &mut Browser| {
        let reply = browser.get(&server, "/session/4DACTION/count/a").await;
        (reply.status == 200).then_some(())
    };
    server
        .wait_until("Redis answers", async || is_up(&mut browser).await)
        .await;
    let there = browser.ask(&server, "get/a").await;
    assert_eq!(browser.ask(&other, "get/a").await, there);
    count_at_once(&[&server, &other], &browser, "sum").await;
    let old = browser.clone();
    browser.ask(&other, "login/ann/reader").await;
    assert_eq!(browser.ask(&server, "info").await["user"], "ann");
    assert_eq!(old.clone().ask(&server, "info").await["guest"], true);
    let otp = browser
        .ask(&server, "otp/")
        .await
        .as_str()
        .unwrap()
        .to_owned();
    let mut phone = Browser::default();
    assert_eq!(phone.ask(&other, &format!("restore/{otp}")).await, true);
    assert_eq!(phone.ask(&server, &format!("restore/{otp}")).await, false);

    redis.kill();
    let reply = browser.get(&server, "/session/4DACTION/info").await;
    assert_eq!(reply.status, 503, "{reply:?}");
    assert_eq!(server.get("/page.html").await.text(), "a page");
    redis.process = Redis::run(redis.port, &redis.folder).unwrap();
    server
        .wait_until("Redis is back", async || is_up(&mut browser).await)
        .await;
    assert!(!server.log().contains("hunter2"), "{}", server.log());
}

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
