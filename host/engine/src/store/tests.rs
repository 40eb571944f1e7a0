//! What every store promises, on each of the three.

use std::path::Path;

use tokio::runtime::Handle;

use super::*;

fn space(name: &str, bytes_max: u64) -> Space {
    Space {
        name: name.into(),
        bytes_max,
    }
}

fn bucket(store: &Arc<dyn Store>, name: &str) -> Bucket {
    Bucket::new(store.clone(), space(name, 1 << 20))
}

fn value(text: &str) -> Option<Bytes> {
    Some(Bytes::copy_from_slice(text.as_bytes()))
}

fn set(key: &str, text: &str) -> Change {
    (key.to_owned(), value(text))
}

async fn get(bucket: &Bucket, key: &str) -> Option<Bytes> {
    bucket.get(key.to_owned()).await.unwrap()
}

async fn keeps_its_promises(store: Arc<dyn Store>) {
    let (one, other) = (bucket(&store, "own/a/x"), bucket(&store, "own/a/x:y"));
    assert_eq!(get(&one, "k").await, None);
    one.write(vec![set("k", "1"), set("y:k", "2")], None)
        .await
        .unwrap();
    assert_eq!(get(&one, "k").await, value("1"));
    assert_eq!(get(&other, "k").await, None, "a bucket is one for itself");
    let both = one.read(vec!["y:k".into(), "no".into(), "k".into()]).await;
    assert_eq!(both.unwrap(), [value("2"), None, value("1")]);
    one.write(vec![set("k", "3"), ("y:k".into(), None)], None)
        .await
        .unwrap();
    assert_eq!(get(&one, "k").await, value("3"));
    assert_eq!(get(&one, "y:k").await, None);
    assert_eq!(one.read(Vec::new()).await, Ok(Vec::new()));

    swaps(&one).await;
    counts(&one).await;
    expires(&other).await;
    lists(&bucket(&store, "own/a/list*")).await;
}

async fn swaps(bucket: &Bucket) {
    let swap =
        async |expected: Option<Bytes>, change| bucket.swap(expected, change, None).await.unwrap();
    assert!(!swap(value("x"), set("s", "1")).await);
    assert!(swap(None, set("s", "1")).await);
    assert!(!swap(None, set("s", "2")).await);
    assert!(!swap(value("2"), set("s", "3")).await);
    assert!(swap(value("1"), set("s", "2")).await);
    assert!(!swap(value("1"), ("s".into(), None)).await);
    assert_eq!(get(bucket, "s").await, value("2"));
    assert!(swap(value("2"), ("s".into(), None)).await);
    assert_eq!(get(bucket, "s").await, None);
    assert!(swap(None, set("empty", "")).await);
    assert!(
        !swap(None, set("empty", "x")).await,
        "an empty value is one"
    );
    assert!(swap(value(""), set("empty", "x")).await);
}

async fn counts(bucket: &Bucket) {
    assert_eq!(bucket.increment("n".into(), 5).await, Ok(5));
    assert_eq!(bucket.increment("n".into(), -7).await, Ok(-2));
    assert_eq!(get(bucket, "n").await, value("-2"));
    bucket
        .write(
            vec![set("t", "text"), set("m", "9223372036854775807")],
            None,
        )
        .await
        .unwrap();
    for key in ["t", "m"] {
        assert_eq!(
            bucket.increment(key.into(), 1).await,
            Err(StoreError::NotANumber),
            "{key}"
        );
    }
    // None of several at once is lost.
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let bucket = bucket.clone();
            tokio::spawn(async move { bucket.increment("many".into(), 1).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(get(bucket, "many").await, value("20"));
}

async fn expires(bucket: &Bucket) {
    let short = Some(Duration::from_millis(20));
    let long = Some(Duration::from_secs(1000));
    bucket.write(vec![set("short", "1")], short).await.unwrap();
    bucket.write(vec![set("long", "1")], long).await.unwrap();
    assert_eq!(bucket.increment("long".into(), 1).await, Ok(2));
    while get(bucket, "short").await.is_some() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(bucket.swap(None, set("short", "2"), None).await.unwrap());
    assert_eq!(get(bucket, "short").await, value("2"));
    assert_eq!(get(bucket, "long").await, value("2"));
}

async fn lists(bucket: &Bucket) {
    assert_eq!(bucket.keys(None).await, Ok(KeyPage::default()));
    let mut expected: Vec<String> = (0..2500).map(|number| format!("k{number:04}")).collect();
    for keys in expected.chunks(500) {
        let changes = keys.iter().map(|key| set(key, "v")).collect();
        bucket.write(changes, None).await.unwrap();
    }
    let (mut found, mut from, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = bucket.keys(from).await.unwrap();
        found.extend(page.keys);
        pages += 1;
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    found.sort();
    found.dedup();
    expected.sort();
    assert_eq!(found, expected);
    assert!(pages > 2, "{pages}");
    for keys in expected.chunks(500) {
        let changes = keys.iter().map(|key| (key.clone(), None)).collect();
        bucket.write(changes, None).await.unwrap();
    }
    assert_eq!(bucket.keys(None).await.unwrap().keys, [""; 0]);
}

/// A full bucket refuses all of a change, and takes it when there is room again.
async fn is_bounded(store: Arc<dyn Store>) {
    let bucket = Bucket::new(store, space("own/a/small", 1000));
    let large = "x".repeat(500);
    bucket.write(vec![set("a", &large)], None).await.unwrap();
    let full = Err(StoreError::Full(1000));
    let two = || vec![set("a", "changed"), set("b", &large), set("c", &large)];
    assert_eq!(bucket.write(two(), None).await, full);
    assert_eq!(
        get(&bucket, "a").await,
        value(&large),
        "nothing of it holds"
    );
    assert_eq!(get(&bucket, "b").await, None);
    // Empty entries are charged, too.
    let many = (0..20).map(|number| set(&number.to_string(), "")).collect();
    assert_eq!(bucket.write(many, None).await, full);
    // What has expired makes room.
    let soon = Some(Duration::from_millis(1));
    bucket.write(vec![set("a", &large)], soon).await.unwrap();
    while get(&bucket, "a").await.is_some() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let other = vec![set("b", &"y".repeat(700))];
    bucket.write(other, None).await.unwrap();
    assert!(bucket.swap(None, set("c", &large), None).await.is_err());
    assert_eq!(get(&bucket, "c").await, None);
}

#[tokio::test]
async fn a_store_in_memory_keeps_its_promises() {
    let store = Arc::new(MemoryStore::default());
    keeps_its_promises(store.clone()).await;
    is_bounded(store).await;
}

#[tokio::test]
async fn a_store_in_a_file_keeps_its_promises() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(FileStore::open(&folder.path().join("store")).unwrap());
    keeps_its_promises(store.clone()).await;
    is_bounded(store).await;
    // Changes that the disk never has in time, and those that it has at once.
    for (name, window) in [
        ("late", Duration::from_secs(3_600)),
        ("soon", Duration::ZERO),
    ] {
        let store = grouped(folder.path(), name, window);
        keeps_its_promises(store.clone()).await;
        is_bounded(store).await;
    }
}

fn grouped(folder: &Path, name: &str, window: Duration) -> Arc<GroupedStore> {
    Arc::new(GroupedStore::open(&folder.join(name), window).unwrap())
}

#[tokio::test]
async fn groups_come_to_the_file_whole_and_in_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let open = || grouped(folder.path(), "store", Duration::from_millis(1));
    let mut random = 7_u64;
    let mut expected = std::collections::BTreeMap::new();
    for round in 0..4 {
        let store = open();
        let bucket = Bucket::new(store.clone(), space("x", 1 << 20));
        for step in 0..200 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let key = (random >> 60).to_string();
            if random >> 32 & 3 == 0 {
                expected.remove(&key);
                bucket.write(vec![(key, None)], None).await.unwrap();
            } else {
                let text = format!("{round} {step}");
                bucket.write(vec![set(&key, &text)], None).await.unwrap();
                expected.insert(key, text);
            }
            if step % 50 == 0 {
                store.flush();
            }
            let keys = bucket.keys(None).await.unwrap().keys;
            assert_eq!(keys, expected.keys().cloned().collect::<Vec<_>>());
        }
        drop(bucket);
        drop(store);
        let again = Bucket::new(open(), space("x", 1 << 20));
        for key in (0..16).map(|key| key.to_string()) {
            let there = again.get(key.clone()).await.unwrap();
            assert_eq!(
                there,
                expected.get(&key).and_then(|text| value(text)),
                "{key}"
            );
        }
        // What all of them are charged with was kept along: one byte less of room would be too little.
        let bytes = expected
            .iter()
            .map(|(key, text)| charge(key, text.as_bytes()));
        let (bytes, (key, text)) = (bytes.sum(), expected.first_key_value().unwrap());
        let full = Bucket::new(again.store.clone(), space("x", bytes));
        full.write(vec![set(key, text)], None).await.unwrap();
        let fuller = vec![set(key, &format!("{text}x"))];
        assert_eq!(full.write(fuller, None).await, Err(StoreError::Full(bytes)));
    }
}

#[tokio::test]
async fn a_file_keeps_what_was_written_and_is_the_owners() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let open = || -> Arc<dyn Store> { Arc::new(FileStore::open(&path).unwrap()) };
    let store = open();
    bucket(&store, "x")
        .write(vec![set("k", "1")], None)
        .await
        .unwrap();
    assert!(FileStore::open(&path).is_err(), "one process at a time");
    drop(store);
    assert_eq!(get(&bucket(&open(), "x"), "k").await, value("1"));
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    std::fs::write(&path, "not a store").unwrap();
    assert!(FileStore::open(&path).is_err());
}

#[tokio::test]
async fn what_has_expired_is_swept() {
    let folder = tempfile::tempdir().unwrap();
    let stores: [Arc<dyn Store>; 4] = [
        Arc::new(MemoryStore::default()),
        grouped(folder.path(), "late", Duration::from_secs(3_600)),
        grouped(folder.path(), "soon", Duration::ZERO),
        Arc::new(FileStore::open(&folder.path().join("store")).unwrap()),
    ];
    for store in stores {
        let bucket = bucket(&store, "x");
        let soon = Some(Duration::from_millis(1));
        bucket
            .write(vec![set("a", "1"), set("b", "1")], soon)
            .await
            .unwrap();
        bucket.write(vec![set("c", "1")], None).await.unwrap();
        while get(&bucket, "a").await.is_some() || get(&bucket, "b").await.is_some() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        assert_eq!(store.sweep(10).await, Ok(2), "{store:?}");
        assert_eq!(store.sweep(10).await, Ok(0));
        assert_eq!(bucket.keys(None).await.unwrap().keys, ["c"]);
    }
}

#[tokio::test]
async fn limits_hold_before_a_store_is_asked() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
    let bucket = bucket(&store, "x");
    let long = "k".repeat(KEY_BYTES_MAX + 1);
    let length = long.len();
    assert_eq!(
        bucket.get(long.clone()).await,
        Err(StoreError::KeyTooLong(length))
    );
    assert_eq!(
        bucket.increment(long, 1).await,
        Err(StoreError::KeyTooLong(length))
    );
    let large = Bytes::from(vec![0; VALUE_BYTES_MAX + 1]);
    let change = ("k".to_owned(), Some(large.clone()));
    let too_large = StoreError::ValueTooLarge(large.len());
    assert_eq!(
        bucket.write(vec![change.clone()], None).await,
        Err(too_large.clone())
    );
    assert_eq!(bucket.swap(None, change, None).await, Err(too_large));
    let many = vec![String::new(); BATCH_MAX + 1];
    assert_eq!(bucket.read(many).await, Err(StoreError::BatchTooLarge));
}

/// A server of its own in a folder; none where the program is not installed.
struct Redis {
    process: std::process::Child,
    folder: tempfile::TempDir,
}

impl Redis {
    #[expect(
        clippy::print_stderr,
        reason = "who runs the tests must see what was not tried"
    )]
    fn start() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let process = std::process::Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--unixsocket", "socket"])
            .current_dir(folder.path())
            .stdout(std::process::Stdio::null())
            .spawn()
            .inspect_err(|error| eprintln!("skipped: no redis-server: {error}"))
            .ok()?;
        Some(Self { process, folder })
    }

    fn url(&self) -> String {
        format!("unix://{}/socket", self.folder.path().display())
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
async fn a_store_in_redis_keeps_its_promises_and_comes_back() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    let store: Arc<dyn Store> =
        Arc::new(RedisStore::open(&redis.url(), Handle::current()).unwrap());
    let one = bucket(&store, "x");
    let is_up = async || {
        while one.get("k".into()).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    is_up().await;
    keeps_its_promises(store.clone()).await;
    redis.process.kill().unwrap();
    redis.process.wait().unwrap();
    assert_eq!(one.get("k".into()).await, Err(StoreError::Unavailable));
    let folder = redis.folder.path();
    redis.process = std::process::Command::new("redis-server")
        .args(["--port", "0", "--save", "", "--unixsocket", "socket"])
        .current_dir(folder)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    is_up().await;
    one.write(vec![set("k", "again")], None).await.unwrap();
    assert_eq!(get(&one, "k").await, value("again"));
}

#[tokio::test]
async fn a_url_that_is_wrong_is_told_without_its_password() {
    for url in ["redis://:hunter2@host:port", "redis://[", "http://x"] {
        let error = RedisStore::open(url, Handle::current()).unwrap_err();
        assert!(!error.contains("hunter2"), "{error}");
    }
}
