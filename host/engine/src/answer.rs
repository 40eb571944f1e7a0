//! The response that a web process puts together.

use bytes::Bytes;
use http::StatusCode;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::folder::Document;
use crate::raw::RawData;
use crate::transform::{Draft, SentFile};
use crate::variables::ProcessVariables;
use crate::wasi_http::AnswerStream;
use crate::wit::{HeaderField, ResponseError};

/// What a response's header may take, in bytes and in fields: as much as clients commonly accept.
pub(crate) const HEADER_BYTES_MAX: usize = 64 * 1024;
pub(crate) const HEADER_FIELDS_MAX: usize = 128;
/// Longest content type; longer ones are no content types.
const CONTENT_TYPE_BYTES_MAX: usize = 1024;

/// Fields that belong to the connection, not to the answer: only the host sets them.
pub(crate) const HOST_FIELDS: [HeaderName; 8] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    HeaderName::from_static("keep-alive"),
    header::UPGRADE,
    HeaderName::from_static("proxy-connection"),
    header::TE,
    header::TRAILER,
];

/// What a component answered.
#[derive(Debug, Default)]
pub struct Answer {
    /// The status, if the component set one.
    pub status: Option<StatusCode>,
    /// The header fields it set.
    pub headers: HeaderMap,
    /// What it sent last, or the redirect.
    pub body: AnswerBody,
    /// Where `body` has tags, or a file is sent: what becomes of it when the hook has returned.
    pub(crate) draft: Option<Box<Draft>>,
    /// Whether its head has gone to the client.
    is_sent: bool,
    /// Bytes of `headers`, to hold them to their limit.
    header_bytes: usize,
}

/// The body of an answer.
#[derive(Debug, Default)]
pub enum AnswerBody {
    /// Nothing was sent.
    #[default]
    Empty,
    /// A text, to be encoded in the server's character set.
    Text {
        /// The text.
        text: String,
        /// The content type; `None` is `text/html`.
        content_type: Option<HeaderValue>,
    },
    /// Bytes, sent as they are.
    Blob {
        /// The bytes.
        data: Bytes,
        /// The content type; `None` leaves it to the client.
        content_type: Option<HeaderValue>,
    },
    /// A file of the HTML root, sent as it is.
    File(Box<SentFile>),
    /// Head and body as the component wrote them.
    Raw(Box<RawData>),
    /// So many bytes that are not sent: the request asked for the head only, or the client has them.
    Unsent(u64),
    /// What the component is still making: it comes piece by piece, with trailers perhaps.
    Stream(Box<AnswerStream>),
    /// A redirect; wins over every other answer.
    Redirect(HeaderValue),
}

impl Answer {
    pub(crate) fn set_status(&mut self, status: u16) -> Result<(), ResponseError> {
        self.check_unsent()?;
        match StatusCode::from_u16(status) {
            Ok(code) if (200..600).contains(&status) => {
                self.status = Some(code);
                Ok(())
            }
            _ => Err(ResponseError::Invalid(format!(
                "status {status}: must be from 200 to 599"
            ))),
        }
    }

    pub(crate) fn set_header(&mut self, name: &str, value: &str) -> Result<(), ResponseError> {
        self.check_unsent()?;
        let (name, value) = field(name, value)?;
        let old = self
            .headers
            .get_all(&name)
            .iter()
            .map(|old| field_bytes(&name, old))
            .sum::<usize>();
        self.account(field_bytes(&name, &value), old)?;
        self.headers.insert(name, value);
        Ok(())
    }

    pub(crate) fn add_header(&mut self, name: &str, value: &str) -> Result<(), ResponseError> {
        self.check_unsent()?;
        let (name, value) = field(name, value)?;
        self.account(field_bytes(&name, &value), 0)?;
        self.headers.append(name, value);
        Ok(())
    }

    /// Sets several fields, all or none; repeated names in the list stay repeated.
    pub(crate) fn set_headers(&mut self, fields: &[HeaderField]) -> Result<(), ResponseError> {
        self.check_unsent()?;
        let mut status = self.status;
        let mut parsed = Vec::with_capacity(fields.len().min(HEADER_FIELDS_MAX));
        for HeaderField { name, value } in fields {
            if name.eq_ignore_ascii_case("x-status") {
                status = Some(status_of(value)?);
            } else if !name.eq_ignore_ascii_case("x-version") {
                parsed.push(field(name, value)?);
            }
        }
        let mut headers = self.headers.clone();
        for (name, _) in &parsed {
            headers.remove(name);
        }
        for (name, value) in parsed {
            headers.append(name, value);
        }
        let bytes = headers
            .iter()
            .map(|(name, value)| field_bytes(name, value))
            .sum();
        if bytes > HEADER_BYTES_MAX || headers.len() > HEADER_FIELDS_MAX {
            return Err(ResponseError::TooLarge);
        }
        (self.headers, self.header_bytes, self.status) = (headers, bytes, status);
        Ok(())
    }

    pub(crate) fn send_text(
        &mut self,
        text: String,
        content_type: Option<&str>,
    ) -> Result<(), ResponseError> {
        let content_type = content_type.map(media_type).transpose()?;
        self.send(AnswerBody::Text { text, content_type })
    }

    pub(crate) fn send_blob(
        &mut self,
        data: Bytes,
        content_type: &str,
    ) -> Result<(), ResponseError> {
        let content_type = match content_type {
            "" => None,
            extension if extension.starts_with('.') => Some(HeaderValue::from_static(
                mime_guess::from_ext(&extension[1..])
                    .first_raw()
                    .unwrap_or("application/octet-stream"),
            )),
            name => Some(media_type(name)?),
        };
        self.send(AnswerBody::Blob { data, content_type })
    }

    pub(crate) fn redirect(&mut self, url: &str, verbatim: bool) -> Result<(), ResponseError> {
        self.check_unsent()?;
        if url.len() > HEADER_BYTES_MAX {
            return Err(ResponseError::TooLarge);
        }
        let encoded;
        let url = if verbatim {
            url
        } else {
            encoded = percent_encoding::utf8_percent_encode(url, URL_SPECIALS).to_string();
            &encoded
        };
        if url.len() > HEADER_BYTES_MAX {
            return Err(ResponseError::TooLarge);
        }
        let location = HeaderValue::from_str(url).map_err(|_| {
            ResponseError::Invalid("the URL holds a character that no header may".into())
        })?;
        self.body = AnswerBody::Redirect(location);
        self.draft = None;
        Ok(())
    }

    /// Sends a file; with tags, they see `variables`.
    pub(crate) fn send_document(
        &mut self,
        document: Document,
        variables: ProcessVariables,
    ) -> Result<(), ResponseError> {
        self.send(AnswerBody::Empty)?;
        self.keep_draft(Some(document), variables);
        Ok(())
    }

    /// Has the tags in what was just sent carried out, seeing `variables`.
    pub(crate) fn transform(&mut self, variables: ProcessVariables) {
        self.keep_draft(None, variables);
    }

    /// Whether what was sent is HTML in bytes.
    pub(crate) fn is_page(&self) -> bool {
        let AnswerBody::Blob { content_type, .. } = &self.body else {
            return false;
        };
        let set = self.headers.get(header::CONTENT_TYPE);
        let Some(content_type) = set.or(content_type.as_ref()) else {
            return false;
        };
        let mut parts = content_type.as_bytes().split(|byte| *byte == b';');
        let name = parts.next().unwrap_or_default().trim_ascii();
        name.eq_ignore_ascii_case(b"text/html")
    }

    fn keep_draft(&mut self, document: Option<Document>, variables: ProcessVariables) {
        if !matches!(self.body, AnswerBody::Redirect(_)) {
            self.draft = Some(Box::new(Draft {
                document,
                variables,
            }));
        }
    }

    pub(crate) fn send_raw(&mut self, data: RawData) -> Result<(), ResponseError> {
        self.send(AnswerBody::Raw(Box::new(data)))
    }

    pub(crate) fn is_redirect(&self) -> bool {
        matches!(self.body, AnswerBody::Redirect(_))
    }

    /// The fields that were set, for a head that goes out now: nothing more can be set or sent.
    pub(crate) fn take_headers(&mut self) -> HeaderMap {
        self.is_sent = true;
        std::mem::take(&mut self.headers)
    }

    fn check_unsent(&self) -> Result<(), ResponseError> {
        match self.is_sent {
            true => Err(ResponseError::AlreadySent),
            false => Ok(()),
        }
    }

    fn send(&mut self, body: AnswerBody) -> Result<(), ResponseError> {
        self.check_unsent()?;
        if !matches!(self.body, AnswerBody::Redirect(_)) {
            self.body = body;
            self.draft = None;
        }
        Ok(())
    }

    /// Counts what a new field adds, and refuses it past the limit.
    fn account(&mut self, new: usize, old: usize) -> Result<(), ResponseError> {
        let bytes = self.header_bytes + new - old.min(self.header_bytes);
        if bytes > HEADER_BYTES_MAX || (old == 0 && self.headers.len() >= HEADER_FIELDS_MAX) {
            return Err(ResponseError::TooLarge);
        }
        self.header_bytes = bytes;
        Ok(())
    }
}

/// What a redirect's URL may not hold unencoded: everything but unreserved and reserved characters and `%`.
const URL_SPECIALS: &percent_encoding::AsciiSet = &percent_encoding::CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

fn field_bytes(name: &HeaderName, value: &HeaderValue) -> usize {
    name.as_str().len() + value.len()
}

fn field(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), ResponseError> {
    let parsed = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| ResponseError::Invalid(format!("{name:?} is not a header name")))?;
    if HOST_FIELDS.contains(&parsed) {
        return Err(ResponseError::Invalid(format!("only the host sets {name}")));
    }
    // White space around a value is no part of it, and HTTP/2 forbids it.
    let value = HeaderValue::from_str(value.trim_matches([' ', '\t'])).map_err(|_| {
        ResponseError::Invalid(format!(
            "{name}: the value holds a character that no header may"
        ))
    })?;
    Ok((parsed, value))
}

fn media_type(text: &str) -> Result<HeaderValue, ResponseError> {
    if text.len() > CONTENT_TYPE_BYTES_MAX {
        return Err(ResponseError::TooLarge);
    }
    HeaderValue::from_str(text.trim_matches([' ', '\t']))
        .map_err(|_| ResponseError::Invalid(format!("{text:?} is not a content type")))
}

fn status_of(value: &str) -> Result<StatusCode, ResponseError> {
    // "301" as well as "301 Moved Permanently".
    let digits = value.split_whitespace().next().unwrap_or_default();
    digits
        .parse::<u16>()
        .ok()
        .filter(|status| (200..600).contains(status))
        .and_then(|status| StatusCode::from_u16(status).ok())
        .ok_or_else(|| {
            ResponseError::Invalid(format!("X-STATUS: {value}: must be from 200 to 599"))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_must_be_final() {
        let mut answer = Answer::default();
        for status in [0, 100, 101, 199, 600, 999] {
            assert!(answer.set_status(status).is_err(), "{status}");
        }
        for status in [200, 404, 599] {
            answer.set_status(status).unwrap();
            assert_eq!(answer.status.unwrap().as_u16(), status);
        }
    }

    #[test]
    fn fields_of_the_connection_and_broken_ones_are_refused() {
        let mut answer = Answer::default();
        for (name, value) in [
            ("Content-Length", "3"),
            ("transfer-encoding", "chunked"),
            ("Connection", "close"),
            ("", "x"),
            ("a b", "x"),
            ("x", "a\r\nSet-Cookie: b"),
            ("x", "\0"),
        ] {
            assert!(answer.set_header(name, value).is_err(), "{name}: {value:?}");
            assert!(answer.add_header(name, value).is_err(), "{name}: {value:?}");
        }
        assert!(answer.headers.is_empty());
    }

    #[test]
    fn what_ends_up_in_a_header_is_bounded() {
        let mut answer = Answer::default();
        let long = "x".repeat(HEADER_BYTES_MAX + 1);
        // Three times as long when it is encoded.
        let wide = " ".repeat(HEADER_BYTES_MAX / 2);
        for (url, verbatim) in [(&long, true), (&long, false), (&wide, false)] {
            assert!(answer.redirect(url, verbatim).is_err());
        }
        assert!(answer.send_text(String::new(), Some(&long)).is_err());
        assert!(answer.send_blob(Bytes::new(), &long).is_err());
        assert!(matches!(answer.body, AnswerBody::Empty));
    }

    #[test]
    fn white_space_around_a_value_is_no_part_of_it() {
        let mut answer = Answer::default();
        answer.set_header("a", " \tb c\t ").unwrap();
        assert_eq!(answer.headers["a"], "b c");
        answer.add_header("b", " ").unwrap();
        assert_eq!(answer.headers["b"], "");
        answer
            .send_text(String::new(), Some(" text/plain "))
            .unwrap();
        let AnswerBody::Text { content_type, .. } = &answer.body else {
            panic!("it was sent");
        };
        assert_eq!(content_type.as_ref().unwrap(), "text/plain");
    }

    #[test]
    fn headers_stay_within_their_limit() {
        let mut answer = Answer::default();
        let value = "x".repeat(60 * 1024);
        answer.set_header("a", &value).unwrap();
        answer.set_header("a", &value).unwrap();
        assert_eq!(answer.add_header("a", &value), Err(ResponseError::TooLarge));
        let mut answer = Answer::default();
        for _ in 0..HEADER_FIELDS_MAX {
            answer.add_header("a", "b").unwrap();
        }
        assert_eq!(answer.add_header("a", "b"), Err(ResponseError::TooLarge));
        assert_eq!(answer.headers.len(), HEADER_FIELDS_MAX);
    }

    #[test]
    fn several_headers_are_set_all_or_none() {
        let mut answer = Answer::default();
        let fields = |list: &[(&str, &str)]| {
            list.iter()
                .map(|(n, v)| HeaderField {
                    name: (*n).into(),
                    value: (*v).into(),
                })
                .collect::<Vec<_>>()
        };
        assert!(
            answer
                .set_headers(&fields(&[
                    ("X-STATUS", "301"),
                    ("a", "b"),
                    ("bad name", "c")
                ]))
                .is_err()
        );
        assert!(answer.headers.is_empty() && answer.status.is_none());
        answer
            .set_headers(&fields(&[
                ("X-VERSION", "HTTP/1.0"),
                ("X-STATUS", "201 Created"),
                ("Set-Cookie", "a"),
                ("Set-Cookie", "b"),
            ]))
            .unwrap();
        assert_eq!(answer.status, Some(StatusCode::CREATED));
        assert_eq!(answer.headers.get_all("set-cookie").iter().count(), 2);
    }

    #[test]
    fn last_send_wins_but_for_a_redirect() {
        let mut answer = Answer::default();
        answer.send_text("one".into(), None).unwrap();
        answer
            .send_blob(Bytes::from_static(b"two"), ".png")
            .unwrap();
        let AnswerBody::Blob { content_type, .. } = &answer.body else {
            panic!("{:?}", answer.body)
        };
        assert_eq!(content_type.as_ref().unwrap(), "image/png");
        answer.redirect("/a b?c=\u{e9}%20", false).unwrap();
        answer.send_text("three".into(), None).unwrap();
        let AnswerBody::Redirect(location) = &answer.body else {
            panic!("{:?}", answer.body)
        };
        assert_eq!(location, "/a%20b?c=%C3%A9%20");
        assert!(answer.redirect("/a\r\nb", true).is_err());
    }
}
