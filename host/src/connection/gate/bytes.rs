//! Which bytes may stand where in a request.

/// In a token: methods, names of fields, codings (RFC 9110, section 5.6.2).
pub(super) const TOKEN: u8 = 1;
/// In a target, before and after its question mark.
pub(super) const TARGET: u8 = 2;
/// In a target after its question mark: browsers send it there as it is.
pub(super) const QUERY: u8 = 4;
/// In the name of a host.
pub(super) const HOST: u8 = 8;

const CLASSES: [u8; 256] = classes();

/// Whether a byte is of a class.
#[inline]
pub(super) fn is(byte: u8, class: u8) -> bool {
    CLASSES.get(usize::from(byte)).copied().unwrap_or_default() & class != 0
}

/// How many bytes at the beginning are of a class.
#[inline]
pub(super) fn run(bytes: &[u8], class: u8) -> usize {
    let other = bytes.iter().position(|byte| !is(*byte, class));
    other.unwrap_or(bytes.len())
}

const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut index = 0;
    while index < 256 {
        classes[index] = class(index as u8);
        index += 1;
    }
    classes
}

const fn class(byte: u8) -> u8 {
    let mut class = 0;
    if byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
    {
        class |= TOKEN;
    }
    // Some of these should be percent-encoded, and are not by clients that mean no harm: `|`, `^`, `\` and such. What
    // would end the target, or its part that counts, is none of them: white space and `#`.
    if byte.is_ascii_graphic() && !matches!(byte, b'#' | b'<' | b'>' | b'`' | b'"' | b'{' | b'}') {
        class |= TARGET;
    }
    if matches!(byte, b'`' | b'{' | b'}') {
        class |= QUERY;
    }
    if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
        class |= HOST;
    }
    class
}

/// How many bytes at the beginning may stand in the value of a field: what is visible, spaces and tabs, and all beyond
/// ASCII (RFC 9110, section 5.5).
#[inline]
pub(super) fn value_run(bytes: &[u8]) -> usize {
    let mut at = 0;
    loop {
        at += words_without_controls(bytes.get(at..).unwrap_or_default());
        let rest = bytes.get(at..).unwrap_or_default();
        let Some(control) = rest.iter().position(|byte| is_control(*byte)) else {
            return bytes.len();
        };
        at += control;
        if rest.get(control) != Some(&b'\t') {
            return at;
        }
        at += 1;
    }
}

fn is_control(byte: u8) -> bool {
    byte < 0x20 || byte == 0x7f
}

/// How many bytes at the beginning certainly are no controls, by eights.
fn words_without_controls(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const HIGHS: u64 = ONES << 7;
    let mut at = 0;
    for word in bytes.chunks_exact(8) {
        let word = u64::from_le_bytes(word.try_into().unwrap_or_default());
        // The classic test for a byte that is less than another one; it never misses the first.
        let below_space = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
        let without_delete = word ^ (ONES * 0x7f);
        let delete = without_delete.wrapping_sub(ONES) & !without_delete & HIGHS;
        if below_space | delete != 0 {
            break;
        }
        at += 8;
    }
    at
}

/// Without spaces and tabs around it.
pub(super) fn trimmed(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_end_at_the_first_control_wherever_it_stands() {
        for length in 0..40 {
            let clean: Vec<u8> = (0..length).map(|i| b" a~\x80\xff"[i % 5]).collect();
            assert_eq!(value_run(&clean), length);
            for at in 0..length {
                for byte in 0..=255_u8 {
                    let mut bytes = clean.clone();
                    bytes[at] = byte;
                    let allowed = byte == b'\t' || !byte.is_ascii_control();
                    assert_eq!(value_run(&bytes), if allowed { length } else { at });
                }
            }
        }
    }

    #[test]
    fn what_a_target_may_hold_the_library_takes_too() {
        for byte in 0..=255_u8 {
            if is(byte, TARGET) {
                let path = format!("/a{}b?a{}b", char::from(byte), char::from(byte));
                assert!(::http::Uri::try_from(path.as_bytes()).is_ok(), "{path}");
            }
            if is(byte, QUERY) {
                let query = format!("/a?a{}b", char::from(byte));
                assert!(::http::Uri::try_from(query.as_bytes()).is_ok(), "{query}");
            }
            if is(byte, TOKEN) {
                let name = [b'x', byte];
                assert!(::http::HeaderName::from_bytes(&name).is_ok(), "{byte}");
                assert!(::http::Method::from_bytes(&name).is_ok(), "{byte}");
            }
        }
    }
}
