//! What a handler fails with.

use std::fmt;

/// Any failure of a handler: the host answers 500 and writes the text into its log.
///
/// Every error converts into it, so `?` works. It is no `std::error::Error` itself, for that conversion's sake.
pub struct Error {
    text: String,
}

impl Error {
    /// Makes an error of a text for the log. The visitor does not see it.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into() }
    }

    /// The text for the log.
    pub fn into_text(self) -> String {
        self.text
    }
}

impl<E: std::error::Error> From<E> for Error {
    fn from(error: E) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            source = cause.source();
        }
        Self { text }
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
