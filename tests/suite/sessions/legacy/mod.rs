//! Legacy sessions: an instance for each, its variables, its turns.

mod ends;

use std::time::Duration;

use http::{Method, Request};
use serde_json::{Value, json};
use tessera_tests::{Client, Server, Site};

use super::{Browser, session_cookie};

const ON: &str = "scalableSession = false\nkeepSession = true\n";

fn site(settings: &str) -> Site {
    Site::new().guest_with("kept", &format!("{ON}{settings}"))
}

/// What a client's session has counted to, and how often COMPILER_WEB has run in it.
async fn count(server: &Server, browser: &mut Browser) -> (u64, u64) {
    let told = kept(server, browser, "count").await;
    (
        told["count"].as_u64().unwrap(),
        told["compiled"].as_u64().unwrap(),
    )
}

async fn kept(server: &Server, browser: &mut Browser, method: &str) -> Value {
    let path = format!("/kept/4DACTION/{method}");
    let reply = browser.get(server, &path).await;
    assert_eq!(reply.status, 200, "{path}: {reply:?}\n{server:?}");
    reply.json()
}

async fn listed(server: &Server) -> Vec<Value> {
    let path = "/api/v1/servers/kept/sessions";
    let listed = server.admin.document(path).await;
    listed["sessions"].as_array().unwrap().clone()
}

/// Those that keep an instance.
async fn processes(server: &Server) -> usize {
    let sessions = listed(server).await;
    let with = sessions.iter().filter(|it| it["hasProcess"] == true);
    with.count()
}

#[tokio::test]
async fn variables_live_from_one_request_of_a_session_to_the_next() {
    let server = site("")
        .file("components/kept/WebFolder/a.txt", "a")
        .start()
        .await;
    let reply = server.get("/kept/a.txt").await;
    assert_eq!((reply.status.as_u16(), session_cookie(&reply)), (200, None));
    assert_eq!(processes(&server).await, 0, "a file needs no session");

    let (mut ann, mut bob) = (Browser::default(), Browser::default());
    for expected in 1..=3 {
        // COMPILER_WEB runs when the instance begins, and not again.
        assert_eq!(count(&server, &mut ann).await, (expected, 1));
    }
    assert_eq!(count(&server, &mut bob).await, (1, 1));
    assert_eq!(count(&server, &mut ann).await, (4, 1));
    assert_ne!(ann.secret(), bob.secret());
    let told = kept(&server, &mut bob, "count").await;
    assert_eq!(told["processes"], json!([1, 0]));
    assert_eq!(
        kept(&server, &mut ann, "variable/x").await,
        json!([null, true])
    );
    assert_eq!(
        kept(&server, &mut ann, "variable/y").await,
        json!(["x", true])
    );
    assert_eq!(
        kept(&server, &mut bob, "variable/z").await,
        json!([null, true])
    );
    assert_eq!(processes(&server).await, 2);
    // A client that keeps no cookie is a new one each time.
    assert_eq!(count(&server, &mut Browser::default()).await, (1, 1));
    // On Web Connection is called in the session as well, and an error is no end of it.
    assert_eq!(ann.get(&server, "/kept/anything").await.json()["count"], 5);
    assert_eq!(ann.get(&server, "/kept/4DACTION/fail").await.status, 500);
    assert_eq!(count(&server, &mut ann).await, (7, 1));

    let instances = server.properties("kept").await["instances"].clone();
    assert_eq!(
        (&instances["idle"], &instances["created"]),
        (&json!(0), &json!(4))
    );
}

#[tokio::test]
async fn the_cookie_is_sent_again_with_each_response() {
    let settings =
        "inactiveSessionTimeout = 90\nsessionCookiePath = '/kept'\nsessionCookieSameSite = 'Lax'\n";
    let server = site(settings).start().await;
    let mut browser = Browser::default();
    let mut ids = Vec::new();
    for _ in 0..2 {
        let reply = browser.get(&server, "/kept/4DACTION/count").await;
        let cookie = session_cookie(&reply).unwrap();
        let (pair, attributes) = cookie.split_once("; ").unwrap();
        assert!(
            pair.starts_with("4DSID_kept=") && pair.len() == 11 + 32,
            "{pair}"
        );
        assert_eq!(
            attributes,
            "Path=/kept; HttpOnly; SameSite=Lax; Max-Age=5400"
        );
        assert_eq!(reply.header("cache-control"), Some("private"));
        let told = reply.json();
        assert_eq!(told["idle"], 90);
        assert!(told["expires"].as_str().unwrap().ends_with('Z'), "{told}");
        ids.push((pair.to_owned(), told["id"].clone()));
    }
    assert_eq!(ids[0], ids[1]);
    assert!(
        !ids[0].0.contains(ids[0].1.as_str().unwrap()),
        "the identifier is no secret"
    );
    // What only scalable sessions have.
    let disabled = "the server keeps no sessions";
    let told = kept(&server, &mut browser, "storage").await;
    assert_eq!(told, json!([disabled, disabled, disabled, true]));
}

#[tokio::test]
async fn requests_of_one_session_run_in_their_order() {
    let server = site("").start().await;
    let mut browser = Browser::default();
    kept(&server, &mut browser, "note/0/a").await;
    let ask = |method: &str| {
        let request = browser.request(&format!("/kept/4DACTION/{method}"));
        server.send(request)
    };
    let slow = ask("note/400/b");
    let rest = async {
        server.wait_for_processes("kept", 1).await;
        ask("note/0/c").await
    };
    let (slow, after) = tokio::join!(slow, rest);
    assert_eq!(slow.json(), json!(["a", "b"]));
    assert_eq!(after.json(), json!(["a", "b", "c"]));

    // As many wait as may; another session waits for nobody.
    let more = (0..40).map(|_| browser.request("/kept/4DACTION/note/20/x"));
    let client = Client::http2(server.address).await.unwrap();
    let replies = client.send_all(more.collect()).await;
    let statuses = replies
        .into_iter()
        .map(|reply| reply.unwrap().status.as_u16());
    let statuses: Vec<u16> = statuses.collect();
    assert!(
        statuses.contains(&200) && statuses.contains(&503),
        "{statuses:?}"
    );
    assert_eq!(count(&server, &mut Browser::default()).await, (1, 1));
    // Who gives up does not take the session along.
    let mut gone = Client::http1(server.address).await.unwrap();
    let request = browser.request("/kept/4DACTION/note/300/late");
    let _ = tokio::time::timeout(Duration::from_millis(100), gone.send(request)).await;
    drop(gone);
    let notes = kept(&server, &mut browser, "note/0/last").await;
    let notes = notes.as_array().unwrap();
    assert_eq!(notes[0], "a");
    assert_eq!(notes[notes.len() - 2..], [json!("late"), json!("last")]);
}

#[tokio::test]
async fn what_a_client_made_up_never_becomes_a_session() {
    let server = site("").start().await;
    let made_up = "A".repeat(32);
    let mut browser = Browser::with(&format!("4DSID_kept={made_up}"));
    assert_eq!(count(&server, &mut browser).await, (1, 1));
    assert_ne!(browser.secret(), made_up);
    // Who is refused has no session, and takes nobody's place.
    let reply = server.get("/kept/refuse").await;
    assert_eq!((reply.status.as_u16(), session_cookie(&reply)), (401, None));
    assert_eq!(listed(&server).await.len(), 1);
    let reply = browser.get(&server, "/kept/refuse").await;
    assert_eq!(reply.status, 401);
    assert_eq!(
        count(&server, &mut browser).await,
        (2, 1),
        "a session is kept all the same"
    );
    // A trap ends what the session keeps, and breaks no other.
    let mut other = Browser::default();
    count(&server, &mut other).await;
    assert_eq!(
        browser.get(&server, "/kept/4DACTION/trap").await.status,
        500
    );
    assert_eq!(count(&server, &mut browser).await, (1, 1));
    assert_eq!(count(&server, &mut other).await, (2, 1));
    let reply = server.get("/kept/4DACTION/trap").await;
    assert_eq!((reply.status.as_u16(), session_cookie(&reply)), (500, None));
}

#[tokio::test]
async fn a_session_is_held_to_the_address_that_it_began_from() {
    let proxies = "[proxy]\ntrusted = ['127.0.0.1']\nheader = 'x-forwarded-for'\n";
    let server = site("").settings(proxies).start().await;
    let ask = async |cookie: &str, address: &str| {
        let request = Request::builder()
            .method(Method::GET)
            .uri("/kept/4DACTION/count");
        let request = request
            .header("x-forwarded-for", address)
            .header("cookie", cookie);
        server.send(request.body(Vec::new().into()).unwrap()).await
    };
    let reply = ask("", "10.0.0.1").await;
    let cookie = session_cookie(&reply).unwrap();
    let cookie = cookie.split(';').next().unwrap();
    assert_eq!(ask(cookie, "10.0.0.1").await.json()["count"], 2);
    let refused = ask(cookie, "10.0.0.2").await;
    assert_eq!(
        (refused.status.as_u16(), session_cookie(&refused)),
        (400, None)
    );
    // In use at once, and by the same sessions.
    server
        .admin
        .set("kept", &json!({"sessionIPAddressValidation": false}))
        .await;
    assert_eq!(ask(cookie, "10.0.0.2").await.json()["count"], 3);
    server
        .admin
        .set("kept", &json!({"sessionIPAddressValidation": true}))
        .await;
    assert_eq!(ask(cookie, "10.0.0.1").await.json()["count"], 4);
}

#[tokio::test]
async fn the_home_page_of_a_session_is_its_own() {
    let server = site("")
        .file("components/kept/WebFolder/index.html", "everybody's")
        .file("components/kept/WebFolder/own.html", "own")
        .start()
        .await;
    let mut browser = Browser::default();
    assert_eq!(kept(&server, &mut browser, "home/own.html").await, true);
    assert_eq!(browser.get(&server, "/kept/").await.text(), "own");
    assert_eq!(server.get("/kept/").await.text(), "everybody's");
}

#[tokio::test]
async fn the_host_has_no_code_that_a_session_could_keep() {
    let handlers = "handlers = [{regexPattern = '^/host', class = 'kept', method = 'count'}]\n\
                    maxSessions = 7\ninactiveProcessTimeout = 1\ninactiveSessionTimeout = 1\n\
                    sessionIPAddressValidation = false\n";
    let server = site("").settings(&format!("{ON}{handlers}")).start().await;
    for _ in 0..2 {
        // The component's instances belong to its own sessions: who has none gets one for itself.
        let reply = server.get("/host").await;
        assert_eq!(session_cookie(&reply), None, "{reply:?}");
        let told = reply.json();
        assert_eq!((&told["count"], &told["id"]), (&json!(1), &json!("")));
    }
    assert_eq!(server.properties("site").await["maxSessions"], 7);
    assert_eq!(processes(&server).await, 0);
}

/// Answers that go out while they are made, and handlers of `wasi:http`, are the session's as well.
#[tokio::test]
async fn each_kind_of_handler_runs_on_the_instance_of_its_session() {
    for (guest, path) in [
        ("wasihttp", "/wasihttp/count"),
        ("rawdata", "/rawdata/4DACTION/large/10"),
    ] {
        let server = Site::new().guest_with(guest, ON).start().await;
        let created = async || {
            let instances = server.properties(guest).await["instances"].clone();
            instances["created"].as_u64().unwrap()
        };
        let before = created().await;
        let mut browser = Browser::default();
        let reply = browser.get(&server, path).await;
        assert!(
            reply.status == 200 && session_cookie(&reply).is_some(),
            "{guest}: {reply:?}"
        );
        let secret = browser.secret().to_owned();
        for _ in 0..3 {
            assert_eq!(browser.get(&server, path).await.status, 200);
        }
        assert_eq!(browser.secret(), secret);
        assert_eq!(created().await, before + 1, "{guest}");
    }
}

#[tokio::test]
async fn one_instance_is_not_for_one_session_and_many_requests() {
    let error = Site::new().guest_with("wasihttp3", ON).try_start().await;
    let server = error.unwrap_or_else(|error| panic!("the site starts without it: {error:?}"));
    let shown = server.properties("wasihttp3").await;
    assert_eq!(shown["state"], "failed");
    let error = shown["error"].as_str().unwrap();
    assert!(
        error.contains("keepSession is not for components"),
        "{error}"
    );
}
