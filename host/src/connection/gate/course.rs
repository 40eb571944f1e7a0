//! Follows the course of a connection: head, body, head, body; nothing else may come.

use super::chunks::Chunks;
use super::head::{Framing, Head};
use crate::connection::Protocol;
use crate::http::{PlainGet, Reject};

/// What HTTP/2 begins with, where the client knows beforehand that it is spoken (RFC 9113, section 3.4).
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Where a connection is.
#[derive(Debug)]
pub(super) struct Course {
    at: At,
    /// Heads that were passed on, or answered at once.
    pub(super) heads: u64,
}

#[derive(Debug)]
enum At {
    /// Nothing came yet: it may be HTTP/2.
    Beginning,
    Head(Head),
    /// So many bytes of a body are left.
    Body(u64),
    Chunked(Chunks),
    /// Nothing here is HTTP/1.
    Http2,
}

/// What is to be done about bytes that came.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Looked {
    /// So many of them, at the beginning, are requests that were answered at once.
    pub(super) answered: usize,
    /// So many behind those are as they should be, and may be passed on.
    pub(super) good: usize,
    pub(super) rest: Rest,
}

/// What the bytes are that may not be passed on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// None, or the beginning of a head. They are shown again, with what comes after them.
    Waits,
    /// A head that is refused.
    Refused(Reject),
    /// No part of the body that they should be.
    Broken,
}

impl Course {
    pub(super) fn new(protocol: Protocol) -> Self {
        Self {
            at: match protocol {
                Protocol::Either => At::Beginning,
                Protocol::Http1 => At::Head(Head::default()),
                Protocol::Http2 => At::Http2,
            },
            heads: 0,
        }
    }

    pub(super) fn is_http2(&self) -> bool {
        matches!(self.at, At::Http2)
    }

    /// Whether a body is not over.
    pub(super) fn is_in_body(&self) -> bool {
        matches!(self.at, At::Body(_) | At::Chunked(_))
    }

    /// Looks at bytes that came, after those of a head that waits. `answer` may answer plain requests that have none
    /// before them, given how many there were before.
    pub(super) fn look(
        &mut self,
        bytes: &mut [u8],
        mut answer: impl FnMut(u64, PlainGet<'_>) -> bool,
    ) -> Looked {
        let (mut answered, mut good) = (0, 0);
        let looked = |answered, good, rest| Looked {
            answered,
            good,
            rest,
        };
        loop {
            let rest = bytes.get_mut(answered + good..).unwrap_or_default();
            if rest.is_empty() {
                return looked(answered, good, Rest::Waits);
            }
            match &mut self.at {
                At::Beginning
                    if HTTP2_PREFACE.starts_with(rest) && rest.len() < HTTP2_PREFACE.len() =>
                {
                    return looked(answered, good, Rest::Waits);
                }
                At::Beginning if rest.starts_with(HTTP2_PREFACE) => self.at = At::Http2,
                At::Beginning => self.at = At::Head(Head::default()),
                At::Http2 => return looked(answered, rest.len(), Rest::Waits),
                At::Head(head) => match head.read(rest) {
                    Ok(None) => return looked(answered, good, Rest::Waits),
                    Err(reject) => return looked(answered, good, Rest::Refused(reject)),
                    Ok(Some(whole)) => {
                        let plain = whole.plain.as_ref().filter(|_| good == 0);
                        let plain = plain.and_then(|plain| plain.of(rest));
                        if plain.is_some_and(|plain| answer(self.heads, plain)) {
                            answered += whole.length;
                            self.heads += 1;
                            self.at = At::Head(Head::default());
                            continue;
                        }
                        if let Some(minor) = whole.newer_minor_at.and_then(|at| rest.get_mut(at)) {
                            // It means the same to a server that knows only 1.1: RFC 9110, section 2.5.
                            *minor = b'1';
                        }
                        good += whole.length;
                        self.heads += 1;
                        self.at = match whole.body {
                            Framing::Length(0) => At::Head(Head::default()),
                            Framing::Length(length) => At::Body(length),
                            Framing::Chunked => At::Chunked(Chunks::default()),
                        };
                    }
                },
                At::Body(left) => {
                    let length = usize::try_from(*left).unwrap_or(usize::MAX).min(rest.len());
                    good += length;
                    *left -= length as u64;
                    if *left == 0 {
                        self.at = At::Head(Head::default());
                    }
                }
                At::Chunked(chunks) => {
                    let (length, ended) = chunks.read(rest);
                    good += length;
                    match ended {
                        Ok(true) => self.at = At::Head(Head::default()),
                        Ok(false) => {}
                        Err(_) => return looked(answered, good, Rest::Broken),
                    }
                }
            }
        }
    }
}
