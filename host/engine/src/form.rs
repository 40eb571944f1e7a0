//! Form fields: what WEB GET VARIABLES returns of a query or of a posted form.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;

use crate::call::field_value;
use crate::wit::{Variable, WitBodyError};

/// Most variables of one request: more is an attack on whoever loops over them.
pub(crate) const VARIABLES_MAX: usize = 10_000;

/// How a posted form is encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FormEncoding {
    /// `application/x-www-form-urlencoded`.
    UrlEncoded,
    /// `multipart/form-data` with this boundary.
    Multipart(String),
    /// `text/plain`: one `name=value` a line.
    PlainText,
}

impl FormEncoding {
    /// The encoding that a Content-Type names; `None` if it is not that of a form.
    pub(crate) fn of(content_type: Option<&[u8]>) -> Option<Self> {
        let content_type = field_value(content_type?);
        let essence = content_type
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        match essence.as_str() {
            "application/x-www-form-urlencoded" => Some(Self::UrlEncoded),
            "text/plain" => Some(Self::PlainText),
            "multipart/form-data" => multer::parse_boundary(&content_type)
                .ok()
                .map(Self::Multipart),
            _ => None,
        }
    }

    /// The fields of a form, in their order, repeated ones repeated.
    pub(crate) async fn parse(&self, body: Bytes) -> Result<Vec<Variable>, WitBodyError> {
        let variables = match self {
            Self::UrlEncoded => url_encoded(&body),
            Self::PlainText => plain_text(&body),
            Self::Multipart(boundary) => return multipart(boundary, body).await,
        };
        limited(variables)
    }
}

/// The parameters of a URL's query.
pub(crate) fn query_variables(url: &str) -> Result<Vec<Variable>, WitBodyError> {
    match url.split_once('?') {
        Some((_, query)) => limited(url_encoded(
            query.split('#').next().unwrap_or_default().as_bytes(),
        )),
        None => Ok(Vec::new()),
    }
}

fn url_encoded(text: &[u8]) -> Vec<Variable> {
    form_urlencoded::parse(text)
        .take(VARIABLES_MAX + 1)
        .map(|(name, value)| Variable {
            name: name.into_owned(),
            value: value.into_owned(),
        })
        .collect()
}

fn plain_text(body: &[u8]) -> Vec<Variable> {
    String::from_utf8_lossy(body)
        .lines()
        .filter(|line| !line.is_empty())
        .take(VARIABLES_MAX + 1)
        .map(|line| {
            let (name, value) = line.split_once('=').unwrap_or((line, ""));
            Variable {
                name: name.to_owned(),
                value: value.to_owned(),
            }
        })
        .collect()
}

/// All parts by name; the value of a file is its content as text.
async fn multipart(boundary: &str, body: Bytes) -> Result<Vec<Variable>, WitBodyError> {
    let malformed = |error: multer::Error| WitBodyError::Malformed(error.to_string());
    let mut parts = multer::Multipart::new(Whole(Some(body)), boundary);
    let mut variables = Vec::new();
    while let Some(part) = parts.next_field().await.map_err(malformed)? {
        let name = part.name().unwrap_or_default().to_owned();
        let value = part.bytes().await.map_err(malformed)?;
        variables.push(Variable {
            name,
            value: String::from_utf8_lossy(&value).into_owned(),
        });
        if variables.len() > VARIABLES_MAX {
            return Err(too_many());
        }
    }
    Ok(variables)
}

fn limited(variables: Vec<Variable>) -> Result<Vec<Variable>, WitBodyError> {
    if variables.len() > VARIABLES_MAX {
        Err(too_many())
    } else {
        Ok(variables)
    }
}

fn too_many() -> WitBodyError {
    WitBodyError::Malformed(format!("more than {VARIABLES_MAX} variables"))
}

/// A stream of one item: the body, which is already in memory.
struct Whole(Option<Bytes>);

impl futures_core::Stream for Whole {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.take().map(Ok))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(variables: Vec<Variable>) -> Vec<(String, String)> {
        variables.into_iter().map(|v| (v.name, v.value)).collect()
    }

    async fn check(content_type: &str, body: &'static str, expected: &[(&str, &str)]) {
        let form = FormEncoding::of(Some(content_type.as_bytes())).unwrap();
        let found = pairs(
            form.parse(Bytes::from_static(body.as_bytes()))
                .await
                .unwrap(),
        );
        let expected: Vec<_> = expected
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect();
        assert_eq!(found, expected);
    }

    #[tokio::test]
    async fn forms_keep_order_case_and_repetition() {
        check(
            "application/x-www-form-urlencoded; charset=utf-8",
            "vName=Ann+B&vname=%C3%A9&vName=&x",
            &[("vName", "Ann B"), ("vname", "é"), ("vName", ""), ("x", "")],
        )
        .await;
        check("text/plain", "a=b=c\r\nd\r\n", &[("a", "b=c"), ("d", "")]).await;
        check(
            "multipart/form-data; boundary=\"XX\"",
            "--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--XX\r\n\
             Content-Disposition: form-data; name=\"f\"; filename=\"x.txt\"\r\nContent-Type: text/plain\r\n\r\nfile\r\n--XX--\r\n",
            &[("a", "1"), ("f", "file")],
        )
        .await;
    }

    #[tokio::test]
    async fn broken_multipart_is_an_error() {
        let form = FormEncoding::Multipart("XX".into());
        assert!(
            form.parse(Bytes::from_static(b"--XX\r\nContent-Disp"))
                .await
                .is_err()
        );
        assert_eq!(FormEncoding::of(Some(b"multipart/form-data")), None);
    }

    #[test]
    fn query_is_what_follows_the_question_mark() {
        assert_eq!(
            pairs(query_variables("/a?b=c&d=e+f").unwrap()),
            [
                ("b".to_owned(), "c".to_owned()),
                ("d".to_owned(), "e f".to_owned())
            ]
        );
        assert!(query_variables("/a").unwrap().is_empty());
        assert!(query_variables(&format!("/?{}", "a&".repeat(VARIABLES_MAX + 1))).is_err());
    }

    /// Any bytes under any content type are variables or an error.
    #[tokio::test]
    async fn no_form_panics() {
        let pieces: [&[u8]; 12] = [
            b"--XX",
            b"\r\n",
            b"--XX--",
            b"Content-Disposition: form-data; name=\"a\"",
            b"a=b",
            b"&",
            b"%",
            b"%zz",
            b"=",
            b"\xff\xfe",
            b"\0",
            b"+",
        ];
        let mut seed = 0x2545_f491_4f6c_dd1d_u64;
        for _ in 0..2_000 {
            let mut body = Vec::new();
            for _ in 0..seed % 9 {
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                body.extend_from_slice(pieces[usize::try_from(seed % 12).unwrap()]);
            }
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            for form in [
                FormEncoding::UrlEncoded,
                FormEncoding::PlainText,
                FormEncoding::Multipart("XX".into()),
            ] {
                let _ = form.parse(body.clone().into()).await;
            }
            let _ = FormEncoding::of(Some(&body));
        }
    }
}
