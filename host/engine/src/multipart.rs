//! Takes a multipart body apart as its bytes come (RFC 2046, section 5.1; RFC 7578). What it holds is bounded, whatever comes.

use bytes::{Buf, Bytes, BytesMut};
use memchr::memmem;

/// Longest head of a part, and most that may stand before the first one.
const FIELDS_BYTES_MAX: usize = 16 * 1024;
const PREAMBLE_BYTES_MAX: usize = 64 * 1024;
/// Fields of one part.
const FIELDS_MAX: usize = 16;
/// Blanks that may follow a boundary.
const PADDING_MAX: usize = 64;
/// Longest boundary that the RFC allows.
const BOUNDARY_BYTES_MAX: usize = 70;

/// What is wrong with a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    /// The boundary is empty or longer than 70 bytes.
    #[error("its boundary is empty, or longer than {BOUNDARY_BYTES_MAX} bytes")]
    Boundary,
    /// Too much came before the first boundary.
    #[error("no boundary in its first {PREAMBLE_BYTES_MAX} bytes")]
    NoBoundary,
    /// A boundary is followed by something else than a line's end.
    #[error("a boundary is not the end of its line")]
    AfterBoundary,
    /// The head of a part is too long or none.
    #[error("the fields of a part cannot be read, or are longer than {FIELDS_BYTES_MAX} bytes")]
    Fields,
}

/// What was found next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A part begins, with these fields.
    Begin(Fields),
    /// Some of its content; never empty.
    Content(Bytes),
    /// It has ended.
    End,
    /// More bytes are needed.
    Nothing,
    /// The last part has ended; what follows means nothing.
    Last,
}

/// The fields of a part, as far as they matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fields {
    /// The value of Content-Disposition.
    pub(crate) disposition: Option<Bytes>,
    /// The value of Content-Type.
    pub(crate) content_type: Option<Bytes>,
}

/// Reads one body.
#[derive(Debug)]
pub(crate) struct Scanner {
    /// The boundary with the line's end before it, which belongs to it.
    delimiter: memmem::Finder<'static>,
    buffer: BytesMut,
    at: At,
    passed: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Preamble,
    AfterBoundary,
    Fields,
    Content,
    Epilogue,
}

impl Scanner {
    pub(crate) fn new(boundary: &str) -> Result<Self, Malformed> {
        if !(1..=BOUNDARY_BYTES_MAX).contains(&boundary.len()) {
            return Err(Malformed::Boundary);
        }
        let delimiter = format!("\r\n--{boundary}");
        Ok(Self {
            delimiter: memmem::Finder::new(&delimiter).into_owned(),
            // The first boundary needs no line before it.
            buffer: BytesMut::from("\r\n"),
            at: At::Preamble,
            passed: 0,
        })
    }

    /// Takes bytes that came.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        if self.at != At::Epilogue {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// What is next in what came.
    pub(crate) fn next(&mut self) -> Result<Found, Malformed> {
        loop {
            match self.at {
                At::Preamble => match self.pass(true) {
                    (_, true) => self.at = At::AfterBoundary,
                    (passed, false) => {
                        self.passed += passed.len();
                        if self.passed > PREAMBLE_BYTES_MAX {
                            return Err(Malformed::NoBoundary);
                        }
                        return Ok(Found::Nothing);
                    }
                },
                At::AfterBoundary => match self.after_boundary()? {
                    Some(next) => self.at = next,
                    None => return Ok(Found::Nothing),
                },
                At::Fields => {
                    let fields = self.fields()?;
                    return Ok(fields.map_or(Found::Nothing, |fields| {
                        self.at = At::Content;
                        Found::Begin(fields)
                    }));
                }
                At::Content => {
                    return Ok(match self.pass(false) {
                        (content, false) if content.is_empty() => Found::Nothing,
                        (content, true) if content.is_empty() => {
                            self.at = At::AfterBoundary;
                            Found::End
                        }
                        (content, _) => Found::Content(content),
                    });
                }
                At::Epilogue => {
                    self.buffer.clear();
                    return Ok(Found::Last);
                }
            }
        }
    }

    /// Takes what stands before the next boundary, and the boundary with it if nothing does or `both` are wanted; says
    /// whether it was taken. The beginning of what may become one stays.
    fn pass(&mut self, both: bool) -> (Bytes, bool) {
        let length = self.delimiter.needle().len();
        match self.delimiter.find(&self.buffer) {
            Some(at) => {
                let before = self.buffer.split_to(at).freeze();
                let takes = both || before.is_empty();
                if takes {
                    self.buffer.advance(length);
                }
                (before, takes)
            }
            None => {
                let certain = self.buffer.len().saturating_sub(length - 1);
                (self.buffer.split_to(certain).freeze(), false)
            }
        }
    }

    fn after_boundary(&mut self) -> Result<Option<At>, Malformed> {
        if self.buffer.starts_with(b"--") {
            return Ok(Some(At::Epilogue));
        }
        let is_blank = |byte: &&u8| matches!(byte, b' ' | b'\t');
        let padding = self.buffer.iter().take_while(is_blank).count();
        match self.buffer.get(padding..).unwrap_or_default() {
            [b'\r', b'\n', ..] if padding <= PADDING_MAX => {
                // The line's end stays: without fields it is followed by the next one.
                self.buffer.advance(padding);
                Ok(Some(At::Fields))
            }
            [] | [b'\r'] if padding <= PADDING_MAX => Ok(None),
            [b'-'] if padding == 0 => Ok(None),
            _ => Err(Malformed::AfterBoundary),
        }
    }

    fn fields(&mut self) -> Result<Option<Fields>, Malformed> {
        let Some(end) = memmem::find(&self.buffer, b"\r\n\r\n") else {
            return match self.buffer.len() > FIELDS_BYTES_MAX {
                true => Err(Malformed::Fields),
                false => Ok(None),
            };
        };
        if end > FIELDS_BYTES_MAX {
            return Err(Malformed::Fields);
        }
        let head = self.buffer.split_to(end + 4).freeze();
        let text = head.get(2..).unwrap_or_default();
        let mut space = [httparse::EMPTY_HEADER; FIELDS_MAX];
        let Ok(httparse::Status::Complete((_, read))) = httparse::parse_headers(text, &mut space)
        else {
            return Err(Malformed::Fields);
        };
        let value = |name: &str| {
            let field = read.iter().find(|it| it.name.eq_ignore_ascii_case(name));
            field.map(|field| head.slice_ref(field.value))
        };
        Ok(Some(Fields {
            disposition: value("content-disposition"),
            content_type: value("content-type"),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Disposition and content.
    type Part = (String, Vec<u8>);

    /// The parts of a body that comes in pieces of a size, and whether it has ended.
    fn parts(body: &[u8], size: usize) -> Result<(Vec<Part>, bool), Malformed> {
        let mut scanner = Scanner::new("XX")?;
        let mut parts = Vec::new();
        let mut is_open = false;
        for piece in body.chunks(size) {
            scanner.feed(piece);
            assert!(scanner.buffer.len() <= FIELDS_BYTES_MAX + 2 * size + 80);
            loop {
                match scanner.next()? {
                    Found::Begin(fields) => {
                        let name = fields.disposition.unwrap_or_default();
                        parts.push((String::from_utf8_lossy(&name).into_owned(), Vec::new()));
                        is_open = true;
                    }
                    Found::Content(content) => {
                        assert!(is_open && !content.is_empty());
                        parts.last_mut().unwrap().1.extend_from_slice(&content);
                    }
                    Found::End => is_open = false,
                    Found::Nothing => break,
                    Found::Last => return Ok((parts, true)),
                }
            }
        }
        Ok((parts, false))
    }

    const GOOD: &[u8] = b"preamble\r\n--XX \t\r\nContent-Disposition: a\r\nX: y\r\n\r\none\r\n--X\r\n\r\n--XX\r\n\r\n\r\n--XX\r\n\r\n\r\n\
        --XX\r\ncontent-disposition: c\r\n\r\n\r\n--XX\r\nContent-Disposition: d\r\n\r\n\r\n\r\n--XX--\r\nepilogue\r\n--XX\r\n";

    #[test]
    fn parts_are_found_however_they_are_cut() {
        let expected = [
            ("a", &b"one\r\n--X\r\n"[..]),
            ("", b""),
            ("", b""),
            ("c", b""),
            ("d", b"\r\n"),
        ];
        // RFC 2046: without fields an empty line stands alone before the content.
        for size in 1..=GOOD.len() {
            let (found, has_ended) = parts(GOOD, size).unwrap();
            assert!(has_ended, "{size}");
            let found: Vec<_> = found
                .iter()
                .map(|(name, content)| (name.as_str(), content.as_slice()))
                .collect();
            assert_eq!(found, expected, "{size}");
        }
        assert_eq!(parts(b"--XX--", 1).unwrap(), (Vec::new(), true));
    }

    #[test]
    fn what_breaks_off_has_not_ended() {
        for end in 0..GOOD.len() - 20 {
            let (_, has_ended) = parts(&GOOD[..end], 7).unwrap();
            assert!(!has_ended, "{end}");
        }
    }

    #[test]
    fn what_is_no_multipart_body_is_refused() {
        for (body, why) in [
            ("--XXX\r\n\r\n".to_owned(), Malformed::AfterBoundary),
            ("--XX-\r\n".to_owned(), Malformed::AfterBoundary),
            (
                format!("--XX{}\r\n", " ".repeat(65)),
                Malformed::AfterBoundary,
            ),
            ("--XX\r\nno field\r\n\r\n".to_owned(), Malformed::Fields),
            (
                format!("--XX\r\na: {}", "b".repeat(17_000)),
                Malformed::Fields,
            ),
            (
                format!("--XX\r\n{}\r\n", "a: b\r\n".repeat(17)),
                Malformed::Fields,
            ),
            ("x".repeat(70_000), Malformed::NoBoundary),
        ] {
            for size in [1, 1000, 100_000] {
                assert_eq!(parts(body.as_bytes(), size), Err(why), "{body:.20} {size}");
            }
        }
        assert_eq!(Scanner::new("").err(), Some(Malformed::Boundary));
        assert_eq!(
            Scanner::new(&"x".repeat(71)).err(),
            Some(Malformed::Boundary)
        );
    }

    /// Any bytes are parts or an error, the same however they are cut.
    #[test]
    fn no_body_panics() {
        let mut seed = 0x2545_f491_4f6c_dd1d_u64;
        let mut below = |limit: usize| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            usize::try_from(seed % limit as u64).unwrap()
        };
        for _ in 0..3_000 {
            let mut body = GOOD.to_vec();
            for _ in 0..=below(4) {
                let at = below(body.len());
                match below(3) {
                    0 => body[at] = u8::try_from(below(256)).unwrap(),
                    1 => drop(body.remove(at)),
                    _ => drop(body.splice(at..at, *b"\r\n--XX")),
                }
            }
            let size = 1 + below(50);
            assert_eq!(
                parts(&body, size),
                parts(&body, 1000),
                "{}",
                body.escape_ascii()
            );
        }
    }
}
