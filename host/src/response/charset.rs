//! Texts in the character sets that the documents list.

use std::borrow::Cow;
use std::fmt::Write as _;

use bytes::Bytes;
use encoding_rs::{EncoderResult, Encoding};

use super::html::Pieces;
use crate::settings::Charset;

/// What every set is called in HTTP, and what else it is known as; the preferred name first.
const NAMES: &[(Charset, &[&str])] = &[
    (Charset::Utf8, &["utf-8", "utf8"]),
    (
        Charset::Iso8859_1,
        &[
            "ISO-8859-1",
            "ISO_8859-1",
            "latin1",
            "l1",
            "IBM819",
            "CP819",
        ],
    ),
    (
        Charset::Iso8859_9,
        &["ISO-8859-9", "ISO_8859-9", "latin5", "l5"],
    ),
    (
        Charset::Iso8859_10,
        &["ISO-8859-10", "ISO_8859-10", "latin6", "l6"],
    ),
    (
        Charset::ShiftJis,
        &["Shift_JIS", "Shift-JIS", "MS_Kanji", "sjis"],
    ),
    (Charset::Windows31J, &["Windows-31J", "csWindows31J"]),
    (Charset::Big5, &["Big5", "csBig5"]),
    (Charset::EucKr, &["EUC-KR", "csEUCKR"]),
    (Charset::Windows1250, &["windows-1250"]),
    (Charset::Windows1251, &["windows-1251"]),
    (Charset::Windows1253, &["windows-1253"]),
    (Charset::Windows1255, &["windows-1255"]),
    (Charset::Windows1256, &["windows-1256"]),
];

/// The yen sign and the overline, which the library's Shift_JIS encodes as backslash and tilde: in a script, the text that
/// a component was given would end with the quote that it had put behind it.
const TAKEN_FOR_ASCII: [char; 2] = ['\u{a5}', '\u{203e}'];

/// What stands for a character that a set does not have, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Markup {
    /// A numeric character reference where browsers decode it, a question mark in scripts and comments.
    Html,
    /// A reference everywhere.
    Xml,
    /// A question mark.
    None,
}

/// What a set is called in a Content-Type.
pub(super) fn name(charset: Charset) -> &'static str {
    let names = NAMES.iter().find(|(one, _)| *one == charset);
    names
        .and_then(|(_, names)| names.first())
        .copied()
        .unwrap_or("utf-8")
}

/// The set of a name.
pub(super) fn named(name: &str) -> Option<Charset> {
    let is_it =
        |(_, names): &&(Charset, &[&str])| names.iter().any(|one| one.eq_ignore_ascii_case(name));
    NAMES.iter().find(is_it).map(|(charset, _)| *charset)
}

/// Decodes bytes, as browsers do; none of UTF-8, which needs no decoding.
pub(super) fn decode(bytes: &[u8], charset: Charset) -> Option<Cow<'_, str>> {
    let encoding = match charset {
        Charset::Utf8 => return None,
        Charset::Iso8859_1 => encoding_rs::WINDOWS_1252,
        Charset::Iso8859_9 => encoding_rs::WINDOWS_1254,
        other => encoding(other)?,
    };
    Some(encoding.decode_without_bom_handling(bytes).0)
}

/// Encodes a text. Without `extended`, what is not ASCII becomes a reference in HTML whether or not the set has it.
pub(super) fn encode(text: String, charset: Charset, markup: Markup, extended: bool) -> Bytes {
    let into_references = markup == Markup::Html && !extended;
    // All sets have ASCII, each character where ASCII has it.
    if (charset == Charset::Utf8 && !into_references) || text.is_ascii() {
        return text.into();
    }
    let mut encoded = Vec::with_capacity(text.len() + text.len() / 2);
    match markup {
        Markup::Html => {
            for (piece, decodes) in Pieces::of(&text) {
                if decodes && into_references {
                    push_ascii(&mut encoded, piece);
                } else {
                    push(&mut encoded, piece, charset, decodes);
                }
            }
        }
        Markup::Xml => push(&mut encoded, &text, charset, true),
        Markup::None => push(&mut encoded, &text, charset, false),
    }
    encoded.into()
}

/// Appends a text with references for all that is not ASCII.
fn push_ascii(to: &mut Vec<u8>, text: &str) {
    for c in text.chars() {
        match u8::try_from(c) {
            Ok(byte) if byte.is_ascii() => to.push(byte),
            _ => push_lacking(to, c, true),
        }
    }
}

/// Appends a text in a character set.
fn push(to: &mut Vec<u8>, text: &str, charset: Charset, references: bool) {
    let single_byte: fn(char) -> Option<u8> = match charset {
        Charset::Iso8859_1 => latin_1,
        Charset::Iso8859_9 => latin_5,
        _ => {
            let Some(encoding) = encoding(charset) else {
                to.extend_from_slice(text.as_bytes());
                return;
            };
            // Only of Shift_JIS, but the others have neither.
            for piece in text.split_inclusive(TAKEN_FOR_ASCII) {
                let lacking = piece.chars().next_back();
                let lacking = lacking.filter(|c| TAKEN_FOR_ASCII.contains(c));
                let length = piece.len() - lacking.map_or(0, char::len_utf8);
                let known = piece.get(..length).unwrap_or_default();
                push_encoded(to, known, encoding, references);
                if let Some(c) = lacking {
                    push_lacking(to, c, references);
                }
            }
            return;
        }
    };
    for c in text.chars() {
        match single_byte(c) {
            Some(byte) => to.push(byte),
            None => push_lacking(to, c, references),
        }
    }
}

fn push_encoded(to: &mut Vec<u8>, mut text: &str, encoding: &'static Encoding, references: bool) {
    let mut encoder = encoding.new_encoder();
    loop {
        let most = encoder.max_buffer_length_from_utf8_without_replacement(text.len());
        to.reserve(most.unwrap_or(text.len()));
        let (result, read) = encoder.encode_from_utf8_to_vec_without_replacement(text, to, true);
        text = text.get(read..).unwrap_or_default();
        match result {
            EncoderResult::InputEmpty => return,
            EncoderResult::OutputFull => {}
            EncoderResult::Unmappable(c) => push_lacking(to, c, references),
        }
    }
}

/// Appends what stands for a character that cannot be there itself.
fn push_lacking(to: &mut Vec<u8>, c: char, reference: bool) {
    if !reference {
        to.push(b'?');
        return;
    }
    let mut text = String::new();
    // Writing to memory does not fail.
    let _ = write!(text, "&#{};", u32::from(c));
    to.extend_from_slice(text.as_bytes());
}

/// ISO-8859-1, and not Windows-1252, which browsers read it as and which has other characters from 128 to 159.
fn latin_1(c: char) -> Option<u8> {
    u8::try_from(c).ok()
}

/// ISO-8859-9: Turkish letters in six places of ISO-8859-1.
fn latin_5(c: char) -> Option<u8> {
    match c {
        '\u{d0}' | '\u{dd}' | '\u{de}' | '\u{f0}' | '\u{fd}' | '\u{fe}' => None,
        'Ğ' => Some(0xd0),
        'İ' => Some(0xdd),
        'Ş' => Some(0xde),
        'ğ' => Some(0xf0),
        'ı' => Some(0xfd),
        'ş' => Some(0xfe),
        c => latin_1(c),
    }
}

/// The library's encoding; none for UTF-8 and those that it has only as supersets.
fn encoding(charset: Charset) -> Option<&'static Encoding> {
    Some(match charset {
        Charset::Utf8 | Charset::Iso8859_1 | Charset::Iso8859_9 => return None,
        Charset::Iso8859_10 => encoding_rs::ISO_8859_10,
        // What is called Shift_JIS on the web is Windows-31J.
        Charset::ShiftJis | Charset::Windows31J => encoding_rs::SHIFT_JIS,
        Charset::Big5 => encoding_rs::BIG5,
        Charset::EucKr => encoding_rs::EUC_KR,
        Charset::Windows1250 => encoding_rs::WINDOWS_1250,
        Charset::Windows1251 => encoding_rs::WINDOWS_1251,
        Charset::Windows1253 => encoding_rs::WINDOWS_1253,
        Charset::Windows1255 => encoding_rs::WINDOWS_1255,
        Charset::Windows1256 => encoding_rs::WINDOWS_1256,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str, charset: Charset) -> Bytes {
        encode(text.to_owned(), charset, Markup::None, true)
    }

    #[test]
    fn every_set_encodes_its_letters() {
        for (charset, text, expected) in [
            (Charset::Utf8, "é€", &b"\xc3\xa9\xe2\x82\xac"[..]),
            (Charset::Iso8859_1, "é\u{80}ÿ€", b"\xe9\x80\xff?"),
            (
                Charset::Iso8859_9,
                "éğĞıİşŞð",
                b"\xe9\xf0\xd0\xfd\xdd\xfe\xde?",
            ),
            (Charset::Iso8859_10, "Ąþ", b"\xa1\xfe"),
            (Charset::ShiftJis, "あｱ", b"\x82\xa0\xb1"),
            (Charset::Windows31J, "①", b"\x87\x40"),
            (Charset::Big5, "中", b"\xa4\xa4"),
            (Charset::EucKr, "가", b"\xb0\xa1"),
            (Charset::Windows1250, "ł€", b"\xb3\x80"),
            (Charset::Windows1251, "Я", b"\xdf"),
            (Charset::Windows1253, "Ω", b"\xd9"),
            (Charset::Windows1255, "א", b"\xe0"),
            (Charset::Windows1256, "ب", b"\xc8"),
        ] {
            assert_eq!(plain(text, charset), expected, "{charset:?}");
            assert_eq!(plain("ASCII \\~", charset), "ASCII \\~", "{charset:?}");
        }
    }

    #[test]
    fn no_other_character_becomes_ascii() {
        for (charset, _) in NAMES {
            for c in '\u{80}'..='\u{ffff}' {
                let encoded = plain(c.encode_utf8(&mut [0; 4]), *charset);
                let is_ascii = encoded.len() == 1 && encoded.is_ascii();
                assert!(
                    !is_ascii || encoded == "?",
                    "{charset:?}: {c:?}: {encoded:?}"
                );
            }
        }
        let script = "<script>x='\u{a5}'</script>\u{a5}".to_owned();
        let encoded = encode(script, Charset::ShiftJis, Markup::Html, true);
        assert_eq!(encoded, "<script>x='?'</script>&#165;");
    }

    #[test]
    fn every_set_has_a_name_that_leads_back() {
        assert_eq!(NAMES.len(), 13);
        for (charset, names) in NAMES {
            assert_eq!(name(*charset), names[0]);
            for name in *names {
                assert_eq!(named(&name.to_ascii_uppercase()), Some(*charset));
            }
        }
        for other in ["us-ascii", "windows-1252", "utf-16", ""] {
            assert_eq!(named(other), None, "{other}");
        }
    }

    #[test]
    fn what_a_set_lacks_is_a_reference_or_a_question_mark() {
        let text = "<p>é€<script>'€é'</script>";
        for (markup, extended, expected) in [
            (
                Markup::Html,
                true,
                &b"<p>\xe9&#8364;<script>'?\xe9'</script>"[..],
            ),
            (
                Markup::Html,
                false,
                b"<p>&#233;&#8364;<script>'?\xe9'</script>",
            ),
            (
                Markup::Xml,
                false,
                b"<p>\xe9&#8364;<script>'&#8364;\xe9'</script>",
            ),
            (Markup::None, false, b"<p>\xe9?<script>'?\xe9'</script>"),
        ] {
            let encoded = encode(text.into(), Charset::Iso8859_1, markup, extended);
            assert_eq!(encoded, expected, "{markup:?}");
        }
        let far = encode("x😀y€z".into(), Charset::Big5, Markup::Xml, true);
        assert_eq!(far, &b"x&#128512;y\xa3\xe1z"[..]);
    }

    #[test]
    fn extended_characters_are_references_in_html_only() {
        let text = "<p title=\"é\">é<!-- é -->";
        for (markup, extended, expected) in [
            (Markup::Html, false, "<p title=\"&#233;\">&#233;<!-- é -->"),
            (Markup::Html, true, text),
            (Markup::Xml, false, text),
            (Markup::None, false, text),
        ] {
            let encoded = encode(text.into(), Charset::Utf8, markup, extended);
            assert_eq!(encoded, expected, "{markup:?} {extended}");
        }
    }
}
