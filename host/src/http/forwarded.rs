//! What proxies say of the client, in `X-Forwarded-For` or `Forwarded` (RFC 7239).
//!
//! Each proxy adds what it saw at the end, so that both are read from there: what stands at the beginning may be the
//! client's own, and broken on purpose.

use std::net::{IpAddr, SocketAddr};

use ::http::header::{FORWARDED, HeaderMap, HeaderName};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
/// Proxies that a request may come through.
const HOPS_MAX: usize = 32;

/// Which field is believed. A client can send the other one as it likes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientField {
    /// `X-Forwarded-For`, and `X-Forwarded-Proto` with it.
    XForwardedFor,
    /// `Forwarded`.
    Forwarded,
}

/// One that a proxy had a connection from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hop {
    /// The port is 0 where none is said.
    pub(super) client: SocketAddr,
    /// Whether it came by HTTPS; `None` where nothing, or something else, is said.
    pub(super) secured: Option<bool>,
}

/// Gives the client: the last one in the field that is no proxy of ours, or the first one if all are. It ends at what
/// is no address. `None` where the last one is none.
pub(super) fn client(
    field: ClientField,
    headers: &HeaderMap,
    is_proxy: impl Fn(IpAddr) -> bool,
) -> Option<Hop> {
    let name = match field {
        ClientField::XForwardedFor => &X_FORWARDED_FOR,
        ClientField::Forwarded => &FORWARDED,
    };
    let values = headers.get_all(name).iter().rev();
    let elements = values.flat_map(|value| FromEnd::new(value.as_bytes(), b','));
    let hops = elements.map_while(|element| match field {
        ClientField::XForwardedFor => Some(Hop {
            client: address(text(element)?)?,
            secured: None,
        }),
        ClientField::Forwarded => forwarded(element),
    });
    let mut found = None;
    for hop in hops.take(HOPS_MAX) {
        found = Some(hop);
        if !is_proxy(hop.client.ip()) {
            break;
        }
    }
    found
}

/// What the nearest proxy says in `X-Forwarded-Proto`.
pub(super) fn scheme(headers: &HeaderMap) -> Option<bool> {
    let value = headers.get_all(X_FORWARDED_PROTO).iter().next_back()?;
    is_https(text(FromEnd::new(value.as_bytes(), b',').next()?)?)
}

fn is_https(scheme: &str) -> Option<bool> {
    let is = |other: &str| scheme.eq_ignore_ascii_case(other);
    match () {
        () if is("https") || is("wss") => Some(true),
        () if is("http") || is("ws") => Some(false),
        () => None,
    }
}

/// An element of `Forwarded`: `for=192.0.2.43;proto=https`. `None` where it has no address.
fn forwarded(element: &[u8]) -> Option<Hop> {
    let (mut client, mut secured) = (None, None);
    for pair in FromEnd::new(element, b';') {
        let (name, value) = text(pair)?.split_once('=')?;
        if name.eq_ignore_ascii_case("for") {
            // A name that is there twice says nothing.
            if client.replace(address(unquoted(value)?)?).is_some() {
                return None;
            }
        } else if name.eq_ignore_ascii_case("proto") {
            secured = is_https(unquoted(value)?);
        }
    }
    client.map(|client| Hop { client, secured })
}

/// A token, or what a quoted string holds; one with escapes is no address and no scheme.
fn unquoted(value: &str) -> Option<&str> {
    match value.strip_prefix('"') {
        None => Some(value),
        Some(rest) => rest.strip_suffix('"').filter(|it| !it.contains('\\')),
    }
}

/// An address, with or without a port: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`.
/// A port may be a name that begins with an underscore.
fn address(text: &str) -> Option<SocketAddr> {
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Some(SocketAddr::new(ip.to_canonical(), 0));
    }
    let (ip, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (ip, port) = rest.split_once(']')?;
            let ip = IpAddr::V6(ip.parse().ok()?);
            (
                ip,
                port.strip_prefix(':')
                    .or_else(|| port.is_empty().then_some("0"))?,
            )
        }
        None => {
            let (ip, port) = text.split_once(':')?;
            (IpAddr::V4(ip.parse().ok()?), port)
        }
    };
    let is_name = |port: &str| {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        port.strip_prefix('_')
            .is_some_and(|name| !name.is_empty() && name.bytes().all(is_part))
    };
    let is_number =
        !port.is_empty() && port.len() <= 5 && port.bytes().all(|it| it.is_ascii_digit());
    let port = match is_number {
        true => port.parse().ok()?,
        false if is_name(port) => 0,
        false => return None,
    };
    Some(SocketAddr::new(ip.to_canonical(), port))
}

/// Without the space around it.
fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes.trim_ascii()).ok()
}

/// The parts of a list, the last one first. What separates is none within a quoted string.
struct FromEnd<'a> {
    left: Option<&'a [u8]>,
    separator: u8,
}

impl<'a> FromEnd<'a> {
    fn new(list: &'a [u8], separator: u8) -> Self {
        Self {
            left: Some(list),
            separator,
        }
    }
}

impl<'a> Iterator for FromEnd<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let left = self.left.take()?;
        let mut is_quoted = false;
        for (at, byte) in left.iter().enumerate().rev() {
            let before = left.get(..at).unwrap_or_default();
            if *byte == b'"' {
                let escapes = before.iter().rev().take_while(|it| **it == b'\\').count();
                // A quote that begins a string has nothing to escape it.
                if !is_quoted || escapes.is_multiple_of(2) {
                    is_quoted = !is_quoted;
                }
            } else if *byte == self.separator && !is_quoted {
                self.left = Some(before);
                return left.get(at + 1..);
            }
        }
        Some(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::http::HeaderValue;
    use ClientField::{Forwarded, XForwardedFor};

    fn headers(name: &HeaderName, values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            headers.append(name.clone(), value);
        }
        headers
    }

    /// Those of 10.0.0.0/8 are proxies.
    fn is_proxy(ip: IpAddr) -> bool {
        matches!(ip, IpAddr::V4(ip) if ip.octets()[0] == 10)
    }

    fn found(field: ClientField, values: &[&str]) -> Option<String> {
        let name = match field {
            XForwardedFor => &X_FORWARDED_FOR,
            Forwarded => &FORWARDED,
        };
        let hop = client(field, &headers(name, values), is_proxy)?;
        let secured = match hop.secured {
            None => "",
            Some(true) => " https",
            Some(false) => " http",
        };
        Some(format!("{}{secured}", hop.client))
    }

    #[test]
    fn the_client_is_the_last_one_that_is_no_proxy() {
        for (values, expected) in [
            (&["192.0.2.1"][..], Some("192.0.2.1:0")),
            (&[" 192.0.2.1:4711 "], Some("192.0.2.1:4711")),
            (&["2001:db8::1"], Some("[2001:db8::1]:0")),
            (&["[2001:db8::1]"], Some("[2001:db8::1]:0")),
            (&["[2001:db8::1]:443"], Some("[2001:db8::1]:443")),
            (&["::ffff:192.0.2.1"], Some("192.0.2.1:0")),
            (&["198.51.100.9, 192.0.2.1"], Some("192.0.2.1:0")),
            (
                &["198.51.100.9, 192.0.2.1, 10.0.0.1,10.1.1.1"],
                Some("192.0.2.1:0"),
            ),
            (
                &["198.51.100.9", "192.0.2.1", "10.0.0.1"],
                Some("192.0.2.1:0"),
            ),
            (&["10.0.0.2, 10.0.0.1"], Some("10.0.0.2:0")),
            // What is no address ends the way back.
            (&["198.51.100.9, unknown"], None),
            (&["198.51.100.9, unknown, 10.0.0.1"], Some("10.0.0.1:0")),
            (&["198.51.100.9,"], None),
            (&[""], None),
            (&[], None),
            (&["_hidden"], None),
            (&["192.0.2.1:"], None),
            (&["192.0.2.1:65536"], None),
            (&["192.0.2.1:+1"], None),
            (&["192.0.2.01"], None),
            (&["192.0.2"], None),
            (&["2001:db8::1]:1"], None),
            (&["[2001:db8::1"], None),
            (&["[192.0.2.1]:1"], None),
            (&["fe80::1%eth0"], None),
            (&["\"192.0.2.1\""], None),
            (&["192.0.2.1 198.51.100.9"], None),
        ] {
            let expected = expected.map(str::to_owned);
            assert_eq!(found(XForwardedFor, values), expected, "{values:?}");
        }
    }

    #[test]
    fn forwarded_is_read_as_rfc_7239_writes_it() {
        for (values, expected) in [
            (&["for=192.0.2.43"][..], Some("192.0.2.43:0")),
            (
                &["For=\"[2001:db8:cafe::17]:4711\""],
                Some("[2001:db8:cafe::17]:4711"),
            ),
            (
                &["for=\"[2001:db8:cafe::17]\""],
                Some("[2001:db8:cafe::17]:0"),
            ),
            (&["for=\"192.0.2.43:47011\""], Some("192.0.2.43:47011")),
            (&["for=\"192.0.2.43:_port\""], Some("192.0.2.43:0")),
            (
                &["for=192.0.2.60;proto=http;by=203.0.113.43"],
                Some("192.0.2.60:0 http"),
            ),
            (&["proto=HTTPS; for=192.0.2.60"], Some("192.0.2.60:0 https")),
            (
                &["for=192.0.2.43, for=198.51.100.17"],
                Some("198.51.100.17:0"),
            ),
            (
                &["for=192.0.2.43;proto=https, for=10.0.0.1;proto=http"],
                Some("192.0.2.43:0 https"),
            ),
            (&["for=192.0.2.43", "for=10.0.0.1"], Some("192.0.2.43:0")),
            (
                &["for=192.0.2.43;host=\"a,b;c\\\"d\", for=10.0.0.1"],
                Some("192.0.2.43:0"),
            ),
            // What the client wrote before cannot swallow what the proxy adds.
            (
                &["for=\"198.51.100.9, for=192.0.2.43"],
                Some("192.0.2.43:0"),
            ),
            (
                &["for=\"198.51.100.9\\\", for=192.0.2.43"],
                Some("192.0.2.43:0"),
            ),
            (
                &["a\", for=\"192.0.2.43:1\";proto=ws"],
                Some("192.0.2.43:1 http"),
            ),
            (&["for=198.51.100.9, for=unknown"], None),
            (&["for=198.51.100.9, for=_hidden"], None),
            (&["for=198.51.100.9, proto=https"], None),
            (
                &["for=198.51.100.9, for=\"_gazonk\", for=10.0.0.1"],
                Some("10.0.0.1:0"),
            ),
            (&["for=192.0.2.43;for=198.51.100.9"], None),
            (&["for=192.0.2.43;x"], None),
            (&["for=\"192.0.2.43"], None),
            (&["for=\"192.0.2.4\\3\""], None),
            (&["192.0.2.43"], None),
            (&["for = 192.0.2.43"], None),
        ] {
            let expected = expected.map(str::to_owned);
            assert_eq!(found(Forwarded, values), expected, "{values:?}");
        }
    }

    #[test]
    fn the_scheme_is_the_nearest_proxys() {
        for (values, expected) in [
            (&["https"][..], Some(true)),
            (&["HTTP"], Some(false)),
            (&["http, https"], Some(true)),
            (&["https", "http"], Some(false)),
            (&["https,"], None),
            (&["ftp"], None),
            (&["\"https\""], None),
            (&[], None),
        ] {
            assert_eq!(
                scheme(&headers(&X_FORWARDED_PROTO, values)),
                expected,
                "{values:?}"
            );
        }
    }

    #[test]
    fn a_long_way_has_an_end() {
        let long = "10.0.0.1, ".repeat(5_000) + "10.0.0.2";
        assert_eq!(found(XForwardedFor, &[&long]).unwrap(), "10.0.0.1:0");
    }

    #[test]
    fn whatever_is_written_before_does_not_change_what_a_proxy_adds() {
        const BYTES: &[u8] = b"\",;=\\ for192.0:[]_\t\xff";
        let mut random = 0x7e55_e7a0_u64;
        let mut next = || {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            usize::try_from(random % 0xffff).unwrap()
        };
        for _ in 0..20_000 {
            let mut value: Vec<u8> = (0..next() % 30)
                .map(|_| BYTES[next() % BYTES.len()])
                .collect();
            let ends = [
                (XForwardedFor, X_FORWARDED_FOR, &b",192.0.2.43"[..]),
                (Forwarded, FORWARDED, b",for=192.0.2.43"),
                (Forwarded, FORWARDED, b", proto=https;for=\"192.0.2.43\""),
            ];
            let (field, name, end) = &ends[next() % 3];
            value.extend(*end);
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_bytes(&value).unwrap());
            let hop = client(*field, &headers, |_| false).unwrap();
            assert_eq!(hop.client.to_string(), "192.0.2.43:0", "{value:?}");
            // And nothing in it can cause a panic.
            client(*field, &headers, |_| true).unwrap();
        }
    }
}
