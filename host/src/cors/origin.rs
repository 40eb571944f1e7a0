//! Where a page came from: the Origin field, and the same of the request itself.

use std::net::IpAddr;

/// Scheme, host and port, as far as a field of a request is one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Origin<'a> {
    pub(super) scheme: &'a str,
    pub(super) host: Host<'a>,
    /// The port that was named, or that of the scheme.
    pub(super) port: Option<u16>,
}

/// A host as it was written; two are the same whatever their spelling.
#[derive(Clone, Copy, Debug)]
pub(super) struct Host<'a> {
    pub(super) text: &'a str,
    pub(super) address: Option<IpAddr>,
}

impl<'a> Origin<'a> {
    /// Reads an Origin. None is an opaque one (`null`), or something that is none at all.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let is_scheme_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        if !scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            || !scheme.chars().all(is_scheme_char)
        {
            return None;
        }
        Self::at(scheme, rest)
    }

    /// The origin of a request's own pages; `authority` is its host, with or without a port.
    pub(super) fn at(scheme: &'a str, authority: &'a str) -> Option<Self> {
        let (host, port) = host_and_port(authority)?;
        Some(Self {
            scheme,
            host,
            port: port.or_else(|| standard_port(scheme)),
        })
    }
}

impl Origin<'_> {
    /// Whether two are the same, whatever their spelling.
    pub(super) fn is(&self, other: &Origin<'_>) -> bool {
        self.scheme.eq_ignore_ascii_case(other.scheme)
            && self.host == other.host
            && self.port == other.port
    }
}

impl PartialEq for Host<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self.address, other.address) {
            (Some(one), Some(other)) => one == other,
            _ => self.text.eq_ignore_ascii_case(other.text),
        }
    }
}

impl Eq for Host<'_> {}

/// Takes `host`, `host:port`, `[IPv6]` or `[IPv6]:port` apart.
pub(super) fn host_and_port(text: &str) -> Option<(Host<'_>, Option<u16>)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (inside, after) = rest.split_once(']')?;
        let host = Host {
            text: inside,
            address: Some(IpAddr::V6(inside.parse().ok()?)),
        };
        return match after.strip_prefix(':') {
            Some(port) => Some((host, Some(parse_port(port)?))),
            None => after.is_empty().then_some((host, None)),
        };
    }
    let (name, port) = match text.split_once(':') {
        Some((name, port)) => (name, Some(parse_port(port)?)),
        None => (text, None),
    };
    let is_name_byte =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    if name.is_empty() || !name.bytes().all(is_name_byte) {
        return None;
    }
    let address = name.parse().ok().map(IpAddr::V4);
    Some((
        Host {
            text: name,
            address,
        },
        port,
    ))
}

/// Digits only: `parse` alone would take `+80`.
pub(super) fn parse_port(text: &str) -> Option<u16> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

fn standard_port(scheme: &str) -> Option<u16> {
    if scheme.eq_ignore_ascii_case("https") {
        Some(443)
    } else {
        scheme.eq_ignore_ascii_case("http").then_some(80)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_origins_are_origins() {
        for (text, expected) in [
            ("http://example.com", Some(("example.com", Some(80)))),
            ("https://example.com", Some(("example.com", Some(443)))),
            (
                "HTTPS://Example.com:8443",
                Some(("Example.com", Some(8443))),
            ),
            ("http://[::1]:81", Some(("::1", Some(81)))),
            ("chrome-extension://abc", Some(("abc", None))),
            ("null", None),
            ("", None),
            ("example.com", None),
            ("http://", None),
            ("http://:80", None),
            ("http://a:b", None),
            ("http://a:", None),
            ("http://a:+80", None),
            ("http://a:65536", None),
            ("http://a/", None),
            ("http://a/path", None),
            ("http://user@a", None),
            ("http://a b", None),
            ("http://a:1:2", None),
            ("http://[::1", None),
            ("http://[::1]x", None),
            ("http://[name]", None),
            ("://a", None),
            ("1://a", None),
            ("http://\u{e9}.com", None),
        ] {
            let found = Origin::parse(text).map(|origin| (origin.host.text, origin.port));
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn one_origin_has_many_spellings() {
        for (one, other, expected) in [
            ("http://a.example", "HTTP://A.Example:80", true),
            ("https://a.example", "https://a.example:443", true),
            ("http://[2001:db8::5]", "http://[2001:DB8:0::5]:80", true),
            ("http://a.example", "https://a.example", false),
            ("http://a.example", "http://a.example:81", false),
            ("http://a.example", "http://b.example", false),
            ("http://127.0.0.1", "http://127.0.0.2", false),
        ] {
            let [one, other] = [one, other].map(|text| Origin::parse(text).unwrap());
            assert_eq!(one.is(&other), expected, "{one:?} {other:?}");
        }
    }
}
