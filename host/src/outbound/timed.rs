//! The body of a response, held to the time between its pieces.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use tessera_engine::{OutboundBody, OutboundError};
use tokio::time::{Instant, Sleep, sleep};

/// Fails if nothing comes for too long.
pub(super) struct TimedBody {
    body: OutboundBody,
    between: Duration,
    /// Runs while somebody waits.
    timer: Option<Pin<Box<Sleep>>>,
    is_waiting: bool,
}

impl TimedBody {
    pub(super) fn boxed(body: OutboundBody, between: Duration) -> OutboundBody {
        let timed = Self {
            body,
            between,
            timer: None,
            is_waiting: false,
        };
        timed.boxed_unsync()
    }
}

impl Body for TimedBody {
    type Data = Bytes;
    type Error = OutboundError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, OutboundError>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(context) {
            this.is_waiting = false;
            return Poll::Ready(frame);
        }
        let between = this.between;
        let timer = this.timer.get_or_insert_with(|| Box::pin(sleep(between)));
        if !this.is_waiting {
            // Time in which nobody asked for more does not count.
            timer.as_mut().reset(Instant::now() + between);
            this.is_waiting = true;
        }
        match timer.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Some(Err(OutboundError::ReadTimeout))),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
