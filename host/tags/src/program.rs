//! A compiled page: one flat list of instructions, and the tables that they point into.

use std::sync::Arc;

use crate::builtin::Builtin;
use crate::fault::{Code, Fault};
use crate::operate::Operator;
use crate::value::Value;

/// An instruction. Numbers point into the tables of the [`Template`]; targets are instructions.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Op {
    /// Bytes of the page as they are.
    Raw {
        start: u32,
        end: u32,
    },

    /// Puts a constant on the stack.
    Constant(u32),
    /// Puts a variable, or a property of it, on the stack.
    Load(u32),
    /// The same, inside `{}`: an array stands for the number of its current element.
    LoadIndex(u32),
    /// Takes a value into a variable.
    Assign(u32),
    /// A property of the value on top.
    Member(u32),
    /// `[ ]`: an item, counted from 0, or a property by name.
    Item,
    /// `{ }`: an element, counted from 1.
    Element,
    Negate,
    Binary(Operator),
    /// Whether the text on top is like a literal with `@` in it.
    Like {
        pattern: u32,
        is_negated: bool,
    },
    Builtin {
        which: Builtin,
        count: u16,
    },
    Call {
        name: u32,
        count: u16,
    },
    /// Goes on there, with the value, if it is truthy (`||`) or not (`&&`); else without it.
    SkipIf {
        is: bool,
        to: u32,
    },
    /// Takes the condition of `? :`.
    Choose {
        otherwise: u32,
    },
    Jump(u32),

    /// Inserts the value on top, escaped.
    Text,
    /// Inserts a variable, or a property of it, escaped.
    TextOf(u32),
    /// Inserts the value on top as it is, with its tags carried out if it has some.
    Html {
        is_recursive: bool,
    },
    Script {
        method: u32,
        parameter: u32,
    },
    If {
        otherwise: u32,
    },
    LoopOpen,
    /// Finds out what the name of a 4DLOOP is.
    LoopName {
        place: u32,
        end: u32,
    },
    LoopTest {
        end: u32,
    },
    LoopNext {
        test: u32,
    },
    EachOpen {
        name: u32,
        end: u32,
    },
    EachNext,
    Include(u32),
    Base(u32),
    /// What was wrong when the page was compiled.
    Wrong(u32),
    End,
}

/// A variable, or a property of it.
#[derive(Debug)]
pub(crate) struct Place {
    /// In [`Template::names`].
    pub(crate) name: u32,
    pub(crate) members: Box<[Arc<str>]>,
}

/// A tag, for its error texts.
#[derive(Debug)]
pub(crate) struct TagSource {
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) style: Style,
}

/// How the error text of a tag is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// `tag : ## error # 1`.
    Value,
    /// `tag: ## error # 1`.
    Eval,
    /// `tag: A Boolean expression was expected`.
    Condition,
    /// `tag: description`.
    Described,
    /// `tag :The document cannot be opened`.
    Include,
    /// Like [`Style::Value`], without the tag's content.
    Code,
}

/// The instructions of one tag: where to go on when they fail.
#[derive(Debug)]
pub(crate) struct Region {
    /// Its first instruction, and the one after its last.
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) tag: u32,
    /// Where the page goes on.
    pub(crate) resume: u32,
    /// How many loops of this page are open there.
    pub(crate) loops: u32,
}

/// A page, compiled. It never changes, so that any number of renderings can use it at the same time.
#[derive(Debug)]
pub struct Template {
    pub(crate) source: Box<[u8]>,
    pub(crate) ops: Vec<Op>,
    pub(crate) constants: Vec<Value>,
    pub(crate) places: Vec<Place>,
    /// Names of variables as they are first written, and as they are compared.
    pub(crate) names: Vec<(Arc<str>, Arc<str>)>,
    pub(crate) tags: Vec<TagSource>,
    /// In the order of their instructions.
    pub(crate) regions: Vec<Region>,
    /// For [`Op::Wrong`].
    pub(crate) wrong: Vec<(u32, Code)>,
}

/// Longer tags are shortened in error texts.
const TAG_SHOWN_BYTES_MAX: usize = 512;

impl Template {
    /// Whether the page has no tags, so that it is sent as it is.
    pub fn is_plain(&self) -> bool {
        self.ops
            .iter()
            .all(|op| matches!(op, Op::Raw { .. } | Op::End))
    }

    /// The page as it was before it was compiled.
    pub fn source(&self) -> &[u8] {
        &self.source
    }

    /// About how much memory it takes, in bytes.
    pub fn weight(&self) -> usize {
        self.source.len()
            + self.ops.len() * size_of::<Op>()
            + self.constants.len() * (size_of::<Value>() + 32)
            + self.places.len() * (size_of::<Place>() + 32)
            + self.names.len() * 96
            + self.tags.len() * size_of::<TagSource>()
            + self.regions.len() * size_of::<Region>()
            + 256
    }

    /// What was wrong with the page when it was compiled; `page` is how the records call it.
    pub fn faults(&self, page: &str) -> Vec<Fault> {
        let page: Arc<str> = page.into();
        let wrong = self.wrong.iter();
        wrong
            .map(|(tag, code)| self.fault(*tag, *code, &page))
            .collect()
    }

    pub(crate) fn fault(&self, tag: u32, code: Code, page: &Arc<str>) -> Fault {
        let start = self
            .tags
            .get(tag as usize)
            .map_or(0, |tag| tag.start as usize);
        let before = self.source.get(..start).unwrap_or_default();
        let line_start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
        Fault {
            page: Arc::clone(page),
            line: memchr::memchr_iter(b'\n', before).count() + 1,
            column: before.len() - line_start + 1,
            tag: String::from_utf8_lossy(&self.shown(tag)).into_owned(),
            code,
        }
    }

    /// The tag as it is written, shortened where it is long.
    fn shown(&self, tag: u32) -> Vec<u8> {
        let Some(tag) = self.tags.get(tag as usize) else {
            return Vec::new();
        };
        let source = self.source.get(tag.start as usize..tag.end as usize);
        let source = source.unwrap_or_default();
        if tag.style != Style::Code && source.len() <= TAG_SHOWN_BYTES_MAX {
            return source.to_vec();
        }
        let is_word = |byte: &u8| !byte.is_ascii_whitespace() && *byte != b'(' && *byte != b'/';
        let word: Vec<u8> = source
            .iter()
            .copied()
            .take(24)
            .take_while(is_word)
            .collect();
        match word.starts_with(b"$") {
            true => [&word, &b"(...)"[..]].concat(),
            false => [&word, &b" ...-->"[..]].concat(),
        }
    }

    /// The text that stands in the tag's place.
    pub(crate) fn error_text(&self, tag: u32, code: Code) -> Vec<u8> {
        let style = self
            .tags
            .get(tag as usize)
            .map_or(Style::Described, |tag| tag.style);
        let number = code.number();
        let said = match (style, code) {
            (_, Code::Limit(_) | Code::Unclosed(_) | Code::Unopened(_)) => format!(": {code}"),
            (Style::Value | Style::Code, _) => format!(" : ## error # {number}"),
            (Style::Eval, _) => format!(": ## error # {number}"),
            (Style::Condition, _) => format!(": {}", Code::NotBoolean),
            (Style::Described, _) => format!(": {code}"),
            (Style::Include, _) => format!(" :{}", Code::Document),
        };
        let mut text = self.shown(tag);
        text.extend_from_slice(said.as_bytes());
        text
    }

    /// The region of the instruction at `pc`.
    pub(crate) fn region(&self, pc: u32) -> Option<&Region> {
        let after = self.regions.partition_point(|region| region.start <= pc);
        self.regions
            .get(after.checked_sub(1)?)
            .filter(|region| pc < region.end)
    }

    pub(crate) fn place(&self, place: u32) -> Result<&Place, Code> {
        self.places.get(place as usize).ok_or(Code::Syntax)
    }

    pub(crate) fn name(&self, name: u32) -> Result<&Arc<str>, Code> {
        let names = self.names.get(name as usize);
        names.map(|(written, _)| written).ok_or(Code::Syntax)
    }

    pub(crate) fn constant(&self, constant: u32) -> Result<&Value, Code> {
        self.constants.get(constant as usize).ok_or(Code::Syntax)
    }

    pub(crate) fn text(&self, constant: u32) -> Result<&Arc<str>, Code> {
        match self.constant(constant)? {
            Value::Text(text) => Ok(text),
            _ => Err(Code::Syntax),
        }
    }
}
