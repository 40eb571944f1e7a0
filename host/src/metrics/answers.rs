//! What a web server has answered, by kind and status, and how long that took. Nothing is ever taken back.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Where an answer came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Answered {
    /// A file that was read for it.
    File,
    /// A file that was in memory.
    Memory,
    /// A component, or a page with tags.
    Component,
    /// The host itself: refusals, redirects, listings, special URLs.
    #[default]
    Host,
}

/// Statuses that are counted one by one; others are counted by their class.
const STATUSES: [u16; 40] = [
    200, 201, 202, 204, 206, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 406, 408, 409,
    410, 411, 412, 413, 414, 415, 416, 417, 421, 422, 425, 426, 428, 429, 431, 500, 501, 502, 503,
    504, 505,
];
/// Classes of the others, from 1xx on.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];
const COLUMNS: usize = STATUSES.len() + CLASSES.len();
/// Statuses begin with this one.
const FIRST: u16 = 100;
/// The column of each status from [`FIRST`] on.
const COLUMN_OF: [u8; 500] = columns();

/// Upper bounds of the ranges that times are counted in, in nanoseconds; the last range has none.
pub(super) const BOUNDS: [u64; 15] = [
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    10_000_000_000,
];
/// The same in seconds, as they are shown.
pub(super) const BOUNDS_SHOWN: [&str; BOUNDS.len()] = [
    "0.0001", "0.00025", "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1",
    "0.25", "0.5", "1", "2.5", "10",
];

const fn columns() -> [u8; 500] {
    let mut columns = [0; 500];
    let mut index = 0;
    while index < columns.len() {
        columns[index] = (STATUSES.len() + index / 100) as u8;
        index += 1;
    }
    let mut known = 0;
    while known < STATUSES.len() {
        columns[(STATUSES[known] - FIRST) as usize] = known as u8;
        known += 1;
    }
    columns
}

/// The answers of one web server.
#[derive(Debug, Default)]
pub(crate) struct Answers([OfKind; 4]);

/// The answers of one kind.
#[derive(Debug)]
struct OfKind {
    by_status: [AtomicU64; COLUMNS],
    by_time: [AtomicU64; BOUNDS.len() + 1],
    /// Nanoseconds of all.
    time: AtomicU64,
}

impl Default for OfKind {
    fn default() -> Self {
        Self {
            by_status: std::array::from_fn(|_| AtomicU64::new(0)),
            by_time: std::array::from_fn(|_| AtomicU64::new(0)),
            time: AtomicU64::new(0),
        }
    }
}

/// How long answers took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Times {
    /// Answers by range of time, each range by itself.
    pub(super) counts: [u64; BOUNDS.len() + 1],
    /// Of all together.
    pub(super) sum: Duration,
}

impl Answered {
    pub(super) const ALL: [Self; 4] = [Self::File, Self::Memory, Self::Component, Self::Host];

    /// As metrics call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::File => "static",
            Self::Memory => "cache",
            Self::Component => "dynamic",
            Self::Host => "other",
        }
    }
}

impl Answers {
    /// Counts an answer, which took from the head of its request to its own.
    pub(crate) fn note(&self, answered: Answered, status: u16, took: Duration) {
        let kind = self.of(answered);
        let column = usize::from(status)
            .checked_sub(FIRST.into())
            .and_then(|index| COLUMN_OF.get(index))
            // What is no status at all is the server's fault.
            .map_or(COLUMNS - 1, |column| usize::from(*column));
        if let Some(counter) = kind.by_status.get(column) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let range = BOUNDS.iter().position(|bound| nanoseconds <= *bound);
        if let Some(counter) = kind.by_time.get(range.unwrap_or(BOUNDS.len())) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        kind.time.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    fn of(&self, answered: Answered) -> &OfKind {
        let [file, memory, component, host] = &self.0;
        match answered {
            Answered::File => file,
            Answered::Memory => memory,
            Answered::Component => component,
            Answered::Host => host,
        }
    }

    /// Answers of a kind.
    pub(crate) fn count(&self, answered: Answered) -> u64 {
        let counters = self.of(answered).by_status.iter();
        counters
            .map(|counter| counter.load(Ordering::Relaxed))
            .sum()
    }

    /// All answers.
    pub(crate) fn total(&self) -> u64 {
        Answered::ALL.iter().map(|kind| self.count(*kind)).sum()
    }

    /// Answers by status, those that there were.
    pub(super) fn statuses(&self, answered: Answered) -> Vec<(String, u64)> {
        let names = STATUSES.iter().map(u16::to_string);
        let names = names.chain(CLASSES.iter().map(|class| (*class).to_owned()));
        let counters = self.of(answered).by_status.iter();
        let counts = counters.map(|counter| counter.load(Ordering::Relaxed));
        names.zip(counts).filter(|(_, count)| *count > 0).collect()
    }

    /// How long they took.
    pub(super) fn times(&self, answered: Answered) -> Times {
        let kind = self.of(answered);
        let mut counts = [0; BOUNDS.len() + 1];
        for (count, counter) in counts.iter_mut().zip(&kind.by_time) {
            *count = counter.load(Ordering::Relaxed);
        }
        Times {
            counts,
            sum: Duration::from_nanos(kind.time.load(Ordering::Relaxed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_a_column_and_every_answer_is_counted_once() {
        let answers = Answers::default();
        for status in 0..=1000 {
            answers.note(Answered::Component, status, Duration::ZERO);
        }
        let statuses = answers.statuses(Answered::Component);
        let of = |name: &str| {
            let found = statuses.iter().find(|(status, _)| status == name);
            found.map(|(_, count)| *count)
        };
        assert_eq!(
            (of("200"), of("404"), of("505")),
            (Some(1), Some(1), Some(1))
        );
        assert_eq!(
            (of("1xx"), of("2xx"), of("3xx")),
            (Some(100), Some(95), Some(94))
        );
        // What is below 100 or above 599 as well.
        assert_eq!(of("5xx"), Some(94 + 100 + 401));
        assert_eq!(answers.count(Answered::Component), 1001);
        assert_eq!(
            (answers.total(), answers.count(Answered::Memory)),
            (1001, 0)
        );
    }

    #[test]
    fn a_time_is_in_the_first_range_that_holds_it() {
        let answers = Answers::default();
        let took = [
            0, 100, 101, 1_000, 1_001, 10_000_000, 10_000_001, 99_000_000,
        ];
        for microseconds in took {
            let took = Duration::from_micros(microseconds);
            answers.note(Answered::Memory, 200, took);
        }
        let times = answers.times(Answered::Memory);
        let expected = [2, 1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2];
        assert_eq!(times.counts, expected);
        assert_eq!(times.sum, Duration::from_micros(took.iter().sum()));
    }

    #[test]
    fn bounds_are_shown_as_they_are() {
        for (bound, shown) in BOUNDS.iter().zip(BOUNDS_SHOWN) {
            let seconds: f64 = shown.parse().unwrap();
            assert!((seconds - *bound as f64 / 1e9).abs() < 1e-12, "{shown}");
        }
        assert!(BOUNDS.is_sorted());
    }
}
