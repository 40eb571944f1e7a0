//! The kinds of values: what each accepts, what it becomes, how it is described.

use serde_json::{Value as Json, json};

use super::file::Loose;

pub(in crate::settings) mod authentication;
pub(in crate::settings) mod cookie;
pub(in crate::settings) mod cors;
pub(in crate::settings) mod endpoint;
pub(in crate::settings) mod file;
pub(in crate::settings) mod folder;
pub(in crate::settings) mod grants;
pub(in crate::settings) mod handlers;
pub(in crate::settings) mod hosts;
pub(in crate::settings) mod logs;
pub(in crate::settings) mod network;
pub(in crate::settings) mod probe;
pub(in crate::settings) mod quantity;
pub(in crate::settings) mod response;
pub(in crate::settings) mod rules;
pub(in crate::settings) mod sessions;
pub(in crate::settings) mod text;
pub(in crate::settings) mod tls;
pub(in crate::settings) mod traces;

/// A kind of value.
pub(in crate::settings) trait Kind: Sync {
    /// The strict value.
    type Value;
    /// The type in the reference page.
    const TYPE: &'static str;
    /// What must stand before [`Kind::allowed`] when the type is wrong: "a whole number".
    const NOUN: &'static str = "";
    const IS_TEXT: bool = false;
    const IS_SECRET: bool = false;

    fn read(&self, loose: &Loose) -> Result<Self::Value, Refusal>;
    /// Completes "must be …".
    fn allowed(&self) -> String;
    fn default_text(&self) -> String;
    /// The value as it is shown.
    fn json(&self, value: &Self::Value) -> Json;
    /// What is accepted, as JSON Schema (2020-12), with the default if there is one.
    fn schema(&self) -> Json;
}

/// A kind that has a value when nothing is written.
pub(in crate::settings) trait Preset: Kind {
    fn preset(&self) -> Self::Value;
}

/// Why a value is refused.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::settings) enum Refusal {
    /// Of a wrong type.
    Type,
    /// Of the right type, but not allowed.
    Value,
    /// For a reason that needs words of its own.
    Because(String),
}

impl Loose {
    /// Takes a text, for the kinds that are one.
    pub(in crate::settings) fn text(&self) -> Result<&str, Refusal> {
        match self {
            Self::Text(text) => Ok(text),
            _ => Err(Refusal::Type),
        }
    }
}

/// `true` or `false`.
#[derive(Debug)]
pub(in crate::settings) struct Flag {
    pub(in crate::settings) default: bool,
}

impl Kind for Flag {
    type Value = bool;
    const TYPE: &'static str = "boolean";

    fn read(&self, loose: &Loose) -> Result<bool, Refusal> {
        match loose {
            Loose::Boolean(flag) => Ok(*flag),
            _ => Err(Refusal::Type),
        }
    }

    fn allowed(&self) -> String {
        "true or false".to_owned()
    }

    fn default_text(&self) -> String {
        self.default.to_string()
    }

    fn json(&self, value: &bool) -> Json {
        (*value).into()
    }

    fn schema(&self) -> Json {
        json!({"type": "boolean", "default": self.default})
    }
}

impl Preset for Flag {
    fn preset(&self) -> bool {
        self.default
    }
}

/// `true` or `false`; what holds when neither is written depends on the site.
#[derive(Debug)]
pub(in crate::settings) struct OpenFlag {
    pub(in crate::settings) default: &'static str,
}

impl Kind for OpenFlag {
    type Value = bool;
    const TYPE: &'static str = Flag::TYPE;

    fn read(&self, loose: &Loose) -> Result<bool, Refusal> {
        Flag { default: false }.read(loose)
    }

    fn allowed(&self) -> String {
        Flag { default: false }.allowed()
    }

    fn default_text(&self) -> String {
        self.default.to_owned()
    }

    fn json(&self, value: &bool) -> Json {
        (*value).into()
    }

    fn schema(&self) -> Json {
        json!({"type": "boolean"})
    }
}

/// One of a few words; the first is the default.
#[derive(Debug)]
pub(in crate::settings) struct Choice<T: 'static> {
    pub(in crate::settings) default: (&'static str, T),
    pub(in crate::settings) others: &'static [(&'static str, T)],
}

impl<T: Copy + PartialEq + Sync> Choice<T> {
    fn options(&self) -> impl Iterator<Item = &(&'static str, T)> {
        std::iter::once(&self.default).chain(self.others)
    }
}

impl<T: Copy + PartialEq + Sync> Kind for Choice<T> {
    type Value = T;
    const TYPE: &'static str = "text";
    const IS_TEXT: bool = true;

    fn read(&self, loose: &Loose) -> Result<T, Refusal> {
        let text = loose.text()?;
        let option = self.options().find(|(word, _)| *word == text);
        option.map(|(_, value)| *value).ok_or(Refusal::Value)
    }

    fn allowed(&self) -> String {
        let words: Vec<String> = self
            .options()
            .map(|(word, _)| format!("\"{word}\""))
            .collect();
        words.join(" or ")
    }

    fn default_text(&self) -> String {
        format!("\"{}\"", self.default.0)
    }

    fn json(&self, value: &T) -> Json {
        self.options()
            .find(|(_, option)| option == value)
            .map_or("", |(word, _)| *word)
            .into()
    }

    fn schema(&self) -> Json {
        let words: Vec<_> = self.options().map(|(word, _)| *word).collect();
        json!({"enum": words, "default": self.default.0})
    }
}

impl<T: Copy + PartialEq + Sync> Preset for Choice<T> {
    fn preset(&self) -> T {
        self.default.1
    }
}
