//! Tags in what is sent: carried out when the hook that sent it has returned.
//!
//! While a guest calls the host, the host cannot call the guest. So `send-text`, `send-blob` and `send-file` keep what they were
//! given with a picture of the process variables, and the tags are carried out when the hook has returned: in the same web
//! process, on the same instance, with those variables, and only of what was sent last.

mod alone;
mod instance;
mod rendering;

use http::{HeaderMap, HeaderValue, Method};
use tessera_tags::{Limits, Syntax, Template};

use crate::answer::AnswerBody;
use crate::folder::Document;
use crate::variables::ProcessVariables;

pub use alone::render_alone;

/// The longest file that is looked through for tags, in bytes.
pub const PAGE_BYTES_MAX: usize = 16 << 20;

/// What a page may take at most.
pub fn page_limits() -> Limits {
    let mut limits = Limits::default();
    limits.page_bytes_max = PAGE_BYTES_MAX;
    limits
}

/// What was sent and is not finished: the body of the answer, or a file.
#[derive(Debug)]
pub(crate) struct Draft {
    /// The file; none if it is the body.
    pub(crate) document: Option<Document>,
    /// What the tags see.
    pub(crate) variables: ProcessVariables,
}

/// A file without tags, and what the request said of how it wants it.
#[derive(Debug)]
pub struct SentFile {
    /// The file.
    pub document: Document,
    /// The method of the request.
    pub method: Method,
    /// Its fields: conditions and ranges are among them.
    pub headers: HeaderMap,
}

/// A template, and what its rendering becomes.
struct Source {
    template: std::sync::Arc<Template>,
    /// Relative to the web folder; empty of what is no file.
    page: std::sync::Arc<str>,
    content_type: Option<HeaderValue>,
}

impl Source {
    /// Of a file, if it has tags.
    fn of_document(document: &Document) -> Option<Self> {
        Some(Self {
            template: document.template.clone()?,
            page: document.path.clone(),
            content_type: Some(document.content_type.clone()),
        })
    }

    /// Of a text or bytes. `set` is the Content-Type that the component set. Gives back what is too long for a page.
    fn of_body(body: AnswerBody, set: Option<&HeaderValue>) -> Result<Self, AnswerBody> {
        let (bytes, content_type) = match body {
            AnswerBody::Text { text, content_type } => (text.into_bytes(), content_type),
            AnswerBody::Blob { data, content_type } => {
                let named = set.or(content_type.as_ref()).and_then(charset);
                let bytes = match named {
                    Some(encoding) => encoding
                        .decode_without_bom_handling(&data)
                        .0
                        .into_owned()
                        .into_bytes(),
                    None => data.to_vec(),
                };
                (bytes, content_type)
            }
            other => return Err(other),
        };
        let mut limits = Limits::default();
        limits.page_bytes_max = u32::MAX as usize;
        if bytes.len() >= limits.page_bytes_max {
            return Err(body_of(bytes, content_type));
        }
        match Template::compile(bytes, Syntax::Comments, &limits) {
            Ok(template) => Ok(Self {
                template: template.into(),
                page: "".into(),
                content_type,
            }),
            Err(_) => Err(AnswerBody::Empty),
        }
    }
}

/// What tags made, as it is sent: encoded by the host if it is text.
fn body_of(bytes: Vec<u8>, content_type: Option<HeaderValue>) -> AnswerBody {
    match String::from_utf8(bytes) {
        Ok(text) => AnswerBody::Text { text, content_type },
        Err(error) => AnswerBody::Blob {
            data: error.into_bytes().into(),
            content_type,
        },
    }
}

/// The character set that a content type names, unless it is UTF-8.
fn charset(content_type: &HeaderValue) -> Option<&'static encoding_rs::Encoding> {
    let parameters = content_type.to_str().ok()?.split(';').skip(1);
    let named = parameters.filter_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let is_charset = name.trim().eq_ignore_ascii_case("charset");
        is_charset.then(|| value.trim().trim_matches('"'))
    });
    let encoding = encoding_rs::Encoding::for_label(named.take(1).next()?.as_bytes())?;
    (encoding != encoding_rs::UTF_8).then_some(encoding)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blob(data: &[u8], content_type: &'static str) -> AnswerBody {
        AnswerBody::Blob {
            data: bytes::Bytes::copy_from_slice(data),
            content_type: Some(HeaderValue::from_static(content_type)),
        }
    }

    #[test]
    fn bytes_are_read_in_the_character_set_that_they_say() {
        for (content_type, data, expected) in [
            ("text/html", &b"\xc3\xa9"[..], &b"\xc3\xa9"[..]),
            ("text/html; charset=utf-8", b"\xff", b"\xff"),
            ("text/html;Charset=\"ISO-8859-1\"", b"\xe9", b"\xc3\xa9"),
            ("text/html; charset=unheard", b"\xe9", b"\xe9"),
        ] {
            let source = Source::of_body(blob(data, content_type), None).unwrap();
            assert_eq!(source.template.source(), expected, "{content_type}");
        }
        let set = HeaderValue::from_static("text/html; charset=windows-1251");
        let source = Source::of_body(blob(b"\xdf", "text/html"), Some(&set)).unwrap();
        assert_eq!(source.template.source(), "Я".as_bytes());
    }
}
