//! Quantities: whole numbers, sizes and durations, each in a range.

use std::fmt::Display;
use std::time::Duration;

use serde_json::{Value as Json, json};

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

    fn schema(&self) -> Json {
        json!({
            "type": "integer",
            "minimum": self.min.into(),
            "maximum": self.max.into(),
            "default": self.default.into(),
        })
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

/// A whole number; none, written as 0, brings back the default.
#[derive(Debug)]
pub(in crate::settings) struct Restorable {
    pub(in crate::settings) max: u32,
    pub(in crate::settings) default: u32,
    pub(in crate::settings) unit: &'static str,
}

impl Kind for Restorable {
    type Value = Option<u32>;
    const TYPE: &'static str = "number";
    const NOUN: &'static str = "a whole number";

    fn read(&self, loose: &Loose) -> Result<Option<u32>, Refusal> {
        let Loose::Integer(number) = loose else {
            return Err(Refusal::Type);
        };
        match u32::try_from(*number) {
            Ok(0) => Ok(None),
            Ok(number) if number <= self.max => Ok(Some(number)),
            _ => Err(Refusal::Value),
        }
    }

    fn allowed(&self) -> String {
        let (max, unit, default) = (self.max, self.unit, self.default);
        format!("from 0 to {max} ({unit}; 0 means {default})")
    }

    fn default_text(&self) -> String {
        self.default.to_string()
    }

    fn json(&self, value: &Option<u32>) -> Json {
        value.unwrap_or(self.default).into()
    }

    fn schema(&self) -> Json {
        json!({"type": "integer", "minimum": 0, "maximum": self.max, "default": self.default})
    }
}

impl Preset for Restorable {
    fn preset(&self) -> Option<u32> {
        None
    }
}

/// One of a few numbers, each with its meaning; the first is the default.
#[derive(Debug)]
pub(in crate::settings) struct Levels {
    pub(in crate::settings) default: (u8, &'static str),
    pub(in crate::settings) others: &'static [(u8, &'static str)],
}

impl Levels {
    fn options(&self) -> impl Iterator<Item = &(u8, &'static str)> {
        std::iter::once(&self.default).chain(self.others)
    }
}

impl Kind for Levels {
    type Value = u8;
    const TYPE: &'static str = "number";

    fn read(&self, loose: &Loose) -> Result<u8, Refusal> {
        let Loose::Integer(number) = loose else {
            return Err(Refusal::Type);
        };
        let option = self
            .options()
            .find(|(level, _)| i128::from(*level) == *number);
        option.map(|(level, _)| *level).ok_or(Refusal::Value)
    }

    fn allowed(&self) -> String {
        let options: Vec<String> = self
            .options()
            .map(|(level, meaning)| format!("{level} ({meaning})"))
            .collect();
        format!("one of {}", options.join(", "))
    }

    fn default_text(&self) -> String {
        self.default.0.to_string()
    }

    fn json(&self, value: &u8) -> Json {
        (*value).into()
    }

    fn schema(&self) -> Json {
        let levels: Vec<_> = self.options().map(|(level, _)| *level).collect();
        json!({"enum": levels, "default": self.default.0})
    }
}

impl Preset for Levels {
    fn preset(&self) -> u8 {
        self.default.0
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
        match self.default {
            0 => "0".to_owned(),
            default => format!("\"{}\"", bytes_text(default)),
        }
    }

    fn json(&self, value: &u64) -> Json {
        (*value).into()
    }

    fn schema(&self) -> Json {
        json!({
            "type": ["integer", "string"],
            "minimum": self.min,
            "maximum": self.max,
            "pattern": r"^\s*[0-9]+\s*([bB]|[kKmMgG][iI]?[bB])?\s*$",
            "default": self.default,
        })
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

    fn schema(&self) -> Json {
        json!({
            "type": ["number", "string"],
            "minimum": self.min.as_secs_f64(),
            "maximum": self.max.as_secs_f64(),
            "pattern": r"^\s*[0-9]+(\.[0-9]{1,9})?\s*(ms|s|min|h)\s*$",
            "default": self.default.as_secs_f64(),
        })
    }
}

impl Preset for Time {
    fn preset(&self) -> Duration {
        self.default
    }
}
