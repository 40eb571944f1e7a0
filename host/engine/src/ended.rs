//! What is left of a web process when its hooks have returned.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::answer::Answer;
use crate::bound::Turn;
use crate::error::ProcessError;
use crate::instance::Instance;
use crate::pool::{Cause, Kept, Pool};
use crate::state::Exchange;

/// A web process whose hooks have returned.
pub(crate) struct Ended {
    pub(crate) result: Result<(), ProcessError>,
    pub(crate) rest: Option<Rest>,
}

/// What is left of a web process.
pub(crate) struct Rest {
    /// Where the instance is kept, unless this is its end.
    pub(crate) home: Home,
    pub(crate) end: Option<Cause>,
    pub(crate) instance: Instance,
    pub(crate) exchange: Box<Exchange>,
}

/// Where an instance came from, and goes back to.
pub(crate) enum Home {
    /// It serves whoever comes next.
    Pool(Arc<Pool>),
    /// It belongs to a session.
    Session(Turn),
}

impl Home {
    fn keep(self, instance: Instance) {
        match self {
            Self::Pool(pool) => {
                pool.put(Kept::Instance(instance));
            }
            Self::Session(turn) => turn.keep(instance),
        }
    }

    fn end(self, cause: Cause, instance: Instance) {
        drop(instance);
        match self {
            Self::Pool(pool) => pool.count(cause, 1),
            Self::Session(turn) => turn.end(cause),
        }
    }
}

impl Ended {
    /// One that ended before it had an instance.
    pub(crate) fn without_instance(error: ProcessError) -> Self {
        Self {
            result: Err(error),
            rest: None,
        }
    }

    /// How it ended; to be taken once.
    pub(crate) fn take_result(&mut self) -> Result<(), ProcessError> {
        std::mem::replace(&mut self.result, Ok(()))
    }

    /// Whether it ended well, as long as its result was not taken.
    pub(crate) fn is_ok(&self) -> bool {
        self.result.is_ok()
    }

    /// Gives it another end.
    pub(crate) fn fail(&mut self, error: ProcessError) {
        self.result = Err(error);
    }

    /// What it was asked and answered, if it came so far.
    pub(crate) fn exchange(&mut self) -> Option<&mut Exchange> {
        self.rest.as_mut().map(|rest| &mut *rest.exchange)
    }

    /// Whether the request's body was refused for its size when the guest read it.
    pub(crate) fn is_body_too_large(&self) -> bool {
        self.rest.as_ref().is_some_and(|rest| {
            let exchange = &rest.exchange;
            let told = exchange.too_large.as_ref();
            exchange.body.is_too_large() || told.is_some_and(|told| told.load(Ordering::Relaxed))
        })
    }

    /// The instance does not serve again.
    pub(crate) fn retire(&mut self) {
        if let Some(rest) = &mut self.rest {
            rest.end.get_or_insert(Cause::Trap);
        }
    }

    /// Gives up the instance, to the pool or for good, and then the place under the limits; what was answered is left.
    pub(crate) fn settle(self) -> Answer {
        let Some(rest) = self.rest else {
            return Answer::default();
        };
        match rest.end {
            Some(cause) => rest.home.end(cause, rest.instance),
            None => rest.home.keep(rest.instance),
        }
        rest.exchange.answer
    }
}
