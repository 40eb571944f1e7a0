//! Stands before the HTTP/1 library, which takes what could be read in two ways: nothing that is not certainly a request
//! comes through, and what is refused is answered in its turn.
//!
//! Requests are looked at where they were read to, in the library's own buffer. A head that is not whole waits here. For
//! one that is refused the library gets a request of ours in its place, the last one of the connection, and whoever
//! answers requests learns through the [`Door`] why that one is refused.
//!
//! Requests for pages that are in memory are answered right here, at the [`Desk`], when all before them are: the library
//! never sees them, which saves more than half of what they would take.

mod authority;
mod bytes;
mod chunks;
mod coding;
mod course;
mod desk;
mod door;
mod head;
mod line;
mod outbox;
mod plain;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod turn_tests;

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use ::bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::tcp::OwnedWriteHalf;

use super::Protocol;
use super::activity::Activity;
use super::linger::Linger;
use crate::http::Reject;
use course::{Course, Looked, Rest};
pub(super) use desk::Answers;
use desk::Desk;
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
pub(super) struct Gate<S, A> {
    stream: S,
    course: Course,
    desk: Desk<A>,
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

/// What a connection needs the library for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needed {
    /// Requests of HTTP/1.
    Http1,
    /// HTTP/2.
    Http2,
    /// Nothing: it has ended.
    Nothing,
}

impl<S, A: Answers> Gate<S, A> {
    pub(super) fn new(
        stream: S,
        protocol: Protocol,
        answers: A,
        door: Arc<Door>,
        activity: Arc<Activity>,
        writing: Option<Arc<OwnedWriteHalf>>,
    ) -> Self {
        Self {
            stream,
            course: Course::new(protocol),
            desk: Desk::new(answers, door, activity, writing),
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
                    self.desk.activity.head_begins(self.course.heads + 1);
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
        self.desk.door.refuse(self.course.heads + 1, reject, head);
        self.held.truncate(self.ready);
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
            || self.course.heads > self.desk.door.begun()
            || self.desk.door.is_announced()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin, A: Answers> Gate<S, A> {
    /// Answers at once what can be, until the library is needed.
    pub(super) fn poll_needed(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Needed>> {
        loop {
            ready!(self.poll_answered(context))?;
            if self.course.is_http2() {
                return Poll::Ready(Ok(Needed::Http2));
            }
            match self.state {
                _ if self.ready > 0 => return Poll::Ready(Ok(Needed::Http1)),
                State::Open => ready!(self.poll_held(context))?,
                State::Refusing(_) => return Poll::Ready(Ok(Needed::Http1)),
                State::Shut => return Poll::Ready(Ok(Needed::Nothing)),
            }
        }
    }

    /// Sends what was answered: all of it where the library is to hear of something now, for until it has answered that it may
    /// not ask for more, and nobody would see to what was given away.
    fn poll_answered(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.desk.poll_sent(&mut self.stream, context))?;
        self.refuse_if_late();
        match self.ready > 0 || self.state != State::Open {
            true => self.desk.poll_all_sent(&mut self.stream, context),
            false => Poll::Ready(Ok(())),
        }
    }

    fn refuse_if_late(&mut self) {
        let is_late = self.state == State::Open && self.desk.door.is_late();
        if is_late && self.ready == 0 && !self.held.is_empty() {
            self.refuse(Reject::HeadLate);
        }
    }

    fn look(course: &mut Course, desk: &mut Desk<A>, bytes: &mut [u8]) -> Looked {
        course.look(bytes, |before, request| desk.answer(before, request))
    }

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
        let looked = Self::look(&mut self.course, &mut self.desk, new);
        if looked.answered > 0 {
            // Whatever follows has to wait until the answers are sent.
            let rest = new.get(looked.answered..).unwrap_or_default();
            self.held.extend_from_slice(rest);
            self.hold(looked.good, looked.rest);
            buffer.set_filled(before);
            return Poll::Ready(Ok(()));
        }
        let behind = new.get(looked.good..).unwrap_or_default();
        if !behind.is_empty() || looked.rest != Rest::Waits {
            let is_head = Head::has_begun(behind);
            self.held.extend_from_slice(behind);
            self.settle(looked.rest, is_head);
            buffer.set_filled(before + looked.good);
        }
        Poll::Ready(Ok(()))
    }

    /// The library writes: after what was answered here.
    fn poll_turn_to_write(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.desk.poll_all_sent(&mut self.stream, context))?;
        self.desk.poll_writes(self.course.heads, context).map(Ok)
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
        let looked = if self.held.is_empty() {
            let looked = Self::look(&mut self.course, &mut self.desk, piece.filled_mut());
            let rest = piece.filled().get(looked.answered..).unwrap_or_default();
            self.held.extend_from_slice(rest);
            looked
        } else {
            self.held.extend_from_slice(piece.filled());
            let looked = Self::look(&mut self.course, &mut self.desk, &mut self.held);
            self.held.advance(looked.answered);
            looked
        };
        self.hold(looked.good, looked.rest);
        Poll::Ready(Ok(()))
    }

    /// Takes note of what is held now: what may be passed on, and what is behind that.
    fn hold(&mut self, good: usize, rest: Rest) {
        self.ready = good;
        let behind = self.held.get(good..).unwrap_or_default();
        let is_head = Head::has_begun(behind);
        if self.held.is_empty() {
            // Most connections never need it again.
            self.held = BytesMut::new();
        }
        self.settle(rest, is_head);
    }
}

impl<S, A> AsyncRead for Gate<S, A>
where
    S: AsyncRead + AsyncWrite + Unpin,
    A: Answers + Unpin,
{
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        loop {
            ready!(this.poll_answered(context))?;
            if let Some(passed) = this.pass_on(buffer) {
                let is_end = passed.is_ready() && buffer.filled().len() == before;
                if is_end && this.desk.withholds_end() {
                    return Poll::Pending;
                }
                return passed.map(Ok);
            }
            if this.held.is_empty()
                && !this.desk.has_given()
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

impl<S, A> AsyncWrite for Gate<S, A>
where
    S: AsyncRead + AsyncWrite + Unpin,
    A: Answers + Unpin,
{
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_turn_to_write(context))?;
        Pin::new(&mut this.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_turn_to_write(context))?;
        Pin::new(&mut this.stream).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(context))?;
        self.desk.is_flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.linger.has_begun() {
            ready!(this.desk.poll_all_sent(&mut this.stream, context))?;
            ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
        }
        let has_unread = this.has_unread();
        ready!(this.linger.poll(&mut this.stream, has_unread, context));
        Poll::Ready(Ok(()))
    }
}
