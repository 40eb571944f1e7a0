//! The sites in `examples/`: each starts as it is, and all its pages and links answer.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use http::Request;
use serde_json::Value;
use tessera_tests::{Client, Reply, Server, Site, component, repository};

/// Links that are there to show a refusal.
const REFUSED: &[(&str, u16)] = &[("/hello/4DACTION/hidden", 403)];

fn examples() -> Vec<PathBuf> {
    let entries = fs::read_dir(repository().join("examples")).unwrap();
    let folders = entries.map(|entry| entry.unwrap().path());
    folders
        .filter(|folder| folder.join("tessera.toml").is_file())
        .collect()
}

/// The example with its modules, as `cargo xtask run` brings them.
async fn start(example: &Path) -> Server {
    let site = Site::copy_of(example);
    if let Ok(components) = fs::read_dir(example.join("components")) {
        for folder in components.map(|entry| entry.unwrap().path()) {
            if folder.is_dir() {
                let name = folder.file_name().unwrap().to_str().unwrap();
                let module = fs::read(component(name)).unwrap();
                site.write(&format!("components/{name}/{name}.wasm"), module);
            }
        }
    }
    site.start().await
}

async fn welcome() -> Server {
    start(&repository().join("examples/welcome")).await
}

/// Local links of a page: what stands in `href`, `src` and `action`.
fn links(page: &str) -> BTreeSet<String> {
    let mut links = BTreeSet::new();
    for attribute in ["href=\"", "src=\"", "action=\""] {
        for rest in page.split(attribute).skip(1) {
            let link = rest.split(['"', '#']).next().unwrap().replace("&amp;", "&");
            if !link.is_empty() && !link.contains(':') {
                links.insert(link);
            }
        }
    }
    links
}

async fn ask(server: &Server, name: &str, request: Request<Bytes>) -> Reply {
    let address = server.address_of(name).await;
    let mut client = Client::http1(address).await.unwrap();
    client.send(request).await.unwrap()
}

#[tokio::test]
async fn every_example_starts_and_its_links_answer() {
    let examples = examples();
    assert!(!examples.is_empty());
    for example in examples {
        let server = start(&example).await;
        let list = server.admin.document("/api/v1/servers").await;
        for one in list.as_array().unwrap() {
            assert_eq!(one["isRunning"], true, "{one}");
            assert_eq!(one["error"], Value::Null, "{one}");
        }
        let home = server.get("/").await;
        assert_eq!(home.status, 200, "{}", example.display());
        let found = links(home.text());
        assert!(!found.is_empty(), "{}", example.display());
        for link in found {
            let path = match link.strip_prefix('/') {
                Some(_) => link.clone(),
                None => format!("/{link}"),
            };
            let refused = REFUSED.iter().find(|(refused, _)| *refused == path);
            let expected = refused.map_or(200, |(_, status)| *status);
            assert_eq!(server.get(&path).await.status, expected, "{path}");
        }
        assert!(!server.log().contains("ERROR"), "{server:?}");
    }
}

#[tokio::test]
async fn welcome_shows_two_kinds_of_components() {
    let server = welcome().await;
    let home = server.get("/").await;
    assert_eq!(
        home.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert!(home.text().contains("Tessera"));

    let hello = server.get("/hello/a/b?c=d").await;
    assert!(hello.text().contains("/a/b?c=d"), "{hello:?}");
    assert!(!hello.text().contains("/hello/a/b"), "{hello:?}");

    let form = server
        .post_form("/hello/4DACTION/processForm", "vName=Ann&vExact=Word")
        .await;
    assert_eq!(form.status, 200);
    for part in ["vName", "Ann", "vExact", "Word"] {
        assert!(form.text().contains(part), "{part}: {form:?}");
    }
    let form = server
        .post_form("/hello/4DACTION/processForm", "vName=%3Cscript%3E")
        .await;
    assert!(!form.text().contains("<script>"), "{form:?}");
    assert_eq!(server.get("/hello/4DACTION/hidden").await.status, 403);

    let get = |path: &str| Request::get(path).body(Bytes::new()).unwrap();
    let page = ask(&server, "inspector", get("/a/b?vName=Ann")).await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("/a/b?vName=Ann"), "{page:?}");
    assert_eq!(ask(&server, "inspector", get("/private")).await.status, 401);
    let mut request = get("/private");
    let ann = "Basic YW5uOnNlY3JldA==".parse().unwrap();
    request.headers_mut().insert("authorization", ann);
    assert_eq!(ask(&server, "inspector", request).await.status, 200);
}

#[tokio::test]
async fn welcome_lists_the_running_servers() {
    let server = welcome().await;
    let page = server.get("/status/").await;
    assert_eq!(page.status, 200);
    let list = server.get("/status/json").await.json();
    let list: Vec<_> = list.as_array().unwrap().iter().collect();
    assert_eq!(list.len(), 4, "{list:?}");
    for name in ["site", "hello", "inspector", "status"] {
        assert!(page.text().contains(name), "{name}: {page:?}");
    }
    // A server that is dropped in is on the page at once.
    server.site.put_guest("version1", "newcomer");
    server.wait_for_text("/newcomer/", "v1").await;
    assert!(server.get("/status/").await.text().contains("newcomer"));
}
