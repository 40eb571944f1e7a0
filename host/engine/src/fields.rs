//! The header fields of a request: hardly a component looks at any, so they are read when one does.

use std::sync::OnceLock;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::call::{push_field_name, push_field_value};

/// Most fields of one request, more than any host lets through.
const FIELDS_MAX: usize = 256;

/// The header fields of a request.
#[derive(Debug)]
pub struct Fields(Kind);

#[derive(Debug)]
enum Kind {
    Read(HeaderMap),
    AsSent(Bytes, OnceLock<HeaderMap>),
}

impl Fields {
    /// Fields as they were sent: lines, each ended by CR LF, known to be as HTTP/1.1 has them.
    pub fn as_sent(lines: Bytes) -> Self {
        Self(Kind::AsSent(lines, OnceLock::new()))
    }

    /// Reads them, once.
    pub fn map(&self) -> &HeaderMap {
        match &self.0 {
            Kind::Read(fields) => fields,
            Kind::AsSent(lines, read) => read.get_or_init(|| read_lines(lines)),
        }
    }

    /// Writes them as text, each ended by CR LF.
    pub(crate) fn push_lines(&self, text: &mut String) {
        if let Kind::AsSent(lines, _) = &self.0
            && let Ok(lines) = std::str::from_utf8(lines)
        {
            text.push_str(lines);
            return;
        }
        for (name, value) in self.map() {
            push_field_name(text, name.as_str());
            text.push_str(": ");
            push_field_value(text, value.as_bytes());
            text.push_str("\r\n");
        }
    }

    /// About how many bytes that takes.
    pub(crate) fn text_length(&self) -> usize {
        match &self.0 {
            Kind::Read(fields) => fields
                .iter()
                .map(|(name, value)| name.as_str().len() + value.len() + 4)
                .sum(),
            Kind::AsSent(lines, _) => lines.len(),
        }
    }
}

impl From<HeaderMap> for Fields {
    fn from(fields: HeaderMap) -> Self {
        Self(Kind::Read(fields))
    }
}

impl Default for Fields {
    fn default() -> Self {
        HeaderMap::new().into()
    }
}

fn read_lines(lines: &[u8]) -> HeaderMap {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
    let ended = [lines, b"\r\n"].concat();
    let mut map = HeaderMap::new();
    let Ok(httparse::Status::Complete((_, fields))) = httparse::parse_headers(&ended, &mut fields)
    else {
        return map;
    };
    for field in fields {
        let name = HeaderName::from_bytes(field.name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(field.value)) {
            map.append(name, value);
        }
    }
    map
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(fields: &Fields) -> String {
        let mut text = String::new();
        fields.push_lines(&mut text);
        assert!(fields.text_length() >= text.len() - 1);
        text
    }

    #[test]
    fn fields_as_sent_are_those_that_were_read() {
        let lines = "Host: a\r\nx-one: 1\r\nX-One:  2 \r\nCookie: a=b\r\n";
        let fields = Fields::as_sent(Bytes::from_static(lines.as_bytes()));
        assert_eq!(text(&fields), lines);
        let map = fields.map();
        assert_eq!(map["host"], "a");
        let values: Vec<_> = map.get_all("x-one").iter().collect();
        assert_eq!(values, ["1", "2"]);
        let read = Fields::from(map.clone());
        assert_eq!(
            text(&read),
            "Host: a\r\nX-One: 1\r\nX-One: 2\r\nCookie: a=b\r\n"
        );
    }

    #[test]
    fn bytes_that_are_no_utf_8_are_latin_1() {
        let fields = Fields::as_sent(Bytes::from_static(b"host: a\r\nx: caf\xe9\r\n"));
        assert_eq!(text(&fields), "Host: a\r\nX: caf\u{e9}\r\n");
    }
}
