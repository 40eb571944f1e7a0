//! What came from the server: frames taken apart, and whole answers.

use super::code::Code;
use super::frame::{self, Frame};

/// Names and values in order; bytes above 127 are the characters of those numbers.
pub type Fields = Vec<(String, String)>;

/// Something that came.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "frames are named and made as in RFC 9113")]
pub enum Received {
    Data {
        stream: u32,
        data: Vec<u8>,
        is_end: bool,
    },
    /// A whole header block, decoded.
    Head {
        stream: u32,
        fields: Fields,
        /// Changes of the table's size at the beginning of the block.
        size_updates: Vec<usize>,
        is_end: bool,
    },
    Reset {
        stream: u32,
        code: Code,
    },
    Settings(Vec<(u16, u32)>),
    SettingsAck,
    Ping([u8; 8]),
    Pong([u8; 8]),
    GoAway {
        last: u32,
        code: Code,
        debug: String,
    },
    WindowUpdate {
        stream: u32,
        by: u32,
    },
    /// No type that has a meaning from a server.
    Unknown(Frame),
    /// The connection is at its end.
    Closed,
}

impl Received {
    /// The stream it belongs to; 0 for the connection.
    pub fn stream(&self) -> u32 {
        match self {
            Self::Data { stream, .. }
            | Self::Head { stream, .. }
            | Self::Reset { stream, .. }
            | Self::WindowUpdate { stream, .. } => *stream,
            _ => 0,
        }
    }

    /// Whether the server has said all on a stream.
    pub fn ends(&self, of: u32) -> bool {
        match self {
            Self::Data { stream, is_end, .. } | Self::Head { stream, is_end, .. } => {
                *stream == of && *is_end
            }
            Self::Reset { stream, .. } => *stream == of,
            Self::Closed => true,
            _ => false,
        }
    }

    /// Takes a frame apart that is no part of a header block. The error says what no server may send.
    pub(super) fn of(frame: Frame) -> Result<Self, String> {
        let Frame {
            kind,
            flags,
            stream,
            payload,
        } = frame;
        let is = |flag| flags & flag != 0;
        Ok(match kind {
            frame::DATA => Self::Data {
                stream,
                data: unpadded(is(frame::PADDED), payload)?,
                is_end: is(frame::END_STREAM),
            },
            frame::RST_STREAM => Self::Reset {
                stream,
                code: Code(number(&payload)?),
            },
            frame::SETTINGS if is(frame::ACK) => {
                exactly(&payload, 0)?;
                Self::SettingsAck
            }
            frame::SETTINGS => Self::Settings(values(&payload)?),
            frame::PING => {
                let payload = payload.try_into().map_err(|_| "PING is of 8 bytes")?;
                match is(frame::ACK) {
                    true => Self::Pong(payload),
                    false => Self::Ping(payload),
                }
            }
            frame::GOAWAY => {
                let (fields, debug) = payload.split_at_checked(8).ok_or("GOAWAY is too short")?;
                Self::GoAway {
                    last: number(&fields[..4])?,
                    code: Code(number(&fields[4..])?),
                    debug: String::from_utf8_lossy(debug).into_owned(),
                }
            }
            frame::WINDOW_UPDATE => Self::WindowUpdate {
                stream,
                by: number(&payload)?,
            },
            _ => Self::Unknown(Frame {
                kind,
                flags,
                stream,
                payload,
            }),
        })
    }
}

/// Takes the padding off.
pub(super) fn unpadded(is_padded: bool, mut payload: Vec<u8>) -> Result<Vec<u8>, String> {
    if !is_padded {
        return Ok(payload);
    }
    let padding = *payload.first().ok_or("padded, and empty")? as usize;
    if padding >= payload.len() {
        return Err("more padding than payload".to_owned());
    }
    payload.truncate(payload.len() - padding);
    payload.remove(0);
    Ok(payload)
}

fn exactly(payload: &[u8], length: usize) -> Result<(), String> {
    match payload.len() == length {
        true => Ok(()),
        false => Err(format!("{} bytes instead of {length}", payload.len())),
    }
}

fn number(payload: &[u8]) -> Result<u32, String> {
    exactly(payload, 4)?;
    let bytes = payload.try_into().map_err(|_| "4 bytes are 4 bytes")?;
    Ok(u32::from_be_bytes(bytes))
}

fn values(payload: &[u8]) -> Result<Vec<(u16, u32)>, String> {
    let (settings, []) = payload.as_chunks::<6>() else {
        return Err(format!("SETTINGS of {} bytes", payload.len()));
    };
    let value = |&[a, b, c, d, e, f]: &[u8; 6]| {
        (u16::from_be_bytes([a, b]), u32::from_be_bytes([c, d, e, f]))
    };
    Ok(settings.iter().map(value).collect())
}

/// How an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The server said that it is complete.
    Complete,
    /// The stream was reset.
    Reset(Code),
    /// The connection ended before.
    Closed,
}

/// All that came on a stream.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The header blocks: interim ones, the final one, trailers.
    pub heads: Vec<Fields>,
    /// The payloads of DATA, one after the other.
    pub body: Vec<u8>,
    /// How it ended.
    pub end: End,
}

impl Answer {
    /// What belongs to a stream of all that came.
    pub fn of(stream: u32, received: &[Received]) -> Self {
        let mut answer = Self {
            heads: Vec::new(),
            body: Vec::new(),
            end: End::Complete,
        };
        for one in received {
            match one {
                Received::Closed => answer.end = End::Closed,
                one if one.stream() != stream => {}
                Received::Head { fields, .. } => answer.heads.push(fields.clone()),
                Received::Data { data, .. } => answer.body.extend(data),
                Received::Reset { code, .. } => answer.end = End::Reset(*code),
                _ => {}
            }
        }
        answer
    }

    /// The status of the last header block that has one; 0 if there is none.
    pub fn status(&self) -> u16 {
        let mut fields = self.heads.iter().rev().flatten();
        fields
            .find(|(name, _)| name == ":status")
            .map_or(0, |(_, value)| value.parse().expect("a status is a number"))
    }

    /// A field's value in any of the blocks.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.heads.iter().flatten();
        fields
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}
