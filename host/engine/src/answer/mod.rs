//! The response that a web process puts together.

use bytes::Bytes;
use http::StatusCode;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::folder::Document;
use crate::media_types::type_of_extension;
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
    /// The cookie of the session, where that began, went on, or ended.
    pub session_cookie: Option<HeaderValue>,
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
            name => Some(match name.strip_prefix('.') {
                Some(extension) => HeaderValue::from_static(
                    type_of_extension(extension.as_bytes()).unwrap_or("application/octet-stream"),
                ),
                None => media_type(name)?,
            }),
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

    /// Whether tags are looked for in what was sent: in texts but JSON, whose strings are data, and in bytes that are HTML.
    pub(crate) fn may_have_tags(&self) -> bool {
        let (content_type, is_text) = match &self.body {
            AnswerBody::Text { content_type, .. } => (content_type, true),
            AnswerBody::Blob { content_type, .. } => (content_type, false),
            _ => return false,
        };
        let set = self.headers.get(header::CONTENT_TYPE);
        let Some(content_type) = set.or(content_type.as_ref()) else {
            return is_text;
        };
        let mut parts = content_type.as_bytes().split(|byte| *byte == b';');
        let name = parts.next().unwrap_or_default().trim_ascii();
        match is_text {
            true => {
                let name = name.to_ascii_lowercase();
                name != b"application/json" && !name.ends_with(b"+json")
            }
            false => name.eq_ignore_ascii_case(b"text/html"),
        }
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
mod tests;
