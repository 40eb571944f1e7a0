//! Variables and methods in a rendering: looked up, called for, inserted.

use std::sync::Arc;

use super::machine::{Flow, Machine};
use super::{Answer, Call, CallFailure, Context, Occasion, Pending, Sink, Step};
use crate::fault::Code;
use crate::limits::Limit;
use crate::operate::{self, count};
use crate::program::Template;
use crate::value::Value;

/// In front of a text that 4DSCRIPT returns, it says that the text is HTML.
const IS_HTML: char = '\u{1}';

static NULL: Value = Value::Null;

/// A value where it is, or one that was made for it.
enum Seen<'v> {
    There(&'v Value),
    Made(Value),
}

impl Seen<'_> {
    fn value(&self) -> &Value {
        match self {
            Self::There(value) => value,
            Self::Made(value) => value,
        }
    }
}

/// The property of `value` that `members` lead to.
fn walk<'v>(mut value: &'v Value, members: &[Arc<str>]) -> Result<Seen<'v>, Code> {
    let mut members = members.iter();
    for name in members.by_ref() {
        value = match value {
            Value::Object(object) => object.get(name).unwrap_or(&NULL),
            Value::Null => &NULL,
            other => {
                let mut made = operate::member(other, name)?;
                for name in members {
                    made = operate::member(&made, name)?;
                }
                return Ok(Seen::Made(made));
            }
        };
    }
    Ok(Seen::There(value))
}

impl<C: Context + ?Sized, S: Sink + ?Sized> Machine<'_, C, S> {
    pub(super) fn text_of(&mut self, template: &Template, number: u32) -> Result<Flow, Code> {
        let place = template.place(number)?;
        let slot = self.slot(place.name);
        let Some(value) = self.renderer.variables.get(slot, self.context) else {
            return self.call_name(template, number, true);
        };
        let seen = walk(value, &place.members)?;
        self.renderer.output.text(seen.value(), self.sink)?;
        Ok(Flow::Sent)
    }

    pub(super) fn text(&mut self) -> Result<Flow, Code> {
        let value = self.pop()?;
        self.renderer.output.text(&value, self.sink)?;
        Ok(Flow::Sent)
    }

    pub(super) fn load(&mut self, template: &Template, number: u32) -> Result<Flow, Code> {
        let place = template.place(number)?;
        let slot = self.slot(place.name);
        let Some(value) = self.renderer.variables.get(slot, self.context) else {
            return self.call_name(template, number, false);
        };
        let value = match walk(value, &place.members)? {
            Seen::There(value) => value.clone(),
            Seen::Made(value) => value,
        };
        self.renderer.stack.push(value);
        Ok(Flow::Next)
    }

    pub(super) fn load_index(&mut self, template: &Template, number: u32) -> Result<Flow, Code> {
        let slot = self.slot(template.place(number)?.name);
        let current = self.renderer.variables.current(slot);
        match self.renderer.variables.get(slot, self.context) {
            Some(Value::List(_)) if current > 0 => {
                self.renderer.stack.push(count(current));
                Ok(Flow::Next)
            }
            _ => self.load(template, number),
        }
    }

    /// A name that is no variable: a method without parameters, as it may be called.
    fn call_name(&mut self, template: &Template, number: u32, is_text: bool) -> Result<Flow, Code> {
        let name = Arc::clone(template.name(template.place(number)?.name)?);
        if name.starts_with('$') {
            return Err(Code::Undefined);
        }
        let pending = Pending::Place {
            place: number,
            is_text,
        };
        self.call(name, Vec::new(), Occasion::Expression, pending)
    }

    pub(super) fn call(
        &mut self,
        method: Arc<str>,
        arguments: Vec<Value>,
        occasion: Occasion,
        pending: Pending,
    ) -> Result<Flow, Code> {
        let calls_max = self.renderer.limits.calls_max;
        if self.renderer.counters.calls >= calls_max {
            return Err(Code::Limit(Limit::Calls(calls_max)));
        }
        self.renderer.counters.calls += 1;
        self.renderer.pending = Some(pending);
        let call = Call {
            method,
            arguments,
            occasion,
        };
        Ok(Flow::Leave(Step::Call(call)))
    }

    /// What was needed is there, or is not.
    pub(super) fn answered(&mut self, template: &Template, pending: Pending) -> Result<Flow, Code> {
        let answer = self.renderer.answer.take();
        if let Pending::Include(page) = pending {
            let included = match answer {
                Some(Answer::Page(template)) => template,
                _ => None,
            };
            return self.enter_included(included.ok_or(Code::Document)?, page);
        }
        // Also a method that failed may have changed variables before.
        self.renderer.variables.forget();
        let returned = match answer {
            Some(Answer::Value(returned)) => returned,
            _ => Err(CallFailure::Missing),
        };
        match pending {
            Pending::Place { place, is_text } => {
                let missing = |failure| match failure {
                    CallFailure::Missing => Code::Undefined,
                    other => other.into(),
                };
                let returned = returned.map_err(missing)?;
                let seen = walk(&returned, &template.place(place)?.members)?;
                if is_text {
                    self.renderer.output.text(seen.value(), self.sink)?;
                    return Ok(Flow::Sent);
                }
                self.renderer.stack.push(seen.value().clone());
                Ok(Flow::Next)
            }
            Pending::Loop { is_start } => self.loop_answered(returned?, is_start),
            Pending::Script => self.script_answered(returned?),
            Pending::Value | Pending::Include(_) => {
                self.renderer.stack.push(returned?);
                Ok(Flow::Next)
            }
        }
    }

    fn script_answered(&mut self, returned: Value) -> Result<Flow, Code> {
        if let Value::Text(text) = &returned
            && let Some(html) = text.strip_prefix(IS_HTML)
        {
            let html = Value::from(html);
            return self.html(&html, true);
        }
        self.renderer.output.text(&returned, self.sink)?;
        Ok(Flow::Sent)
    }
}
