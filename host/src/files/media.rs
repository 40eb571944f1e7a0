//! Content types by file extension.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use ::http::HeaderValue;
use tessera_engine::type_of_extension;

use crate::response::is_compressible;

/// The type of a file.
pub(super) struct Media {
    /// Texts with their character set.
    pub(super) content_type: HeaderValue,
    /// Whether files of this type become smaller by compression.
    pub(super) is_compressible: bool,
    /// Whether tags are looked for in files of this type when they are asked for by their URL.
    pub(super) is_semi_dynamic: bool,
}

impl Media {
    /// By the name of a file.
    pub(super) fn of(path: &[u8]) -> Self {
        let content_type = content_type(Path::new(OsStr::from_bytes(path)));
        Self {
            is_compressible: is_compressible(&content_type),
            is_semi_dynamic: is_semi_dynamic(Path::new(OsStr::from_bytes(path))),
            content_type,
        }
    }
}

/// The extensions of pages that tags are looked for in when they are asked for by their URL.
const SEMI_DYNAMIC: [&str; 4] = ["shtml", "shtm", "xml", "xsl"];

fn is_semi_dynamic(path: &Path) -> bool {
    let Some(extension) = path.extension() else {
        return false;
    };
    let is_it = |known: &&str| extension.eq_ignore_ascii_case(known);
    SEMI_DYNAMIC.iter().any(is_it)
}

/// Whether files of a type are texts, which a component may send with tags: pages, other texts, XML.
pub(super) fn is_text(content_type: &HeaderValue) -> bool {
    let text = content_type.to_str().unwrap_or_default();
    let name = text.split(';').next().unwrap_or_default().trim_end();
    name.starts_with("text/") || name == "application/xml" || name.ends_with("+xml")
}

/// The content type of a file; texts with their character set.
fn content_type(path: &Path) -> HeaderValue {
    let extension = path.extension().map(OsStr::as_encoded_bytes);
    let name = extension.and_then(type_of_extension);
    let name = name.unwrap_or("application/octet-stream");
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
            ("a.cjs", "text/javascript; charset=utf-8"),
            ("a.map", "application/json"),
            ("a.jxl", "image/jxl"),
            ("a.webmanifest", "application/manifest+json"),
            ("a.mp4", "video/mp4"),
            ("a.ico", "image/x-icon"),
            ("a.md", "text/markdown; charset=utf-8"),
            ("a.csv", "text/csv; charset=utf-8"),
            ("a", "application/octet-stream"),
            (".html", "application/octet-stream"),
            ("a.b.HTML", "text/html; charset=utf-8"),
            ("a.averylongextension", "application/octet-stream"),
            ("a.unheard", "application/octet-stream"),
        ] {
            assert_eq!(content_type(Path::new(file)), expected, "{file}");
        }
    }

    #[test]
    fn the_types_of_the_documents() {
        for (extensions, expected) in [
            ("htm html shtml shtm", "text/html; charset=utf-8"),
            ("css", "text/css; charset=utf-8"),
            ("pdf", "application/pdf"),
            ("rtf", "application/rtf"),
            ("ps eps", "application/postscript"),
            ("hqx", "application/mac-binhex40"),
            // The documents' `application/javascript` is the name that RFC 9239 retired.
            ("js", "text/javascript; charset=utf-8"),
            ("json", "application/json"),
            ("txt text", "text/plain; charset=utf-8"),
            ("gif", "image/gif"),
            ("jpg jpeg jpe jfif", "image/jpeg"),
            ("pic pict", "image/pict"),
            ("tif tiff", "image/tiff"),
            ("mpeg mpg", "video/mpeg"),
            ("mov moov", "video/quicktime"),
            ("aif aiff", "audio/aiff"),
            ("wav", "audio/wav"),
            ("ram", "audio/x-pn-realaudio"),
            ("sit bin", "application/x-stuffit"),
            ("xml", "application/xml"),
            ("z zip", "application/x-zip"),
            ("gz", "application/x-gzip"),
            ("tar", "application/x-tar"),
        ] {
            for extension in extensions.split(' ') {
                let file = format!("a.{extension}");
                assert_eq!(content_type(Path::new(&file)), expected, "{file}");
            }
        }
    }
}
