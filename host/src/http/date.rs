//! The clock of the system, asked once a second, and the Date field, written once a second.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;

thread_local! {
    /// The field, and until when it is the one.
    static LAST: RefCell<Option<(Instant, Bytes)>> = const { RefCell::new(None) };
    /// What both clocks showed at one moment.
    static CLOCKS: Cell<Option<(Instant, Duration)>> = const { Cell::new(None) };
}

/// What the system's clock shows at a moment that is now for the caller, since the beginning of 1970. A clock that is set
/// is followed a second later.
pub fn wall_clock(now: Instant) -> Duration {
    if let Some((then, time)) = CLOCKS.get()
        && let Some(since) = now.checked_duration_since(then)
        && since < Duration::from_secs(1)
    {
        return time + since;
    }
    let time = SystemTime::now();
    let time = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    CLOCKS.set(Some((now, time)));
    time
}

/// The field as it stands in a head, with the end of its line and that of the head. `now` is what the caller's clock has
/// just shown: that of the system is asked once a second, so that a clock that is set is followed a second later.
pub fn date_and_end(now: Instant) -> Bytes {
    LAST.with_borrow_mut(|last| {
        if let Some((until, field)) = last
            && now < *until
        {
            return field.clone();
        }
        let time = SystemTime::now();
        let within = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        let left = Duration::from_nanos(1_000_000_000 - u64::from(within.subsec_nanos()));
        let date = httpdate::fmt_http_date(time);
        let field = Bytes::from(format!("date: {date}\r\n\r\n"));
        *last = Some((now + left, field.clone()));
        field
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_is_that_of_now() {
        let (before, now) = (SystemTime::now(), Instant::now());
        let field = date_and_end(now);
        let text = std::str::from_utf8(&field).unwrap();
        let date = text.strip_prefix("date: ").unwrap();
        let date = httpdate::parse_http_date(date.strip_suffix("\r\n\r\n").unwrap()).unwrap();
        let second = Duration::from_secs(1);
        assert!(date + second > before && date <= SystemTime::now());
        assert_eq!(field, date_and_end(now));
    }

    #[test]
    fn the_clocks_go_together() {
        let time = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let (before, now) = (time(), Instant::now());
        let first = wall_clock(now);
        assert!(first >= before && first <= time());
        let step = Duration::from_millis(300);
        assert_eq!(wall_clock(now + step), first + step);
        // The system's clock is asked again, and has not gone on that far.
        let again = wall_clock(now + Duration::from_secs(1));
        assert!(again <= time());
    }

    #[test]
    fn a_second_later_the_clock_is_asked_again() {
        let now = Instant::now();
        let until = || LAST.with_borrow(|last| last.as_ref().map(|(until, _)| *until));
        date_and_end(now);
        let first = until().unwrap();
        assert!(first > now && first <= now + Duration::from_secs(1));
        date_and_end(first);
        assert!(until().unwrap() > first);
    }
}
