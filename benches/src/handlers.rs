//! What the component `measured` answers, in native code: see `tests/guests/measured`.

use std::borrow::Cow;
use std::fmt::Write;

use bytes::Bytes;
use serde_json::Value;

/// A hundred bytes.
pub(crate) const HELLO: &str = "Hello from a handler. It answers with a hundred bytes, which is as small as answers usually become.\n";
const ROWS: u32 = 100;

const TEXT: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json";

/// The content type and the body for a path; none if there is nothing, or the body that was posted is not what it has to be.
pub(crate) fn answer(path: &str, posted: &[u8]) -> Option<(&'static str, Bytes)> {
    Some(match path {
        "/hello" => (TEXT, Bytes::from_static(HELLO.as_bytes())),
        "/echo" => {
            let tree: Value = serde_json::from_slice(posted).ok()?;
            (JSON, serde_json::to_vec(&tree).ok()?.into())
        }
        "/form" => (HTML, form(std::str::from_utf8(posted).ok()?)?.into()),
        "/table" => (HTML, table()?.into()),
        _ => return None,
    })
}

/// The fields of a form that was posted by a browser.
fn form(posted: &str) -> Option<String> {
    let mut page = String::from("<!doctype html><title>Form</title><dl>\n");
    for field in posted.split('&').filter(|field| !field.is_empty()) {
        let (name, value) = field.split_once('=').unwrap_or((field, ""));
        let (name, value) = (decoded(name)?, decoded(value)?);
        for part in ["<dt>", &escape(&name), "<dd>", &escape(&value), "\n"] {
            page.push_str(part);
        }
    }
    page.push_str("</dl>\n");
    Some(page)
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let high = char::from(rest.next()?).to_digit(16)?;
                let low = char::from(rest.next()?).to_digit(16)?;
                u8::try_from(high * 16 + low).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

fn table() -> Option<String> {
    let mut page = String::from("<!doctype html><title>Table</title><table>\n");
    for row in 1..=ROWS {
        let name = format!("row <{row}>");
        writeln!(page, "<tr><td>{row}<td>{}<td>{}", escape(&name), row * row).ok()?;
    }
    page.push_str("</table>\n");
    Some(page)
}

fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
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

    fn check(path: &str, posted: &str, expected: Option<&str>) {
        let found = answer(path, posted.as_bytes());
        let found = found.map(|(_, body)| String::from_utf8(body.to_vec()).unwrap());
        assert_eq!(found.as_deref(), expected, "{path} {posted}");
    }

    #[test]
    fn hello_is_a_hundred_bytes() {
        assert_eq!(HELLO.len(), 100);
        check("/hello", "", Some(HELLO));
    }

    #[test]
    fn a_form_is_shown_escaped() {
        check(
            "/form",
            "a=1+2&b=%3Cx%3E&&c",
            Some(
                "<!doctype html><title>Form</title><dl>\n<dt>a<dd>1 2\n<dt>b<dd>&lt;x&gt;\n<dt>c<dd>\n</dl>\n",
            ),
        );
        check("/form", "a=%f", None);
        check("/form", "a=%ff", None);
    }

    #[test]
    fn json_comes_back() {
        check("/echo", "{\"a\": [1, 2]}", Some("{\"a\":[1,2]}"));
        check("/echo", "{", None);
    }

    #[test]
    fn a_table_has_a_hundred_rows() {
        let (_, page) = answer("/table", b"").unwrap();
        let page = String::from_utf8(page.to_vec()).unwrap();
        assert_eq!(page.matches("<tr>").count(), 100);
        assert!(page.contains("<tr><td>100<td>row &lt;100&gt;<td>10000\n"));
    }
}
