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

/// A request that its instance does not take. It is here, for another one.
#[derive(Debug, thiserror::Error)]
#[error("the instance did not take the request")]
pub(super) struct NotTaken(pub(super) Mutex<Option<Request<WasiBody>>>);

impl Job {
    /// Whoever waits for it looks for another instance.
    pub(super) fn give_back(self) {
        let back = NotTaken(Mutex::new(Some(self.request)));
        let _ = self.answer.send(Err(back.into()));
    }
}

/// Where requests wait for their instance.
#[derive(Default)]
pub(super) struct Mailbox(Mutex<Contents>);

#[derive(Default)]
struct Contents {
    jobs: VecDeque<Box<Job>>,
    mode: Mode,
    /// Nothing of its guest is left to be done, whatever still goes to clients.
    is_done: bool,
    waker: Option<Waker>,
}

/// What an instance is at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mode {
    /// It has nothing to do for anybody, and takes what it is given by whoever holds it.
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
        contents.is_done = false;
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

    /// The next request. Without one the instance goes on in `mode`, and `waker` is told of the next.
    pub(super) fn next(&self, mode: Mode, is_done: bool, waker: &Waker) -> Option<Box<Job>> {
        let mut contents = self.0.lock();
        if let Some(job) = contents.jobs.pop_front() {
            contents.mode = Mode::Busy;
            contents.is_done = false;
            return Some(job);
        }
        contents.mode = mode;
        contents.is_done = is_done;
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

    /// Whether the instance has nothing to do, and all its answers have arrived.
    pub(super) fn is_idle(&self) -> bool {
        self.0.lock().mode == Mode::Idle
    }

    /// Whether nothing of its guest is left to be done.
    pub(super) fn is_done(&self) -> bool {
        self.0.lock().is_done
    }

    /// The instance computes on and on. What it has not begun is for others.
    pub(super) fn refuse(&self) {
        self.give_back(Mode::Busy);
    }

    /// The instance is gone.
    pub(super) fn end(&self) {
        self.give_back(Mode::Ended);
    }

    fn give_back(&self, mode: Mode) {
        let jobs = {
            let mut contents = self.0.lock();
            contents.mode = mode;
            std::mem::take(&mut contents.jobs)
        };
        jobs.into_iter().for_each(|job| job.give_back());
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
        let first = mailbox.next(Mode::Busy, false, Waker::noop()).unwrap();
        assert_eq!(first.ticket.id(), 1);
        assert!(mailbox.next(Mode::Open, false, Waker::noop()).is_none());
        let (answer, mut told) = oneshot::channel();
        assert!(mailbox.offer(Box::new(Job { answer, ..*job(2) })).is_ok());
        // One, and then it says again that it waits.
        assert!(mailbox.offer(job(3)).is_err());
        mailbox.refuse();
        let Ok(Some(Err(back))) = told.try_recv() else {
            panic!("it was not given back");
        };
        assert!(back.is::<NotTaken>());
        assert!(mailbox.next(Mode::Open, true, Waker::noop()).is_none());
        assert!(mailbox.is_done() && !mailbox.is_idle());
        mailbox.end();
        assert!(mailbox.offer(job(4)).is_err());
    }
}
