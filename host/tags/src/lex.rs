//! From the text of an expression to its words.

use crate::fault::Code;

/// A word of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    Number(f64),
    Text(String),
    /// A variable, a method or a command. Names may have single blanks in them; `$` of local variables belongs to them.
    Name(String),
    /// `.name`: a property.
    Member(String),
    /// An operator, a bracket or a separator.
    Sign(&'static str),
}

/// All signs, longer ones before those that they start with.
const SIGNS: &[&str] = &[
    ":=", "+=", "-=", "*=", "/=", "<=", ">=", "&&", "||", "(", ")", "{", "}", "[", "]", ";", "+",
    "-", "*", "/", "\\", "%", "^", "=", "#", "<", ">", "&", "|", "?", ":",
];

/// The words of `text`.
///
/// # Errors
///
/// The first thing that is no word.
pub(crate) fn words(text: &str) -> Result<Vec<Token>, Code> {
    let mut rest = text.trim_start();
    let mut tokens = Vec::new();
    while let Some(first) = rest.chars().next() {
        let (token, after) = match first {
            '"' => quoted(rest)?,
            '0'..='9' => number(rest)?,
            '.' if rest
                .chars()
                .nth(1)
                .is_some_and(|next| next.is_ascii_digit()) =>
            {
                number(rest)?
            }
            '.' => member(rest)?,
            '$' => name(rest)?,
            _ if starts_name(first) => name(rest)?,
            // Dates, times and fields of tables.
            '!' => return Err(Code::Unavailable),
            '?' if is_time(rest) => return Err(Code::Unavailable),
            '-' if rest.starts_with("->") => return Err(Code::Unavailable),
            _ => sign(rest)?,
        };
        tokens.push(token);
        rest = after.trim_start();
    }
    Ok(tokens)
}

fn starts_name(char: char) -> bool {
    char.is_alphabetic() || char == '_'
}

fn is_in_name(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

/// `?12:00:00?`.
fn is_time(text: &str) -> bool {
    let text = text.as_bytes();
    text.get(9) == Some(&b'?') && text.get(3) == Some(&b':') && text.get(6) == Some(&b':')
}

fn sign(text: &str) -> Result<(Token, &str), Code> {
    let found = SIGNS
        .iter()
        .find_map(|sign| Some((sign, text.strip_prefix(sign)?)));
    let (sign, rest) = found.ok_or(Code::Syntax)?;
    Ok((Token::Sign(sign), rest))
}

fn quoted(text: &str) -> Result<(Token, &str), Code> {
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Ok((Token::Text(value), text.get(at + 1..).unwrap_or_default())),
            '\\' => match chars.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, 'r')) => value.push('\r'),
                Some((_, 't')) => value.push('\t'),
                Some((_, char @ ('"' | '\\'))) => value.push(char),
                _ => return Err(Code::Syntax),
            },
            char => value.push(char),
        }
    }
    Err(Code::Syntax)
}

fn number(text: &str) -> Result<(Token, &str), Code> {
    let bytes = text.as_bytes();
    let digits_from = |at: usize| {
        let digits = bytes
            .iter()
            .skip(at)
            .take_while(|byte| byte.is_ascii_digit());
        at + digits.count()
    };
    let mut end = digits_from(0);
    if bytes.get(end) == Some(&b'.') {
        end = digits_from(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits_from(end + 1 + sign);
        if exponent > end + 1 + sign {
            end = exponent;
        }
    }
    let (number, rest) = text.split_at_checked(end).ok_or(Code::Syntax)?;
    let number: f64 = number.parse().map_err(|_| Code::Syntax)?;
    if !number.is_finite() || rest.starts_with(is_in_name) {
        return Err(Code::Syntax);
    }
    Ok((Token::Number(number), rest))
}

fn member(text: &str) -> Result<(Token, &str), Code> {
    let text = text.get(1..).unwrap_or_default();
    let end = text.find(|char| !is_in_name(char)).unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end).ok_or(Code::Syntax)?;
    if !name.starts_with(starts_name) {
        return Err(Code::Syntax);
    }
    Ok((Token::Member(name.to_owned()), rest))
}

/// A name, with a single blank where it has blanks: `Size of  array`.
fn name(text: &str) -> Result<(Token, &str), Code> {
    let (mut name, mut rest) = match text.strip_prefix('$') {
        Some(rest) => (String::from("$"), rest),
        None => (String::new(), text),
    };
    loop {
        let end = rest.find(|char| !is_in_name(char)).unwrap_or(rest.len());
        let (word, after) = rest.split_at_checked(end).ok_or(Code::Syntax)?;
        if word.is_empty() {
            return Err(Code::Syntax);
        }
        name.push_str(word);
        rest = after;
        let next = after.trim_start_matches([' ', '\t', '\r', '\n']);
        if next.len() == after.len() || !next.starts_with(is_in_name) {
            break;
        }
        name.push(' ');
        rest = next;
    }
    Ok((Token::Name(name), without_token(rest)))
}

/// What follows `:C123` or `:K12:3`, which say in old pages which command or constant is meant.
fn without_token(text: &str) -> &str {
    let Some(rest) = text.strip_prefix(":C").or_else(|| text.strip_prefix(":K")) else {
        return text;
    };
    let after = rest.trim_start_matches(|char: char| char.is_ascii_digit());
    if after.len() == rest.len() {
        return text;
    }
    match after.strip_prefix(':') {
        Some(more) if more.starts_with(|char: char| char.is_ascii_digit()) => {
            more.trim_start_matches(|char: char| char.is_ascii_digit())
        }
        _ => after,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Token {
        Token::Name(text.to_owned())
    }

    #[test]
    fn an_expression_is_taken_apart_into_words() {
        let words = words("$x.price>=1.5 && Size of  array:C274(a{b};\"a\\\"b\")").unwrap();
        let expected = [
            name("$x"),
            Token::Member("price".to_owned()),
            Token::Sign(">="),
            Token::Number(1.5),
            Token::Sign("&&"),
            name("Size of array"),
            Token::Sign("("),
            name("a"),
            Token::Sign("{"),
            name("b"),
            Token::Sign("}"),
            Token::Sign(";"),
            Token::Text("a\"b".to_owned()),
            Token::Sign(")"),
        ];
        assert_eq!(words, expected);
    }

    #[test]
    fn what_is_no_word_is_told() {
        for text in [
            "\"", "\"\\x\"", "1a", "$", "a.", "a.$b", "@", "'x'", "1e999", "é.€",
        ] {
            assert_eq!(words(text), Err(Code::Syntax), "{text}");
        }
        for text in ["!2020-01-01!", "?12:30:00?", "p->"] {
            assert_eq!(words(text), Err(Code::Unavailable), "{text}");
        }
    }
}
