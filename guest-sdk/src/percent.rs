//! Percent-decoding, of cookies and of paths.

use std::borrow::Cow;

/// Turns `%41` into `A`; what does not decode stays, and bytes that are no UTF-8 become U+FFFD.
pub(crate) fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let digit = |byte: Option<&u8>| byte.and_then(|&byte| char::from(byte).to_digit(16));
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match (digit(bytes.get(at + 1)), digit(bytes.get(at + 2))) {
            (Some(high), Some(low)) if byte == b'%' => {
                decoded.push((high * 16 + low) as u8);
                at += 3;
            }
            _ => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    Cow::Owned(match String::from_utf8(decoded) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_what_is_encoded_and_keeps_the_rest() {
        for (encoded, expected) in [
            ("", ""),
            ("a+b", "a+b"),
            ("%41%c3%A9", "Aé"),
            ("%", "%"),
            ("%4", "%4"),
            ("%+1%zz%", "%+1%zz%"),
            ("%ff", "\u{fffd}"),
            ("%25%34%31", "%41"),
        ] {
            assert_eq!(decode(encoded), expected, "{encoded}");
        }
        assert!(matches!(decode("plain"), Cow::Borrowed("plain")));
    }
}
