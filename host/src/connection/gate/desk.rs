//! Where plain requests are answered at once, if it is their turn and their answer is in memory.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use tokio::io::AsyncWrite;
use tokio::net::tcp::OwnedWriteHalf;

use super::door::Door;
use super::outbox::Outbox;
use crate::connection::activity::Activity;
use crate::connection::together::Departure;
use crate::http::{PlainGet, ReadyMade};

/// Knows the answers that are in memory.
pub(in crate::connection) trait Answers {
    /// The answer to the request of a number, counted from 1; `None` if it takes more than to send it. Where `may_call`
    /// does not say that something may be called for it, it is one that is there already.
    fn answer(&self, number: u64, request: PlainGet<'_>, may_call: bool) -> Option<ReadyMade>;
}

/// Answers requests, and sends what it answered.
pub(super) struct Desk<A> {
    answers: A,
    pub(super) door: Arc<Door>,
    pub(super) activity: Arc<Activity>,
    outbox: Outbox,
    /// All that the library has written went out.
    is_quiet: bool,
    /// The number of the latest request whose answer the library has begun to write.
    departed: u64,
    departure: Departure,
    /// The library has not been told that the client has ended its side.
    is_end_withheld: bool,
}

impl<A: Answers> Desk<A> {
    pub(super) fn new(
        answers: A,
        door: Arc<Door>,
        activity: Arc<Activity>,
        writing: Option<Arc<OwnedWriteHalf>>,
    ) -> Self {
        Self {
            answers,
            door,
            activity,
            outbox: Outbox::new(writing),
            is_quiet: true,
            departed: 0,
            departure: Departure::Now,
            is_end_withheld: false,
        }
    }

    /// Answers a request that there were `before` others before. Says whether it did.
    pub(super) fn answer(&mut self, before: u64, request: PlainGet<'_>) -> bool {
        // The library may still be at one that came before.
        let is_its_turn = self.is_quiet
            && self.door.begun() == before
            && !self.activity.is_in_progress()
            && !self.door.is_announced();
        if !is_its_turn {
            return false;
        }
        let number = before + 1;
        // What is made for it has to be kept until it is sent: one at a time.
        let may_call = self.outbox.is_empty();
        let Some(response) = self.answers.answer(number, request, may_call) else {
            return false;
        };
        self.door.pass_by();
        self.activity.head_ends(number);
        self.outbox.put(response);
        true
    }

    /// Sends what was answered, or gives it away to be sent before anything else.
    pub(super) fn poll_sent<S>(
        &mut self,
        stream: &mut S,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>>
    where
        S: AsyncWrite + Unpin,
    {
        self.outbox.poll(stream, &self.activity, context)
    }

    /// Whether an answer was given away, and may not have been sent.
    pub(super) fn has_given(&self) -> bool {
        self.outbox.is_given()
    }

    /// Sends what was answered, also what was given away.
    pub(super) fn poll_all_sent<S>(
        &mut self,
        stream: &mut S,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>>
    where
        S: AsyncWrite + Unpin,
    {
        self.outbox.poll_all(stream, context)
    }
}

impl<A> Desk<A> {
    /// The library writes: the beginning of an answer may have to wait, unless it is at more requests that came with that
    /// one, up to the one of number `heads`.
    pub(super) fn poll_writes(&mut self, heads: u64, context: &Context<'_>) -> Poll<()> {
        let begun = self.door.begun();
        if self.is_quiet && self.departed != begun {
            self.departed = begun;
            if heads <= begun {
                self.departure = Departure::of_answer(Instant::now());
            }
        }
        // Also where it waits: nobody may answer before it.
        self.is_quiet = false;
        ready!(self.departure.poll(context));
        if std::mem::take(&mut self.is_end_withheld) {
            context.waker().wake_by_ref();
        }
        Poll::Ready(())
    }

    /// The client has ended its side. Says whether the library is to hear of that later, because of an answer that waits: the
    /// library would throw it away.
    pub(super) fn withholds_end(&mut self) -> bool {
        self.is_end_withheld = self.departure.is_put_off();
        self.is_end_withheld
    }

    /// All that the library has written went out.
    pub(super) fn is_flushed(&mut self) {
        self.is_quiet = true;
    }
}
