//! The query of a request to admin: the few parameters that operations have.

use hyper::Uri;

use super::problem::Problem;
use super::route::Action;

/// Whether a reload may bring a version that imports more than the one before.
pub(super) const ACCEPT: &str = "accept";

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
