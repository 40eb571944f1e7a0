//! What the page shows: figures that move, settings with their values, and the log.

use serde_json::{Value, json};
use tessera_tests::{RawClient, Server, Site};

use super::{Login, login};

/// Begins to follow the figures.
async fn follow(server: &Server, visit: Option<&Login>) -> RawClient {
    let mut client = RawClient::connect(server.admin.address).await;
    let address = server.admin.address;
    let who = match visit {
        Some(visit) => format!(
            "Cookie: {}\r\nX-Tessera-Proof: {}\r\n",
            visit.cookie, visit.proof
        ),
        None => format!("Authorization: Bearer {}\r\n", server.admin.key),
    };
    let head = format!("GET /api/v1/events HTTP/1.1\r\nHost: {address}\r\n{who}\r\n");
    client.send(head).await;
    client
}

/// Waits for figures of a web server that are as wanted.
async fn figures(client: &mut RawClient, name: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let mut seen = 0;
    loop {
        // What came so far, and at least one event more.
        let text = client.read_until_count("event: figures\n", seen + 1).await;
        seen += 1;
        for line in text.lines().filter_map(|line| line.strip_prefix("data: ")) {
            let Ok(look) = serde_json::from_str::<Value>(line) else {
                continue;
            };
            let servers = look["servers"].as_array().cloned().unwrap_or_default();
            let of_name = servers.iter().find(|it| it["name"] == name);
            if let Some(one) = of_name.filter(|one| wanted(one)) {
                return one.clone();
            }
        }
    }
}

#[tokio::test]
async fn figures_move_with_what_happens() {
    let server = Site::new()
        .page("a.txt", "hello")
        .guest("echo")
        .start()
        .await;
    let visit = login(&server).await;
    let mut stream = follow(&server, Some(&visit)).await;
    let head = stream.read_until("\r\n\r\n").await;
    assert!(head.contains("content-type: text/event-stream"), "{head}");
    assert!(head.contains("cache-control: no-store"), "{head}");
    stream.read_until("retry: ").await;
    let before = figures(&mut stream, "site", |_| true).await;
    assert_eq!(before["state"], "running");
    for _ in 0..3 {
        server.get("/a.txt").await;
        server.get("/echo/").await;
    }
    let requests = before["requests"].as_u64().unwrap();
    let after = figures(&mut stream, "site", |it| {
        it["requests"].as_u64().unwrap() >= requests + 3
    })
    .await;
    let sum = |it: &Value| {
        let times = it["times"].as_array().unwrap().iter();
        times.map(|count| count.as_u64().unwrap()).sum::<u64>()
    };
    assert_eq!(Some(sum(&after)), after["requests"].as_u64(), "{after}");
    let echo = figures(&mut stream, "echo", |it| it["requests"] == 3).await;
    assert_eq!(echo["generation"], 1, "{echo}");
    assert_eq!(echo["processes"]["current"], 0, "{echo}");
    server.admin.stop("echo").await;
    figures(&mut stream, "echo", |it| it["state"] == "stopped").await;
}

#[tokio::test]
async fn a_stream_ends_with_its_session() {
    let server = Site::new().start().await;
    let visit = login(&server).await;
    let mut stream = follow(&server, Some(&visit)).await;
    stream.read_until("event: figures").await;
    visit.send(&server, "POST", "/webadmin/logout").await;
    stream.read_until("event: end").await;
}

#[tokio::test]
async fn there_are_only_so_many_streams_and_none_holds_up_the_end() {
    let server = Site::new().start().await;
    let mut streams = Vec::new();
    for _ in 0..16 {
        let mut stream = follow(&server, None).await;
        stream.read_until("event: figures").await;
        streams.push(stream);
    }
    let mut refused = follow(&server, None).await;
    refused.read_until("503 Service Unavailable").await;
    // Whoever goes makes room.
    streams.pop();
    server
        .wait_until("there is a place again", async || {
            let mut next = follow(&server, None).await;
            let line = next.read_until("\r\n").await;
            line.contains(" 200 ").then_some(())
        })
        .await;
    let (exit, _) = server.stop().await;
    assert_eq!(exit.code, Some(0), "{exit:?}");
    let rest = streams[0].read_to_end().await;
    assert!(rest.ends_with("0\r\n\r\n"), "cut off: {rest}");
}

fn of<'a>(list: &'a Value, key: &str) -> &'a Value {
    let mut list = list.as_array().unwrap().iter();
    list.find(|it| it["key"] == key)
        .unwrap_or_else(|| panic!("{key}"))
}

#[tokio::test]
async fn settings_are_listed_with_the_values_in_use_and_of_the_next_start() {
    let server = Site::new()
        .settings("[admin]\naccess_key = \"correct-horse-battery-staple\"\n")
        .guest_with(
            "echo",
            "[pool]\nmax = 7\n[environment]\nTOKEN = \"hunter2\"\n",
        )
        .start()
        .await;
    let path = "/api/v1/servers/echo/settings";
    let list = server.admin.document(path).await;
    let max = of(&list, "pool.max");
    assert_eq!((&max["value"], &max["source"]), (&json!(7), &Value::Null));
    assert_eq!(max["effect"], "reload");
    assert!(max["schema"]["maximum"].is_number(), "{max}");
    assert!(!list.to_string().contains("hunter2"));
    server.admin.set("echo", &json!({"pool.max": 9})).await;
    let list = server.admin.document(path).await;
    let max = of(&list, "pool.max");
    assert_eq!(
        (&max["value"], &max["source"]),
        (&json!(9), &json!("session"))
    );
    server.admin.stop("echo").await;
    server
        .admin
        .start("echo", &json!({"limits.handles": 77}))
        .await;
    let list = server.admin.document(path).await;
    let handles = of(&list, "limits.handles");
    assert_eq!(
        (&handles["value"], &handles["source"]),
        (&json!(77), &json!("start"))
    );
    server.admin.stop("echo").await;
    let list = server.admin.document(path).await;
    assert_ne!(of(&list, "limits.handles")["value"], 77);
    let list = server.admin.document("/api/v1/servers/site/settings").await;
    assert!(!list.to_string().contains("correct-horse"));
    assert_eq!(of(&list, "admin.access_key")["isSecret"], true);
    // One that is wrong and does not run says so.
    server
        .site
        .write("components/echo/settings.toml", "[pool]\nmax = -1\n");
    let reply = server.admin.get(path).await;
    assert_eq!(reply.status, 409, "{reply:?}");
    assert!(reply.text().contains("pool.max"), "{reply:?}");
}

#[tokio::test]
async fn the_log_is_told_as_it_grows() {
    let server = Site::new()
        .settings("logRecording = 1\n")
        .guest_with("echo", "logRecording = 5\n")
        .page("a.txt", "a")
        .start()
        .await;
    let path = "/api/v1/servers/site/log?file=logweb.txt";
    server.get("/a.txt?first").await;
    let first = server
        .wait_until("the line is written", async || {
            let reply = server.admin.get(path).await;
            reply.text().contains("?first").then(|| reply.json())
        })
        .await;
    assert_eq!(
        (&first["file"], &first["isNew"]),
        (&json!("logweb.txt"), &json!(true))
    );
    server.get("/a.txt?second").await;
    let after = format!("{path}&after={}", first["next"].as_str().unwrap());
    let second = server
        .wait_until("the next line is written", async || {
            let answer = server.admin.document(&after).await;
            let lines = answer["lines"].as_array().unwrap().clone();
            (!lines.is_empty()).then_some(answer)
        })
        .await;
    assert_eq!(second["isNew"], false);
    let lines = second["lines"].to_string();
    assert!(
        lines.contains("?second") && !lines.contains("?first"),
        "{lines}"
    );

    server.get("/echo/x").await;
    let own = "/api/v1/servers/echo/log";
    server
        .wait_until("the component's own", async || {
            let answer = server.admin.document(own).await;
            let lines = answer["lines"].to_string();
            (answer["file"] == "logweb.jsonl" && lines.contains("/x")).then_some(())
        })
        .await;
    for (query, status) in [
        ("?file=../logweb.txt", 404),
        ("?file=..%2F..%2Ftessera.toml", 404),
        ("?file=%2Fetc%2Fpasswd", 404),
        ("?after=x", 400),
        ("?limit=0", 400),
        ("?limit=1001", 400),
    ] {
        let reply = server.admin.get(&format!("{own}{query}")).await;
        assert_eq!(reply.status, status, "{query}: {reply:?}");
    }
}
