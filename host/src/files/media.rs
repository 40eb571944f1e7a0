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
    SEMI_DYNAMIC.iter().any(|known| is_it(&known))
}

/// Whether files of a type are texts, which a component may send with tags: pages, other texts, XML.
pub(super) fn is_text(content_type: &HeaderValue) -> bool {
    let text = content_type.to_str().unwrap_or_default();
    let name = text.split(';').next().unwrap_or_default().trim_end();
    name.starts_with("text/") || name == "application/xml" || name.ends_with("+xml")
}

/// Types that come before those of the registry, by extension: those of the documents, but for JavaScript, whose name is
/// that of RFC 9239, and the ones that the registry's list has under names that are old by now. In the order of the extensions.
const TYPES: &[(&str, &str)] = &[
    ("aif", "audio/aiff"),
    ("aiff", "audio/aiff"),
    ("bin", "application/x-stuffit"),
    ("cjs", "text/javascript"),
    ("css", "text/css"),
    ("eps", "application/postscript"),
    ("gif", "image/gif"),
    ("gz", "application/x-gzip"),
    ("hqx", "application/mac-binhex40"),
    ("htm", "text/html"),
    ("html", "text/html"),
    ("jfif", "image/jpeg"),
    ("jpe", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("js", "text/javascript"),
    ("json", "application/json"),
    ("m3u8", "application/vnd.apple.mpegurl"),
    ("m4a", "audio/mp4"),
    ("map", "application/json"),
    ("md", "text/markdown"),
    ("mjs", "text/javascript"),
    ("moov", "video/quicktime"),
    ("mov", "video/quicktime"),
    ("mpeg", "video/mpeg"),
    ("mpg", "video/mpeg"),
    ("otf", "font/otf"),
    ("pdf", "application/pdf"),
    ("pic", "image/pict"),
    ("pict", "image/pict"),
    ("ps", "application/postscript"),
    ("ram", "audio/x-pn-realaudio"),
    ("rtf", "application/rtf"),
    ("shtm", "text/html"),
    ("shtml", "text/html"),
    ("sit", "application/x-stuffit"),
    ("tar", "application/x-tar"),
    ("text", "text/plain"),
    ("tif", "image/tiff"),
    ("tiff", "image/tiff"),
    ("toml", "application/toml"),
    ("ts", "video/mp2t"),
    ("txt", "text/plain"),
    ("vcf", "text/vcard"),
    ("wav", "audio/wav"),
    ("xml", "application/xml"),
    ("yaml", "application/yaml"),
    ("yml", "application/yaml"),
    ("z", "application/x-zip"),
    ("zip", "application/x-zip"),
];
const EXTENSION_BYTES_MAX: usize = 8;

/// The content type of a file; texts with their character set.
fn content_type(path: &Path) -> HeaderValue {
    let name = known(path).or_else(|| mime_guess::from_path(path).first_raw());
    let name = name.unwrap_or("application/octet-stream");
    if name.starts_with("text/") {
        HeaderValue::try_from(format!("{name}; charset=utf-8"))
            .unwrap_or_else(|_| HeaderValue::from_static(name))
    } else {
        HeaderValue::from_static(name)
    }
}

fn known(path: &Path) -> Option<&'static str> {
    let extension = path.extension()?.as_encoded_bytes();
    let mut lower = [0; EXTENSION_BYTES_MAX];
    let lower = lower.get_mut(..extension.len())?;
    lower.copy_from_slice(extension);
    lower.make_ascii_lowercase();
    let found = TYPES.binary_search_by(|(known, _)| known.as_bytes().cmp(lower));
    TYPES.get(found.ok()?).map(|(_, name)| *name)
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

    #[test]
    fn every_type_is_found_by_its_extension() {
        assert!(TYPES.is_sorted());
        for (extension, expected) in TYPES {
            let upper = format!("a.{}", extension.to_uppercase());
            assert_eq!(known(Path::new(&upper)), Some(*expected));
        }
    }
}
