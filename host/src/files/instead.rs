//! What is answered where a URL names no file: its page without the extension, or the page of an application that makes
//! its views from the address (`[files] clean_urls`, `[files] fallback`).

use std::path::{Path, PathBuf};

use ::http::HeaderMap;

use super::accept;
use crate::settings::Missing;

/// A file to look for instead.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Instead {
    /// Relative to the root.
    pub(super) path: PathBuf,
    /// Whether the client's Accept had a say in it.
    pub(super) varies: bool,
}

/// The page that a URL means which leaves out its extension: `about.html` for `/about`.
///
/// `relative` is the path of the URL, decoded, and `path` as it was written.
pub(super) fn clean_url(missing: &Missing, relative: &Path, path: &str) -> Option<Instead> {
    let may_be_page = missing.clean_urls && !path.ends_with('/') && relative.extension().is_none();
    may_be_page.then(|| Instead {
        path: relative.with_extension("html"),
        varies: false,
    })
}

/// The page of the application, for those who go to an address below it. Whoever asks for something that has an extension,
/// or does not name HTML, asks for a file, and has to be told that there is none; special URLs are no addresses of pages.
pub(super) fn fallback(missing: &Missing, relative: &Path, headers: &HeaderMap) -> Option<Instead> {
    let page = missing.fallback.as_ref()?;
    let first = relative.iter().next()?.as_encoded_bytes();
    let is_special = first
        .get(..2)
        .is_some_and(|start| start.eq_ignore_ascii_case(b"4D"));
    let is_address = !is_special && relative.extension().is_none() && accept::names_html(headers);
    is_address.then(|| Instead {
        path: page.into(),
        varies: true,
    })
}

#[cfg(test)]
mod tests {
    use ::http::HeaderValue;
    use ::http::header::ACCEPT;

    use super::*;

    fn missing() -> Missing {
        Missing {
            clean_urls: true,
            fallback: Some("app/index.html".into()),
            ..Missing::default()
        }
    }

    #[test]
    fn only_addresses_of_pages_fall_back() {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("text/html"));
        for (path, expected) in [
            ("users", true),
            ("users/42", true),
            ("a.b/users", true),
            ("app.js", false),
            ("users/photo.png", false),
            ("4DACTION", false),
            ("4dstats", false),
            ("4Danything/else", false),
            ("404", true),
        ] {
            let found = fallback(&missing(), Path::new(path), &headers);
            let page = || Instead {
                path: "app/index.html".into(),
                varies: true,
            };
            assert_eq!(found, expected.then(page), "{path}");
        }
        let none = HeaderMap::new();
        assert_eq!(fallback(&missing(), Path::new("users"), &none), None);
        let off = Missing::default();
        assert_eq!(fallback(&off, Path::new("users"), &headers), None);
    }

    #[test]
    fn a_page_may_be_named_without_its_extension() {
        for (path, expected) in [
            ("about", Some("about.html")),
            ("a/b", Some("a/b.html")),
            ("about/", None),
            ("about.txt", None),
            ("v1.2", None),
        ] {
            let found = clean_url(&missing(), Path::new(path), &format!("/{path}"));
            assert_eq!(
                found.map(|it| it.path),
                expected.map(PathBuf::from),
                "{path}"
            );
        }
        assert_eq!(
            clean_url(&Missing::default(), Path::new("about"), "/about"),
            None
        );
    }
}
