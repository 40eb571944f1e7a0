//! Follows a body in chunks byte by byte, and finds where it ends (RFC 9112, section 7.1).

use super::bytes::{self, TOKEN};
use crate::http::HEADER_FIELDS_MAX;

/// Digits of the largest chunk: what is above it overflows somewhere.
const SIZE_DIGITS_MAX: u8 = 15;
/// Most bytes of extensions in all chunks of a body: nobody uses them for good.
const EXTENSION_BYTES_MAX: usize = 4 * 1024;
/// Most bytes of trailers.
const TRAILER_BYTES_MAX: usize = 8 * 1024;

/// A body in chunks, as far as it was read.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    at: At,
    size: u64,
    digits: u8,
    extension_bytes: usize,
    trailer_bytes: usize,
    trailers: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    #[default]
    Size,
    /// White space that should not be there, but may, before a semicolon.
    AfterSize,
    BeforeName,
    Name,
    /// After a name and white space: an equals sign may come, or the next extension.
    AfterName,
    BeforeValue,
    Value,
    Quoted,
    /// After a backslash in quotes.
    Escaped,
    AfterValue,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    /// At the beginning of a line after the last chunk.
    Line,
    TrailerName,
    TrailerValue,
    TrailerLf,
    EndLf,
    End,
}

/// The body is not made of chunks as it should be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken;

impl Chunks {
    /// Reads on: how many bytes belong to the body, and whether it ended with them.
    pub(super) fn read(&mut self, bytes: &[u8]) -> (usize, Result<bool, Broken>) {
        let mut at = 0;
        while self.at != At::End {
            let rest = bytes.get(at..).unwrap_or_default();
            let Some(first) = rest.first() else {
                return (at, Ok(false));
            };
            if self.at == At::Data {
                let length = usize::try_from(self.size)
                    .unwrap_or(usize::MAX)
                    .min(rest.len());
                self.size -= length as u64;
                at += length;
                if self.size == 0 {
                    self.at = At::DataCr;
                }
                continue;
            }
            let Some(next) = self.step(*first) else {
                return (at, Err(Broken));
            };
            self.at = next;
            at += 1;
        }
        (at, Ok(true))
    }

    fn step(&mut self, byte: u8) -> Option<At> {
        match self.at {
            At::Size | At::AfterSize => self.size_step(byte),
            At::BeforeName
            | At::Name
            | At::AfterName
            | At::BeforeValue
            | At::Value
            | At::Quoted
            | At::Escaped
            | At::AfterValue => {
                self.extension_bytes += 1;
                (self.extension_bytes <= EXTENSION_BYTES_MAX)
                    .then(|| extension_step(self.at, byte))
                    .flatten()
            }
            At::SizeLf => (byte == b'\n').then(|| self.begin_data()),
            At::DataCr => (byte == b'\r').then_some(At::DataLf),
            At::DataLf => (byte == b'\n').then_some(At::Size),
            At::Line | At::TrailerName | At::TrailerValue | At::TrailerLf => {
                self.trailer_bytes += 1;
                (self.trailer_bytes <= TRAILER_BYTES_MAX)
                    .then(|| self.trailer_step(byte))
                    .flatten()
            }
            At::EndLf => (byte == b'\n').then_some(At::End),
            At::Data | At::End => None,
        }
    }

    fn size_step(&mut self, byte: u8) -> Option<At> {
        if self.at == At::Size
            && let Some(digit) = char::from(byte).to_digit(16)
        {
            if self.digits == SIZE_DIGITS_MAX {
                return None;
            }
            self.digits += 1;
            self.size = self.size << 4 | u64::from(digit);
            return Some(At::Size);
        }
        match byte {
            _ if self.digits == 0 => None,
            b';' => Some(At::BeforeName),
            b' ' | b'\t' => {
                self.extension_bytes += 1;
                (self.extension_bytes <= EXTENSION_BYTES_MAX).then_some(At::AfterSize)
            }
            b'\r' if self.at == At::Size => Some(At::SizeLf),
            _ => None,
        }
    }

    fn begin_data(&mut self) -> At {
        self.digits = 0;
        match self.size {
            0 => At::Line,
            _ => At::Data,
        }
    }

    fn trailer_step(&mut self, byte: u8) -> Option<At> {
        let is_token = bytes::is(byte, TOKEN);
        match self.at {
            At::Line if byte == b'\r' => Some(At::EndLf),
            At::Line if is_token => {
                self.trailers += 1;
                (self.trailers <= HEADER_FIELDS_MAX).then_some(At::TrailerName)
            }
            At::TrailerName if is_token => Some(At::TrailerName),
            At::TrailerName if byte == b':' => Some(At::TrailerValue),
            At::TrailerValue if byte == b'\r' => Some(At::TrailerLf),
            At::TrailerValue if byte == b'\t' || !byte.is_ascii_control() => Some(At::TrailerValue),
            At::TrailerLf if byte == b'\n' => Some(At::Line),
            _ => None,
        }
    }
}

/// One byte of `;name=value`, with the white space that may stand around each.
fn extension_step(at: At, byte: u8) -> Option<At> {
    let is_token = bytes::is(byte, TOKEN);
    let is_space = matches!(byte, b' ' | b'\t');
    let text = byte == b'\t' || !byte.is_ascii_control();
    match (at, byte) {
        (At::BeforeName | At::BeforeValue, _) if is_space => Some(at),
        (At::BeforeName | At::Name, _) if is_token => Some(At::Name),
        (At::Name | At::AfterName, _) if is_space => Some(At::AfterName),
        (At::Name | At::AfterName, b'=') => Some(At::BeforeValue),
        (At::BeforeValue | At::Value, _) if is_token => Some(At::Value),
        (At::BeforeValue, b'"') => Some(At::Quoted),
        (At::Quoted, b'"') => Some(At::AfterValue),
        (At::Quoted, b'\\') => Some(At::Escaped),
        (At::Quoted | At::Escaped, _) if text => Some(At::Quoted),
        (At::Value | At::AfterValue, _) if is_space => Some(At::AfterValue),
        (At::Name | At::AfterName | At::Value | At::AfterValue, b';') => Some(At::BeforeName),
        (At::Name | At::Value | At::AfterValue, b'\r') => Some(At::SizeLf),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_chunks_end_where_they_end_however_they_are_cut() {
        for good in [
            "0\r\n\r\n",
            "3\r\nabc\r\n0\r\n\r\n",
            "00A\r\n0123456789\r\n000\r\n\r\n",
            "1;a\r\nx\r\n0\r\n\r\n",
            "1 ;a = b;c=\"d\\\"\u{fc};\" ; e\r\nx\r\n0;last\r\n\r\n",
            "0\r\nTrailer: a\tb\u{fc}\r\nOther:\r\n\r\n",
        ] {
            let bytes = [good.as_bytes(), b"GET"].concat();
            assert_eq!(
                Chunks::default().read(&bytes),
                (good.len(), Ok(true)),
                "{good:?}"
            );
            for cut in 0..good.len() {
                let mut chunks = Chunks::default();
                assert_eq!(chunks.read(&bytes[..cut]), (cut, Ok(false)), "{good:?}");
                assert_eq!(
                    chunks.read(&bytes[cut..]),
                    (good.len() - cut, Ok(true)),
                    "{good:?}"
                );
            }
        }
    }

    #[test]
    fn bad_chunks_are_not_followed_beyond_the_fault() {
        for (sound, fault) in [
            ("", "\r\n"),
            ("", " 3\r\n"),
            ("", "-1\r\n"),
            ("", "+1\r\n"),
            ("", "x\r\n"),
            ("0", "x1\r\n"),
            ("", ";a\r\n"),
            ("1", "\nx\r\n"),
            ("1\r", "\r\n"),
            ("1 ", "\r\nx\r\n"),
            ("1 ", "1\r\n"),
            ("1;", "\r\nx"),
            ("1;a=", "\r\nx"),
            ("1;a ", "\r\nx"),
            ("1;a", "\nx"),
            ("1;a=\"", "\0"),
            ("1;a=b", "\u{1}"),
            ("1\r\nx", "y\r\n"),
            ("1\r\nx\r", "x"),
            ("1\r\nx", "\n0\r\n"),
            ("fffffffffffffff", "f\r\n"),
            ("000000000000000", "1\r\n"),
            ("0\r\n", " a: b\r\n"),
            ("0\r\na", " : b\r\n"),
            ("0\r\na:b", "\n\r\n"),
            ("0\r\na:b\r", "x"),
            ("0\r\n", ":b\r\n"),
            ("0\r\n", "\n"),
            ("0\r\n\r", "\r"),
        ] {
            let whole = [sound, fault].concat();
            assert_eq!(
                Chunks::default().read(whole.as_bytes()),
                (sound.len(), Err(Broken)),
                "{whole:?}"
            );
        }
    }

    #[test]
    fn extensions_and_trailers_are_bounded_over_the_whole_body() {
        let extensions = "1;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nx\r\n".repeat(128);
        assert!(Chunks::default().read(extensions.as_bytes()).1.is_err());
        let trailers = format!("0\r\n{}\r\n", "a: b\r\n".repeat(HEADER_FIELDS_MAX + 1));
        assert!(Chunks::default().read(trailers.as_bytes()).1.is_err());
        let long = format!("0\r\na: {}\r\n\r\n", "b".repeat(TRAILER_BYTES_MAX));
        assert!(Chunks::default().read(long.as_bytes()).1.is_err());
    }
}
