//! WEB SET HOME PAGE: which texts name a page of the HTML root.

use crate::wit::ResponseError;

/// Longest path of a home page, in bytes.
const PATH_BYTES_MAX: usize = 1024;

/// The home page that a path names, relative to the root; empty for the default one.
pub(crate) fn home_page(path: &str) -> Result<&str, ResponseError> {
    if path.len() > PATH_BYTES_MAX {
        return Err(ResponseError::TooLarge);
    }
    let page = path.strip_prefix('/').unwrap_or(path);
    let is_part = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && !part.contains(|c: char| c == '\\' || c.is_control())
    };
    if path.is_empty() || page.split('/').all(is_part) {
        return Ok(page);
    }
    Err(ResponseError::Invalid(format!(
        "home page {path:?}: must be the path of a file below the HTML root, such as \"welcome/index.html\""
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_page_is_below_the_root() {
        for (path, expected) in [
            ("welcome.html", "welcome.html"),
            ("/a/b c.shtml", "a/b c.shtml"),
            ("", ""),
        ] {
            assert_eq!(home_page(path).unwrap(), expected);
        }
        let long = "x".repeat(PATH_BYTES_MAX + 1);
        for path in [
            "/", "//a", "../a", "a/../b", "a//b", "a/", ".git/x", "a\\b", "a\0", &long,
        ] {
            assert!(home_page(path).is_err(), "{path:?}");
        }
    }
}
