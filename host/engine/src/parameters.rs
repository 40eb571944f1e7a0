//! The parameters of a header field's value: `form-data; name="a"; filename="b.txt"`.

use percent_encoding::percent_decode_str;

/// The parameter of a name, without its quotes; the first one counts.
pub(crate) fn parameter(value: &str, name: &str) -> Option<String> {
    let mut rest = value.split_once(';')?.1;
    loop {
        let (key, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let (value, tail) = match after.strip_prefix('"') {
            Some(quoted) => unquoted(quoted)?,
            None => {
                let end = after.find(';').unwrap_or(after.len());
                let (value, tail) = after.split_at(end);
                (value.trim().to_owned(), tail)
            }
        };
        // A parameter without a value stands before the one that has it.
        let key = key.rsplit(';').next().unwrap_or_default();
        // Blanks of other scripts are no white space here, but part of another name.
        if key.trim_ascii().eq_ignore_ascii_case(name) {
            return Some(value);
        }
        rest = tail.split_once(';')?.1;
    }
}

/// The same for a text that may also be there in the form of RFC 8187: `filename*=UTF-8''%e2%82%ac.txt`.
pub(crate) fn extended_parameter(value: &str, name: &str) -> Option<String> {
    parameter(value, name).or_else(|| {
        let text = parameter(value, &format!("{name}*"))?;
        let (charset, rest) = text.split_once('\'')?;
        let (_, encoded) = rest.split_once('\'')?;
        let bytes: Vec<u8> = percent_decode_str(encoded).collect();
        let charset = crate::charset::named(charset)?;
        Some(crate::charset::decoded(&bytes, Some(charset)).into_owned())
    })
}

/// What stands up to the closing quote, and what follows it. Only quotes and backslashes are taken for escaped: some
/// clients send the names of their folders.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return Some((value, text.get(at + 1..).unwrap_or_default())),
            '\\' => match characters.next_if(|(_, next)| matches!(next, '"' | '\\')) {
                Some((_, escaped)) => value.push(escaped),
                None => value.push(c),
            },
            _ => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_found_in_quotes_and_without() {
        for (value, name, expected) in [
            ("a; b=c", "b", Some("c")),
            ("a; B = \"c;d=e\" ; f=g", "b", Some("c;d=e")),
            ("a; b=\"c;d=e\"; f=g", "f", Some("g")),
            ("a; b=\"c;d=e\"; f=g", "d", None),
            ("a; x; b=c", "b", Some("c")),
            ("a; b=\"\\\"c\\\\d\\e\"", "b", Some("\"c\\d\\e")),
            ("a; b=\"", "b", None),
            ("a; b=", "b", Some("")),
            ("a", "a", None),
            ("a=b", "a", None),
            ("", "b", None),
        ] {
            assert_eq!(parameter(value, name).as_deref(), expected, "{value}");
        }
    }

    #[test]
    fn names_may_be_in_any_character_set() {
        for (value, expected) in [
            ("a; f=\"x\"; f*=utf-8''%c3%bc", Some("x")),
            ("a; f*=UTF-8'de'%c3%bc%20.txt", Some("\u{fc} .txt")),
            ("a; f*=iso-8859-1''%fc", Some("\u{fc}")),
            ("a; f*=nothing''%fc", None),
            ("a; f*=x", None),
        ] {
            assert_eq!(
                extended_parameter(value, "f").as_deref(),
                expected,
                "{value}"
            );
        }
    }
}
