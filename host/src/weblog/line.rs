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
pub(super) fn stem(target: &str) -> &str {
    target.split_once('?').map_or(target, |(stem, _)| stem)
}

/// The query of a target.
pub(super) fn query(target: &str) -> Option<&str> {
    target.split_once('?').map(|(_, query)| query)
}

/// What stands behind `$` in a path: the parameters of CGI URLs.
pub(super) fn path_arguments(target: &str) -> Option<&str> {
    stem(target).split_once('$').map(|(_, arguments)| arguments)
}
