//! When an instance of `wasi:http` 0.3 has to go with the requests that it has.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::time::{Sleep, sleep_until};

use super::ticket::Company;

/// Past a request's deadline, when its instance has not noticed: it is ended with all its requests.
const GRACE: Duration = Duration::from_secs(1);

/// Since when an instance works on what it has; none if it has nothing.
#[derive(Default)]
pub(super) struct Since {
    starts: Vec<Instant>,
    /// When its last request was answered, whose body it may still send.
    answered: Option<Instant>,
}

impl Since {
    /// A request has begun.
    pub(super) fn begun(&mut self, at: Instant) {
        self.starts.push(at);
    }

    /// One that began then is answered.
    pub(super) fn answered(&mut self, began: Instant) {
        if let Some(index) = self.starts.iter().position(|start| *start == began) {
            self.starts.swap_remove(index);
        }
        self.answered = Some(Instant::now());
    }

    /// Nothing is left to be done.
    pub(super) fn rest(&mut self) {
        self.answered = None;
    }

    fn last(&self) -> Option<Instant> {
        self.starts.iter().max().copied().or(self.answered)
    }
}

/// Why an instance has to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Expired {
    /// The clients of all its requests are gone.
    #[error("nobody waits for it any more")]
    GivenUp,
    /// It has not noticed the deadline.
    #[error("the guest timed out")]
    Late,
}

/// Watches over one instance.
pub(super) struct Expiration {
    company: Arc<Company>,
    deadline: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Expiration {
    pub(super) fn new(company: Arc<Company>, deadline: Duration) -> Self {
        Self {
            company,
            deadline,
            timer: None,
        }
    }

    /// Ready when the instance has to go.
    pub(super) fn poll(&mut self, context: &mut Context<'_>, since: &Since) -> Poll<Expired> {
        let Some(last) = since.last() else {
            return Poll::Pending;
        };
        if !since.starts.is_empty() && self.company.is_given_up() {
            return Poll::Ready(Expired::GivenUp);
        }
        let limit = (last + self.deadline + GRACE).into();
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(sleep_until(limit)));
        if timer.deadline() < limit {
            timer.as_mut().reset(limit);
        }
        timer.as_mut().poll(context).map(|()| Expired::Late)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_an_instance_is_that_of_what_began_last_and_is_not_answered() {
        let first = Instant::now();
        let second = first + Duration::from_secs(1);
        let mut since = Since::default();
        assert_eq!(since.last(), None);
        since.begun(first);
        since.begun(second);
        assert_eq!(since.last(), Some(second));
        since.answered(second);
        assert_eq!(since.last(), Some(first), "it still works on that one");
        since.answered(first);
        assert!(since.last() > Some(first), "its body may still be sent");
        since.rest();
        assert_eq!(since.last(), None);
    }
}
