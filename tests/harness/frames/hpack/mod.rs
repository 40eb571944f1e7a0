//! HPACK (RFC 7541): an encoder that can be wrong in every way, and a decoder that is strict.

mod decoder;
mod encoder;
mod huffman;
mod table;

pub use decoder::{Decoded, Decoder};
pub use encoder::{Block, Indexing, Name, Text, integer};
pub use huffman::{decode as huffman_decode, encode as huffman_encode};
