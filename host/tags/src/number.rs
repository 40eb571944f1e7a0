//! Numbers as they are inserted into pages and read from texts.

use std::fmt::Write;

/// Digits that a number is shown with: more would show how it is stored (0.1 + 0.2).
const DIGITS_MAX: usize = 15;
/// From here on, whole numbers may not be exact.
const WHOLE_BELOW: f64 = 1e15;
/// Below this, decimals are shown with an exponent.
const PLAIN_FROM: f64 = 1e-6;

/// Appends `number` to `text`: whole numbers without decimals, others with up to 15 digits, `.` before the decimals.
pub(crate) fn show(number: f64, text: &mut String) {
    // Writing into a text cannot fail.
    let _ = if number.fract() == 0.0 && number.abs() < WHOLE_BELOW {
        #[expect(clippy::cast_possible_truncation, reason = "a whole number below 1e15")]
        let whole = number as i64;
        write!(text, "{whole}")
    } else {
        show_exactly(number, text)
    };
}

fn show_exactly(number: f64, text: &mut String) -> std::fmt::Result {
    let start = text.len();
    if number.abs() >= WHOLE_BELOW || number.abs() < PLAIN_FROM || !number.is_finite() {
        return write!(text, "{:e}", rounded(number));
    }
    write!(text, "{number}")?;
    if text.len() - start > DIGITS_MAX {
        text.truncate(start);
        write!(text, "{}", rounded(number))?;
    }
    Ok(())
}

fn rounded(number: f64) -> f64 {
    let digits = DIGITS_MAX - 1;
    format!("{number:.digits$e}").parse().unwrap_or(number)
}

/// The number that a text starts with after what is no digit, as `Num` reads it; 0 without any.
pub(crate) fn read(text: &str) -> f64 {
    let mut digits = String::new();
    for char in text.chars() {
        match char {
            '0'..='9' => digits.push(char),
            '.' if !digits.contains('.') => digits.push(char),
            '-' if digits.is_empty() => digits.push(char),
            _ => {}
        }
    }
    digits.parse().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(number: f64) -> String {
        let mut text = String::new();
        show(number, &mut text);
        text
    }

    #[test]
    fn numbers_are_shown_as_people_write_them() {
        for (number, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (42.0, "42"),
            (-7.5, "-7.5"),
            (19.99, "19.99"),
            (0.1 + 0.2, "0.3"),
            (1.0 / 3.0, "0.333333333333333"),
            (999_999_999_999_999.0, "999999999999999"),
            (1e15, "1e15"),
            (1e300, "1e300"),
            (0.000_000_25, "2.5e-7"),
        ] {
            assert_eq!(shown(number), text);
        }
    }

    #[test]
    fn a_number_is_read_from_what_is_around_it() {
        assert_eq!(read("12 apples"), 12.0);
        assert_eq!(read("$-3.50"), -3.5);
        assert_eq!(read("1.2.3"), 1.23);
        assert_eq!(read("none"), 0.0);
        assert_eq!(read(""), 0.0);
    }
}
