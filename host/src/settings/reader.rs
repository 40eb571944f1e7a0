//! Turns loose entries into strict values, one setting at a time, and collects what is wrong.

use std::collections::BTreeMap;
use std::path::Path;

use super::error::{Fault, Place, SettingsError};
use super::file::{Document, Entry, Loose};
use super::kind::text::Variable;
use super::kind::{Kind, Preset};
use super::overrides::Override;
use super::setting::{Definition, Scope, Setting, Values};
use super::{table, unknown};

/// The written settings of one web server object on their way to strict ones.
pub(super) struct Reader {
    /// Of known settings only; a later one of the same key is above an earlier one.
    entries: Vec<Entry>,
    tables: Vec<String>,
    values: Values,
    faults: Vec<Fault>,
}

impl Reader {
    /// Reads the file, if there is one, and lays the overrides above it.
    pub(super) fn open(server: Scope, file: Option<&Path>, overrides: &[Override]) -> Self {
        Self::new(
            server,
            file.map(Document::read).unwrap_or_default(),
            overrides,
        )
    }

    pub(super) fn new(server: Scope, document: Document, overrides: &[Override]) -> Self {
        let Document {
            entries,
            tables,
            mut faults,
        } = document;
        let mut is_known_table = |name: &String, place: &Place| {
            let fault = unknown::table_fault(server, name, place);
            let is_known = fault.is_none();
            faults.extend(fault);
            is_known
        };
        let tables: Vec<String> = tables
            .into_iter()
            .filter(|(name, place)| is_known_table(name, place))
            .map(|(name, _)| name)
            .collect();

        let mut known = Vec::new();
        let overrides = overrides.iter().map(Override::entry);
        for entry in entries.into_iter().chain(overrides) {
            // Of a table that is unknown as a whole nothing more is said.
            let is_override = entry.place == Place::Override;
            if !is_override && !entry.table.is_empty() && !tables.contains(&entry.table) {
                continue;
            }
            match unknown::entry_fault(server, &entry) {
                Some(fault) => faults.push(fault),
                None => known.push(entry),
            }
        }
        Self {
            entries: known,
            tables,
            values: Values::default(),
            faults,
        }
    }

    /// Gives the value as it was written, or the default.
    pub(super) fn value<K: Preset>(&mut self, setting: &'static Setting<K>) -> K::Value {
        let value = self.last(setting).unwrap_or_else(|| setting.kind.preset());
        self.values.set(setting.key, setting.kind.json(&value));
        value
    }

    /// Gives the value if it was written.
    pub(super) fn named<K: Kind>(&mut self, setting: &'static Setting<K>) -> Option<K::Value> {
        let value = self.last(setting);
        let json = value.as_ref().map(|value| setting.kind.json(value));
        self.values.set(setting.key, json.unwrap_or_default());
        value
    }

    /// Gives all values of a table whose names are free.
    pub(super) fn variables(
        &mut self,
        setting: &'static Setting<Variable>,
    ) -> BTreeMap<String, String> {
        let mut variables = BTreeMap::new();
        for entry in self
            .entries
            .iter()
            .filter(|entry| entry.table == setting.table())
        {
            if entry.name.contains(['=', '\0']) {
                let reason = "must have a name without \"=\" and NUL".to_owned();
                self.faults.push(fault_of(setting, entry, reason));
                continue;
            }
            match setting.read(&entry.value) {
                Ok(value) => drop(variables.insert(entry.name.clone(), value)),
                Err(reason) => self.faults.push(fault_of(setting, entry, reason)),
            }
        }
        self.values.set(setting.key, serde_json::Value::Null);
        variables
    }

    /// Whether the file has this table, be it empty.
    pub(super) fn has_table(&self, name: &str) -> bool {
        self.tables.iter().any(|table| table == name)
    }

    /// Refuses a value that is right by itself but not beside the others.
    pub(super) fn refuse(&mut self, definition: &'static dyn Definition, reason: &str) {
        if let Some(entry) = self.entries.iter().rfind(|entry| is_of(definition, entry)) {
            self.faults
                .push(fault_of(definition, entry, reason.to_owned()));
        }
    }

    /// Whether a value was written, be it wrong.
    pub(super) fn is_written(&self, definition: &'static dyn Definition) -> bool {
        self.entries.iter().any(|entry| is_of(definition, entry))
    }

    /// Adds a fault that is of no key.
    pub(super) fn add(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// Gives the values as they are shown, if nothing was wrong.
    pub(super) fn finish(self) -> Result<Values, SettingsError> {
        if self.faults.is_empty() {
            Ok(self.values)
        } else {
            Err(SettingsError::new(self.faults))
        }
    }

    /// Reads every entry of a setting, so that a wrong one is told even under an override.
    fn last<K: Kind>(&mut self, setting: &'static Setting<K>) -> Option<K::Value> {
        let mut last = None;
        for entry in self.entries.iter().filter(|entry| is_of(setting, entry)) {
            match setting.read(&entry.value) {
                Ok(value) => last = Some(value),
                Err(reason) => self.faults.push(fault_of(setting, entry, reason)),
            }
        }
        last
    }
}

fn is_of(definition: &dyn Definition, entry: &Entry) -> bool {
    entry.table == definition.table() && entry.name == definition.name()
}

fn fault_of(definition: &dyn Definition, entry: &Entry, reason: String) -> Fault {
    let is_secret = definition.is_secret();
    let value = if is_secret {
        "(hidden)".to_owned()
    } else {
        entry.written.clone()
    };
    Fault {
        place: entry.place.clone(),
        key: Some(entry.key()),
        value: Some(value),
        reason,
    }
}

/// Says what is wrong with a table where a value of a setting should stand.
pub(super) fn table_as_value(name: &str) -> Option<String> {
    let definition = table::find("", name)?;
    Some(format!(
        "must be {}, not {}",
        definition.allowed(),
        Loose::Table.type_name()
    ))
}
