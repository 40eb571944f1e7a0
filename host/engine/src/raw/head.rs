//! The head that stands before raw data: read, repaired, or found to be missing.

use bytes::Bytes;
use http::StatusCode;
use http::header::{HeaderMap, HeaderName, HeaderValue, LOCATION, SET_COOKIE};

use crate::answer::{HEADER_BYTES_MAX, HEADER_FIELDS_MAX, HOST_FIELDS};
use crate::wit::ResponseError;

/// What every status line begins with.
const HTTP: &[u8] = b"HTTP/";

/// Raw data, its head read.
///
/// The head is made of lines that end in CR LF or LF alone, up to the first empty one. It is repaired where that takes no
/// guess: a missing or broken status line is 302 with a `Location` and 200 without, white space around names and values goes,
/// folded lines become one, an empty line that is missing is there, and the fields of the connection (`Content-Length`,
/// `Transfer-Encoding`, ...) are left to the host. Without a status line, what does not read as a head is none: all of it is
/// the body then.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawData {
    /// The status, if the head says one.
    pub status: Option<StatusCode>,
    /// The fields, without those that only the host sets.
    pub headers: HeaderMap,
    /// What follows the head.
    pub body: Bytes,
}

/// A head, and where it ends.
#[derive(Debug, Default)]
struct Head {
    status: Option<StatusCode>,
    headers: HeaderMap,
    length: usize,
    /// Whether an empty line ended it, rather than the data.
    is_closed: bool,
}

impl RawData {
    /// Reads the head.
    ///
    /// # Errors
    ///
    /// After a status line: a status that is not from 200 to 599, a line that is no field, a character that no field may
    /// hold, more than a head may be.
    pub(crate) fn read(data: Bytes) -> Result<Self, ResponseError> {
        let head = match is_status_line(&data) {
            true => read_head(&data)?,
            false => match read_head(&data) {
                Ok(head) if head.is_closed || head.headers.contains_key(LOCATION) => head,
                _ => Head::default(),
            },
        };
        Ok(Self {
            status: head.status,
            headers: head.headers,
            body: data.slice(head.length.min(data.len())..),
        })
    }

    /// The status: of the head, or 302 where there is a `Location` and what was `set` is no redirect, or what was set, or 200.
    pub fn status(&self, set: Option<StatusCode>) -> StatusCode {
        if let Some(status) = self.status {
            return status;
        }
        let is_redirect = self.headers.contains_key(LOCATION);
        match set {
            Some(status) if !is_redirect || status.is_redirection() => status,
            _ if is_redirect => StatusCode::FOUND,
            _ => StatusCode::OK,
        }
    }

    /// Puts its fields beside those that were set, in place of those of the same name. Cookies are added.
    pub fn put_into(headers: HeaderMap, all: &mut HeaderMap) {
        for name in headers.keys().filter(|name| **name != SET_COOKIE) {
            all.remove(name);
        }
        let mut last = None;
        for (name, value) in headers {
            last = name.or(last);
            if let Some(name) = &last {
                all.append(name.clone(), value);
            }
        }
    }
}

fn read_head(data: &[u8]) -> Result<Head, ResponseError> {
    let mut head = Head::default();
    let mut last: Option<(HeaderName, Vec<u8>)> = None;
    let mut number = 0;
    while let Some((line, next)) = line(data, head.length)? {
        head.length = next;
        number += 1;
        if line.is_empty() {
            head.is_closed = true;
            break;
        }
        if number == 1 && is_status_line(line) {
            head.status = status(line)?;
            continue;
        }
        if let (Some(b' ' | b'\t'), Some((_, value))) = (line.first(), &mut last) {
            // Folded, as heads once were.
            value.push(b' ');
            value.extend_from_slice(line.trim_ascii());
            continue;
        }
        if let Some(field) = last.take() {
            keep(&mut head.headers, field, number - 1)?;
        }
        last = Some(field(line, number)?);
    }
    if let Some(field) = last {
        keep(&mut head.headers, field, number)?;
    }
    Ok(head)
}

/// The line at `at` without its end, and where the next one begins; none at the end of the data.
fn line(data: &[u8], at: usize) -> Result<Option<(&[u8], usize)>, ResponseError> {
    let rest = match data.get(at..) {
        None | Some([]) => return Ok(None),
        Some(rest) => rest,
    };
    let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
    let next = at + (end + 1).min(rest.len());
    if next > HEADER_BYTES_MAX {
        return Err(ResponseError::TooLarge);
    }
    let line = rest.get(..end).unwrap_or(rest);
    Ok(Some((line.strip_suffix(b"\r").unwrap_or(line), next)))
}

fn is_status_line(line: &[u8]) -> bool {
    line.get(..HTTP.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(HTTP))
}

/// The code of a status line; none where there is none to be read.
fn status(line: &[u8]) -> Result<Option<StatusCode>, ResponseError> {
    let mut words = line
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty());
    let code = words.nth(1).and_then(|word| std::str::from_utf8(word).ok());
    let Some(code) = code.and_then(|code| code.parse::<u16>().ok()) else {
        return Ok(None);
    };
    match StatusCode::from_u16(code) {
        Ok(status) if (200..600).contains(&code) => Ok(Some(status)),
        _ => Err(ResponseError::Invalid(format!(
            "status {code}: must be from 200 to 599"
        ))),
    }
}

fn field(line: &[u8], number: usize) -> Result<(HeaderName, Vec<u8>), ResponseError> {
    let invalid = || {
        let shown = String::from_utf8_lossy(line.get(..80).unwrap_or(line)).into_owned();
        ResponseError::Invalid(format!("line {number} of the head is no field: {shown:?}"))
    };
    let colon = memchr::memchr(b':', line).ok_or_else(invalid)?;
    let (name, value) = line.split_at(colon);
    let name = HeaderName::from_bytes(name.trim_ascii_end()).map_err(|_| invalid())?;
    Ok((
        name,
        value.get(1..).unwrap_or_default().trim_ascii().to_vec(),
    ))
}

fn keep(
    headers: &mut HeaderMap,
    (name, value): (HeaderName, Vec<u8>),
    number: usize,
) -> Result<(), ResponseError> {
    if HOST_FIELDS.contains(&name) {
        return Ok(());
    }
    if headers.len() >= HEADER_FIELDS_MAX {
        return Err(ResponseError::TooLarge);
    }
    let value = HeaderValue::from_maybe_shared(Bytes::from(value)).map_err(|_| {
        ResponseError::Invalid(format!(
            "{name}, before line {number} of the head: the value holds a character that no header may"
        ))
    })?;
    headers.append(name, value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(data: &str) -> Result<RawData, ResponseError> {
        RawData::read(Bytes::copy_from_slice(data.as_bytes()))
    }

    /// Status, fields and body in one line.
    fn shown(data: &str) -> String {
        let raw = read(data).unwrap();
        let fields = raw.headers.iter();
        let fields: Vec<_> = fields
            .map(|(name, value)| format!("{name}={}", String::from_utf8_lossy(value.as_bytes())))
            .collect();
        let body = String::from_utf8_lossy(&raw.body).into_owned();
        format!(
            "{} {} {body:?}",
            raw.status(None).as_u16(),
            fields.join(";")
        )
    }

    #[test]
    fn a_whole_head_is_taken_as_it_is() {
        assert_eq!(
            shown(
                "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nX-A: 1\r\nX-A: 2\r\n\r\nnot\r\n\r\nhere"
            ),
            "404 content-type=text/plain;x-a=1;x-a=2 \"not\\r\\n\\r\\nhere\""
        );
    }

    #[test]
    fn a_bare_location_becomes_a_redirect() {
        for data in [
            "Location: http://a.example/b",
            "Location: http://a.example/b\r\n",
            "Location: http://a.example/b\r\n\r\n",
            "location:http://a.example/b\n\n",
            "HTTP/1.1\r\nLocation: http://a.example/b\r\n\r\n",
        ] {
            assert_eq!(
                shown(data),
                "302 location=http://a.example/b \"\"",
                "{data:?}"
            );
        }
        let moved = read("HTTP/1.0 301 Moved\nLocation: /b\n\n").unwrap();
        assert_eq!(moved.status(Some(StatusCode::OK)), 301);
        let bare = read("Location: /b").unwrap();
        assert_eq!(bare.status(Some(StatusCode::SEE_OTHER)), 303);
        assert_eq!(bare.status(Some(StatusCode::NOT_FOUND)), 302);
    }

    #[test]
    fn what_is_broken_is_repaired() {
        for (data, expected) in [
            ("", "200  \"\""),
            (
                "<p>a page\r\n\r\nof two lines",
                "200  \"<p>a page\\r\\n\\r\\nof two lines\"",
            ),
            ("{\"a\": 1}\n\n", "200  \"{\\\"a\\\": 1}\\n\\n\""),
            ("Note: this is text", "200  \"Note: this is text\""),
            ("Content-Type: a/b\n\nbody", "200 content-type=a/b \"body\""),
            (
                "Content-Type: a/b\nno field\n\nx",
                "200  \"Content-Type: a/b\\nno field\\n\\nx\"",
            ),
            ("\r\nX: y\r\n\r\n", "200  \"X: y\\r\\n\\r\\n\""),
            ("http/1.1 201\nX-A :  b \t\n\nc", "201 x-a=b \"c\""),
            ("HTTP/1.0   200   OK\r\nX-A: b", "200 x-a=b \"\""),
            ("HTTP/1.1 abc\r\n\r\nbody", "200  \"body\""),
            (
                "HTTP/1.1 200 OK\r\nX-A: b\r\n  c\r\n\td\r\n\r\n",
                "200 x-a=b c d \"\"",
            ),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 999\r\nTransfer-Encoding: chunked\r\nConnection: close\r\nX: y\r\n\r\nabc",
                "200 x=y \"abc\"",
            ),
        ] {
            assert_eq!(shown(data), expected, "{data:?}");
        }
    }

    #[test]
    fn what_could_only_be_guessed_is_refused() {
        for data in [
            "HTTP/1.1 100 Continue\r\n\r\n".to_owned(),
            "HTTP/1.1 999 x\r\n\r\n".to_owned(),
            "HTTP/1.1 200 OK\r\nno field\r\n\r\n".to_owned(),
            "HTTP/1.1 200 OK\r\n: x\r\n\r\n".to_owned(),
            "HTTP/1.1 200 OK\r\nA b: x\r\n\r\n".to_owned(),
            "HTTP/1.1 200 OK\r\nA: x\rSet-Cookie: y\r\n\r\n".to_owned(),
            "HTTP/1.1 200 OK\r\nA: \0\r\n\r\n".to_owned(),
        ] {
            assert!(
                matches!(read(&data), Err(ResponseError::Invalid(_))),
                "{data:?}"
            );
        }
        for data in [
            format!(
                "HTTP/1.1 200 OK\r\nA: {}\r\n\r\n",
                "x".repeat(HEADER_BYTES_MAX)
            ),
            format!(
                "HTTP/1.1 200 OK\r\n{}\r\n",
                "A: b\r\n".repeat(HEADER_FIELDS_MAX + 1)
            ),
        ] {
            assert_eq!(read(&data), Err(ResponseError::TooLarge));
        }
        // What would be a head is none, and goes where it does no harm.
        let raw = read("Location: /x\rSet-Cookie: y\r\n\r\n").unwrap();
        assert!(raw.headers.is_empty());
    }

    #[test]
    fn fields_replace_those_that_were_set_but_for_cookies() {
        let mut all = HeaderMap::new();
        for (name, value) in [("a", "old"), ("b", "kept"), ("set-cookie", "one")] {
            all.append(name, HeaderValue::from_static(value));
        }
        let raw = read("HTTP/1.1 200\nA: new\nA: newer\nSet-Cookie: two\n\n").unwrap();
        RawData::put_into(raw.headers, &mut all);
        let of = |name: &str| all.get_all(name).iter().collect::<Vec<_>>();
        assert_eq!(of("a"), ["new", "newer"]);
        assert_eq!(of("b"), ["kept"]);
        assert_eq!(of("set-cookie"), ["one", "two"]);
    }

    #[test]
    fn any_bytes_are_read_without_a_panic_and_no_field_holds_a_line_break() {
        let seeds: [&[u8]; 4] = [
            b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nLocation: /\r\n\r\nbody",
            b"Location: http://x/\n",
            b"HTTP/1.0 302\nSet-Cookie: a=b\nSet-Cookie: c\n\n",
            b"Content-Type: text/event-stream\r\n\r\ndata: 1\n\n",
        ];
        let mut state = 7_u64;
        let mut random = move |below: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) as usize % below
        };
        for _ in 0..20_000 {
            let mut bytes = seeds[random(seeds.len())].to_vec();
            for _ in 0..=random(6) {
                let at = random(bytes.len());
                match random(3) {
                    0 => bytes[at] = b"\r\n: \t\0H\xff1"[random(9)],
                    1 => bytes.insert(at, b"\r\n: \t\0H\xff1"[random(9)]),
                    _ => drop(bytes.drain(at..)),
                }
                if bytes.is_empty() {
                    bytes.push(b'\n');
                }
            }
            let length = bytes.len();
            let Ok(raw) = RawData::read(Bytes::from(bytes)) else {
                continue;
            };
            assert!(raw.body.len() <= length);
            assert!((200..600).contains(&raw.status(None).as_u16()));
            for value in raw.headers.values() {
                assert!(!value.as_bytes().iter().any(|byte| b"\r\n\0".contains(byte)));
            }
            assert!(
                HOST_FIELDS
                    .iter()
                    .all(|name| !raw.headers.contains_key(name))
            );
        }
    }
}
