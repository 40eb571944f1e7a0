//! Quantities: whole numbers, sizes and durations, each in a range.

use std::fmt::Display;
use std::time::Duration;

use serde_json::Value as Json;

use super::{Kind, Preset, Refusal};
use crate::settings::file::Loose;
use crate::settings::value::{bytes_text, duration_text, parse_bytes, parse_duration};

/// A whole number in a range.
#[derive(Debug)]
pub(in crate::settings) struct Number<T> {
    pub(in crate::settings) min: T,
    pub(in crate::settings) max: T,
    pub(in crate::settings) default: T,
    pub(in crate::settings) unit: &'static str,
}

impl<T> Kind for Number<T>
where
    T: Copy + Display + PartialOrd + TryFrom<i128> + Into<Json> + Sync,
{
    type Value = T;
    const TYPE: &'static str = "number";
    const NOUN: &'static str = "a whole number";

    fn read(&self, loose: &Loose) -> Result<T, Refusal> {
        let Loose::Integer(number) = loose else {
            return Err(Refusal::Type);
        };
        match T::try_from(*number) {
            Ok(number) if self.min <= number && number <= self.max => Ok(number),
            _ => Err(Refusal::Value),
        }
    }

    fn allowed(&self) -> String {
        format!("from {} to {} ({})", self.min, self.max, self.unit)
    }

    fn default_text(&self) -> String {
        self.default.to_string()
    }

    fn json(&self, value: &T) -> Json {
        (*value).into()
    }
}

impl<T> Preset for Number<T>
where
    Self: Kind<Value = T>,
    T: Copy,
{
    fn preset(&self) -> T {
        self.default
    }
}

/// A number of bytes, or a text such as `64 MiB`.
#[derive(Debug)]
pub(in crate::settings) struct Size {
    pub(in crate::settings) min: u64,
    pub(in crate::settings) max: u64,
    pub(in crate::settings) default: u64,
}

impl Kind for Size {
    type Value = u64;
    const TYPE: &'static str = "size";
    const NOUN: &'static str = "a size";

    fn read(&self, loose: &Loose) -> Result<u64, Refusal> {
        let bytes = match loose {
            Loose::Integer(bytes) => u64::try_from(*bytes).ok(),
            Loose::Text(text) => parse_bytes(text),
            _ => return Err(Refusal::Type),
        };
        bytes
            .filter(|bytes| (self.min..=self.max).contains(bytes))
            .ok_or(Refusal::Value)
    }

    fn allowed(&self) -> String {
        let (min, max) = (bytes_text(self.min), bytes_text(self.max));
        format!("from {min} to {max} (bytes, or a text such as \"64 MiB\")")
    }

    fn default_text(&self) -> String {
        format!("\"{}\"", bytes_text(self.default))
    }

    fn json(&self, value: &u64) -> Json {
        (*value).into()
    }
}

impl Preset for Size {
    fn preset(&self) -> u64 {
        self.default
    }
}

/// A number of seconds, or a text such as `500 ms`.
#[derive(Debug)]
pub(in crate::settings) struct Time {
    pub(in crate::settings) min: Duration,
    pub(in crate::settings) max: Duration,
    pub(in crate::settings) default: Duration,
}

impl Kind for Time {
    type Value = Duration;
    const TYPE: &'static str = "duration";
    const NOUN: &'static str = "a duration";

    fn read(&self, loose: &Loose) -> Result<Duration, Refusal> {
        let duration = match loose {
            Loose::Integer(seconds) => u64::try_from(*seconds).ok().map(Duration::from_secs),
            Loose::Float(seconds) => Duration::try_from_secs_f64(*seconds).ok(),
            Loose::Text(text) => parse_duration(text),
            _ => return Err(Refusal::Type),
        };
        duration
            .filter(|time| (self.min..=self.max).contains(time))
            .ok_or(Refusal::Value)
    }

    fn allowed(&self) -> String {
        let (min, max) = (duration_text(self.min), duration_text(self.max));
        format!("from {min} to {max} (seconds, or a text such as \"500 ms\" or \"2 min\")")
    }

    fn default_text(&self) -> String {
        format!("\"{}\"", duration_text(self.default))
    }

    fn json(&self, value: &Duration) -> Json {
        value.as_secs_f64().into()
    }
}

impl Preset for Time {
    fn preset(&self) -> Duration {
        self.default
    }
}
