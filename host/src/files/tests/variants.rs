//! The compressed forms of pages.

use ::http::HeaderValue;
use ::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, VARY};

use super::*;

fn accepting(codings: &'static str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(codings));
    headers
}

async fn ask(
    pages: &Pages,
    path: &str,
    codings: &'static str,
) -> (Option<String>, Vec<u8>, String) {
    let headers = accepting(codings);
    let response = answer(pages, path, None, &headers).await.unwrap().unwrap();
    let coding = response.headers().get(CONTENT_ENCODING);
    let coding = coding.map(|coding| coding.to_str().unwrap().to_owned());
    let tag = response.headers()[ETAG].to_str().unwrap().to_owned();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (coding, body.to_vec(), tag)
}

fn text_site() -> (tempfile::TempDir, Files, Pages) {
    let (site, files) = site();
    write(&files, "a.html", "a line of text\n".repeat(300));
    write(&files, "small.html", "text");
    write(&files, "a.png", "x".repeat(3000));
    let pages = pages_of(&files, &CACHE);
    (site, files, pages)
}

#[tokio::test]
async fn each_form_is_made_once_and_has_a_tag_of_its_own() {
    let (_site, _files, pages) = text_site();
    let mut tags = std::collections::BTreeSet::new();
    for codings in ["br", "gzip", "zstd", "identity", ""] {
        for _ in 0..3 {
            let (coding, body, tag) = ask(&pages, "/a.html", codings).await;
            let is_coded = !matches!(codings, "identity" | "");
            assert_eq!(coding.as_deref(), is_coded.then_some(codings));
            assert_eq!(body.len() < 1000, is_coded);
            assert!(tag.starts_with('"'), "{tag}");
            tags.insert(tag);
        }
    }
    assert_eq!(tags.len(), 4);
    let statistics = pages.statistics();
    assert_eq!(statistics.loads, 4);
    let codings = statistics
        .objects
        .iter()
        .filter(|object| object.coding.is_some());
    assert_eq!(codings.count(), 3);
}

#[tokio::test]
async fn only_what_becomes_smaller_is_compressed() {
    let (_site, _files, pages) = text_site();
    for (path, varies) in [("/small.html", true), ("/a.png", false)] {
        let headers = accepting("gzip, br, zstd");
        let response = answer(&pages, path, None, &headers).await.unwrap().unwrap();
        assert!(!response.headers().contains_key(CONTENT_ENCODING), "{path}");
        assert_eq!(response.headers().contains_key(VARY), varies, "{path}");
    }
}

#[tokio::test]
async fn what_does_not_become_smaller_is_tried_once() {
    let (_site, files, pages) = text_site();
    let mut seed = 1_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        seed.to_be_bytes()[0]
    })
    .take(2000)
    .collect();
    write(&files, "noise.txt", &noise);
    for _ in 0..3 {
        let (coding, body, _) = ask(&pages, "/noise.txt", "gzip").await;
        assert_eq!(coding, None);
        assert_eq!(body, noise);
    }
    assert_eq!(pages.statistics().loads, 2);
}

#[tokio::test]
async fn a_page_that_changed_is_compressed_anew() {
    let (_site, files, pages) = text_site();
    let (_, before, _) = ask(&pages, "/a.html", "gzip").await;
    fs::write(files.root.join("a.html"), "another line\n".repeat(300)).unwrap();
    pages.changed();
    let (coding, after, _) = ask(&pages, "/a.html", "gzip").await;
    assert_eq!(coding.as_deref(), Some("gzip"));
    assert_ne!(before, after);
}

#[tokio::test]
async fn a_file_beside_it_is_taken_before_one_is_made() {
    let (_site, files, pages) = text_site();
    fs::write(files.root.join("a.html.gz"), "as it was packed").unwrap();
    let packed = (Some("gzip".to_owned()), b"as it was packed".to_vec());
    for codings in ["gzip", "zstd, br, gzip", "*"] {
        for _ in 0..2 {
            let (coding, body, _) = ask(&pages, "/a.html", codings).await;
            assert_eq!((coding, body), packed, "{codings}");
        }
    }
    // Who likes another one better gets it.
    let (coding, ..) = ask(&pages, "/a.html", "gzip;q=0.5, br").await;
    assert_eq!(coding.as_deref(), Some("br"));
    // Below the threshold, too: it costs nothing.
    fs::write(files.root.join("small.html.br"), "br").unwrap();
    pages.changed();
    assert_eq!(
        ask(&pages, "/small.html", "br").await.0.as_deref(),
        Some("br")
    );
    // By its own name it is what it is.
    let (coding, body, _) = ask(&pages, "/a.html.gz", "gzip").await;
    assert_eq!((coding, body), (None, packed.1.clone()));
    // One that was made of an older page is not it.
    let old = std::time::SystemTime::now() - Duration::from_secs(120);
    let file = fs::File::options()
        .write(true)
        .open(files.root.join("a.html.gz"))
        .unwrap();
    file.set_modified(old).unwrap();
    pages.changed();
    let (coding, body, _) = ask(&pages, "/a.html", "gzip").await;
    assert_eq!(coding.as_deref(), Some("gzip"));
    assert_ne!(body, packed.1);
    fs::remove_file(files.root.join("a.html.gz")).unwrap();
    pages.changed();
    assert_eq!(
        ask(&pages, "/a.html", "gzip").await.0.as_deref(),
        Some("gzip")
    );
}

#[tokio::test]
async fn a_large_page_has_its_form_in_a_file_or_is_compressed_on_its_way() {
    let (_site, files, pages) = text_site();
    fs::write(files.root.join("large.txt"), "line\n".repeat(30_000)).unwrap();
    let reply = |codings| {
        let (pages, headers) = (pages.clone(), accepting(codings));
        async move {
            let sought = Sought {
                path: "/large.txt",
                query: None,
                method: &Method::GET,
                headers: &headers,
            };
            let Some(Found::Page(page)) = pages.find(sought).await.unwrap() else {
                panic!("there is a file");
            };
            let wish = Wish {
                method: &Method::GET,
                headers: &headers,
                accepting: &Accepting::of(&headers),
                compression: COMPRESSION,
            };
            pages.reply(&page, wish).await
        }
    };
    let on_its_way = reply("gzip").await;
    assert!(!on_its_way.is_final);
    assert_eq!(on_its_way.response.body().length(), Some(150_000));
    fs::write(files.root.join("large.txt.gz"), "g".repeat(100_000)).unwrap();
    let packed = reply("gzip").await;
    assert!(packed.is_final);
    assert_eq!(packed.response.headers()[CONTENT_ENCODING], "gzip");
    assert_eq!(packed.response.body().length(), Some(100_000));
    assert!(!packed.response.headers().contains_key(CONTENT_LENGTH));
    assert!(reply("identity").await.is_final);
}

#[tokio::test]
async fn a_condition_is_about_the_form_that_would_be_sent() {
    let (_site, _files, pages) = text_site();
    let (_, _, plain) = ask(&pages, "/a.html", "").await;
    let (_, _, coded) = ask(&pages, "/a.html", "br").await;
    for (tag, codings, expected) in [
        (&coded, "br", StatusCode::NOT_MODIFIED),
        (&plain, "br", StatusCode::OK),
        (&plain, "", StatusCode::NOT_MODIFIED),
        (&coded, "", StatusCode::OK),
    ] {
        let mut headers = accepting(codings);
        headers.insert(IF_NONE_MATCH, tag.parse().unwrap());
        let response = answer(&pages, "/a.html", None, &headers)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(response.status(), expected, "{tag} {codings:?}");
        assert_eq!(response.headers()[VARY], "Accept-Encoding");
    }
}
