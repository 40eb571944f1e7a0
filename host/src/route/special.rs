//! The URLs that mean something on every server, whatever files there are.

use percent_encoding::percent_decode_str;

/// A special URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Special {
    /// `/4DACTION/Method[/Param]`: calls a method.
    Action {
        /// The method, decoded.
        method: String,
        /// What follows, decoded, without the slash before it.
        parameter: Option<String>,
    },
    /// `/4DCGI/...`: calls On Web Connection, even where a file is of that name.
    Cgi,
    /// `/4DSYNC/...`: the same, where the settings allow it.
    Sync,
}

/// What is special about a path, if anything. The keyword is compared without regard to case.
pub fn special(path: &str) -> Option<Special> {
    let rest = path.strip_prefix('/')?;
    let (keyword, rest) = rest.split_once('/').unwrap_or((rest, ""));
    if keyword.eq_ignore_ascii_case("4DCGI") {
        return Some(Special::Cgi);
    }
    if keyword.eq_ignore_ascii_case("4DSYNC") {
        return Some(Special::Sync);
    }
    if !keyword.eq_ignore_ascii_case("4DACTION") {
        return None;
    }
    let (method, parameter) = match rest.split_once('/') {
        Some((method, parameter)) => (
            method,
            Some(parameter).filter(|parameter| !parameter.is_empty()),
        ),
        None => (rest, None),
    };
    Some(Special::Action {
        method: decoded(method),
        parameter: parameter.map(decoded),
    })
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_have_a_method_and_may_have_a_parameter() {
        for (path, expected) in [
            ("/4DACTION/add", Some(("add", None))),
            ("/4daction/add/", Some(("add", None))),
            ("/4DAction/add/3", Some(("add", Some("3")))),
            ("/4DACTION/add/a%20b/c", Some(("add", Some("a b/c")))),
            ("/4DACTION/", Some(("", None))),
            ("/4DACTION", Some(("", None))),
            ("/4DACTIONS/add", None),
            ("/a/4DACTION/add", None),
            ("/", None),
        ] {
            let expected =
                expected.map(
                    |(method, parameter): (&str, Option<&str>)| Special::Action {
                        method: method.into(),
                        parameter: parameter.map(Into::into),
                    },
                );
            assert_eq!(special(path), expected, "{path}");
        }
        assert_eq!(special("/4dcgi/anything"), Some(Special::Cgi));
        for (path, is_sync) in [
            ("/4DSYNC", true),
            ("/4dsync/$catalog", true),
            ("/4DSYNCS", false),
        ] {
            assert_eq!(special(path) == Some(Special::Sync), is_sync, "{path}");
        }
    }
}
