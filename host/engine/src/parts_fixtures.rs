//! Multipart bodies of other projects' tests (`fixtures/README.md`): what is in them is found here, too.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, StreamBody};
use serde_json::Value;

use crate::body::BodyReader;
use crate::limits::MemoryBudget;
use crate::parts::Parts;

/// Where this server takes a body otherwise, by project and name, and why.
const DEVIATIONS: &[(&str, &str, &str)] = &[
    ("python-multipart", "almost_match_boundary_without_CR", LINE),
    ("python-multipart", "almost_match_boundary_without_LF", LINE),
    (
        "python-multipart",
        "almost_match_boundary_without_final_hyphen",
        LINE,
    ),
    (
        "python-multipart",
        "single_field_blocks",
        "its boundaries lack the two hyphens before them",
    ),
    (
        "python-multipart",
        "bad_initial_boundary",
        "what stands before the first boundary means nothing: RFC 2046",
    ),
    ("python-multipart", "base64_encoding", ENCODED),
    ("python-multipart", "base64_encoding_whitespace", ENCODED),
    ("python-multipart", "mixed_case_headers", ENCODED),
    (
        "python-multipart",
        "mixed_plain_and_base64_encoding",
        ENCODED,
    ),
    ("python-multipart", "quoted_printable_encoding", ENCODED),
    (
        "busboy",
        "Files with filenames containing paths",
        "the name of a file is given as the client sent it",
    ),
    (
        "busboy",
        "Empty content-type and empty content-disposition",
        NAMELESS,
    ),
    ("busboy", "No Content-Disposition", NAMELESS),
    (
        "busboy",
        "Folded header value",
        "no browser folds fields; RFC 9110 has them refused",
    ),
];
/// RFC 2046, section 5.1.1: a boundary must not begin any line of the content.
const LINE: &str = "a line of the content begins with the boundary";
const ENCODED: &str =
    "Content-Transfer-Encoding is no part of forms any more: RFC 7578, section 4.7";
const NAMELESS: &str = "parts without a name are parts, too: they are counted";

fn bytes_of(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    text.chars().map(|c| u8::try_from(c).unwrap()).collect()
}

/// A body that comes in pieces of a size.
fn reader(body: &[u8], size: usize) -> BodyReader {
    let pieces: Vec<_> = body
        .chunks(size)
        .map(|piece| Ok(http_body::Frame::data(Bytes::copy_from_slice(piece))))
        .collect();
    let body = StreamBody::new(Pieces(pieces.into_iter()));
    let budget = Arc::new(MemoryBudget::new(u64::MAX));
    BodyReader::new(Some(body.boxed_unsync()), 8 << 20, budget)
}

struct Pieces<I>(I);

impl<I: Iterator + Unpin> futures_core::Stream for Pieces<I> {
    type Item = I::Item;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<I::Item>> {
        std::task::Poll::Ready(self.0.next())
    }
}

/// The parts in one line each; an error is none.
async fn found(case: &Value, size: usize) -> Option<Vec<String>> {
    let folder = Arc::new(std::env::temp_dir());
    let boundary = case["boundary"].as_str().unwrap();
    let mut body = reader(&bytes_of(&case["body"]), size);
    let parts = Parts::read(&mut body, boundary, &folder).await.ok()?;
    let mut all = Vec::new();
    for part in parts.iter() {
        let described = part.described();
        let content = part.reader(0, 1 << 20).read().await.unwrap();
        let content: String = content.iter().map(|&byte| char::from(byte)).collect();
        all.push(format!(
            "{:?} {:?} {content:?}",
            described.name, described.file_name
        ));
    }
    Some(all)
}

fn expected(case: &Value) -> Option<Vec<String>> {
    let parts = case["parts"].as_array()?.iter();
    Some(
        parts
            .map(|part| {
                let (name, file) = (part["name"].as_str().unwrap(), part["file"].as_str());
                let content = part["content"].as_str().unwrap();
                format!("{name:?} {file:?} {content:?}")
            })
            .collect(),
    )
}

#[tokio::test]
async fn bodies_of_other_projects_are_read_as_they_read_them() {
    let cases: Vec<Value> =
        serde_json::from_str(include_str!("../fixtures/multipart.json")).unwrap();
    assert!(cases.len() >= 50);
    let mut differing = Vec::new();
    for case in &cases {
        let (from, name) = (
            case["from"].as_str().unwrap(),
            case["name"].as_str().unwrap(),
        );
        let whole = found(case, 1 << 20).await;
        for size in [1, 7] {
            assert_eq!(
                found(case, size).await,
                whole,
                "{from}: {name}, in pieces of {size}"
            );
        }
        let is_known = DEVIATIONS.iter().any(|one| (one.0, one.1) == (from, name));
        if (whole == expected(case)) == is_known {
            // Those of the list have to differ, so that it stays true.
            differing.push(format!(
                "{from}: {name}: {whole:?}, there {:?}",
                expected(case)
            ));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}
