//! Forms and percent-encoding, as far as tests need them.

use crate::types::Variable;

/// Reads `a=b&c=d`.
pub(crate) fn parse(text: &str) -> Vec<Variable> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Variable {
                name: decode(&name.replace('+', " ")),
                value: decode(&value.replace('+', " ")),
            }
        })
        .collect()
}

/// Reads lines of `a=b`, as `enctype="text/plain"` sends them.
pub(crate) fn parse_plain(text: &str) -> Vec<Variable> {
    text.lines()
        .filter(|line| !line.is_empty())
        .map(|line| {
            let (name, value) = line.split_once('=').unwrap_or((line, ""));
            Variable {
                name: name.to_owned(),
                value: value.to_owned(),
            }
        })
        .collect()
}

/// Writes `a=b&c=d`.
pub(crate) fn format<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let pairs: Vec<String> = pairs
        .into_iter()
        .map(|(name, value)| format!("{}={}", encode(name, b"-._"), encode(value, b"-._")))
        .collect();
    pairs.join("&")
}

/// Turns `%41` into `A`; what does not decode stays.
pub(crate) fn decode(text: &str) -> String {
    crate::percent::decode(text).into_owned()
}

/// Percent-encodes all but letters, digits and `kept`.
pub(crate) fn encode(text: &str, kept: &[u8]) -> String {
    let mut encoded = String::with_capacity(text.len());
    for &byte in text.as_bytes() {
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
            encoded.push(byte.into());
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_writes() {
        let written = format([("a b", "c&d=é"), ("a b", "")]);
        assert_eq!(written, "a%20b=c%26d%3D%C3%A9&a%20b=");
        let read = parse(&written);
        assert_eq!(read.len(), 2);
        assert_eq!(
            (read[0].name.as_str(), read[0].value.as_str()),
            ("a b", "c&d=é")
        );
        assert_eq!(parse("a+b=1%2B1%zz")[0].value, "1+1%zz");
    }
}
