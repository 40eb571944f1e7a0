//! The Huffman code of RFC 7541, appendix B. It is canonical: the lengths say it all.

use std::sync::LazyLock;

/// Bits of the code of each byte.
const LENGTHS: [u8; 256] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28,
    28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5,
    5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6,
    6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22,
    23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22,
    21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20,
    22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19,
    21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22,
    22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
];
/// The longest code, in bits.
const LONGEST: u8 = 30;

/// The codes, shortest first, then in the order of the bytes: length, code, byte. The end of a string, the one code
/// that is left, is in none.
static CODES: LazyLock<Vec<(u8, u32, u8)>> = LazyLock::new(|| {
    let mut bytes: Vec<u8> = (0..=255).collect();
    bytes.sort_by_key(|byte| LENGTHS[usize::from(*byte)]);
    let (mut code, mut before) = (0, 0);
    let numbered = bytes.into_iter().map(|byte| {
        let length = LENGTHS[usize::from(byte)];
        code <<= length - before;
        before = length;
        code += 1;
        (length, code - 1, byte)
    });
    numbered.collect()
});

/// Codes bytes, and fills the last one up with ones.
pub fn encode(text: &[u8]) -> Vec<u8> {
    let mut bits = Vec::new();
    for byte in text {
        let known = CODES.iter().find(|(_, _, known)| known == byte);
        let (length, code, _) = known.expect("every byte has a code");
        bits.extend((0..*length).rev().map(|bit| code >> bit & 1 == 1));
    }
    while bits.len() % 8 != 0 {
        bits.push(true);
    }
    let byte = |bits: &[bool]| bits.iter().fold(0, |byte, bit| byte << 1 | u8::from(*bit));
    bits.chunks(8).map(byte).collect()
}

/// Decodes. The error says what makes it no Huffman string.
pub fn decode(coded: &[u8]) -> Result<Vec<u8>, String> {
    let mut text = Vec::new();
    let (mut code, mut length) = (0_u32, 0_u8);
    let bits = coded
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1));
    for bit in bits {
        code = code << 1 | u32::from(bit);
        length += 1;
        let at = CODES.binary_search_by_key(&(length, code), |(length, code, _)| (*length, *code));
        if let Ok(at) = at {
            text.push(CODES[at].2);
            (code, length) = (0, 0);
        } else if length == LONGEST {
            return Err("the code of the end of a string".to_owned());
        }
    }
    if length >= 8 || code != (1 << length) - 1 {
        return Err(format!("{length} bits of padding: {code:b}"));
    }
    Ok(text)
}
