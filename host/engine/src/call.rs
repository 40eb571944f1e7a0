//! The request that a web process answers, as the host hands it over.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use http::{HeaderMap, Method, Version};

use crate::body::RequestBody;
use crate::folder::{Document, WebFolder};

/// Longest text of `$2`, as the documents fix it.
pub(crate) const HEADER_TEXT_BYTES_MAX: usize = 32 * 1024;

/// Which hook answers the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// On Web Connection.
    Connection,
    /// A method, by the name the component gave it.
    Method {
        /// The method's name.
        name: String,
        /// The text after the name in the URL, without its slash.
        parameter: Option<String>,
        /// Whether it handles the URL: neither On Web Authentication nor COMPILER_WEB runs before it then.
        is_handler: bool,
    },
    /// A page of the HTML root whose tags call methods.
    Page(Document),
}

impl Target {
    /// Whether it handles the URL: neither On Web Authentication nor COMPILER_WEB runs before it then.
    pub(crate) fn is_handler(&self) -> bool {
        matches!(
            self,
            Self::Method {
                is_handler: true,
                ..
            }
        )
    }
}

/// Who sent a request, and where to.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// The client's address.
    pub client: IpAddr,
    /// The address the request was sent to.
    pub server: IpAddr,
    /// Whether it came over TLS.
    pub secured: bool,
}

/// One request.
pub struct Call {
    /// Identifier in the host's log.
    pub id: u64,
    /// The method.
    pub method: Method,
    /// Path and query as the component sees them: with a leading slash, not decoded, the mount's prefix taken off.
    pub url: String,
    /// The protocol version.
    pub version: Version,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body; `None` if the request has none.
    pub body: Option<RequestBody>,
    /// Client and server address.
    pub peer: Peer,
    /// User name of the Authorization header, or empty.
    pub user: String,
    /// Password of the Authorization header, or empty.
    pub password: String,
    /// The web server that received the request.
    pub receiving_server: Arc<str>,
    /// The HTML root; none outside of a request.
    pub folder: Option<Arc<dyn WebFolder>>,
    /// Dropped when the web process has ended, which may be after the caller has given up: what counts processes.
    pub permit: Option<Box<dyn Send + Sync>>,
}

impl Call {
    /// The head as text: the request line, the fields, an empty line; each ended by CR LF.
    pub(crate) fn head_text(&self) -> String {
        let length = self
            .headers
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len() + 4)
            .sum::<usize>();
        let mut text = String::with_capacity(length + self.url.len() + 32);
        let _ = write!(
            text,
            "{} {} {}\r\n",
            self.method,
            self.url,
            version_text(self.version)
        );
        for (name, value) in &self.headers {
            push_field_name(&mut text, name.as_str());
            text.push_str(": ");
            push_field_value(&mut text, value.as_bytes());
            text.push_str("\r\n");
        }
        text.push_str("\r\n");
        text
    }

    /// A call that stands for no request: what `actions.methods` is asked in.
    pub(crate) fn outside_of_a_request() -> Self {
        let nowhere = IpAddr::from([0, 0, 0, 0]);
        Self {
            id: 0,
            method: Method::GET,
            url: String::new(),
            version: Version::HTTP_11,
            headers: HeaderMap::new(),
            body: None,
            peer: Peer {
                client: nowhere,
                server: nowhere,
                secured: false,
            },
            user: String::new(),
            password: String::new(),
            receiving_server: "".into(),
            folder: None,
            permit: None,
        }
    }

    /// Whether it is one that a server received.
    pub(crate) fn is_request(&self) -> bool {
        !self.receiving_server.is_empty()
    }
}

/// When a call must have ended, and how long it was given.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    pub(crate) at: Instant,
    pub(crate) after: std::time::Duration,
}

/// The version as the request line writes it.
pub(crate) fn version_text(version: Version) -> &'static str {
    match version {
        Version::HTTP_09 => "HTTP/0.9",
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2.0",
        Version::HTTP_3 => "HTTP/3.0",
        _ => "HTTP/1.1",
    }
}

/// An address as the documents write it: IPv4 in the hybrid form `::ffff:a.b.c.d`.
pub(crate) fn hybrid_address(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => format!("::ffff:{v4}"),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => format!("::ffff:{v4}"),
            None => v6.to_string(),
        },
    }
}

/// Writes a header value as text: UTF-8 if it is, else ISO-8859-1, so that no byte is lost.
pub(crate) fn push_field_value(text: &mut String, value: &[u8]) {
    match std::str::from_utf8(value) {
        Ok(value) => text.push_str(value),
        Err(_) => text.extend(value.iter().map(|&byte| char::from(byte))),
    }
}

/// A header value as text of its own.
pub(crate) fn field_value(value: &[u8]) -> String {
    let mut text = String::with_capacity(value.len());
    push_field_value(&mut text, value);
    text
}

/// Writes a field's name with capitals after hyphens: HTTP/2 has only lower case, and the library that
/// reads HTTP/1.1 keeps no other, but `$2` is text that people and old code read.
fn push_field_name(text: &mut String, name: &str) {
    let mut capital = true;
    for c in name.chars() {
        text.push(if capital { c.to_ascii_uppercase() } else { c });
        capital = c == '-';
    }
}

/// Cuts a text to at most `max` bytes, at the end of a character.
pub(crate) fn cut(text: &mut String, max: usize) {
    if text.len() > max {
        let mut end = max;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_hybrid() {
        for (address, expected) in [
            ("127.0.0.1", "::ffff:127.0.0.1"),
            ("::ffff:10.0.0.7", "::ffff:10.0.0.7"),
            ("::1", "::1"),
            ("2001:db8::5", "2001:db8::5"),
        ] {
            assert_eq!(hybrid_address(address.parse().unwrap()), expected);
        }
    }

    #[test]
    fn head_text_is_a_request_line_and_fields() {
        let mut call = Call::outside_of_a_request();
        call.url = "/a/b?c=d".into();
        call.headers
            .insert("user-agent", "browser".parse().unwrap());
        call.headers
            .insert("x-raw", http::HeaderValue::from_bytes(b"caf\xe9").unwrap());
        assert_eq!(
            call.head_text(),
            "GET /a/b?c=d HTTP/1.1\r\nUser-Agent: browser\r\nX-Raw: caf\u{e9}\r\n\r\n"
        );
    }

    #[test]
    fn cut_keeps_characters_whole() {
        let mut text = "aé".to_owned();
        cut(&mut text, 2);
        assert_eq!(text, "a");
        cut(&mut text, 2);
        assert_eq!(text, "a");
    }
}
