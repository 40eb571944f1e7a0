//! What is wrong with a tag: the text in its place on the page, and the record for the log.

use std::fmt;
use std::sync::Arc;

use crate::limits::Limit;

/// What is wrong with a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Code {
    /// The expression cannot be read.
    #[error("Syntax error")]
    Syntax,
    /// A value was expected where the tag has none.
    #[error("An expression was expected")]
    Empty,
    /// Neither a variable nor a method has this name.
    #[error("The variable is not defined")]
    Undefined,
    /// The component has no such method.
    #[error("The method does not exist")]
    NoMethod,
    /// The method may not be called from tags.
    #[error("Access error")]
    Denied,
    /// The method was called and failed.
    #[error("The method failed")]
    CallFailed,
    /// An operator or a command does not take values of these kinds.
    #[error("Argument types are incompatible")]
    Types,
    /// A command was given too few or too many values.
    #[error("Wrong number of parameters")]
    Parameters,
    /// An element that the array does not have.
    #[error("The index is out of range")]
    Range,
    /// A division by zero, or a result too large.
    #[error("The result is not a number")]
    NotANumber,
    /// Database tables, fields and entities.
    #[error("Incorrect table name")]
    Table,
    /// A part of the language that this server does not have.
    #[error("Not available on this server")]
    Unavailable,
    /// Bytes in a tag that are not UTF-8.
    #[error("The tag is not valid text")]
    NotText,
    /// A condition that is neither true nor false.
    #[error("A Boolean expression was expected")]
    NotBoolean,
    /// A loop over what cannot be looped over.
    #[error("Unexpected expression type")]
    NotALoop,
    /// Items of one collection are of different kinds.
    #[error("Items of different types")]
    Mixed,
    /// An included page is not there, may not be read, or includes itself.
    #[error("The document cannot be opened")]
    Document,
    /// A base that is no folder of the site.
    #[error("A folder below the web folder was expected, with / at its end")]
    Base,
    /// A block is not closed.
    #[error("{0} expected")]
    Unclosed(&'static str),
    /// A tag belongs to a block that was not opened.
    #[error("{0} expected before it")]
    Unopened(&'static str),
    /// No `-->` ends the tag.
    #[error("--> expected")]
    Unended,
    /// What a page may take at most. The page ends there.
    #[error("{0}")]
    Limit(Limit),
}

impl Code {
    /// Its number in `## error # number`.
    pub fn number(self) -> u32 {
        match self {
            Self::Syntax => 1,
            Self::Empty => 2,
            Self::Undefined => 3,
            Self::NoMethod => 4,
            Self::Denied => 5,
            Self::CallFailed => 6,
            Self::Types => 7,
            Self::Parameters => 8,
            Self::Range => 9,
            Self::NotANumber => 10,
            Self::Table => 11,
            Self::Unavailable => 12,
            Self::NotText => 13,
            Self::NotBoolean => 14,
            Self::NotALoop => 15,
            Self::Mixed => 16,
            Self::Document => 17,
            Self::Base => 18,
            Self::Unclosed(_) => 19,
            Self::Unopened(_) => 20,
            Self::Unended => 21,
            Self::Limit(_) => 22,
        }
    }
}

/// Something that was wrong on a page: for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The page, relative to the web folder.
    pub page: Arc<str>,
    /// From 1.
    pub line: usize,
    /// From 1, in bytes.
    pub column: usize,
    /// The tag as it is written, shortened where it is long.
    pub tag: String,
    /// What is wrong with it.
    pub code: Code,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            page,
            line,
            column,
            tag,
            code,
        } = self;
        write!(formatter, "{page}:{line}:{column}: {tag}: {code}")
    }
}
