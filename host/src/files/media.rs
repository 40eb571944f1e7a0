//! Content types by file extension.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use ::http::HeaderValue;

use crate::response::is_compressible;

/// The type of a file.
pub(super) struct Media {
    /// Texts with their character set.
    pub(super) content_type: HeaderValue,
    /// Whether files of this type become smaller by compression.
    pub(super) is_compressible: bool,
}

impl Media {
    /// By the name of a file.
    pub(super) fn of(path: &[u8]) -> Self {
        let content_type = content_type(Path::new(OsStr::from_bytes(path)));
        Self {
            is_compressible: is_compressible(&content_type),
            content_type,
        }
    }
}

/// The content type of a file; texts with their character set.
fn content_type(path: &Path) -> HeaderValue {
    let name = match mime_guess::from_path(path).first_raw() {
        // The name that RFC 9239 retired, which modules (`.mjs`) are still listed under.
        Some("application/javascript") => "text/javascript",
        Some(name) => name,
        None => "application/octet-stream",
    };
    if name.starts_with("text/") {
        HeaderValue::try_from(format!("{name}; charset=utf-8"))
            .unwrap_or_else(|_| HeaderValue::from_static(name))
    } else {
        HeaderValue::from_static(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_types_that_sites_are_made_of() {
        for (file, expected) in [
            ("a.html", "text/html; charset=utf-8"),
            ("a.HTM", "text/html; charset=utf-8"),
            ("a.css", "text/css; charset=utf-8"),
            ("a.js", "text/javascript; charset=utf-8"),
            ("a.mjs", "text/javascript; charset=utf-8"),
            ("a.json", "application/json"),
            ("a.svg", "image/svg+xml"),
            ("a.png", "image/png"),
            ("a.avif", "image/avif"),
            ("a.webp", "image/webp"),
            ("a.woff2", "font/woff2"),
            ("a.wasm", "application/wasm"),
            ("a.pdf", "application/pdf"),
            ("a.txt", "text/plain; charset=utf-8"),
            ("a", "application/octet-stream"),
            ("a.unheard", "application/octet-stream"),
        ] {
            assert_eq!(content_type(Path::new(file)), expected, "{file}");
        }
    }
}
