//! The debug log: each request and its response as they were read and sent, in two blocks.
//!
//! Both blocks are written when the response has ended, in one piece, so that requests that are answered at the same time
//! do not mix.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ::http::{HeaderMap, HeaderName, HeaderValue};
use parking_lot::Mutex;
use rustix::time::{ClockId, clock_gettime};

use super::line;
use super::writer::{Bell, Health};
use crate::http::{Copied, Peer, Request, Response};
use crate::settings::DebugLevel;

/// Most bytes that wait for the writer; blocks that find no room are counted as lost.
const QUEUE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// What stands in place of a secret.
const MASK: &str = "***";
/// A parameter whose value is a token that opens a session.
const TOKEN: &str = "$4DSID=";

/// The debug log of one web server, with its settings.
#[derive(Debug)]
pub struct DebugLog {
    pub(super) level: DebugLevel,
    pub(super) mask: bool,
    pub(super) queue: Arc<Queue>,
}

/// What waits to be written, whatever the settings are.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) bytes: Mutex<Vec<u8>>,
    /// Shared by the logs of all web servers.
    pub(super) sequence: Arc<AtomicU64>,
    pub(super) health: Health,
    pub(super) bell: Arc<Bell>,
}

/// What the blocks of one request will say.
#[derive(Debug)]
pub(super) struct Blocks {
    log: Arc<DebugLog>,
    peer: Peer,
    begun: u64,
    request: Vec<u8>,
    request_body: Arc<Mutex<Copied>>,
    response: Vec<u8>,
    response_body: Copied,
}

impl DebugLog {
    /// Whether the log has the bodies of responses, which then must be read to be sent.
    pub(super) fn wants_responses(&self) -> bool {
        self.level.responses
    }

    fn add(&self, block: &[u8]) {
        let mut bytes = self.queue.bytes.lock();
        if bytes.len() + block.len() > QUEUE_BYTES_MAX {
            self.queue.health.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        bytes.extend_from_slice(block);
        let is_much = bytes.len() > QUEUE_BYTES_MAX / 8;
        drop(bytes);
        if is_much {
            self.queue.bell.ring();
        }
    }
}

impl Blocks {
    /// Of a request that is about to be answered, whose body is copied as it is read.
    pub(super) fn new(log: Arc<DebugLog>, request: &mut Request, peer: Peer) -> Self {
        let mut head = Vec::new();
        let target = request.uri().path_and_query();
        let target = target.map_or("*", |target| target.as_str());
        let target = match log.mask {
            true => without_token(target),
            false => target.to_owned(),
        };
        let (method, version) = (request.method(), line::version(request.version()));
        let _ = write!(head, "{method} {target} {version}\r\n");
        if let Some(authority) = request.uri().authority() {
            let _ = write!(head, "host: {authority}\r\n");
        }
        add_fields(&mut head, request.headers(), log.mask);
        let request_body = Arc::new(Mutex::new(Copied::new(log.level.requests)));
        request.body_mut().copy_to(request_body.clone());
        Self {
            response_body: Copied::new(log.level.responses),
            log,
            peer,
            begun: uptime(),
            request: head,
            request_body,
            response: Vec::new(),
        }
    }

    /// Takes note of the head of the response.
    pub(super) fn answered(&mut self, response: &Response) {
        self.response.clear();
        let (version, status) = (line::version(response.version()), response.status());
        let _ = write!(self.response, "{version} {status}\r\n");
        add_fields(&mut self.response, response.headers(), self.log.mask);
    }

    /// Takes note of a piece of its body.
    pub(super) fn sent(&mut self, piece: &[u8]) {
        self.response_body.add(piece);
    }

    pub(super) fn wants_response(&self) -> bool {
        self.log.wants_responses()
    }
}

impl Drop for Blocks {
    fn drop(&mut self) {
        let mut out = Vec::with_capacity(self.request.len() + self.response.len() + 512);
        let now = uptime();
        let sequence = &self.log.queue.sequence;
        block(
            &mut out,
            "REQUEST",
            self.peer,
            &self.begun.to_string(),
            sequence,
        );
        out.extend_from_slice(&self.request);
        add_body(&mut out, &self.request_body.lock());
        if !self.response.is_empty() {
            let elapsed = now.saturating_sub(self.begun);
            let time = format!("{now} (elapsed time: {elapsed} ms)");
            block(&mut out, "RESPONSE", self.peer, &time, sequence);
            out.extend_from_slice(&self.response);
            add_body(&mut out, &self.response_body);
        }
        self.log.add(&out);
    }
}

fn block(out: &mut Vec<u8>, name: &str, peer: Peer, time: &str, sequence: &AtomicU64) {
    let number = sequence.fetch_add(1, Ordering::Relaxed) + 1;
    let (address, port) = (peer.client.ip().to_canonical(), peer.client.port());
    let connection = connection_id(peer);
    let _ = write!(
        out,
        "# {name}\r\n# SocketID: {port}\r\n# PeerIP: {address}\r\n# PeerPort: {port}\r\n# TimeStamp: {time}\r\n\
         #ConnectionID: {connection:032X}\r\n#SequenceNumber:{number}\r\n"
    );
}

/// The same for all requests of a connection: made of its two ends.
fn connection_id(peer: Peer) -> u128 {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        (salt, peer.client, peer.server).hash(&mut hasher);
        u128::from(hasher.finish())
    };
    half(1) << 64 | half(2)
}

/// Milliseconds since the system was started.
fn uptime() -> u64 {
    let now = clock_gettime(ClockId::Boottime);
    let milliseconds = now.tv_sec * 1_000 + now.tv_nsec / 1_000_000;
    u64::try_from(milliseconds).unwrap_or_default()
}

fn add_fields(out: &mut Vec<u8>, fields: &HeaderMap, mask: bool) {
    for (name, value) in fields {
        let value = match mask {
            true => masked(name, value),
            false => value.as_bytes().into(),
        };
        for piece in [name.as_str().as_bytes(), b": ", &value, b"\r\n"] {
            out.extend_from_slice(piece);
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// A value without what would let its reader in. Names of cookies, and their attributes, stay.
fn masked(name: &HeaderName, value: &HeaderValue) -> Vec<u8> {
    let text = String::from_utf8_lossy(value.as_bytes());
    let masked = match name.as_str() {
        "authorization" | "proxy-authorization" => match text.split_once(' ') {
            Some((scheme, _)) => format!("{scheme} {MASK}"),
            None => MASK.to_owned(),
        },
        "cookie" => {
            let pairs = text.split(';').map(|pair| named(pair.trim()));
            pairs.collect::<Vec<_>>().join("; ")
        }
        "set-cookie" => match text.split_once(';') {
            Some((pair, attributes)) => format!("{};{attributes}", named(pair)),
            None => named(&text),
        },
        "referer" | "location" | "content-location" => without_token(&text),
        _ => return value.as_bytes().to_vec(),
    };
    masked.into_bytes()
}

fn named(pair: &str) -> String {
    match pair.split_once('=') {
        Some((name, _)) => format!("{name}={MASK}"),
        None => MASK.to_owned(),
    }
}

/// A URL without the token that it may have.
fn without_token(url: &str) -> String {
    let mut parts = url.split(TOKEN);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(TOKEN);
        out.push_str(MASK);
        out.push_str(
            part.find(['&', '#'])
                .and_then(|end| part.get(end..))
                .unwrap_or_default(),
        );
    }
    out
}

fn add_body(out: &mut Vec<u8>, body: &Copied) {
    if let Some(bytes) = body.bytes() {
        out.extend_from_slice(bytes);
        if body.is_cut() {
            out.extend_from_slice(b"\r\n[cut]");
        }
        if !bytes.is_empty() {
            out.extend_from_slice(b"\r\n");
        }
    }
    let _ = write!(out, "[Body Size: {}]\r\n\r\n", body.length());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_opens_a_session_is_masked() {
        for (name, value, expected) in [
            ("authorization", "Basic YTpi", "Basic ***"),
            ("proxy-authorization", "key", "***"),
            ("cookie", "a=b; 4DSID_x=c=d;e", "a=***; 4DSID_x=***; ***"),
            (
                "set-cookie",
                "4DSID_x=c; HttpOnly; Path=/",
                "4DSID_x=***; HttpOnly; Path=/",
            ),
            ("set-cookie", "a", "***"),
            (
                "referer",
                "http://a/?$4DSID=b&c=d",
                "http://a/?$4DSID=***&c=d",
            ),
            ("accept", "a=b; c=d", "a=b; c=d"),
        ] {
            let name = HeaderName::from_static(name);
            let masked = masked(&name, &HeaderValue::from_static(value));
            assert_eq!(String::from_utf8(masked).unwrap(), expected);
        }
        assert_eq!(
            without_token("/a?$4DSID=b&$4DSID=c#d"),
            "/a?$4DSID=***&$4DSID=***#d"
        );
        assert_eq!(without_token("/a?b"), "/a?b");
    }

    #[test]
    fn a_body_is_there_as_far_as_it_is_wanted() {
        let text = |wants, body: &[u8]| {
            let mut copied = Copied::new(wants);
            for piece in body.chunks(1000) {
                copied.add(piece);
            }
            let mut out = Vec::new();
            add_body(&mut out, &copied);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(text(false, b"abc"), "[Body Size: 3]\r\n\r\n");
        assert_eq!(text(true, b"abc"), "abc\r\n[Body Size: 3]\r\n\r\n");
        assert_eq!(text(true, b""), "[Body Size: 0]\r\n\r\n");
        let long = text(true, &[b'x'; 100_000]);
        assert!(long.ends_with("x\r\n[cut]\r\n[Body Size: 100000]\r\n\r\n"));
        assert_eq!(long.matches('x').count(), 64 * 1024);
    }
}
