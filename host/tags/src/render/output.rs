//! What a rendering sends: counted, and escaped where it has to be.

use super::Sink;
use crate::escape::escape;
use crate::fault::Code;
use crate::limits::Limit;
use crate::number;
use crate::value::Value;

#[derive(Debug)]
pub(super) struct Output {
    pub(super) bytes: u64,
    bytes_max: u64,
    /// For numbers.
    scratch: String,
}

impl Output {
    pub(super) fn new(bytes_max: u64) -> Self {
        Self {
            bytes: 0,
            bytes_max,
            scratch: String::new(),
        }
    }

    fn take(&mut self, bytes: usize) -> Result<(), Code> {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let sum = self.bytes.saturating_add(bytes);
        if sum > self.bytes_max {
            return Err(self.exceeded());
        }
        self.bytes = sum;
        Ok(())
    }

    fn exceeded(&self) -> Code {
        Code::Limit(Limit::Output(self.bytes_max))
    }

    pub(super) fn page<S: Sink + ?Sized>(
        &mut self,
        bytes: &[u8],
        sink: &mut S,
    ) -> Result<(), Code> {
        self.take(bytes.len())?;
        sink.bytes(bytes);
        Ok(())
    }

    /// An error text: sent in any case. False where the limit is reached with it.
    pub(super) fn error<S: Sink + ?Sized>(
        &mut self,
        text: &[u8],
        sink: &mut S,
    ) -> Result<(), Code> {
        sink.bytes(text);
        let taken = self.take(text.len());
        if taken.is_err() {
            self.bytes = self.bytes_max;
        }
        taken
    }

    /// A value, escaped.
    pub(super) fn text<S: Sink + ?Sized>(
        &mut self,
        value: &Value,
        sink: &mut S,
    ) -> Result<(), Code> {
        match value {
            Value::Text(text) => self.escaped(text, sink),
            other => self.plain(other, sink),
        }
    }

    pub(super) fn escaped<S: Sink + ?Sized>(
        &mut self,
        text: &str,
        sink: &mut S,
    ) -> Result<(), Code> {
        self.take(text.len())?;
        let mut bytes = 0;
        escape(text, |piece| {
            bytes += piece.len();
            sink.text(piece);
        });
        self.take(bytes - text.len())
    }

    /// A value as it is.
    pub(super) fn plain<S: Sink + ?Sized>(
        &mut self,
        value: &Value,
        sink: &mut S,
    ) -> Result<(), Code> {
        let text = match value {
            Value::Null => return Ok(()),
            Value::Boolean(true) => "True",
            Value::Boolean(false) => "False",
            Value::Number(number) => {
                self.scratch.clear();
                number::show(*number, &mut self.scratch);
                self.take(self.scratch.len())?;
                sink.text(&self.scratch);
                return Ok(());
            }
            Value::Text(text) => text,
            Value::List(_) | Value::Object(_) => return Err(Code::Types),
        };
        self.take(text.len())?;
        sink.text(text);
        Ok(())
    }
}
