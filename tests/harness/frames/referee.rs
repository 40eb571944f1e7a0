//! Holds the server to what it may send: windows, sizes, the order of frames, the form of heads.

use std::collections::{HashMap, VecDeque};

use bytes::{Buf, BytesMut};

use super::client::PREFACE;
use super::frame::{self, Frame};
use super::received::{Fields, Received};

/// Fields that have no meaning in HTTP/2, and must not be sent.
const CONNECTION_FIELDS: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// What the client has told, and what the server has used up of it.
#[derive(Debug)]
pub(super) struct Referee {
    limits: Limits,
    /// SETTINGS that the server has not acknowledged yet.
    pending: VecDeque<Limits>,
    /// Bytes that may still be sent on the connection.
    window: i64,
    /// The same of each stream, beside its initial window.
    streams: HashMap<u32, i64>,
    has_begun: bool,
    last_go_away: u32,
    /// The highest stream that the client has opened.
    opened: u32,
    /// What was sent and is no whole frame yet.
    sent: BytesMut,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    window: i64,
    frame_size: usize,
    pub(super) header_table_size: usize,
}

impl Referee {
    pub(super) fn new() -> Self {
        Self {
            limits: Limits {
                window: frame::DEFAULT_WINDOW.into(),
                frame_size: frame::DEFAULT_FRAME_SIZE,
                header_table_size: 4096,
            },
            pending: VecDeque::new(),
            window: frame::DEFAULT_WINDOW.into(),
            streams: HashMap::new(),
            has_begun: false,
            last_go_away: u32::MAX,
            opened: 0,
            sent: BytesMut::new(),
        }
    }

    /// Bytes that a stream may still be sent: the initial window, what was added, less what came.
    pub(super) fn window_of(&self, stream: u32) -> i64 {
        self.limits.window + self.streams.get(&stream).copied().unwrap_or_default()
    }

    /// Notes what the client tells with these bytes, as far as they are frames.
    pub(super) fn sent(&mut self, bytes: &[u8]) {
        self.sent.extend_from_slice(bytes);
        if self.sent.starts_with(PREFACE) {
            self.sent.advance(PREFACE.len());
        } else if PREFACE.starts_with(&self.sent) {
            return;
        }
        while let Some(mut frame) = Frame::take(&mut self.sent) {
            frame.stream &= !frame::RESERVED;
            match frame.kind {
                frame::HEADERS => self.opened = self.opened.max(frame.stream),
                frame::SETTINGS if !frame.has(frame::ACK) && frame.stream == 0 => {
                    if let Ok(Received::Settings(values)) = Received::of(frame) {
                        let limits = self.pending.back().unwrap_or(&self.limits).with(&values);
                        self.pending.push_back(limits);
                    }
                }
                frame::WINDOW_UPDATE => {
                    let stream = frame.stream;
                    if let Ok(Received::WindowUpdate { by, .. }) = Received::of(frame) {
                        *self.window_mut(stream) += i64::from(by);
                    }
                }
                _ => {}
            }
        }
    }

    /// The server has acknowledged SETTINGS: from now on they hold.
    pub(super) fn acknowledged(&mut self) -> Result<Limits, String> {
        self.limits = self.pending.pop_front().ok_or("ACK without SETTINGS")?;
        Ok(self.limits)
    }

    /// Checks a frame before it is taken apart.
    pub(super) fn check_frame(&self, frame: &Frame) -> Result<(), String> {
        let size = frame.payload.len();
        if size > self.most(|limits| limits.frame_size, size) {
            return Err(format!("{size} bytes of payload"));
        }
        if !self.has_begun && (frame.kind != frame::SETTINGS || frame.has(frame::ACK)) {
            return Err("the server's preface is a SETTINGS frame".to_owned());
        }
        let belongs_to_stream = match frame.kind {
            frame::SETTINGS | frame::PING | frame::GOAWAY => Some(false),
            frame::DATA | frame::HEADERS | frame::RST_STREAM | frame::CONTINUATION => Some(true),
            _ => None,
        };
        let has_stream = frame.stream != 0;
        if belongs_to_stream.is_some_and(|belongs| belongs != has_stream) {
            return Err(format!("on stream {}", frame.stream));
        }
        if has_stream && (frame.stream.is_multiple_of(2) || frame.stream > self.opened) {
            return Err(format!("stream {} was not opened", frame.stream));
        }
        match frame.kind {
            frame::DATA => self.check_window(frame.stream, size),
            _ => Ok(()),
        }
    }

    fn check_window(&self, stream: u32, length: usize) -> Result<(), String> {
        let added = self.streams.get(&stream).copied().unwrap_or_default();
        let length = i64::try_from(length).map_err(|error| error.to_string())?;
        let of_stream = added + self.most(|limits| limits.window, length - added);
        if length > 0 && length > of_stream.min(self.window) {
            return Err(format!(
                "{length} bytes for windows of {of_stream} and {}",
                self.window
            ));
        }
        Ok(())
    }

    /// A limit as the server may know it: new values may be in use already before they are acknowledged. Those are
    /// looked at only where what holds already is not `enough`.
    fn most<T: Ord>(&self, limit: impl Fn(&Limits) -> T, enough: T) -> T {
        let known = limit(&self.limits);
        if known >= enough {
            return known;
        }
        let pending = self.pending.iter().map(limit);
        pending.fold(known, |most, one| most.max(one))
    }

    /// Checks a frame that was taken apart. `flow_controlled` is the whole payload of DATA, in bytes.
    pub(super) fn check(
        &mut self,
        received: &Received,
        flow_controlled: usize,
    ) -> Result<(), String> {
        match received {
            Received::Data { stream, .. } => {
                let length = i64::try_from(flow_controlled).map_err(|error| error.to_string())?;
                self.window -= length;
                *self.window_mut(*stream) -= length;
            }
            Received::Settings(values) => {
                self.has_begun = true;
                check_settings(values)?;
            }
            Received::GoAway { last, .. } => {
                if *last > self.last_go_away {
                    return Err(format!("the last stream grew to {last}"));
                }
                self.last_go_away = *last;
            }
            Received::WindowUpdate { by: 0, .. } => {
                return Err("an increment of 0".to_owned());
            }
            Received::Unknown(frame) => return Err(format!("{frame:?} means nothing")),
            _ => {}
        }
        Ok(())
    }

    fn window_mut(&mut self, stream: u32) -> &mut i64 {
        match stream {
            0 => &mut self.window,
            stream => self.streams.entry(stream).or_default(),
        }
    }
}

impl Limits {
    fn with(mut self, values: &[(u16, u32)]) -> Self {
        for (name, value) in values {
            match *name {
                frame::INITIAL_WINDOW_SIZE => self.window = (*value).into(),
                frame::MAX_FRAME_SIZE => self.frame_size = *value as usize,
                frame::HEADER_TABLE_SIZE => self.header_table_size = *value as usize,
                _ => {}
            }
        }
        self
    }
}

fn check_settings(values: &[(u16, u32)]) -> Result<(), String> {
    for &(name, value) in values {
        let is_allowed = match name {
            frame::ENABLE_PUSH => value == 0,
            frame::INITIAL_WINDOW_SIZE => value <= i32::MAX as u32,
            frame::MAX_FRAME_SIZE => (1 << 14..1 << 24).contains(&value),
            _ => true,
        };
        if !is_allowed {
            return Err(format!("setting {name} is {value}"));
        }
    }
    Ok(())
}

/// Checks the head of a response, or its trailers.
pub(super) fn check_fields(fields: &Fields) -> Result<(), String> {
    let mut has_regular = false;
    for (index, (name, value)) in fields.iter().enumerate() {
        let is_pseudo = name.starts_with(':');
        if is_pseudo && (name != ":status" || has_regular || index > 0) {
            return Err(format!("{name} out of place in {fields:?}"));
        }
        has_regular |= !is_pseudo;
        let is_token = |byte: u8| byte.is_ascii_graphic() && !byte.is_ascii_uppercase();
        if name.is_empty() || !name.bytes().all(is_token) || name[1..].contains(':') {
            return Err(format!("{name:?} is no name"));
        }
        if value.contains(['\0', '\r', '\n']) || value.trim_matches([' ', '\t']) != value {
            return Err(format!("{value:?} is no value, of {name}"));
        }
        if CONNECTION_FIELDS.contains(&name.as_str()) {
            return Err(format!("{name} belongs to HTTP/1.1"));
        }
    }
    Ok(())
}
