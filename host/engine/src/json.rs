//! Lists and objects between the contract, which writes them as JSON, and tags, which go through them.

use std::fmt;
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use tessera_tags::Value;

/// What a value takes in memory beside its text, in bytes: what it lies in, and what the allocator adds.
pub(crate) const VALUE_BYTES: usize = 48;
/// Whole numbers up to this one are written without a fraction: those that a 64-bit float has no gaps below.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// Why a text is no value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum JsonError {
    /// What is wrong with it, and where.
    Invalid(String),
    /// It would take more memory than it may.
    TooLarge,
}

/// Reads JSON into a value that takes at most `bytes_max` in memory; says how much it takes.
pub(crate) fn parse(text: &str, bytes_max: usize) -> Result<(Value, usize), JsonError> {
    let mut room = Room {
        left: bytes_max,
        is_exceeded: false,
    };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let parsed = Tree(&mut room).deserialize(&mut deserializer);
    let parsed = parsed.and_then(|value| deserializer.end().map(|()| value));
    match parsed {
        Ok(value) => Ok((value, bytes_max - room.left)),
        Err(_) if room.is_exceeded => Err(JsonError::TooLarge),
        Err(error) => Err(JsonError::Invalid(error.to_string())),
    }
}

/// Writes a value as JSON. A number that JSON does not have becomes null.
pub(crate) fn write(value: &Value) -> String {
    let mut text = String::new();
    push(&mut text, value);
    text
}

fn push(to: &mut String, value: &Value) {
    match value {
        Value::Null => to.push_str("null"),
        Value::Boolean(value) => to.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) if number.fract() == 0.0 && number.abs() <= WHOLE_MAX => {
            to.push_str(&format!("{number:.0}"));
        }
        Value::Number(number) => to.push_str(&serde_json::Value::from(*number).to_string()),
        Value::Text(text) => push_text(to, text),
        Value::List(items) => {
            to.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    to.push(',');
                }
                push(to, item);
            }
            to.push(']');
        }
        Value::Object(object) => {
            to.push('{');
            for (index, (name, value)) in object.properties().enumerate() {
                if index > 0 {
                    to.push(',');
                }
                push_text(to, name);
                to.push(':');
                push(to, value);
            }
            to.push('}');
        }
    }
}

fn push_text(to: &mut String, text: &str) {
    to.push_str(&serde_json::Value::from(text).to_string());
}

/// What may still be taken.
struct Room {
    left: usize,
    is_exceeded: bool,
}

impl Room {
    fn take<E: serde::de::Error>(&mut self, text: &str) -> Result<(), E> {
        match self.left.checked_sub(VALUE_BYTES + text.len()) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.is_exceeded = true;
                Err(E::custom("too large"))
            }
        }
    }
}

/// Reads one value, and those in it.
struct Tree<'r>(&'r mut Room);

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Value, E> {
        self.0.take("")?;
        Ok(Value::Null)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Value, E> {
        self.0.take("")?;
        Ok(Value::Boolean(value))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        self.0.take("")?;
        Ok(Value::Number(value))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Value, E> {
        self.visit_f64(value as f64)
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        self.visit_f64(value as f64)
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        self.0.take(value)?;
        Ok(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        self.0.take("")?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Tree(&mut *self.0))? {
            list.push(item);
        }
        Ok(Value::List(list.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        self.0.take("")?;
        let mut properties: Vec<(Arc<str>, Value)> = Vec::new();
        while let Some(name) = entries.next_key::<String>()? {
            // Twice: large objects have a table of their names, too.
            self.0.take::<A::Error>("")?;
            self.0.take::<A::Error>(&name)?;
            let value = entries.next_value_seed(Tree(&mut *self.0))?;
            properties.push((name.into(), value));
        }
        if self.0.is_exceeded {
            return Err(A::Error::custom("too large"));
        }
        Ok(Value::Object(Arc::new(properties.into_iter().collect())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_survives_both_ways() {
        for text in [
            "null",
            "true",
            "[1,2.5,-3,\"a\\\"b\\n\\u0001\"]",
            "{\"b\":1,\"a\":{\"c\":[[],{}]},\"ü\":null}",
            "9007199254740992",
            "1e300",
        ] {
            let (value, _) = parse(text, 1 << 20).unwrap();
            let (again, _) = parse(&write(&value), 1 << 20).unwrap();
            assert_eq!(write(&again), write(&value), "{text}");
        }
        assert_eq!(write(&parse("[1.0, 2e0]", 1000).unwrap().0), "[1,2]");
        let object = "{\"b\":1,\"a\":\"x\"}";
        assert_eq!(write(&parse(object, 1000).unwrap().0), object);
        assert_eq!(write(&Value::Number(f64::NAN)), "null");
    }

    #[test]
    fn what_is_no_json_is_told() {
        for text in ["", "[1,", "nul", "1 2", "{\"a\"}", "\u{1}"] {
            assert!(matches!(parse(text, 1000), Err(JsonError::Invalid(_))));
        }
        let deep = "[".repeat(100_000);
        assert!(matches!(parse(&deep, 1 << 30), Err(JsonError::Invalid(_))));
    }

    #[test]
    fn a_value_takes_no_more_than_it_may() {
        let long = format!("[{}1]", "1,".repeat(1000));
        for text in [&long, "{\"a\":{\"b\":{\"c\":[1,2,3,4,5,6,7,8]}}}"] {
            let (_, bytes) = parse(text, 1 << 20).unwrap();
            assert_eq!(parse(text, bytes).unwrap().1, bytes);
            assert_eq!(parse(text, bytes - 1).unwrap_err(), JsonError::TooLarge);
        }
        assert!(parse(&long, 1 << 20).unwrap().1 >= 1000 * VALUE_BYTES);
    }
}
