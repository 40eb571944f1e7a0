//! A body that a component is still making.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body as _, Frame};
use tessera_engine::{AnswerStream, ProcessError};

/// Told why a body is cut, once.
pub type Teller = Box<dyn FnOnce(&ProcessError) + Send + Sync>;

/// What the component makes, and who is told if it does not come to its end.
pub(super) struct StreamedBody {
    stream: Box<AnswerStream>,
    teller: Option<Teller>,
}

impl fmt::Debug for StreamedBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.stream.fmt(f)
    }
}

impl StreamedBody {
    pub(super) fn new(stream: Box<AnswerStream>) -> Self {
        Self {
            stream,
            teller: None,
        }
    }

    pub(super) fn tell(&mut self, teller: Teller) {
        self.teller = Some(teller);
    }

    /// How many bytes are left, if the component said how many there will be.
    pub(super) fn left(&self) -> Option<u64> {
        self.stream.left()
    }

    pub(super) fn is_end(&self) -> bool {
        self.stream.is_end_stream()
    }

    /// The next piece, or the trailers. An error breaks off the response, so that the client can tell it from a whole one.
    pub(super) fn poll(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let frame = ready!(Pin::new(&mut *self.stream).poll_frame(context));
        Poll::Ready(frame.map(|frame| {
            frame.map_err(|error| {
                if let Some(tell) = self.teller.take() {
                    tell(&error);
                }
                io::Error::other(error.to_string())
            })
        }))
    }
}
