//! The body of a request, part by part or piece by piece.

use std::io::Read;
use std::ops::{Deref, Range};

use crate::host::request as host;
use crate::request::Part;
use crate::types::BodyError;

/// The parts of a multipart body in their order, fields and files; none for any other body.
///
/// ```
/// use tessera_guest::prelude::*;
/// use tessera_guest::request::Part;
/// use tessera_guest::test;
///
/// fn upload() -> Result<impl Reply, Error> {
///     let mut seen = Vec::new();
///     for part in request::parts()? {
///         let part = part?;
///         match &part.file_name {
///             Some(name) => seen.push(format!("{name}: {} bytes", part.size)),
///             None => seen.push(format!("{}: {}", part.name, part.text()?)),
///         }
///     }
///     Ok(text(seen.join(", ")))
/// }
///
/// let response = test::post("/")
///     .part(Part { name: "title".into(), ..Part::default() }, "Sun")
///     .part(Part { file_name: Some("sun.png".into()), ..Part::default() }, [0; 300])
///     .connect(upload);
/// assert_eq!(response.text(), "title: Sun, sun.png: 300 bytes");
/// ```
pub fn parts() -> Result<Parts, BodyError> {
    let count = host::body_part_count()?;
    Ok(Parts(1..count.saturating_add(1)))
}

/// The file of the form field of that name; none if there is none, or none was chosen.
pub fn file(name: &str) -> Result<Option<BodyPart>, BodyError> {
    for part in parts()? {
        let part = part?;
        // A browser sends a part without name and content for an input that was left empty.
        let is_chosen = |file: &String| !file.is_empty() || part.size > 0;
        if part.name == name && part.file_name.as_ref().is_some_and(is_chosen) {
            return Ok(Some(part));
        }
    }
    Ok(None)
}

/// The parts of a body; made by [`parts`].
#[derive(Clone, Debug)]
pub struct Parts(Range<u32>);

impl Iterator for Parts {
    type Item = Result<BodyPart, BodyError>;

    fn next(&mut self) -> Option<Self::Item> {
        let number = self.0.next()?;
        Some(host::body_part(number).map(|part| BodyPart { number, part }))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

/// One part of a multipart body, with what describes it ([`Part`]) and the way to its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodyPart {
    number: u32,
    part: Part,
}

impl BodyPart {
    /// Whether it is a file. One that was left empty is a file without name and content.
    pub fn is_file(&self) -> bool {
        self.part.file_name.is_some()
    }

    /// Its whole content, in memory. For large ones use [`reader`](Self::reader).
    pub fn content(&self) -> Result<Vec<u8>, BodyError> {
        crate::request::body_part_content(self.number)
    }

    /// Its whole content as text; what is not UTF-8 in it becomes U+FFFD.
    pub fn text(&self) -> Result<String, BodyError> {
        self.content().map(text)
    }

    /// Reads its content from the start, piece by piece: for `std::io::copy` into a file, for example.
    pub fn reader(&self) -> PartReader {
        PartReader::new(self.number)
    }
}

impl Deref for BodyPart {
    type Target = Part;

    fn deref(&self) -> &Part {
        &self.part
    }
}

/// Bytes as text; what is not UTF-8 becomes U+FFFD.
pub(crate) fn text(bytes: Vec<u8>) -> String {
    match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    }
}

/// Reads the content of a part of any size, piece by piece.
#[derive(Debug)]
pub struct PartReader {
    number: u32,
    offset: u64,
}

impl PartReader {
    /// Of part `number`; parts are numbered from 1.
    pub fn new(number: u32) -> Self {
        Self { number, offset: 0 }
    }
}

impl Read for PartReader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let piece = host::read_body_part(self.number, self.offset, room(buffer));
        let length = copied(piece, buffer)?;
        self.offset += length as u64;
        Ok(length)
    }
}

/// Reads the body of the current request as it arrives, whatever its type, with no more than one piece in memory.
///
/// What was read this way is not seen again by [`body`](crate::request::body) or
/// [`variables`](crate::request::variables), nor by a second reader.
///
/// ```
/// use std::io::{BufRead, BufReader};
/// use tessera_guest::prelude::*;
/// use tessera_guest::request::BodyReader;
/// use tessera_guest::test;
///
/// fn count() -> Result<impl Reply, Error> {
///     let mut longest = 0;
///     for line in BufReader::new(BodyReader::new()).lines() {
///         longest = longest.max(line?.len());
///     }
///     Ok(text(longest.to_string()))
/// }
///
/// let response = test::post("/").body("one\nthree\ntwo\n", "text/csv").connect(count);
/// assert_eq!(response.text(), "5");
/// ```
#[derive(Debug, Default)]
pub struct BodyReader(());

impl BodyReader {
    /// Goes on where the last reader ended.
    pub fn new() -> Self {
        Self(())
    }
}

impl Read for BodyReader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        copied(host::read_body(room(buffer)), buffer)
    }
}

fn room(buffer: &[u8]) -> u32 {
    u32::try_from(buffer.len()).unwrap_or(u32::MAX)
}

fn copied(piece: Result<Vec<u8>, BodyError>, buffer: &mut [u8]) -> std::io::Result<usize> {
    let piece = piece.map_err(std::io::Error::other)?;
    // The host gives no more than it is asked for.
    let length = piece.len().min(buffer.len());
    buffer[..length].copy_from_slice(&piece[..length]);
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::test;

    #[test]
    fn parts_are_read_whole_and_in_pieces() {
        let field = Part {
            name: "note".into(),
            ..Part::default()
        };
        let empty = Part {
            name: "picture".into(),
            file_name: Some(String::new()),
            ..Part::default()
        };
        let chosen = Part {
            name: "picture".into(),
            file_name: Some("a.png".into()),
            ..Part::default()
        };
        let request = test::post("/")
            .part(field, "abc")
            .part(empty, "")
            .part(chosen, "12345");
        let response = request.connect(|| {
            let names: Vec<_> = parts()?
                .map(|part| part.map(|it| it.name.clone()))
                .collect();
            assert_eq!(names.len(), 3);
            let chosen = file("picture")?.ok_or_else(|| Error::new("none chosen"))?;
            assert_eq!(chosen.file_name.as_deref(), Some("a.png"));
            let mut read = String::new();
            chosen.reader().read_to_string(&mut read)?;
            assert_eq!(file("note")?, None);
            Ok::<_, Error>(read)
        });
        assert_eq!(response.text(), "12345");
    }

    #[test]
    fn a_body_that_breaks_off_is_refused() {
        for (error, status) in [
            (BodyError::TooLarge, 413),
            (BodyError::Incomplete, 400),
            (BodyError::Malformed("no boundary".into()), 400),
        ] {
            let request = test::post("/").broken_body(error.clone());
            let response = request.connect(|| parts().map(|_| "read"));
            assert_eq!(response.status, status, "{error}");
            let request = test::post("/").broken_body(error);
            let response = request.connect(|| {
                let mut body = String::new();
                BodyReader::new().read_to_string(&mut body)?;
                Ok::<_, Error>(body)
            });
            assert_eq!(response.status, status);
        }
    }
}
