//! The query of a request to admin: the few parameters that operations have.

use hyper::Uri;
use percent_encoding::percent_decode_str;

use super::problem::Problem;
use super::route::Action;
use super::tail::LINES_MAX;
use crate::server::{FAILURES_KEPT, GENERATIONS_KEPT};
use crate::sessions::SESSIONS_LISTED_MAX;

/// Whether a reload may bring a version that imports more than the one before.
pub(super) const ACCEPT: &str = "accept";

/// Whose sessions are asked for.
pub(super) const USER: &str = "user";

/// Whether the cache of files is told of, too.
pub(super) const CACHE: &str = "cache";

/// The URL that is asked about.
pub(super) const URL: &str = "url";

/// The log file that is meant.
pub(super) const FILE: &str = "file";

/// How many are listed at most.
pub(super) const LIMIT: &str = "limit";

/// Where the next part of a list begins.
pub(super) const AFTER: &str = "after";

/// A parameter that is `true` or `false`.
pub(super) struct Flag {
    pub(super) name: &'static str,
    /// One sentence for the description.
    pub(super) about: &'static str,
}

/// The parameters that an operation has.
pub(super) fn flags(action: Action) -> &'static [Flag] {
    match action {
        Action::ReloadServer => &[Flag {
            name: ACCEPT,
            about: "Whether the new version may import interfaces that the one before does not.",
        }],
        Action::Deploy => &[Flag {
            name: ACCEPT,
            about: "Whether the module may import interfaces that the version which serves does not.",
        }],
        Action::Info => &[Flag {
            name: CACHE,
            about: "Whether `cache` is in the answer: what is kept of the host's files in memory.",
        }],
        _ => &[],
    }
}

/// How many an operation lists at most, where `limit` may say that it should be fewer.
pub(super) fn limit_max(action: Action) -> Option<usize> {
    match action {
        Action::Sessions => Some(SESSIONS_LISTED_MAX),
        Action::Errors => Some(FAILURES_KEPT),
        Action::Generations => Some(GENERATIONS_KEPT),
        Action::Log => Some(LINES_MAX),
        _ => None,
    }
}

/// Reads how many are to be listed; as many as may be where it is not said.
///
/// # Errors
///
/// When it is no number from 1 to what the operation lists at most, or there twice.
pub(super) fn limit(uri: &Uri, action: Action) -> Result<usize, Problem> {
    let max = limit_max(action).unwrap_or(usize::MAX);
    let Some(text) = text(uri, LIMIT)? else {
        return Ok(max);
    };
    let number = text
        .parse()
        .ok()
        .filter(|number| (1..=max).contains(number));
    number.ok_or_else(|| {
        let detail = format!("{LIMIT} in the query must be a whole number from 1 to {max}");
        Problem::bad_body(&detail)
    })
}

/// The parameters that are texts, each with one sentence for the description.
pub(super) fn texts(action: Action) -> &'static [(&'static str, &'static str)] {
    match action {
        Action::Sessions => &[
            (USER, "Lists the sessions of this user only."),
            (AFTER, "`next` of the part of the list before."),
        ],
        Action::Log => &[
            (
                FILE,
                "One of `files`; without it the one that was written to last.",
            ),
            (
                AFTER,
                "`next` of the answer before: only what was added since.",
            ),
        ],
        Action::Explain => &[(URL, "The URL, or its path.")],
        _ => &[],
    }
}

/// Reads a text; none where it is not there.
///
/// # Errors
///
/// When it is not percent-encoded UTF-8, or there twice.
pub(super) fn text(uri: &Uri, name: &str) -> Result<Option<String>, Problem> {
    let parts = uri.query().unwrap_or_default().split('&');
    let mut found = parts.filter_map(|part| {
        let (key, value) = part.split_once('=')?;
        (key == name).then_some(value)
    });
    let wrong = || {
        let detail = format!("{name} in the query must be percent-encoded text, and there once");
        Problem::bad_body(&detail)
    };
    match (found.next(), found.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => {
            let value = percent_decode_str(value).decode_utf8();
            Ok(Some(value.map_err(|_| wrong())?.into_owned()))
        }
        _ => Err(wrong()),
    }
}

/// Reads a flag. Without a value it is set, and where it is not there it is not.
///
/// # Errors
///
/// When it is neither `true` nor `false`, or there twice: what is accepted must be clear.
pub(super) fn flag(uri: &Uri, name: &str) -> Result<bool, Problem> {
    let parts = uri.query().unwrap_or_default().split('&');
    let mut found = parts.filter_map(|part| {
        let (key, value) = part.split_once('=').unwrap_or((part, "true"));
        (key == name).then_some(value)
    });
    match (found.next(), found.next()) {
        (None, _) => Ok(false),
        (Some("true"), None) => Ok(true),
        (Some("false"), None) => Ok(false),
        _ => {
            let detail = format!("{name} in the query must be true or false, and there once");
            Err(Problem::bad_body(&detail))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_decoded_and_there_once() {
        for (uri, expected) in [
            ("/", Some(None)),
            ("/?users=a", Some(None)),
            ("/?a&user=", Some(Some(""))),
            ("/?user=Zo%C3%AB%26", Some(Some("Zo\u{eb}&"))),
            ("/?user=%ff", None),
            ("/?user=a&user=b", None),
        ] {
            let uri = uri.parse().unwrap();
            let expected = expected.map(|text| text.map(str::to_owned));
            assert_eq!(text(&uri, USER).ok(), expected, "{uri}");
        }
    }

    #[test]
    fn a_limit_is_a_number_within_bounds() {
        for (uri, expected) in [
            ("/", Some(FAILURES_KEPT)),
            ("/?limit=1", Some(1)),
            ("/?limit=50", Some(50)),
            ("/?limit=51", None),
            ("/?limit=0", None),
            ("/?limit=", None),
            ("/?limit=-1", None),
            ("/?limit=1&limit=2", None),
        ] {
            let uri = uri.parse().unwrap();
            assert_eq!(limit(&uri, Action::Errors).ok(), expected, "{uri}");
        }
    }

    #[test]
    fn a_flag_is_set_or_not_and_nothing_else() {
        for (uri, expected) in [
            ("/", Some(false)),
            ("/?", Some(false)),
            ("/?accept", Some(true)),
            ("/?accept=true", Some(true)),
            ("/?a=b&accept=false", Some(false)),
            ("/?Accept=true", Some(false)),
            ("/?accepted=true", Some(false)),
            ("/?accept=yes", None),
            ("/?accept=", None),
            ("/?accept=true&accept=false", None),
        ] {
            let uri = uri.parse().unwrap();
            assert_eq!(flag(&uri, ACCEPT).ok(), expected, "{uri}");
        }
    }
}
