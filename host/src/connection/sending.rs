//! A response's body on its way: its request is in progress until the last byte was taken, and what is not taken for a
//! while is the client's doing, unless it is still being made.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use super::activity::InProgress;
use crate::http::Body;
use crate::weblog::Pending;

/// The body, and the request that it answers.
pub(super) struct Sending {
    body: Body,
    in_progress: InProgress,
    /// Its line in the access log.
    log: Option<Box<Pending>>,
}

impl Sending {
    pub(super) fn new(body: Body, mut in_progress: InProgress, log: Option<Box<Pending>>) -> Self {
        in_progress.is_owed();
        Self {
            body,
            in_progress,
            log,
        }
    }
}

impl http_body::Body for Sending {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if let (Some(log), Poll::Ready(Some(Ok(frame)))) = (&mut self.log, &frame) {
            log.add_piece(frame.data_ref().map_or(&[][..], |data| data));
        }
        match frame {
            Poll::Pending => self.in_progress.is_not_owed(),
            Poll::Ready(_) => self.in_progress.is_owed(),
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
