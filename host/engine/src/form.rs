//! Form fields: what WEB GET VARIABLES returns of a query or of a posted form.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8};
use percent_encoding::percent_decode;

use crate::call::field_value;
use crate::charset;
use crate::parameters::parameter;
use crate::wit::{Variable, WitBodyError};

/// Most variables of one request: more is an attack on whoever loops over them.
pub(crate) const VARIABLES_MAX: usize = 10_000;
/// In a field of this name browsers write the character set of a form.
const CHARSET_FIELD: &[u8] = b"_charset_";

/// A character set; none is UTF-8.
type Charset = Option<&'static Encoding>;

/// How a posted form is encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FormEncoding {
    /// `application/x-www-form-urlencoded`.
    UrlEncoded(Charset),
    /// `multipart/form-data` with this boundary; without one it is empty.
    Multipart(String),
    /// `text/plain`: one `name=value` a line.
    PlainText(Charset),
}

impl FormEncoding {
    /// The encoding that a Content-Type names; `None` if it is not that of a form.
    pub(crate) fn of(content_type: Option<&[u8]>) -> Option<Self> {
        let content_type = field_value(content_type?);
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        let charset = charset::of_type(&content_type);
        let is = |name: &str| essence.eq_ignore_ascii_case(name);
        if is("application/x-www-form-urlencoded") {
            Some(Self::UrlEncoded(charset))
        } else if is("text/plain") {
            Some(Self::PlainText(charset))
        } else if is("multipart/form-data") {
            let boundary = parameter(&content_type, "boundary");
            Some(Self::Multipart(boundary.unwrap_or_default()))
        } else {
            None
        }
    }
}

/// The parameters of a URL's query.
pub(crate) fn query_variables(url: &str) -> Result<Vec<Variable>, WitBodyError> {
    match url.split_once('?') {
        Some((_, query)) => {
            let query = query.split('#').next().unwrap_or_default();
            url_encoded(query.as_bytes(), None)
        }
        None => Ok(Vec::new()),
    }
}

/// The fields of a form, in their order, repeated ones repeated.
pub(crate) fn url_encoded(text: &[u8], charset: Charset) -> Result<Vec<Variable>, WitBodyError> {
    let pairs = || text.split(|byte| *byte == b'&').filter(|it| !it.is_empty());
    let said = || {
        let said = pairs().map(cut).find(|(name, _)| *name == CHARSET_FIELD);
        said.and_then(|(_, value)| charset::named(std::str::from_utf8(value).ok()?))
    };
    let charset = charset.or_else(said).unwrap_or(UTF_8);
    let decode = |text: &[u8]| {
        let text: Cow<'_, [u8]> = match text.contains(&b'+') {
            true => text.iter().map(plus_to_blank).collect::<Vec<_>>().into(),
            false => text.into(),
        };
        let bytes: Cow<'_, [u8]> = percent_decode(&text).into();
        charset::decoded(&bytes, Some(charset)).into_owned()
    };
    limited(pairs().map(|pair| {
        let (name, value) = cut(pair);
        Variable {
            name: decode(name),
            value: decode(value),
        }
    }))
}

fn plus_to_blank(byte: &u8) -> u8 {
    match byte {
        b'+' => b' ',
        other => *other,
    }
}

/// Name and value.
fn cut(pair: &[u8]) -> (&[u8], &[u8]) {
    let at = pair.iter().position(|byte| *byte == b'=');
    let at = at.unwrap_or(pair.len());
    let (name, value) = pair.split_at(at);
    (name, value.get(1..).unwrap_or_default())
}

/// The lines of a form that was sent as text.
pub(crate) fn plain_text(body: &[u8], charset: Charset) -> Result<Vec<Variable>, WitBodyError> {
    let text = charset::decoded(body, charset);
    let lines = text.lines().filter(|line| !line.is_empty());
    limited(lines.map(|line| {
        let (name, value) = line.split_once('=').unwrap_or((line, ""));
        Variable {
            name: name.to_owned(),
            value: value.to_owned(),
        }
    }))
}

fn limited(variables: impl Iterator<Item = Variable>) -> Result<Vec<Variable>, WitBodyError> {
    let variables: Vec<Variable> = variables.take(VARIABLES_MAX + 1).collect();
    match variables.len() > VARIABLES_MAX {
        true => Err(WitBodyError::Malformed(format!(
            "more than {VARIABLES_MAX} variables"
        ))),
        false => Ok(variables),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(variables: Result<Vec<Variable>, WitBodyError>) -> Vec<(String, String)> {
        let variables = variables.unwrap().into_iter();
        variables.map(|v| (v.name, v.value)).collect()
    }

    fn check(content_type: &str, body: &[u8], expected: &[(&str, &str)]) {
        let found = match FormEncoding::of(Some(content_type.as_bytes())).unwrap() {
            FormEncoding::UrlEncoded(charset) => url_encoded(body, charset),
            FormEncoding::PlainText(charset) => plain_text(body, charset),
            FormEncoding::Multipart(boundary) => panic!("{boundary}"),
        };
        let expected: Vec<_> = expected
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect();
        assert_eq!(pairs(found), expected);
    }

    #[test]
    fn forms_keep_order_case_and_repetition() {
        check(
            "application/x-www-form-urlencoded; charset=utf-8",
            b"vName=Ann+B&vname=%C3%A9&&vName=&x&=y&%2B=%zz",
            &[
                ("vName", "Ann B"),
                ("vname", "\u{e9}"),
                ("vName", ""),
                ("x", ""),
                ("", "y"),
                ("+", "%zz"),
            ],
        );
        check("Text/Plain", b"a=b=c\r\nd\r\n", &[("a", "b=c"), ("d", "")]);
    }

    #[test]
    fn forms_are_in_the_character_set_that_they_say() {
        let latin = "application/x-www-form-urlencoded; charset=ISO-8859-1";
        check(latin, b"a=%FC", &[("a", "\u{fc}")]);
        check(
            "application/x-www-form-urlencoded",
            b"a=%FC&_charset_=windows-1252",
            &[("a", "\u{fc}"), ("_charset_", "windows-1252")],
        );
        check("text/plain; charset=latin1", b"a=\xfc", &[("a", "\u{fc}")]);
        check(
            "application/x-www-form-urlencoded",
            b"a=%FF",
            &[("a", "\u{fffd}")],
        );
    }

    #[test]
    fn a_multipart_form_has_a_boundary_or_an_empty_one() {
        let boundary = |text: &str| FormEncoding::of(Some(text.as_bytes()));
        let multipart = |text: &str| Some(FormEncoding::Multipart(text.to_owned()));
        assert_eq!(
            boundary("multipart/form-data; boundary=\"X X\""),
            multipart("X X")
        );
        assert_eq!(boundary("Multipart/Form-Data"), multipart(""));
        assert_eq!(boundary("multipart/mixed; boundary=a"), None);
        assert_eq!(FormEncoding::of(None), None);
    }

    #[test]
    fn query_is_what_follows_the_question_mark() {
        assert_eq!(
            pairs(query_variables("/a?b=c&d=e+f")),
            [
                ("b".to_owned(), "c".to_owned()),
                ("d".to_owned(), "e f".to_owned())
            ]
        );
        assert!(query_variables("/a").unwrap().is_empty());
        assert!(query_variables(&format!("/?{}", "a&".repeat(VARIABLES_MAX + 1))).is_err());
    }

    /// The library reads the same.
    #[test]
    fn any_bytes_are_read_as_the_standard_says() {
        let pieces: [&[u8]; 10] = [
            b"a=b",
            b"&",
            b"%",
            b"%zz",
            b"=",
            b"\xff\xfe",
            b"\0",
            b"+",
            b"%c3%bc",
            b"%26",
        ];
        let mut seed = 0x2545_f491_4f6c_dd1d_u64;
        for _ in 0..2_000 {
            let mut body = Vec::new();
            for _ in 0..seed % 9 {
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                body.extend_from_slice(pieces[usize::try_from(seed % 10).unwrap()]);
            }
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let expected: Vec<(String, String)> = form_urlencoded::parse(&body)
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect();
            assert_eq!(
                pairs(url_encoded(&body, None)),
                expected,
                "{}",
                body.escape_ascii()
            );
            let _ = plain_text(&body, None);
            let _ = FormEncoding::of(Some(&body));
        }
    }
}
