//! Reads JSON that came over the network: not deep, and with every key once.
//!
//! RFC 8259 leaves open what a second key of the same name means, so that two programs may understand one text
//! differently. What changes settings must not.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Objects and lists inside of one another. Settings have four at most.
const DEPTH_MAX: usize = 16;
/// Characters of a key that an error shows.
const SHOWN_MAX: usize = 60;

/// Reads one value.
///
/// # Errors
///
/// With what is wrong, and its line and column.
pub(super) fn parse(text: &[u8]) -> Result<Value, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value = Strict { depth: DEPTH_MAX }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

/// A value in which so many levels may follow.
#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn inside<E: de::Error>(self) -> Result<Self, E> {
        match self.depth.checked_sub(1) {
            Some(depth) => Ok(Self { depth }),
            None => Err(E::custom(format_args!(
                "more than {DEPTH_MAX} levels of objects and lists"
            ))),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(inside)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        let mut members = Map::new();
        while let Some(key) = object.next_key::<String>()? {
            if members.contains_key(&key) {
                let shown: String = key.chars().take(SHOWN_MAX).collect();
                return Err(de::Error::custom(format_args!("{shown:?} is there twice")));
            }
            let value = object.next_value_seed(inside)?;
            members.insert(key, value);
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_is_read_as_it_is() {
        let value = json!({"a": [1, -2, 0.5, "ü\u{1F600}", true, null, {}], "b": {"a": []}});
        assert_eq!(parse(value.to_string().as_bytes()).unwrap(), value);
        assert_eq!(parse(b" 7 ").unwrap(), json!(7));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let deep = format!("{}1{}", "[".repeat(17), "]".repeat(17));
        let very_deep = "[".repeat(60_000);
        let long = format!(r#"{{"{0}":1,"{0}":2}}"#, "k".repeat(1_000));
        for (text, expected) in [
            ("", "EOF"),
            ("{", "line 1 column 1"),
            ("{}{}", "trailing characters"),
            ("{\"a\":1,\n\"a\":2}", "\"a\" is there twice at line 2"),
            (r#"{"b":{"a":1,"a":1}}"#, "is there twice"),
            // Two spellings of one key.
            (r#"{"a":1,"\u0061":2}"#, "is there twice"),
            (&deep, "more than 16 levels"),
            (&very_deep, "more than 16 levels"),
            (&long, "twice"),
            ("NaN", "expected"),
            ("1e999", "out of range"),
            ("\"\\ud800\"", "line 1"),
            ("// comment\n1", "expected"),
        ] {
            let error = parse(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(expected) && error.len() < 200, "{error}");
        }
        assert!(parse(b"\"\xff\"").is_err());
        let bound = format!("{}1{}", "[".repeat(16), "]".repeat(16));
        assert!(parse(bound.as_bytes()).is_ok());
    }
}
