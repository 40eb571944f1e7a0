//! The page cache: what it holds by each of its settings, as statistics tell it.

use serde_json::{Value, json};
use tessera_tests::Server;

use super::{OWN_PORT, SERVERS, ask, connect, get, set, site};

async fn cache(server: &Server, name: &str) -> Value {
    let path = format!("/api/v1/servers/{name}/statistics");
    server.admin.document(&path).await["cache"].clone()
}

/// The pages that are in memory.
async fn urls(server: &Server, name: &str) -> Vec<String> {
    let cache = cache(server, name).await;
    let objects = cache["cachedObjects"].as_array().unwrap().iter();
    let mut urls: Vec<_> = objects
        .map(|object| object["url"].as_str().unwrap().to_owned())
        .collect();
    urls.sort();
    urls
}

async fn pages() -> Server {
    let page = "x".repeat(4000);
    let mut site = tessera_tests::Site::new()
        .guest_as_with("echo", "shop", OWN_PORT)
        .settings("HTTPCompressionThreshold = 1_000_000\n");
    for folder in ["", "components/shop/"] {
        for name in ["a", "b", "c"] {
            site = site.file(&format!("{folder}WebFolder/{name}.txt"), &page);
        }
        site = site.file(&format!("{folder}WebFolder/large.txt"), page.repeat(10));
    }
    site.start().await
}

#[tokio::test]
async fn files_are_kept_as_far_as_they_may_be() {
    let server = pages().await;
    for name in SERVERS {
        let mut client = connect(&server, name).await;
        let mut ask_for_all = async || {
            for page in ["/a.txt", "/a.txt", "/large.txt"] {
                assert_eq!(ask(&mut client, get(page)).await.status, 200);
            }
        };
        ask_for_all().await;
        let cache = cache(&server, name).await;
        assert_eq!(cache["enabled"], true);
        assert_eq!(cache["nbCachedObjects"], 2);
        assert_eq!(cache["cachedObjects"][0]["url"], "/a.txt");
        assert_eq!(cache["cachedObjects"][0]["hits"], 1);
        assert_eq!(cache["objectMaxSize"], 512 * 1024);

        let reply = server
            .admin
            .request(
                http::Request::delete(format!("/api/v1/servers/{name}/cache"))
                    .body(bytes::Bytes::new())
                    .unwrap(),
            )
            .await;
        assert_eq!(reply.json(), json!({"success": true}));
        assert!(urls(&server, name).await.is_empty());

        set(&server, name, json!({"cache.max_object_size": 5000})).await;
        ask_for_all().await;
        assert_eq!(urls(&server, name).await, ["/a.txt"]);
        set(&server, name, json!({"cache.enabled": false})).await;
        ask_for_all().await;
        let off = self::cache(&server, name).await;
        assert_eq!(
            (&off["enabled"], &off["nbCachedObjects"]),
            (&json!(false), &json!(0))
        );
        set(&server, name, json!({"cache": null})).await;
        ask_for_all().await;
        assert_eq!(urls(&server, name).await, ["/a.txt", "/large.txt"]);
    }
}

#[tokio::test]
async fn the_size_is_that_of_all_or_of_one() {
    let server = pages().await;
    let mut clients = Vec::new();
    for name in SERVERS {
        clients.push(connect(&server, name).await);
    }
    for client in &mut clients {
        for page in ["/a.txt", "/b.txt", "/c.txt"] {
            ask(client, get(page)).await;
        }
    }
    let (host, shop) = (cache(&server, "site").await, cache(&server, "shop").await);
    assert_eq!(host["maxSize"], 10 << 20);
    // One cache, of which each server sees what is its own.
    assert_eq!(host["currentSize"], shop["currentSize"]);
    assert_eq!(
        (&host["nbCachedObjects"], &host["numOfLoads"]),
        (&json!(3), &json!(6))
    );

    set(&server, "shop", json!({"cache.own_size": "8 KiB"})).await;
    for page in ["/a.txt", "/b.txt", "/c.txt"] {
        ask(&mut clients[1], get(page)).await;
    }
    let shop = cache(&server, "shop").await;
    assert_eq!(shop["maxSize"], 8 << 10);
    assert_eq!(shop["nbCachedObjects"], 1);
    assert_eq!(urls(&server, "site").await.len(), 3);

    set(&server, "site", json!({"cache.size": 0})).await;
    ask(&mut clients[0], get("/a.txt")).await;
    let host = cache(&server, "site").await;
    assert_eq!(
        (&host["maxSize"], &host["nbCachedObjects"]),
        (&json!(0), &json!(0))
    );
    assert_eq!(cache(&server, "shop").await["nbCachedObjects"], 1);
}

#[tokio::test]
async fn without_an_interval_every_request_sees_what_is_on_disk() {
    let server = pages().await;
    for (name, folder) in SERVERS.into_iter().zip(["", "components/shop/"]) {
        set(&server, name, json!({"cache.revalidate": 0})).await;
        let mut client = connect(&server, name).await;
        for number in 0..90 {
            let text = format!("{number:03}");
            server
                .site
                .write(&format!("{folder}WebFolder/a.txt"), &text);
            assert_eq!(ask(&mut client, get("/a.txt")).await.text(), text, "{name}");
        }
    }
}

#[tokio::test]
async fn the_command_line_shows_and_clears_it() {
    let server = site("").page("a.txt", "text").start().await;
    server.get("/a.txt").await;
    let shown = server.cli(&["stats", "site"]).await;
    assert_eq!(shown.code, Some(0), "{shown:?}");
    assert!(shown.stdout.contains("/a.txt"), "{}", shown.stdout);
    let cleared = server.cli(&["cache", "clear", "site"]).await;
    assert_eq!(cleared.code, Some(0), "{cleared:?}");
    assert!(urls(&server, "site").await.is_empty());
    let unknown = server.cli(&["stats", "nobody"]).await;
    assert_eq!(unknown.code, Some(1), "{unknown:?}");
    assert!(unknown.stderr.contains("nobody"), "{}", unknown.stderr);
}
