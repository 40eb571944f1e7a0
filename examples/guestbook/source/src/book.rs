//! The entries, one line of JSON each, in the one folder that the component may write to.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use tessera_guest::Error;

/// Most that the file holds: a full book is a message, not a full disk.
const BYTES_MAX: u64 = 1 << 20;
/// Entries that a page shows.
const SHOWN_MAX: usize = 50;

/// One entry.
#[derive(Deserialize, Serialize)]
pub(crate) struct Entry {
    name: String,
    text: String,
    /// The day it was written, as 2026-11-21.
    day: String,
}

impl Entry {
    /// An entry of now.
    pub(crate) fn new(name: &str, text: &str) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            name: name.trim().to_owned(),
            text: text.trim().to_owned(),
            day: day(now.map_or(0, |since| since.as_secs() / 86_400)),
        }
    }
}

/// Adds an entry.
pub(crate) fn write(entry: &Entry) -> Result<(), Error> {
    let line = serde_json::to_string(entry)? + "\n";
    let mut file = OpenOptions::new().create(true).append(true).open(path())?;
    let length = file.metadata()?.len();
    if length + line.len() as u64 > BYTES_MAX {
        return Err(Error::refused(503, "The book is full."));
    }
    // In one piece, so that entries of the same moment do not mix.
    Ok(file.write_all(line.as_bytes())?)
}

/// The latest entries, the newest first.
pub(crate) fn latest() -> Result<Vec<Entry>, Error> {
    let lines = match fs::read_to_string(path()) {
        Ok(lines) => lines,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let entries = lines.lines().rev().take(SHOWN_MAX);
    Ok(entries
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?)
}

/// `/data` is what `settings.toml` grants; tests have a file of their own.
fn path() -> PathBuf {
    match cfg!(test) {
        true => std::env::temp_dir().join(format!("book-{}.jsonl", std::process::id())),
        false => "/data/entries.jsonl".into(),
    }
}

/// A day, counted from 1970-01-01, as year, month and day.
fn day(days: u64) -> String {
    // Counted from 0000-03-01, so that a leap day ends its year and 400 years are a whole number of days.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (days, expected) in [
            (0, "1970-01-01"),
            (11_016, "2000-02-29"),
            (11_017, "2000-03-01"),
            (20_778, "2026-11-21"),
            (47_540, "2100-02-28"),
            (47_541, "2100-03-01"),
        ] {
            assert_eq!(day(days), expected);
        }
    }
}
