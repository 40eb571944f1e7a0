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
    /// `/4DWEBTEST`: says that the web server answers, and who asked.
    WebTest,
    /// `/4DBLANK`: an empty page.
    Blank,
    /// `/4DSTATS`: what the page cache holds.
    Statistics,
    /// `/4DHTMLSTATS`: the same without pictures.
    PageStatistics,
    /// `/4DCACHECLEAR`: empties the page cache.
    ClearCache,
}

/// Those of which nothing but the keyword counts.
const PLAIN: [(&str, Special); 7] = [
    ("4DCGI", Special::Cgi),
    ("4DSYNC", Special::Sync),
    ("4DWEBTEST", Special::WebTest),
    ("4DBLANK", Special::Blank),
    ("4DSTATS", Special::Statistics),
    ("4DHTMLSTATS", Special::PageStatistics),
    ("4DCACHECLEAR", Special::ClearCache),
];

/// What is special about a path, if anything. The keyword is compared without regard to case.
pub fn special(path: &str) -> Option<Special> {
    let rest = path.strip_prefix('/')?;
    let (keyword, rest) = rest.split_once('/').unwrap_or((rest, ""));
    // Nearly no URL gets further.
    if !keyword
        .as_bytes()
        .first_chunk()
        .is_some_and(|start: &[u8; 2]| start.eq_ignore_ascii_case(b"4D"))
    {
        return None;
    }
    let is = |known: &str| keyword.eq_ignore_ascii_case(known);
    let found = PLAIN.iter().find(|(known, _)| is(known));
    if let Some((_, special)) = found {
        return Some(special.clone());
    }
    if !is("4DACTION") {
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
    }

    #[test]
    fn of_the_others_the_keyword_counts_and_not_its_case() {
        for (path, expected) in [
            ("/4dcgi/anything", Some(Special::Cgi)),
            ("/4DSYNC", Some(Special::Sync)),
            ("/4dsync/$catalog", Some(Special::Sync)),
            ("/4DSYNCS", None),
            ("/4DWEBTEST", Some(Special::WebTest)),
            ("/4dwebtest/", Some(Special::WebTest)),
            ("/4DBlank", Some(Special::Blank)),
            ("/4DSTATS", Some(Special::Statistics)),
            ("/4dhtmlstats", Some(Special::PageStatistics)),
            ("/4DCacheClear", Some(Special::ClearCache)),
            ("/4D", None),
            ("/4DWEBTEST.html", None),
            ("/a/4DWEBTEST", None),
            ("//4DWEBTEST", None),
        ] {
            assert_eq!(special(path), expected, "{path}");
        }
    }
}
