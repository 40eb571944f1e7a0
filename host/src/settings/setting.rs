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
pub(super) enum Scope {
    Host,
    Component,
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
pub(super) struct Values(BTreeMap<&'static str, Json>);

impl Values {
    pub(super) fn set(&mut self, key: &'static str, value: Json) {
        self.0.insert(key, value);
    }

    /// Gives the properties of the WebServer class, spelled as the class spells them.
    pub(super) fn properties(&self) -> Map<String, Json> {
        let properties = self.0.iter().filter(|(key, _)| !key.contains('.'));
        properties
            .map(|(key, value)| ((*key).to_owned(), value.clone()))
            .collect()
    }

    /// Takes over the values of settings that a reload changes.
    pub(super) fn adopt(&mut self, newer: &Self) {
        for definition in table::SETTINGS
            .iter()
            .filter(|definition| definition.effect() == Effect::Reload)
        {
            if let Some(value) = newer.0.get(definition.key()) {
                self.0.insert(definition.key(), value.clone());
            }
        }
    }

    /// Lists what differs, in the order of the table.
    pub(super) fn changes(&self, newer: &Self) -> Vec<Change> {
        let differ = |key| self.0.get(key) != newer.0.get(key);
        let changed = table::SETTINGS
            .iter()
            .filter(|definition| differ(definition.key()));
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
        self.0.keys().copied()
    }

    pub(super) fn value(&self, key: &str) -> Json {
        self.0.get(key).cloned().unwrap_or_default()
    }
}
