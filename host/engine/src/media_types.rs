//! Media types by file extension, for what components send and for files alike.

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

/// The media type of what has this extension (without its dot), in any case; none if it is not known.
pub fn type_of_extension(extension: &[u8]) -> Option<&'static str> {
    known(extension).or_else(|| {
        let extension = std::str::from_utf8(extension).ok()?;
        mime_guess::from_ext(extension).first_raw()
    })
}

fn known(extension: &[u8]) -> Option<&'static str> {
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
    fn extensions_of_the_documents_have_their_types() {
        assert!(TYPES.is_sorted_by(|one, next| one.0 < next.0));
        assert!(
            TYPES
                .iter()
                .all(|(extension, _)| extension.len() <= EXTENSION_BYTES_MAX)
        );
        for (extension, expected) in [
            ("html", Some("text/html")),
            ("SHTM", Some("text/html")),
            ("Pict", Some("image/pict")),
            ("hqx", Some("application/mac-binhex40")),
            ("gz", Some("application/x-gzip")),
            ("zip", Some("application/x-zip")),
            ("rtf", Some("application/rtf")),
            ("png", Some("image/png")),
            ("svg", Some("image/svg+xml")),
            ("", None),
            ("unheardof", None),
        ] {
            assert_eq!(
                type_of_extension(extension.as_bytes()),
                expected,
                "{extension}"
            );
        }
        assert_eq!(type_of_extension(b"\xff"), None);
    }
}
