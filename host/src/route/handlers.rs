//! Which of `handlers` a request is for.

use ::http::header::HeaderName;
use ::http::{HeaderValue, Method};
use percent_encoding::percent_decode_str;

use crate::settings::{Handler, Handlers};

/// The URLs that no handler gets, however far its pattern reaches: their first part.
const RESERVED: [&str; 3] = ["4DACTION", "rest", "$shared"];
/// The same of two parts.
const RESERVED_BELOW: (&str, &str) = ("$lib", "renderer");

/// What the handlers make of a request.
#[derive(Debug, PartialEq)]
pub enum Handled<'a> {
    /// This one answers it.
    By(&'a Handler),
    /// Its URL is handled, but only for these methods.
    Only(HeaderValue),
}

/// Finds the handler: of the first pattern that the path matches, the first that takes the method. The path is decoded
/// as it is for rules.
pub fn handled<'a>(handlers: &'a Handlers, path: &str, method: &Method) -> Option<Handled<'a>> {
    let path = percent_decode_str(path).decode_utf8_lossy();
    if !handlers.patterns.is_match(&path) || is_reserved(&path) {
        return None;
    }
    let first = handlers.patterns.matching(&path).next()?;
    let first = handlers.list.get(first)?;
    let same = || {
        let list = handlers.list.iter();
        list.filter(|handler| handler.pattern == first.pattern)
    };
    let found = same().find(|handler| handler.takes(method));
    Some(found.map_or_else(|| Handled::Only(allowed(same())), Handled::By))
}

fn is_reserved(path: &str) -> bool {
    let mut parts = path.strip_prefix('/').unwrap_or(path).split('/');
    let (first, second) = (parts.next().unwrap_or_default(), parts.next());
    let (lib, below) = RESERVED_BELOW;
    let is_below = |second: &str| second.eq_ignore_ascii_case(below);
    RESERVED.iter().any(|word| first.eq_ignore_ascii_case(word))
        || (first.eq_ignore_ascii_case(lib) && second.is_some_and(is_below))
}

/// What is said in Allow. The names are not checked by the settings: what is none is left out.
fn allowed<'a>(handlers: impl Iterator<Item = &'a Handler>) -> HeaderValue {
    let mut verbs: Vec<&str> = Vec::new();
    let named = handlers.flat_map(|handler| &handler.verbs);
    for verb in named.map(String::as_str).chain(["OPTIONS"]) {
        // A method is made of the same characters as the name of a field.
        let is_method = HeaderName::from_bytes(verb.as_bytes()).is_ok();
        if is_method && !verbs.contains(&verb) {
            verbs.push(verb);
        }
    }
    HeaderValue::try_from(verbs.join(", ")).unwrap_or(HeaderValue::from_static("OPTIONS"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{HostSettings, Origin, Override};
    use serde_json::{Value as Json, json};

    fn handlers(list: Json) -> Handlers {
        let given = json!({ "handlers": list });
        let given = Override::from_json(Origin::Start, given.as_object().unwrap());
        let site = tempfile::tempdir().unwrap();
        HostSettings::load(site.path(), &given)
            .unwrap()
            .web
            .requests
            .handlers
    }

    fn found(handlers: &Handlers, path: &str, method: &str) -> String {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        match handled(handlers, path, &method) {
            None => String::new(),
            Some(Handled::By(handler)) => handler.method.clone(),
            Some(Handled::Only(allow)) => format!("only {}", allow.to_str().unwrap()),
        }
    }

    #[test]
    fn the_first_pattern_counts_and_of_it_the_first_that_takes_the_method() {
        let all = handlers(json!([
            {"class": "c", "method": "one", "regexPattern": "/docs/invoices/one", "verbs": "GET"},
            {"class": "c", "method": "others", "regexPattern": "/docs/invoices/one"},
            {"class": "c", "method": "today", "pattern": "docs/invoices", "verbs": "get, Post, a b, post"},
            {"class": "c", "method": "docs", "regexPattern": "/docs"},
        ]));
        for (path, method, expected) in [
            ("/docs/invoices/one", "GET", "one"),
            ("/docs/invoices/one", "DELETE", "others"),
            ("/docs/invoices/two", "POST", "today"),
            ("/docs/invoices/two", "PUT", "only GET, POST, OPTIONS"),
            ("/docs/invoices/two", "OPTIONS", "only GET, POST, OPTIONS"),
            ("/docs", "BREW", "docs"),
            ("/%64ocs", "GET", "docs"),
            ("/x/docs", "GET", "docs"),
            ("/", "GET", ""),
        ] {
            assert_eq!(found(&all, path, method), expected, "{method} {path}");
        }
        assert_eq!(handled(&Handlers::default(), "/", &Method::GET), None);
    }

    #[test]
    fn what_has_a_meaning_of_its_own_stays_what_it_is() {
        let all = handlers(json!([{"class": "c", "method": "m", "regexPattern": "/"}]));
        for (path, is_handled) in [
            ("/", true),
            ("/4DACTION/add", false),
            ("/4daction", false),
            ("/%34DACTION", false),
            ("/rest", false),
            ("/REST/x", false),
            ("/restaurant", true),
            ("/$lib/renderer/x", false),
            ("/$lib/other", true),
            ("/$shared/x", false),
            ("/4DWEBTEST", true),
            ("/a/4DACTION", true),
        ] {
            let expected = if is_handled { "m" } else { "" };
            assert_eq!(found(&all, path, "GET"), expected, "{path}");
        }
    }
}
