//! Process variables: what a template's tags see.
//!
//! They live as long as the web process; with the pool policy `session`, as long as the session.

use std::fmt;

use crate::host::variables as host;
use crate::types::Value;

/// Why a variable could not be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VariableError {
    /// The name is not one: letters, digits and `_`, not starting with a digit, at most 255 characters.
    InvalidName,
    /// A [`Value::Json`] that does not parse.
    InvalidValue(String),
    /// The variables of this web process would hold more than its limit allows.
    TooLarge,
}

impl fmt::Display for VariableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidName => f.write_str("not the name of a process variable"),
            Self::InvalidValue(why) => write!(f, "not JSON: {why}"),
            Self::TooLarge => f.write_str("the process variables are larger than their limit"),
        }
    }
}

impl std::error::Error for VariableError {}

/// The value of a variable, by its name regardless of case; [`Value::Null`] if it was never set.
pub fn get(name: &str) -> Value {
    host::get(name)
}

/// Sets a variable; [`Value::Null`] removes it.
pub fn set(name: &str, value: impl Into<Value>) -> Result<(), VariableError> {
    host::set(name, &value.into())
}

/// Sets a variable to anything that serde can write: a list or an object as [`Value::Json`], other values as their own kind.
#[cfg(feature = "json")]
pub fn set_json(name: &str, value: &(impl serde::Serialize + ?Sized)) -> Result<(), crate::Error> {
    let text = serde_json::to_string(value)?;
    let value = match text.as_bytes().first() {
        // The commonest are spared a tree of values.
        Some(b'[' | b'{') => Value::Json(text),
        _ => serde_json::from_str::<serde_json::Value>(&text)?.into(),
    };
    Ok(set(name, value)?)
}
