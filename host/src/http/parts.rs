//! Several parts of one content in one body: `multipart/byteranges`, RFC 9110, section 14.6.

use std::fmt::Write as _;
use std::io;
use std::ops::Range;
use std::task::{Context, Poll, ready};
use std::vec;

use ::http::HeaderValue;
use bytes::{Buf, Bytes};

use super::body::{Content, slice};
use super::direct::DirectFiles;
use super::file::FileBody;

const LINE_END: &str = "\r\n";

/// Parts on their way, one after the other.
#[derive(Debug)]
pub(super) struct PartsBody {
    content: Content,
    /// The heads and ranges that are still to come.
    parts: vec::IntoIter<(Bytes, Range<u64>)>,
    /// What follows the head that was sent last.
    next: Next,
    left: u64,
    direct: Option<DirectFiles>,
    /// How many share the connection.
    shared: u32,
}

#[derive(Debug)]
enum Next {
    Head,
    Memory(Bytes),
    File(FileBody),
}

impl PartsBody {
    /// The parts in the order of `ranges`, each of `content_type`; and the Content-Type of all of them.
    pub(super) fn new(
        content: Content,
        ranges: Vec<Range<u64>>,
        content_type: &HeaderValue,
    ) -> io::Result<(HeaderValue, Self)> {
        let boundary = boundary()?;
        let multipart = format!("multipart/byteranges; boundary={boundary}");
        let multipart = HeaderValue::try_from(multipart).map_err(io::Error::other)?;
        let mut parts = Vec::with_capacity(ranges.len() + 1);
        let mut left = 0;
        for range in ranges {
            let mut head = head(&boundary, content_type, &range, content.length());
            if parts.is_empty() {
                // What ends the part before; there is none.
                head.advance(LINE_END.len());
            }
            left += head.len() as u64 + (range.end - range.start);
            parts.push((head, range));
        }
        let end = Bytes::from(format!("{LINE_END}--{boundary}--{LINE_END}"));
        left += end.len() as u64;
        parts.push((end, 0..0));
        let parts = Self {
            content,
            parts: parts.into_iter(),
            next: Next::Head,
            left,
            direct: None,
            shared: 0,
        };
        Ok((multipart, parts))
    }

    /// The same, by way of a connection that can send files.
    pub(super) fn sent_by(&mut self, direct: DirectFiles) {
        self.direct = Some(direct);
    }

    /// The same, as the `number`th of those that share a connection; 0 is one that has it for itself.
    pub(super) fn share(&mut self, number: u32) {
        self.shared = number;
    }

    /// Bytes that are still to come, heads and boundaries included.
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    /// The next bytes; nothing after the last.
    pub(super) fn poll_piece(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Bytes>>> {
        let piece = match &mut self.next {
            Next::Head => {
                let Some((head, range)) = self.parts.next() else {
                    return Poll::Ready(None);
                };
                self.next = self.after_head(range);
                head
            }
            Next::Memory(bytes) => {
                let bytes = std::mem::take(bytes);
                self.next = Next::Head;
                bytes
            }
            Next::File(file) => {
                let piece = match ready!(file.poll_piece(context)) {
                    Some(Ok(piece)) => piece,
                    Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                    None => Bytes::new(),
                };
                if file.left() == 0 {
                    self.next = Next::Head;
                }
                piece
            }
        };
        self.left = self.left.saturating_sub(piece.len() as u64);
        Poll::Ready(Some(Ok(piece)))
    }

    fn after_head(&self, range: Range<u64>) -> Next {
        if range.is_empty() {
            return Next::Head;
        }
        match &self.content {
            Content::Memory(bytes) => Next::Memory(slice(bytes, range)),
            Content::File(file) => {
                let mut file = FileBody::new(file.clone(), range);
                file.share(self.shared);
                if let Some(direct) = &self.direct {
                    file.sent_by(direct.clone());
                }
                Next::File(file)
            }
        }
    }
}

/// Random, so that nobody can put it into a file.
fn boundary() -> io::Result<String> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let mut boundary = String::with_capacity(32);
    for byte in random {
        // Writing to a text does not fail.
        let _ = write!(boundary, "{byte:02x}");
    }
    Ok(boundary)
}

fn head(boundary: &str, content_type: &HeaderValue, range: &Range<u64>, length: u64) -> Bytes {
    let start = format!("{LINE_END}--{boundary}{LINE_END}Content-Type: ");
    let (first, last) = (range.start, range.end.saturating_sub(1));
    let end = format!("{LINE_END}Content-Range: bytes {first}-{last}/{length}{LINE_END}{LINE_END}");
    [start.as_bytes(), content_type.as_bytes(), end.as_bytes()]
        .concat()
        .into()
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::unix::fs::FileExt;

    use http_body_util::BodyExt;

    use super::*;
    use crate::http::StoredFile;

    const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

    /// What a body of such parts has to be.
    fn expected(boundary: &str, parts: &[(&str, &[u8])], length: u64) -> Vec<u8> {
        let mut all = Vec::new();
        for (range, bytes) in parts {
            let separator = if all.is_empty() { "" } else { "\r\n" };
            let head = format!(
                "{separator}--{boundary}\r\nContent-Type: text/html; charset=utf-8\r\n\
                 Content-Range: bytes {range}/{length}\r\n\r\n"
            );
            all.extend_from_slice(head.as_bytes());
            all.extend_from_slice(bytes);
        }
        all.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        all
    }

    async fn check(content: Content, ranges: &[Range<u64>], parts: &[(&str, &[u8])]) {
        let length = content.length();
        let (content_type, body) = content.parts(ranges.to_vec(), &HTML).unwrap();
        let boundary = content_type.to_str().unwrap();
        let boundary = boundary
            .strip_prefix("multipart/byteranges; boundary=")
            .unwrap();
        let expected = expected(boundary, parts, length);
        assert_eq!(body.length(), Some(expected.len() as u64));
        let sent = body.collect().await.unwrap().to_bytes();
        assert_eq!(sent, expected);
    }

    #[tokio::test]
    async fn each_part_has_its_head_and_its_bytes() {
        let bytes = Bytes::from_static(b"0123456789");
        let file = tempfile::tempfile().unwrap();
        file.write_at(&bytes, 0).unwrap();
        let stored = StoredFile::new(file.try_clone().unwrap(), &file.metadata().unwrap());
        for content in [Content::Memory(bytes), Content::File(stored)] {
            check(content, &[7..10, 0..1], &[("7-9", b"789"), ("0-0", b"0")]).await;
        }
    }

    #[tokio::test]
    async fn parts_lie_beyond_four_gibibytes_too() {
        let five = 5 * 1024 * 1024 * 1024_u64;
        let file: File = tempfile::tempfile().unwrap();
        file.set_len(five).unwrap();
        file.write_at(b"end", five - 3).unwrap();
        let content = Content::File(StoredFile::new(
            file.try_clone().unwrap(),
            &file.metadata().unwrap(),
        ));
        assert_eq!(content.whole().length(), Some(five));
        let first = content.part(five - 4..five).collect().await.unwrap();
        assert_eq!(first.to_bytes(), &b"\0end"[..]);
        check(
            content,
            &[five - 3..five, 0..2],
            &[("5368709117-5368709119", b"end"), ("0-1", b"\0\0")],
        )
        .await;
    }

    #[tokio::test]
    async fn a_boundary_is_never_the_same() {
        assert_ne!(boundary().unwrap(), boundary().unwrap());
    }
}
