//! The parts of the first line of a request.

use ::http::Version;

pub(super) fn version(version: Version) -> &'static str {
    match version {
        Version::HTTP_09 => "HTTP/0.9",
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2.0",
        Version::HTTP_3 => "HTTP/3.0",
        _ => "HTTP/1.1",
    }
}

/// A target without its query.
pub(super) fn stem(target: &[u8]) -> &[u8] {
    cut(target, b'?').map_or(target, |(stem, _)| stem)
}

/// The query of a target.
pub(super) fn query(target: &[u8]) -> Option<&[u8]> {
    cut(target, b'?').map(|(_, query)| query)
}

/// What stands behind `$` in a path: the parameters of CGI URLs.
pub(super) fn path_arguments(target: &[u8]) -> Option<&[u8]> {
    cut(stem(target), b'$').map(|(_, arguments)| arguments)
}

/// What stands before the first of these bytes, and behind it.
fn cut(target: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let (before, behind) = target.split_at(memchr::memchr(at, target)?);
    Some((before, behind.get(1..).unwrap_or_default()))
}
