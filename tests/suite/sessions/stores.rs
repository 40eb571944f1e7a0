//! Sessions in memory, in a file and in Redis: many changes at once, ends of processes, stores that fail.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::json;
use tessera_tests::{Client, Server};
use tokio::task::JoinSet;

use super::{Browser, session_cookie, site};
use crate::keyvalue::Redis;

/// 64 requests at once of one session, at some hosts.
async fn count_at_once(servers: &[&Server], browser: &Browser, key: &str) {
    let mut requests = JoinSet::new();
    for number in 0..64 {
        let address = servers[number % servers.len()].address;
        let request = browser.request(&format!("/session/4DACTION/count/{key}"));
        requests.spawn(async move {
            let client = Client::http1(address).await;
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

/// What a process that is killed may lose: the last 100 ms, and what the disk of a busy machine takes.
const WINDOW: Duration = Duration::from_millis(500);

/// A client that begins one session after the other until nobody answers, and keeps those that were acknowledged.
async fn begin_sessions(address: SocketAddr) -> Vec<(Instant, Browser)> {
    let mut begun = Vec::new();
    let Ok(mut client) = Client::http1(address).await else {
        return begun;
    };
    let request = || Browser::default().request("/session/4DACTION/count/a");
    while let Ok(reply) = client.send(request()).await {
        if let Some(cookie) = session_cookie(&reply) {
            let pair = cookie.split(';').next().unwrap();
            begun.push((Instant::now(), Browser::with(pair)));
        }
    }
    begun
}

#[tokio::test]
async fn sessions_in_a_file_outlive_a_process_that_is_killed() {
    // For many rounds: TESSERA_KILLS=50.
    let kills = std::env::var("TESSERA_KILLS").ok();
    let kills: u32 = kills.and_then(|it| it.parse().ok()).unwrap_or(3);
    let mut server = site("file").start().await;
    let mut first = Browser::default();
    first.ask(&server, "count/a").await;
    first.ask(&server, "login/ann/reader").await;
    for round in 0..kills {
        let mut writers = JoinSet::new();
        for _ in 0..4 {
            writers.spawn(begin_sessions(server.address));
        }
        let began = Instant::now();
        let goes_on = || async { (began.elapsed() > 2 * WINDOW).then_some(()) };
        server.wait_until("it is time to kill", goes_on).await;
        let killed = Instant::now();
        server = server.kill().await.start().await;
        let begun: Vec<_> = writers.join_all().await.into_iter().flatten().collect();
        let lasting = begun.iter().filter(|(at, _)| *at + WINDOW < killed);
        let mut count = 0;
        for (_, browser) in lasting {
            let there = browser.clone().ask(&server, "get/a").await;
            assert_eq!(there, json!(["1", 1]), "round {round}: {}", server.log());
            count += 1;
        }
        assert!(count > 0, "round {round}: nothing was written in time");
        let told = first.ask(&server, "info").await;
        assert_eq!(told["user"], "ann", "round {round}: {}", server.log());
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
    redis.again();
    server
        .wait_until("Redis is back", async || is_up(&mut browser).await)
        .await;
    assert!(!server.log().contains("hunter2"), "{}", server.log());
}
