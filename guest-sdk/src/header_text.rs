//! Header fields written as one text.

use crate::types::{HeaderField, ResponseError};

/// Reads lines that end in CR, LF or CR LF. A status line becomes `X-VERSION` and `X-STATUS`.
pub(crate) fn parse(text: &str) -> Result<Vec<HeaderField>, ResponseError> {
    let mut fields = Vec::new();
    for (index, line) in text.split(['\r', '\n']).enumerate() {
        if line.is_empty() {
            continue;
        }
        if index == 0
            && line
                .get(..5)
                .is_some_and(|it| it.eq_ignore_ascii_case("HTTP/"))
        {
            let (version, status) = line.split_once(' ').unwrap_or((line, ""));
            fields.push(HeaderField::new("X-VERSION", version));
            if !status.trim().is_empty() {
                fields.push(HeaderField::new("X-STATUS", status.trim()));
            }
            continue;
        }
        let Some((name, value)) = line.split_once(':') else {
            return Err(ResponseError::Invalid(format!(
                "line {line:?} is no header field"
            )));
        };
        fields.push(HeaderField::new(name.trim(), value.trim()));
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let fields = parse(text).unwrap();
        let fields = fields
            .iter()
            .map(|field| format!("{}={}", field.name, field.value));
        fields.collect::<Vec<_>>().join(";")
    }

    #[test]
    fn a_text_is_a_status_line_and_fields() {
        for end in ["\r", "\n", "\r\n"] {
            let text = [
                "HTTP/1.0 404 Not Found",
                "A: b",
                "Set-Cookie: c=d; PATH=/",
                "",
            ]
            .join(end);
            let expected = "X-VERSION=HTTP/1.0;X-STATUS=404 Not Found;A=b;Set-Cookie=c=d; PATH=/";
            assert_eq!(shown(&text), expected);
        }
        assert_eq!(shown("A:b"), "A=b");
        assert_eq!(shown("HTTP/1.1"), "X-VERSION=HTTP/1.1");
        assert_eq!(shown(""), "");
        assert!(parse("A: b\rno field").is_err());
    }
}
