//! Reads a settings file as it was written: any key, any type, each with the line it stands on.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;

use serde_json::Value as Json;
use toml::de::{DeTable, DeValue};

use super::error::{Fault, FaultKind, Place, shown};

/// A settings file is written by hand; anything larger was put there by mistake.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// What one file says, and what in it is not TOML.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) entries: Vec<Entry>,
    /// Tables that are there, with entries or without; an empty `[mount]` is a choice too.
    pub(super) tables: Vec<(String, Place)>,
    pub(super) faults: Vec<Fault>,
}

/// One key with its value, from a file or from the command line.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The table it stands in; empty at the top level.
    pub(super) table: String,
    pub(super) name: String,
    pub(super) value: Loose,
    /// The value as it was written, fit to be shown.
    pub(super) written: String,
    pub(super) place: Place,
}

impl Entry {
    /// Writes the key with its table, as TOML does: `limits.memory`.
    pub(super) fn key(&self) -> String {
        let quote = if self.name.contains('.') { "\"" } else { "" };
        let dot = if self.table.is_empty() { "" } else { "." };
        shown(&format!("{}{dot}{quote}{}{quote}", self.table, self.name))
    }

    /// Says what is wrong with it; a secret is not shown.
    pub(super) fn fault(&self, is_secret: bool, kind: FaultKind, reason: String) -> Fault {
        let value = if is_secret {
            "(hidden)".to_owned()
        } else {
            self.written.clone()
        };
        Fault {
            place: self.place.clone(),
            kind,
            key: Some(self.key()),
            value: Some(value),
            reason,
        }
    }
}

/// A value of any type.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Loose {
    Boolean(bool),
    /// Saturated: every range of a setting is far inside.
    Integer(i128),
    Float(f64),
    Text(String),
    List(Vec<Self>),
    Table(Vec<(String, Self)>),
    /// As it is written.
    Date(String),
    /// Of JSON, in a list; elsewhere it stands for nothing written.
    Null,
}

impl Document {
    /// Reads a file; one that does not exist says nothing.
    pub(super) fn read(path: &Path) -> Self {
        let file = |line| Place::File {
            path: path.to_owned(),
            line,
            column: None,
        };
        let bytes = match read_bounded(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Self::default(),
            Err(error) => {
                let fault = Fault::of_place(file(None), format!("cannot be read: {error}"));
                return Self {
                    faults: vec![fault],
                    ..Self::default()
                };
            }
        };
        match std::str::from_utf8(&bytes) {
            Ok(text) => Self::parse(path, text),
            Err(error) => {
                let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
                let line = 1 + count(before.iter().filter(|byte| **byte == b'\n').count());
                let fault = Fault::of_place(file(Some(line)), "is not UTF-8 text");
                Self {
                    faults: vec![fault],
                    ..Self::default()
                }
            }
        }
    }

    /// Reads the text of a file. What stands on a line that is not TOML is left out; the rest is
    /// read all the same, so that one missing quote does not hide the other faults.
    pub(super) fn parse(path: &Path, text: &str) -> Self {
        let source = Source::new(path, text);
        let (root, errors) = DeTable::parse_recoverable(text);
        let mut document = Self::default();
        let mut broken = BTreeSet::new();
        for error in errors {
            let span = error.span().unwrap_or_default();
            broken.insert(Some(source.line(span.start)));
            let mut reason = format!("is not TOML: {}", error.message());
            // Only of a repeated key is the span a key; else it may be a secret without quotes.
            if error.message() == "duplicate key" {
                reason = format!("repeats the key `{}`", source.written(span.clone()));
            }
            document
                .faults
                .push(Fault::of_place(source.exactly(span.start), reason));
        }
        document.add_table("", root.get_ref(), &source);
        document.entries.retain(|entry| match entry.place {
            Place::File { line, .. } => !broken.contains(&line),
            _ => true,
        });
        document
    }

    fn add_table(&mut self, table: &str, content: &DeTable<'_>, source: &Source<'_>) {
        for (name, value) in content {
            let place = source.line_of(name.span().start);
            let name = name.get_ref().to_string();
            match value.get_ref() {
                // Settings are one table deep; what is deeper is a value.
                DeValue::Table(inner) if table.is_empty() => {
                    self.add_table(&name, inner, source);
                    self.tables.push((name, place));
                }
                other => {
                    let written = source.written(value.span());
                    let table = table.to_owned();
                    self.entries.push(Entry {
                        table,
                        name,
                        value: other.into(),
                        written,
                        place,
                    });
                }
            }
        }
    }
}

impl From<&DeValue<'_>> for Loose {
    fn from(value: &DeValue<'_>) -> Self {
        match value {
            DeValue::String(text) => Self::Text(text.to_string()),
            DeValue::Boolean(flag) => Self::Boolean(*flag),
            DeValue::Integer(number) => {
                let digits = number.as_str();
                let most = if digits.starts_with('-') {
                    i128::MIN
                } else {
                    i128::MAX
                };
                Self::Integer(i128::from_str_radix(digits, number.radix()).unwrap_or(most))
            }
            DeValue::Float(number) => Self::Float(number.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Datetime(date) => Self::Date(date.to_string()),
            DeValue::Array(list) => {
                Self::List(list.iter().map(|value| value.get_ref().into()).collect())
            }
            DeValue::Table(table) => Self::Table(
                table
                    .iter()
                    .map(|(name, value)| (name.get_ref().to_string(), value.get_ref().into()))
                    .collect(),
            ),
        }
    }
}

impl From<&Json> for Loose {
    fn from(value: &Json) -> Self {
        match value {
            Json::Null => Self::Null,
            Json::Bool(flag) => Self::Boolean(*flag),
            Json::Number(number) => Self::of_number(number),
            Json::String(text) => Self::Text(text.clone()),
            Json::Array(list) => Self::List(list.iter().map(Into::into).collect()),
            Json::Object(object) => Self::Table(
                object
                    .iter()
                    .filter(|(_, value)| !value.is_null())
                    .map(|(name, value)| (name.clone(), value.into()))
                    .collect(),
            ),
        }
    }
}

impl Loose {
    /// JSON does not tell whole numbers from others, and some programs write them all with decimals.
    fn of_number(number: &serde_json::Number) -> Self {
        if let Some(number) = number.as_i64() {
            Self::Integer(number.into())
        } else if let Some(number) = number.as_u64() {
            Self::Integer(number.into())
        } else {
            match number.as_f64().unwrap_or(f64::NAN) {
                whole if whole.fract() == 0.0 => Self::Integer(whole as i128),
                other => Self::Float(other),
            }
        }
    }

    /// Writes the value as JSON; what JSON does not have becomes a text.
    pub(super) fn json(&self) -> Json {
        match self {
            Self::Boolean(flag) => (*flag).into(),
            Self::Integer(number) => match (i64::try_from(*number), u64::try_from(*number)) {
                (Ok(number), _) => number.into(),
                (_, Ok(number)) => number.into(),
                _ => (*number as f64).into(),
            },
            Self::Float(number) if number.is_finite() => (*number).into(),
            Self::Float(number) => number.to_string().into(),
            Self::Text(text) | Self::Date(text) => text.as_str().into(),
            Self::List(list) => list.iter().map(Self::json).collect(),
            Self::Table(table) => table
                .iter()
                .map(|(name, value)| (name.clone(), value.json()))
                .collect(),
            Self::Null => Json::Null,
        }
    }

    /// Names the type, with its article, for messages.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Boolean(_) => "a boolean",
            Self::Integer(_) => "a number",
            Self::Float(_) => "a number with decimals",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Date(_) => "a date",
            Self::Null => "null",
        }
    }
}

/// The text of a file, and how to find lines in it.
struct Source<'a> {
    path: &'a Path,
    text: &'a str,
    newlines: Vec<usize>,
}

impl<'a> Source<'a> {
    fn new(path: &'a Path, text: &'a str) -> Self {
        Self {
            path,
            text,
            newlines: text.match_indices('\n').map(|(offset, _)| offset).collect(),
        }
    }

    fn written(&self, span: Range<usize>) -> String {
        shown(self.text.get(span).unwrap_or_default())
    }

    fn line_of(&self, offset: usize) -> Place {
        Place::File {
            path: self.path.to_owned(),
            line: Some(self.line(offset)),
            column: None,
        }
    }

    fn exactly(&self, offset: usize) -> Place {
        let line = self.newlines.partition_point(|newline| *newline < offset);
        let start = line.checked_sub(1).and_then(|last| self.newlines.get(last));
        let start = start.map_or(0, |newline| newline + 1);
        let before = self.text.get(start..offset).unwrap_or_default();
        let column = Some(1 + count(before.chars().count()));
        Place::File {
            path: self.path.to_owned(),
            line: Some(self.line(offset)),
            column,
        }
    }

    fn line(&self, offset: usize) -> u32 {
        1 + count(self.newlines.partition_point(|newline| *newline < offset))
    }
}

/// Narrows a count; a file of at most [`FILE_BYTES_MAX`] bytes has no larger one.
pub(super) fn count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX - 1)
}

pub(super) fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(FILE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(io::Error::other("it is larger than 1 MiB"));
    }
    Ok(bytes)
}
