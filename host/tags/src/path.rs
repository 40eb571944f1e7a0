//! Paths of included pages: relative to the page that names them, never above the web folder.

/// What `path` names on the page `page`, both relative to the web folder with `/` between folders. `folder` is that of 4DBASE,
/// relative to the web folder with `/` at its end; without it, `path` is relative to the page. None if it leads out of the web
/// folder, or is no path.
pub(crate) fn included(page: &str, folder: Option<&str>, path: &str) -> Option<String> {
    let folder = folder.unwrap_or_else(|| folder_of(page));
    let path = joined(folder, path)?;
    (!path.is_empty() && !path.ends_with('/')).then_some(path)
}

/// The folder that `4DBASE base` means on the page `page`: relative to the web folder, empty for itself, else with `/` at its end.
pub(crate) fn base(page: &str, base: &str) -> Option<String> {
    if !base.ends_with('/') {
        return None;
    }
    joined(folder_of(page), base)
}

fn folder_of(page: &str) -> &str {
    match page.rfind('/') {
        Some(at) => page.get(..=at).unwrap_or_default(),
        None => "",
    }
}

/// `path` from `folder` on, without `.` and `..`. A `/` in front means the web folder.
fn joined(folder: &str, path: &str) -> Option<String> {
    // No system's separator, drive or end of text gets through.
    if path.contains(['\\', '\0', ':']) {
        return None;
    }
    let folder = if path.starts_with('/') { "" } else { folder };
    let is_folder = path.ends_with('/') || matches!(path.rsplit('/').next(), Some("." | ".."));
    let mut parts = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    let mut joined = parts.join("/");
    if is_folder && !joined.is_empty() {
        joined.push('/');
    }
    Some(joined)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_included_page_is_found_from_the_page_that_names_it() {
        for (page, folder, path, expected) in [
            ("index.shtml", None, "sub.html", Some("sub.html")),
            ("a/b/index.shtml", None, "sub.html", Some("a/b/sub.html")),
            (
                "a/b/index.shtml",
                None,
                "../x/./sub.html",
                Some("a/x/sub.html"),
            ),
            ("a/index.shtml", None, "/top.html", Some("top.html")),
            ("a/index.shtml", Some("c/"), "sub.html", Some("c/sub.html")),
            ("a/index.shtml", Some(""), "sub.html", Some("sub.html")),
            ("a/index.shtml", None, "../../secret", None),
            ("index.shtml", None, "..", None),
            ("index.shtml", None, "", None),
            ("index.shtml", None, "folder/", None),
            ("index.shtml", None, "a\\b", None),
            ("index.shtml", None, "c:/b", None),
            ("index.shtml", None, "a\0b", None),
        ] {
            assert_eq!(
                included(page, folder, path).as_deref(),
                expected,
                "{page} {folder:?} {path}"
            );
        }
    }

    #[test]
    fn a_base_is_a_folder_of_the_site() {
        for (page, path, expected) in [
            ("index.shtml", "US/", Some("US/")),
            ("a/index.shtml", "US/", Some("a/US/")),
            ("a/index.shtml", "../", Some("")),
            ("a/index.shtml", "../b/c/", Some("b/c/")),
            ("index.shtml", "../", None),
            ("index.shtml", "US", None),
            ("index.shtml", "", None),
        ] {
            assert_eq!(base(page, path).as_deref(), expected, "{page} {path}");
        }
    }
}
