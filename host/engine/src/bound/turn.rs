//! Whose turn it is on a session's instance: requests run in the order in which they came.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::OwnedMutexGuard;

use super::{Context, Kept, WAITING_MAX};
use crate::error::ProcessError;
use crate::instance::Instance;
use crate::pool::{Cause, Pool};
use crate::variables::ProcessVariables;

/// The turn of one web process; ends when dropped. Where it is dropped without an instance, there is none any more.
pub(crate) struct Turn {
    kept: OwnedMutexGuard<Kept>,
    context: Arc<Context>,
}

impl Context {
    /// Waits until it is the turn of a request, behind those that came before it. Its deadline ends the wait, too.
    pub(super) async fn turn(self: &Arc<Self>) -> Result<Turn, ProcessError> {
        let kept = match self.kept.clone().try_lock_owned() {
            Ok(kept) => kept,
            Err(_) => {
                let waiting_max = self.generation.pool_options.queue.min(WAITING_MAX);
                let _place = InLine::enter(&self.waiting, waiting_max)
                    .ok_or(ProcessError::SessionBusy(waiting_max))?;
                self.kept.clone().lock_owned().await
            }
        };
        Ok(Turn {
            kept,
            context: self.clone(),
        })
    }

    /// Waits for the turn in which the instance comes to its end.
    pub(super) async fn last_turn(self: &Arc<Self>) -> Turn {
        let mut kept = self.kept.clone().lock_owned().await;
        kept.has_ended = true;
        Turn {
            kept,
            context: self.clone(),
        }
    }
}

impl Turn {
    /// The instance, if there is one.
    pub(super) fn take(&mut self) -> Option<Instance> {
        self.context.memory.store(0, Ordering::Relaxed);
        self.kept.instance.take()
    }

    pub(super) fn variables(&self) -> ProcessVariables {
        self.kept.variables.clone()
    }

    /// Remembers what the web process leaves behind.
    pub(super) fn note(&mut self, variables: &ProcessVariables, memory: u64) {
        self.kept.variables = variables.clone();
        let memory = usize::try_from(memory).unwrap_or(usize::MAX);
        self.context.memory.store(memory, Ordering::Relaxed);
    }

    /// Keeps the instance for the next request, and ends the turn.
    pub(crate) fn keep(mut self, instance: Instance) {
        if self.kept.has_ended {
            drop(instance);
            self.end(Cause::Session);
        } else {
            self.kept.instance = Some(instance);
        }
    }

    /// The instance is at its end: what it held is gone, too.
    pub(crate) fn end(mut self, cause: Cause) {
        self.kept.variables = ProcessVariables::default();
        self.context.memory.store(0, Ordering::Relaxed);
        self.pool().count(cause, 1);
    }

    pub(super) fn pool(&self) -> &Pool {
        &self.context.generation.pool
    }
}

/// A place among those that wait, until dropped.
struct InLine<'a>(&'a AtomicUsize);

impl<'a> InLine<'a> {
    fn enter(waiting: &'a AtomicUsize, max: usize) -> Option<Self> {
        let count = |waiting: usize| (waiting < max).then_some(waiting + 1);
        let counted = waiting.fetch_update(Ordering::AcqRel, Ordering::Relaxed, count);
        counted.ok().map(|_| Self(waiting))
    }
}

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
