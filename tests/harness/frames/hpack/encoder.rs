//! Header blocks, put together from any representations, right or wrong.

use super::huffman;

/// A header block, as bytes.
#[derive(Clone, Debug, Default)]
pub struct Block(Vec<u8>);

/// What a decoder is to do with a literal field.
#[derive(Clone, Copy, Debug)]
pub enum Indexing {
    /// Add it to the dynamic table.
    Incremental,
    /// Do not.
    Without,
    /// Nobody on the way may.
    Never,
}

/// The name of a literal field.
#[derive(Clone, Copy, Debug)]
pub enum Name<'a> {
    /// That of an entry of the tables.
    Index(u64),
    /// As text.
    Text(Text<'a>),
}

/// A string.
#[derive(Clone, Copy, Debug)]
pub enum Text<'a> {
    /// As it is.
    Plain(&'a [u8]),
    /// Huffman-coded.
    Huffman(&'a [u8]),
    /// These very bytes, with any mark and any length before them.
    Raw {
        /// Whether the mark says that it is coded.
        is_huffman: bool,
        /// The length it claims.
        length: u64,
        /// What follows.
        bytes: &'a [u8],
    },
}

impl Block {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// The head of a GET: without dynamic table, so that it means the same at any time.
    pub fn get(path: &str) -> Self {
        Self::request("GET", path)
    }

    /// The head of a POST.
    pub fn post(path: &str) -> Self {
        Self::request("POST", path)
    }

    /// The four pseudo-header fields of a request.
    pub fn request(method: &str, path: &str) -> Self {
        Self::new()
            .field(":method", method)
            .field(":scheme", "http")
            .field(":path", path)
            .field(":authority", "a")
    }

    /// A literal field without indexing, all as text.
    pub fn field(self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        let name = Name::Text(Text::Plain(name.as_ref()));
        self.literal(Indexing::Without, name, Text::Plain(value.as_ref()))
    }

    /// A literal field that joins the dynamic table.
    pub fn indexing_field(self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        let name = Name::Text(Text::Plain(name.as_ref()));
        self.literal(Indexing::Incremental, name, Text::Plain(value.as_ref()))
    }

    /// An entry of the tables.
    pub fn indexed(mut self, index: u64) -> Self {
        self.0.extend(integer(0x80, 7, index));
        self
    }

    /// A literal field.
    pub fn literal(mut self, indexing: Indexing, name: Name<'_>, value: Text<'_>) -> Self {
        let (mark, prefix) = match indexing {
            Indexing::Incremental => (0x40, 6),
            Indexing::Without => (0x00, 4),
            Indexing::Never => (0x10, 4),
        };
        match name {
            Name::Index(index) => self.0.extend(integer(mark, prefix, index)),
            Name::Text(text) => {
                self.0.push(mark);
                self.text(text);
            }
        }
        self.text(value);
        self
    }

    /// A change of the dynamic table's size, in bytes.
    pub fn size_update(mut self, size: u64) -> Self {
        self.0.extend(integer(0x20, 5, size));
        self
    }

    /// Any bytes.
    pub fn raw(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.0.extend(bytes.as_ref());
        self
    }

    fn text(&mut self, text: Text<'_>) {
        let coded;
        let (is_huffman, length, bytes) = match text {
            Text::Plain(bytes) => (false, bytes.len() as u64, bytes),
            Text::Huffman(bytes) => {
                coded = huffman::encode(bytes);
                (true, coded.len() as u64, coded.as_slice())
            }
            Text::Raw {
                is_huffman,
                length,
                bytes,
            } => (is_huffman, length, bytes),
        };
        self.0
            .extend(integer(if is_huffman { 0x80 } else { 0 }, 7, length));
        self.0.extend(bytes);
    }
}

impl From<Block> for Vec<u8> {
    fn from(block: Block) -> Self {
        block.0
    }
}

/// An integer whose first byte has a mark above a prefix of so many bits (RFC 7541, 5.1).
pub fn integer(mark: u8, prefix: u32, value: u64) -> Vec<u8> {
    let most = (1 << prefix) - 1;
    let low = |value: u64| u8::try_from(value & 0xff).expect("eight bits are a byte");
    if value < most {
        return vec![mark | low(value)];
    }
    let mut bytes = vec![mark | low(most)];
    let mut rest = value - most;
    while rest >= 0x80 {
        bytes.push(low(rest) | 0x80);
        rest >>= 7;
    }
    bytes.push(low(rest));
    bytes
}
