//! What is answered at once, from memory: requests for a page as it is, and their responses as they are sent.

use std::time::Instant;

use ::http::header::DATE;
use ::http::{HeaderName, HeaderValue, StatusCode};
use bytes::Bytes;

use super::{Response, date_and_end};

/// A GET of HTTP/1.1 that asks for no more than a whole page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlainGet<'a> {
    /// Path and query, still percent-encoded.
    pub target: &'a str,
    /// The value of Host.
    pub host: &'a str,
    /// The value of Accept-Encoding, if it was sent.
    pub codings: Option<&'a str>,
    /// All its fields as they were sent: lines, each ended by CR LF.
    pub fields: &'a [u8],
    /// Whether components get the fields as they were sent: none is for the host to read, to take away or to put together.
    pub is_simple: bool,
    /// Whether one of them is Cookie.
    pub has_cookie: bool,
    /// What the client has of the page already.
    pub held: Held<'a>,
}

/// The version of a page that a client has, and wants to hear of if it is still the one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held<'a> {
    /// If-None-Match.
    pub tags: Option<&'a str>,
    /// If-Modified-Since.
    pub since: Option<&'a str>,
}

impl Held<'_> {
    /// Whether it has none.
    pub fn is_nothing(&self) -> bool {
        self.tags.is_none() && self.since.is_none()
    }
}

impl<'a> PlainGet<'a> {
    /// The path, still percent-encoded.
    pub fn path(&self) -> &'a str {
        match self.target.split_once('?') {
            Some((path, _)) => path,
            None => self.target,
        }
    }
}

/// A response of HTTP/1.1 in the pieces that it is kept in.
#[derive(Clone, Debug)]
pub struct ReadyMade {
    /// Status line and fields, the last ones with the end of the head.
    pub head: [Bytes; 3],
    /// The content.
    pub body: Bytes,
    /// When it was made, if it was for this request: it may wait for others that are sent with it.
    pub made: Option<Instant>,
}

impl ReadyMade {
    /// A response in the pieces that are sent, if it is in memory, and nothing but a success or a redirect.
    pub fn of(response: &Response) -> Option<Self> {
        let (status, fields) = (response.status(), response.headers());
        let is_plain = (200..400).contains(&status.as_u16()) && !fields.contains_key(DATE);
        let body = response.body().in_memory().filter(|_| is_plain)?;
        let line = match status {
            StatusCode::OK => "HTTP/1.1 200 OK\r\n",
            status => &format!(
                "HTTP/1.1 {} {}\r\n",
                status.as_u16(),
                status.canonical_reason()?
            ),
        };
        let length =
            |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len() + 4;
        let lengths: usize = fields.iter().map(length).sum();
        let mut head = Vec::with_capacity(line.len() + lengths);
        head.extend_from_slice(line.as_bytes());
        for (name, value) in fields {
            for piece in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
                head.extend_from_slice(piece);
            }
        }
        let now = Instant::now();
        Some(Self {
            head: [head.into(), Bytes::new(), date_and_end(now)],
            body,
            made: Some(now),
        })
    }
}
