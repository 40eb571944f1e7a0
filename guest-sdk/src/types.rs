//! The values that hooks, requests and responses share.

use std::fmt;

/// One header field, of a request or of a response.
///
/// Names are case-insensitive; those of a request are in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderField {
    /// The field's name.
    pub name: String,
    /// The field's value, without white space around it.
    pub value: String,
}

impl HeaderField {
    /// Makes a header field.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: value.into(),
        }
    }
}

/// One named text: a form field, or a parameter of the query.
///
/// Names keep their case, and a name may come more than once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variable {
    /// The field's name.
    pub name: String,
    /// What was entered.
    pub value: String,
}

/// The six parameters of On Web Authentication and On Web Connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebCall {
    /// `$1`: path and query of the URL, as received, with a leading slash; without the prefix of the mount.
    pub url: String,
    /// `$2`: the head of the request and after it the body, as text. At most 32 KiB; what is longer is cut.
    pub header: String,
    /// `$3`: the address of the client; IPv4 as `::ffff:a.b.c.d`.
    pub browser_ip: String,
    /// `$4`: the address the request was sent to; IPv4 as `::ffff:a.b.c.d`.
    pub server_ip: String,
    /// `$5`: the user name of the Authorization header, empty if there is none.
    pub user: String,
    /// `$6`: the password of the Authorization header, empty if there is none.
    pub password: String,
}

impl WebCall {
    /// The URL up to the question mark, not decoded.
    pub fn path(&self) -> &str {
        split_url(&self.url).0
    }

    /// The URL behind the question mark, not decoded; empty if there is none.
    pub fn query(&self) -> &str {
        split_url(&self.url).1
    }
}

/// Splits a URL into path and query.
pub(crate) fn split_url(url: &str) -> (&str, &str) {
    url.split_once('?').unwrap_or((url, ""))
}

/// A value that a method takes or returns, and that a process variable holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// No value.
    #[default]
    Null,
    /// True or false.
    Boolean(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// A list or an object, as JSON text.
    Json(String),
}

impl Value {
    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// What kind of value it is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "no value",
            Self::Boolean(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::Json(_) => "a list or an object",
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<u16> for Value {
    fn from(value: u16) -> Self {
        Self::Number(value.into())
    }
}

impl From<i32> for Value {
    fn from(value: i32) -> Self {
        Self::Number(value.into())
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Number(value.into())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

/// A list or an object becomes [`Value::Json`], everything else its own kind.
#[cfg(feature = "json")]
impl From<serde_json::Value> for Value {
    fn from(value: serde_json::Value) -> Self {
        use serde_json::Value as Json;
        match value {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Boolean(value),
            Json::Number(number) => number.as_f64().map_or(Self::Null, Self::Number),
            Json::String(text) => Self::Text(text),
            list_or_object => Self::Json(list_or_object.to_string()),
        }
    }
}

/// JSON that is none, which only a component can make, becomes null; so does a number that JSON does not have.
#[cfg(feature = "json")]
impl From<Value> for serde_json::Value {
    fn from(value: Value) -> Self {
        // The largest whole number that a 64-bit float has without gaps below it.
        const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;
        match value {
            Value::Null => Self::Null,
            Value::Boolean(value) => value.into(),
            // A port is a whole number, and JSON should not say 8080.0.
            Value::Number(number) if number.fract() == 0.0 && number.abs() <= WHOLE_MAX => {
                (number as i64).into()
            }
            Value::Number(number) => number.into(),
            Value::Text(text) => text.into(),
            Value::Json(text) => serde_json::from_str(&text).unwrap_or_default(),
        }
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Why the body of a request cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// It is larger than `maxRequestSize`; the response is 413 unless one is sent.
    TooLarge,
    /// The client closed the connection, or was too slow.
    Incomplete,
    /// It is not what its content type says.
    Malformed(String),
    /// There is no body part of that number.
    NoSuchPart,
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body of the request ")?;
        match self {
            Self::TooLarge => f.write_str("is larger than maxRequestSize"),
            Self::Incomplete => f.write_str("is incomplete"),
            Self::Malformed(how) => write!(f, "is malformed: {how}"),
            Self::NoSuchPart => f.write_str("has no part of that number"),
        }
    }
}

impl std::error::Error for BodyError {}

/// Why a command for the response was refused. Nothing of the response changes then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResponseError {
    /// Not a status from 200 to 599, not a header that HTTP allows, or one that only the host sets.
    Invalid(String),
    /// Body or headers are larger than the component's `[limits]` allow.
    TooLarge,
    /// There is no such file, or it may not be sent.
    NotFound,
    /// The head has already gone to the client.
    AlreadySent,
}

impl fmt::Display for ResponseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(what) => write!(f, "the response was refused: {what}"),
            Self::TooLarge => {
                f.write_str("the response is larger than the component's limits allow")
            }
            Self::NotFound => f.write_str("there is no such file in the HTML root"),
            Self::AlreadySent => {
                f.write_str("the head of the response has already gone to the client")
            }
        }
    }
}

impl std::error::Error for ResponseError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "json")]
    #[test]
    fn json_survives_both_ways() {
        use serde_json::{Value as Json, json};
        for json in [
            json!(null),
            json!(true),
            json!(8080),
            json!(-1),
            json!(0.5),
            json!("text"),
            json!([{"host": "a"}]),
            json!({"max": 3}),
        ] {
            assert_eq!(Json::from(Value::from(json.clone())), json);
        }
        assert_eq!(Value::from(json!([1])), Value::Json("[1]".into()));
        assert_eq!(Json::from(Value::Number(f64::NAN)), Json::Null);
    }

    #[test]
    fn splits_the_url_of_a_call_at_the_first_question_mark() {
        for (url, path, query) in [
            ("/", "/", ""),
            ("/a/b?c=d", "/a/b", "c=d"),
            ("/a?b?c", "/a", "b?c"),
        ] {
            let call = WebCall {
                url: url.into(),
                ..WebCall::default()
            };
            assert_eq!((call.path(), call.query()), (path, query), "{url}");
        }
    }
}
