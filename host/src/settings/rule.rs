//! `rules` and `handlers`: what the settings say of URLs by pattern, the patterns compiled.

use std::sync::Arc;

use http::header::{HeaderName, HeaderValue};
use http::{Method, StatusCode};
use regex::{RegexSet, RegexSetBuilder};
use serde_json::Value as Json;
use tessera_engine::DeclaredHandler;

use super::kind;

/// Most bytes that the compiled patterns of one list may take.
const COMPILED_BYTES_MAX: usize = 8 << 20;

/// Regular expressions that a path is held against, all at once.
///
/// They are found anywhere in a path, unless they say otherwise (`^`, `$`), and a dot stands for any character.
#[derive(Clone, Debug)]
pub struct Patterns(RegexSet);

impl Patterns {
    /// Compiles them; the error is one line, without the pattern.
    pub(super) fn compile<'a>(patterns: impl Iterator<Item = &'a str>) -> Result<Self, String> {
        let compiled = RegexSetBuilder::new(patterns)
            // A line break in a URL must not lead past a rule.
            .dot_matches_new_line(true)
            .size_limit(COMPILED_BYTES_MAX)
            .build();
        compiled.map(Self).map_err(|error| reason(&error))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether any of them matches.
    pub fn is_match(&self, path: &str) -> bool {
        self.0.is_match(path)
    }

    /// The places of those that match, in their order.
    pub fn matching(&self, path: &str) -> impl Iterator<Item = usize> + use<> {
        self.0.matches(path).into_iter()
    }
}

/// What is wrong with a pattern. The library draws a picture of several lines.
fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().next_back().unwrap_or_default();
    let last = last.trim().trim_start_matches("error: ");
    last.trim_end_matches('.').to_owned()
}

impl Default for Patterns {
    fn default() -> Self {
        Self(RegexSet::empty())
    }
}

impl PartialEq for Patterns {
    fn eq(&self, other: &Self) -> bool {
        self.0.patterns() == other.0.patterns()
    }
}

impl Eq for Patterns {}

/// `rules`, in the order in which they are applied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// The rules.
    pub list: Vec<Arc<Rule>>,
    /// Their patterns.
    pub patterns: Patterns,
}

/// One of `rules`. What no rule may change is left out of the lists of fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// `regexPattern`.
    pub pattern: String,
    /// `removeHeaders`.
    pub remove: Vec<HeaderName>,
    /// `setHeaders`.
    pub set: Vec<(HeaderName, HeaderValue)>,
    /// `addHeaders`.
    pub add: Vec<(HeaderName, HeaderValue)>,
    /// `denyAccess`.
    pub deny: Option<bool>,
    /// `redirect`, as it is sent.
    pub redirect: Option<HeaderValue>,
    /// `status`.
    pub status: Option<StatusCode>,
    /// As it is shown.
    pub(super) shown: Json,
}

/// `handlers`, in the order in which they are tried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Handlers {
    /// The handlers.
    pub list: Vec<Handler>,
    /// Their patterns.
    pub patterns: Patterns,
}

impl Handlers {
    /// The same, and after them those that a component declares.
    ///
    /// # Errors
    ///
    /// What is wrong with one of the declared, or with all together.
    pub fn with_declared(&self, declared: &[DeclaredHandler]) -> Result<Self, String> {
        kind::handlers::joined(self, declared)
    }
}

/// A handler that a component declares, as settings would write it.
pub fn declared_json(declared: &DeclaredHandler) -> Json {
    kind::handlers::declared_json(declared)
}

/// One of `handlers`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handler {
    /// The regular expression of `pattern` or `regexPattern`.
    pub pattern: String,
    /// `verbs`, in upper case; empty is all.
    pub verbs: Vec<String>,
    /// `class`: the component whose method it is; none is the component whose settings these are.
    pub class: Option<String>,
    /// `method`: one of that component's web methods.
    pub method: String,
    /// As it is shown.
    pub(super) shown: Json,
}

impl Handler {
    /// Whether it is for requests of a method.
    pub fn takes(&self, method: &Method) -> bool {
        let is_it = |verb: &String| verb.eq_ignore_ascii_case(method.as_str());
        self.verbs.is_empty() || self.verbs.iter().any(is_it)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_found_anywhere_and_a_dot_is_any_character() {
        let patterns = Patterns::compile(["/a/", "^/b$", r"^/c/.*\.html$"].into_iter()).unwrap();
        for (path, expected) in [
            ("/a/x", &[0][..]),
            ("/x/a/", &[0]),
            ("/b", &[1]),
            ("/b/", &[]),
            ("/c/x\ny.html", &[2]),
            ("/c/a/.html", &[0, 2]),
        ] {
            assert_eq!(
                patterns.matching(path).collect::<Vec<_>>(),
                expected,
                "{path:?}"
            );
            assert_eq!(patterns.is_match(path), !expected.is_empty());
        }
        assert!(Patterns::default().is_empty() && !patterns.is_empty());
    }

    #[test]
    fn what_is_wrong_is_said_in_one_line() {
        for (pattern, expected) in [
            ("(", "unclosed group"),
            ("a{1000}{1000}{1000}", "size limit"),
            (r"\p{Greek}", "Unicode property not found"),
            ("(?=a)", "look-around"),
        ] {
            let error = Patterns::compile([pattern].into_iter()).unwrap_err();
            assert!(error.contains(expected) && !error.contains('\n'), "{error}");
        }
    }
}
