//! What is said of one setting, and what happens when its value changes.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value as Json};

use super::file::Loose;
use super::kind::{Kind, Refusal};
use super::table;

/// One setting: everything about it but its value.
#[derive(Debug)]
pub(super) struct Setting<K> {
    /// The key with its table (`limits.memory`); a property of the WebServer class has no table.
    pub(super) key: &'static str,
    pub(super) scope: Scope,
    pub(super) effect: Effect,
    pub(super) kind: K,
    /// One sentence for the reference page.
    pub(super) doc: &'static str,
}

/// Which web servers have a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The host's.
    Host,
    /// Those of components.
    Component,
    /// All.
    Both,
}

impl Scope {
    pub(super) fn covers(self, server: Self) -> bool {
        self == Self::Both || self == server
    }
}

/// When a changed setting takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// With the next reload; no connection is closed.
    Reload,
    /// When the web server object is stopped and started.
    ServerRestart,
    /// When the process is started again.
    ProcessRestart,
}

impl Effect {
    /// Whether a web server that runs takes a changed value over.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Reload)
    }
}

/// Says when a setting takes effect; none when there is no such setting. The key is dotted for a table.
pub fn effect_of(key: &str) -> Option<Effect> {
    let (table, name) = key.split_once('.').unwrap_or(("", key));
    table::find(table, name).map(|definition| definition.effect())
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reload => "reload",
            Self::ServerRestart => "restart of the web server",
            Self::ProcessRestart => "restart of the process",
        })
    }
}

/// A setting that differs between two versions of the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The key with its table.
    pub key: &'static str,
    /// What it takes for the new value to hold.
    pub effect: Effect,
}

/// A setting of whatever type, as the reference page and unknown keys need it.
pub(super) trait Definition: Sync {
    fn key(&self) -> &'static str;
    fn scope(&self) -> Scope;
    fn effect(&self) -> Effect;
    fn doc(&self) -> &'static str;
    fn type_name(&self) -> &'static str;
    fn allowed(&self) -> String;
    fn default_text(&self) -> String;
    /// Whether an override is a text however it looks: `--set defaultHomepage=2024`.
    fn is_text(&self) -> bool;
    fn is_secret(&self) -> bool;
    /// What is accepted, as JSON Schema, without a description.
    fn schema(&self) -> Json;

    fn table(&self) -> &'static str {
        self.key().split_once('.').map_or("", |(table, _)| table)
    }

    /// The key without its table.
    fn name(&self) -> &'static str {
        let key = self.key();
        key.split_once('.').map_or(key, |(_, name)| name)
    }

    /// Whether the table takes any name, as `[environment]` does.
    fn is_any_name(&self) -> bool {
        self.name() == "*"
    }
}

impl<K: Kind> Definition for Setting<K> {
    fn key(&self) -> &'static str {
        self.key
    }

    fn scope(&self) -> Scope {
        self.scope
    }

    fn effect(&self) -> Effect {
        self.effect
    }

    fn doc(&self) -> &'static str {
        self.doc
    }

    fn type_name(&self) -> &'static str {
        K::TYPE
    }

    fn allowed(&self) -> String {
        self.kind.allowed()
    }

    fn default_text(&self) -> String {
        self.kind.default_text()
    }

    fn is_text(&self) -> bool {
        K::IS_TEXT
    }

    fn is_secret(&self) -> bool {
        K::IS_SECRET
    }

    fn schema(&self) -> Json {
        self.kind.schema()
    }
}

impl<K: Kind> Setting<K> {
    /// Makes a strict value, or says what is allowed.
    pub(super) fn read(&self, loose: &Loose) -> Result<K::Value, String> {
        self.kind.read(loose).map_err(|refusal| match refusal {
            Refusal::Type => self.wrong_type(loose),
            Refusal::Value => format!("must be {}", self.kind.allowed()),
            Refusal::Because(reason) => reason,
        })
    }

    fn wrong_type(&self, loose: &Loose) -> String {
        let space = if K::NOUN.is_empty() { "" } else { " " };
        let allowed = self.kind.allowed();
        format!(
            "must be {}{space}{allowed}, not {}",
            K::NOUN,
            loose.type_name()
        )
    }
}

/// All values by key, as they are shown and compared; secrets are left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Values {
    all: BTreeMap<&'static str, Json>,
}

/// "Not returned in scalable sessions mode."
static OF_LEGACY_SESSIONS: &[&dyn Definition] = &[
    &table::PROCESS_TIMEOUT,
    &table::SESSION_TIMEOUT,
    &table::MAX_SESSIONS,
];

impl Values {
    pub(super) fn set(&mut self, key: &'static str, value: Json) {
        self.all.insert(key, value);
    }

    pub(super) fn get(&self, definition: &dyn Definition) -> Option<&Json> {
        self.all.get(definition.key())
    }

    /// Gives the properties of the WebServer class, spelled as the class spells them.
    pub(super) fn properties(&self) -> Map<String, Json> {
        let is_scalable = self.get(&table::SCALABLE_SESSION) == Some(&Json::Bool(true));
        let is_hidden =
            |key: &str| is_scalable && OF_LEGACY_SESSIONS.iter().any(|legacy| legacy.key() == key);
        let is_shown = |key: &str| !key.contains('.') && !is_hidden(key);
        let properties = self.all.iter().filter(|(key, _)| is_shown(key));
        properties
            .map(|(key, value)| ((*key).to_owned(), value.clone()))
            .collect()
    }

    /// Gives the values of one table by their names there.
    pub(super) fn of_table(&self, table: &str) -> Map<String, Json> {
        let of_table = self.all.iter().filter_map(|(key, value)| {
            let (its_table, name) = key.split_once('.')?;
            (its_table == table).then(|| (name.to_owned(), value.clone()))
        });
        of_table.collect()
    }

    /// Takes over the values of settings that are not the process's.
    pub(super) fn adopt(&mut self, newer: &Self) {
        for definition in table::SETTINGS
            .iter()
            .filter(|definition| definition.effect() != Effect::ProcessRestart)
        {
            if let Some(value) = newer.get(*definition) {
                self.set(definition.key(), value.clone());
            }
        }
    }

    /// Lists what differs, in the order of the table.
    pub(super) fn changes(&self, newer: &Self) -> Vec<Change> {
        let changed = table::SETTINGS
            .iter()
            .filter(|definition| self.get(**definition) != newer.get(**definition));
        changed
            .map(|changed| Change {
                key: changed.key(),
                effect: changed.effect(),
            })
            .collect()
    }
}

#[cfg(test)]
impl Values {
    pub(super) fn keys(&self) -> impl Iterator<Item = &'static str> {
        self.all.keys().copied()
    }

    pub(super) fn value(&self, key: &str) -> Json {
        self.all.get(key).cloned().unwrap_or_default()
    }
}
