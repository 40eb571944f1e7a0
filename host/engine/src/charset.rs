//! Texts of requests in the character set that they say.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8};

use crate::parameters::parameter;

/// The set of a name, as browsers know it.
pub(crate) fn named(name: &str) -> Option<&'static Encoding> {
    Encoding::for_label(name.trim().as_bytes())
}

/// The set that a Content-Type names.
pub(crate) fn of_type(content_type: &str) -> Option<&'static Encoding> {
    named(&parameter(content_type, "charset")?)
}

/// Decodes a text; UTF-8 where nothing else is said. What is not of the set becomes U+FFFD.
pub(crate) fn decoded<'a>(bytes: &'a [u8], charset: Option<&'static Encoding>) -> Cow<'a, str> {
    let charset = charset.unwrap_or(UTF_8);
    charset.decode_without_bom_handling(bytes).0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_decoded_as_they_say() {
        for (content_type, bytes, expected) in [
            ("text/plain", &b"\xc3\xbc"[..], "\u{fc}"),
            ("text/plain; charset=ISO-8859-1", b"\xfc", "\u{fc}"),
            ("text/plain; charset=\"shift_jis\"", b"\x93\xfa", "\u{65e5}"),
            ("text/plain; charset=nothing", b"\xff", "\u{fffd}"),
        ] {
            assert_eq!(decoded(bytes, of_type(content_type)), expected);
        }
    }
}
