//! What the operators of expressions do.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::fault::Code;
use crate::value::Value;

/// An operator with a value on each side, both of which are always worked out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    DivideWhole,
    Remainder,
    Power,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    And,
    Or,
}

impl Operator {
    pub(crate) fn of(sign: &str) -> Option<Self> {
        Some(match sign {
            "+" => Self::Add,
            "-" => Self::Subtract,
            "*" => Self::Multiply,
            "/" => Self::Divide,
            "\\" => Self::DivideWhole,
            "%" => Self::Remainder,
            "^" => Self::Power,
            "=" => Self::Equal,
            "#" => Self::NotEqual,
            "<" => Self::Less,
            "<=" => Self::LessOrEqual,
            ">" => Self::Greater,
            ">=" => Self::GreaterOrEqual,
            "&" => Self::And,
            "|" => Self::Or,
            _ => return None,
        })
    }

    /// The value of `left` and `right` under this operator. Texts that it makes may have up to `text_bytes_max` bytes.
    ///
    /// # Errors
    ///
    /// When it does not take such values, or its result is no number. A text that is too long is `Ok(None)`.
    pub(crate) fn apply(
        self,
        left: &Value,
        right: &Value,
        text_bytes_max: u64,
    ) -> Result<Option<Value>, Code> {
        if let (Value::Number(left), Value::Number(right)) = (left, right) {
            return self.numbers(*left, *right).map(Some);
        }
        match self {
            Self::Equal => equal(left, right).map(|is| Some(Value::Boolean(is))),
            Self::NotEqual => equal(left, right).map(|is| Some(Value::Boolean(!is))),
            Self::Less | Self::LessOrEqual | Self::Greater | Self::GreaterOrEqual => {
                let order = match (left, right) {
                    (Value::Text(left), Value::Text(right)) => compare(left, right),
                    (Value::Boolean(left), Value::Boolean(right)) => left.cmp(right),
                    _ => return Err(Code::Types),
                };
                Ok(Some(Value::Boolean(self.holds(order))))
            }
            Self::And | Self::Or => match (left, right) {
                (Value::Boolean(left), Value::Boolean(right)) => {
                    let is = if self == Self::And {
                        *left && *right
                    } else {
                        *left || *right
                    };
                    Ok(Some(Value::Boolean(is)))
                }
                _ => Err(Code::Types),
            },
            _ => self.texts(left, right, text_bytes_max),
        }
    }

    fn numbers(self, left: f64, right: f64) -> Result<Value, Code> {
        let number = match self {
            Self::Add => left + right,
            Self::Subtract => left - right,
            Self::Multiply => left * right,
            Self::Divide => left / right,
            Self::DivideWhole => (left.trunc() / right.trunc()).trunc(),
            Self::Remainder => left.trunc() % right.trunc(),
            Self::Power => left.powf(right),
            Self::And | Self::Or => return Err(Code::Types),
            _ => {
                let order = left.partial_cmp(&right).ok_or(Code::NotANumber)?;
                return Ok(Value::Boolean(self.holds(order)));
            }
        };
        if number.is_finite() {
            Ok(Value::Number(number))
        } else {
            Err(Code::NotANumber)
        }
    }

    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            _ => order.is_ge(),
        }
    }

    fn texts(self, left: &Value, right: &Value, bytes_max: u64) -> Result<Option<Value>, Code> {
        match (self, left, right) {
            (Self::Add, Value::Text(left), Value::Text(right)) => {
                let bytes = left.len().saturating_add(right.len());
                let is_short = u64::try_from(bytes).is_ok_and(|bytes| bytes <= bytes_max);
                Ok(is_short.then(|| Value::Text([&**left, &**right].concat().into())))
            }
            (Self::Multiply, Value::Text(text), Value::Number(times)) => {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "it ends at the limits of the type"
                )]
                let times = times.max(0.0) as usize;
                let bytes = text.len().saturating_mul(times);
                let is_short = u64::try_from(bytes).is_ok_and(|bytes| bytes <= bytes_max);
                if !is_short {
                    return Ok(None);
                }
                // Nothing repeated often is nothing, in no time.
                let times = if text.is_empty() { 0 } else { times };
                Ok(Some(Value::Text(text.repeat(times).into())))
            }
            _ => Err(Code::Types),
        }
    }
}

fn equal(left: &Value, right: &Value) -> Result<bool, Code> {
    Ok(match (left, right) {
        (Value::Null, Value::Null) => true,
        (Value::Null, _) | (_, Value::Null) => false,
        (Value::Boolean(left), Value::Boolean(right)) => left == right,
        (Value::Text(left), Value::Text(right)) => compare(left, right).is_eq(),
        (Value::List(left), Value::List(right)) => Arc::ptr_eq(left, right),
        (Value::Object(left), Value::Object(right)) => Arc::ptr_eq(left, right),
        _ => return Err(Code::Types),
    })
}

fn folded(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(char::to_lowercase)
}

/// Texts are compared without regard to case.
fn compare(left: &str, right: &str) -> Ordering {
    if left.is_ascii() && right.is_ascii() {
        let [left, right] =
            [left, right].map(|text| text.bytes().map(|byte| byte.to_ascii_lowercase()));
        return left.cmp(right);
    }
    folded(left).cmp(folded(right))
}

/// Whether `text` is like `pattern`, in which `@` stands for any text, without regard to case.
pub(crate) fn is_like(text: &str, pattern: &str) -> bool {
    let text: String = folded(text).collect();
    let pattern: String = folded(pattern).collect();
    let Some((first, rest)) = pattern.split_once('@') else {
        return text == pattern;
    };
    let Some(mut text) = text.strip_prefix(first) else {
        return false;
    };
    let (between, last) = rest.rsplit_once('@').unwrap_or(("", rest));
    // What stands first is as good as any: it leaves the most for what follows.
    for part in between.split('@') {
        let Some(at) = memchr::memmem::find(text.as_bytes(), part.as_bytes()) else {
            return false;
        };
        text = text.get(at + part.len()..).unwrap_or_default();
    }
    text.ends_with(last)
}

/// `-value`.
pub(crate) fn negate(value: &Value) -> Result<Value, Code> {
    match value {
        Value::Number(number) => Ok(Value::Number(-number)),
        _ => Err(Code::Types),
    }
}

/// A property of `value`; null has every property, each null. `length` is that of a list.
pub(crate) fn member(value: &Value, name: &str) -> Result<Value, Code> {
    match value {
        Value::Object(object) => Ok(object.get(name).cloned().unwrap_or_default()),
        Value::List(items) if name == "length" => Ok(count(items.len())),
        Value::Null => Ok(Value::Null),
        _ => Err(Code::Types),
    }
}

/// `value[index]`: counted from 0, null where there is none; or a property by its name.
pub(crate) fn item(value: &Value, index: &Value) -> Result<Value, Code> {
    match (value, index) {
        (Value::List(items), Value::Number(index)) => {
            let item = whole(*index).and_then(|index| items.get(index));
            Ok(item.cloned().unwrap_or_default())
        }
        (Value::Object(_) | Value::Null, Value::Text(name)) => member(value, name),
        (Value::Null, Value::Number(_)) => Ok(Value::Null),
        _ => Err(Code::Types),
    }
}

/// `value{index}`: counted from 1.
pub(crate) fn element(value: &Value, index: &Value) -> Result<Value, Code> {
    let (Value::List(items), Value::Number(index)) = (value, index) else {
        return Err(Code::Types);
    };
    let index = whole(*index).and_then(|index| index.checked_sub(1));
    let item = index.and_then(|index| items.get(index));
    item.cloned().ok_or(Code::Range)
}

/// A number as an index; decimals are cut off.
fn whole(number: f64) -> Option<usize> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 4 billion"
    )]
    (0.0..4e9).contains(&number).then_some(number as usize)
}

/// A count as a value.
pub(crate) fn count(count: usize) -> Value {
    #[expect(
        clippy::cast_precision_loss,
        reason = "what is in memory is fewer than 2^53"
    )]
    Value::Number(count as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_signs_stand_for_any_text() {
        for (text, pattern, expected) in [
            ("Smith", "sm@", true),
            ("Smith", "@ITH", true),
            ("Smith", "@mi@", true),
            ("Smith", "s@t@h", true),
            ("Smith", "@", true),
            ("", "@", true),
            ("Smith", "@x@", false),
            ("aa", "a@a@a", false),
            ("aba", "ab@ba", false),
            ("Ärger", "ä@R", true),
            ("Smith", "smith", true),
        ] {
            assert_eq!(is_like(text, pattern), expected, "{text} like {pattern}");
        }
    }

    #[test]
    fn a_text_that_would_be_too_long_is_not_made() {
        let text = Value::from("abc");
        let times = |times: f64| {
            Operator::Multiply
                .apply(&text, &Value::Number(times), 9)
                .unwrap()
        };
        assert!(matches!(times(3.0), Some(Value::Text(text)) if &*text == "abcabcabc"));
        assert!(times(4.0).is_none());
        assert!(times(1e300).is_none());
        assert!(matches!(times(-1.0), Some(Value::Text(text)) if text.is_empty()));
        let joined = Operator::Add.apply(&text, &text, 5).unwrap();
        assert!(joined.is_none());
        let nothing = Operator::Multiply.apply(&Value::from(""), &Value::Number(1e300), 9);
        assert!(matches!(nothing, Ok(Some(Value::Text(text))) if text.is_empty()));
    }
}
