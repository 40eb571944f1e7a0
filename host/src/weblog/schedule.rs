//! When a file goes into the archive: pure reckoning in local time.

use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::settings::{Rotation, TimeOfDay};

/// The first moment after `begun` at which a file that was begun then is to be moved; none where its size decides, or
/// nothing.
///
/// A time that a change of the clocks skips comes as much later as it skips, one that comes twice is taken the first time.
pub(super) fn due(rotation: Rotation, begun: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let start = zone.to_datetime(begun);
    let date = start.date();
    match rotation {
        Rotation::Never | Rotation::Size(_) => None,
        Rotation::Hours(hours, from) => {
            // Of the day before, too: what began there goes on past midnight.
            let days = (-1..=1).filter_map(|offset| plus_days(date, offset));
            let all = days.flat_map(|day| hours_of(day, hours, from));
            first_after(all, begun, zone)
        }
        Rotation::Days(days, at) => {
            let first = first_after(dates(date, 1).map(|day| time(day, at)), begun, zone)?;
            later(first, zone, Span::new().try_days(i64::from(days) - 1).ok()?)
        }
        Rotation::Weeks(weeks, on, at) => {
            let is_chosen = |day: &Date| on.has(number_of(day.weekday()));
            let moments = dates(date, 8).filter(is_chosen).map(|day| time(day, at));
            let first = first_after(moments, begun, zone)?;
            // The weeks in between are left out when a new week begins.
            let day = zone.to_datetime(first).date();
            let same_week = monday(day) == monday(date);
            match same_week {
                true => Some(first),
                false => later(
                    first,
                    zone,
                    Span::new().try_weeks(i64::from(weeks) - 1).ok()?,
                ),
            }
        }
        Rotation::Months(months, on, at) => {
            let first_of_month = date.first_of_month();
            let months_of = |offset: i64| {
                let span = Span::new().try_months(offset).ok()?;
                let month = first_of_month.checked_add(span).ok()?;
                let day = on.min(u8::try_from(month.days_in_month()).ok()?);
                let day = month.with().day(i8::try_from(day).ok()?).build().ok()?;
                Some(time(day, at))
            };
            let moment = |offset| moment(months_of(offset)?, zone);
            let this_month = moment(0)?;
            let skipped = i64::from(months) - 1;
            match this_month > begun {
                true => moment(skipped),
                false => moment(skipped + 1),
            }
        }
    }
}

/// The times of one day, every so many hours from a time of it until it comes again.
fn hours_of(day: Date, hours: u8, from: TimeOfDay) -> impl Iterator<Item = DateTime> {
    let start = time(day, from);
    let steps = (0..24).step_by(usize::from(hours.max(1)));
    steps.filter_map(move |step| start.checked_add(Span::new().try_hours(step).ok()?).ok())
}

/// A day and those after it.
fn dates(from: Date, count: i64) -> impl Iterator<Item = Date> {
    (0..=count).filter_map(move |offset| plus_days(from, offset))
}

fn plus_days(day: Date, days: i64) -> Option<Date> {
    day.checked_add(Span::new().try_days(days).ok()?).ok()
}

fn time(day: Date, at: TimeOfDay) -> DateTime {
    day.at(at.hour, at.minute, 0, 0)
}

fn moment(local: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    zone.to_ambiguous_timestamp(local).compatible().ok()
}

fn first_after(
    moments: impl Iterator<Item = DateTime>,
    begun: Timestamp,
    zone: &TimeZone,
) -> Option<Timestamp> {
    let moments = moments.filter_map(|local| moment(local, zone));
    moments.filter(|moment| *moment > begun).min()
}

/// The same time of the day, some days later.
fn later(first: Timestamp, zone: &TimeZone, span: Span) -> Option<Timestamp> {
    moment(zone.to_datetime(first).checked_add(span).ok()?, zone)
}

fn number_of(day: Weekday) -> i8 {
    day.to_monday_zero_offset()
}

fn monday(day: Date) -> Option<Date> {
    plus_days(day, -i64::from(number_of(day.weekday())))
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;

    fn berlin() -> TimeZone {
        TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()
    }

    #[track_caller]
    fn check(rotation: &str, begun: &str, expected: &str) {
        let rotation = Rotation::parse(rotation).unwrap();
        let zone = berlin();
        let begun: DateTime = begun.parse().unwrap();
        let begun = zone.to_timestamp(begun).unwrap();
        let due = due(rotation, begun, &zone).unwrap();
        let expected: DateTime = expected.parse().unwrap();
        assert_eq!(zone.to_datetime(due), expected);
    }

    #[test]
    fn each_schedule_has_its_next_time() {
        let begun = "2026-11-21T19:01:06";
        check("every 6 hours from 00:30", begun, "2026-11-22T00:30");
        check("every 6 hours from 20:00", begun, "2026-11-21T20:00");
        check("every 1 hours from 00:00", begun, "2026-11-21T20:00");
        // Seven hours do not fit: the row begins anew each day at its time.
        check(
            "every 7 hours from 01:00",
            "2026-11-21T22:30",
            "2026-11-22T01:00",
        );
        check("every 1 days at 03:00", begun, "2026-11-22T03:00");
        check("every 1 days at 19:02", begun, "2026-11-21T19:02");
        check("every 3 days at 03:00", begun, "2026-11-24T03:00");
        // 21 November 2026 is a Saturday.
        check("every 1 weeks on Sat at 20:00", begun, "2026-11-21T20:00");
        check("every 1 weeks on Sat at 19:00", begun, "2026-11-28T19:00");
        check(
            "every 2 weeks on Mon,Sun at 03:00",
            begun,
            "2026-11-22T03:00",
        );
        check(
            "every 2 weeks on Mon,Thu at 03:00",
            begun,
            "2026-11-30T03:00",
        );
        check("every 1 months on 31 at 03:00", begun, "2026-11-30T03:00");
        check("every 1 months on 1 at 03:00", begun, "2026-12-01T03:00");
        check("every 3 months on 1 at 03:00", begun, "2027-02-01T03:00");
        check(
            "every 1 months on 31 at 00:00",
            "2027-01-31T00:00",
            "2027-02-28T00:00",
        );
        check(
            "every 1 months on 30 at 00:00",
            "2028-01-30T12:00",
            "2028-02-29T00:00",
        );
    }

    #[test]
    fn clocks_that_change_leave_out_nothing_and_repeat_nothing() {
        // 02:30 does not exist on 29 March 2026; on 25 October it comes twice.
        check(
            "every 1 days at 02:30",
            "2026-03-28T12:00",
            "2026-03-29T03:30",
        );
        check(
            "every 1 days at 02:30",
            "2026-03-29T12:00",
            "2026-03-30T02:30",
        );
        check(
            "every 1 days at 02:30",
            "2026-10-24T12:00",
            "2026-10-25T02:30",
        );
        let zone = berlin();
        let rotation = Rotation::parse("every 1 days at 02:30").unwrap();
        let first: DateTime = "2026-10-24T12:00".parse().unwrap();
        let first = due(rotation, zone.to_timestamp(first).unwrap(), &zone).unwrap();
        let second = due(rotation, first, &zone).unwrap();
        assert_eq!(zone.to_datetime(second).to_string(), "2026-10-26T02:30:00");
    }

    /// Whatever the schedule and the moment: the next one is later, not too late, and follows only from where it is in
    /// its period.
    #[test]
    fn the_next_time_is_after_the_beginning_and_within_the_period() {
        let zone = berlin();
        let mut seed = 7_u64;
        let mut random = |below: u64| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed % below
        };
        for _ in 0..20_000 {
            let (hour, minute) = (random(24), random(60));
            let count = 1 + random(12);
            let (text, longest) = match random(4) {
                0 => {
                    let text = format!("every {count} hours from {hour:02}:{minute:02}");
                    (text, 1.day())
                }
                1 => {
                    let text = format!("every {count} days at {hour:02}:{minute:02}");
                    (text, i64::try_from(count).unwrap().days())
                }
                2 => {
                    let day = ["Mon", "Tue,Fri", "Sun", "Mon,Tue,Wed,Thu,Fri,Sat,Sun"]
                        [random(4) as usize];
                    let text = format!("every {count} weeks on {day} at {hour:02}:{minute:02}");
                    (text, i64::try_from(count).unwrap().weeks())
                }
                _ => {
                    let day = 1 + random(31);
                    let text = format!("every {count} months on {day} at {hour:02}:{minute:02}");
                    (text, (i64::try_from(31 * count).unwrap() + 1).days())
                }
            };
            let rotation = Rotation::parse(&text).unwrap();
            let begun = Timestamp::from_second(1_700_000_000 + random(200_000_000) as i64).unwrap();
            let next = due(rotation, begun, &zone).unwrap();
            assert!(next > begun, "{text} {begun} {next}");
            // The clocks may go back once in between.
            let latest = zone.to_datetime(begun).checked_add(longest).unwrap();
            let latest = latest.checked_add(1.hour()).unwrap();
            assert!(zone.to_datetime(next) <= latest, "{text} {begun} {next}");
            let local = zone.to_datetime(next);
            let is_on_time = local.minute() == minute as i8;
            assert!(is_on_time, "{text} {begun} {next}");
        }
    }
}
