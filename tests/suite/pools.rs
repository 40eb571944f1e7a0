//! Process pools: when instances retire, who waits for one, and what is kept for each component.

use bytes::Bytes;
use http::Request;
use serde_json::Value;
use tessera_tests::{Client, RawClient, Reply, Server, Site};
use tokio::task::JoinSet;

const PATIENT: &str = "[limits]\ndeadline = \"60 s\"\n";

fn get(path: &str) -> Request<Bytes> {
    Request::get(path).body(Bytes::new()).unwrap()
}

/// Requests on connections of their own, as many as may end only with the test.
async fn begin(server: &Server, path: &str, count: usize) -> JoinSet<Reply> {
    let mut begun = JoinSet::new();
    for _ in 0..count {
        let mut client = Client::http1(server.address).await.unwrap();
        let request = get(path);
        begun.spawn(async move { client.send(request).await.unwrap() });
    }
    begun
}

async fn instances(server: &Server, name: &str) -> Value {
    server.properties(name).await["instances"].clone()
}

#[tokio::test]
async fn an_instance_that_has_grown_retires() {
    let server = Site::new()
        .guest_with("hostile", "[pool]\nmax_growth = \"10 MiB\"\n")
        .start()
        .await;
    // Each keeps 4 MiB more: the third of an instance is too many.
    for _ in 0..7 {
        assert_eq!(server.get("/hostile/grow").await.status, 200);
    }
    let instances = instances(&server, "hostile").await;
    assert_eq!(instances["retired"]["growth"], 2, "{instances}");
    assert_eq!(instances["idle"], 1, "{instances}");
}

#[tokio::test]
async fn what_becomes_of_instances_is_counted() {
    let server = Site::new()
        .guest_with("trap", "[pool]\nmax_requests = 1\n")
        .guest_as_with("echo", "fresh", "[pool]\npolicy = \"fresh\"\n")
        .start()
        .await;
    for (path, status) in [("/trap/fine", 200), ("/trap/panic", 500), ("/fresh/", 200)] {
        for _ in 0..3 {
            assert_eq!(server.get(path).await.status, status, "{path}");
        }
    }
    let trap = instances(&server, "trap").await;
    assert_eq!(
        (&trap["trapped"], &trap["retired"]["requests"]),
        (&3.into(), &3.into()),
        "{trap}"
    );
    let fresh = instances(&server, "fresh").await;
    assert_eq!(fresh["retired"]["requests"], 3, "{fresh}");
    let shown = server.cli(&["show", "trap"]).await.stdout;
    assert!(shown.contains("\"trapped\":3"), "{shown}");
}

#[tokio::test]
async fn who_finds_the_queue_full_is_told_at_once() {
    let settings = format!("[pool]\nqueue = 2\nqueue_timeout = \"60 s\"\n{PATIENT}");
    let server = Site::new()
        .settings("[engine]\nmax_instances = 1\n")
        .guest_with("sleep", &settings)
        .start()
        .await;
    let mut sleeping = begin(&server, "/sleep/sleep/60000", 1).await;
    server.wait_for_processes("sleep", 1).await;
    let mut waiting = begin(&server, "/sleep/sleep/1", 2).await;
    server
        .wait_until("two wait", async || {
            (instances(&server, "sleep").await["waiting"] == 2).then_some(())
        })
        .await;
    let refused = server.get("/sleep/sleep/1").await;
    assert_eq!(refused.status, 503);
    assert!(refused.header("retry-after").is_some());
    assert_eq!(instances(&server, "sleep").await["refused"], 1);
    server
        .wait_for_log(&["2 requests of the component wait", "[pool] queue"])
        .await;
    // Those that wait are served when there is an instance again.
    sleeping.abort_all();
    while let Some(reply) = waiting.join_next().await {
        assert_eq!(reply.unwrap().text(), "awake");
    }
    assert!(sleeping.join_next().await.unwrap().is_err());
}

#[tokio::test]
async fn a_component_leaves_the_instances_of_others_alone() {
    let settings = format!("[pool]\nqueue_timeout = \"50 ms\"\n{PATIENT}");
    let server = Site::new()
        .settings("maxConcurrentProcesses = 1000\n[engine]\nmax_instances = 8\n")
        .guest_with("sleep", &settings)
        .guest_with(
            "version1",
            "[pool]\npolicy = \"fresh\"\nqueue_timeout = \"0 s\"\n",
        )
        .start()
        .await;
    // Two components share four of the eight places, so one has six at most.
    let mut sleeping = begin(&server, "/sleep/sleep/60000", 20).await;
    for _ in 0..14 {
        let refused = sleeping.join_next().await.unwrap().unwrap();
        assert_eq!(refused.status, 503);
    }
    server.wait_for_processes("sleep", 6).await;
    for _ in 0..20 {
        assert_eq!(server.get("/version1/").await.text(), "v1");
    }
    sleeping.abort_all();
    server.wait_for_processes("sleep", 0).await;
}

#[tokio::test]
async fn idle_instances_that_take_several_requests_make_room_as_well() {
    let server = Site::new()
        .settings("[engine]\nmax_instances = 4\n")
        .guest_with("wasihttp3", "[pool]\nconcurrency = 1\n")
        .guest_with("sleep", "[pool]\nqueue_timeout = \"5 s\"\n")
        .start()
        .await;
    // Its share is one of the four, and two are for whoever comes first.
    let mut clients = Vec::new();
    for _ in 0..3 {
        let mut client = RawClient::connect(server.address).await;
        let head = "POST /wasihttp3/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na";
        client.send(head).await;
        client.read_until("a\r\n").await;
        clients.push(client);
    }
    server.wait_for_processes("wasihttp3", 3).await;
    for client in &mut clients {
        client.send("b").await;
        client.read_until("0\r\n\r\n").await;
    }
    server
        .wait_until("all instances are idle", async || {
            (instances(&server, "wasihttp3").await["idle"] == 3).then_some(())
        })
        .await;
    let sleeping = begin(&server, "/sleep/sleep/6000", 2).await;
    for reply in sleeping.join_all().await {
        assert_eq!(reply.text(), "awake");
    }
}

#[tokio::test]
async fn many_clients_of_a_quick_component_of_0_3_need_few_instances() {
    /// More than there are places for instances and in the queue by default.
    const CLIENTS: usize = 200;
    const REQUESTS: usize = 20;

    let server = Site::new().guest("wasihttp3").start().await;
    let mut asking = JoinSet::new();
    for _ in 0..CLIENTS {
        let address = server.address;
        asking.spawn(async move {
            let mut client = Client::http1(address).await.unwrap();
            for _ in 0..REQUESTS {
                let reply = client.send(get("/wasihttp3/")).await.unwrap();
                assert_eq!(reply.status, 200, "{reply:?}");
            }
        });
    }
    asking.join_all().await;
    let instances = instances(&server, "wasihttp3").await;
    let idle = instances["idle"].as_u64().unwrap();
    assert!((1..=64).contains(&idle), "{instances}");
}

#[tokio::test]
async fn an_instance_of_0_3_ends_with_the_last_of_its_clients() {
    let server = Site::new().guest_with("wasihttp3", PATIENT).start().await;
    let taken =
        async || server.admin.document("/api/v1/info").await["instances"]["current"].clone();
    let before = taken().await;
    let mut clients = Vec::new();
    for _ in 0..2 {
        let mut client = RawClient::connect(server.address).await;
        client
            .send("GET /wasihttp3/wait HTTP/1.1\r\nHost: a\r\n\r\n")
            .await;
        clients.push(client);
    }
    server.wait_for_processes("wasihttp3", 2).await;
    assert_ne!(taken().await, before);
    // The guest cannot be told of one of them, only be ended with the last.
    clients.clear();
    server.wait_for_processes("wasihttp3", 0).await;
    server
        .wait_until("the instance is gone", async || {
            (taken().await == before).then_some(())
        })
        .await;
    assert_eq!(server.get("/wasihttp3/").await.status, 200);
    assert!(!server.log().contains("ended with its requests"));
}

#[tokio::test]
async fn a_component_leaves_the_hosts_processes_to_others() {
    let server = Site::new()
        .settings("maxConcurrentProcesses = 21\n")
        .guest_with("sleep", PATIENT)
        .guest("version1")
        .start()
        .await;
    // Of twenty, four are kept: two for each.
    let mut sleeping = begin(&server, "/sleep/sleep/60000", 30).await;
    for _ in 0..12 {
        let refused = sleeping.join_next().await.unwrap().unwrap();
        assert_eq!(refused.status, 503);
    }
    server.wait_for_processes("sleep", 18).await;
    assert_eq!(server.get("/version1/").await.text(), "v1");
    let host = server.properties("site").await;
    assert_eq!(host["processes"]["refused"], 12, "{host}");
    sleeping.abort_all();
    server.wait_for_processes("sleep", 0).await;
    server.wait_for_processes("site", 0).await;
}

#[tokio::test]
async fn under_pressure_files_and_idle_instances_make_room() {
    // Of the memory of any machine that runs this, more than a hundredth is in use.
    let settings = "[engine]\nmemory_pressure = 1\n";
    let server = Site::new()
        .settings(settings)
        .page("a.txt", "static")
        .guest("echo")
        .start()
        .await;
    server
        .wait_until("instances and files have made room", async || {
            assert_eq!(server.get("/a.txt").await.text(), "static");
            assert_eq!(server.get("/echo/").await.status, 200);
            let dropped = instances(&server, "echo").await["retired"]["memory"].as_u64();
            (dropped > Some(0)).then_some(())
        })
        .await;
    for words in ["the cache of files", "idle instances", "no request waits"] {
        server.wait_for_log(&["memory is", words]).await;
    }
    let statistics = "/api/v1/servers/site/statistics";
    server
        .wait_until("no file is kept", async || {
            let cache = server.admin.document(statistics).await["cache"].clone();
            (cache["nbCachedObjects"] == 0).then_some(())
        })
        .await;
    // It serves on.
    assert_eq!(server.get("/echo/").await.status, 200);
}
