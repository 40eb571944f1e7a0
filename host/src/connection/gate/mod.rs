//! Stands before the HTTP/1 library, which takes what could be read in two ways: nothing that is not certainly a request
//! comes through, and what is refused is answered in its turn.
//!
//! Requests are looked at where they were read to, in the library's own buffer. A head that is not whole waits here. For
//! one that is refused the library gets a request of ours in its place, the last one of the connection, and whoever
//! answers requests learns through the [`Door`] why that one is refused.

mod authority;
mod bytes;
mod chunks;
mod coding;
mod course;
mod door;
mod head;
mod line;
#[cfg(test)]
mod tests;

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use ::bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Protocol;
use super::activity::Activity;
use super::linger::Linger;
use crate::http::Reject;
use course::{Course, Looked, Rest};
pub(super) use door::Door;
use head::Head;

/// What the library gets in place of a request that is refused.
const STAND_IN: &[u8] = b"GET / HTTP/1.1\r\nHost: refused\r\n\r\n";
/// The same where the answer must have no body.
const STAND_IN_HEAD: &[u8] = b"HEAD / HTTP/1.1\r\nHost: refused\r\n\r\n";
/// Into a buffer that is smaller nothing is read: the library looks at a connection's first bytes through one of 24.
const BUFFER_BYTES_MIN: usize = 1024;
/// Bytes read at once while a head waits.
const PIECE_BYTES: usize = 4 * 1024;

/// A stream that only requests come through.
pub(super) struct Gate<S> {
    stream: S,
    course: Course,
    door: Arc<Door>,
    activity: Arc<Activity>,
    state: State,
    /// Bytes that were read and not passed on: some that may be, and then the beginning of a head.
    held: BytesMut,
    /// How many of them may be passed on.
    ready: usize,
    linger: Linger,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// A request was refused: what is left of the one in its place.
    Refusing(&'static [u8]),
    /// Nothing more comes through.
    Shut,
}

impl<S> Gate<S> {
    pub(super) fn new(
        stream: S,
        protocol: Protocol,
        door: Arc<Door>,
        activity: Arc<Activity>,
    ) -> Self {
        Self {
            stream,
            course: Course::new(protocol),
            door,
            activity,
            state: State::Open,
            held: BytesMut::new(),
            ready: 0,
            linger: Linger::default(),
        }
    }

    /// Takes note of what was found behind the bytes that may be passed on; `rest` are all others.
    fn settle(&mut self, found: Rest, rest_is_head: bool) {
        match found {
            Rest::Waits => {
                if rest_is_head {
                    self.activity.head_begins(self.course.heads + 1);
                }
            }
            Rest::Refused(reject) => self.refuse(reject),
            Rest::Broken => self.state = State::Shut,
        }
    }

    /// Lets a request of ours through in place of the head that waits.
    fn refuse(&mut self, reject: Reject) {
        let head = self.held.get(self.ready..).unwrap_or_default();
        let stand_in = match head.starts_with(b"HEAD ") {
            true => STAND_IN_HEAD,
            false => STAND_IN,
        };
        self.held.truncate(self.ready);
        self.door.refuse(self.course.heads + 1, reject);
        self.state = State::Refusing(stand_in);
    }

    /// What can be passed on without reading; `None` if something has to be read first.
    fn pass_on(&mut self, buffer: &mut ReadBuf<'_>) -> Option<Poll<()>> {
        if self.ready > 0 {
            let length = self.ready.min(buffer.remaining());
            buffer.put_slice(self.held.get(..length).unwrap_or_default());
            self.held.advance(length);
            self.ready -= length;
            if self.held.is_empty() {
                // Most connections never need it again.
                self.held = BytesMut::new();
            }
            return Some(Poll::Ready(()));
        }
        match self.state {
            State::Open => None,
            State::Refusing([]) => Some(Poll::Pending),
            State::Refusing(stand_in) => {
                let (now, later) = stand_in.split_at(stand_in.len().min(buffer.remaining()));
                buffer.put_slice(now);
                self.state = State::Refusing(later);
                Some(Poll::Ready(()))
            }
            State::Shut => Some(Poll::Ready(())),
        }
    }

    /// The client has ended its side.
    fn end(&mut self) {
        self.linger.forgo();
        match Head::has_begun(&self.held) && !self.course.is_in_body() {
            true => self.refuse(Reject::Malformed("the request ended early")),
            false => self.state = State::Shut,
        }
    }

    /// Whether the client may be sending something that nobody will read, so that closing would throw the last answers
    /// away.
    fn has_unread(&self) -> bool {
        !self.held.is_empty()
            || self.course.is_in_body()
            || self.state != State::Open
            || self.course.heads > self.door.begun()
            || self.door.is_announced()
    }
}

impl<S: AsyncRead + Unpin> Gate<S> {
    /// Reads to where the library wants it, and keeps back what may not be passed on.
    fn poll_straight(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let new = buffer.filled_mut().get_mut(before..).unwrap_or_default();
        if new.is_empty() {
            self.end();
            return Poll::Ready(Ok(()));
        }
        let Looked { good, rest } = self.course.look(new);
        let behind = new.get(good..).unwrap_or_default();
        if !behind.is_empty() || rest != Rest::Waits {
            let is_head = Head::has_begun(behind);
            self.held.extend_from_slice(behind);
            self.settle(rest, is_head);
            buffer.set_filled(before + good);
        }
        Poll::Ready(Ok(()))
    }

    /// Reads on behind what is held.
    fn poll_held(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut space = [MaybeUninit::uninit(); PIECE_BYTES];
        let mut piece = ReadBuf::uninit(&mut space);
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut piece))?;
        if piece.filled().is_empty() {
            self.end();
            return Poll::Ready(Ok(()));
        }
        self.held.extend_from_slice(piece.filled());
        let Looked { good, rest } = self.course.look(&mut self.held);
        self.ready = good;
        let behind = self.held.get(good..).unwrap_or_default();
        let is_head = Head::has_begun(behind);
        self.settle(rest, is_head);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Gate<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        loop {
            if this.state == State::Open
                && this.door.is_late()
                && this.ready == 0
                && !this.held.is_empty()
            {
                this.refuse(Reject::HeadLate);
            }
            if let Some(passed) = this.pass_on(buffer) {
                return passed.map(Ok);
            }
            if this.held.is_empty()
                && (this.course.is_http2() || buffer.remaining() >= BUFFER_BYTES_MIN)
            {
                ready!(this.poll_straight(context, buffer))?;
                if buffer.filled().len() > before {
                    return Poll::Ready(Ok(()));
                }
            } else {
                ready!(this.poll_held(context))?;
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Gate<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.linger.has_begun() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
        }
        let has_unread = this.has_unread();
        ready!(this.linger.poll(&mut this.stream, has_unread, context));
        Poll::Ready(Ok(()))
    }
}
