//! The few commands of the language that expressions need: what is about values and nothing else.

use crate::fault::Code;
use crate::number;
use crate::operate::{count, member};
use crate::value::Value;

/// A command that expressions can call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Builtin {
    Not,
    Length,
    Text,
    Number,
    Uppercase,
    Lowercase,
    SizeOfArray,
    ObGet,
    ObIsDefined,
    Round,
    Undefined,
}

/// Commands by name, and how many values each takes at least and at most.
const COMMANDS: &[(&str, Builtin, u16, u16)] = &[
    ("Not", Builtin::Not, 1, 1),
    ("Length", Builtin::Length, 1, 1),
    ("String", Builtin::Text, 1, 1),
    ("Num", Builtin::Number, 1, 1),
    ("Uppercase", Builtin::Uppercase, 1, 1),
    ("Lowercase", Builtin::Lowercase, 1, 1),
    ("Size of array", Builtin::SizeOfArray, 1, 1),
    ("OB Get", Builtin::ObGet, 2, 2),
    ("OB Is defined", Builtin::ObIsDefined, 1, 2),
    ("Round", Builtin::Round, 2, 2),
    ("Undefined", Builtin::Undefined, 1, 1),
];

impl Builtin {
    pub(crate) fn named(name: &str) -> Option<Self> {
        let mut commands = COMMANDS.iter();
        let command = commands.find(|(command, ..)| command.eq_ignore_ascii_case(name))?;
        Some(command.1)
    }

    /// Whether it takes `count` values.
    pub(crate) fn takes(self, count: u16) -> bool {
        let mut commands = COMMANDS.iter();
        commands.any(|(_, which, least, most)| *which == self && (*least..=*most).contains(&count))
    }

    pub(crate) fn apply(self, values: &[Value]) -> Result<Value, Code> {
        let (first, second) = match values {
            [first] => (first, None),
            [first, second] => (first, Some(second)),
            _ => return Err(Code::Parameters),
        };
        Ok(match (self, first, second) {
            (Self::Not, Value::Boolean(value), None) => Value::Boolean(!value),
            (Self::Length, Value::Text(text), None) => count(text.chars().count()),
            (Self::Text, Value::Text(_), None) => first.clone(),
            (Self::Text, Value::Null, None) => Value::from("null"),
            (Self::Text, Value::Boolean(true), None) => Value::from("True"),
            (Self::Text, Value::Boolean(false), None) => Value::from("False"),
            (Self::Text, Value::Number(number), None) => {
                let mut text = String::new();
                number::show(*number, &mut text);
                Value::from(text)
            }
            (Self::Number, Value::Text(text), None) => Value::Number(number::read(text)),
            (Self::Number, Value::Boolean(value), None) => Value::from(i32::from(*value)),
            (Self::Number, Value::Number(_), None) => first.clone(),
            (Self::Number, Value::Null, None) => Value::from(0),
            (Self::Uppercase, Value::Text(text), None) => Value::from(text.to_uppercase()),
            (Self::Lowercase, Value::Text(text), None) => Value::from(text.to_lowercase()),
            (Self::SizeOfArray, Value::List(items), None) => count(items.len()),
            (Self::ObGet, Value::Object(_), Some(Value::Text(name))) => member(first, name)?,
            (Self::ObIsDefined, Value::Object(object), Some(Value::Text(name))) => {
                Value::Boolean(object.get(name).is_some())
            }
            (Self::ObIsDefined, Value::Object(_), None) => Value::Boolean(true),
            (Self::ObIsDefined, Value::Null, _) => Value::Boolean(false),
            (Self::Undefined, Value::Null, None) => Value::Boolean(true),
            (Self::Undefined, _, None) => Value::Boolean(false),
            (Self::Round, Value::Number(number), Some(Value::Number(places))) => {
                round(*number, *places)?
            }
            _ => return Err(Code::Types),
        })
    }
}

/// `number` with `places` decimals, halves away from zero.
fn round(number: f64, places: f64) -> Result<Value, Code> {
    let scale = 10_f64.powf(places.trunc().clamp(-15.0, 15.0));
    let rounded = (number * scale).round() / scale;
    if rounded.is_finite() {
        Ok(Value::Number(rounded))
    } else {
        Err(Code::NotANumber)
    }
}
