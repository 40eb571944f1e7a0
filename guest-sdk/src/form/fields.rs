//! Names and texts, as serde sees them.

use std::fmt;

use serde::de::{self, DeserializeOwned, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use crate::error::Error;
use crate::types::Variable;

/// Most of a visitor's text that a message repeats, in characters.
const SHOWN_MAX: usize = 40;

/// Reads variables into a type; the error names the field.
pub(super) fn read<T: DeserializeOwned>(variables: &[Variable]) -> Result<T, Error> {
    let mut sorted: Vec<&Variable> = variables.iter().collect();
    // Stable, so that inputs of one name keep their order.
    sorted.sort_by(|one, other| one.name.cmp(&other.name));
    let mut absent = Vec::new();
    loop {
        let read = T::deserialize(Fields {
            rest: &sorted,
            absent: &absent,
            name: "",
            value: &[],
        });
        match read {
            // A check box that is not ticked is not sent. serde tells what it missed, and only where there is no default.
            Err(Fault::Missing(field)) if !absent.contains(&field) => absent.push(field),
            Err(fault) => return Err(Error::refused(400, fault.to_string())),
            Ok(value) => return Ok(value),
        }
    }
}

/// Why the fields do not fit the type.
#[derive(Debug)]
enum Fault {
    /// A field of the type is not among the variables.
    Missing(&'static str),
    /// A value does not fit; what comes after the field's name.
    Value(String),
    /// The whole sentence.
    Told(String),
}

impl Fault {
    fn of(self, name: &str) -> Self {
        match self {
            Self::Value(text) => Self::Told(format!("field `{}`{text}", shown(name))),
            other => other,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(field) => write!(f, "field `{field}` is missing"),
            Self::Value(text) => write!(f, "the form{text}"),
            Self::Told(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(text: T) -> Self {
        Self::Value(format!(": {text}"))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field)
    }

    fn unknown_field(field: &str, _: &'static [&'static str]) -> Self {
        Self::Told(format!("there is no field `{}`", shown(field)))
    }
}

/// The beginning of a text, as a message shows it.
fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// All fields: a struct or a map.
struct Fields<'de> {
    rest: &'de [&'de Variable],
    absent: &'de [&'static str],
    /// The field whose name was read last, and its values.
    name: &'de str,
    value: &'de [&'de Variable],
}

impl<'de> de::Deserializer<'de> for Fields<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_map(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> de::MapAccess<'de> for Fields<'de> {
    type Error = Fault;

    fn next_key_seed<K: de::DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        self.name = match self.rest {
            [first, ..] => {
                let same = self
                    .rest
                    .iter()
                    .take_while(|variable| variable.name == first.name);
                (self.value, self.rest) = self.rest.split_at(same.count());
                first.name.as_str()
            }
            [] => {
                let Some((name, absent)) = self.absent.split_first() else {
                    return Ok(None);
                };
                (self.value, self.absent) = (&[], absent);
                name
            }
        };
        let key = seed.deserialize(self.name.into_deserializer());
        key.map(Some).map_err(|fault: Fault| fault.of(self.name))
    }

    fn next_value_seed<S: de::DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        let value = seed.deserialize(Value(self.value));
        value.map_err(|fault| fault.of(self.name))
    }
}

/// The texts of one field: none, one or several.
struct Value<'de>(&'de [&'de Variable]);

impl<'de> Value<'de> {
    fn one(&self) -> Result<&'de str, Fault> {
        match self.0 {
            [one] => Ok(&one.value),
            // Asked for because serde missed it; it says so again.
            [] => Err(Fault::Value(" is missing".to_owned())),
            more => Err(Fault::Value(format!(
                " came {} times, where one is expected",
                more.len()
            ))),
        }
    }

    fn parsed<T: std::str::FromStr>(&self, what: impl fmt::Display) -> Result<T, Fault> {
        let text = self.one()?;
        if text.trim().is_empty() {
            return Err(Fault::Value(format!(" is empty, where {what} is expected")));
        }
        let parsed = text.trim().parse();
        parsed.map_err(|_| Fault::Value(format!(": `{}` is not {what}", shown(text))))
    }
}

macro_rules! whole_numbers {
    ($($deserialize:ident $visit:ident $of:ident),*) => {$(
        fn $deserialize<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            let what = format_args!("a whole number from {} to {}", $of::MIN, $of::MAX);
            visitor.$visit(self.parsed::<$of>(what)?)
        }
    )*};
}

impl<'de> de::Deserializer<'de> for Value<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            [_, _, ..] => self.deserialize_seq(visitor),
            _ => self.deserialize_str(visitor),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_borrowed_str(self.one()?)
    }

    whole_numbers! {
        deserialize_i8 visit_i8 i8, deserialize_i16 visit_i16 i16, deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64, deserialize_u8 visit_u8 u8, deserialize_u16 visit_u16 u16,
        deserialize_u32 visit_u32 u32, deserialize_u64 visit_u64 u64
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let number: f64 = self.parsed("a number")?;
        if !number.is_finite() {
            return Err(Fault::Value(
                " is not a number that can be counted with".to_owned(),
            ));
        }
        visitor.visit_f64(number)
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        // Of a check box with a hidden input beside it, the last is what was chosen.
        let is_ticked = self.0.last().is_some_and(|last| {
            let text = last.value.trim();
            !["", "0", "false", "off", "no"]
                .iter()
                .any(|no| text.eq_ignore_ascii_case(no))
        });
        visitor.visit_bool(is_ticked)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            [] => visitor.visit_none(),
            [one] if one.value.trim().is_empty() => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let values = self.0.chunks(1).map(Value);
        visitor.visit_seq(de::value::SeqDeserializer::new(values))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_enum(self.one()?.into_deserializer())
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_map(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Fault> {
        Err(Fault::Value(
            ": a form has texts, where an object is expected".to_owned(),
        ))
    }

    forward_to_deserialize_any! {
        i128 u128 bytes byte_buf unit unit_struct tuple_struct identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, Fault> for Value<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;
    use crate::memory::form;

    fn check<T: DeserializeOwned + fmt::Debug>(form: &str, expected: Result<&str, &str>) {
        let read = read::<T>(&form::parse(form));
        let read = match &read {
            Ok(value) => Ok(format!("{value:?}")),
            Err(error) => Err(error.text().to_owned()),
        };
        let expected = expected.map(str::to_owned).map_err(str::to_owned);
        assert_eq!(read, expected, "{form}");
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Size {
        Small,
        Large,
    }

    #[derive(Debug, Deserialize)]
    struct Reader(#[allow(dead_code, reason = "shown")] u64);

    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "shown")]
    struct All {
        name: String,
        #[serde(rename = "age of man")]
        age: Option<u8>,
        #[serde(default = "five")]
        stars: i32,
        agreed: bool,
        tags: Vec<String>,
        size: Size,
        reader: Reader,
        weight: f64,
    }

    fn five() -> i32 {
        5
    }

    #[test]
    fn reads_every_kind_of_field() {
        check::<All>(
            "name=+Ann+&age+of+man=41&stars=-3&agreed=Word&tags=a&other=x&tags=&size=small&reader=7&weight=+1.5",
            Ok(
                r#"All { name: " Ann ", age: Some(41), stars: -3, agreed: true, tags: ["a", ""], size: Small, reader: Reader(7), weight: 1.5 }"#,
            ),
        );
        check::<All>(
            "size=large&weight=-2&reader=0&name=&age+of+man=",
            Ok(
                r#"All { name: "", age: None, stars: 5, agreed: false, tags: [], size: Large, reader: Reader(0), weight: -2.0 }"#,
            ),
        );
    }

    #[test]
    fn names_the_field_that_does_not_fit() {
        let rest = "&size=small&reader=1&weight=1";
        let cases = [
            ("", "field `name` is missing"),
            (
                "name=a&name=b",
                "field `name` came 2 times, where one is expected",
            ),
            (
                "name=a&age+of+man=256",
                "field `age of man`: `256` is not a whole number from 0 to 255",
            ),
            (
                "name=a&stars=",
                "field `stars` is empty, where a whole number from -2147483648 to 2147483647 is expected",
            ),
        ];
        for (form, told) in cases {
            check::<All>(&format!("{form}{rest}"), Err(told));
        }
        check::<All>(
            "name=a&size=huge&reader=1&weight=1",
            Err("field `size`: unknown variant `huge`, expected `small` or `large`"),
        );
        check::<All>(
            "name=a&size=small&reader=1&weight=inf",
            Err("field `weight` is not a number that can be counted with"),
        );
        check::<All>(
            "name=a&size=small&reader=one&weight=1",
            Err("field `reader`: `one` is not a whole number from 0 to 18446744073709551615"),
        );
    }

    #[test]
    fn a_check_box_is_false_unless_it_says_yes() {
        #[derive(Debug, Deserialize)]
        struct Box {
            #[allow(dead_code, reason = "shown")]
            on: bool,
        }
        for (form, ticked) in [
            ("", false),
            ("on=on", true),
            ("on=0&on=1", true),
            ("on=False", false),
            ("on=", false),
        ] {
            check::<Box>(form, Ok(&format!("Box {{ on: {ticked} }}")));
        }
    }

    #[test]
    fn maps_and_strict_types_are_read() {
        check::<BTreeMap<String, Vec<u8>>>("b=2&a=1&b=3", Ok(r#"{"a": [1], "b": [2, 3]}"#));
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Strict {}
        check::<Strict>("other=1", Err("there is no field `other`"));
        check::<BTreeMap<String, Strict>>(
            "a=1",
            Err("field `a`: a form has texts, where an object is expected"),
        );
    }

    #[test]
    fn messages_show_the_beginning_of_long_texts_only() {
        let form = format!("a={}", "é".repeat(100));
        let told = read::<BTreeMap<String, u8>>(&form::parse(&form)).unwrap_err();
        let shown = format!("`{}…` is not", "é".repeat(40));
        assert!(told.text().contains(&shown), "{told}");
    }
}
