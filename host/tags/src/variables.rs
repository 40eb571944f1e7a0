//! The variables of one rendering: those that the page sets, and those of the web process, asked for when they are needed.

use std::collections::HashMap;
use std::sync::Arc;

use crate::fault::Code;
use crate::limits::Limit;
use crate::program::Template;
use crate::render::Context;
use crate::value::Value;

#[derive(Debug)]
struct Slot {
    /// As it was first written.
    name: Arc<str>,
    value: Option<Value>,
    /// Whether the page set it.
    is_set: bool,
    /// When the web process was asked for it.
    epoch: u64,
    /// The current element of the array, while a 4DLOOP goes through it. From 1; 0 is none.
    current: usize,
}

/// The variables of one rendering.
#[derive(Debug)]
pub(crate) struct Variables {
    slots: Vec<Slot>,
    by_name: HashMap<Arc<str>, u32>,
    /// Moves on with each call of a method, which may have changed every variable.
    epoch: u64,
}

impl Variables {
    pub(crate) fn new() -> Self {
        Self {
            slots: Vec::new(),
            by_name: HashMap::new(),
            epoch: 1,
        }
    }

    /// Where the names of a page are here. Pages inside one another have their variables in common.
    pub(crate) fn slots(
        &mut self,
        template: &Template,
        variables_max: usize,
    ) -> Result<Vec<u32>, Code> {
        let mut slots = Vec::with_capacity(template.names.len());
        for (written, compared) in &template.names {
            if let Some(known) = self.by_name.get(compared) {
                slots.push(*known);
                continue;
            }
            if self.slots.len() >= variables_max {
                return Err(Code::Limit(Limit::Variables(variables_max)));
            }
            let new = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
            self.by_name.insert(Arc::clone(compared), new);
            self.slots.push(Slot {
                name: Arc::clone(written),
                value: None,
                is_set: false,
                epoch: 0,
                current: 0,
            });
            slots.push(new);
        }
        Ok(slots)
    }

    pub(crate) fn get<C: Context + ?Sized>(&mut self, slot: u32, context: &C) -> Option<&Value> {
        let slot = self.slots.get_mut(slot as usize)?;
        if !slot.is_set && slot.epoch != self.epoch {
            slot.value = context.variable(&slot.name);
            slot.epoch = self.epoch;
        }
        slot.value.as_ref()
    }

    /// Sets a variable of the page.
    pub(crate) fn set(&mut self, slot: u32, value: Value) {
        if let Some(slot) = self.slots.get_mut(slot as usize) {
            slot.value = Some(value);
            slot.is_set = true;
        }
    }

    /// Sets a variable where the page says so: local ones are the page's, others the web process's if it takes them.
    pub(crate) fn assign<C: Context + ?Sized>(&mut self, slot: u32, value: Value, context: &mut C) {
        let epoch = self.epoch;
        let Some(slot) = self.slots.get_mut(slot as usize) else {
            return;
        };
        slot.is_set =
            slot.name.starts_with('$') || slot.is_set || !context.assign(&slot.name, &value);
        slot.epoch = epoch;
        slot.value = Some(value);
    }

    /// A method was called: what the web process said of its variables may be old.
    pub(crate) fn forget(&mut self) {
        self.epoch += 1;
    }

    /// The number of an array's current element, from 1; 0 without a loop.
    pub(crate) fn current(&self, slot: u32) -> usize {
        self.slots.get(slot as usize).map_or(0, |slot| slot.current)
    }

    pub(crate) fn set_current(&mut self, slot: u32, current: usize) {
        if let Some(slot) = self.slots.get_mut(slot as usize) {
            slot.current = current;
        }
    }
}
