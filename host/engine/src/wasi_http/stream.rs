//! The body of an answer that the guest is still making.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep_until};
use wasmtime_wasi_http::WasiBody;

use super::head::failed;
#[cfg(feature = "p3")]
use super::ticket::Client;
use super::worker::Worker;
use crate::call::Deadline;
use crate::error::ProcessError;

/// A body on its way out of a guest. It ends with an error if the guest, its deadline or a limit cuts it off, so that the
/// client can tell a part from the whole. Dropping it ends the web process.
pub struct AnswerStream {
    /// What was taken out before it was known that more follows.
    ready: VecDeque<Frame<Bytes>>,
    /// None once it has ended.
    body: Option<WasiBody>,
    /// None when the guest is done, and all is in `body`.
    behind: Option<Behind>,
    deadline: Deadline,
    /// Past it the client is told, even if the guest's thread does not get to it.
    timer: Option<Pin<Box<Sleep>>>,
    length: Option<u64>,
    sent: u64,
    bytes_max: u64,
}

impl fmt::Debug for AnswerStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerStream")
            .field("length", &self.length)
            .field("sent", &self.sent)
            .finish_non_exhaustive()
    }
}

/// Who makes a body.
pub(super) enum Behind {
    /// A web process with an instance of its own.
    Worker(Worker),
    /// An instance that has other requests as well.
    #[cfg(feature = "p3")]
    Shared(Client),
}

impl Behind {
    /// How the guest ended; one with other requests does not end with this one.
    fn poll_outcome(&mut self, context: &mut Context<'_>) -> Poll<Result<(), ProcessError>> {
        match self {
            Self::Worker(worker) => worker.poll_outcome(context),
            #[cfg(feature = "p3")]
            Self::Shared(_) => Poll::Pending,
        }
    }

    fn fault(&mut self) -> Option<ProcessError> {
        match self {
            Self::Worker(worker) => worker.fault(),
            #[cfg(feature = "p3")]
            Self::Shared(client) => client.0.fault(),
        }
    }
}

/// What holds a body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) deadline: Deadline,
    pub(super) bytes_max: u64,
}

impl AnswerStream {
    pub(super) fn new(
        ready: VecDeque<Frame<Bytes>>,
        body: Option<WasiBody>,
        behind: Option<Behind>,
        length: Option<u64>,
        limits: Limits,
    ) -> Self {
        Self {
            ready,
            body,
            behind,
            deadline: limits.deadline,
            timer: None,
            length,
            sent: 0,
            bytes_max: limits.bytes_max,
        }
    }

    /// How many bytes are left; none if only sending them will tell.
    pub fn left(&self) -> Option<u64> {
        Some(self.length?.saturating_sub(self.sent))
    }

    fn cut(&mut self, error: ProcessError) -> Poll<Option<Result<Frame<Bytes>, ProcessError>>> {
        self.body = None;
        self.behind = None;
        Poll::Ready(Some(Err(error)))
    }

    /// All was sent. What the guest does beyond that is its own, within its deadline.
    fn end(&mut self) {
        self.body = None;
        if let Some(Behind::Worker(worker)) = self.behind.take() {
            worker.let_go();
        }
    }

    fn pass(&mut self, frame: Frame<Bytes>) -> Poll<Option<Result<Frame<Bytes>, ProcessError>>> {
        if let Some(data) = frame.data_ref() {
            self.sent += data.len() as u64;
            if self.sent > self.bytes_max {
                return self.cut(too_large(self.bytes_max));
            }
        } else {
            self.end();
        }
        Poll::Ready(Some(Ok(frame)))
    }

    /// Waits for the end of the guest or of its time, whatever is first.
    fn poll_ends(&mut self, context: &mut Context<'_>) -> Poll<Result<(), ProcessError>> {
        let Some(behind) = &mut self.behind else {
            return Poll::Ready(Err(failed(
                "it ended without finishing the body of its answer",
            )));
        };
        if let Poll::Ready(result) = behind.poll_outcome(context) {
            self.behind = None;
            return Poll::Ready(result);
        }
        let deadline = self.deadline;
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(sleep_until(deadline.at.into())));
        match timer.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(ProcessError::Deadline(deadline.after))),
            Poll::Pending => Poll::Pending,
        }
    }
}

/// An answer beyond what its component may send.
pub(super) fn too_large(bytes_max: u64) -> ProcessError {
    failed(format!(
        "its answer is larger than [limits] response_size, which is {bytes_max} bytes"
    ))
}

impl Body for AnswerStream {
    type Data = Bytes;
    type Error = ProcessError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ProcessError>>> {
        if let Some(frame) = self.ready.pop_front() {
            return self.pass(frame);
        }
        loop {
            let Some(body) = &mut self.body else {
                return Poll::Ready(None);
            };
            match Pin::new(body).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => return self.pass(frame),
                Poll::Ready(Some(Err(error))) => {
                    // The guest's own end says more than that of its body.
                    let fault = self.behind.as_mut().and_then(Behind::fault);
                    let broken = || failed(format!("it broke off the body of its answer: {error}"));
                    return self.cut(fault.unwrap_or_else(broken));
                }
                Poll::Ready(None) => {
                    // The body of a guest that died ends as one that was finished does.
                    return match self.behind.as_mut().and_then(Behind::fault) {
                        Some(fault) => self.cut(fault),
                        None => {
                            self.end();
                            Poll::Ready(None)
                        }
                    };
                }
                Poll::Pending => match self.poll_ends(context) {
                    // All that will ever come of it is there now.
                    Poll::Ready(Ok(())) => {}
                    Poll::Ready(Err(fault)) => return self.cut(fault),
                    Poll::Pending => return Poll::Pending,
                },
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ready.is_empty() && self.body.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.left().map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}
