//! The loops of a rendering: 4DLOOP and 4DEACH.

use std::sync::Arc;

use super::machine::{Flow, Machine};
use super::{Context, Occasion, Pending, Sink};
use crate::fault::Code;
use crate::limits::Limit;
use crate::operate::count;
use crate::program::Template;
use crate::value::{Object, Value};

/// A loop that is open.
#[derive(Debug)]
pub(super) struct Loop {
    kind: Kind,
    /// The first instruction of a round, and the one after the loop.
    body: u32,
    end: u32,
}

#[derive(Debug)]
enum Kind {
    /// Not known yet, or as long as an expression is true.
    Condition,
    /// An array: how many rounds, and the variable that stands for the current element.
    Array {
        rounds: usize,
        round: usize,
        slot: Option<(u32, usize)>,
    },
    /// A method that is called with the number of the round.
    Method { name: Arc<str>, round: usize },
    Items {
        items: Arc<[Value]>,
        next: usize,
        slot: u32,
    },
    Properties {
        object: Arc<Object>,
        next: usize,
        slot: u32,
    },
}

impl<C: Context + ?Sized, S: Sink + ?Sized> Machine<'_, C, S> {
    pub(super) fn loop_open(&mut self) {
        let kind = Kind::Condition;
        self.renderer.loops.push(Loop {
            kind,
            body: 0,
            end: 0,
        });
    }

    /// Drops the loops above `count`.
    pub(super) fn drop_loops(&mut self, count: usize) {
        while self.renderer.loops.len() > count {
            self.drop_loop();
        }
    }

    fn drop_loop(&mut self) {
        let dropped = self.renderer.loops.pop();
        if let Some(Loop {
            kind:
                Kind::Array {
                    slot: Some((slot, before)),
                    ..
                },
            ..
        }) = dropped
        {
            self.renderer.variables.set_current(slot, before);
        }
    }

    fn leave(&mut self, end: u32) -> Flow {
        self.drop_loop();
        Flow::Jump(end)
    }

    /// Counts a round.
    fn round(&mut self, body: u32) -> Result<Flow, Code> {
        let rounds_max = self.renderer.limits.rounds_max;
        self.renderer.counters.rounds += 1;
        if self.renderer.counters.rounds > rounds_max {
            return Err(Code::Limit(Limit::Rounds(rounds_max)));
        }
        Ok(Flow::Jump(body))
    }

    fn set(&mut self, kind: Kind, body: u32, end: u32) {
        if let Some(top) = self.renderer.loops.last_mut() {
            *top = Loop { kind, body, end };
        }
    }

    /// 4DLOOP with a name: an array, a condition or a method. `body` is the instruction after this one.
    pub(super) fn loop_name(
        &mut self,
        template: &Template,
        place: u32,
        body: u32,
        end: u32,
    ) -> Result<Flow, Code> {
        let name = template.place(place)?.name;
        let slot = self.slot(name);
        match self.renderer.variables.get(slot, self.context) {
            Some(Value::List(items)) => {
                let items = items.len();
                self.array(items, Some(slot), body, end)
            }
            Some(Value::Boolean(is)) => {
                let is = *is;
                self.while_true(is, body, end)
            }
            Some(Value::Null) => Ok(self.leave(end)),
            Some(_) => Err(Code::NotALoop),
            None => {
                let name = Arc::clone(template.name(name)?);
                if name.starts_with('$') {
                    return Err(Code::Undefined);
                }
                let kind = Kind::Method {
                    name: Arc::clone(&name),
                    round: 0,
                };
                self.set(kind, body, end);
                let pending = Pending::Loop { is_start: true };
                self.call(name, vec![count(0)], Occasion::LoopStart, pending)
            }
        }
    }

    /// 4DLOOP with an expression.
    pub(super) fn loop_test(&mut self, body: u32, end: u32) -> Result<Flow, Code> {
        match self.pop()? {
            Value::Boolean(is) => self.while_true(is, body, end),
            Value::List(items) => self.array(items.len(), None, body, end),
            Value::Null => Ok(self.leave(end)),
            _ => Err(Code::NotALoop),
        }
    }

    fn while_true(&mut self, is: bool, body: u32, end: u32) -> Result<Flow, Code> {
        if !is {
            return Ok(self.leave(end));
        }
        self.set(Kind::Condition, body, end);
        self.round(body)
    }

    fn array(
        &mut self,
        rounds: usize,
        slot: Option<u32>,
        body: u32,
        end: u32,
    ) -> Result<Flow, Code> {
        if rounds == 0 {
            return Ok(self.leave(end));
        }
        let variables = &mut self.renderer.variables;
        let slot = slot.map(|slot| (slot, variables.current(slot)));
        if let Some((slot, _)) = slot {
            variables.set_current(slot, 1);
        }
        self.set(
            Kind::Array {
                rounds,
                round: 1,
                slot,
            },
            body,
            end,
        );
        self.round(body)
    }

    pub(super) fn loop_next(&mut self, test: u32) -> Result<Flow, Code> {
        let variables = &mut self.renderer.variables;
        let Some(Loop { kind, body, end }) = self.renderer.loops.last_mut() else {
            return Err(Code::Syntax);
        };
        let (body, end) = (*body, *end);
        match kind {
            Kind::Array {
                rounds,
                round,
                slot,
            } => {
                if *round >= *rounds {
                    return Ok(self.leave(end));
                }
                *round += 1;
                if let Some((slot, _)) = slot {
                    variables.set_current(*slot, *round);
                }
                self.round(body)
            }
            Kind::Method { .. } => self.call_round(),
            _ => Ok(Flow::Jump(test)),
        }
    }

    /// Calls the method of a loop for its next round.
    fn call_round(&mut self) -> Result<Flow, Code> {
        let Some(Loop {
            kind: Kind::Method { name, round },
            ..
        }) = self.renderer.loops.last_mut()
        else {
            return Err(Code::Syntax);
        };
        *round += 1;
        let (name, round) = (Arc::clone(name), *round);
        let pending = Pending::Loop { is_start: false };
        self.call(name, vec![count(round)], Occasion::LoopRound, pending)
    }

    /// What the method of a loop returned.
    pub(super) fn loop_answered(&mut self, returned: Value, is_start: bool) -> Result<Flow, Code> {
        let Some(Loop { body, end, .. }) = self.renderer.loops.last() else {
            return Err(Code::Syntax);
        };
        let (body, end) = (*body, *end);
        match returned {
            Value::Boolean(true) if is_start => self.call_round(),
            Value::Boolean(true) => self.round(body),
            Value::Boolean(false) => Ok(self.leave(end)),
            _ => Err(Code::NotALoop),
        }
    }

    /// 4DEACH: how many rounds there are is known when it begins.
    pub(super) fn each_open(&mut self, name: u32, body: u32, end: u32) -> Result<Flow, Code> {
        let slot = self.slot(name);
        let kind = match self.pop()? {
            Value::List(items) => Kind::Items {
                items,
                next: 0,
                slot,
            },
            Value::Object(object) => Kind::Properties {
                object,
                next: 0,
                slot,
            },
            Value::Null => return Ok(Flow::Jump(end)),
            _ => return Err(Code::NotALoop),
        };
        self.renderer.loops.push(Loop { kind, body, end });
        self.each_next()
    }

    pub(super) fn each_next(&mut self) -> Result<Flow, Code> {
        let Some(Loop { kind, body, end }) = self.renderer.loops.last_mut() else {
            return Err(Code::Syntax);
        };
        let (body, end) = (*body, *end);
        let (slot, value) = match kind {
            Kind::Items { items, next, slot } => {
                let Some(item) = items.get(*next) else {
                    return Ok(self.leave(end));
                };
                if !fits(items.first(), item) {
                    return Err(Code::Mixed);
                }
                *next += 1;
                (*slot, item.clone())
            }
            Kind::Properties { object, next, slot } => {
                let Some(name) = object.name(*next) else {
                    return Ok(self.leave(end));
                };
                *next += 1;
                (*slot, Value::Text(Arc::clone(name)))
            }
            _ => return Err(Code::Syntax),
        };
        self.renderer.variables.set(slot, value);
        self.round(body)
    }
}

/// Whether `item` may be in a collection that begins with `first`. Among objects and collections, null may be.
fn fits(first: Option<&Value>, item: &Value) -> bool {
    match (first, item) {
        (Some(Value::Object(_) | Value::List(_)), Value::Null) => true,
        (Some(Value::Null), Value::Object(_) | Value::List(_)) => true,
        (Some(first), item) => first.is_like(item),
        (None, _) => true,
    }
}
