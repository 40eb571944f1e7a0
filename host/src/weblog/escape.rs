//! What clients sent, written so that it cannot end its field or its line: bytes that could are percent-encoded.

/// Most bytes of one value that are written: of longer ones the beginning.
const VALUE_BYTES_MAX: usize = 8 * 1024;

/// How a value stands in its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Between quotes.
    Quoted,
    /// Between spaces: a space is written as `+`.
    Bare,
    /// Between spaces, as a name: a space is written as `_`.
    Name,
    /// Between tabs.
    Tabbed,
}

/// Which bytes are written as they are, by their value: looked up, for every byte of every line is.
const KINDS: [Kind; 256] = kinds();

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Space,
    Encoded,
}

const fn kinds() -> [Kind; 256] {
    let mut kinds = [Kind::Encoded; 256];
    // What ASCII shows.
    let mut byte = 0x20;
    while byte < 0x7f {
        kinds[byte] = Kind::Plain;
        byte += 1;
    }
    kinds[b' ' as usize] = Kind::Space;
    kinds[b'"' as usize] = Kind::Encoded;
    kinds[b'\\' as usize] = Kind::Encoded;
    kinds
}

impl Place {
    fn is_plain(self, byte: u8) -> bool {
        let kind = KINDS.get(usize::from(byte)).copied();
        match kind.unwrap_or(Kind::Encoded) {
            Kind::Plain => true,
            Kind::Space => matches!(self, Self::Quoted | Self::Tabbed),
            Kind::Encoded => false,
        }
    }
}

/// Adds a value that a client chose.
pub(super) fn add(out: &mut Vec<u8>, value: &[u8], place: Place) {
    let mut rest = value.get(..VALUE_BYTES_MAX).unwrap_or(value);
    while let Some(end) = rest.iter().position(|byte| !place.is_plain(*byte)) {
        let (plain, other) = rest.split_at(end);
        out.extend_from_slice(plain);
        let Some((byte, behind)) = other.split_first() else {
            return;
        };
        match (byte, place) {
            (b' ', Place::Bare) => out.push(b'+'),
            (b' ', Place::Name) => out.push(b'_'),
            _ => out.extend_from_slice(&encoded(*byte)),
        }
        rest = behind;
    }
    out.extend_from_slice(rest);
}

/// The same, or `-` where there is nothing.
pub(super) fn add_or_dash(out: &mut Vec<u8>, value: Option<&[u8]>, place: Place) {
    match value {
        Some(value) if !value.is_empty() => add(out, value, place),
        _ => out.push(b'-'),
    }
}

fn encoded(byte: u8) -> [u8; 3] {
    let digit = |value: u8| match value {
        0..=9 => b'0' + value,
        _ => b'A' + value - 10,
    };
    [b'%', digit(byte >> 4), digit(byte & 0xf)]
}

/// Adds a number.
pub(super) fn add_number(out: &mut Vec<u8>, mut number: u64) {
    if number < 10 {
        out.push(b'0' + number as u8);
        return;
    }
    let mut digits = [0; 20];
    let mut count = 0;
    for digit in digits.iter_mut().rev() {
        // Less than ten.
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
        count += 1;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(20 - count..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &[u8], place: Place) -> String {
        let mut out = Vec::new();
        add(&mut out, value, place);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn no_byte_ends_a_field_or_a_line() {
        for place in [Place::Quoted, Place::Bare, Place::Name, Place::Tabbed] {
            for byte in 0..=255_u8 {
                let written = text(&[b'a', byte, b'b'], place);
                assert!(written.is_ascii(), "{written:?}");
                let is_safe =
                    |c: char| c.is_ascii_graphic() && c != '"' || c == ' ' && place.is_plain(b' ');
                assert!(
                    written.chars().all(is_safe),
                    "{byte} {place:?}: {written:?}"
                );
            }
        }
        assert_eq!(
            text(b"a b\"c\\\r\n\xe4", Place::Quoted),
            "a b%22c%5C%0D%0A%E4"
        );
        assert_eq!(text(b"a b", Place::Bare), "a+b");
        assert_eq!(text(b"a b", Place::Name), "a_b");
        assert_eq!(text(b"a b\t", Place::Tabbed), "a b%09");
        assert_eq!(text(&[b'x'; 10_000], Place::Bare).len(), VALUE_BYTES_MAX);
    }

    #[test]
    fn numbers_are_written_as_they_are() {
        for number in [0, 7, 10, 404, 65_535, u64::MAX] {
            let mut out = Vec::new();
            add_number(&mut out, number);
            assert_eq!(String::from_utf8(out).unwrap(), number.to_string());
        }
    }
}
