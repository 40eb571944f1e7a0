//! The Content-Type of a component's text: which character set the text is to be in.

use ::http::HeaderValue;

use super::charset::{self, Markup};
use super::media_type::MediaType;
use crate::settings::Charset;

/// The type of a text, and what follows from it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TextType {
    /// The field's value, with the character set.
    pub(super) value: HeaderValue,
    /// The set.
    pub(super) charset: Charset,
    /// What may stand for characters that the set does not have.
    pub(super) markup: Markup,
}

impl TextType {
    /// Completes the type that a component gave, by default that of HTML. The component's own set goes before the
    /// server's; if it is none that the server has, the text stays in UTF-8 and its type as it is.
    pub(super) fn of(given: Option<HeaderValue>, server: Charset) -> Self {
        let Some(given) = given else {
            return Self {
                value: with_charset("text/html", server),
                charset: server,
                markup: Markup::Html,
            };
        };
        let Ok(text) = given.to_str() else {
            return Self::as_given(given, Charset::Utf8, Markup::None);
        };
        let name = MediaType::of(text.as_bytes());
        let markup = markup(name);
        // JSON is UTF-8, whatever the server's set: RFC 8259, section 8.1.
        if name.is("application/json") || name.ends_with("+json") {
            return Self::as_given(given, Charset::Utf8, markup);
        }
        if let Some(label) = charset_parameter(text) {
            let charset = charset::named(label).unwrap_or(Charset::Utf8);
            return Self::as_given(given, charset, markup);
        }
        if name.starts_with("multipart/") {
            // Each part has a type of its own.
            return Self::as_given(given, Charset::Utf8, markup);
        }
        Self {
            value: with_charset(text.trim_end_matches([';', ' ']), server),
            charset: server,
            markup,
        }
    }

    fn as_given(value: HeaderValue, charset: Charset, markup: Markup) -> Self {
        Self {
            value,
            charset,
            markup,
        }
    }
}

fn with_charset(content_type: &str, charset: Charset) -> HeaderValue {
    // Nearly all answers: nothing to be put together.
    match (content_type, charset) {
        ("text/html", Charset::Utf8) => {
            return HeaderValue::from_static("text/html; charset=utf-8");
        }
        ("text/plain", Charset::Utf8) => {
            return HeaderValue::from_static("text/plain; charset=utf-8");
        }
        _ => {}
    }
    let value = [content_type, "; charset=", charset::name(charset)].concat();
    // It was a header's value before; if that should ever fail, browsers treat it as bytes.
    HeaderValue::try_from(value)
        .unwrap_or_else(|_| HeaderValue::from_static("application/octet-stream"))
}

/// The value of `charset`, without its quotes.
fn charset_parameter(content_type: &str) -> Option<&str> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let is_charset = name.trim().eq_ignore_ascii_case("charset");
        is_charset.then(|| value.trim().trim_matches('"'))
    })
}

fn markup(name: MediaType<'_>) -> Markup {
    if name.is("text/html") {
        Markup::Html
    } else if name.is("text/xml") || name.is("application/xml") || name.ends_with("+xml") {
        Markup::Xml
    } else {
        Markup::None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Charset::{Iso8859_1, Utf8, Windows1251};

    fn check(
        given: &'static str,
        server: Charset,
        expected: &str,
        charset: Charset,
        markup: Markup,
    ) {
        let given = HeaderValue::from_static(given);
        let found = TextType::of(Some(given), server);
        assert_eq!(found.value, expected);
        assert_eq!(
            (found.charset, found.markup),
            (charset, markup),
            "{expected}"
        );
    }

    #[test]
    fn the_type_says_the_character_set() {
        assert_eq!(TextType::of(None, Utf8).value, "text/html; charset=utf-8");
        let turkish = TextType::of(None, Charset::Iso8859_9);
        assert_eq!(turkish.value, "text/html; charset=ISO-8859-9");
        for (given, expected, markup) in [
            (
                "text/plain",
                "text/plain; charset=windows-1251",
                Markup::None,
            ),
            (
                "Text/HTML;",
                "Text/HTML; charset=windows-1251",
                Markup::Html,
            ),
            (
                "text/html; a=\"b\"",
                "text/html; a=\"b\"; charset=windows-1251",
                Markup::Html,
            ),
            (
                "image/svg+xml",
                "image/svg+xml; charset=windows-1251",
                Markup::Xml,
            ),
            (
                "text/javascript",
                "text/javascript; charset=windows-1251",
                Markup::None,
            ),
        ] {
            check(given, Windows1251, expected, Windows1251, markup);
        }
    }

    #[test]
    fn the_components_own_set_goes_first() {
        for (given, charset) in [
            ("text/html; charset=iso-8859-1", Iso8859_1),
            ("text/html;CHARSET=\"Latin1\"", Iso8859_1),
            ("text/html; a=b; charset = latin1 ", Iso8859_1),
            ("text/html; charset=UTF-8", Utf8),
            // Not ours to encode: the bytes stay those of UTF-8.
            ("text/html; charset=koi8-r", Utf8),
        ] {
            check(given, Windows1251, given, charset, Markup::Html);
        }
    }

    #[test]
    fn json_is_utf_8() {
        for given in [
            "application/json",
            "Application/JSON; charset=iso-8859-1",
            "application/problem+json",
            "application/ld+json; profile=\"x\"",
        ] {
            check(given, Iso8859_1, given, Utf8, Markup::None);
        }
    }
}
