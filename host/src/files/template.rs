//! Files compiled for their tags: once for each way in which they are used, and kept with the page.

use std::sync::{Arc, OnceLock};

use ::http::HeaderValue;
use tessera_engine::page_limits;
use tessera_tags::{Syntax, Template, has_tags};

use crate::response::{Declared, declared, into_utf8};
use crate::settings::Charset;

/// How a file is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// Asked for by its URL: both forms of tags.
    Url,
    /// Sent by a component: tags in comments only.
    Sent,
    /// Included in another page: what is between `<body>` and `</body>`, both forms.
    Included,
}

/// What a file became.
#[derive(Clone, Debug)]
pub(super) struct Compiled {
    /// None if it is sent as it is: it has no tags.
    pub(super) template: Option<Arc<Template>>,
    /// The type of what is made of it, with the character set if the file says one.
    pub(super) content_type: HeaderValue,
    /// What a file that says no character set was taken for.
    charset: Charset,
}

/// What a page became in each use, once somebody asked.
#[derive(Debug, Default)]
pub(super) struct Templates([OnceLock<Compiled>; 3]);

impl Templates {
    pub(super) fn get(&self, usage: Use, charset: Charset) -> Option<&Compiled> {
        let [url, sent, included] = &self.0;
        let place = match usage {
            Use::Url => url,
            Use::Sent => sent,
            Use::Included => included,
        };
        place.get().filter(|it| it.charset == charset)
    }

    /// Keeps it, unless the place is taken: by what another server with another character set made of the same file.
    pub(super) fn keep(&self, usage: Use, compiled: Compiled) {
        let [url, sent, included] = &self.0;
        let place = match usage {
            Use::Url => url,
            Use::Sent => sent,
            Use::Included => included,
        };
        let _ = place.set(compiled);
    }

    /// About how much memory they take, in bytes.
    pub(super) fn weight(&self) -> usize {
        let compiled = self.0.iter().filter_map(OnceLock::get);
        let templates = compiled.filter_map(|compiled| compiled.template.as_ref());
        templates.map(|template| template.weight()).sum()
    }
}

/// Compiles a file. `charset` is the server's, for files that say none and are not UTF-8.
///
/// # Errors
///
/// When the file is too long for a page with tags.
pub(super) fn compile(
    bytes: &[u8],
    usage: Use,
    content_type: &HeaderValue,
    charset: Charset,
) -> Result<Compiled, tessera_tags::PageTooLong> {
    let found = declared(bytes);
    let content_type = with_charset(content_type, found);
    let syntax = match usage {
        Use::Url | Use::Included => Syntax::All,
        Use::Sent => Syntax::Comments,
    };
    let limits = page_limits();
    let template = if usage != Use::Included && !has_tags(bytes, syntax) {
        None
    } else {
        let set = found.map_or(charset, |found| found.charset);
        let text = into_utf8(bytes, set);
        let template = match usage {
            Use::Included => Template::compile_included(text, &limits),
            Use::Url | Use::Sent => Template::compile(text, syntax, &limits),
        };
        Some(Arc::new(template?))
    };
    Ok(Compiled {
        template,
        content_type,
        charset,
    })
}

/// The type by the file's name without its character set, and the set that the file says.
fn with_charset(content_type: &HeaderValue, found: Option<Declared>) -> HeaderValue {
    let name = content_type.to_str().unwrap_or_default();
    let name = name.split(';').next().unwrap_or_default().trim_end();
    let value = match found {
        Some(found) => HeaderValue::try_from([name, "; charset=", found.name].concat()),
        None => HeaderValue::try_from(name),
    };
    value.unwrap_or_else(|_| content_type.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

    fn compiled(bytes: &[u8], usage: Use, charset: Charset) -> Compiled {
        compile(bytes, usage, &HTML, charset).unwrap()
    }

    #[test]
    fn what_has_no_tags_for_its_use_is_sent_as_it_is() {
        for (page, usage, has_template) in [
            ("plain", Use::Url, false),
            ("$4DTEXT(x)", Use::Url, true),
            ("$4DTEXT(x)", Use::Sent, false),
            ("<!--#4DTEXT x-->", Use::Sent, true),
            ("plain", Use::Included, true),
        ] {
            let compiled = compiled(page.as_bytes(), usage, Charset::Utf8);
            assert_eq!(compiled.template.is_some(), has_template, "{page}");
        }
    }

    #[test]
    fn a_page_is_read_in_its_own_character_set_and_else_in_the_servers() {
        let says = b"<meta charset=\"windows-1251\">\xdf$4DTEXT(x)";
        for (page, charset, content_type, expected) in [
            (
                &says[..],
                Charset::Utf8,
                "text/html; charset=windows-1251",
                "Я",
            ),
            (b"\xe9$4DTEXT(x)", Charset::Iso8859_1, "text/html", "é"),
            (b"\xc3\xa9$4DTEXT(x)", Charset::Iso8859_1, "text/html", "é"),
        ] {
            let compiled = compiled(page, Use::Url, charset);
            assert_eq!(compiled.content_type, content_type);
            let template = compiled.template.unwrap();
            let text = std::str::from_utf8(template.source()).unwrap();
            assert!(text.contains(expected), "{text}");
        }
        let bytes = compiled(b"\xe9$4DTEXT(x)", Use::Url, Charset::Utf8);
        assert_eq!(bytes.template.unwrap().source(), b"\xe9$4DTEXT(x)");
    }

    #[test]
    fn what_was_made_for_another_character_set_is_not_taken() {
        let templates = Templates::default();
        assert_eq!(templates.weight(), 0);
        let made = compiled(b"$4DTEXT(x)", Use::Url, Charset::Utf8);
        templates.keep(Use::Url, made);
        assert!(templates.get(Use::Url, Charset::Utf8).is_some());
        assert!(templates.get(Use::Url, Charset::Big5).is_none());
        assert!(templates.get(Use::Sent, Charset::Utf8).is_none());
        assert!(templates.weight() > 10);
    }
}
