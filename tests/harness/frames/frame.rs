//! Frames as bytes, right or wrong: any type, any flags, any stream, any payload.

use bytes::{Buf, BytesMut};

/// Types of frames.
pub const DATA: u8 = 0;
/// Opens a stream, or ends its body with trailers.
pub const HEADERS: u8 = 1;
/// Deprecated by RFC 9113, and still to be tolerated.
pub const PRIORITY: u8 = 2;
/// Ends a stream at once.
pub const RST_STREAM: u8 = 3;
/// What an endpoint takes.
pub const SETTINGS: u8 = 4;
/// Only servers may send it.
pub const PUSH_PROMISE: u8 = 5;
/// Asks for a sign of life.
pub const PING: u8 = 6;
/// Ends a connection, or announces its end.
pub const GOAWAY: u8 = 7;
/// Lets the peer send more.
pub const WINDOW_UPDATE: u8 = 8;
/// More of a header block.
pub const CONTINUATION: u8 = 9;

/// DATA, HEADERS: the sender says no more on this stream.
pub const END_STREAM: u8 = 0x1;
/// SETTINGS, PING: an acknowledgement.
pub const ACK: u8 = 0x1;
/// HEADERS, PUSH_PROMISE, CONTINUATION: the header block ends here.
pub const END_HEADERS: u8 = 0x4;
/// DATA, HEADERS, PUSH_PROMISE: the first byte is the length of the padding.
pub const PADDED: u8 = 0x8;
/// HEADERS: five bytes of priority come first.
pub const PRIORITIZED: u8 = 0x20;
/// A head that is a whole request.
pub const WHOLE: u8 = END_STREAM | END_HEADERS;

/// Settings.
pub const HEADER_TABLE_SIZE: u16 = 1;
/// 0 or 1.
pub const ENABLE_PUSH: u16 = 2;
/// Streams that the peer may have open.
pub const MAX_CONCURRENT_STREAMS: u16 = 3;
/// Window of a new stream, in bytes.
pub const INITIAL_WINDOW_SIZE: u16 = 4;
/// Largest payload, in bytes.
pub const MAX_FRAME_SIZE: u16 = 5;
/// Largest header list, in bytes; advice only.
pub const MAX_HEADER_LIST_SIZE: u16 = 6;

/// Where the window of a stream or connection begins, in bytes.
pub const DEFAULT_WINDOW: u32 = 65_535;
/// Where the largest payload begins, in bytes.
pub const DEFAULT_FRAME_SIZE: usize = 16_384;
/// The bit of a stream identifier that has no meaning.
pub const RESERVED: u32 = 1 << 31;
/// Bytes before a payload.
pub const HEAD_LENGTH: usize = 9;

/// A frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its type.
    pub kind: u8,
    /// Its flags.
    pub flags: u8,
    /// Its stream; the highest bit is the reserved one.
    pub stream: u32,
    /// What follows its head.
    pub payload: Vec<u8>,
}

impl Frame {
    /// The frame's bytes.
    pub fn bytes(&self) -> Vec<u8> {
        self.bytes_claiming(self.payload.len())
    }

    /// The frame's bytes, with another length in the head than the payload has.
    pub fn bytes_claiming(&self, length: usize) -> Vec<u8> {
        let length = u32::try_from(length).expect("a length is of 24 bits");
        let mut bytes = length.to_be_bytes()[1..].to_vec();
        bytes.extend([self.kind, self.flags]);
        bytes.extend(self.stream.to_be_bytes());
        bytes.extend(&self.payload);
        bytes
    }

    /// Takes the first frame off; `None` if it is not all there.
    pub fn take(bytes: &mut BytesMut) -> Option<Self> {
        let head = bytes.get(..HEAD_LENGTH)?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let (kind, flags) = (head[3], head[4]);
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        if bytes.len() < HEAD_LENGTH + length {
            return None;
        }
        bytes.advance(HEAD_LENGTH);
        Some(Self {
            kind,
            flags,
            stream,
            payload: bytes.split_to(length).to_vec(),
        })
    }

    /// Whether a flag is set.
    pub fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// Any frame, as bytes.
pub fn raw(kind: u8, flags: u8, stream: u32, payload: impl Into<Vec<u8>>) -> Vec<u8> {
    Frame {
        kind,
        flags,
        stream,
        payload: payload.into(),
    }
    .bytes()
}

/// HEADERS.
pub fn headers(stream: u32, flags: u8, block: impl Into<Vec<u8>>) -> Vec<u8> {
    raw(HEADERS, flags, stream, block)
}

/// CONTINUATION.
pub fn continuation(stream: u32, flags: u8, block: impl Into<Vec<u8>>) -> Vec<u8> {
    raw(CONTINUATION, flags, stream, block)
}

/// DATA.
pub fn data(stream: u32, flags: u8, payload: impl Into<Vec<u8>>) -> Vec<u8> {
    raw(DATA, flags, stream, payload)
}

/// SETTINGS with these values, in this order.
pub fn settings(values: &[(u16, u32)]) -> Vec<u8> {
    let mut payload = Vec::new();
    for (name, value) in values {
        payload.extend(name.to_be_bytes());
        payload.extend(value.to_be_bytes());
    }
    raw(SETTINGS, 0, 0, payload)
}

/// The acknowledgement of SETTINGS.
pub fn settings_ack() -> Vec<u8> {
    raw(SETTINGS, ACK, 0, [])
}

/// PING.
pub fn ping(payload: [u8; 8]) -> Vec<u8> {
    raw(PING, 0, 0, payload)
}

/// WINDOW_UPDATE.
pub fn window_update(stream: u32, by: u32) -> Vec<u8> {
    raw(WINDOW_UPDATE, 0, stream, by.to_be_bytes())
}

/// RST_STREAM.
pub fn reset(stream: u32, code: super::Code) -> Vec<u8> {
    raw(RST_STREAM, 0, stream, code.0.to_be_bytes())
}

/// GOAWAY.
pub fn go_away(last: u32, code: super::Code) -> Vec<u8> {
    let payload = [last.to_be_bytes(), code.0.to_be_bytes()].concat();
    raw(GOAWAY, 0, 0, payload)
}

/// The five bytes of priority: a stream to depend on, its highest bit says "exclusively", and a weight.
pub fn priority_fields(on: u32, weight: u8) -> Vec<u8> {
    let mut fields = on.to_be_bytes().to_vec();
    fields.push(weight);
    fields
}

/// PRIORITY.
pub fn priority(stream: u32, on: u32) -> Vec<u8> {
    raw(PRIORITY, 0, stream, priority_fields(on, 15))
}

/// A payload with padding: its length comes first.
pub fn padded(claimed: u8, payload: impl AsRef<[u8]>, padding: usize) -> Vec<u8> {
    [&[claimed], payload.as_ref(), &vec![0; padding]].concat()
}
