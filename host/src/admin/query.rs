//! The query of a request to admin: the few parameters that operations have.

use hyper::Uri;
use percent_encoding::percent_decode_str;

use super::problem::Problem;
use super::route::Action;

/// Whether a reload may bring a version that imports more than the one before.
pub(super) const ACCEPT: &str = "accept";

/// Whose sessions are asked for.
pub(super) const USER: &str = "user";

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
        _ => &[],
    }
}

/// The parameters that are texts, each with one sentence for the description.
pub(super) fn texts(action: Action) -> &'static [(&'static str, &'static str)] {
    match action {
        Action::Sessions => &[(USER, "Lists the sessions of this user only.")],
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
