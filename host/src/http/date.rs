//! The Date field, written once a second.

use std::cell::RefCell;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;

thread_local! {
    /// The second, and the field.
    static LAST: RefCell<(u64, Bytes)> = const { RefCell::new((0, Bytes::new())) };
}

/// The field as it stands in a head, with the end of its line and that of the head.
pub fn date_and_end() -> Bytes {
    let now = SystemTime::now();
    let second = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    LAST.with_borrow_mut(|(written, field)| {
        if *written != second || field.is_empty() {
            *written = second;
            let date = httpdate::fmt_http_date(now);
            *field = Bytes::from(format!("date: {date}\r\n\r\n"));
        }
        field.clone()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_is_that_of_now() {
        let before = SystemTime::now();
        let field = date_and_end();
        let text = std::str::from_utf8(&field).unwrap();
        let date = text.strip_prefix("date: ").unwrap();
        let date = httpdate::parse_http_date(date.strip_suffix("\r\n\r\n").unwrap()).unwrap();
        let second = std::time::Duration::from_secs(1);
        assert!(date + second > before && date <= SystemTime::now());
        assert_eq!(field, date_and_end());
    }
}
