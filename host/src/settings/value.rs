//! Values with a unit, and values that are never shown: sizes, durations, secrets.

use std::fmt;
use std::time::Duration;

/// One KiB in bytes.
pub(super) const KIB: u64 = 1 << 10;
/// One MiB in bytes.
pub(super) const MIB: u64 = 1 << 20;
/// One GiB in bytes.
pub(super) const GIB: u64 = 1 << 30;

/// A text that is compared and handed on, but never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Gives the text to the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

/// Reads a size such as `64 MiB`, `500 kB` or `4096`; `None` when it is not one.
pub(super) fn parse_bytes(text: &str) -> Option<u64> {
    let (number, unit) = split_unit(text);
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kib" => KIB,
        "mib" => MIB,
        "gib" => GIB,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        _ => return None,
    };
    whole(number)?.checked_mul(factor)
}

/// Writes a size with the largest unit that leaves it whole.
pub(super) fn bytes_text(bytes: u64) -> String {
    for (unit, name) in [(GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")] {
        if bytes >= unit && bytes.is_multiple_of(unit) {
            return format!("{} {name}", bytes / unit);
        }
    }
    format!("{bytes} bytes")
}

/// Reads a duration such as `500 ms`, `1.5 s` or `5 min`; `None` when it is not one.
///
/// A text needs its unit: a bare number in quotes is more often a slip than seconds.
pub(super) fn parse_duration(text: &str) -> Option<Duration> {
    let (number, unit) = split_unit(text);
    let nanoseconds: u128 = match unit {
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "min" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    };
    let (units, decimals) = number.split_once('.').unwrap_or((number, "0"));
    // Nine decimals are nanoseconds of the second; more could only be lost.
    if decimals.len() > 9 {
        return None;
    }
    let scale = 10_u128.pow(u32::try_from(decimals.len()).ok()?);
    let part = u128::from(whole(decimals)?) * nanoseconds / scale;
    let total = u128::from(whole(units)?)
        .checked_mul(nanoseconds)?
        .checked_add(part)?;
    Some(Duration::from_nanos(u64::try_from(total).ok()?))
}

/// Writes a duration with the largest unit that leaves it whole.
pub(super) fn duration_text(duration: Duration) -> String {
    let milliseconds = duration.as_millis();
    for (unit, name) in [(3_600_000, "h"), (60_000, "min"), (1_000, "s")] {
        if milliseconds >= unit && milliseconds.is_multiple_of(unit) {
            return format!("{} {name}", milliseconds / unit);
        }
    }
    if milliseconds == 0 {
        "0 s".to_owned()
    } else {
        format!("{milliseconds} ms")
    }
}

fn split_unit(text: &str) -> (&str, &str) {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    (number, unit.trim_start())
}

/// Reads digits only: `str::parse` would take a sign as well.
fn whole(digits: &str) -> Option<u64> {
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_written() {
        let cases = [
            ("0", Some(0)),
            ("4096", Some(4096)),
            ("64 MiB", Some(64 * MIB)),
            ("64mib", Some(64 * MIB)),
            (" 1 GiB ", Some(GIB)),
            ("3 kB", Some(3_000)),
            ("2 KiB", Some(2048)),
            ("7 B", Some(7)),
            ("", None),
            ("MiB", None),
            ("-1", None),
            ("+1", None),
            ("1.5 GiB", None),
            ("64 M", None),
            ("64 MiBs", None),
            ("18446744073709551616", None),
            ("99999999999 GiB", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_bytes(text), expected, "{text:?}");
        }
        assert_eq!(bytes_text(128 * MIB), "128 MiB");
        assert_eq!(bytes_text(4 * GIB), "4 GiB");
        assert_eq!(bytes_text(1025), "1025 bytes");
    }

    #[test]
    fn durations_are_read_and_written() {
        let cases = [
            ("500 ms", Some(Duration::from_millis(500))),
            ("30s", Some(Duration::from_secs(30))),
            ("1.5 s", Some(Duration::from_millis(1500))),
            ("0.25 min", Some(Duration::from_secs(15))),
            ("5 min", Some(Duration::from_secs(300))),
            ("1 h", Some(Duration::from_secs(3600))),
            ("0 s", Some(Duration::ZERO)),
            ("30", None),
            ("", None),
            ("s", None),
            (".5 s", None),
            ("1.2.3 s", None),
            ("5 m", None),
            ("-5 s", None),
            ("inf s", None),
            ("99999999999999999999 s", None),
            ("9999999999999999999 h", None),
            ("1.0000000000000 s", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_duration(text), expected, "{text:?}");
        }
        for text in ["0 s", "10 ms", "1500 ms", "30 s", "5 min", "1 h"] {
            assert_eq!(
                parse_duration(text).map(duration_text).as_deref(),
                Some(text)
            );
        }
    }

    #[test]
    fn a_secret_is_not_printed() {
        let secret = Secret::new("hunter2hunter2");
        assert_eq!(format!("{secret:?}"), "Secret(hidden)");
        assert_eq!(secret.expose(), "hunter2hunter2");
    }
}
