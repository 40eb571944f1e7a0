//! What is kept in memory, and for how long it is believed.

use std::sync::Arc;

use super::*;

async fn text(pages: &Pages, path: &str) -> Option<String> {
    get(pages, path).await.map(|(_, text)| text)
}

#[tokio::test]
async fn a_page_is_what_it_was_until_a_change_is_told() {
    let (_site, files) = site();
    let pages = pages_of(&files, &CACHE);
    write(&files, "a.txt", "old");
    for told in [Some("old"), None] {
        assert_eq!(
            text(&pages, "/a.txt").await.as_deref(),
            told.or(Some("old"))
        );
        write(&files, "a.txt", "newer");
    }
    pages.changed();
    assert_eq!(text(&pages, "/a.txt").await.as_deref(), Some("newer"));
    fs::remove_file(files.root.join("a.txt")).unwrap();
    assert_eq!(text(&pages, "/a.txt").await.as_deref(), Some("newer"));
    pages.changed();
    assert_eq!(text(&pages, "/a.txt").await, None);
    write(&files, "a.txt", "again");
    assert_eq!(text(&pages, "/a.txt").await, None, "known to be absent");
    pages.changed();
    assert_eq!(text(&pages, "/a.txt").await.as_deref(), Some("again"));
}

#[tokio::test]
async fn without_an_interval_every_request_looks() {
    let (_site, files) = site();
    let settings = CacheSettings {
        interval: Duration::ZERO,
        ..CACHE
    };
    let pages = pages_of(&files, &settings);
    for content in ["one", "two", "six", "ten"] {
        // Of the same length, and faster than the clock of the file system goes.
        fs::write(files.root.join("a.txt"), content).unwrap();
        assert_eq!(text(&pages, "/a.txt").await.as_deref(), Some(content));
    }
    fs::remove_file(files.root.join("a.txt")).unwrap();
    assert_eq!(text(&pages, "/a.txt").await, None);
    fs::write(files.root.join("a.txt"), "back").unwrap();
    assert_eq!(text(&pages, "/a.txt").await.as_deref(), Some("back"));
}

#[tokio::test]
async fn many_at_once_read_a_file_once() {
    let (_site, files) = site();
    let pages = Arc::new(pages_of(&files, &CACHE));
    write(&files, "a.txt", "x".repeat(50_000));
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let pages = pages.clone();
        all.spawn(async move { text(&pages, "/a.txt").await.map(|text| text.len()) });
    }
    while let Some(length) = all.join_next().await {
        assert_eq!(length.unwrap(), Some(50_000));
    }
    let statistics = pages.statistics();
    assert_eq!(statistics.loads, 1);
    assert_eq!(statistics.objects[0].hits, 49);
}

#[tokio::test]
async fn so_much_is_kept_and_no_more() {
    let (_site, files) = site();
    let settings = CacheSettings {
        size: 200_000,
        object_bytes_max: 20_000,
        ..CACHE
    };
    let pages = pages_of(&files, &settings);
    write(&files, "large.txt", "x".repeat(20_001));
    assert_eq!(text(&pages, "/large.txt").await.unwrap().len(), 20_001);
    assert!(pages.statistics().objects.is_empty());
    for number in 0..100 {
        write(&files, &format!("{number}.txt"), "x".repeat(5000));
        assert_eq!(
            text(&pages, &format!("/{number}.txt")).await.unwrap().len(),
            5000
        );
    }
    let statistics = pages.statistics();
    assert_eq!(statistics.loads, 100);
    assert!(statistics.current_size <= 200_000, "{statistics:?}");
    assert!(statistics.objects.len() > 20, "{statistics:?}");
    assert!(statistics.usage() > 80.0 && statistics.usage() <= 100.0);
    pages.clear();
    assert_eq!(pages.statistics().current_size, 0);
}

#[tokio::test]
async fn what_is_asked_for_most_stays() {
    let (_site, files) = site();
    let settings = CacheSettings {
        size: 100_000,
        ..CACHE
    };
    let pages = pages_of(&files, &settings);
    write(&files, "often.txt", "x".repeat(5000));
    for number in 0..200 {
        for _ in 0..5 {
            text(&pages, "/often.txt").await.unwrap();
        }
        write(&files, &format!("{number}.txt"), "x".repeat(5000));
        text(&pages, &format!("/{number}.txt")).await.unwrap();
    }
    let objects = pages.statistics().objects;
    assert_eq!(objects[0].url, "/often.txt");
    assert!(objects[0].hits > 900, "{}", objects[0].hits);
}

#[tokio::test]
async fn servers_share_a_cache_unless_they_have_one_of_their_own() {
    let (_site, files) = site();
    let (_other_site, others) = site();
    let caches = Caches::default();
    caches.share(&CACHE);
    let (host, twin) = (
        caches.unwatched("", &files, &CACHE),
        caches.unwatched("twin", &files, &CACHE),
    );
    let other = caches.unwatched("other", &others, &CACHE);
    let settings = CacheSettings {
        is_own: true,
        size: 50_000,
        ..CACHE
    };
    let own = caches.unwatched("own", &files, &settings);
    for pages in [&host, &twin, &other, &own] {
        text(pages, "/style.css").await.unwrap();
    }
    // The same folder is the same page. When the system begins to tell of changes, what was read before is read again.
    for _ in 0..100 {
        if host.statistics().objects[0].hits == 0 {
            text(&twin, "/style.css").await.unwrap();
        }
    }
    let statistics = host.statistics();
    assert_eq!(statistics.objects[0].hits, 1, "{statistics:?}");
    assert!((2..=3).contains(&statistics.loads), "{statistics:?}");
    assert_eq!(own.statistics().max_size, 50_000);
    assert_eq!(own.statistics().loads, 1);
    host.clear();
    assert!(twin.statistics().objects.is_empty());
    assert_eq!(other.statistics().objects.len(), 1);
    assert_eq!(own.statistics().objects.len(), 1);
    // Settings that are read again find what is there; another size does not.
    let again = caches.unwatched("own", &files, &settings);
    assert_eq!(again.statistics().objects.len(), 1);
    let settings = CacheSettings {
        size: 60_000,
        ..settings
    };
    let larger = caches.unwatched("own", &files, &settings);
    assert_eq!(larger.statistics().max_size, 60_000);
    assert_eq!(
        own.statistics().max_size,
        60_000,
        "for requests on their way, too"
    );
}

#[tokio::test]
async fn without_a_cache_nothing_is_kept() {
    let (_site, files) = site();
    let settings = CacheSettings {
        enabled: false,
        ..CACHE
    };
    let pages = pages_of(&files, &settings);
    for content in ["one", "two"] {
        fs::write(files.root.join("a.txt"), content).unwrap();
        assert_eq!(text(&pages, "/a.txt").await.as_deref(), Some(content));
    }
    assert!(!pages.has_cache() && pages.statistics().objects.is_empty());
}

#[tokio::test]
async fn the_system_tells_of_changes_below_every_root() {
    let caches = Caches::default();
    let sites: Vec<_> = (0..8).map(|_| site()).collect();
    let all: Vec<_> = sites
        .iter()
        .map(|(_, files)| caches.pages("", files, &CACHE))
        .collect();
    for ((_, files), pages) in sites.iter().zip(&all) {
        let becomes = async |path: &str, expected: Option<&str>| {
            let is_there = async {
                while text(pages, path).await.as_deref() != expected {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            };
            let waited = tokio::time::timeout(Duration::from_secs(20), is_there).await;
            assert!(waited.is_ok(), "{path} {expected:?}");
        };
        write(files, "a.txt", "old");
        becomes("/a.txt", Some("old")).await;
        write(files, "a.txt", "new");
        becomes("/a.txt", Some("new")).await;
        fs::create_dir(files.root.join("later")).unwrap();
        write(files, "later/b.txt", "b");
        becomes("/later/b.txt", Some("b")).await;
        fs::remove_file(files.root.join("a.txt")).unwrap();
        becomes("/a.txt", None).await;
    }
}

#[tokio::test]
async fn a_compiled_page_is_kept_and_weighs_more() {
    let (_site, files) = site();
    let pages = pages_of(&files, &CACHE);
    write(&files, "a.shtml", "$4DTEXT(1) ".repeat(1000));
    assert!(pages.document("a.shtml", Charset::Utf8).await.is_some());
    let before = pages.bytes_in_cache();
    let first = pages.included("a.shtml", Charset::Utf8).await.unwrap();
    let after = pages.bytes_in_cache();
    assert!(
        after >= before + first.weight() as u64,
        "{before}, {after} with {}",
        first.weight()
    );
    let again = pages.included("a.shtml", Charset::Utf8).await.unwrap();
    assert!(Arc::ptr_eq(&first, &again));
    write(&files, "a.shtml", "other");
    pages.changed();
    let other = pages.included("a.shtml", Charset::Utf8).await.unwrap();
    assert_eq!(other.source(), b"other");
}
