//! Who asked for what an instance of `wasi:http` 0.3 does, and who it does it with.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::Waker;
use std::time::Instant;

use parking_lot::Mutex;
use wasmtime::component::GuestTaskId;

use super::outbound::Origin;
use crate::call::Deadline;
use crate::error::ProcessError;
use crate::hooks;

/// One request, as its instance and its client know it.
pub(crate) struct Ticket {
    origin: Origin,
    deadline: Deadline,
    /// The task of the guest that answers it.
    task: Mutex<Option<GuestTaskId>>,
    /// The place under the process limits.
    _permit: Option<Box<dyn Send + Sync>>,
    is_given_up: AtomicBool,
    /// With whom, once an instance has taken it.
    company: Mutex<Option<Arc<Company>>>,
}

/// The requests that one instance works on.
#[derive(Default)]
pub(crate) struct Company {
    tickets: Mutex<Vec<Weak<Ticket>>>,
    /// Wakes whoever polls the instance.
    waker: Mutex<Option<Waker>>,
    fault: Mutex<Option<Arc<str>>>,
}

impl Ticket {
    pub(super) fn new(
        mut origin: Origin,
        deadline: Deadline,
        permit: Option<Box<dyn Send + Sync>>,
    ) -> Arc<Self> {
        // Shared from the beginning: whatever sends something gets a copy of it.
        origin.chain.share();
        Arc::new(Self {
            origin,
            deadline,
            task: Mutex::default(),
            _permit: permit,
            is_given_up: AtomicBool::new(false),
            company: Mutex::default(),
        })
    }

    pub(super) fn id(&self) -> u64 {
        self.origin.id
    }

    pub(super) fn deadline(&self) -> Instant {
        self.deadline.at
    }

    /// Why its instance ended, if that ended badly.
    pub(super) fn fault(&self) -> Option<ProcessError> {
        let company = self.company.lock().clone()?;
        let message = company.fault.lock().clone()?;
        Some(ProcessError::Trap {
            hook: hooks::HTTP,
            message: message.to_string(),
        })
    }
}

/// The client's end of a ticket: when it goes, nobody waits for the answer any more.
pub(crate) struct Client(pub(super) Arc<Ticket>);

impl Client {
    /// The answer is complete, and so is what its instance had to do: nobody has to be told.
    pub(super) fn complete(self) {
        if let Some(company) = &*self.0.company.lock() {
            company.waker.lock().take();
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.0.is_given_up.store(true, Ordering::Relaxed);
        let company = self.0.company.lock().clone();
        if let Some(waker) = company.and_then(|company| company.waker.lock().take()) {
            waker.wake();
        }
    }
}

impl Company {
    pub(super) fn wake_by(&self, waker: &Waker) {
        let mut place = self.waker.lock();
        if !place.as_ref().is_some_and(|old| old.will_wake(waker)) {
            *place = Some(waker.clone());
        }
    }

    /// Those whose answer is not complete, in the instance or on its way.
    fn living(&self) -> Vec<Arc<Ticket>> {
        let mut tickets = self.tickets.lock();
        tickets.retain(|ticket| ticket.strong_count() > 0);
        tickets.iter().filter_map(Weak::upgrade).collect()
    }

    /// How many clients still wait for something of their answers.
    pub(super) fn clients(&self) -> usize {
        let mut tickets = self.tickets.lock();
        tickets.retain(|ticket| ticket.strong_count() > 0);
        let waits = |ticket: &Arc<Ticket>| !ticket.is_given_up.load(Ordering::Relaxed);
        tickets
            .iter()
            .filter_map(Weak::upgrade)
            .filter(waits)
            .count()
    }

    /// Whether one of the requests should have been answered by now.
    pub(super) fn is_late(&self) -> bool {
        let now = Instant::now();
        self.living().iter().any(|ticket| ticket.deadline() < now)
    }

    /// Whether the instance works on requests whose clients are all gone.
    pub(super) fn is_given_up(&self) -> bool {
        let mut some = false;
        for ticket in self.tickets.lock().iter().filter_map(Weak::upgrade) {
            if !ticket.is_given_up.load(Ordering::Relaxed) {
                return false;
            }
            some = true;
        }
        some
    }

    /// One of the requests, for what can name only one.
    pub(super) fn first_id(&self) -> Option<u64> {
        self.living().first().map(|ticket| ticket.id())
    }

    pub(super) fn ids(&self) -> String {
        let tickets = self.living();
        let ids: Vec<_> = tickets
            .iter()
            .map(|ticket| format!("{:016x}", ticket.id()))
            .collect();
        ids.join(", ")
    }

    /// What is answered by one of these tasks, of which the last has called all others.
    pub(super) fn origin_of(&self, tasks: &[GuestTaskId]) -> Option<Origin> {
        let is_one = |ticket: &&Arc<Ticket>| {
            let task = *ticket.task.lock();
            task.is_some_and(|task| tasks.contains(&task))
        };
        // A task's number is another's later: the one that came last has it.
        let living = self.living();
        let found = living.iter().rev().find(is_one);
        found.map(|ticket| ticket.origin.clone())
    }

    pub(super) fn fail(&self, fault: &str) {
        *self.fault.lock() = Some(fault.into());
    }
}

/// The request has come to an instance, which has it until its answer is complete.
pub(super) fn join(ticket: &Arc<Ticket>, company: &Arc<Company>, task: Option<GuestTaskId>) {
    *ticket.task.lock() = task;
    *ticket.company.lock() = Some(company.clone());
    company.tickets.lock().push(Arc::downgrade(ticket));
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::time::Duration;

    /// A request with a second to go.
    pub(in super::super) fn ticket(id: u64) -> Arc<Ticket> {
        let after = Duration::from_secs(1);
        let deadline = Deadline {
            at: Instant::now() + after,
            after,
        };
        let origin = Origin {
            id,
            peer: crate::call::Call::outside_of_a_request().peer,
            deadline: deadline.at,
            chain: crate::chain::Chain::default(),
            stages: None,
        };
        Ticket::new(origin, deadline, None)
    }

    #[test]
    fn an_instance_is_given_up_when_all_its_clients_are_gone() {
        let company = Arc::<Company>::default();
        assert!(!company.is_given_up(), "idle");
        let (one, two) = (ticket(1), ticket(2));
        let clients = (Client(one.clone()), Client(two.clone()));
        join(&one, &company, None);
        join(&two, &company, None);
        assert_eq!(company.clients(), 2);
        drop(clients.0);
        assert_eq!(company.clients(), 1);
        assert!(!company.is_given_up());
        drop(clients.1);
        assert!(company.is_given_up());
        drop((one, two));
        assert!(!company.is_given_up());
    }

    #[test]
    fn a_fault_reaches_everybody_in_the_instance() {
        let company = Arc::<Company>::default();
        let (one, other) = (ticket(0x10), ticket(2));
        join(&one, &company, None);
        assert_eq!(company.ids(), "0000000000000010");
        assert!(one.fault().is_none());
        company.fail("trap");
        let fault = one.fault().unwrap().to_string();
        assert_eq!(fault, "trapped in the wasi:http handler: trap");
        assert!(other.fault().is_none());
    }
}
