//! Further header fields for the collector, from a file that only its owner and group can read: they may be secrets.

use std::path::{Path, PathBuf};

use ::http::{HeaderMap, HeaderName, HeaderValue};

use crate::server::read_secret;

/// The file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("[traces] headers_file: {path}: {reason}", path = path.display())]
pub(crate) struct HeadersError {
    path: PathBuf,
    reason: String,
}

/// Reads a file of lines, each `Name: value`; those that are empty or begin with # say nothing. Blocks.
pub(super) fn read(path: &Path) -> Result<HeaderMap, HeadersError> {
    let text = read_secret(path);
    let fields = text.and_then(|text| parse(&text));
    fields.map_err(|reason| HeadersError {
        path: path.to_owned(),
        reason,
    })
}

fn parse(text: &str) -> Result<HeaderMap, String> {
    let mut fields = HeaderMap::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let field = line.split_once(':').and_then(|(name, value)| {
            let name = HeaderName::try_from(name.trim()).ok()?;
            let mut value = HeaderValue::try_from(value.trim()).ok()?;
            value.set_sensitive(true);
            Some((name, value))
        });
        let Some((name, value)) = field else {
            // Not what it says: that may be the secret.
            return Err(format!("line {} must be `Name: value`", index + 1));
        };
        fields.append(name, value);
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_lines_and_a_wrong_one_is_named_by_its_number() {
        let fields = parse("# for the collector\n\nApi-Key: a:b \r\nx-scope: one").unwrap();
        assert_eq!(
            (&fields["api-key"], &fields["x-scope"]),
            (&"a:b".parse().unwrap(), &"one".parse().unwrap())
        );
        for wrong in ["a: b\nsecret", "a: b\nna me: c", "a: b\nc: \u{7}"] {
            let error = parse(wrong).unwrap_err();
            assert!(
                error.contains("line 2") && !error.contains("secret"),
                "{error}"
            );
        }
    }
}
