//! The first line of a request: method, target, version.

use std::ops::Range;

use super::authority;
use super::bytes::{self, QUERY, TARGET, TOKEN};
use crate::http::{Reject, TARGET_BYTES_MAX};

/// Longest method: those that are registered have up to 17 characters.
const METHOD_BYTES_MAX: usize = 32;
/// What a version looks like; each zero is any digit.
const VERSION: &[u8] = b"HTTP/0.0\r\n";
const VERSION_MAJOR: usize = 5;
const VERSION_MINOR: usize = 7;

/// A first line that is as it should be. Places are counted from its beginning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    /// How many bytes it has, with the end of the line.
    pub(super) length: usize,
    /// Whether the version is 1.0.
    pub(super) is_http_10: bool,
    /// Where the minor version stands, if it is one that only we take.
    pub(super) newer_minor_at: Option<usize>,
    /// The host in the target, if one is there.
    pub(super) authority: Option<Range<usize>>,
    /// Whether that target begins with `https`.
    pub(super) is_https: bool,
    /// The target of a GET.
    pub(super) gets: Option<Range<usize>>,
}

/// Reads the line; `None` if its end has not come.
///
/// # Errors
///
/// As soon as something is certainly wrong, whether or not the rest has come.
pub(super) fn read(bytes: &[u8]) -> Result<Option<Line>, Reject> {
    let method = bytes::run(bytes, TOKEN);
    if method > METHOD_BYTES_MAX {
        return Err(Reject::NotImplemented);
    }
    match bytes.get(method) {
        None => return Ok(None),
        Some(b' ') if method > 0 => {}
        Some(_) => {
            return Err(Reject::Malformed(
                "the request does not begin with a method",
            ));
        }
    }
    let begin = method + 1;
    let rest = bytes.get(begin..).unwrap_or_default();
    let length = target_length(rest);
    if length > TARGET_BYTES_MAX {
        return Err(Reject::UrlTooLong);
    }
    match rest.get(length) {
        None => return Ok(None),
        Some(b' ') if length > 0 => {}
        Some(b'\r' | b'\n') => {
            return Err(Reject::Malformed("the request does not say its version"));
        }
        Some(_) => {
            return Err(Reject::Malformed(
                "the URL holds a character that it must not",
            ));
        }
    }
    let version_at = begin + length + 1;
    let Some(version) = version(bytes.get(version_at..).unwrap_or_default())? else {
        return Ok(None);
    };
    let (method, target) = (bytes.get(..method), rest.get(..length));
    let method = method.unwrap_or_default();
    let found = form(method, target.unwrap_or_default())?;
    Ok(Some(Line {
        length: version_at + VERSION.len(),
        is_http_10: version == b'0',
        newer_minor_at: (version > b'1').then_some(version_at + VERSION_MINOR),
        authority: found
            .as_ref()
            .map(|found| begin + found.host.start..begin + found.host.end),
        is_https: found.is_some_and(|found| found.is_https),
        gets: (method == b"GET").then_some(begin..begin + length),
    }))
}

fn target_length(rest: &[u8]) -> usize {
    let length = bytes::run(rest, TARGET);
    let is_query = || rest.iter().take(length).any(|byte| *byte == b'?');
    match rest.get(length) {
        Some(byte) if bytes::is(*byte, QUERY) && is_query() => {
            length + bytes::run(rest.get(length..).unwrap_or_default(), TARGET | QUERY)
        }
        _ => length,
    }
}

/// The minor version, a digit; `None` if the end of the line has not come.
fn version(bytes: &[u8]) -> Result<Option<u8>, Reject> {
    for (at, expected) in VERSION.iter().enumerate() {
        let fits = match bytes.get(at) {
            None => return Ok(None),
            Some(byte) if *expected == b'0' => byte.is_ascii_digit(),
            Some(byte) => byte == expected,
        };
        if !fits {
            return Err(Reject::Malformed(
                "the request's version is not written as it should be",
            ));
        }
    }
    if bytes.get(VERSION_MAJOR) != Some(&b'1') {
        return Err(Reject::VersionUnknown);
    }
    Ok(bytes.get(VERSION_MINOR).copied())
}

/// A target that names a host.
struct Absolute {
    host: Range<usize>,
    is_https: bool,
}

/// Which of the forms of RFC 9112, section 3.2 the target has: a path, a whole address, or the asterisk.
fn form(method: &[u8], target: &[u8]) -> Result<Option<Absolute>, Reject> {
    if method == b"CONNECT" {
        return Err(Reject::NotImplemented);
    }
    match target {
        [b'/', ..] => return Ok(None),
        b"*" if method == b"OPTIONS" => return Ok(None),
        b"*" => return Err(Reject::Malformed("only OPTIONS may ask for *")),
        _ => {}
    }
    let has_scheme = |scheme: &[u8]| {
        let begin = target.get(..scheme.len());
        begin.is_some_and(|begin| begin.eq_ignore_ascii_case(scheme))
    };
    let (begin, is_https) = match (has_scheme(b"http://"), has_scheme(b"https://")) {
        (true, _) => (b"http://".len(), false),
        (_, true) => (b"https://".len(), true),
        _ => {
            return Err(Reject::Malformed(
                "the URL is neither a path nor an address of the web",
            ));
        }
    };
    let rest = target.get(begin..).unwrap_or_default();
    let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?'));
    let end = begin + end.unwrap_or(rest.len());
    let host = target.get(begin..end).unwrap_or_default();
    if !authority::is_authority(host) {
        return Err(Reject::Malformed("the host in the URL is not one"));
    }
    Ok(Some(Absolute {
        host: begin..end,
        is_https,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_lines_are_read_whole_and_wait_until_they_are() {
        for good in [
            "GET / HTTP/1.1\r\n",
            "GET /a?b=`c HTTP/1.0\r\n",
            "X-Y~z! /%41|^\\'?{} HTTP/1.9\r\n",
            "OPTIONS * HTTP/1.1\r\n",
            "GET http://a.example:80/b HTTP/1.1\r\n",
            "GET HTTPS://[::1]?b HTTP/1.1\r\n",
            "GET http://a HTTP/1.1\r\n",
            "GET //a/b HTTP/1.1\r\n",
        ] {
            let line = read(good.as_bytes()).unwrap().unwrap();
            assert_eq!(line.length, good.len(), "{good}");
            assert_eq!(
                read(&[good.as_bytes(), b"more"].concat()),
                Ok(Some(line)),
                "{good}"
            );
            for length in 0..good.len() {
                assert_eq!(
                    read(&good.as_bytes()[..length]),
                    Ok(None),
                    "{good}, {length}"
                );
            }
        }
    }

    #[test]
    fn a_line_says_where_its_host_and_its_version_are() {
        let text = "GET https://a.example:8443/b HTTP/1.7\r\n";
        let line = read(text.as_bytes()).unwrap().unwrap();
        assert_eq!(&text[line.authority.unwrap()], "a.example:8443");
        assert!(line.is_https && !line.is_http_10);
        assert_eq!(&text[line.newer_minor_at.unwrap()..], "7\r\n");
        let line = read(b"GET / HTTP/1.0\r\n").unwrap().unwrap();
        assert!(line.is_http_10 && line.newer_minor_at.is_none() && line.authority.is_none());
    }

    #[test]
    fn bad_lines_are_refused() {
        let malformed = |text: &str| matches!(read(text.as_bytes()), Err(Reject::Malformed(_)));
        for bad in [
            " GET / HTTP/1.1\r\n",
            "G\tT / HTTP/1.1\r\n",
            "G(T / HTTP/1.1\r\n",
            "GET  / HTTP/1.1\r\n",
            "GET /\r\n",
            "GET / \r\n",
            "GET /a b HTTP/1.1\r\n",
            "GET /#a HTTP/1.1\r\n",
            "GET /\u{fc} HTTP/1.1\r\n",
            "GET /a\0 HTTP/1.1\r\n",
            "GET /`? HTTP/1.1\r\n",
            "GET / HTTP/1.1 \r\n",
            "GET / HTTP/1.1\n",
            "GET / HTTP/1.1\r\r\n",
            "GET / http/1.1\r\n",
            "GET / HTTP/1.10\r\n",
            "GET / HTTP/11\r\n",
            "GET / HTTPS/1.1\r\n",
            "GET * HTTP/1.1\r\n",
            "OPTIONS *a HTTP/1.1\r\n",
            "GET a HTTP/1.1\r\n",
            "GET a.example:80 HTTP/1.1\r\n",
            "GET ftp://a/ HTTP/1.1\r\n",
            "GET http:/a HTTP/1.1\r\n",
            "GET http:///a HTTP/1.1\r\n",
            "GET http://user@a/ HTTP/1.1\r\n",
            "\u{16}\u{3}\u{1}\u{2}\0",
        ] {
            assert!(malformed(bad), "{bad:?}: {:?}", read(bad.as_bytes()));
        }
        let long = "a".repeat(TARGET_BYTES_MAX);
        for (bad, reject) in [
            (
                "CONNECT a:80 HTTP/1.1\r\n".to_owned(),
                Reject::NotImplemented,
            ),
            ("A".repeat(33), Reject::NotImplemented),
            (format!("GET /{long}"), Reject::UrlTooLong),
            ("GET / HTTP/2.0\r\n".to_owned(), Reject::VersionUnknown),
            ("PRI * HTTP/2.0\r\n".to_owned(), Reject::VersionUnknown),
            ("GET / HTTP/0.9\r\n".to_owned(), Reject::VersionUnknown),
        ] {
            assert_eq!(read(bad.as_bytes()), Err(reject), "{bad:?}");
        }
    }
}
