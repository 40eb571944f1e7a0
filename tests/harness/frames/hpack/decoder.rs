//! Decodes header blocks of a server, and takes nothing that RFC 7541 does not allow.

use std::collections::VecDeque;

use super::huffman;
use super::table::STATIC;

type Field = (String, String);

/// A header block, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// Names and values in order; bytes above 127 are the characters of those numbers.
    pub fields: Vec<Field>,
    /// Changes of the table's size at the block's beginning.
    pub size_updates: Vec<usize>,
}

/// The state between header blocks.
#[derive(Debug)]
pub struct Decoder {
    /// The newest first.
    table: VecDeque<Field>,
    /// The most that the table may take, in bytes.
    size_max: usize,
    /// What our SETTINGS allow.
    limit: usize,
    /// The lowest limit since the last block: a block has to begin with it if the table was larger.
    lowest: usize,
}

impl Default for Decoder {
    fn default() -> Self {
        Self {
            table: VecDeque::new(),
            size_max: 4096,
            limit: 4096,
            lowest: 4096,
        }
    }
}

/// What is left of a block.
struct Rest<'a>(&'a [u8]);

impl Decoder {
    /// Our SETTINGS_HEADER_TABLE_SIZE, once it is acknowledged.
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
        self.lowest = self.lowest.min(limit);
    }

    /// The dynamic table's size, in bytes as RFC 7541 counts them.
    pub fn size(&self) -> usize {
        let size = |(name, value): &Field| name.chars().count() + value.chars().count() + 32;
        self.table.iter().map(size).sum()
    }

    /// The dynamic table, the newest entry first.
    pub fn entries(&self) -> Vec<Field> {
        self.table.iter().cloned().collect()
    }

    /// Decodes a whole block. The error says what is wrong.
    pub fn decode(&mut self, block: &[u8]) -> Result<Decoded, String> {
        let mut rest = Rest(block);
        let size_updates = self.size_updates(&mut rest)?;
        let mut fields = Vec::new();
        while let Some(first) = rest.0.first() {
            let field = match first.leading_zeros() {
                0 => {
                    let index = rest.integer(7)?;
                    self.entry(index)?
                }
                1 => {
                    let field = self.literal(&mut rest, 6)?;
                    self.insert(field.clone());
                    field
                }
                2 => return Err("a size update after a field".to_owned()),
                _ => self.literal(&mut rest, 4)?,
            };
            fields.push(field);
        }
        Ok(Decoded {
            fields,
            size_updates,
        })
    }

    /// Where a limit fell below the table's size, the block has to begin with that: lowest first.
    fn size_updates(&mut self, rest: &mut Rest<'_>) -> Result<Vec<usize>, String> {
        let before = self.size_max;
        let lowest = std::mem::replace(&mut self.lowest, self.limit);
        let mut updates = Vec::new();
        while rest.0.first().is_some_and(|first| first >> 5 == 0b001) {
            let size = rest.integer(5)?;
            if size > self.limit {
                return Err(format!("a size update to {size} above {}", self.limit));
            }
            updates.push(size);
            self.size_max = size;
            self.evict(0);
        }
        let was_said = updates.iter().any(|size| *size <= lowest);
        if (before > lowest && !was_said) || updates.len() > 2 {
            return Err(format!("{updates:?} after a limit of {lowest}"));
        }
        Ok(updates)
    }

    fn insert(&mut self, field: Field) {
        let size = field.0.chars().count() + field.1.chars().count() + 32;
        self.evict(size);
        if size <= self.size_max {
            self.table.push_front(field);
        }
    }

    fn evict(&mut self, room: usize) {
        while !self.table.is_empty() && self.size() + room > self.size_max {
            self.table.pop_back();
        }
    }

    fn entry(&self, index: usize) -> Result<Field, String> {
        let before = index.checked_sub(1).ok_or("index 0")?;
        if let Some((name, value)) = STATIC.get(before) {
            return Ok(((*name).to_owned(), (*value).to_owned()));
        }
        let entry = self.table.get(before - STATIC.len());
        entry
            .cloned()
            .ok_or_else(|| format!("nothing has index {index}"))
    }

    fn literal(&self, rest: &mut Rest<'_>, prefix: u32) -> Result<Field, String> {
        let name = match rest.integer(prefix)? {
            0 => rest.text()?,
            index => self.entry(index)?.0,
        };
        Ok((name, rest.text()?))
    }
}

impl Rest<'_> {
    fn byte(&mut self) -> Result<u8, String> {
        let (first, rest) = self.0.split_first().ok_or("the block is cut off")?;
        self.0 = rest;
        Ok(*first)
    }

    fn integer(&mut self, prefix: u32) -> Result<usize, String> {
        let most = (1_usize << prefix) - 1;
        let mut value = usize::from(self.byte()?) & most;
        if value < most {
            return Ok(value);
        }
        for shift in (0..28).step_by(7) {
            let byte = self.byte()?;
            value += usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err("an integer without end".to_owned())
    }

    fn text(&mut self) -> Result<String, String> {
        let is_huffman = self.0.first().is_some_and(|first| first & 0x80 != 0);
        let length = self.integer(7)?;
        let text = self.0.split_at_checked(length);
        let (text, rest) = text.ok_or("a string is cut off")?;
        self.0 = rest;
        let bytes = match is_huffman {
            true => huffman::decode(text)?,
            false => text.to_vec(),
        };
        Ok(bytes.into_iter().map(char::from).collect())
    }
}
