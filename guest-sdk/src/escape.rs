//! Texts of visitors inside of pages.

use std::borrow::Cow;

/// Makes a text safe for a page, as content or as the value of an attribute in quotes.
pub fn escape(text: &str) -> Cow<'_, str> {
    let Some(first) = text.find(['&', '<', '>', '"', '\'']) else {
        return Cow::Borrowed(text);
    };
    let mut escaped = String::with_capacity(text.len() + 16);
    escaped.push_str(&text[..first]);
    for character in text[first..].chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_html_gives_a_meaning() {
        assert_eq!(escape("Ärger & <b>\"'"), "Ärger &amp; &lt;b&gt;&quot;&#39;");
        assert!(matches!(escape("plain"), Cow::Borrowed("plain")));
    }
}
