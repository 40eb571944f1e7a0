//! The sites in `examples/`: each starts as it is, and all its pages and links answer.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use http::Request;
use serde_json::Value;
use tessera_tests::{Client, RawClient, Reply, Server, Site, component, repository};

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
                // Copied it is named otherwise, but where it lies both would be the name of a web server.
                assert_ne!(example.file_name(), folder.file_name());
                let module = fs::read(component(name)).unwrap();
                site.write(&format!("components/{name}/{name}.wasm"), module);
            }
        }
    }
    site.start().await
}

async fn example(name: &str) -> Server {
    start(&repository().join("examples").join(name)).await
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

#[tokio::test]
async fn the_guestbook_is_signed_and_read() {
    let server = example("guestbook").await;
    let empty = server.get("/book/").await;
    assert!(empty.text().contains("Nobody has signed yet"), "{empty:?}");
    assert!(!empty.text().contains("4D"), "a tag was left: {empty:?}");

    let entry = "name=Ann&text=Nice+%3Cb%3Eplace%3C%2Fb%3E&remember=on";
    let signed = server.post_form("/book/sign", entry).await;
    assert_eq!(
        (signed.status.as_u16(), signed.header("location")),
        (303, Some("./"))
    );
    let cookie = signed.header("set-cookie").unwrap();
    assert!(cookie.starts_with("visitor=Ann; Path=/book; "), "{cookie}");

    let mut request = Request::get("/book/").body(Bytes::new()).unwrap();
    let ann = "visitor=Ann".parse().unwrap();
    request.headers_mut().insert("cookie", ann);
    let page = server.send(request).await;
    assert!(page.text().contains("Welcome back, Ann."), "{page:?}");
    assert!(
        page.text().contains("<p>Nice &lt;b&gt;place&lt;/b&gt;</p>"),
        "{page:?}"
    );
    assert!(
        page.text().contains("name=\"remember\" checked>"),
        "{page:?}"
    );

    let refused = server.post_form("/book/sign", "name=%22&text=+").await;
    assert_eq!(refused.status, 422);
    assert!(
        refused.text().contains("Please write something."),
        "{refused:?}"
    );
    assert!(refused.text().contains("value=\"&quot;\""), "{refused:?}");
    let missing = server.post_form("/book/sign", "name=Ann").await;
    assert_eq!(
        (missing.status.as_u16(), missing.text()),
        (400, "field `text` is missing")
    );
    let wrong_verb = server.get("/book/sign").await;
    assert_eq!(
        (wrong_verb.status.as_u16(), wrong_verb.header("allow")),
        (405, Some("POST"))
    );
}

/// A form with a caption and a picture.
fn picture_form(content: &[u8]) -> Vec<u8> {
    let head = "--b\r\nContent-Disposition: form-data; name=\"caption\"\r\n\r\nThe <sun>\r\n\
        --b\r\nContent-Disposition: form-data; name=\"picture\"; filename=\"../sun.png\"\r\n\
        Content-Type: image/png\r\n\r\n";
    [head.as_bytes(), content, b"\r\n--b--\r\n"].concat()
}

#[tokio::test]
async fn a_picture_is_uploaded_and_seen() {
    let server = example("photos").await;
    let multipart = "multipart/form-data; boundary=b";
    let upload = async |content: &[u8]| {
        let form = picture_form(content);
        server.post("/album/upload", multipart, form).await
    };
    let folder = repository().join("examples/search/components/jockeys/Images");
    let content = fs::read(folder.join("smith.png")).unwrap();
    let kept = upload(&content).await;
    assert_eq!(
        (kept.status.as_u16(), kept.header("location")),
        (303, Some("./"))
    );

    let page = server.get("/album/").await;
    assert!(
        page.text()
            .contains("<figcaption>The &lt;sun&gt;</figcaption>"),
        "{page:?}"
    );
    let link = page.text().split("src=\"").nth(1).unwrap();
    let link = link.split('"').next().unwrap();
    let shown = server.get(&format!("/album/{link}")).await;
    assert_eq!(shown.header("content-type"), Some("image/png"));
    assert_eq!(shown.body, content);

    assert_eq!(upload(b"<script>").await.status, 415);
    let large = [b"\xff\xd8\xff".as_slice(), &vec![0; 5_000_000]].concat();
    assert_eq!(upload(&large).await.status, 413);
    assert_eq!(
        upload(&[large.as_slice(), &large].concat()).await.status,
        413
    );
    assert_eq!(server.get("/album/pictures/1.txt").await.status, 404);
    let page = server.get("/album/").await;
    assert_eq!(page.text().matches("<figure>").count(), 1, "{page:?}");
}

#[tokio::test]
async fn the_clock_ticks_as_long_as_somebody_looks() {
    let server = example("clock").await;
    let mut client = RawClient::connect(server.address_of("site").await).await;
    client
        .send("GET /ticker/ticks HTTP/1.1\r\nHost: site\r\n\r\n")
        .await;
    let head = client.read_until("retry: 1000").await.to_lowercase();
    assert!(head.starts_with("http/1.1 200 "), "{head}");
    assert!(head.contains("content-type: text/event-stream"), "{head}");
    let ticks = client.read_until("id: 2\n").await;
    let times = ticks.split("event: tick\ndata: ").skip(1);
    let times: Vec<u64> = times
        .map(|event| event.lines().next().unwrap().parse().unwrap())
        .collect();
    assert!(times[0] < times[1], "{ticks}");
    server.wait_for_processes("ticker", 1).await;
    drop(client);
    server.wait_for_processes("ticker", 0).await;
}

#[tokio::test]
async fn the_form_of_the_documents_finds_jockeys_and_their_pictures() {
    let server = example("search").await;
    let form = server.get("/jockeys/").await;
    assert!(
        form.text().contains("action=\"4daction/processForm\""),
        "{form:?}"
    );
    let search = async |form: &str| {
        server
            .post_form("/jockeys/4daction/processForm", form)
            .await
    };
    let some = search("vName=smi&OK=Search").await;
    assert_eq!(some.status, 200);
    for part in [
        "2 found",
        "Ann Smith",
        "Paul Smithers",
        "Jockeys named &ldquo;smi&rdquo;",
    ] {
        assert!(some.text().contains(part), "{part}: {some:?}");
    }
    assert!(!some.text().contains("4D"), "a tag was left: {some:?}");
    let whole = search("vName=smith&vExact=Word&OK=Search").await;
    assert!(whole.text().contains("1 found"), "{whole:?}");
    assert!(whole.text().contains(", as a whole word"), "{whole:?}");

    assert!(whole.text().contains("src=\"getPhoto/smith\""), "{whole:?}");
    let picture = server.get("/jockeys/4daction/getPhoto/smith").await;
    assert_eq!(picture.header("content-type"), Some("image/png"));
    assert!(picture.body.starts_with(b"\x89PNG"));
    assert_eq!(
        server.get("/jockeys/4DACTION/getPhoto/nobody").await.status,
        404
    );
    let escape = "/jockeys/4DACTION/getPhoto/..%2Fsettings";
    assert_eq!(server.get(escape).await.status, 404);
}
