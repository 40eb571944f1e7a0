//! The process variables of a web process: what tags see, bounded, and cheap to keep a picture of.

use std::collections::HashMap;
use std::sync::Arc;

use tessera_tags::{Context, Value};

use crate::json::{self, VALUE_BYTES};
use crate::limits::MemoryBudget;

/// Characters of a name.
const NAME_CHARACTERS_MAX: usize = 255;
/// Variables of one web process.
const VARIABLES_MAX: usize = 1000;
/// What the variables of one web process take in memory, in bytes.
pub(crate) const VARIABLES_BYTES_MAX: usize = 16 << 20;

/// Why a variable was not set.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum SetError {
    InvalidName,
    TooLarge,
}

/// The variables. A copy is a picture of them as they are, and costs a counter: whichever of both changes first pays.
#[derive(Clone, Debug, Default)]
pub(crate) struct ProcessVariables(Option<Arc<Table>>);

/// What a variable holds.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) value: Value,
    /// A list or an object as the component wrote it, which is how it gets it back.
    json: Option<Arc<str>>,
    /// What it takes in memory.
    bytes: usize,
}

#[derive(Debug)]
struct Table {
    /// By their names in lower case.
    by_name: HashMap<Box<str>, Stored>,
    bytes: usize,
    /// What all components together hold, of which this is a part.
    budget: Arc<MemoryBudget>,
}

impl Stored {
    /// A value that no other holds, or one whose parts others hold already: those are not counted again.
    pub(crate) fn plain(value: Value) -> Self {
        let text = match &value {
            Value::Text(text) => text.len(),
            _ => 0,
        };
        Self {
            value,
            json: None,
            bytes: VALUE_BYTES + text,
        }
    }

    /// A list or an object that takes `bytes`, and the text it was read from.
    pub(crate) fn parsed(value: Value, bytes: usize, json: &str) -> Self {
        Self {
            value,
            json: Some(json.into()),
            bytes: VALUE_BYTES + bytes + json.len(),
        }
    }

    /// A list or an object as JSON; none of other values.
    pub(crate) fn json(&self) -> Option<String> {
        match (&self.json, &self.value) {
            (Some(json), _) => Some(json.to_string()),
            (None, Value::List(_) | Value::Object(_)) => Some(json::write(&self.value)),
            _ => None,
        }
    }
}

impl ProcessVariables {
    pub(crate) fn get(&self, name: &str) -> Option<&Stored> {
        let table = self.0.as_ref()?;
        if let Some(stored) = table.by_name.get(name) {
            return Some(stored);
        }
        table.by_name.get(&*name.to_lowercase())
    }

    /// Sets a variable; `None` removes it.
    pub(crate) fn set(
        &mut self,
        name: &str,
        stored: Option<Stored>,
        budget: &Arc<MemoryBudget>,
    ) -> Result<(), SetError> {
        if !is_name(name) {
            return Err(SetError::InvalidName);
        }
        let name = name.to_lowercase();
        let Some(stored) = stored else {
            if self.get(&name).is_some() {
                self.own(budget)?.remove(&name);
            }
            return Ok(());
        };
        self.own(budget)?.insert(name, stored)
    }

    /// The table, of which nobody else has a picture.
    fn own(&mut self, budget: &Arc<MemoryBudget>) -> Result<&mut Table, SetError> {
        let owned = match self.0.take() {
            None => Arc::new(Table {
                by_name: HashMap::new(),
                bytes: 0,
                budget: budget.clone(),
            }),
            Some(table) if Arc::strong_count(&table) == 1 => table,
            Some(shared) => match shared.copy() {
                Some(copy) => Arc::new(copy),
                None => {
                    self.0 = Some(shared);
                    return Err(SetError::TooLarge);
                }
            },
        };
        Arc::get_mut(self.0.insert(owned)).ok_or(SetError::TooLarge)
    }
}

impl Table {
    /// The same again, if there is memory for it. What the variables hold stays shared, but counts twice: either of both may
    /// go first.
    fn copy(&self) -> Option<Self> {
        let taken = self.budget.take(self.bytes as u64);
        taken.then(|| Self {
            by_name: self.by_name.clone(),
            bytes: self.bytes,
            budget: self.budget.clone(),
        })
    }

    fn insert(&mut self, name: String, stored: Stored) -> Result<(), SetError> {
        let old = self.by_name.get(&*name);
        if old.is_none() && self.by_name.len() >= VARIABLES_MAX {
            return Err(SetError::TooLarge);
        }
        let old = old.map_or(0, |old| old.bytes + name.len());
        let new = stored.bytes + name.len();
        if self.bytes - old + new > VARIABLES_BYTES_MAX || !self.budget.take(new as u64) {
            return Err(SetError::TooLarge);
        }
        self.budget.give_back(old as u64);
        self.bytes = self.bytes - old + new;
        self.by_name.insert(name.into(), stored);
        Ok(())
    }

    fn remove(&mut self, name: &str) {
        if let Some(old) = self.by_name.remove(name) {
            let bytes = old.bytes + name.len();
            self.bytes -= bytes;
            self.budget.give_back(bytes as u64);
        }
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        self.budget.give_back(self.bytes as u64);
    }
}

/// The variables as tags see and set them.
pub(crate) struct Seen<'v> {
    pub(crate) variables: &'v mut ProcessVariables,
    pub(crate) budget: &'v Arc<MemoryBudget>,
}

impl Context for Seen<'_> {
    fn variable(&self, name: &str) -> Option<Value> {
        Some(self.variables.get(name)?.value.clone())
    }

    fn assign(&mut self, name: &str, value: &Value) -> bool {
        let stored = match value {
            Value::Null => None,
            value => Some(Stored::plain(value.clone())),
        };
        self.variables.set(name, stored, self.budget).is_ok()
    }
}

/// Letters, digits and `_`, not a digit first.
fn is_name(name: &str) -> bool {
    let is_first = |c: char| c.is_alphabetic() || c == '_';
    let is_next = |c: char| c.is_alphanumeric() || c == '_';
    name.starts_with(is_first)
        && name.chars().all(is_next)
        && name.chars().count() <= NAME_CHARACTERS_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(limit: u64) -> Arc<MemoryBudget> {
        Arc::new(MemoryBudget::new(limit))
    }

    fn text(text: &str) -> Option<Stored> {
        Some(Stored::plain(text.into()))
    }

    fn shown(variables: &ProcessVariables, name: &str) -> String {
        variables
            .get(name)
            .map_or_else(|| "none".to_owned(), |stored| json::write(&stored.value))
    }

    #[test]
    fn names_are_found_without_regard_to_case() {
        let budget = budget(1 << 20);
        let mut variables = ProcessVariables::default();
        variables.set("vÄName", text("a"), &budget).unwrap();
        for name in ["vÄName", "väname", "VÄNAME"] {
            assert_eq!(shown(&variables, name), "\"a\"");
        }
        variables.set("Väname", None, &budget).unwrap();
        assert_eq!(shown(&variables, "vÄName"), "none");
    }

    #[test]
    fn names_are_letters_and_digits() {
        let budget = budget(1 << 20);
        let mut variables = ProcessVariables::default();
        let long = "x".repeat(NAME_CHARACTERS_MAX + 1);
        for name in ["", "1a", "a b", "$a", "a.b", "a-b", "<", &long] {
            let set = variables.set(name, text("a"), &budget);
            assert_eq!(set, Err(SetError::InvalidName), "{name}");
        }
        for name in ["_", "a1", "été", &long[1..]] {
            variables.set(name, text("a"), &budget).unwrap();
        }
    }

    #[test]
    fn a_picture_stays_as_it_was() {
        let budget = budget(1 << 20);
        let mut variables = ProcessVariables::default();
        variables.set("a", text("old"), &budget).unwrap();
        let picture = variables.clone();
        variables.set("a", text("new"), &budget).unwrap();
        variables.set("b", text("new"), &budget).unwrap();
        assert_eq!(shown(&picture, "a"), "\"old\"");
        assert_eq!(shown(&picture, "b"), "none");
        assert_eq!(shown(&variables, "a"), "\"new\"");
        drop((picture, variables));
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn number_and_memory_are_bounded_and_given_back() {
        let all = budget(u64::MAX);
        let mut variables = ProcessVariables::default();
        for number in 0..VARIABLES_MAX {
            variables
                .set(&format!("v{number}"), text("x"), &all)
                .unwrap();
        }
        assert_eq!(
            variables.set("more", text("x"), &all),
            Err(SetError::TooLarge)
        );
        variables.set("v0", None, &all).unwrap();
        variables.set("more", text("x"), &all).unwrap();
        let long = "x".repeat(VARIABLES_BYTES_MAX);
        assert_eq!(
            variables.set("v1", text(&long), &all),
            Err(SetError::TooLarge)
        );
        assert_eq!(shown(&variables, "v1"), "\"x\"");
        drop(variables);
        assert_eq!(all.used(), 0);

        let little = budget(200);
        let mut variables = ProcessVariables::default();
        variables.set("a", text("x"), &little).unwrap();
        let long = "x".repeat(200);
        assert_eq!(
            variables.set("b", text(&long), &little),
            Err(SetError::TooLarge)
        );
        variables.set("a", text("y"), &little).unwrap();
        drop(variables);
        assert_eq!(little.used(), 0);
    }

    #[test]
    fn tags_assign_values_of_every_kind() {
        let budget = budget(1 << 20);
        let mut variables = ProcessVariables::default();
        let mut seen = Seen {
            variables: &mut variables,
            budget: &budget,
        };
        let list = Value::list([Value::from(1), Value::from("a")]);
        assert!(seen.assign("list", &list));
        assert!(seen.assign("text", &"b".into()));
        assert!(!seen.assign("$local", &list));
        assert_eq!(json::write(&seen.variable("LIST").unwrap()), "[1,\"a\"]");
        assert!(seen.assign("text", &Value::Null));
        assert!(seen.variable("text").is_none());
        assert_eq!(variables.get("list").unwrap().json().unwrap(), "[1,\"a\"]");
    }
}
