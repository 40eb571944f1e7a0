//! Turns loose entries into strict values, one setting at a time, and collects what is wrong.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value as Json;

use super::error::{Fault, FaultKind, Place, SettingsError};
use super::file::{Document, Entry};
use super::kind::{Kind, Preset};
use super::overrides::Override;
use super::setting::{Definition, Scope, Setting, Values};
use super::unknown;

/// More than there are settings, with room for an environment.
const OVERRIDES_MAX: usize = 1_000;

/// The written settings of one web server object on their way to strict ones.
pub(super) struct Reader {
    /// Of known settings only; a later one of the same key is above an earlier one.
    entries: Vec<Entry>,
    tables: Vec<String>,
    values: Values,
    faults: Vec<Fault>,
}

impl Reader {
    /// Reads the file, if there is one, with the lists beside it, and lays the overrides above.
    pub(super) fn open(server: Scope, file: Option<&Path>, overrides: &[Override]) -> Self {
        let mut document = file.map(Document::read).unwrap_or_default();
        if let Some(folder) = file.and_then(Path::parent) {
            document.add_lists(folder);
        }
        Self::new(server, document, overrides)
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

        let (overrides, too_many) = bounded(overrides);
        faults.extend(too_many);
        let mut known = Vec::new();
        for entry in entries.into_iter().chain(overrides) {
            // Of a table that is unknown as a whole nothing more is said.
            let is_in_file = matches!(entry.place, Place::File { .. });
            if is_in_file && !entry.table.is_empty() && !tables.contains(&entry.table) {
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
        let preset = setting.kind.preset();
        let Some(value) = self.last(setting) else {
            self.values.set(setting.key, setting.kind.json(&preset));
            return preset;
        };
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
    pub(super) fn variables<K: Kind>(
        &mut self,
        setting: &'static Setting<K>,
    ) -> BTreeMap<String, K::Value> {
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
        self.values.set(setting.key, Json::Null);
        variables
    }

    /// Gives every value that was written and is right, with its place; the last is the one that counts.
    pub(super) fn written<K: Kind>(&self, setting: &'static Setting<K>) -> Vec<(K::Value, Place)> {
        let entries = self.entries.iter().filter(|entry| is_of(setting, entry));
        entries
            .filter_map(|entry| Some((setting.read(&entry.value).ok()?, entry.place.clone())))
            .collect()
    }

    /// Shows a value in another way than it was read.
    pub(super) fn show(&mut self, definition: &'static dyn Definition, value: Json) {
        self.values.set(definition.key(), value);
    }

    /// Whether the file has this table, be it empty, or a value above the file is of it.
    pub(super) fn has_table(&self, name: &str) -> bool {
        let is_of_it = |entry: &Entry| entry.table == name;
        self.tables.iter().any(|table| table == name) || self.entries.iter().any(is_of_it)
    }

    /// Refuses values that are right by themselves but not together. The fault is of the one that was written last:
    /// of a start with settings, when the file was right without them. Says whether any was written.
    pub(super) fn refuse(
        &mut self,
        definitions: &[&'static dyn Definition],
        reason: impl Into<String>,
    ) -> bool {
        let mut last: Option<(&Entry, &dyn Definition)> = None;
        for definition in definitions {
            let entry = self.entries.iter().rfind(|entry| is_of(*definition, entry));
            let Some(entry) = entry else { continue };
            let is_above = |last: &Entry| entry.place.layer() > last.place.layer();
            if last.is_none_or(|(last, _)| is_above(last)) {
                last = Some((entry, *definition));
            }
        }
        let Some((entry, definition)) = last else {
            return false;
        };
        self.faults.push(fault_of(definition, entry, reason.into()));
        true
    }

    /// Refuses a value of a table whose names are free.
    pub(super) fn refuse_variable(
        &mut self,
        definition: &'static dyn Definition,
        name: &str,
        reason: impl Into<String>,
    ) {
        let is_it = |entry: &&Entry| entry.table == definition.table() && entry.name == name;
        if let Some(entry) = self.entries.iter().rfind(is_it) {
            self.faults.push(fault_of(definition, entry, reason.into()));
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

/// Takes the overrides, unless somebody gave so many that telling what is wrong with each would take long.
fn bounded(overrides: &[Override]) -> (Vec<Entry>, Option<Fault>) {
    if overrides.len() > OVERRIDES_MAX {
        let place = overrides.last().map_or(Place::Override, Override::place);
        let reason = format!("must be at most {OVERRIDES_MAX} settings");
        return (Vec::new(), Some(Fault::of_place(place, reason)));
    }
    (overrides.iter().map(Override::entry).collect(), None)
}

fn is_of(definition: &dyn Definition, entry: &Entry) -> bool {
    entry.table == definition.table() && entry.name == definition.name()
}

fn fault_of(definition: &dyn Definition, entry: &Entry, reason: String) -> Fault {
    entry.fault(definition.is_secret(), FaultKind::BadValue, reason)
}
