//! Guests that take what they can: each meets a limit, with its status and a line in the log, and harms nobody else.

use bytes::Bytes;
use http::Request;
use tessera_tests::{Client, Server, Site};

/// Limits that are reached soon.
const TIGHT: &str = "\
[limits]
memory = \"16 MiB\"
deadline = \"60 s\"
cpu_time = \"100 ms\"
handles = 100
call_size = \"1 MiB\"
response_size = \"64 KiB\"
";

/// A path, its status, and what the log says of it.
const ATTACKS: &[(&str, u16, &str)] = &[
    (
        "/hostile/spin",
        504,
        "computed for too long in On Web Connection (limit 100ms, [limits] cpu_time)",
    ),
    ("/hostile/pieces", 504, "[limits] cpu_time"),
    ("/hostile/answers", 504, "[limits] cpu_time"),
    (
        "/hostile/eat",
        500,
        "ran out of memory in On Web Connection (limit 16777216 bytes, [limits] memory)",
    ),
    ("/hostile/recurse", 500, "trapped in On Web Connection"),
    (
        "/hostile/handles",
        500,
        "held too many handles in On Web Connection (limit 100, [limits] handles)",
    ),
    ("/hostile/headers", 500, "On Web Connection failed"),
    ("/hostile/redirect", 500, "On Web Connection failed"),
    (
        "/hostile/trap/authentication",
        500,
        "trapped in On Web Authentication",
    ),
    ("/hostile/trap/compiler", 500, "trapped in COMPILER_WEB"),
    (
        "/hostile/trap/connection",
        500,
        "trapped in On Web Connection",
    ),
    ("/hostile/4DACTION/fall", 500, "trapped in the method"),
];

async fn site() -> Server {
    Site::new()
        .page("a.txt", "static")
        .guest_with("hostile", TIGHT)
        .guest("version1")
        .start()
        .await
}

#[tokio::test]
async fn each_attack_meets_its_limit_and_harms_nobody() {
    let server = site().await;
    for (path, status, words) in ATTACKS {
        assert_eq!(server.get(path).await.status, *status, "{path}");
        server.wait_for_log(&["hostile", words]).await;
        assert_eq!(server.get("/hostile/").await.text(), "harmless", "{path}");
        assert_eq!(server.get("/version1/").await.text(), "v1", "{path}");
        assert_eq!(server.get("/a.txt").await.text(), "static", "{path}");
    }
    server.wait_for_processes("hostile", 0).await;
}

/// Every attack many times over, and with them clients that go away in the middle of a call of the host.
#[tokio::test]
async fn hundreds_of_attacks_leave_nothing_behind() {
    const ROUNDS: usize = 10;
    let server = site().await;
    let round = async || {
        for (path, status, _) in ATTACKS {
            assert_eq!(server.get(path).await.status, *status, "{path}");
        }
        let mut client = Client::http1(server.address).await.unwrap();
        let ticking = tokio::spawn(async move {
            let request = Request::get("/hostile/ticks").body(Bytes::new()).unwrap();
            client.send(request).await
        });
        server.wait_for_processes("hostile", 1).await;
        ticking.abort();
        server.wait_for_processes("hostile", 0).await;
        assert_eq!(server.get("/version1/").await.text(), "v1");
    };
    // What is taken once, and kept for the next time, is taken in the first rounds.
    for _ in 0..ROUNDS {
        round().await;
    }
    let before = server.resident_bytes();
    for _ in 0..ROUNDS {
        round().await;
    }
    let after = server.resident_bytes();
    assert!(after < before + (16 << 20), "{before} to {after}");
    assert_eq!(server.get("/hostile/").await.text(), "harmless");
}

#[tokio::test]
async fn what_is_passed_to_the_host_has_a_largest_size() {
    let more_memory = TIGHT.replace("16 MiB", "128 MiB");
    let server = Site::new()
        .guest_with("hostile", &more_memory)
        .start()
        .await;
    for path in ["/hostile/string", "/hostile/type"] {
        assert_eq!(server.get(path).await.status, 500, "{path}");
    }
    let words = "passed too much to the host in one call in On Web Connection (limit 1048576 bytes, [limits] call_size)";
    let twice = async || (server.log().matches(words).count() == 2).then_some(());
    server.wait_until("both are told in the log", twice).await;
    assert_eq!(server.get("/hostile/").await.text(), "harmless");
}

#[tokio::test]
async fn tables_have_a_largest_size() {
    let server = Site::new()
        .guest_with("hostile", "[limits]\ntable_elements = 10\n")
        .start()
        .await;
    let error = server.properties("hostile").await["error"].clone();
    let words =
        "asked for too many table elements in its start (limit 10, [limits] table_elements)";
    assert!(error.as_str().unwrap().contains(words), "{error}");
}

#[tokio::test]
async fn waiting_is_not_computing() {
    let server = Site::new()
        .guest_with("sleep", "[limits]\ncpu_time = \"10 ms\"\n")
        .start()
        .await;
    assert_eq!(server.get("/sleep/sleep/600").await.text(), "awake");
}

#[tokio::test]
async fn nothing_is_done_for_a_client_that_has_gone() {
    let server = Site::new().guest("hostile").start().await;
    let mut client = Client::http1(server.address).await.unwrap();
    let ticking = tokio::spawn(async move {
        let request = Request::get("/hostile/ticks").body(Bytes::new()).unwrap();
        client.send(request).await
    });
    server.wait_for_log(&["tick 3"]).await;
    ticking.abort();
    server.wait_for_processes("hostile", 0).await;
    let ticks = |log: &str| log.matches(" tick ").count();
    let before = ticks(&server.log());
    // Another one ticks as often as the first could have meanwhile.
    let mut client = Client::http1(server.address).await.unwrap();
    let ticking = tokio::spawn(async move {
        let request = Request::get("/hostile/ticks").body(Bytes::new()).unwrap();
        client.send(request).await
    });
    server
        .wait_until("the second has ticked", async || {
            (ticks(&server.log()) >= before + 10).then_some(())
        })
        .await;
    let log = server.log();
    ticking.abort();
    // Every number of the first that is beyond what it had said comes from the second alone.
    let last = format!("tick {}", before + 5);
    assert!(log.matches(&last).count() <= 1, "{log}");
}
