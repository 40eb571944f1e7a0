//! From the bytes of a page to a [`Template`]: tags become instructions, blocks become jumps.

mod blocks;

use std::collections::HashMap;
use std::sync::Arc;

use crate::expression;
use crate::fault::Code;
use crate::limits::{Limit, Limits};
use crate::program::{Op, Place, Region, Style, TagSource, Template};
use crate::scan::{Keyword, Scanner, Syntax, Tag};
use crate::value::Value;

/// A page is longer than [`Limits::page_bytes_max`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a page of {bytes} bytes is longer than the {bytes_max} bytes that a page with tags may have"
)]
pub struct PageTooLong {
    /// Its length.
    pub bytes: usize,
    /// What it may be.
    pub bytes_max: usize,
}

impl Template {
    /// Compiles a page. Tags that are wrong become their error texts.
    ///
    /// # Errors
    ///
    /// When the page is too long.
    pub fn compile(source: Vec<u8>, syntax: Syntax, limits: &Limits) -> Result<Self, PageTooLong> {
        let whole = 0..source.len();
        Self::compile_range(source, whole, syntax, limits)
    }

    /// Compiles a page as 4DINCLUDE inserts it: what is between `<body>` and `</body>`, or all of it.
    ///
    /// # Errors
    ///
    /// When the page is too long.
    pub fn compile_included(source: Vec<u8>, limits: &Limits) -> Result<Self, PageTooLong> {
        let body = body(&source);
        Self::compile_range(source, body, Syntax::All, limits)
    }

    fn compile_range(
        source: Vec<u8>,
        range: std::ops::Range<usize>,
        syntax: Syntax,
        limits: &Limits,
    ) -> Result<Self, PageTooLong> {
        let bytes_max = limits.page_bytes_max.min(u32::MAX as usize);
        if source.len() > bytes_max {
            return Err(PageTooLong {
                bytes: source.len(),
                bytes_max,
            });
        }
        let mut builder = Builder::new(limits);
        let page = source.get(..range.end).unwrap_or_default();
        let mut scanner = Scanner::new(page, range.start, syntax, limits.expression_bytes_max);
        let mut at = range.start;
        while let Some(tag) = scanner.next() {
            builder.raw(at, tag.start);
            at = tag.end;
            if !builder.tag(&tag) {
                builder.end_at_limit();
                at = range.end;
                break;
            }
        }
        for start in scanner.unended {
            let line = memchr::memchr(b'\n', page.get(start..).unwrap_or_default());
            let end = line.map_or(range.end, |length| start + length);
            let tag = builder.source(start, end, Style::Described);
            builder.wrong.push((tag, Code::Unended));
        }
        builder.raw(at, range.end);
        builder.close_down_to(0);
        builder.push(Op::End);
        Ok(builder.finish(source))
    }
}

/// The range between `<body ...>` and `</body>`, or the whole page.
fn body(page: &[u8]) -> std::ops::Range<usize> {
    let whole = 0..page.len();
    let starts = |at: usize, name: &[u8]| {
        let found = page.get(at..at + name.len());
        found.is_some_and(|found| found.eq_ignore_ascii_case(name))
    };
    let mut opened = None;
    for at in memchr::memchr_iter(b'<', page) {
        match opened {
            None if starts(at, b"<body") => {
                let after = page.get(at + 5).copied().unwrap_or_default();
                if after != b'>' && !after.is_ascii_whitespace() {
                    continue;
                }
                opened = memchr::memchr(b'>', page.get(at..).unwrap_or_default())
                    .map(|end| at + end + 1);
            }
            Some(start) if at >= start && starts(at, b"</body") => return start..at,
            _ => {}
        }
    }
    whole
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    If,
    Loop,
    Each,
}

impl Kind {
    fn opening(self) -> &'static str {
        match self {
            Self::If => "4DIF",
            Self::Loop => "4DLOOP",
            Self::Each => "4DEACH",
        }
    }

    fn closing(self) -> &'static str {
        match self {
            Self::If => "4DENDIF",
            Self::Loop => "4DENDLOOP",
            Self::Each => "4DENDEACH",
        }
    }
}

/// A block that is open.
struct Block {
    kind: Kind,
    tag: u32,
    /// Its first instruction and region.
    start: usize,
    first_region: usize,
    /// Where the next condition of a 4DIF is tried: set when it is known.
    otherwise: Option<usize>,
    has_else: bool,
    /// Jumps and loop instructions that go to its end.
    ends: Vec<usize>,
    /// Where a loop tries its condition again.
    test: u32,
    /// Regions that go on at its end.
    regions: Vec<usize>,
}

/// What a page is compiled into.
pub(crate) struct Builder<'l> {
    pub(crate) limits: &'l Limits,
    ops: Vec<Op>,
    constants: Vec<Value>,
    texts: HashMap<Arc<str>, u32>,
    places: Vec<Place>,
    names: Vec<(Arc<str>, Arc<str>)>,
    names_seen: HashMap<Arc<str>, u32>,
    tags: Vec<TagSource>,
    regions: Vec<Region>,
    wrong: Vec<(u32, Code)>,
    blocks: Vec<Block>,
}

/// Tables are pointed into by 32 bits. A page has fewer bytes than that, and each byte makes at most one entry.
fn index(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

impl<'l> Builder<'l> {
    fn new(limits: &'l Limits) -> Self {
        Self {
            limits,
            ops: Vec::new(),
            constants: Vec::new(),
            texts: HashMap::new(),
            places: Vec::new(),
            names: Vec::new(),
            names_seen: HashMap::new(),
            tags: Vec::new(),
            regions: Vec::new(),
            wrong: Vec::new(),
            blocks: Vec::new(),
        }
    }

    fn finish(self, source: Vec<u8>) -> Template {
        let mut template = Template {
            source: source.into_boxed_slice(),
            ops: self.ops,
            constants: self.constants,
            places: self.places,
            names: self.names,
            tags: self.tags,
            regions: self.regions,
            wrong: self.wrong,
        };
        template.ops.shrink_to_fit();
        template.constants.shrink_to_fit();
        template.regions.shrink_to_fit();
        template
    }

    /// Appends an instruction and returns where it is.
    pub(crate) fn push(&mut self, op: Op) -> usize {
        self.ops.push(op);
        self.ops.len() - 1
    }

    fn here(&self) -> u32 {
        index(self.ops.len())
    }

    /// Lets the jump at `at` go to what comes next.
    pub(crate) fn set_target(&mut self, at: usize) {
        let here = self.here();
        if let Some(
            Op::SkipIf { to: target, .. }
            | Op::Choose { otherwise: target }
            | Op::Jump(target)
            | Op::If { otherwise: target }
            | Op::LoopName { end: target, .. }
            | Op::LoopTest { end: target }
            | Op::EachOpen { end: target, .. },
        ) = self.ops.get_mut(at)
        {
            *target = here;
        }
    }

    pub(crate) fn constant(&mut self, value: Value) -> Result<u32, Code> {
        let new = index(self.constants.len());
        if let Value::Text(text) = &value {
            if let Some(known) = self.texts.get(text) {
                return Ok(*known);
            }
            self.texts.insert(Arc::clone(text), new);
        }
        self.constants.push(value);
        Ok(new)
    }

    /// The number of a variable's name. Names are compared without regard to case.
    pub(crate) fn name(&mut self, written: &str) -> Result<u32, Code> {
        let compared: Arc<str> = written.to_lowercase().into();
        if let Some(known) = self.names_seen.get(&compared) {
            return Ok(*known);
        }
        if self.names.len() >= self.limits.variables_max {
            return Err(Code::Limit(Limit::Variables(self.limits.variables_max)));
        }
        let new = index(self.names.len());
        self.names_seen.insert(Arc::clone(&compared), new);
        self.names.push((written.into(), compared));
        Ok(new)
    }

    pub(crate) fn place(&mut self, name: u32, members: Vec<Arc<str>>) -> Result<u32, Code> {
        let members = members.into_boxed_slice();
        self.places.push(Place { name, members });
        Ok(index(self.places.len() - 1))
    }

    fn source(&mut self, start: usize, end: usize, style: Style) -> u32 {
        let (start, end) = (index(start), index(end));
        self.tags.push(TagSource { start, end, style });
        index(self.tags.len() - 1)
    }

    fn raw(&mut self, start: usize, end: usize) {
        if start < end {
            self.push(Op::Raw {
                start: index(start),
                end: index(end),
            });
        }
    }

    /// How many loops are open.
    fn loops(&self) -> u32 {
        index(
            self.blocks
                .iter()
                .filter(|block| block.kind != Kind::If)
                .count(),
        )
    }

    /// The error text of `tag` in its place. Returns whether the page goes on.
    fn wrong(&mut self, tag: u32, code: Code) -> bool {
        self.wrong.push((tag, code));
        let wrong = index(self.wrong.len() - 1);
        self.push(Op::Wrong(wrong));
        !matches!(code, Code::Limit(_))
    }

    /// A limit was the last thing that was wrong: its error text ends the page, and blocks that are open are left out.
    fn end_at_limit(&mut self) {
        if let Some(outermost) = self.blocks.first() {
            self.ops.truncate(outermost.start);
            self.regions.truncate(outermost.first_region);
            self.blocks.clear();
        }
        let last = index(self.wrong.len().saturating_sub(1));
        self.push(Op::Wrong(last));
    }

    /// Notes that what was pushed since `start` belongs to `tag`, and goes on after it when it fails.
    fn region(&mut self, start: usize, tag: u32) -> usize {
        let (start, end) = (index(start), self.here());
        let loops = self.loops();
        self.regions.push(Region {
            start,
            end,
            tag,
            resume: end,
            loops,
        });
        self.regions.len() - 1
    }

    /// Compiles one tag. Returns false where the page ends with it.
    fn tag(&mut self, tag: &Tag<'_>) -> bool {
        let style = match tag.keyword {
            Keyword::Text | Keyword::Html | Keyword::Script => Style::Value,
            Keyword::Eval => Style::Eval,
            Keyword::If | Keyword::ElseIf => Style::Condition,
            Keyword::Include => Style::Include,
            Keyword::Code => Style::Code,
            _ => Style::Described,
        };
        let number = self.source(tag.start, tag.end, style);
        match tag.keyword {
            Keyword::Code => return self.wrong(number, Code::Unavailable),
            Keyword::Else => return self.else_(number),
            Keyword::EndIf => return self.close(Kind::If, number),
            Keyword::EndLoop => return self.close(Kind::Loop, number),
            Keyword::EndEach => return self.close(Kind::Each, number),
            _ => {}
        }
        let Ok(content) = std::str::from_utf8(tag.content) else {
            return self.failed_tag(tag.keyword, number, Code::NotText);
        };
        match tag.keyword {
            Keyword::If => self.open_if(number, content),
            Keyword::ElseIf => self.else_if(number, content),
            Keyword::Loop => self.open_loop(number, content),
            Keyword::Each => self.open_each(number, content),
            keyword => self.single(keyword, number, content, !tag.is_dollar),
        }
    }

    /// A tag that stands for itself. What it inserts is looked through for tags if `is_recursive`.
    fn single(&mut self, keyword: Keyword, tag: u32, content: &str, is_recursive: bool) -> bool {
        let start = self.ops.len();
        let done = match keyword {
            Keyword::Text => expression::value(content, self).map(|()| self.insert_text(start)),
            Keyword::Html => expression::value(content, self).map(|()| {
                self.push(Op::Html { is_recursive });
            }),
            Keyword::Eval => expression::statement(content, self).map(|has_value| {
                if has_value {
                    self.push(Op::Html { is_recursive });
                }
            }),
            Keyword::Script => self.script(content),
            Keyword::Include => self.constant(Value::from(content)).map(|path| {
                self.push(Op::Include(path));
            }),
            _ => self.constant(Value::from(content)).map(|folder| {
                self.push(Op::Base(folder));
            }),
        };
        match done {
            Ok(()) => {
                self.region(start, tag);
                true
            }
            Err(code) => {
                self.ops.truncate(start);
                self.wrong(tag, code)
            }
        }
    }

    fn insert_text(&mut self, start: usize) {
        match self.ops.get(start..) {
            Some([Op::Load(place)]) => {
                let place = *place;
                self.ops.truncate(start);
                self.push(Op::TextOf(place));
            }
            _ => {
                self.push(Op::Text);
            }
        }
    }

    /// `/method/parameter`: the parameter keeps its slash.
    fn script(&mut self, content: &str) -> Result<(), Code> {
        let path = content.strip_prefix('/').ok_or(Code::Syntax)?;
        let (method, parameter) = match path.find('/') {
            Some(at) => path.split_at_checked(at).ok_or(Code::Syntax)?,
            None => (path, ""),
        };
        let method = method.trim();
        if method.is_empty() {
            return Err(Code::Empty);
        }
        let method = self.constant(Value::from(method))?;
        let parameter = self.constant(Value::from(parameter))?;
        self.push(Op::Script { method, parameter });
        Ok(())
    }
}
