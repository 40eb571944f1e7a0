//! Reads the head of a request as it comes, and refuses what could be read in two ways.

use std::ops::Range;

use super::bytes::{self, TOKEN};
use super::line::{self, Line};
use super::plain::{Noted, Plain};
use super::{authority, coding};
use crate::connection::HEAD_BYTES_MAX;
use crate::http::{HEADER_FIELDS_MAX, Reject};

/// Longest header field.
const FIELD_BYTES_MAX: usize = 16 * 1024;
/// Longest body that can be counted on: what is above it does not mean what it says.
const BODY_BYTES_MAX: u64 = u64::MAX >> 1;
/// How many bytes of empty lines may stand before a request: old clients end a body by one.
const EMPTY_BYTES_MAX: usize = 4;

const BAD_HOST: Reject = Reject::Malformed("the Host header must be there once, and be a host");
const BAD_LENGTH: Reject =
    Reject::Malformed("the Content-Length header must be there once, and be a number");

/// A head, as far as it was read.
#[derive(Debug, Default)]
pub(super) struct Head {
    /// Bytes that are read for good: whole lines.
    at: usize,
    /// Where the first line begins.
    begin: usize,
    line: Option<Line>,
    fields: usize,
    host: Option<Range<usize>>,
    length: Option<u64>,
    is_chunked: bool,
    noted: Noted,
}

/// A head that is as it should be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Whole {
    /// How many bytes it has.
    pub(super) length: usize,
    /// What follows it.
    pub(super) body: Framing,
    /// Where a digit stands that must become a 1, for a reader that knows no later version.
    pub(super) newer_minor_at: Option<usize>,
    /// What it asks for, if that is no more than a page.
    pub(super) plain: Option<Plain>,
}

/// How a body ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// After so many bytes.
    Length(u64),
    /// As its chunks say.
    Chunked,
}

/// One field, and how many bytes its line has.
struct Field<'a> {
    name: &'a [u8],
    value: &'a [u8],
    length: usize,
}

impl Head {
    /// Reads on. `bytes` are all that came of the head, from its beginning, and perhaps more. `None` if it is not whole.
    ///
    /// # Errors
    ///
    /// As soon as something is certainly wrong, whether or not the rest has come.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<Option<Whole>, Reject> {
        let whole = self.read_lines(bytes)?;
        let length = if whole { self.at } else { bytes.len() };
        if length > HEAD_BYTES_MAX {
            return Err(Reject::HeadTooLarge);
        }
        if !whole {
            return Ok(None);
        }
        let line = self.line.take().unwrap_or_default();
        let body = self.framing(bytes, &line)?;
        Ok(Some(Whole {
            length,
            plain: self.plain(&line),
            body,
            newer_minor_at: line.newer_minor_at.map(|at| self.begin + at),
        }))
    }

    fn plain(&mut self, line: &Line) -> Option<Plain> {
        if line.is_http_10 || line.authority.is_some() {
            return None;
        }
        let target = line.gets.as_ref()?;
        let target = self.begin + target.start..self.begin + target.end;
        let empty_line = self.at.saturating_sub(2);
        let fields = self.begin + line.length..empty_line;
        self.noted.plain(target, self.host.take()?, fields)
    }

    /// Whether something came of it: empty lines before it are nothing yet.
    pub(super) fn has_begun(bytes: &[u8]) -> bool {
        bytes.iter().any(|byte| !matches!(byte, b'\r' | b'\n'))
    }

    /// Whether the empty line at the end was reached.
    fn read_lines(&mut self, bytes: &[u8]) -> Result<bool, Reject> {
        if self.line.is_none() {
            self.skip_empty_lines(bytes);
            let Some(line) = line::read(bytes.get(self.at..).unwrap_or_default())
                .or_else(|reject| self.forgive(bytes, reject))?
            else {
                return Ok(false);
            };
            self.begin = self.at;
            self.at += line.length;
            self.line = Some(line);
        }
        loop {
            let rest = bytes.get(self.at..).unwrap_or_default();
            match rest {
                [b'\r', b'\n', ..] => {
                    self.at += 2;
                    return Ok(true);
                }
                [] | [b'\r'] => return Ok(false),
                _ => {}
            }
            let Some(field) = field(rest)? else {
                return Ok(false);
            };
            self.fields += 1;
            if self.fields > HEADER_FIELDS_MAX {
                return Err(Reject::TooManyFields);
            }
            self.note(&field, bytes)?;
            self.at += field.length;
        }
    }

    fn skip_empty_lines(&mut self, bytes: &[u8]) {
        while self.at < EMPTY_BYTES_MAX
            && bytes
                .get(self.at..)
                .is_some_and(|rest| rest.starts_with(b"\r\n"))
        {
            self.at += 2;
        }
    }

    /// Half an empty line is no fault yet.
    fn forgive(&self, bytes: &[u8], reject: Reject) -> Result<Option<Line>, Reject> {
        match bytes.get(self.at..) {
            Some([b'\r']) if self.at < EMPTY_BYTES_MAX => Ok(None),
            _ => Err(reject),
        }
    }

    /// Keeps what decides where the request ends and whom it is for.
    fn note(&mut self, field: &Field<'_>, bytes: &[u8]) -> Result<(), Reject> {
        let is = |name: &[u8]| field.name.eq_ignore_ascii_case(name);
        let place = || {
            let begin = field.value.as_ptr().addr() - bytes.as_ptr().addr();
            begin..begin + field.value.len()
        };
        self.noted.note(field.name, field.value, place);
        match field.name.len() {
            4 if is(b"host") => {
                if self.host.is_some() || !authority::is_authority(field.value) {
                    return Err(BAD_HOST);
                }
                self.host = Some(place());
            }
            6 if is(b"expect") && !field.value.eq_ignore_ascii_case(b"100-continue") => {
                return Err(Reject::Expectation);
            }
            14 if is(b"content-length") => {
                if self.length.is_some() {
                    return Err(BAD_LENGTH);
                }
                self.length = Some(body_length(field.value)?);
            }
            17 if is(b"transfer-encoding") => {
                if self.is_chunked {
                    return Err(Reject::Malformed(
                        "the body's transfer coding is said twice",
                    ));
                }
                coding::check(field.value)?;
                self.is_chunked = true;
            }
            _ => {}
        }
        Ok(())
    }

    /// Looks at the whole, now that all fields are known.
    fn framing(&self, bytes: &[u8], line: &Line) -> Result<Framing, Reject> {
        let text = |range: &Range<usize>| bytes.get(range.clone()).unwrap_or_default();
        let host = self.host.as_ref().map(text);
        if host.is_none() && !line.is_http_10 {
            return Err(BAD_HOST);
        }
        let asked = line.authority.as_ref();
        let asked = asked.map(|range| text(&(self.begin + range.start..self.begin + range.end)));
        if let (Some(asked), Some(host)) = (asked, host)
            && !authority::is_same(asked, host, line.is_https)
        {
            return Err(Reject::Malformed(
                "the URL and the Host header name two hosts",
            ));
        }
        match (self.is_chunked, self.length) {
            (true, Some(_)) => Err(Reject::Malformed(
                "the body has two ends: a length, and that of its chunks",
            )),
            (true, None) if line.is_http_10 => {
                Err(Reject::Malformed("HTTP/1.0 has no transfer codings"))
            }
            (true, None) => Ok(Framing::Chunked),
            (false, length) => Ok(Framing::Length(length.unwrap_or_default())),
        }
    }
}

/// Reads the field at the beginning; `None` if the end of its line has not come.
fn field(bytes: &[u8]) -> Result<Option<Field<'_>>, Reject> {
    let name = bytes::run(bytes, TOKEN);
    match bytes.get(name) {
        None => return unfinished(bytes),
        Some(b':') if name > 0 => {}
        Some(b' ' | b'\t') if name == 0 => {
            return Err(Reject::Malformed("a header field goes on in a second line"));
        }
        Some(_) => return Err(Reject::Malformed("the name of a header field is not one")),
    }
    let begin = name + 1;
    let end = begin + bytes::value_run(bytes.get(begin..).unwrap_or_default());
    match bytes.get(end..).unwrap_or_default() {
        [] | [b'\r'] => return unfinished(bytes),
        [b'\r', b'\n', ..] => {}
        _ => {
            return Err(Reject::Malformed(
                "a header field holds a control character",
            ));
        }
    }
    let length = end + 2;
    if length > FIELD_BYTES_MAX {
        return Err(Reject::HeadTooLarge);
    }
    Ok(Some(Field {
        name: bytes.get(..name).unwrap_or_default(),
        value: bytes::trimmed(bytes.get(begin..end).unwrap_or_default()),
        length,
    }))
}

fn unfinished(bytes: &[u8]) -> Result<Option<Field<'_>>, Reject> {
    match bytes.len() > FIELD_BYTES_MAX {
        true => Err(Reject::HeadTooLarge),
        false => Ok(None),
    }
}

fn body_length(value: &[u8]) -> Result<u64, Reject> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Err(BAD_LENGTH);
    }
    let number = std::str::from_utf8(value)
        .ok()
        .and_then(|text| text.parse().ok());
    number
        .filter(|length| *length <= BODY_BYTES_MAX)
        .ok_or(Reject::BodyTooLarge)
}
