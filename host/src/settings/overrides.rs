//! Settings that stand above the file: `--set KEY=VALUE`, session options, and what `start` is given.

use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value as Json};
use toml::de::DeValue;

use super::error::{Fault, FaultKind, Place, SettingsError, shown};
use super::file::{Entry, Loose};
use super::setting::{Definition, Effect, Scope};
use super::table;
use super::unknown;

/// One setting above the file. The value is shown nowhere: it may be an access key.
#[derive(Clone, PartialEq, Eq)]
pub struct Override {
    key: String,
    value: Written,
}

#[derive(Clone, PartialEq, Eq)]
enum Written {
    /// Right of the equals sign of `--set`.
    Text(String),
    Given(Origin, Json),
}

/// Who gave settings to a server of a process that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `start(settings)` of admin and the command line; holds until `stop`.
    Start,
    /// A session option; holds until the process ends.
    Session,
    /// `start(settings)` of a component, which is not trusted with everything.
    Guest,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Start => "start",
            Self::Session => "set",
            Self::Guest => "start by a component",
        })
    }
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
                value: Written::Text(value.to_owned()),
            }),
            _ => {
                let reason = "must be KEY=VALUE, such as HTTPPort=8080 or admin.enabled=false";
                Err(Fault::of_place(Place::Override, reason))
            }
        }
    }

    /// Takes the members of a JSON object. Those of a table may be nested or dotted: `{"pool": {"max": 3}}` and
    /// `{"pool.max": 3}` are the same. A member that is null is left out; [`Override::nulls`] lists those.
    pub fn from_json(origin: Origin, settings: &Map<String, Json>) -> Vec<Self> {
        let is_given = |(_, value): &(String, &Json)| !value.is_null();
        flatten(settings)
            .filter(is_given)
            .map(|(key, value)| Self {
                key,
                value: Written::Given(origin, value.clone()),
            })
            .collect()
    }

    /// Lists the keys of a JSON object whose value is null, dotted: what a caller takes for "back to the default".
    pub fn nulls(settings: &Map<String, Json>) -> Vec<String> {
        flatten(settings)
            .filter(|(_, value)| value.is_null())
            .map(|(key, _)| key)
            .collect()
    }

    /// Checks the keys of session options that are to be taken back: dotted, or the name of a table for all of its keys.
    ///
    /// # Errors
    ///
    /// With every key that this kind of web server does not have, or that can never have been set.
    pub(crate) fn check_reset(server: Scope, keys: &[String]) -> Result<(), SettingsError> {
        let is_table = |key: &&String| {
            let has_name = |table: &table::Table| table.name == key.as_str();
            let here = table::TABLES
                .iter()
                .filter(|table| table.scope.covers(server));
            here.into_iter().any(has_name)
        };
        let fault = |key: &String| {
            let (key, value) = (key.clone(), Written::Given(Origin::Session, Json::Null));
            unknown::entry_fault(server, &Self { key, value }.entry())
        };
        let keys = keys.iter().filter(|key| !is_table(key));
        let faults: Vec<Fault> = keys.filter_map(fault).collect();
        if faults.is_empty() {
            Ok(())
        } else {
            Err(SettingsError::new(faults))
        }
    }

    /// Names the setting.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Gives key and value as a member of a JSON object that [`Override::from_json`] takes.
    pub fn to_json(&self) -> (String, Json) {
        let value = match &self.value {
            Written::Text(text) => self.loose(text).json(),
            Written::Given(_, value) => value.clone(),
        };
        (self.key.clone(), value)
    }

    pub(super) fn place(&self) -> Place {
        match &self.value {
            Written::Text(_) => Place::Override,
            Written::Given(origin, _) => Place::Given(*origin),
        }
    }

    pub(super) fn entry(&self) -> Entry {
        let (table, name) = self.split_key();
        let (value, written) = match &self.value {
            Written::Text(text) => (self.loose(text), shown(text)),
            Written::Given(_, json) => (json.into(), shown(&json.to_string())),
        };
        Entry {
            table: table.to_owned(),
            name: name.to_owned(),
            value,
            written,
            place: self.place(),
        }
    }

    /// Reads a value as TOML, or as the text that it is.
    fn loose(&self, text: &str) -> Loose {
        let (table, name) = self.split_key();
        let is_text = table::find(table, name).is_some_and(|definition| definition.is_text());
        match DeValue::parse(text) {
            Ok(value) if is_text && !value.get_ref().is_str() && !value.get_ref().is_array() => {
                Loose::Text(text.to_owned())
            }
            Ok(value) => value.get_ref().into(),
            Err(_) => Loose::Text(text.to_owned()),
        }
    }

    fn split_key(&self) -> (&str, &str) {
        self.key.split_once('.').unwrap_or(("", &self.key))
    }
}

/// Gives the members with dotted keys. An empty table says nothing, unless there is none of that name.
fn flatten(settings: &Map<String, Json>) -> impl Iterator<Item = (String, &Json)> {
    settings.iter().flat_map(|(key, value)| {
        let is_table = table::TABLES.iter().any(|table| table.name == key);
        let (table, name) = key.split_once('.').unwrap_or(("", key));
        match value {
            Json::Object(inner)
                if is_table || (!inner.is_empty() && table::find(table, name).is_none()) =>
            {
                let dotted = |(name, value)| (format!("{key}.{name}"), value);
                inner.iter().map(dotted).collect()
            }
            value => vec![(key.clone(), value)],
        }
    })
}

/// Says why this origin may not set what it is allowed to know.
pub(super) fn refusal(place: &Place, definition: &dyn Definition) -> Option<(FaultKind, String)> {
    let Place::Given(origin) = place else {
        return None;
    };
    if definition.effect() == Effect::ProcessRestart {
        let file = match definition.scope() {
            Scope::Host => "tessera.toml",
            Scope::Component | Scope::Both => "the settings file",
        };
        let reason =
            format!("belongs to the process: write it in {file} and start the process again");
        return Some((FaultKind::ProcessSetting, reason));
    }
    // What holds a component within bounds is not the component's to change.
    let is_operators = !definition.table().is_empty() && definition.scope() != Scope::Both;
    if *origin == Origin::Guest && is_operators {
        let reason = "is the operator's to set: a component cannot".to_owned();
        return Some((FaultKind::ReadOnly, reason));
    }
    None
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
