//! Date and time as each format writes them, made once a second.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::settings::AccessFormat;

/// The last second that was written.
#[derive(Debug, Default)]
pub(super) struct Stamp {
    second: Option<i64>,
    /// What CLF has of the second in local time, or the date of ELF and WLF, or date and time of JSON.
    pub(super) date: String,
    /// The time of ELF and WLF.
    pub(super) time: String,
}

impl Stamp {
    /// Is that of a moment from now on, which is given in microseconds since the beginning of 1970. Says whether it is
    /// another than before.
    pub(super) fn set(&mut self, moment: u64, format: AccessFormat, zone: &TimeZone) -> bool {
        let second = i64::try_from(moment / 1_000_000).unwrap_or_default();
        if self.second == Some(second) {
            return false;
        }
        self.second = Some(second);
        let timestamp = Timestamp::from_second(second).unwrap_or_default();
        let zone = match format {
            AccessFormat::Clf | AccessFormat::Dlf => zone,
            AccessFormat::Elf | AccessFormat::Wlf | AccessFormat::Json => &TimeZone::UTC,
        };
        let civil = zone.to_datetime(timestamp);
        let month = month(civil.month());
        let (year, day) = (civil.year(), civil.day());
        self.time = format!(
            "{:02}:{:02}:{:02}",
            civil.hour(),
            civil.minute(),
            civil.second()
        );
        let time = &self.time;
        self.date = match format {
            AccessFormat::Clf | AccessFormat::Dlf => format!("{day:02}/{month}/{year:04}:{time}"),
            AccessFormat::Elf => format!("{year:04}-{:02}-{day:02}", civil.month()),
            AccessFormat::Wlf => format!("{day:02} {month} {year:04}"),
            AccessFormat::Json => format!("{year:04}-{:02}-{day:02}T{time}", civil.month()),
        };
        true
    }
}

fn month(number: i8) -> &'static str {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let index = usize::try_from(number - 1).unwrap_or_default();
    MONTHS.get(index).copied().unwrap_or("Jan")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_time_is_that_of_the_zone_and_the_others_are_gmt() {
        // 2026-07-01 22:30:05.042 GMT, which is summer in Berlin.
        let moment = 1_782_945_005_042_000;
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        for (format, date, time) in [
            (AccessFormat::Clf, "02/Jul/2026:00:30:05", "00:30:05"),
            (AccessFormat::Dlf, "02/Jul/2026:00:30:05", "00:30:05"),
            (AccessFormat::Elf, "2026-07-01", "22:30:05"),
            (AccessFormat::Wlf, "01 Jul 2026", "22:30:05"),
            (AccessFormat::Json, "2026-07-01T22:30:05", "22:30:05"),
        ] {
            let mut stamp = Stamp::default();
            assert!(stamp.set(moment, format, &zone));
            assert_eq!((stamp.date.as_str(), stamp.time.as_str()), (date, time));
            assert!(!stamp.set(moment + 957_999, format, &zone));
            assert!(stamp.set(moment + 958_000, format, &zone));
            assert!(stamp.time.ends_with(":06"));
        }
    }
}
