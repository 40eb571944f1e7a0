//! Follows frames through a stream of bytes, however it is cut, without keeping any of it.

/// Bytes before a payload.
const HEAD_BYTES: usize = 9;
/// Bytes of the code of RST_STREAM, and of the stream that GOAWAY names.
const WORD_BYTES: usize = 4;

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const PRIORITY: u8 = 2;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PUSH_PROMISE: u8 = 5;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
pub(super) const WINDOW_UPDATE: u8 = 8;
pub(super) const CONTINUATION: u8 = 9;

/// The head of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// Of the payload, in bytes.
    pub(super) length: usize,
    pub(super) kind: u8,
    /// 0 is the connection.
    pub(super) stream: u32,
    /// The first four bytes of RST_STREAM's and GOAWAY's payload; 0 for all other frames.
    pub(super) word: u32,
}

/// Where in a frame a stream of bytes is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Follower {
    head: [u8; HEAD_BYTES + WORD_BYTES],
    /// How much of the head is there.
    have: usize,
    /// How much of the payload is still to come.
    left: usize,
}

impl Follower {
    /// The next frame begins after so many bytes.
    pub(super) fn after(bytes: usize) -> Self {
        Self {
            head: [0; HEAD_BYTES + WORD_BYTES],
            have: 0,
            left: bytes,
        }
    }

    /// Whether no frame is begun and not ended.
    pub(super) fn is_between(&self) -> bool {
        self.have == 0 && self.left == 0
    }

    /// Goes on to the next head, and takes what it has gone by off the bytes. `None` when they are used up.
    pub(super) fn next(&mut self, bytes: &mut &[u8]) -> Option<Frame> {
        while !bytes.is_empty() {
            let frame = self.step(bytes);
            if frame.is_some() {
                return frame;
            }
        }
        None
    }

    /// How many of these bytes belong to the frame that was begun.
    pub(super) fn rest_of_frame(mut self, bytes: &[u8]) -> usize {
        let mut rest = bytes;
        while !self.is_between() && !rest.is_empty() {
            self.step(&mut rest);
        }
        bytes.len() - rest.len()
    }

    /// Goes on, but never from one frame into the next.
    fn step(&mut self, bytes: &mut &[u8]) -> Option<Frame> {
        if self.left > 0 && self.have == 0 {
            let count = self.left.min(bytes.len());
            *bytes = bytes.get(count..).unwrap_or_default();
            self.left -= count;
            return None;
        }
        let needed = match self.have < HEAD_BYTES {
            true => HEAD_BYTES,
            false => HEAD_BYTES + WORD_BYTES,
        };
        let places = self.head.iter_mut().take(needed).skip(self.have);
        let count = places.zip(*bytes).fold(0, |count, (place, byte)| {
            *place = *byte;
            count + 1
        });
        *bytes = bytes.get(count..).unwrap_or_default();
        self.have += count;
        if self.have < needed {
            return None;
        }
        let frame = self.frame();
        let has_word = matches!(frame.kind, RST_STREAM | GOAWAY) && frame.length >= WORD_BYTES;
        let is_whole = needed > HEAD_BYTES;
        if has_word && !is_whole {
            return None;
        }
        self.have = 0;
        self.left = frame.length - if is_whole { WORD_BYTES } else { 0 };
        Some(frame)
    }

    fn frame(&self) -> Frame {
        let [a, b, c, kind, _, d, e, f, g, word @ ..] = self.head;
        let is_there = self.have > HEAD_BYTES;
        Frame {
            length: u32::from_be_bytes([0, a, b, c]) as usize,
            kind,
            // The first bit has no meaning.
            stream: u32::from_be_bytes([d & 0x7f, e, f, g]),
            word: if is_there {
                u32::from_be_bytes(word)
            } else {
                0
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes_of(frames: &[(u8, u32, Vec<u8>)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (kind, stream, payload) in frames {
            bytes.extend(&(payload.len() as u32).to_be_bytes()[1..]);
            bytes.extend([*kind, 0xff]);
            bytes.extend((stream | 1 << 31).to_be_bytes());
            bytes.extend(payload);
        }
        bytes
    }

    fn some_frames() -> (Vec<u8>, Vec<Frame>) {
        let frames = [
            (HEADERS, 1, vec![7; 300]),
            (DATA, 1, Vec::new()),
            (RST_STREAM, 3, vec![0, 0, 1, 8]),
            (RST_STREAM, 3, vec![1, 2]),
            (GOAWAY, 0, vec![0, 0, 0, 9, 0, 0, 0, 1, b'x']),
            (0xee, 5, vec![1; 70_000]),
            (PING, 0, vec![3; 8]),
        ];
        let words = [0, 0, 0x108, 0, 9, 0, 0];
        let expected = frames
            .iter()
            .zip(words)
            .map(|((kind, stream, payload), word)| Frame {
                length: payload.len(),
                kind: *kind,
                stream: *stream,
                word,
            });
        (bytes_of(&frames), expected.collect())
    }

    #[test]
    fn frames_are_found_however_the_bytes_are_cut() {
        let (bytes, expected) = some_frames();
        let bytes = [&[b'p'; 24][..], &bytes].concat();
        for size in [1, 2, 3, 7, 9, 13, 24, 1000, bytes.len()] {
            let mut follower = Follower::after(24);
            let mut found = Vec::new();
            for mut piece in bytes.chunks(size) {
                while let Some(frame) = follower.next(&mut piece) {
                    found.push(frame);
                }
            }
            assert_eq!(found, expected, "in pieces of {size}");
            assert!(follower.is_between(), "in pieces of {size}");
        }
    }

    #[test]
    fn the_rest_of_a_frame_ends_where_the_next_begins() {
        let (bytes, frames) = some_frames();
        let mut ends = vec![0];
        for frame in frames {
            ends.push(ends.last().unwrap() + HEAD_BYTES + frame.length);
        }
        for at in (0..2000).chain(bytes.len() - 200..bytes.len()) {
            let mut follower = Follower::after(0);
            let mut before = &bytes[..at];
            while follower.next(&mut before).is_some() {}
            let end = *ends.iter().find(|end| **end >= at).unwrap();
            assert_eq!(follower.is_between(), end == at, "at {at}");
            assert_eq!(follower.rest_of_frame(&bytes[at..]), end - at, "at {at}");
        }
    }
}
