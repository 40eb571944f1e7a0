//! What a method may take: the arguments of a tag, or the one text behind the method's name in a URL.

use crate::error::Error;
use crate::extract::FromRequest;
use crate::types::Value;

/// A parameter of a method, or of a route's function (see [`routes!`](macro@crate::routes)).
///
/// | parameter | given a text | without an argument |
/// |---|---|---|
/// | `&str`, `String` | the text | empty |
/// | `f64`, `i8` to `i64`, `u8` to `u64` | the number it spells, else an error | an error |
/// | `bool` | `true` or `false`, else an error | an error |
/// | [`Value`] | the text | `Value::Null` |
/// | `Option<T>` | as `T` | `None` |
/// | a [`FromRequest`]: [`Form<T>`](crate::Form), [`Json<T>`](crate::Json) | takes no argument: it is made of the request | |
///
/// A URL has at most one argument, a text; a tag has any number, of any kind; a route has what its pattern names.
#[diagnostic::on_unimplemented(
    message = "a method or route cannot take `{Self}`",
    label = "take `&str`, `String`, a number, `bool`, `Value`, an `Option` of one, `Form<T>`, `Json<T>`, or a type that implements `FromRequest`"
)]
pub trait Parameter<'a>: Sized {
    /// Takes it.
    fn take(from: &mut Arguments<'a>) -> Result<Self, Error>;
}

impl<'a, T: FromRequest> Parameter<'a> for T {
    fn take(_: &mut Arguments<'a>) -> Result<Self, Error> {
        T::from_request()
    }
}

/// A parameter that is made of one argument.
pub trait FromArgument<'a>: Sized {
    /// Makes the parameter of an argument; the error is the end of a sentence, "takes ...".
    fn from_argument(argument: Option<&'a mut Value>) -> Result<Self, &'static str>;
}

/// The arguments of one call, taken in turn.
pub struct Arguments<'a> {
    values: &'a mut [Value],
    taken: usize,
    of_path: bool,
}

impl<'a> Arguments<'a> {
    /// Starts with the first argument.
    pub fn new(values: &'a mut [Value]) -> Self {
        Self {
            values,
            taken: 0,
            of_path: false,
        }
    }

    /// The segments of a path that a pattern names: one that does not fit is an address without a page, not a fault.
    pub(crate) fn of_path(values: &'a mut [Value]) -> Self {
        Self {
            of_path: true,
            ..Self::new(values)
        }
    }

    /// Takes the next parameter.
    pub fn take<T: Parameter<'a>>(&mut self) -> Result<T, Error> {
        T::take(self)
    }

    fn next<T: FromArgument<'a>>(&mut self) -> Result<T, Error> {
        let (next, rest) = match std::mem::take(&mut self.values) {
            [] => (None, &mut [][..]),
            [next, rest @ ..] => (Some(next), rest),
        };
        self.values = rest;
        self.taken += 1;
        let given = match &next {
            None | Some(Value::Null) => "missing",
            Some(value) => value.kind(),
        };
        let is_there = next.is_some();
        T::from_argument(next).map_err(|takes| match self.of_path && is_there {
            true => Error::refused(404, ""),
            false => refusal(self.taken, given, takes),
        })
    }
}

// Kept out of line: the same few bytes for every parameter of every method.
#[cold]
#[inline(never)]
fn refusal(number: usize, given: &str, takes: &str) -> Error {
    Error::new(format!(
        "argument {number} is {given}, where the method takes {takes}"
    ))
}

macro_rules! of_one_argument {
    ($($of:ty),*) => {$(
        impl<'a> Parameter<'a> for $of {
            fn take(from: &mut Arguments<'a>) -> Result<Self, Error> {
                from.next()
            }
        }
    )*};
}

of_one_argument!(
    &'a str,
    String,
    Value,
    f64,
    i8,
    i16,
    i32,
    i64,
    u8,
    u16,
    u32,
    u64,
    bool
);

impl<'a, T: FromArgument<'a>> Parameter<'a> for Option<T> {
    fn take(from: &mut Arguments<'a>) -> Result<Self, Error> {
        from.next()
    }
}

impl<'a> FromArgument<'a> for &'a str {
    fn from_argument(argument: Option<&'a mut Value>) -> Result<Self, &'static str> {
        match argument {
            Some(Value::Text(text)) => Ok(text),
            None | Some(Value::Null) => Ok(""),
            Some(_) => Err("a text"),
        }
    }
}

impl<'a> FromArgument<'a> for String {
    fn from_argument(argument: Option<&'a mut Value>) -> Result<Self, &'static str> {
        match argument {
            Some(Value::Text(text)) => Ok(std::mem::take(text)),
            None | Some(Value::Null) => Ok(Self::new()),
            Some(_) => Err("a text"),
        }
    }
}

impl<'a> FromArgument<'a> for Value {
    fn from_argument(argument: Option<&'a mut Value>) -> Result<Self, &'static str> {
        Ok(argument.map(std::mem::take).unwrap_or_default())
    }
}

impl<'a> FromArgument<'a> for f64 {
    fn from_argument(argument: Option<&'a mut Value>) -> Result<Self, &'static str> {
        match argument {
            Some(Value::Number(number)) => Ok(*number),
            Some(Value::Text(text)) => text.trim().parse().map_err(|_| "a number"),
            _ => Err("a number"),
        }
    }
}

macro_rules! whole_number {
    ($($of:ty),*) => {$(
        impl<'a> FromArgument<'a> for $of {
            fn from_argument(argument: Option<&'a mut Value>) -> Result<Self, &'static str> {
                let takes = concat!("a whole number (", stringify!($of), ")");
                match argument {
                    // A number that the type cannot hold does not come back the same.
                    Some(Value::Number(number)) if (*number as $of) as f64 == *number => {
                        Ok(*number as $of)
                    }
                    Some(Value::Text(text)) => text.trim().parse().map_err(|_| takes),
                    _ => Err(takes),
                }
            }
        }
    )*};
}

whole_number!(i8, i16, i32, i64, u8, u16, u32, u64);

impl<'a> FromArgument<'a> for bool {
    fn from_argument(argument: Option<&'a mut Value>) -> Result<Self, &'static str> {
        match argument {
            Some(Value::Boolean(value)) => Ok(*value),
            Some(Value::Text(text)) => text.trim().parse().map_err(|_| "`true` or `false`"),
            _ => Err("`true` or `false`"),
        }
    }
}

impl<'a, T: FromArgument<'a>> FromArgument<'a> for Option<T> {
    fn from_argument(argument: Option<&'a mut Value>) -> Result<Self, &'static str> {
        match argument {
            None | Some(Value::Null) => Ok(None),
            given => T::from_argument(given).map(Some),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take<T: for<'a> Parameter<'a>>(value: impl Into<Value>) -> Result<T, String> {
        Arguments::new(&mut [value.into()])
            .take()
            .map_err(Error::into_text)
    }

    #[test]
    fn takes_arguments_in_turn_and_names_what_is_missing() {
        let mut values = [Value::from("a"), Value::from(2)];
        let mut arguments = Arguments::new(&mut values);
        assert_eq!(arguments.take::<&str>().unwrap(), "a");
        assert_eq!(arguments.take::<u32>().unwrap(), 2);
        assert_eq!(arguments.take::<Option<&str>>().unwrap(), None);
        assert_eq!(arguments.take::<&str>().unwrap(), "");
        let missing = arguments.take::<f64>().unwrap_err();
        assert_eq!(
            missing.text(),
            "argument 5 is missing, where the method takes a number"
        );
    }

    #[test]
    fn reads_numbers_as_urls_spell_them() {
        assert_eq!(take::<f64>("1.5"), Ok(1.5));
        assert_eq!(take::<i64>(" -3 "), Ok(-3));
        assert_eq!(take::<bool>("true"), Ok(true));
        assert!(take::<u32>("-3").is_err());
        assert!(take::<u32>(1.5).is_err());
        assert!(take::<u64>(f64::NAN).is_err());
        assert!(take::<String>(1.5).is_err());
        assert_eq!(take::<Value>("x"), Ok(Value::Text("x".into())));
    }
}
