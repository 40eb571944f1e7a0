//! The request that a web process answers, as the host hands it over.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Instant;

use http::{Method, Version};

use crate::body::RequestBody;
use crate::bound::Context;
use crate::chain::Chain;
use crate::fields::Fields;
use crate::folder::{Document, WebFolder};
use crate::stages::Stages;

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

/// The DIGEST credentials of a request: the host knows the response that was sent, its component the password.
pub trait DigestCheck: fmt::Debug + Send + Sync {
    /// Whether the credentials are this user's, made with this password, and good now.
    fn is_made_with(&self, user: &str, password: &str) -> bool;
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
    pub headers: Fields,
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
    /// Whether the host knows the user, so that On Web Authentication is not asked.
    pub is_admitted: bool,
    /// The DIGEST credentials of the request; none if it has none, or its server asks for no such ones.
    pub digest: Option<Arc<dyn DigestCheck>>,
    /// The HTML root; none outside of a request.
    pub folder: Option<Arc<dyn WebFolder>>,
    /// The sessions of the server that answers; none where it keeps none.
    pub sessions: Option<Arc<dyn crate::session::Sessions>>,
    /// The instance of the client's session, where it has one that lives from request to request.
    pub context: Option<Arc<Context>>,
    /// The components that called each other to get here.
    pub chain: Chain,
    /// Told how the web process spends its time; none where nobody wants to know.
    pub stages: Option<Arc<dyn Stages>>,
    /// Dropped when the web process has ended, which may be after the caller has given up: what counts processes.
    pub permit: Option<Box<dyn Send + Sync>>,
}

impl Call {
    /// The head as text: the request line, the fields, an empty line; each ended by CR LF.
    pub(crate) fn head_text(&self) -> String {
        let (method, version) = (self.method.as_str(), version_text(self.version));
        let line = [method, " ", &self.url, " ", version, "\r\n"];
        let line_length: usize = line.iter().map(|piece| piece.len()).sum();
        let mut text = String::with_capacity(line_length + self.headers.text_length() + 2);
        text.extend(line);
        self.headers.push_lines(&mut text);
        text.push_str("\r\n");
        text
    }

    /// A GET of HTTP/1.1 without a body, a user, or anything else that the host knows of it.
    pub fn get(
        id: u64,
        url: String,
        headers: Fields,
        peer: Peer,
        receiving_server: Arc<str>,
    ) -> Self {
        Self {
            id,
            method: Method::GET,
            url,
            version: Version::HTTP_11,
            headers,
            body: None,
            peer,
            user: String::new(),
            password: String::new(),
            is_admitted: false,
            digest: None,
            receiving_server,
            folder: None,
            chain: Chain::default(),
            sessions: None,
            context: None,
            stages: None,
            permit: None,
        }
    }

    /// A call that stands for no request: what `actions.methods` is asked in.
    pub(crate) fn outside_of_a_request() -> Self {
        let nowhere = IpAddr::from([0, 0, 0, 0]);
        let peer = Peer {
            client: nowhere,
            server: nowhere,
            secured: false,
        };
        Self::get(0, String::new(), Fields::default(), peer, "".into())
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
    match address.to_canonical() {
        IpAddr::V4(v4) => hybrid(v4),
        IpAddr::V6(v6) => v6.to_string(),
    }
}

/// By hand: each request has two of them, and formatting takes as long as all else that is made for the call.
fn hybrid(address: Ipv4Addr) -> String {
    let mut text = String::with_capacity("::ffff:255.255.255.255".len());
    text.push_str("::ffff");
    for (index, byte) in address.octets().into_iter().enumerate() {
        text.push(if index == 0 { ':' } else { '.' });
        for (unit, least) in [(100, 100), (10, 10), (1, 0)] {
            if byte >= least {
                text.push(char::from(b'0' + byte / unit % 10));
            }
        }
    }
    text
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
pub(crate) fn push_field_name(text: &mut String, name: &str) {
    for word in name.split_inclusive('-') {
        let mut rest = word.chars();
        if let Some(first) = rest.next() {
            text.push(first.to_ascii_uppercase());
        }
        text.push_str(rest.as_str());
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
            ("0.9.10.99", "::ffff:0.9.10.99"),
            ("100.109.255.200", "::ffff:100.109.255.200"),
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
        let mut fields = http::HeaderMap::new();
        fields.insert("user-agent", "browser".parse().unwrap());
        fields.insert("x-raw", http::HeaderValue::from_bytes(b"caf\xe9").unwrap());
        call.headers = fields.into();
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
