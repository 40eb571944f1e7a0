//! Buckets of key-value pairs that components keep: in memory, in a file, in Redis.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use tessera_tests::{Server, Site};

async fn ask(server: &Server, component: &str, method: &str) -> Value {
    let path = format!("/{component}/4DACTION/{method}");
    let reply = server.get(&path).await;
    assert_eq!(reply.status, 200, "{path}: {reply:?}");
    reply.json()
}

/// What a guest finds that uses each function of both drafts, whatever the store.
fn everything() -> Value {
    json!([
        {"Ok": {"sum": 42, "many": [["c", "3"], null, ["b", "42"]], "keys": ["a", "b", "c"], "more": null,
                "unknown": true, "left": [false, true]}},
        {"Ok": {"sum": -38, "many": [["c", "3"], ["none", null], ["b", "-38"]], "keys": ["a", "b", "c"], "more": null,
                "swapped": ["2", true], "left": ["4", false]}},
    ])
}

/// Appends a letter to one text from many web processes at once: none may be lost.
async fn append_at_once(server: &Server, bucket: &str) {
    let path = format!("/keyvalue/4DACTION/append/{bucket}/word/x");
    let append = || async {
        for _ in 0..2 {
            let reply = server.get(&path).await;
            assert_eq!(reply.status, 200, "{reply:?}");
        }
    };
    tokio::join!(append(), append(), append(), append(), append(), append());
    let word = ask(server, "keyvalue", &format!("get/{bucket}/word")).await;
    assert_eq!(word, "x".repeat(12));
}

#[tokio::test]
async fn both_drafts_do_what_they_say_in_memory_and_in_a_file() {
    let settings = "[keyvalue]\nm = \"memory\"\nf = \"file\"\n";
    let server = Site::new().guest_with("keyvalue", settings).start().await;
    for bucket in ["m", "f"] {
        assert_eq!(
            ask(&server, "keyvalue", &format!("everything/{bucket}")).await,
            everything()
        );
        let listed = ask(&server, "keyvalue", &format!("count/{bucket}//2500")).await;
        assert_eq!(listed, json!([2500, 2500]));
        append_at_once(&server, bucket).await;
    }
}

#[tokio::test]
async fn buckets_are_a_components_own_unless_they_are_shared() {
    let settings = "[keyvalue]\nown = \"memory\"\nours = {store = \"memory\", share = \"all\"}\n";
    let other = "[keyvalue]\nown = \"memory\"\ntheirs = {store = \"memory\", share = \"all\"}\n";
    let server = Site::new()
        .guest_as_with("keyvalue", "one", settings)
        .guest_as_with("keyvalue", "two", other)
        .start()
        .await;
    assert_eq!(ask(&server, "one", "set/own/k/1").await, Value::Null);
    assert_eq!(ask(&server, "two", "get/own/k").await, Value::Null);
    assert_eq!(ask(&server, "one", "get/own/k").await, "1");
    assert_eq!(ask(&server, "one", "set/ours/k/2").await, Value::Null);
    assert_eq!(ask(&server, "two", "get/theirs/k").await, "2");
    // A name that is not granted is none, also if another component has it.
    let none = json!({"error": "Error::NoSuchStore"});
    for name in ["ours", "one/own", "shared/all", ""] {
        assert_eq!(
            ask(
                &server,
                "two",
                &format!("get/{}/k", name.replace('/', "%2F"))
            )
            .await,
            none,
            "{name}"
        );
    }
}

#[tokio::test]
async fn what_is_in_memory_outlives_a_reload_and_what_is_in_a_file_the_process() {
    let settings = "[keyvalue]\nm = \"memory\"\nf = \"file\"\n";
    let server = Site::new().guest_with("keyvalue", settings).start().await;
    for bucket in ["m", "f"] {
        ask(&server, "keyvalue", &format!("set/{bucket}/k/1")).await;
    }
    let path = "components/keyvalue/settings.toml";
    server
        .site
        .write(path, format!("{settings}more = \"memory\"\n"));
    let reloaded = server
        .admin
        .post("/api/v1/servers/keyvalue/reload")
        .await
        .json();
    assert_eq!(reloaded[0]["outcome"], "swapped", "{reloaded}");
    for bucket in ["m", "f"] {
        assert_eq!(
            ask(&server, "keyvalue", &format!("get/{bucket}/k")).await,
            "1"
        );
    }
    let server = server.kill().await.start().await;
    assert_eq!(ask(&server, "keyvalue", "get/m/k").await, Value::Null);
    assert_eq!(ask(&server, "keyvalue", "get/f/k").await, "1");
    assert!(server.site.at(".tessera/keyvalue.redb").exists());
}

#[tokio::test]
async fn a_bucket_holds_no_more_than_it_may() {
    let settings = "[keyvalue]\nm = {store = \"memory\", size = \"64 KiB\"}\nf = {store = \"file\", size = \"64 KiB\"}\n\
                    large = {store = \"memory\", size = \"64 MiB\"}\n";
    let server = Site::new().guest_with("keyvalue", settings).start().await;
    for bucket in ["m", "f"] {
        let fill = async |key: &str, count: u32| {
            ask(&server, "keyvalue", &format!("fill/{bucket}/{key}/{count}")).await
        };
        assert_eq!(fill("a", 60_000).await, Value::Null);
        let full = fill("b", 10_000).await.to_string();
        assert!(
            full.contains("the bucket is full: it may hold 65536 bytes"),
            "{full}"
        );
        assert_eq!(fill("a", 10).await, Value::Null);
        assert_eq!(fill("b", 60_000).await, Value::Null);
    }
    let fill = async |count: u32| ask(&server, "keyvalue", &format!("fill/large/a/{count}")).await;
    assert_eq!(fill(1 << 20).await, Value::Null);
    let refused = fill((1 << 20) + 1).await.to_string();
    assert!(
        refused.contains("a value has 1048577 bytes: at most 1048576"),
        "{refused}"
    );
    // Handles hold what was read, and not without end.
    let hoarded = ask(&server, "keyvalue", "hoard/large/a").await;
    assert_eq!(hoarded[0], 7, "{hoarded}");
    assert!(hoarded[1].to_string().contains("drop some"), "{hoarded}");
    let key = "k".repeat(1025);
    let refused = ask(&server, "keyvalue", &format!("get/m/{key}"))
        .await
        .to_string();
    assert!(
        refused.contains("a key has 1025 bytes: at most 1024"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_component_that_was_granted_no_bucket_is_told_the_setting() {
    let server = Site::new().guest("keyvalue").start().await;
    assert_eq!(server.get("/keyvalue/4DACTION/get/a/b").await.status, 404);
    let shown = server.properties("keyvalue").await;
    let error = shown["error"].as_str().unwrap_or_default();
    assert!(
        error.contains("imports wasi:keyvalue/")
            && error.ends_with("name its buckets in [keyvalue] of its settings"),
        "{shown:#}"
    );
    let checked = server.site.run(server.site.path(), &["check"]).await;
    assert!(
        checked.stderr.contains("[keyvalue]") || checked.stdout.contains("[keyvalue]"),
        "{checked:?}"
    );
}

/// A Redis server on a port of its own; none where the program is not installed.
pub(crate) struct Redis {
    process: Child,
    pub(crate) port: u16,
    folder: TempDir,
}

impl Redis {
    #[expect(
        clippy::print_stdout,
        reason = "who runs the tests should know what was left out"
    )]
    pub(crate) fn start() -> Option<Self> {
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

    /// Starts it again after [`Redis::kill`], on its port.
    pub(crate) fn again(&mut self) {
        self.process = Self::run(self.port, &self.folder).unwrap();
    }

    pub(crate) fn kill(&mut self) {
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
async fn buckets_in_redis_are_shared_by_hosts_and_come_back() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    let settings = format!(
        "[keyvalue]\nr = \"redis://:hunter2@127.0.0.1:{}/1\"\nm = \"memory\"\n",
        redis.port
    );
    let site = || Site::new().guest_with("keyvalue", &settings);
    let (server, other) = (site().start().await, site().start().await);
    let is_up = async || {
        let answer = ask(&server, "keyvalue", "get/r/k").await;
        answer.get("error").is_none().then_some(())
    };
    server.wait_until("Redis answers", is_up).await;
    assert_eq!(ask(&server, "keyvalue", "everything/r").await, everything());
    let listed = ask(&server, "keyvalue", "count/r//2500").await;
    assert_eq!(listed, json!([2500, 2500]));
    append_at_once(&server, "r").await;
    assert_eq!(ask(&other, "keyvalue", "get/r/word").await, "x".repeat(12));

    redis.kill();
    let answer = ask(&server, "keyvalue", "get/r/word").await.to_string();
    assert!(answer.contains("the store is not available"), "{answer}");
    ask(&server, "keyvalue", "set/m/k/1").await;
    assert_eq!(ask(&server, "keyvalue", "get/m/k").await, "1");
    server.wait_for_log(&["the Redis server fails"]).await;
    redis.again();
    server.wait_until("Redis is back", is_up).await;
    server.wait_for_log(&["the Redis server is back"]).await;
    assert_eq!(ask(&server, "keyvalue", "set/r/k/2").await, Value::Null);
    assert_eq!(ask(&other, "keyvalue", "get/r/k").await, "2");
    assert!(!server.log().contains("hunter2"), "{}", server.log());
}
