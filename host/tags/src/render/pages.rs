//! Pages inside pages, bases, and what happens where a tag is wrong.

use std::sync::Arc;

use super::machine::{Flow, Machine};
use super::{Context, Frame, Pending, Sink, Step};
use crate::fault::Code;
use crate::limits::Limit;
use crate::path;
use crate::program::Template;
use crate::scan::{Syntax, has_tags};
use crate::value::Value;

/// So many bytes are looked through for tags in about the time of an instruction.
const BYTES_PER_WORK: usize = 32;
/// In place of a path, it brings back the folder of the page.
const OWN_FOLDER: &str = "WEBFOLDER";

impl<C: Context + ?Sized, S: Sink + ?Sized> Machine<'_, C, S> {
    /// A value as it is. Its tags are carried out in its place, if it has some.
    pub(super) fn html(&mut self, value: &Value, is_recursive: bool) -> Result<Flow, Code> {
        if let Value::Text(text) = value
            && is_recursive
        {
            self.charge(u64::try_from(text.len() / BYTES_PER_WORK).unwrap_or(u64::MAX))?;
            if has_tags(text.as_bytes(), Syntax::Comments) {
                return self.enter_text(text);
            }
        }
        self.renderer.output.plain(value, self.sink)?;
        Ok(Flow::Sent)
    }

    fn enter_text(&mut self, text: &str) -> Result<Flow, Code> {
        self.has_room()?;
        let source = text.as_bytes().to_vec();
        let bytes = u64::try_from(source.len()).unwrap_or(u64::MAX);
        let compiled = Template::compile(source, Syntax::Comments, &self.renderer.limits);
        let texts_max = self.renderer.limits.texts_bytes_max;
        let template = compiled.map_err(|_| Code::Limit(Limit::Texts(texts_max)))?;
        self.charge(bytes)?;
        let frame = self.renderer.frames.last();
        let (page, base) = match frame {
            Some(frame) => (Arc::clone(&frame.page), frame.base.clone()),
            None => (Arc::from(""), None),
        };
        self.enter(Arc::new(template), page, base)
    }

    pub(super) fn enter_included(
        &mut self,
        template: Arc<Template>,
        page: Arc<str>,
    ) -> Result<Flow, Code> {
        self.enter(template, page, None)
    }

    fn has_room(&self) -> Result<(), Code> {
        let nesting_max = self.renderer.limits.nesting_max;
        // The first page is in no other.
        match self.renderer.frames.len() <= nesting_max {
            true => Ok(()),
            false => Err(Code::Limit(Limit::Nesting(nesting_max))),
        }
    }

    fn enter(
        &mut self,
        template: Arc<Template>,
        page: Arc<str>,
        base: Option<Arc<str>>,
    ) -> Result<Flow, Code> {
        self.charge(u64::try_from(template.names.len()).unwrap_or(u64::MAX))?;
        let variables_max = self.renderer.limits.variables_max;
        let slots = self.renderer.variables.slots(&template, variables_max)?;
        let loops = self.renderer.loops.len();
        self.renderer.frames.push(Frame {
            template,
            pc: 0,
            slots,
            page,
            base,
            loops,
        });
        Ok(Flow::Frame)
    }

    pub(super) fn include(&mut self, template: &Template, path: u32) -> Result<Flow, Code> {
        let path = template.text(path)?;
        let frame = self.renderer.frames.last().ok_or(Code::Document)?;
        let path =
            path::included(&frame.page, frame.base.as_deref(), path).ok_or(Code::Document)?;
        let mut frames = self.renderer.frames.iter();
        if frames.any(|frame| *frame.page == *path) {
            return Err(Code::Document);
        }
        self.has_room()?;
        let includes_max = self.renderer.limits.includes_max;
        if self.renderer.counters.includes >= includes_max {
            return Err(Code::Limit(Limit::Includes(includes_max)));
        }
        self.renderer.counters.includes += 1;
        self.renderer.pending = Some(Pending::Include(path.as_str().into()));
        Ok(Flow::Leave(Step::Include { path }))
    }

    pub(super) fn base(&mut self, template: &Template, folder: u32) -> Result<(), Code> {
        let folder = template.text(folder)?;
        let frame = self.renderer.frames.last_mut().ok_or(Code::Base)?;
        frame.base = match folder.eq_ignore_ascii_case(OWN_FOLDER) {
            true => None,
            false => Some(path::base(&frame.page, folder).ok_or(Code::Base)?.into()),
        };
        Ok(())
    }

    /// The end of the page on top.
    pub(super) fn end(&mut self) -> Flow {
        if let Some(frame) = self.renderer.frames.pop() {
            self.drop_loops(frame.loops);
        }
        Flow::Frame
    }

    /// What was wrong with a tag already when its page was compiled.
    pub(super) fn wrong(&mut self, template: &Template, wrong: u32) -> Result<Flow, Code> {
        let Some((tag, code)) = template.wrong.get(wrong as usize) else {
            return Ok(Flow::Next);
        };
        self.tell(template, *tag, *code)?;
        if matches!(code, Code::Limit(_)) {
            self.finish();
            return Ok(Flow::Frame);
        }
        Ok(Flow::Sent)
    }

    /// Puts an error text in the tag's place, and the fault among those for the log.
    fn tell(&mut self, template: &Template, tag: u32, code: Code) -> Result<(), Code> {
        let page = self
            .renderer
            .frames
            .last()
            .map(|frame| Arc::clone(&frame.page));
        self.renderer
            .note(template, &page.unwrap_or_else(|| "".into()), tag, code);
        let text = template.error_text(tag, code);
        self.renderer.output.error(&text, self.sink)
    }

    /// The instruction at `pc` failed. Returns where the page goes on; nothing if it ends.
    pub(super) fn fail(&mut self, template: &Template, pc: u32, code: Code) -> Option<u32> {
        let region = template.region(pc);
        let told = match region {
            Some(region) => self.tell(template, region.tag, code),
            // Only limits fail what is no tag.
            None => self.tell(template, u32::MAX, code),
        };
        let exceeded = match (code, told) {
            (Code::Limit(_), _) => true,
            (_, Err(limit)) => {
                let _ = self.tell(template, u32::MAX, limit);
                true
            }
            _ => false,
        };
        let (false, Some(region)) = (exceeded, region) else {
            self.finish();
            return None;
        };
        let outer = self.renderer.frames.last().map_or(0, |frame| frame.loops);
        self.drop_loops(outer + region.loops as usize);
        self.renderer.stack.clear();
        Some(region.resume)
    }

    /// Ends the rendering.
    fn finish(&mut self) {
        self.renderer.frames.clear();
        self.renderer.loops.clear();
        self.renderer.stack.clear();
        self.renderer.pending = None;
    }
}
