//! The character set that a file says it is in, and its text.

use std::borrow::Cow;

use super::charset;
use crate::settings::Charset;

/// So far into a file it is looked for, as browsers do.
const LOOKED_AT_BYTES: usize = 1024;
/// Longer names are none of a character set.
const NAME_BYTES_MAX: usize = 40;

/// A character set that a file says it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Declared {
    /// The set.
    pub charset: Charset,
    /// What it is called in a Content-Type.
    pub name: &'static str,
}

/// What the META of a page or the first line of an XML file says; none if that is a set which this server does not have.
pub fn declared(file: &[u8]) -> Option<Declared> {
    let start = file.get(..LOOKED_AT_BYTES).unwrap_or(file);
    let is_xml = start.starts_with(b"<?xml");
    let key: &[u8] = match is_xml {
        true => b"encoding=",
        false => b"charset=",
    };
    let found = |window: &[u8]| window.eq_ignore_ascii_case(key);
    let at = start.windows(key.len()).position(found)?;
    let before = start.get(..at)?;
    let after = start.get(at + key.len()..)?;
    let is_in_place = match is_xml {
        true => !before.contains(&b'>'),
        false => is_in_meta(before),
    };
    if !is_in_place {
        return None;
    }
    let after = after.trim_ascii_start();
    let after = after.strip_prefix(b"\"").unwrap_or(after);
    let after = after.strip_prefix(b"'").unwrap_or(after);
    let is_of_name = |byte: &&u8| byte.is_ascii_alphanumeric() || b"-_:.".contains(byte);
    let length = after.iter().take(NAME_BYTES_MAX).take_while(is_of_name);
    let name = std::str::from_utf8(after.get(..length.count())?).ok()?;
    let charset = charset::named(name)?;
    Some(Declared {
        charset,
        name: charset::name(charset),
    })
}

/// Whether what comes next stands in a META tag.
fn is_in_meta(before: &[u8]) -> bool {
    let Some(open) = before.iter().rposition(|byte| *byte == b'<') else {
        return false;
    };
    let tag = before.get(open + 1..).unwrap_or_default();
    let name = tag.get(..4).unwrap_or_default();
    name.eq_ignore_ascii_case(b"meta") && !tag.contains(&b'>')
}

/// The text of a file in a character set, as UTF-8. What is UTF-8 already stays as it is, and so do bytes that nobody knows the
/// set of.
pub fn into_utf8(file: &[u8], charset: Charset) -> Vec<u8> {
    if std::str::from_utf8(file).is_ok() {
        return file.to_vec();
    }
    match charset::decode(file, charset) {
        Some(Cow::Owned(text)) => text.into_bytes(),
        _ => file.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_its_character_set_where_browsers_look_for_it() {
        for (file, expected) in [
            (
                "<!doctype html><META Charset='ISO-8859-9'>",
                Some("ISO-8859-9"),
            ),
            (
                "<meta http-equiv=\"Content-Type\" content=\"text/html; charset=latin1\">",
                Some("ISO-8859-1"),
            ),
            (
                "<?xml version=\"1.0\" encoding=\"windows-1251\"?>",
                Some("windows-1251"),
            ),
            ("<?xml version=\"1.0\"?><a encoding=\"Big5\">", None),
            ("<p>charset=latin1", None),
            ("<meta><p charset=latin1>", None),
            ("<meta charset=\"unheard\">", None),
            ("<meta charset=", None),
            ("", None),
        ] {
            let found = declared(file.as_bytes()).map(|found| found.name);
            assert_eq!(found, expected, "{file}");
        }
        let late = [" ".repeat(2000).as_str(), "<meta charset=latin1>"].concat();
        assert_eq!(declared(late.as_bytes()), None);
    }

    #[test]
    fn texts_of_every_set_become_utf_8() {
        for (charset, bytes, expected) in [
            (Charset::Iso8859_1, &b"\xe9"[..], "é".as_bytes()),
            (Charset::Iso8859_9, b"\xfe", "ş".as_bytes()),
            (Charset::Windows1251, b"\xdf", "Я".as_bytes()),
            (Charset::Big5, b"\xa4\xa4", "中".as_bytes()),
            (Charset::Iso8859_1, "é".as_bytes(), "é".as_bytes()),
            (Charset::Utf8, b"\xe9", b"\xe9"),
        ] {
            assert_eq!(into_utf8(bytes, charset), expected, "{charset:?}");
        }
    }
}
