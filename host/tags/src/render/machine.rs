//! Goes through the instructions of a page and of those inside it.

use std::sync::Arc;

use super::{Context, Occasion, Pending, Renderer, Sink, Step};
use crate::builtin::Builtin;
use crate::fault::Code;
use crate::limits::Limit;
use crate::operate::{self, Operator};
use crate::program::{Op, Template};
use crate::value::Value;

/// So many bytes of text take about as long as an instruction.
const BYTES_PER_WORK: usize = 32;

/// Where it goes on.
pub(super) enum Flow {
    Next,
    /// The same, and something was sent.
    Sent,
    Jump(u32),
    /// With another page: what is on top of the frames now.
    Frame,
    Leave(Step),
}

pub(super) struct Machine<'r, C: ?Sized, S: ?Sized> {
    pub(super) renderer: &'r mut Renderer,
    pub(super) context: &'r mut C,
    pub(super) sink: &'r mut S,
}

impl<'r, C: Context + ?Sized, S: Sink + ?Sized> Machine<'r, C, S> {
    pub(super) fn new(renderer: &'r mut Renderer, context: &'r mut C, sink: &'r mut S) -> Self {
        Self {
            renderer,
            context,
            sink,
        }
    }

    pub(super) fn run(&mut self) -> Step {
        let mut answered = self.renderer.pending.take();
        loop {
            let Some(frame) = self.renderer.frames.last() else {
                return Step::Done;
            };
            let template = Arc::clone(&frame.template);
            if let Some(step) = self.run_page(&template, frame.pc, answered.take()) {
                return step;
            }
        }
    }

    /// Goes through the page on top until another one is on top, or something is needed.
    fn run_page(
        &mut self,
        template: &Template,
        mut pc: u32,
        pending: Option<Pending>,
    ) -> Option<Step> {
        let mut answered = pending;
        loop {
            let done = match answered.take() {
                // It belongs to the instruction before.
                Some(pending) => self.answered(template, pending),
                None => {
                    let op = template.ops.get(pc as usize).copied().unwrap_or(Op::End);
                    pc += 1;
                    self.charge(1)
                        .and_then(|()| self.carry_out(template, op, pc))
                }
            };
            match done {
                Ok(Flow::Next) => {}
                Ok(Flow::Jump(to)) => pc = to,
                Ok(Flow::Sent) => {
                    if self.sink.is_full() {
                        self.set_pc(pc);
                        return Some(Step::Full);
                    }
                }
                Ok(Flow::Frame) => {
                    return None;
                }
                Ok(Flow::Leave(step)) => {
                    self.set_pc(pc);
                    return Some(step);
                }
                Err(code) => match self.fail(template, pc - 1, code) {
                    Some(resume) => pc = resume,
                    None => return Some(Step::Done),
                },
            }
            if self.renderer.counters.work >= self.renderer.counters.work_until
                && self.renderer.counters.work < self.renderer.limits.work_max
            {
                self.set_pc(pc);
                return Some(Step::Pause);
            }
        }
    }

    /// Counts instructions, or what takes as long.
    pub(super) fn charge(&mut self, work: u64) -> Result<(), Code> {
        let counters = &mut self.renderer.counters;
        counters.work = counters.work.saturating_add(work);
        if counters.work >= self.renderer.limits.work_max {
            return Err(Code::Limit(Limit::Work(self.renderer.limits.work_max)));
        }
        Ok(())
    }

    /// What going through a value's text takes.
    fn charge_text(&mut self, value: &Value) -> Result<(), Code> {
        match value {
            Value::Text(text) if text.len() > BYTES_PER_WORK => {
                self.charge(u64::try_from(text.len() / BYTES_PER_WORK).unwrap_or(u64::MAX))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn set_pc(&mut self, pc: u32) {
        if let Some(frame) = self.renderer.frames.last_mut() {
            frame.pc = pc;
        }
    }

    /// `pc` is the instruction after this one.
    fn carry_out(&mut self, template: &Template, op: Op, pc: u32) -> Result<Flow, Code> {
        match op {
            Op::Raw { start, end } => {
                let bytes = template.source.get(start as usize..end as usize);
                let bytes = bytes.unwrap_or_default();
                self.renderer.output.page(bytes, self.sink)?;
                return Ok(Flow::Sent);
            }
            Op::TextOf(place) => return self.text_of(template, place),
            Op::Text => return self.text(),
            Op::Html { is_recursive } => {
                let value = self.pop()?;
                self.set_pc(pc);
                return self.html(&value, is_recursive);
            }
            Op::Load(place) => return self.load(template, place),
            Op::LoadIndex(place) => return self.load_index(template, place),
            Op::Call { name, count } => {
                let arguments = self.take(count)?;
                let name = Arc::clone(template.name(name)?);
                return self.call(name, arguments, Occasion::Expression, Pending::Value);
            }
            Op::Script { method, parameter } => {
                let method = Arc::clone(template.text(method)?);
                let parameter = Value::Text(Arc::clone(template.text(parameter)?));
                return self.call(method, vec![parameter], Occasion::Script, Pending::Script);
            }
            Op::SkipIf { is, to } => return self.skip_if(is, to),
            Op::Choose { otherwise } => {
                let is = self.pop()?.is_truthy();
                return Ok(if is {
                    Flow::Next
                } else {
                    Flow::Jump(otherwise)
                });
            }
            Op::Jump(to) => return Ok(Flow::Jump(to)),
            Op::If { otherwise } => {
                let Value::Boolean(is) = self.pop()? else {
                    return Err(Code::NotBoolean);
                };
                return Ok(if is {
                    Flow::Next
                } else {
                    Flow::Jump(otherwise)
                });
            }
            Op::LoopOpen => self.loop_open(),
            Op::LoopName { place, end } => return self.loop_name(template, place, pc, end),
            Op::LoopTest { end } => return self.loop_test(pc, end),
            Op::LoopNext { test } => return self.loop_next(test),
            Op::EachOpen { name, end } => return self.each_open(name, pc, end),
            Op::EachNext => return self.each_next(),
            Op::Include(path) => return self.include(template, path),
            Op::Base(folder) => self.base(template, folder)?,
            Op::Wrong(wrong) => return self.wrong(template, wrong),
            Op::End => return Ok(self.end()),
            _ => self.compute(template, op)?,
        }
        Ok(Flow::Next)
    }

    /// Instructions that take values from the stack and put one back.
    fn compute(&mut self, template: &Template, op: Op) -> Result<(), Code> {
        let value = match op {
            Op::Constant(constant) => template.constant(constant)?.clone(),
            Op::Assign(name) => {
                let value = self.pop()?;
                let slot = self.slot(name);
                self.renderer.variables.assign(slot, value, self.context);
                return Ok(());
            }
            Op::Member(name) => {
                let value = self.pop()?;
                operate::member(&value, template.text(name)?)?
            }
            Op::Item => {
                let (value, index) = self.pop_two()?;
                operate::item(&value, &index)?
            }
            Op::Element => {
                let (value, index) = self.pop_two()?;
                operate::element(&value, &index)?
            }
            Op::Negate => operate::negate(&self.pop()?)?,
            Op::Binary(operator) => {
                let (left, right) = self.pop_two()?;
                self.binary(operator, &left, &right)?
            }
            Op::Like {
                pattern,
                is_negated,
            } => {
                let value = self.pop()?;
                self.charge_text(&value)?;
                let Value::Text(text) = &value else {
                    return Err(Code::Types);
                };
                let is_like = operate::is_like(text, template.text(pattern)?);
                Value::Boolean(is_like != is_negated)
            }
            Op::Builtin { which, count } => self.builtin(which, count)?,
            _ => return Err(Code::Syntax),
        };
        self.renderer.stack.push(value);
        Ok(())
    }

    fn binary(&mut self, operator: Operator, left: &Value, right: &Value) -> Result<Value, Code> {
        self.charge_text(left)?;
        self.charge_text(right)?;
        let texts_max = self.renderer.limits.texts_bytes_max;
        let left_over = texts_max.saturating_sub(self.renderer.counters.texts);
        let made = operator.apply(left, right, left_over)?;
        let made = made.ok_or(Code::Limit(Limit::Texts(texts_max)))?;
        self.made(made)
    }

    fn builtin(&mut self, which: Builtin, count: u16) -> Result<Value, Code> {
        let values = self.take(count)?;
        for value in &values {
            self.charge_text(value)?;
        }
        self.made(which.apply(&values)?)
    }

    /// Counts a text that an expression made.
    fn made(&mut self, value: Value) -> Result<Value, Code> {
        if let Value::Text(text) = &value {
            let texts_max = self.renderer.limits.texts_bytes_max;
            let bytes = u64::try_from(text.len()).unwrap_or(u64::MAX);
            let texts = self.renderer.counters.texts.saturating_add(bytes);
            if texts > texts_max {
                return Err(Code::Limit(Limit::Texts(texts_max)));
            }
            self.renderer.counters.texts = texts;
        }
        Ok(value)
    }

    pub(super) fn pop(&mut self) -> Result<Value, Code> {
        self.renderer.stack.pop().ok_or(Code::Syntax)
    }

    fn pop_two(&mut self) -> Result<(Value, Value), Code> {
        let second = self.pop()?;
        Ok((self.pop()?, second))
    }

    /// The `count` values on top of the stack.
    fn take(&mut self, count: u16) -> Result<Vec<Value>, Code> {
        let from = self.renderer.stack.len().checked_sub(count.into());
        Ok(self.renderer.stack.split_off(from.ok_or(Code::Syntax)?))
    }

    pub(super) fn slot(&self, name: u32) -> u32 {
        let frame = self.renderer.frames.last();
        let slot = frame.and_then(|frame| frame.slots.get(name as usize));
        slot.copied().unwrap_or(u32::MAX)
    }

    fn skip_if(&mut self, is: bool, to: u32) -> Result<Flow, Code> {
        let value = self.renderer.stack.last().ok_or(Code::Syntax)?;
        if value.is_truthy() == is {
            return Ok(Flow::Jump(to));
        }
        self.renderer.stack.pop();
        Ok(Flow::Next)
    }
}
