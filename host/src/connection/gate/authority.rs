//! What may name a host: strictly, since two readers of a loose one may see two hosts.

use std::net::Ipv6Addr;

use super::bytes::{self, HOST};

/// Longest name that the domain name system has.
const NAME_BYTES_MAX: usize = 255;

/// Whether this is a host and perhaps a port, and nothing else: no user, no path, no list.
pub(super) fn is_authority(authority: &[u8]) -> bool {
    let host = match authority.first() {
        Some(b'[') => address_length(authority),
        _ => bytes::run(authority, HOST),
    };
    let has_host = (1..=NAME_BYTES_MAX).contains(&host);
    has_host
        && match authority.get(host..).unwrap_or_default() {
            [] => true,
            [b':', port @ ..] => is_port(port),
            _ => false,
        }
}

/// Whether two are the same host and port; a port that is the scheme's own may be left out.
pub(super) fn is_same(one: &[u8], other: &[u8], is_https: bool) -> bool {
    let default: &[u8] = if is_https { b"443" } else { b"80" };
    let ((one, one_port), (other, other_port)) = (split(one), split(other));
    let is_same_port = match (one_port, other_port) {
        (None | Some([]), None | Some([])) => true,
        (Some(port), None | Some([])) | (None | Some([]), Some(port)) => port == default,
        (Some(port), Some(other)) => port == other,
    };
    one.eq_ignore_ascii_case(other) && is_same_port
}

/// Cuts at the colon of the port, which is none of an IPv6 address.
fn split(authority: &[u8]) -> (&[u8], Option<&[u8]>) {
    let address_end = match authority.first() {
        Some(b'[') => authority.iter().position(|byte| *byte == b']'),
        _ => None,
    };
    let from = address_end.unwrap_or_default();
    let colon = authority.iter().skip(from).position(|byte| *byte == b':');
    match colon {
        None => (authority, None),
        Some(colon) => {
            let (host, port) = authority.split_at(from + colon);
            (host, port.get(1..))
        }
    }
}

/// How many bytes at the beginning are an IPv6 address in brackets.
fn address_length(authority: &[u8]) -> usize {
    let end = authority.iter().position(|byte| *byte == b']');
    let end = end.unwrap_or_default();
    let address = std::str::from_utf8(authority.get(1..end).unwrap_or_default()).ok();
    match address.is_some_and(|address| address.parse::<Ipv6Addr>().is_ok()) {
        true => end + 1,
        false => 0,
    }
}

/// RFC 3986, section 3.2.3 lets it be empty.
fn is_port(port: &[u8]) -> bool {
    let number = port.iter().try_fold(0_u32, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| byte - b'0')?;
        Some(number * 10 + u32::from(digit)).filter(|number| *number <= u32::from(u16::MAX))
    });
    port.len() <= 5 && number.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_host_and_a_port_are_an_authority() {
        for good in [
            "a",
            "a.example",
            "a.example.",
            "a_b-c.example:80",
            "127.0.0.1",
            "127.0.0.1:65535",
            "[::1]",
            "[2001:db8::1]:8080",
            "a:",
            "xn--bcher-kva.example",
        ] {
            assert!(is_authority(good.as_bytes()), "{good}");
            assert!(good.parse::<::http::uri::Authority>().is_ok(), "{good}");
        }
        for bad in [
            "",
            ":80",
            "a b",
            "a,b",
            "a/b",
            "user@a",
            "a:b",
            "a:80:81",
            "a:65536",
            "a:000080",
            "a:-1",
            "a:+1",
            "::1",
            "[::1",
            "[::1]80",
            "[]",
            "[::1%25eth0]",
            "[v1.a]",
            "a%20b",
            "a\\b",
            "a?b",
            "a#b",
            "\u{fc}",
            "a\0",
        ] {
            assert!(!is_authority(bad.as_bytes()), "{bad}");
        }
        assert!(!is_authority(&[b'a'; 256]));
    }

    #[test]
    fn the_same_host_may_be_spelled_in_more_than_one_way() {
        assert!(is_same(b"A.example", b"a.EXAMPLE:80", false));
        assert!(is_same(b"a:443", b"a", true));
        assert!(is_same(b"[::1]:8080", b"[::1]:8080", false));
        assert!(!is_same(b"a:443", b"a", false));
        assert!(!is_same(b"a", b"b", false));
        assert!(!is_same(b"a:8080", b"a", false));
    }
}
