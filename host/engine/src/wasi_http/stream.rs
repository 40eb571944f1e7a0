//! The body of an answer that the guest is still making.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep_until};
#[cfg(feature = "p3")]
use wasmtime_wasi_http::WasiBody;

use super::head::{BodyPlace, broken_off, failed};
use super::run::Left;
#[cfg(feature = "p3")]
use super::ticket::Client;
use super::worker::Worker;
use crate::due::Due;
use crate::error::ProcessError;

/// A body on its way out of a guest. It ends with an error if the guest, its deadline or a limit cuts it off, so that the
/// client can tell a part from the whole. Dropping it ends the web process.
pub struct AnswerStream {
    source: Source,
    due: Due,
    /// Past it the client is told, even if the guest's thread does not get to it.
    timer: Option<Pin<Box<Sleep>>>,
    length: Option<u64>,
    sent: u64,
    bytes_max: u64,
}

/// Where a body comes from.
pub(super) enum Source {
    /// A web process with an instance of its own.
    Worker { body: BodyPlace, worker: Worker },
    /// What is left of one that is done.
    Left(Left),
    /// All that there is.
    Ready(VecDeque<Frame<Bytes>>),
    /// An instance that has other requests as well.
    #[cfg(feature = "p3")]
    Shared {
        /// What it has made already.
        frames: VecDeque<Frame<Bytes>>,
        body: WasiBody,
        client: Client,
    },
    /// Nothing more comes.
    Ended,
}

impl fmt::Debug for AnswerStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerStream")
            .field("length", &self.length)
            .field("sent", &self.sent)
            .finish_non_exhaustive()
    }
}

/// What holds a body.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    pub(super) due: Due,
    pub(super) bytes_max: u64,
}

impl AnswerStream {
    pub(super) fn new(source: Source, length: Option<u64>, limits: Limits) -> Self {
        Self {
            source,
            due: limits.due,
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

    fn cut(&mut self, error: ProcessError) -> Polled {
        self.source = Source::Ended;
        Poll::Ready(Some(Err(error)))
    }

    /// All was sent. What the guest does beyond that is its own, within its deadline.
    fn end(&mut self) {
        if let Source::Worker { worker, .. } = std::mem::replace(&mut self.source, Source::Ended) {
            worker.let_go();
        }
    }

    fn pass(&mut self, frame: Frame<Bytes>) -> Polled {
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

    /// Waits for the end of the guest's time.
    fn poll_deadline(&mut self, context: &mut Context<'_>) -> Polled {
        loop {
            let deadline = self.due.now();
            let timer = self
                .timer
                .get_or_insert_with(|| Box::pin(sleep_until(deadline.at.into())));
            match timer.as_mut().poll(context) {
                Poll::Ready(()) if self.due.has_passed() => {
                    return self.cut(ProcessError::Deadline(deadline.after));
                }
                // It has been put off.
                Poll::Ready(()) => timer.as_mut().reset(deadline.at.into()),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

type Polled = Poll<Option<Result<Frame<Bytes>, ProcessError>>>;

/// What a look at a source came to.
enum Look {
    Frame(Frame<Bytes>),
    End,
    Fault(ProcessError),
    /// Nothing yet.
    Wait,
    /// The guest is done; this is the rest.
    Left(Left),
}

impl Source {
    fn look(&mut self, context: &mut Context<'_>) -> Look {
        match self {
            Self::Worker { body, worker } => {
                let frame = match &mut *body.lock() {
                    Some(body) => Pin::new(body).poll_frame(context),
                    None => Poll::Pending,
                };
                // The guest's own end says more than that of its body, which ends alike if the guest dies.
                match frame {
                    Poll::Ready(Some(Ok(frame))) => Look::Frame(frame),
                    Poll::Ready(Some(Err(error))) => {
                        Look::Fault(worker.fault().unwrap_or_else(|| broken_off(&error)))
                    }
                    Poll::Ready(None) => worker.fault().map_or(Look::End, Look::Fault),
                    Poll::Pending => match worker.poll_outcome(context) {
                        Poll::Ready(Ok(left)) => Look::Left(left),
                        Poll::Ready(Err(fault)) => Look::Fault(fault),
                        Poll::Pending => Look::Wait,
                    },
                }
            }
            Self::Left(left) => match left.frames.pop_front() {
                Some(frame) => Look::Frame(frame),
                None => match std::mem::replace(&mut left.end, Ok(())) {
                    Ok(()) => Look::End,
                    Err(fault) => Look::Fault(fault),
                },
            },
            Self::Ready(frames) => frames.pop_front().map_or(Look::End, Look::Frame),
            #[cfg(feature = "p3")]
            Self::Shared { frames, .. } if !frames.is_empty() => {
                frames.pop_front().map_or(Look::End, Look::Frame)
            }
            #[cfg(feature = "p3")]
            Self::Shared { body, client, .. } => match Pin::new(body).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => Look::Frame(frame),
                Poll::Ready(Some(Err(error))) => {
                    Look::Fault(client.0.fault().unwrap_or_else(|| broken_off(&error)))
                }
                Poll::Ready(None) => client.0.fault().map_or(Look::End, Look::Fault),
                Poll::Pending => Look::Wait,
            },
            Self::Ended => Look::End,
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
        loop {
            match self.source.look(context) {
                Look::Frame(frame) => return self.pass(frame),
                Look::Fault(fault) => return self.cut(fault),
                Look::Wait => return self.poll_deadline(context),
                Look::Left(left) => self.source = Source::Left(left),
                Look::End => {
                    self.end();
                    return Poll::Ready(None);
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Ended => true,
            Source::Ready(frames) => frames.is_empty(),
            _ => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.left().map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}
