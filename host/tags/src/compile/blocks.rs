//! Blocks of a page that is compiled: 4DIF, 4DLOOP and 4DEACH, and what happens to those that nothing closes.

use super::{Block, Builder, Kind};
use crate::expression;
use crate::fault::Code;
use crate::limits::Limit;
use crate::program::Op;
use crate::scan::Keyword;

impl Builder<'_> {
    /// Opens a block whose instructions start at `start`.
    fn open(&mut self, kind: Kind, tag: u32, start: usize) {
        self.blocks.push(Block {
            kind,
            tag,
            start,
            first_region: self.regions.len(),
            otherwise: None,
            has_else: false,
            ends: Vec::new(),
            test: 0,
            regions: Vec::new(),
        });
    }

    /// Whether one more block may be opened.
    fn has_room(&self) -> Result<(), Code> {
        let blocks_max = self.limits.blocks_max;
        match self.blocks.len() < blocks_max {
            true => Ok(()),
            false => Err(Code::Limit(Limit::Blocks(blocks_max))),
        }
    }

    /// A tag that cannot be read. One that opens a block opens it, so that what closes it belongs to it.
    pub(super) fn failed_tag(&mut self, keyword: Keyword, tag: u32, code: Code) -> bool {
        let kind = match keyword {
            Keyword::If => Kind::If,
            Keyword::Loop => Kind::Loop,
            Keyword::Each => Kind::Each,
            Keyword::ElseIf => return self.else_if_failed(tag, code),
            _ => return self.wrong(tag, code),
        };
        if let Err(limit) = self.has_room() {
            return self.wrong(tag, limit);
        }
        let start = self.ops.len();
        self.open(kind, tag, start);
        let goes_on = self.wrong(tag, code);
        let jump = self.push(Op::Jump(0));
        if let Some(block) = self.blocks.last_mut() {
            block.ends.push(jump);
        }
        goes_on
    }

    pub(super) fn open_if(&mut self, tag: u32, content: &str) -> bool {
        if let Err(limit) = self.has_room() {
            return self.wrong(tag, limit);
        }
        let start = self.ops.len();
        if let Err(code) = expression::value(content, self) {
            self.ops.truncate(start);
            return self.failed_tag(Keyword::If, tag, code);
        }
        self.open(Kind::If, tag, start);
        self.condition(tag, start);
        true
    }

    /// The end of a condition whose instructions start at `start`, in the block on top.
    fn condition(&mut self, tag: u32, start: usize) {
        let test = self.push(Op::If { otherwise: 0 });
        let region = self.region(start, tag);
        if let Some(block) = self.blocks.last_mut() {
            block.otherwise = Some(test);
            block.regions.push(region);
        }
    }

    /// Ends one branch of the 4DIF on top, so that the next one starts here. False where there is no 4DIF, or its last branch
    /// has begun.
    fn end_branch(&mut self) -> bool {
        let Some(at) = self.blocks.iter().rposition(|block| block.kind == Kind::If) else {
            return false;
        };
        if self.blocks.get(at).is_some_and(|block| block.has_else) {
            return false;
        }
        self.close_down_to(at + 1);
        let jump = self.push(Op::Jump(0));
        let otherwise = self.blocks.last_mut().and_then(|block| {
            block.ends.push(jump);
            block.otherwise.take()
        });
        if let Some(otherwise) = otherwise {
            self.set_target(otherwise);
        }
        true
    }

    pub(super) fn else_(&mut self, tag: u32) -> bool {
        if !self.end_branch() {
            return self.wrong(tag, Code::Unopened(Kind::If.opening()));
        }
        if let Some(block) = self.blocks.last_mut() {
            block.has_else = true;
        }
        true
    }

    pub(super) fn else_if(&mut self, tag: u32, content: &str) -> bool {
        if !self.end_branch() {
            return self.wrong(tag, Code::Unopened(Kind::If.opening()));
        }
        let start = self.ops.len();
        match expression::value(content, self) {
            Ok(()) => {
                self.condition(tag, start);
                true
            }
            Err(code) => {
                self.ops.truncate(start);
                self.end_in_error(tag, code)
            }
        }
    }

    fn else_if_failed(&mut self, tag: u32, code: Code) -> bool {
        match self.end_branch() {
            true => self.end_in_error(tag, code),
            false => self.wrong(tag, code),
        }
    }

    /// An error text, after which the block on top ends.
    fn end_in_error(&mut self, tag: u32, code: Code) -> bool {
        let goes_on = self.wrong(tag, code);
        let jump = self.push(Op::Jump(0));
        if let Some(block) = self.blocks.last_mut() {
            block.ends.push(jump);
        }
        goes_on
    }

    pub(super) fn open_loop(&mut self, tag: u32, content: &str) -> bool {
        if let Err(limit) = self.has_room() {
            return self.wrong(tag, limit);
        }
        let start = self.push(Op::LoopOpen);
        let test = self.here();
        let compiled = match expression::single_name(content, self) {
            Ok(Some(place)) => Ok(Op::LoopName { place, end: 0 }),
            Ok(None) => expression::value(content, self).map(|()| Op::LoopTest { end: 0 }),
            Err(code) => Err(code),
        };
        let op = match compiled {
            Ok(op) => op,
            Err(code) => {
                self.ops.truncate(start);
                return self.failed_tag(Keyword::Loop, tag, code);
            }
        };
        let tested = self.push(op);
        self.open_round(Kind::Loop, tag, start, tested);
        if let Some(block) = self.blocks.last_mut() {
            block.test = test;
        }
        true
    }

    /// `item in expression`.
    pub(super) fn open_each(&mut self, tag: u32, content: &str) -> bool {
        if let Err(limit) = self.has_room() {
            return self.wrong(tag, limit);
        }
        let start = self.ops.len();
        match self.each(content) {
            Ok(name) => {
                let opened = self.push(Op::EachOpen { name, end: 0 });
                self.open_round(Kind::Each, tag, start, opened);
                true
            }
            Err(code) => {
                self.ops.truncate(start);
                self.failed_tag(Keyword::Each, tag, code)
            }
        }
    }

    fn each(&mut self, content: &str) -> Result<u32, Code> {
        let mut words = content.split_ascii_whitespace();
        let name = words.next().ok_or(Code::Empty)?;
        let is_in = words
            .next()
            .is_some_and(|word| word.eq_ignore_ascii_case("in"));
        let rest = content.get(name.len()..).unwrap_or_default().trim_start();
        let rest = rest
            .get(b"in".len()..)
            .filter(|_| is_in)
            .ok_or(Code::Syntax)?;
        let place = expression::single_name(name, self)?.ok_or(Code::Syntax)?;
        expression::value(rest, self)?;
        self.places
            .get(place as usize)
            .map(|place| place.name)
            .ok_or(Code::Syntax)
    }

    /// Opens a loop block; `tested` is the instruction that leaves it for its end.
    fn open_round(&mut self, kind: Kind, tag: u32, start: usize, tested: usize) {
        let region = self.region(start, tag);
        self.open(kind, tag, start);
        if let Some(block) = self.blocks.last_mut() {
            // The loop's own region belongs to what is dropped when nothing closes it.
            block.first_region = region;
            block.regions.push(region);
            block.ends.push(tested);
        }
    }

    pub(super) fn close(&mut self, kind: Kind, tag: u32) -> bool {
        let Some(at) = self.blocks.iter().rposition(|block| block.kind == kind) else {
            return self.wrong(tag, Code::Unopened(kind.opening()));
        };
        self.close_down_to(at + 1);
        let Some(block) = self.blocks.pop() else {
            return true;
        };
        let next = self.ops.len();
        let mut regions = block.regions;
        match kind {
            Kind::If => {}
            // A loop whose tag is wrong has no region, and no rounds.
            _ if regions.is_empty() => {}
            Kind::Loop => {
                self.push(Op::LoopNext { test: block.test });
                regions.push(self.region(next, block.tag));
            }
            Kind::Each => {
                self.push(Op::EachNext);
                regions.push(self.region(next, block.tag));
            }
        }
        for at in block.ends.into_iter().chain(block.otherwise) {
            self.set_target(at);
        }
        let here = self.here();
        for region in regions {
            if let Some(region) = self.regions.get_mut(region) {
                region.resume = here;
            }
        }
        true
    }

    /// Ends the blocks that are still open above `count`: the error text of the outermost of them stands for all that is in it.
    pub(super) fn close_down_to(&mut self, count: usize) {
        while self.blocks.len() > count {
            let Some(block) = self.blocks.pop() else {
                return;
            };
            self.ops.truncate(block.start);
            self.regions.truncate(block.first_region);
            self.wrong(block.tag, Code::Unclosed(block.kind.closing()));
        }
    }
}
