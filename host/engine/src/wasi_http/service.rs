//! Components of `wasi:http` 0.3: an instance answers several requests at a time.
//!
//! A request takes an instance that has nothing to do, and runs it where it was read: most are answered by then. What is
//! left to be done goes on in a task of its own, whose instance takes further requests while its guest waits. One whose
//! guest computes for long moves to the threads that give way, and the next requests of such a component begin there.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_channel::oneshot;
use http::{Request, Response};
use parking_lot::Mutex;
use tokio::runtime::Handle;
use wasmtime_wasi_http::WasiBody;
use wasmtime_wasi_http::handler::Proxy;

use super::mailbox::{Job, Mailbox, NotTaken, Told};
use super::tenancy::{Capacity, Household, Tenancy};
use super::ticket::Ticket;
use crate::cpu::CpuMeter;
use crate::error::ProcessError;
use crate::generation::{Generation, PoolOptions, PoolPolicy};
use crate::instance::{jittered, new_store, trap_text};
use crate::pace::Pace;
use crate::pool::{Kept, Pool};
use crate::process::{idle_exchange, no_place};
use crate::slots::{NoSlot, Place};

/// The instances of one generation.
pub(crate) struct Service {
    generation: Weak<Generation>,
    pool: Arc<Pool>,
    pace: Arc<Pace>,
    background: Handle,
    ends: Arc<Ends>,
    /// Those that others poll, for whoever finds none that is idle.
    at_work: Mutex<Vec<Arc<Mailbox>>>,
}

/// Tells instances when to go.
#[derive(Default)]
pub(super) struct Ends(AtomicBool);

impl Ends {
    /// With its last request.
    pub(super) fn is_retired(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// No place for one more instance.
#[derive(Debug, thiserror::Error)]
#[error("no place for one more instance")]
struct NoPlace(NoSlot, PoolOptions);

#[derive(Debug, thiserror::Error)]
#[error("the component has been replaced")]
struct Replaced;

/// The instance could not be made.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct NotMade(wasmtime::Error);

/// A request that an instance has taken.
pub(super) struct Handled {
    pub(super) response: Response<WasiBody>,
    pub(super) rest: Rest,
}

/// What an instance is at that has answered.
pub(super) enum Rest {
    /// Others poll it.
    AtWork,
    /// It has nothing else to do, and is to be kept once the answer is complete.
    Idle(Tenancy),
    /// That was its last request.
    Ended,
}

impl Service {
    pub(crate) fn new(generation: &Arc<Generation>) -> Arc<Self> {
        Arc::new(Self {
            generation: Arc::downgrade(generation),
            pool: generation.pool.clone(),
            pace: generation.pace.clone(),
            background: generation.engine.background().clone(),
            ends: Arc::default(),
            at_work: Mutex::default(),
        })
    }

    /// Has each instance at work end with its last request.
    pub(crate) fn close(&self) {
        self.ends.0.store(true, Ordering::Relaxed);
    }

    /// Takes that back.
    pub(crate) fn open(&self) {
        self.ends.0.store(false, Ordering::Relaxed);
    }

    /// Has a request answered up to the head.
    pub(super) async fn handle(
        self: &Arc<Self>,
        ticket: &Arc<Ticket>,
        mut request: Request<WasiBody>,
    ) -> Result<Handled, wasmtime::Error> {
        loop {
            let (answer, told) = oneshot::channel();
            let job = Box::new(Job {
                ticket: ticket.clone(),
                request,
                answer,
            });
            let handled = match self.pool.take().and_then(Kept::tenancy) {
                Some(instance) => self.begin(instance, job, told).await,
                None => match self.offer(job) {
                    Ok(()) => wait(told).await,
                    Err(job) => {
                        let instance = self.another().await?;
                        self.begin(instance, job, told).await
                    }
                },
            };
            match handled {
                Err(error) => match error.downcast_ref::<NotTaken>() {
                    Some(NotTaken(place)) => match place.lock().take() {
                        Some(back) => request = back,
                        None => return Err(Replaced.into()),
                    },
                    None => return Err(error),
                },
                handled => return handled,
            }
        }
    }

    /// Asks those at work to take one more.
    fn offer(&self, mut job: Box<Job>) -> Result<(), Box<Job>> {
        for mailbox in self.at_work.lock().iter() {
            match mailbox.offer(job) {
                Ok(()) => return Ok(()),
                Err(back) => job = back,
            }
        }
        Err(job)
    }

    /// An instance for a request that found none: a new one, or one that has become idle while it waited.
    async fn another(&self) -> Result<Tenancy, wasmtime::Error> {
        self.make().await.map_err(|error| NotMade(error).into())
    }

    async fn make(&self) -> Result<Tenancy, wasmtime::Error> {
        let generation = self.generation.upgrade().ok_or(Replaced)?;
        let options = generation.pool_options;
        let place = generation.engine.place(&generation.pool).await;
        let slot = match place.map_err(|none| NoPlace(none, options))? {
            Place::Slot(slot) => slot,
            Place::Instance(kept) => return kept.tenancy().ok_or_else(|| Replaced.into()),
        };
        let Some(service) = &generation.component.service else {
            return Err(Replaced.into());
        };
        let _timed = generation.meters.instantiation();
        // Its requests share it: whose time it is cannot be told.
        let meter = CpuMeter::new(Duration::MAX);
        let mut store = new_store(&generation, idle_exchange(&generation), meter.clone());
        let proxy = service.instantiate_async(&mut store).await?;
        let number = generation.pool.count_new();
        let (at_a_time, in_total) = match options.policy {
            PoolPolicy::Fresh => (1, 1),
            PoolPolicy::Reuse => (1, jittered(options.max_requests, number)),
            _ => (options.concurrency, jittered(options.max_requests, number)),
        };
        Ok(Tenancy::new(Household {
            store,
            proxy: Proxy::P3(proxy),
            capacity: Capacity {
                at_a_time: at_a_time as usize,
                in_total: match in_total {
                    0 => usize::MAX,
                    in_total => in_total as usize,
                },
            },
            generation: self.generation.clone(),
            ends: self.ends.clone(),
            meter,
            slot,
        }))
    }

    /// Has an instance that is nobody else's begin with a request, and goes on with it until that is answered.
    async fn begin(
        self: &Arc<Self>,
        mut instance: Tenancy,
        job: Box<Job>,
        mut told: oneshot::Receiver<Told>,
    ) -> Result<Handled, wasmtime::Error> {
        instance.mailbox.give(job);
        if self.pace.is_slow() {
            self.go_on(instance, &self.background, true);
            return wait(told).await;
        }
        instance.meter.rest();
        // Nobody has to be woken: what is not done here is polled again by a task of its own.
        let has_ended = {
            let mut context = Context::from_waker(Waker::noop());
            instance.work.as_mut().poll(&mut context).is_ready()
        };
        if has_ended {
            let response = told.await??;
            let rest = Rest::Ended;
            return Ok(Handled { response, rest });
        }
        if instance.mailbox.is_done()
            && let Ok(Some(told)) = told.try_recv()
        {
            return match told {
                Ok(response) => {
                    let rest = Rest::Idle(instance);
                    Ok(Handled { response, rest })
                }
                Err(error) => {
                    self.go_on(instance, &Handle::current(), false);
                    Err(error)
                }
            };
        }
        if instance.meter.is_slow() {
            self.pace.slow();
            self.go_on(instance, &self.background, true);
        } else {
            self.go_on(instance, &Handle::current(), false);
        }
        wait(told).await
    }

    /// Polls an instance until it has nothing to do. Unless it is `patient`, it goes elsewhere if its guest computes on
    /// and on.
    pub(super) fn go_on(self: &Arc<Self>, mut instance: Tenancy, threads: &Handle, patient: bool) {
        let service = self.clone();
        let at_work = AtWork::new(self, &instance);
        threads.spawn(async move {
            let is_left = poll_fn(|context| {
                if instance.work.as_mut().poll(context).is_ready() {
                    return Poll::Ready(None);
                }
                let stalls = instance.meter.take_stall();
                if stalls {
                    service.pace.slow();
                    instance.mailbox.refuse();
                }
                if instance.mailbox.is_idle() {
                    return Poll::Ready(Some(false));
                }
                match stalls && !patient {
                    true => Poll::Ready(Some(true)),
                    false => Poll::Pending,
                }
            })
            .await;
            drop(at_work);
            match is_left {
                None => {}
                Some(false) => service.keep(instance),
                Some(true) => service.go_on(instance, &service.background.clone(), true),
            }
        });
    }

    /// Keeps an instance for the next request.
    pub(super) fn keep(&self, instance: Tenancy) {
        self.pool.put(Kept::Tenancy(instance));
    }
}

/// An instance is found by others while this is there.
struct AtWork(Arc<Service>, Arc<Mailbox>);

impl AtWork {
    fn new(service: &Arc<Service>, instance: &Tenancy) -> Self {
        let mailbox = instance.mailbox.clone();
        service.at_work.lock().push(mailbox.clone());
        Self(service.clone(), mailbox)
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        let Self(service, mailbox) = self;
        let mut at_work = service.at_work.lock();
        if let Some(index) = at_work.iter().position(|one| Arc::ptr_eq(one, mailbox)) {
            at_work.swap_remove(index);
        }
    }
}

/// What an instance that others poll tells.
async fn wait(told: oneshot::Receiver<Told>) -> Result<Handled, wasmtime::Error> {
    let response = told.await??;
    let rest = Rest::AtWork;
    Ok(Handled { response, rest })
}

/// What came of it.
pub(super) fn process_error(error: &wasmtime::Error, ticket: &Ticket) -> ProcessError {
    if let Some(fault) = ticket.fault() {
        return fault;
    }
    if let Some(NotMade(error)) = error.downcast_ref::<NotMade>() {
        return match error.downcast_ref::<NoPlace>() {
            Some(NoPlace(none, options)) => no_place(*none, options),
            None => ProcessError::Instantiate(trap_text(error)),
        };
    }
    if error.is::<oneshot::Canceled>() {
        return super::head::failed("its instance trapped, in this request or in another one");
    }
    super::head::failed(trap_text(error))
}
