//! The parts of a multipart body: read once as they come, small ones into memory, large ones into files without a name.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use crate::body::{BodyReader, PIECE_BYTES_MAX};
use crate::call::field_value;
use crate::form::VARIABLES_MAX;
use crate::multipart::{Fields, Found, Malformed, Scanner};
use crate::parameters::{extended_parameter, parameter};
use crate::wit::{WitBodyError, WitPart};

/// A part that is larger goes to a file, and so does every other once as much as [`MEMORY_BYTES_MAX`] is in memory.
const PART_BYTES_MAX: usize = 64 * 1024;
const MEMORY_BYTES_MAX: usize = 1024 * 1024;
/// A body of this length stays in memory as a whole.
const KEPT_BYTES_MAX: usize = 256 * 1024;
/// Bytes that are read, and written to a file, at once.
const READ_BYTES: usize = 64 * 1024;
const WRITE_BYTES: usize = 256 * 1024;

/// The parts of one body, in their order.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    list: Vec<Part>,
}

/// One part.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) name: String,
    mime_type: String,
    file_name: Option<String>,
    content: Content,
}

#[derive(Clone, Debug)]
enum Content {
    Memory(Bytes),
    File { file: Arc<File>, length: u64 },
}

impl From<Malformed> for WitBodyError {
    fn from(error: Malformed) -> Self {
        Self::Malformed(error.to_string())
    }
}

impl Parts {
    /// Reads all parts of a body. Large ones go to files in `folder`.
    ///
    /// # Errors
    ///
    /// When the body ends early, is none of this boundary, or when a part cannot be kept.
    pub(crate) async fn read(
        body: &mut BodyReader,
        boundary: &str,
        folder: &Arc<PathBuf>,
    ) -> Result<Self, WitBodyError> {
        let mut scanner = Scanner::new(boundary)?;
        let mut parts = Self::default();
        let mut room = MEMORY_BYTES_MAX;
        // A small one, and one that was read as a whole before, can be asked for again.
        body.peek(KEPT_BYTES_MAX).await?;
        let kept = body.kept();
        if let Some(whole) = &kept {
            scanner.feed(whole);
        }
        let mut current: Option<Begun> = None;
        loop {
            match scanner.next()? {
                Found::Begin(fields) => {
                    if parts.list.len() == VARIABLES_MAX {
                        let why = format!("it has more than {VARIABLES_MAX} parts");
                        return Err(WitBodyError::Malformed(why));
                    }
                    current = Some(Begun::new(&fields));
                }
                Found::Content(content) => {
                    if let Some(part) = &mut current {
                        part.add(&content, room, folder).await?;
                    }
                }
                Found::End => {
                    if let Some(part) = current.take() {
                        parts.list.push(part.end(body, &mut room).await?);
                    }
                }
                Found::Nothing => {
                    let piece = match kept {
                        Some(_) => Bytes::new(),
                        None => body.part_piece(READ_BYTES).await?,
                    };
                    if piece.is_empty() {
                        let why = "it ends before its last boundary".to_owned();
                        return Err(WitBodyError::Malformed(why));
                    }
                    scanner.feed(&piece);
                }
                Found::Last => break,
            }
        }
        // So that the connection can go on: what follows the last boundary means nothing.
        while kept.is_none() && !body.part_piece(READ_BYTES).await?.is_empty() {}
        Ok(parts)
    }

    pub(crate) fn count(&self) -> u32 {
        u32::try_from(self.list.len()).unwrap_or(u32::MAX)
    }

    /// The part of a number, counted from 1.
    pub(crate) fn get(&self, number: u32) -> Result<&Part, WitBodyError> {
        let index = usize::try_from(number)
            .ok()
            .and_then(|number| number.checked_sub(1));
        let part = index.and_then(|index| self.list.get(index));
        part.ok_or(WitBodyError::NoSuchPart)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Part> {
        self.list.iter()
    }
}

impl Part {
    pub(crate) fn described(&self) -> WitPart {
        WitPart {
            name: self.name.clone(),
            mime_type: self.mime_type.clone(),
            file_name: self.file_name.clone(),
            size: self.content.length(),
        }
    }

    /// The content if it is in memory; that of a large part is not a variable's value.
    pub(crate) fn text(&self) -> String {
        match &self.content {
            Content::Memory(bytes) => {
                let charset = crate::charset::of_type(&self.mime_type);
                crate::charset::decoded(bytes, charset).into_owned()
            }
            Content::File { .. } => String::new(),
        }
    }

    /// Its content from `offset` on, at most `max` bytes; empty at the end.
    pub(crate) fn reader(&self, offset: u64, max: usize) -> PartReader {
        PartReader {
            content: self.content.clone(),
            offset,
            max: max.min(PIECE_BYTES_MAX),
        }
    }
}

impl Content {
    fn length(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File { length, .. } => *length,
        }
    }
}

/// Reads a piece of a part, apart from the request that it belongs to.
pub(crate) struct PartReader {
    content: Content,
    offset: u64,
    max: usize,
}

impl PartReader {
    pub(crate) async fn read(self) -> Result<Vec<u8>, WitBodyError> {
        let left = self.content.length().saturating_sub(self.offset);
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(self.max);
        match self.content {
            Content::Memory(bytes) => {
                let start = usize::try_from(self.offset).unwrap_or(usize::MAX);
                let piece = bytes.get(start..start.saturating_add(length));
                Ok(piece.unwrap_or_default().to_vec())
            }
            Content::File { file, .. } => {
                let read = move || {
                    let mut piece = vec![0; length];
                    file.read_exact_at(&mut piece, self.offset)?;
                    io::Result::Ok(piece)
                };
                on_disk(read).await
            }
        }
    }
}

/// A part whose content is still coming.
struct Begun {
    name: String,
    mime_type: String,
    file_name: Option<String>,
    buffer: BytesMut,
    spill: Option<Spill>,
}

impl Begun {
    fn new(fields: &Fields) -> Self {
        let text = |value: &Option<Bytes>| value.as_ref().map(|value| field_value(value));
        let disposition = text(&fields.disposition).unwrap_or_default();
        Self {
            name: parameter(&disposition, "name").unwrap_or_default(),
            mime_type: text(&fields.content_type).unwrap_or_else(|| "text/plain".to_owned()),
            file_name: extended_parameter(&disposition, "filename"),
            buffer: BytesMut::new(),
            spill: None,
        }
    }

    async fn add(
        &mut self,
        content: &[u8],
        room: usize,
        folder: &Arc<PathBuf>,
    ) -> Result<(), WitBodyError> {
        self.buffer.extend_from_slice(content);
        let limit = match self.spill {
            None => PART_BYTES_MAX.min(room),
            Some(_) => WRITE_BYTES,
        };
        if self.buffer.len() > limit {
            let spill = match self.spill.take() {
                Some(spill) => spill,
                None => Spill::begin(folder.clone()).await?,
            };
            self.spill = Some(spill.write(self.buffer.split().freeze()).await?);
        }
        Ok(())
    }

    async fn end(self, body: &mut BodyReader, room: &mut usize) -> Result<Part, WitBodyError> {
        let rest = self.buffer.freeze();
        let content = match self.spill {
            None => {
                *room -= rest.len().min(*room);
                body.account(rest.len() as u64)?;
                Content::Memory(rest)
            }
            Some(spill) => spill.write(rest).await?.end(),
        };
        Ok(Part {
            name: self.name,
            mime_type: self.mime_type,
            file_name: self.file_name,
            content,
        })
    }
}

/// A part on its way to a file.
struct Spill {
    file: File,
    length: u64,
}

impl Spill {
    async fn begin(folder: Arc<PathBuf>) -> Result<Self, WitBodyError> {
        let file = on_disk(move || tempfile::tempfile_in(&*folder)).await?;
        Ok(Self { file, length: 0 })
    }

    async fn write(mut self, bytes: Bytes) -> Result<Self, WitBodyError> {
        on_disk(move || {
            self.file.write_all(&bytes)?;
            self.length += bytes.len() as u64;
            Ok(self)
        })
        .await
    }

    fn end(self) -> Content {
        Content::File {
            file: Arc::new(self.file),
            length: self.length,
        }
    }
}

/// Works with a file, on a thread that may wait for the disk.
async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, WitBodyError> {
    let done = tokio::task::spawn_blocking(work).await;
    let done = done.unwrap_or_else(|error| Err(io::Error::other(error)));
    done.map_err(|error| {
        tracing::error!(%error, "a part of a request's body cannot be kept in a file");
        WitBodyError::TooLarge
    })
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt, Full};

    use super::*;
    use crate::limits::MemoryBudget;

    fn reader(body: Vec<u8>, budget: &Arc<MemoryBudget>) -> BodyReader {
        let body = Full::new(Bytes::from(body)).map_err(|never| match never {});
        BodyReader::new(Some(body.boxed_unsync()), 8 << 20, budget.clone())
    }

    fn folder() -> Arc<PathBuf> {
        Arc::new(std::env::temp_dir())
    }

    fn body(parts: &[(&str, &[u8])]) -> Vec<u8> {
        let mut body = Vec::new();
        for (fields, content) in parts {
            body.extend_from_slice(format!("--XX\r\n{fields}\r\n\r\n").as_bytes());
            body.extend_from_slice(content);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--XX--\r\nwhatever");
        body
    }

    async fn content(part: &Part) -> Vec<u8> {
        let mut all = Vec::new();
        loop {
            let piece = part.reader(all.len() as u64, 50_000).read().await.unwrap();
            if piece.is_empty() {
                return all;
            }
            all.extend(piece);
        }
    }

    #[tokio::test]
    async fn parts_have_names_types_and_content_of_any_size() {
        let budget = Arc::new(MemoryBudget::new(u64::MAX));
        let large: Vec<u8> = (0..3_000_000_u32).map(|i| (i % 251) as u8).collect();
        let sent = body(&[
            ("Content-Disposition: form-data; name=\"a\"", b"text"),
            (
                "content-disposition: form-data; name=\"f\"; filename=\"x.bin\"\r\nContent-Type: image/png",
                &large,
            ),
            (
                "Content-Disposition: form-data; name=l\r\nContent-Type: text/plain; charset=iso-8859-1",
                b"\xfc",
            ),
        ]);
        let mut body = reader(sent, &budget);
        let parts = Parts::read(&mut body, "XX", &folder()).await.unwrap();
        assert_eq!(parts.count(), 3);
        let [text, file, latin] = [1, 2, 3].map(|number| parts.get(number).unwrap());
        let described = file.described();
        assert_eq!((described.name.as_str(), described.size), ("f", 3_000_000));
        assert_eq!(described.mime_type, "image/png");
        assert_eq!(described.file_name.as_deref(), Some("x.bin"));
        assert!(content(file).await == large && matches!(file.content, Content::File { .. }));
        assert_eq!(
            (text.text(), latin.text()),
            ("text".into(), "\u{fc}".into())
        );
        assert_eq!(text.described().mime_type, "text/plain");
        assert_eq!(parts.get(0).err(), Some(WitBodyError::NoSuchPart));
        assert_eq!(parts.get(4).err(), Some(WitBodyError::NoSuchPart));
        // What is in files takes no memory; the body is gone.
        assert_eq!(budget.used(), 5);
        assert!(body.whole().await.is_err());
        drop(body);
        assert_eq!(budget.used(), 0);
    }

    #[tokio::test]
    async fn many_parts_take_no_more_memory_than_a_few() {
        let budget = Arc::new(MemoryBudget::new(u64::MAX));
        let content = vec![b'x'; 60_000];
        let sent = body(&vec![("A: b", &content[..]); 100]);
        let mut body = reader(sent, &budget);
        let parts = Parts::read(&mut body, "XX", &folder()).await.unwrap();
        assert_eq!(parts.count(), 100);
        assert!(budget.used() <= MEMORY_BYTES_MAX as u64);
        assert!(parts.iter().all(|part| part.described().size == 60_000));
    }

    #[tokio::test]
    async fn a_small_body_or_one_that_was_read_can_be_read_as_parts_and_again() {
        let budget = Arc::new(MemoryBudget::new(u64::MAX));
        for (length, reads_before) in [(1, true), (1, false), (1_000_000, true)] {
            let sent = body(&[("A: b", &vec![b'x'; length])]);
            let mut body = reader(sent.clone(), &budget);
            if reads_before {
                assert_eq!(body.whole().await.unwrap(), sent);
            }
            let parts = Parts::read(&mut body, "XX", &folder()).await.unwrap();
            assert_eq!(parts.get(1).unwrap().described().size, length as u64);
            assert_eq!(body.whole().await.unwrap(), sent);
        }
    }

    #[tokio::test]
    async fn what_is_broken_is_an_error() {
        let budget = Arc::new(MemoryBudget::new(u64::MAX));
        let early = b"--XX\r\nA: b\r\n\r\ncontent".to_vec();
        let read = Parts::read(&mut reader(early, &budget), "XX", &folder()).await;
        assert!(matches!(read, Err(WitBodyError::Malformed(why)) if why.contains("ends before")));
        let many = body(&vec![("A: b", &b""[..]); VARIABLES_MAX + 1]);
        let read = Parts::read(&mut reader(many, &budget), "XX", &folder()).await;
        assert!(matches!(read, Err(WitBodyError::Malformed(why)) if why.contains("more than")));
        let nowhere = Arc::new(PathBuf::from("/nowhere/at/all"));
        let large = body(&[("A: b", &vec![b'x'; 100_000])]);
        let read = Parts::read(&mut reader(large, &budget), "XX", &nowhere).await;
        assert_eq!(read.err(), Some(WitBodyError::TooLarge));
    }
}
