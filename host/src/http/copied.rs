//! The beginning of a body, copied while others read it.

/// Most bytes that are copied.
const BYTES_MAX: usize = 64 * 1024;

/// What was copied.
#[derive(Debug, Default)]
pub struct Copied {
    /// None if only the length is wanted.
    bytes: Option<Vec<u8>>,
    length: u64,
}

impl Copied {
    /// Copies, or only counts.
    pub fn new(wants_bytes: bool) -> Self {
        Self {
            bytes: wants_bytes.then(Vec::new),
            length: 0,
        }
    }

    /// The next piece.
    pub fn add(&mut self, piece: &[u8]) {
        self.length += piece.len() as u64;
        if let Some(bytes) = &mut self.bytes {
            let room = BYTES_MAX.saturating_sub(bytes.len());
            bytes.extend_from_slice(piece.get(..room).unwrap_or(piece));
        }
    }

    /// The copy, if one is made: of a long body the first 64 KiB.
    pub fn bytes(&self) -> Option<&[u8]> {
        self.bytes.as_deref()
    }

    /// Whether there was more than that.
    pub fn is_cut(&self) -> bool {
        let copied = self.bytes.as_ref().map(|bytes| bytes.len() as u64);
        copied.is_some_and(|copied| copied < self.length)
    }

    /// How many bytes there were.
    pub fn length(&self) -> u64 {
        self.length
    }
}
