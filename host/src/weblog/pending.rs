//! A request whose answer is on its way: its line is written when the last byte of that was handed over, or never will be.

use std::sync::Arc;
use std::time::Instant;

use ::http::header::CONTENT_LENGTH;
use ::http::{Method, Uri, Version};
use parking_lot::Mutex;

use super::WebLog;
use super::debug::{Blocks, DebugLog};
use super::entry::{Entry, KeptFields, Line, Wanted};
use crate::http::{Peer, Request, Response, wall_clock};

/// What the line of a request will say. It is written when this is dropped, once there is an answer.
#[derive(Debug)]
pub struct Pending {
    log: Option<Arc<WebLog>>,
    debug: Option<Blocks>,
    began: Instant,
    peer: Peer,
    method: Method,
    uri: Uri,
    version: Version,
    /// The first line of one that was refused before it was read.
    raw: Option<Box<[u8]>>,
    fields: KeptFields,
    received: Option<u64>,
    status: Option<u16>,
    sent: u64,
}

/// What a response carries through the stages behind it; responses can be shared, so that it is taken out of a lock.
#[derive(Clone)]
struct Carried(Arc<Mutex<Option<Box<Pending>>>>);

impl Pending {
    /// Of a request that is about to be answered.
    pub fn new(
        log: Option<Arc<WebLog>>,
        debug: Option<Arc<DebugLog>>,
        request: &mut Request,
        peer: Peer,
    ) -> Box<Self> {
        let debug = debug.map(|debug| Blocks::new(debug, request, peer));
        let length = request.headers().get(CONTENT_LENGTH);
        let received = match length {
            Some(length) => length.to_str().ok().and_then(|length| length.parse().ok()),
            None if http_body::Body::is_end_stream(request.body()) => Some(0),
            None => None,
        };
        let wanted = log.as_ref().map_or(Wanted::NONE, |log| log.wanted());
        Box::new(Self {
            log,
            debug,
            began: Instant::now(),
            peer,
            method: request.method().clone(),
            uri: request.uri().clone(),
            version: request.version(),
            raw: None,
            fields: KeptFields::of(request.headers(), wanted),
            received,
            status: None,
            sent: 0,
        })
    }

    /// Its first line could not be read: it began so.
    pub fn refused_as(&mut self, line: &[u8]) {
        self.raw = Some(line.into());
        self.fields = KeptFields::default();
        self.received = None;
    }

    /// It is not known when it began, but then.
    pub fn began_at(&mut self, began: Instant) {
        self.began = began;
    }

    /// Goes with its answer.
    pub fn attach(mut self: Box<Self>, response: &mut Response) {
        self.status = Some(response.status().as_u16());
        let carried = Carried(Arc::new(Mutex::new(Some(self))));
        response.extensions_mut().insert(carried);
    }

    /// What goes with an answer, if anything does. The head of the answer is noted as it is then.
    pub fn detach(response: &mut Response) -> Option<Box<Self>> {
        // Most servers log nothing.
        if response.extensions().is_empty() {
            return None;
        }
        let carried = response.extensions_mut().remove::<Carried>()?;
        let mut pending = carried.0.lock().take()?;
        pending.status = Some(response.status().as_u16());
        if let Some(debug) = &mut pending.debug {
            debug.answered(response);
        }
        Some(pending)
    }

    /// Whether the bytes of the answer's body have to be seen.
    pub fn wants_body(&self) -> bool {
        self.debug.as_ref().is_some_and(Blocks::wants_response)
    }

    /// So many bytes of the body were handed to the connection.
    pub fn add_sent(&mut self, bytes: u64) {
        self.sent += bytes;
    }

    /// A piece of the body was handed to the connection.
    pub fn add_piece(&mut self, piece: &[u8]) {
        self.sent += piece.len() as u64;
        if let Some(debug) = &mut self.debug {
            debug.sent(piece);
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        // Nobody was there any more to be answered.
        let Some((log, status)) = self.log.as_ref().zip(self.status) else {
            return;
        };
        let target = self.uri.path_and_query();
        let line = match &self.raw {
            Some(raw) => Line::Refused(raw),
            None => Line::Read {
                method: self.method.as_str().as_bytes(),
                target: target.map_or(b"*", |target| target.as_str().as_bytes()),
                version: self.version,
            },
        };
        let mut fields = self.fields.fields();
        let authority = self.uri.authority().map(|it| it.as_str().as_bytes());
        fields.host = authority.or(fields.host);
        let now = Instant::now();
        log.record(&Entry {
            peer: self.peer,
            moment: wall_clock(now),
            took: now - self.began,
            line,
            fields,
            status,
            sent: self.sent,
            received: self.received,
        });
    }
}
