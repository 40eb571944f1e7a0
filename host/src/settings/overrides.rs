//! `--set KEY=VALUE`: a setting from the command line, above what the file says.

use std::fmt;
use std::str::FromStr;

use toml::de::DeValue;

use super::error::{Fault, Place, shown};
use super::file::{Entry, Loose};
use super::table;

/// One `--set KEY=VALUE`. The value is shown nowhere: it may be an access key.
#[derive(Clone, PartialEq, Eq)]
pub struct Override {
    key: String,
    value: String,
}

impl Override {
    /// Reads `KEY=VALUE`; the key is dotted for a table (`admin.enabled=false`), and the value is
    /// what stands right of the equals sign in TOML, where a text needs no quotes.
    ///
    /// # Errors
    ///
    /// When there is no equals sign, or no key before it. Whether there is such a setting is found
    /// out when settings are loaded, together with all other faults.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let pair = text
            .split_once('=')
            .map(|(key, value)| (key.trim(), value.trim()));
        match pair {
            Some((key, value)) if !key.is_empty() => Ok(Self {
                key: key.to_owned(),
                value: value.to_owned(),
            }),
            _ => {
                let reason = "must be KEY=VALUE, such as HTTPPort=8080 or admin.enabled=false";
                Err(Fault::of_place(Place::Override, reason))
            }
        }
    }

    /// Names the setting.
    pub fn key(&self) -> &str {
        &self.key
    }

    pub(super) fn entry(&self) -> Entry {
        let (table, name) = self.key.split_once('.').unwrap_or(("", &self.key));
        let is_text = table::find(table, name).is_some_and(|definition| definition.is_text());
        let value = match DeValue::parse(&self.value) {
            Ok(value) if is_text && !value.get_ref().is_str() && !value.get_ref().is_array() => {
                Loose::Text(self.value.clone())
            }
            Ok(value) => value.get_ref().into(),
            Err(_) => Loose::Text(self.value.clone()),
        };
        let written = shown(&self.value);
        let (table, name) = (table.to_owned(), name.to_owned());
        Entry {
            table,
            name,
            value,
            written,
            place: Place::Override,
        }
    }
}

impl FromStr for Override {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        Self::parse(text)
    }
}

impl fmt::Debug for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Override")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}
