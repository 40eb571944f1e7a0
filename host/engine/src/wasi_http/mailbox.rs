//! What an instance of `wasi:http` 0.3 is asked, and what may be known of it from outside.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Waker;

use futures_channel::oneshot;
use http::{Request, Response};
use parking_lot::Mutex;
use wasmtime_wasi_http::WasiBody;

use super::ticket::Ticket;

/// What comes back of a request.
pub(super) type Told = Result<Response<WasiBody>, wasmtime::Error>;

/// A request on its way to an instance.
pub(super) struct Job {
    pub(super) ticket: Arc<Ticket>,
    pub(super) request: Request<WasiBody>,
    pub(super) answer: oneshot::Sender<Told>,
}

/// Where requests wait for their instance.
#[derive(Default)]
pub(super) struct Mailbox(Mutex<Contents>);

#[derive(Default)]
struct Contents {
    jobs: VecDeque<Box<Job>>,
    mode: Mode,
    waker: Option<Waker>,
}

/// What an instance is at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mode {
    /// It has nothing to do, and takes what it is given by whoever holds it.
    #[default]
    Idle,
    /// Its requests wait for something; it takes another one.
    Open,
    /// It takes no more for now.
    Busy,
    /// It is gone.
    Ended,
}

impl Mailbox {
    /// Gives an instance a request, as whoever holds it may.
    pub(super) fn give(&self, job: Box<Job>) {
        let mut contents = self.0.lock();
        contents.mode = Mode::Busy;
        contents.jobs.push_back(job);
    }

    /// Asks an instance that others hold to take one more. What it does not take comes back.
    pub(super) fn offer(&self, job: Box<Job>) -> Result<(), Box<Job>> {
        let mut contents = self.0.lock();
        if contents.mode != Mode::Open {
            return Err(job);
        }
        contents.mode = Mode::Busy;
        contents.jobs.push_back(job);
        let waker = contents.waker.take();
        drop(contents);
        if let Some(waker) = waker {
            waker.wake();
        }
        Ok(())
    }

    /// The next request, if the instance takes one. Without one it goes on in `mode`, and `waker` is told of the next.
    pub(super) fn next(&self, takes_one: bool, mode: Mode, waker: &Waker) -> Option<Box<Job>> {
        let mut contents = self.0.lock();
        if takes_one && let Some(job) = contents.jobs.pop_front() {
            contents.mode = Mode::Busy;
            return Some(job);
        }
        contents.mode = match contents.jobs.is_empty() {
            true => mode,
            false => Mode::Busy,
        };
        if mode == Mode::Open
            && !contents
                .waker
                .as_ref()
                .is_some_and(|old| old.will_wake(waker))
        {
            contents.waker = Some(waker.clone());
        }
        None
    }

    /// Whether the instance has nothing to do.
    pub(super) fn is_idle(&self) -> bool {
        self.0.lock().mode == Mode::Idle
    }

    /// The instance is gone. What it has not begun comes back.
    pub(super) fn end(&self) -> VecDeque<Box<Job>> {
        let mut contents = self.0.lock();
        contents.mode = Mode::Ended;
        std::mem::take(&mut contents.jobs)
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt, Empty};

    use super::super::ticket;
    use super::*;

    fn job(id: u64) -> Box<Job> {
        let body = Empty::new().map_err(|never| match never {});
        Box::new(Job {
            ticket: ticket::tests::ticket(id),
            request: Request::new(body.boxed_unsync()),
            answer: oneshot::channel().0,
        })
    }

    #[test]
    fn only_an_instance_that_waits_takes_what_it_is_offered() {
        let mailbox = Mailbox::default();
        assert!(mailbox.is_idle() && mailbox.offer(job(1)).is_err());
        mailbox.give(job(1));
        assert!(!mailbox.is_idle() && mailbox.offer(job(2)).is_err());
        let first = mailbox.next(true, Mode::Busy, Waker::noop()).unwrap();
        assert_eq!(first.ticket.id(), 1);
        assert!(mailbox.next(true, Mode::Open, Waker::noop()).is_none());
        assert!(mailbox.offer(job(2)).is_ok());
        // One, and then it says again that it waits.
        assert!(mailbox.offer(job(3)).is_err());
        assert!(mailbox.next(false, Mode::Busy, Waker::noop()).is_none());
        let left = mailbox.end();
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].ticket.id(), 2);
        assert!(mailbox.offer(job(4)).is_err());
    }
}
