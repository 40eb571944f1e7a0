//! What a handler fails with.

use std::any::Any;
use std::fmt;
use std::io;

use crate::response;
use crate::types::BodyError;

/// Any failure of a handler: a fault of its own, or a refusal of what the visitor sent.
///
/// | made by | the visitor gets | the host's log gets |
/// |---|---|---|
/// | [`Error::new`], and `?` on any other error | 500, and nothing of the text | the text |
/// | [`Error::refused`], [`OrRefuse`], a [`Form`](crate::Form) or [`Json`](crate::Json) that does not fit | the status and the text | nothing |
/// | `?` on a [`BodyError`] | 413 if it is too large, else 400 and the text | nothing |
///
/// Every error converts into it, so `?` works. It is no `std::error::Error` itself, for that conversion's sake.
///
/// ```
/// use tessera_guest::prelude::*;
/// use tessera_guest::test;
///
/// fn order(call: &WebCall) -> Result<impl Reply, Error> {
///     let pieces: u32 = call.query().parse()?; // 500: the text goes to the log
///     if pieces == 0 {
///         return Err(Error::refused(400, "order one piece at least"));
///     }
///     Ok(text(format!("{pieces} ordered")))
/// }
///
/// assert_eq!(test::get("/?3").connect(order).text(), "3 ordered");
/// let refused = test::get("/?0").connect(order);
/// assert_eq!((refused.status, refused.text()), (400, "order one piece at least"));
/// assert_eq!(test::get("/?many").connect(order).status, 500);
/// ```
pub struct Error {
    text: String,
    /// The status of a refusal.
    status: Option<u16>,
}

impl Error {
    /// Makes a fault, 500, of a text for the log. The visitor does not see it.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            status: None,
        }
    }

    /// Makes a refusal: a status, 400 to 599, and the text that the visitor sees, as plain text. With an empty text the host
    /// sends its page for that status.
    pub fn refused(status: u16, text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            status: Some(status),
        }
    }

    /// The status of a refusal; none for a fault.
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// The text, for the visitor or for the log.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text, for the visitor or for the log.
    pub fn into_text(self) -> String {
        self.text
    }

    /// The error itself if it is one, else a fault with its text.
    pub(crate) fn of<E: fmt::Display + 'static>(mut error: E) -> Self {
        match (&mut error as &mut dyn Any).downcast_mut::<Self>() {
            Some(own) => std::mem::replace(own, Self::new("")),
            None => Self {
                text: error.to_string(),
                status: body_status(&error),
            },
        }
    }

    /// Sends a refusal; a fault is returned, for the log.
    pub(crate) fn settle(self) -> Result<(), String> {
        let Some(status) = self.status else {
            return Err(self.into_text());
        };
        let sent = response::set_status(status).and_then(|()| match self.text.as_str() {
            "" => Ok(()),
            text => response::send_text(text, "text/plain"),
        });
        sent.map_err(|refused| format!("{self} ({refused})"))
    }
}

/// What the visitor is told of a body that cannot be read, if the error is about one.
fn body_status(error: &dyn Any) -> Option<u16> {
    let error = match error.downcast_ref::<io::Error>() {
        // As readers of the body wrap it.
        Some(error) => error.get_ref()?.downcast_ref::<BodyError>(),
        None => error.downcast_ref::<BodyError>(),
    };
    match error? {
        BodyError::TooLarge => Some(413),
        BodyError::Incomplete | BodyError::Malformed(_) => Some(400),
        // The component asked for what it was not told of.
        BodyError::NoSuchPart => None,
    }
}

impl<E: std::error::Error + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            source = cause.source();
        }
        Self {
            text,
            status: body_status(&error),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Makes a refusal of what is missing or wrong, for `?`.
///
/// ```
/// use tessera_guest::prelude::*;
/// use tessera_guest::test;
///
/// fn article(call: &WebCall) -> Result<impl Reply, Error> {
///     let number: u32 = call.query().parse().or_refuse(400, "that is no number")?;
///     let name = ["pen", "ink"].get(number as usize).or_refuse(404, "no such article")?;
///     Ok(text(name))
/// }
///
/// assert_eq!(test::get("/?1").connect(article).text(), "ink");
/// assert_eq!(test::get("/?x").connect(article).status, 400);
/// assert_eq!(test::get("/?7").connect(article).text(), "no such article");
/// ```
pub trait OrRefuse<T> {
    /// The value, or [`Error::refused`] with that status and text.
    fn or_refuse(self, status: u16, text: impl Into<String>) -> Result<T, Error>;
}

impl<T> OrRefuse<T> for Option<T> {
    fn or_refuse(self, status: u16, text: impl Into<String>) -> Result<T, Error> {
        self.ok_or_else(|| Error::refused(status, text))
    }
}

impl<T, E> OrRefuse<T> for Result<T, E> {
    fn or_refuse(self, status: u16, text: impl Into<String>) -> Result<T, Error> {
        self.map_err(|_| Error::refused(status, text))
    }
}
