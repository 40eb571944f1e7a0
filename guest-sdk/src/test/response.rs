//! The response of a test.

use crate::memory::Exchange;
use crate::memory::response::Sent;
use crate::types::{HeaderField, Value};

/// What a handler sent, returned and left behind.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status: what was set, else 200; 500 after an error.
    pub status: u16,
    /// The header fields, `content-type` and `location` among them.
    pub headers: Vec<HeaderField>,
    /// The body. Of raw data what follows their head; data without a head stand in it as they were sent.
    pub body: Vec<u8>,
    /// The path of the file that was sent.
    pub file: Option<String>,
    /// What a method returned to the tag that called it.
    pub value: Value,
    /// The text of the error, for the host's log.
    pub error: Option<String>,
    /// The home page that was set.
    pub home_page: Option<String>,
    variables: Vec<(String, Value)>,
}

impl Response {
    /// Reads the response of an exchange, and what its function returned.
    pub(super) fn of(exchange: Exchange, returned: Result<Value, String>) -> Self {
        let mut sent = exchange.response;
        if sent.is_raw {
            take_head(&mut sent);
        }
        let has_gone = sent.is_chunked;
        let mut headers = sent.headers;
        let mut status = sent.status.unwrap_or(200);
        if let Some(location) = sent.redirect {
            if !(300..400).contains(&status) {
                status = 302;
            }
            headers.push(HeaderField::new("location", location));
        } else if let Some(content_type) = sent.content_type {
            let is_set = headers
                .iter()
                .any(|field| field.name.eq_ignore_ascii_case("content-type"));
            if !is_set {
                headers.push(HeaderField::new("content-type", content_type));
            }
        }
        let mut response = Self {
            status,
            headers,
            body: sent.body,
            file: sent.file,
            value: Value::Null,
            error: None,
            home_page: sent.home_page,
            variables: exchange.variables.into_iter().collect(),
        };
        match returned {
            Ok(value) => response.value = value,
            Err(error) => {
                // The host's error page takes the place of whatever was sent before, unless that has gone already.
                if !has_gone {
                    response = response.replaced_by(500);
                }
                response.error = Some(error);
            }
        }
        response
    }

    /// The same with a status of the host's and nothing sent.
    pub(super) fn replaced_by(self, status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            file: None,
            ..self
        }
    }

    /// The body as text.
    #[track_caller]
    pub fn text(&self) -> &str {
        match std::str::from_utf8(&self.body) {
            Ok(text) => text,
            Err(error) => panic!("the body is no text: {error}"),
        }
    }

    /// The body, read as JSON.
    #[cfg(feature = "json")]
    #[track_caller]
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> T {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("the body is not the JSON expected: {error}"),
        }
    }

    /// The first header field of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|field| field.name.eq_ignore_ascii_case(name));
        found.map(|field| field.value.as_str())
    }

    /// A process variable as it was left.
    pub fn variable(&self, name: &str) -> Value {
        let name = name.to_lowercase();
        let found = self.variables.iter().find(|(other, _)| *other == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }
}

/// Reads the head that raw data begin with, as the host does.
fn take_head(sent: &mut Sent) {
    let Some(end) = sent.body.windows(4).position(|four| four == b"\r\n\r\n") else {
        return;
    };
    let head = String::from_utf8_lossy(&sent.body[..end]).into_owned();
    let (first, rest) = head.split_once("\r\n").unwrap_or((&head, ""));
    let status = first
        .starts_with("HTTP/")
        .then(|| first.split(' ').nth(1)?.parse().ok())
        .flatten();
    let fields = if status.is_some() { rest } else { &head };
    let fields: Option<Vec<_>> = fields
        .split("\r\n")
        .filter(|line| !line.is_empty())
        .map(|line| line.split_once(':').filter(|(name, _)| !name.contains(' ')))
        .collect();
    let Some(fields) = fields else {
        return;
    };
    sent.status = status.or(sent.status);
    let fields = fields.iter();
    sent.headers
        .extend(fields.map(|(name, value)| HeaderField::new(*name, value.trim())));
    sent.body.drain(..end + 4);
}
