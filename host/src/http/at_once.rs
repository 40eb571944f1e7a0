//! What is answered at once, from memory: requests for a page as it is, and their responses as they are sent.

use bytes::Bytes;

/// A GET of HTTP/1.1 that asks for no more than a whole page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlainGet<'a> {
    /// Path and query, still percent-encoded.
    pub target: &'a str,
    /// The value of Host.
    pub host: &'a str,
    /// The value of Accept-Encoding, if it was sent.
    pub codings: Option<&'a str>,
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
}
