//! What sessions cost in each store: room for each, the time of a lookup as there are more, and how long a request waits
//! at most while half of them expire.
//!
//! `cargo bench --workspace --bench session_stores`; with `redis-server` in the path, Redis too. `SESSIONS=100000` for fewer,
//! `STORES=memory,file` for some of the stores.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "a measurement prints, and one that fails is none"
)]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tessera_engine::{Bucket, GroupedStore, MemoryStore, RedisStore, Space, Store};
use tokio::runtime::Handle;

/// A user's name, two privileges and a cart of a few lines.
const RECORD_BYTES: usize = 200;
const LOOKUPS: usize = 20_000;
/// As the host has it.
const COMMIT_WITHIN: Duration = Duration::from_millis(100);
const MEMORY_STEP: usize = 50;
const FILE_STEP: usize = 250;
/// Sessions of one transaction while the store is filled.
const BATCH: usize = 500;
const HOUR: Duration = Duration::from_secs(3_600);

/// How much there is of a store, in bytes.
type Measure = Box<dyn Fn() -> u64>;

#[tokio::main(worker_threads = 2)]
async fn main() {
    let count = std::env::var("SESSIONS").ok();
    let count: usize = count.and_then(|it| it.parse().ok()).unwrap_or(1_000_000);
    let folder = tempfile::tempdir().expect("a folder for files");

    let memory: Arc<dyn Store> = Arc::new(MemoryStore::default());
    run(
        "memory",
        (memory, MEMORY_STEP),
        count,
        &(Box::new(resident) as Measure),
    )
    .await;

    let path = folder.path().join("sessions.redb");
    let file = GroupedStore::open(&path, COMMIT_WITHIN).expect("a file for sessions");
    let measured = path.clone();
    let size: Measure = Box::new(move || std::fs::metadata(&measured).map_or(0, |it| it.len()));
    run("file", (Arc::new(file), FILE_STEP), count, &size).await;

    let Some(server) = Redis::start(folder.path()) else {
        println!("redis: no redis-server in the path");
        return;
    };
    let url = format!("redis+unix://{}", server.socket);
    let store = RedisStore::open(&url, Handle::current()).expect("a Redis server");
    let socket = server.socket.clone();
    let size: Measure = Box::new(move || used_memory(&socket));
    run("redis", (Arc::new(store), MEMORY_STEP), count, &size).await;
}

async fn run(name: &str, (store, step): (Arc<dyn Store>, usize), count: usize, measure: &Measure) {
    let only = std::env::var("STORES");
    if only.is_ok_and(|only| !only.split(',').any(|it| it == name)) {
        return;
    }
    let space = Space {
        name: "sessions/shop".into(),
        bytes_max: u64::MAX,
    };
    let bucket = Bucket::new(store.clone(), space);
    // The first one opens connections and tables, which are no session's.
    write(&bucket, 0..1, HOUR).await;
    let before = measure();
    let began = Instant::now();
    let mut there = 1;
    for goal in [1_000, 100_000, 1_000_000] {
        let goal = goal.min(count);
        fill(&bucket, there..goal, HOUR).await;
        there = there.max(goal);
        let (median, high) = lookups(&bucket, there).await;
        println!("{name}: {there} sessions: lookup {median:?}, 99 of 100 within {high:?}");
    }
    let filled = began.elapsed();
    // A file is written in groups.
    tokio::time::sleep(2 * COMMIT_WITHIN).await;
    let each = measure().saturating_sub(before) / there as u64;
    println!("{name}: {each} bytes a session of {RECORD_BYTES}; filled in {filled:.0?}");
    let quiet = slowest(&bucket, there, Duration::from_secs(5)).await;
    println!("{name}: slowest request of a session while nothing expires: {quiet:?}");
    // Time enough to write half of them again.
    let left = filled + Duration::from_secs(5);
    expire(name, (store, step), &bucket, there, left).await;
}

/// Gives half of the sessions an end in a moment, and asks for others while they are taken away.
async fn expire(
    name: &str,
    (store, at_once): (Arc<dyn Store>, usize),
    bucket: &Bucket,
    count: usize,
    left: Duration,
) {
    let began = Instant::now();
    for first in (0..count / 2).step_by(BATCH) {
        // All end at one moment, the worst that can be.
        let lifetime = left.saturating_sub(began.elapsed());
        assert!(!lifetime.is_zero(), "the machine is too slow for this");
        write(bucket, first..(first + BATCH).min(count / 2), lifetime).await;
    }
    tokio::time::sleep(left.saturating_sub(began.elapsed())).await;
    let is_done = Arc::new(AtomicBool::new(false));
    let done = is_done.clone();
    let began = Instant::now();
    let swept = tokio::spawn(async move {
        let mut swept = 0;
        // Redis does it by itself.
        while let Ok(step) = store.sweep(at_once).await
            && step == at_once
        {
            swept += step;
            tokio::task::yield_now().await;
        }
        done.store(true, Ordering::Relaxed);
        (swept, began.elapsed())
    });
    let mut longest = Duration::ZERO;
    while !is_done.load(Ordering::Relaxed) || began.elapsed() < Duration::from_secs(5) {
        longest = longest.max(slowest(bucket, count, Duration::from_millis(200)).await);
    }
    let (swept, took) = swept.await.expect("a sweep");
    println!(
        "{name}: {swept} taken away in {took:.1?}; slowest request of another session meanwhile: {longest:?}"
    );
}

/// The longest of many requests of sessions that live, each a lookup and a write, for this long.
async fn slowest(bucket: &Bucket, count: usize, time: Duration) -> Duration {
    let began = Instant::now();
    let mut longest = Duration::ZERO;
    let mut number = 0_usize;
    while began.elapsed() < time {
        number = number.wrapping_add(7_919);
        let key = key(count / 2 + number % (count - count / 2));
        let asked = Instant::now();
        let value = bucket.get(key.clone()).await.expect("a lookup");
        assert!(value.is_some(), "a session that lives is gone");
        let swapped = bucket.swap(value.clone(), (key, value), Some(HOUR)).await;
        assert!(swapped.expect("a write"), "nobody else writes");
        longest = longest.max(asked.elapsed());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    longest
}

async fn fill(bucket: &Bucket, sessions: std::ops::Range<usize>, lifetime: Duration) {
    let end = sessions.end;
    for first in sessions.step_by(BATCH) {
        write(bucket, first..(first + BATCH).min(end), lifetime).await;
    }
}

async fn write(bucket: &Bucket, sessions: std::ops::Range<usize>, lifetime: Duration) {
    let changes = sessions.map(|number| (key(number), Some(record(number))));
    let written = bucket.write(changes.collect(), Some(lifetime)).await;
    written.expect("sessions are written");
}

/// The median of many lookups of sessions all over the store, and what 99 of 100 keep to.
async fn lookups(bucket: &Bucket, count: usize) -> (Duration, Duration) {
    let mut times = Vec::with_capacity(LOOKUPS);
    for number in 0..LOOKUPS {
        let key = key(number.wrapping_mul(104_729) % count);
        let asked = Instant::now();
        let value = bucket.get(key).await.expect("a lookup");
        times.push(asked.elapsed());
        assert!(value.is_some(), "a session is gone");
    }
    times.sort_unstable();
    (times[LOOKUPS / 2], times[LOOKUPS * 99 / 100])
}

/// As hashes of secrets are: all over, 32 hexadecimal digits.
fn key(number: usize) -> String {
    let mixed = (number as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    format!("s/{mixed:032x}")
}

fn record(number: usize) -> Bytes {
    let mut record = number.to_le_bytes().to_vec();
    record.resize(RECORD_BYTES, b'x');
    record.into()
}

/// Resident memory of this process.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = status
        .split(' ')
        .nth(1)
        .and_then(|it| it.parse::<u64>().ok());
    pages.unwrap_or_default() * 4_096
}

/// A Redis server that ends with this.
struct Redis {
    process: Child,
    socket: String,
}

impl Redis {
    fn start(folder: &Path) -> Option<Self> {
        let socket = folder.join("redis.sock").display().to_string();
        let process = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "no"])
            .args(["--unixsocket", &socket])
            .stdout(Stdio::null())
            .spawn()
            .ok()?;
        while !Path::new(&socket).exists() {
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(Self { process, socket })
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn used_memory(socket: &str) -> u64 {
    let info = Command::new("redis-cli")
        .args(["-s", socket, "info", "memory"])
        .output();
    let info = info.map(|it| String::from_utf8_lossy(&it.stdout).into_owned());
    let info = info.unwrap_or_default();
    let line = info.lines().find_map(|it| it.strip_prefix("used_memory:"));
    line.and_then(|it| it.trim().parse().ok())
        .unwrap_or_default()
}
