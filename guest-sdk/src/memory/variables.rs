//! `variables`, in memory.

use std::collections::BTreeMap;

use super::current;
use crate::types::Value;
use crate::variables::VariableError;

/// The process variables of an exchange, by their names in lower case.
pub(crate) type Variables = BTreeMap<String, Value>;

pub(crate) fn get(name: &str) -> Value {
    current(|exchange| exchange.variables.get(&name.to_lowercase()).cloned()).unwrap_or_default()
}

pub(crate) fn set(name: &str, value: &Value) -> Result<(), VariableError> {
    let starts = |first: char| first.is_alphabetic() || first == '_';
    let goes_on = |next: char| next.is_alphanumeric() || next == '_';
    if !name.starts_with(starts) || !name.chars().all(goes_on) || name.chars().count() > 255 {
        return Err(VariableError::InvalidName);
    }
    check_json(value)?;
    let name = name.to_lowercase();
    current(|exchange| match value {
        Value::Null => exchange.variables.remove(&name),
        value => exchange.variables.insert(name, value.clone()),
    });
    Ok(())
}

#[cfg(feature = "json")]
fn check_json(value: &Value) -> Result<(), VariableError> {
    if let Value::Json(text) = value {
        serde_json::from_str::<serde::de::IgnoredAny>(text)
            .map_err(|error| VariableError::InvalidValue(error.to_string()))?;
    }
    Ok(())
}

#[cfg(not(feature = "json"))]
fn check_json(_: &Value) -> Result<(), VariableError> {
    Ok(())
}
