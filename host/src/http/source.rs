//! A body as the coders want it: something that bytes are read from.

use std::error::Error;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};

/// Bytes after which other requests have their turn: a coder would otherwise keep its thread for as long as there is
/// input, and a large body in memory is all there at once.
const TURN_BYTES: usize = 64 * 1024;

/// A body to read from. Its errors come as the causes of `io::Error`s.
pub(super) struct Source<B> {
    body: B,
    piece: Bytes,
    /// What was read since others had their turn.
    turn: usize,
}

impl<B> Source<B> {
    pub(super) fn new(body: B) -> Self {
        Self {
            body,
            piece: Bytes::new(),
            turn: 0,
        }
    }
}

impl<B> AsyncBufRead for Source<B>
where
    B: http_body::Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Unpin,
{
    fn poll_fill_buf(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        if this.turn >= TURN_BYTES {
            this.turn = 0;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        while this.piece.is_empty() {
            match ready!(Pin::new(&mut this.body).poll_frame(context)) {
                None => return Poll::Ready(Ok(&[])),
                Some(Err(error)) => return Poll::Ready(Err(io::Error::other(error))),
                Some(Ok(frame)) => this.piece = frame.into_data().unwrap_or_default(),
            }
        }
        let length = this.piece.len().min(TURN_BYTES - this.turn);
        Poll::Ready(Ok(this.piece.get(..length).unwrap_or_default()))
    }

    fn consume(mut self: Pin<&mut Self>, count: usize) {
        let count = count.min(self.piece.len());
        self.piece.advance(count);
        self.turn += count;
    }
}

impl<B> AsyncRead for Source<B>
where
    Self: AsyncBufRead + Unpin,
{
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let available = ready!(self.as_mut().poll_fill_buf(context))?;
        let length = available.len().min(buffer.remaining());
        buffer.put_slice(available.get(..length).unwrap_or_default());
        self.consume(length);
        Poll::Ready(Ok(()))
    }
}
