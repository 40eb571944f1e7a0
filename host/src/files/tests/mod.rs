//! The files of a root, asked for in every spelling.

mod cache;
mod variants;

use std::fs;
use std::time::Duration;

use ::http::header::{ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, LOCATION};
use ::http::{HeaderMap, Method, StatusCode};
use http_body_util::BodyExt;

use super::*;
use crate::http::{Accepting, Response};
use crate::settings::{CacheSettings, Charset, Compression, Files, Missing};

const CACHE: CacheSettings = CacheSettings {
    enabled: true,
    is_own: false,
    size: 1 << 20,
    object_bytes_max: 64 << 10,
    // Until a change is told.
    interval: Duration::from_secs(3600),
};

const COMPRESSION: Compression = Compression {
    level: Some(1),
    threshold: 1024,
};

/// Nothing tells of changes but the test itself.
fn pages_of(files: &Files, settings: &CacheSettings) -> Pages {
    Caches::default().unwatched("", files, settings)
}

async fn answer(
    pages: &Pages,
    path: &str,
    query: Option<&str>,
    headers: &HeaderMap,
) -> Result<Option<Response>, FileError> {
    let sought = Sought {
        path,
        query,
        method: &Method::GET,
        headers,
    };
    let wish = Wish {
        method: &Method::GET,
        headers,
        accepting: &Accepting::of(headers),
        compression: COMPRESSION,
    };
    Ok(match pages.find(sought).await? {
        None => None,
        Some(Found::Redirect(response)) => Some(response),
        Some(Found::Folder(folder)) => panic!("{folder:?}"),
        Some(Found::Page(page) | Found::Instead(page)) => {
            Some(pages.reply(&page, wish).await.response)
        }
    })
}

fn site() -> (tempfile::TempDir, Files) {
    let site = tempfile::tempdir().unwrap();
    let root = site.path().join("WebFolder");
    fs::create_dir_all(root.join("sub/deep")).unwrap();
    fs::create_dir_all(root.join("bare")).unwrap();
    fs::create_dir_all(root.join(".well-known")).unwrap();
    for (file, content) in [
        ("index.html", "home"),
        ("a b.txt", "space"),
        ("sub/index.html", "sub home"),
        (".hidden", "dot"),
        (".well-known/x", "known"),
        ("style.css", "css"),
    ] {
        fs::write(root.join(file), content).unwrap();
    }
    fs::write(site.path().join("secret.txt"), "secret").unwrap();
    std::os::unix::fs::symlink(site.path().join("secret.txt"), root.join("outside.txt")).unwrap();
    std::os::unix::fs::symlink("../..", root.join("sub/up")).unwrap();
    std::os::unix::fs::symlink("style.css", root.join("inside.css")).unwrap();
    let files = Files {
        root,
        home_page: Some("index.html".into()),
        missing: Missing::default(),
    };
    (site, files)
}

/// Writes a file as one that was not changed just now: a later change of it is certain to show.
fn write(files: &Files, name: &str, content: impl AsRef<[u8]>) {
    let path = files.root.join(name);
    fs::write(&path, content).unwrap();
    let then = std::time::SystemTime::now() - Duration::from_secs(60);
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(then).unwrap();
}

async fn get(pages: &Pages, path: &str) -> Option<(u16, String)> {
    let response = answer(pages, path, None, &HeaderMap::new()).await.ok()??;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    Some((status, String::from_utf8(body.to_vec()).unwrap()))
}

#[tokio::test]
async fn files_are_found_by_their_paths() {
    let (_site, files) = site();
    let pages = pages_of(&files, &CACHE);
    let expected = [
        ("/", Some((200, "home"))),
        ("/index.html", Some((200, "home"))),
        ("/a%20b.txt", Some((200, "space"))),
        ("/sub/", Some((200, "sub home"))),
        ("/sub", Some((308, ""))),
        ("/bare/", None),
        ("/bare", None),
        ("/index.html/", None),
        ("/missing", None),
        ("/inside.css", Some((200, "css"))),
        ("/.well-known/x", Some((200, "known"))),
    ];
    // The second time from memory.
    for (path, expected) in expected.into_iter().chain(expected) {
        let expected = expected.map(|(status, body)| (status, body.to_owned()));
        assert_eq!(get(&pages, path).await, expected, "{path}");
    }
}

#[tokio::test]
async fn nothing_outside_of_the_root_is_reached() {
    let (_site, files) = site();
    let pages = pages_of(&files, &CACHE);
    let long = format!("/{}", "x".repeat(5000));
    for path in [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/sub/../../secret.txt",
        "/sub/%2e%2e/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/sub/up/secret.txt",
        "/sub%2findex.html",
        "/..\\secret.txt",
        "/%5c..%5csecret.txt",
        "//secret.txt",
        "/./index.html",
        "/outside.txt",
        "/.hidden",
        "/sub/.hidden",
        "/index.html%00.txt",
        "/%",
        "/%zz",
        "//etc/passwd",
        &long,
    ] {
        assert_eq!(get(&pages, path).await, None, "{path}");
    }
    for path in ["/%00", "/%zz"] {
        let answered = answer(&pages, path, None, &HeaderMap::new()).await;
        assert_eq!(answered.err(), Some(FileError::BadPath));
    }
}

#[tokio::test]
async fn conditions_are_kept() {
    let (_site, files) = site();
    let pages = pages_of(&files, &CACHE);
    let response = answer(&pages, "/style.css", None, &HeaderMap::new())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        response.headers()["content-type"],
        "text/css; charset=utf-8"
    );
    for (name, value) in [
        (IF_NONE_MATCH, &response.headers()[ETAG]),
        (IF_MODIFIED_SINCE, &response.headers()[LAST_MODIFIED]),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.clone());
        let response = answer(&pages, "/style.css", None, &headers)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
        assert!(http_body::Body::is_end_stream(response.body()));
        assert!(response.headers().contains_key(ETAG));
    }
}

#[tokio::test]
async fn a_redirect_to_a_folder_keeps_the_query() {
    let (_site, files) = site();
    let pages = pages_of(&files, &CACHE);
    let response = answer(&pages, "/sub", Some("a=b"), &HeaderMap::new())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(response.headers()[LOCATION], "./sub/?a=b");
}

#[tokio::test]
async fn a_large_file_is_streamed() {
    let (_site, files) = site();
    let content = "0123456789".repeat(20_000);
    fs::write(files.root.join("large.txt"), &content).unwrap();
    let pages = pages_of(&files, &CACHE);
    assert_eq!(get(&pages, "/large.txt").await, Some((200, content)));
}

/// Any bytes in a path find a file below the root, nothing, or an error, and never more.
#[tokio::test]
async fn no_path_panics() {
    let (_site, files) = site();
    let pages = pages_of(&files, &CACHE);
    let pieces = [
        "/",
        "..",
        ".",
        "%2e",
        "%2f",
        "%00",
        "%",
        "\\",
        "sub",
        "index.html",
        "%c3%28",
        "é",
        "?",
        "#",
        "up",
    ];
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..5_000 {
        let mut path = String::from("/");
        for _ in 0..(seed % 7) {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            path.push_str(pieces[(seed >> 33) as usize % pieces.len()]);
        }
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        if let Ok(Some(response)) = answer(&pages, &path, None, &HeaderMap::new()).await {
            assert_ne!(response.body().length(), Some(6), "{path} found the secret");
        }
    }
}
