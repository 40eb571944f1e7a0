//! Who asked for what an instance of `wasi:http` 0.3 does, and who it does it with.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::service::WakerPlace;
use crate::call::Deadline;
use crate::error::ProcessError;
use crate::hooks;

/// One request, as its instance and its client know it.
pub(crate) struct Ticket {
    id: u64,
    deadline: Deadline,
    /// The place under the process limits.
    _permit: Option<Box<dyn Send + Sync>>,
    is_given_up: AtomicBool,
    /// With whom, once an instance has taken it.
    company: Mutex<Option<Arc<Company>>>,
}

/// The requests that one instance works on.
#[derive(Default)]
pub(crate) struct Company {
    tickets: Mutex<Vec<Arc<Ticket>>>,
    waker: WakerPlace,
    fault: Mutex<Option<Arc<str>>>,
}

impl Ticket {
    pub(super) fn new(
        id: u64,
        deadline: Deadline,
        permit: Option<Box<dyn Send + Sync>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            id,
            deadline,
            _permit: permit,
            is_given_up: AtomicBool::new(false),
            company: Mutex::default(),
        })
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    pub(super) fn limit(&self) -> Duration {
        self.deadline.after
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
    pub(super) fn wake_by(&self, waker: &std::task::Waker) {
        let mut place = self.waker.lock();
        if !place.as_ref().is_some_and(|old| old.will_wake(waker)) {
            *place = Some(waker.clone());
        }
    }

    /// Whether the instance works on requests whose clients are all gone.
    pub(super) fn is_given_up(&self) -> bool {
        let tickets = self.tickets.lock();
        let gone = |ticket: &Arc<Ticket>| ticket.is_given_up.load(Ordering::Relaxed);
        !tickets.is_empty() && tickets.iter().all(gone)
    }

    pub(super) fn ids(&self) -> String {
        let tickets = self.tickets.lock();
        let ids: Vec<_> = tickets
            .iter()
            .map(|ticket| format!("{:016x}", ticket.id))
            .collect();
        ids.join(", ")
    }

    pub(super) fn fail(&self, fault: &str) {
        *self.fault.lock() = Some(fault.into());
    }
}

/// A request in its instance, until it has a response.
pub(super) struct Share {
    ticket: Arc<Ticket>,
    company: Arc<Company>,
}

impl Share {
    pub(super) fn new(ticket: Arc<Ticket>, company: Arc<Company>) -> Self {
        *ticket.company.lock() = Some(company.clone());
        company.tickets.lock().push(ticket.clone());
        Self { ticket, company }
    }

    pub(super) fn deadline(&self) -> Instant {
        self.ticket.deadline.at
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut tickets = self.company.tickets.lock();
        tickets.retain(|ticket| !Arc::ptr_eq(ticket, &self.ticket));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticket(id: u64) -> Arc<Ticket> {
        let after = Duration::from_secs(1);
        let deadline = Deadline {
            at: Instant::now() + after,
            after,
        };
        Ticket::new(id, deadline, None)
    }

    #[test]
    fn an_instance_is_given_up_when_all_its_clients_are_gone() {
        let company = Arc::<Company>::default();
        assert!(!company.is_given_up(), "idle");
        let (one, two) = (ticket(1), ticket(2));
        let clients = (Client(one.clone()), Client(two.clone()));
        let shares = (
            Share::new(one, company.clone()),
            Share::new(two, company.clone()),
        );
        drop(clients.0);
        assert!(!company.is_given_up());
        drop(clients.1);
        assert!(company.is_given_up());
        drop(shares);
        assert!(!company.is_given_up());
    }

    #[test]
    fn a_fault_reaches_everybody_in_the_instance() {
        let company = Arc::<Company>::default();
        let (one, other) = (ticket(0x10), ticket(2));
        let _share = Share::new(one.clone(), company.clone());
        assert_eq!(company.ids(), "0000000000000010");
        assert!(one.fault().is_none());
        company.fail("trap");
        let fault = one.fault().unwrap().to_string();
        assert_eq!(fault, "trapped in the wasi:http handler: trap");
        assert!(other.fault().is_none());
    }
}
