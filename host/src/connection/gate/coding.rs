//! Transfer codings: the one that is taken, those that are not known here, and those that leave a body without an end.

use super::bytes::{self, TOKEN};
use crate::http::Reject;

/// Whether the one coding is `chunked`.
///
/// # Errors
///
/// Codings under the chunks and a single coding that is not known here are not implemented. All else is malformed:
/// where the body ends would be anybody's guess (RFC 9112, section 6.3).
pub(super) fn check(value: &[u8]) -> Result<(), Reject> {
    let is_chunked = |coding: &[u8]| coding.eq_ignore_ascii_case(b"chunked");
    if is_chunked(value) {
        return Ok(());
    }
    let mut codings = value.split(|byte| *byte == b',').map(bytes::trimmed);
    let last = codings.next_back().unwrap_or_default();
    let mut has_others = false;
    let mut are_known = true;
    for coding in codings {
        has_others = true;
        are_known &= is_coding(coding) && !is_chunked(coding);
    }
    match are_known && is_coding(last) && (!has_others || is_chunked(last)) {
        true => Err(Reject::TransferCoding),
        false => Err(Reject::Malformed(
            "the body's transfer coding leaves it without an end",
        )),
    }
}

/// A name; parameters may follow it.
fn is_coding(coding: &[u8]) -> bool {
    let name = bytes::run(coding, TOKEN);
    name > 0
        && coding
            .get(name..)
            .is_some_and(|rest| matches!(bytes::trimmed(rest), [] | [b';', ..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_chunked_is_taken() {
        assert_eq!(check(b"chunked"), Ok(()));
        assert_eq!(check(b"Chunked"), Ok(()));
        for unknown in [
            "gzip",
            "identity",
            "xchunked",
            "gzip, chunked",
            "gzip;q=1,deflate , chunked",
        ] {
            assert_eq!(
                check(unknown.as_bytes()),
                Err(Reject::TransferCoding),
                "{unknown}"
            );
        }
        for bad in [
            "",
            ",",
            "chunked,",
            ",chunked",
            "chunked, identity",
            "chunked, chunked",
            "chunked, gzip",
            "gzip, br",
            "\"chunked\"",
            "chun ked",
            "chunked\u{b}",
            "gzip chunked",
            "gzip, , chunked",
            "[chunked",
        ] {
            assert!(
                matches!(check(bad.as_bytes()), Err(Reject::Malformed(_))),
                "{bad}"
            );
        }
    }
}
