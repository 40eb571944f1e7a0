//! A connection's stream that follows the frames of both sides, and is taken away where they are a flood.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use super::allowance::{Allowance, Cause};
use super::follow::{Follower, GOAWAY};
use super::goodbye::{Caught, Flood};
use crate::connection::Protocol;

/// What a client of HTTP/2 sends first.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// How long a client may take for the rest of the frame that it is being sent, before it is cut off.
const REST_OF_FRAME: Duration = Duration::from_secs(1);

/// The stream, as long as the connection is no flood.
pub(in crate::connection) struct Watched<S> {
    /// None once it was taken away.
    stream: Option<S>,
    spoken: Spoken,
    caught: Caught<S>,
}

/// What is spoken, as far as is known.
enum Spoken {
    /// Whatever the client begins with; so many bytes of HTTP/2's preface have come.
    Unknown(usize),
    Http1,
    Http2(Watch),
}

struct Watch {
    received: Follower,
    sent: Follower,
    allowance: Allowance,
    /// The lowest last stream that a GOAWAY of ours has named: a further one must not name a higher one.
    announced: u32,
    ending: Option<Ending>,
}

/// The client is not heard any more; the frame that it is being sent comes to its end.
struct Ending {
    cause: Cause,
    last_stream: u32,
    late: Pin<Box<Sleep>>,
    /// Who waits for further bytes.
    reader: Option<Waker>,
}

impl<S> Watched<S> {
    /// The stream, and where it is found after it was taken away.
    pub(in crate::connection) fn new(stream: S, protocol: Protocol) -> (Self, Caught<S>) {
        let caught = Caught::new();
        let spoken = match protocol {
            Protocol::Either => Spoken::Unknown(0),
            Protocol::Http1 => Spoken::Http1,
            Protocol::Http2 => Spoken::Http2(Watch::new(PREFACE.len())),
        };
        let watched = Self {
            stream: Some(stream),
            spoken,
            caught: caught.clone(),
        };
        (watched, caught)
    }

    /// Takes the stream away once the last frame is whole, or the client was too slow for it. `None` as long as the
    /// connection is no flood.
    fn poll_ending(&mut self, context: &mut Context<'_>) -> Option<Poll<io::Error>> {
        let Spoken::Http2(watch) = &mut self.spoken else {
            return None;
        };
        let ending = watch.ending.as_mut()?;
        let is_whole = watch.sent.is_between();
        if !is_whole && ending.late.as_mut().poll(context).is_pending() {
            return Some(Poll::Pending);
        }
        if let Some(stream) = self.stream.take() {
            self.caught.put(Flood {
                stream,
                cause: ending.cause,
                last_stream: ending.last_stream.min(watch.announced),
                is_whole,
            });
        }
        Some(Poll::Ready(taken_away()))
    }

    fn received(&mut self, bytes: &[u8]) {
        match &mut self.spoken {
            Spoken::Http1 => {}
            Spoken::Http2(watch) => watch.received(bytes),
            Spoken::Unknown(seen) => {
                let missing = PREFACE.get(*seen..).unwrap_or_default();
                let count = missing.len().min(bytes.len());
                let (begun, rest) = bytes.split_at(count);
                if !missing.starts_with(begun) {
                    self.spoken = Spoken::Http1;
                } else if count < missing.len() {
                    *seen += count;
                } else {
                    let mut watch = Watch::new(0);
                    watch.received(rest);
                    self.spoken = Spoken::Http2(watch);
                }
            }
        }
    }

    fn sent<'a>(&mut self, pieces: impl IntoIterator<Item = &'a [u8]>, count: usize) {
        let Spoken::Http2(watch) = &mut self.spoken else {
            return;
        };
        let mut left = count;
        for piece in pieces {
            let piece = piece.get(..left).unwrap_or(piece);
            watch.sent(piece);
            left -= piece.len();
            if left == 0 {
                break;
            }
        }
    }

    fn is_ending(&self) -> bool {
        matches!(&self.spoken, Spoken::Http2(watch) if watch.ending.is_some())
    }
}

impl<S: AsyncWrite + Unpin> Watched<S> {
    /// Writes no more than the rest of the frame that was begun.
    fn write_rest(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        // Pending is a frame that is not whole, and the clock that runs meanwhile.
        if let Some(Poll::Ready(error)) = self.poll_ending(context) {
            return Poll::Ready(Err(error));
        }
        let (Some(stream), Spoken::Http2(watch)) = (self.stream.as_mut(), &mut self.spoken) else {
            return Poll::Ready(Err(taken_away()));
        };
        let rest = watch.sent.rest_of_frame(bytes);
        let bytes = bytes.get(..rest).unwrap_or_default();
        let count = ready!(Pin::new(stream).poll_write(context, bytes))?;
        watch.sent(bytes.get(..count).unwrap_or_default());
        let reader = watch.ending.as_mut().and_then(|it| it.reader.take());
        if let Some(reader) = reader {
            reader.wake();
        }
        Poll::Ready(Ok(count))
    }
}

impl Watch {
    /// The first frame of the client comes after so many bytes.
    fn new(after: usize) -> Self {
        Self {
            received: Follower::after(after),
            sent: Follower::after(0),
            allowance: Allowance::new(),
            announced: u32::MAX,
            ending: None,
        }
    }

    fn received(&mut self, mut bytes: &[u8]) {
        // What comes with a flood is not handed on: nobody has seen the requests in it.
        let last_stream = self.allowance.last_stream();
        while let Some(frame) = self.received.next(&mut bytes) {
            if let Err(cause) = self.allowance.received(frame) {
                return self.end(cause, last_stream);
            }
        }
    }

    fn sent(&mut self, mut bytes: &[u8]) {
        while let Some(frame) = self.sent.next(&mut bytes) {
            if frame.kind == GOAWAY {
                self.announced = self.announced.min(frame.word);
            }
            if let Err(cause) = self.allowance.sent(frame) {
                self.end(cause, self.allowance.last_stream());
            }
        }
    }

    fn end(&mut self, cause: Cause, last_stream: u32) {
        if self.ending.is_none() {
            self.ending = Some(Ending {
                cause,
                last_stream,
                late: Box::pin(tokio::time::sleep(REST_OF_FRAME)),
                reader: None,
            });
        }
    }
}

fn taken_away() -> io::Error {
    io::Error::new(
        io::ErrorKind::ConnectionAborted,
        "the client sends too much that asks for nothing",
    )
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        if !self.is_ending() {
            let Some(stream) = self.stream.as_mut() else {
                return Poll::Ready(Err(taken_away()));
            };
            ready!(Pin::new(stream).poll_read(context, buffer))?;
            if let Spoken::Http1 = self.spoken {
                return Poll::Ready(Ok(()));
            }
            self.received(buffer.filled().get(before..).unwrap_or_default());
        }
        let Some(ended) = self.poll_ending(context) else {
            return Poll::Ready(Ok(()));
        };
        buffer.set_filled(before);
        if let Spoken::Http2(watch) = &mut self.spoken
            && let Some(ending) = &mut watch.ending
        {
            ending.reader = Some(context.waker().clone());
        }
        ended.map(Err)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.is_ending() {
            return self.write_rest(context, bytes);
        }
        let Some(stream) = self.stream.as_mut() else {
            return Poll::Ready(Err(taken_away()));
        };
        let count = ready!(Pin::new(stream).poll_write(context, bytes))?;
        self.sent([bytes], count);
        Poll::Ready(Ok(count))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.is_ending() {
            let first = pieces.iter().find(|piece| !piece.is_empty());
            return self.write_rest(context, first.map_or(&[], |piece| piece));
        }
        let Some(stream) = self.stream.as_mut() else {
            return Poll::Ready(Err(taken_away()));
        };
        let count = ready!(Pin::new(stream).poll_write_vectored(context, pieces))?;
        self.sent(pieces.iter().map(|piece| &**piece), count);
        Poll::Ready(Ok(count))
    }

    fn is_write_vectored(&self) -> bool {
        let stream = self.stream.as_ref();
        stream.is_some_and(AsyncWrite::is_write_vectored)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Some(stream) => Pin::new(stream).poll_flush(context),
            None => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Some(stream) => Pin::new(stream).poll_shutdown(context),
            None => Poll::Ready(Ok(())),
        }
    }
}
