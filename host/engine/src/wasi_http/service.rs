//! Components of `wasi:http` 0.3: an instance answers several requests at a time.
//!
//! Wasmtime's `ProxyHandler` spreads requests over instances and makes new ones; here is what it leaves to its user: places,
//! limits, deadlines, and when an instance ends. Guests run on threads of their own: one that computes would hold up
//! whatever shares its thread. Those of a component that does are given a lower priority.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::{Notify, futures::OwnedNotified};
use tokio::time::{Sleep, sleep_until};
use wasmtime::component::GuestTaskId;
use wasmtime::{Store, StoreContextMut};
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, Proxy, ProxyHandler, ShouldAccept, WorkerExpiration, WorkerState,
    WorkerStatus,
};
use wasmtime_wasi_http::{WasiHttpCtxView, WasiHttpView};

use super::ticket::{Company, Ticket, join};
use crate::cpu::CpuMeter;
use crate::error::ProcessError;
use crate::generation::{Generation, PoolOptions, PoolPolicy};
use crate::instance::{jittered, new_store, trap_text, trap_text_and_dump};
use crate::pace::Pace;
use crate::pool::Cause;
use crate::process::{idle_exchange, no_place};
use crate::slots::{NoSlot, Place, Slot};
use crate::state::State;
use crate::threads::gives_way;

/// How long an instance without a request is kept.
const IDLE: Duration = Duration::from_secs(10);
/// Past a request's deadline, when its instance has not noticed: it is ended with all its requests.
const GRACE: Duration = Duration::from_secs(1);

/// The instances of one generation.
pub(crate) struct Service {
    handler: ProxyHandler<Instances>,
    ends: Arc<Ends>,
}

/// Tells instances when to go.
#[derive(Default)]
struct Ends {
    retired: AtomicBool,
    /// Those that wait for a request go.
    idle_go: Arc<Notify>,
    idle: AtomicU32,
}

/// Where the handler gets instances from.
pub(crate) struct Instances {
    generation: Weak<Generation>,
    ends: Arc<Ends>,
}

/// One instance, as its handler asks about it.
pub(crate) struct Worker {
    generation: Weak<Generation>,
    company: Arc<Company>,
    ends: Arc<Ends>,
    pace: Arc<Pace>,
    /// It runs on the threads that give way.
    gives_way: bool,
    at_a_time: usize,
    in_total: usize,
    calls: u32,
    _slot: Slot<crate::instance::Instance>,
}

/// When an instance has to go.
pub(crate) struct Expiration {
    company: Arc<Company>,
    ends: Arc<Ends>,
    pace: Arc<Pace>,
    meter: Arc<CpuMeter>,
    told: Pin<Box<OwnedNotified>>,
    timer: Pin<Box<Sleep>>,
    deadline: Duration,
    is_idle: bool,
}

/// No place for one more instance.
#[derive(Debug, thiserror::Error)]
#[error("no place for one more instance")]
pub(crate) struct NoPlace(NoSlot, PoolOptions);

#[derive(Debug, thiserror::Error)]
#[error("the component has been replaced")]
struct Replaced;

impl Service {
    pub(crate) fn new(generation: Weak<Generation>) -> Self {
        let ends = Arc::<Ends>::default();
        let instances = Instances {
            generation,
            ends: ends.clone(),
        };
        Self {
            handler: ProxyHandler::new(instances),
            ends,
        }
    }

    pub(super) fn handler(&self) -> &ProxyHandler<Instances> {
        &self.handler
    }

    /// Idle instances that wait for a request.
    pub(crate) fn idle(&self) -> usize {
        self.ends.idle.load(Ordering::Relaxed) as usize
    }

    /// Ends the instances that wait for a request.
    pub(crate) fn drop_idle(&self) {
        self.ends.idle_go.notify_waiters();
    }

    /// What does the same, without the service.
    pub(crate) fn let_go(&self) -> impl Fn() + Send + Sync + use<> {
        let ends = self.ends.clone();
        move || ends.idle_go.notify_waiters()
    }

    /// Ends all instances, each with its last request.
    pub(crate) fn close(&self) {
        self.ends.retired.store(true, Ordering::Relaxed);
        self.drop_idle();
    }

    /// Keeps instances again after [`Service::close`].
    pub(crate) fn open(&self) {
        self.ends.retired.store(false, Ordering::Relaxed);
    }
}

impl HandlerState for Instances {
    type StoreData = State;
    type WorkerExpiration = Expiration;
    type WorkerState = Worker;

    async fn instantiate(&self) -> wasmtime::Result<Instance<State, Expiration, Worker>> {
        let generation = self.generation.upgrade().ok_or(Replaced)?;
        let options = generation.pool_options;
        let place = generation.engine.place(&generation.pool).await;
        let slot = match place.map_err(|none| NoPlace(none, options))? {
            Place::Slot(slot) => slot,
            // None of these is kept in the pool.
            Place::Instance(_) => return Err(Replaced.into()),
        };
        let Some(service) = &generation.component.service else {
            return Err(Replaced.into());
        };
        let _timed = generation.meters.instantiation();
        // Its requests share it: whose time it is cannot be told.
        let meter = CpuMeter::new(Duration::MAX);
        let mut store = new_store(&generation, idle_exchange(&generation), meter.clone());
        let proxy = tokio::time::timeout(
            generation.limits.deadline,
            service.instantiate_async(&mut store),
        )
        .await??;
        let number = generation.pool.count_new();
        let (at_a_time, in_total) = match options.policy {
            PoolPolicy::Fresh => (1, 1),
            PoolPolicy::Reuse => (1, jittered(options.max_requests, number)),
            _ => (options.concurrency, jittered(options.max_requests, number)),
        };
        let company = Arc::<Company>::default();
        Ok(Instance {
            store,
            proxy: Proxy::P3(proxy),
            view: |state: &mut State| -> WasiHttpCtxView<'_> { state.http() },
            expiration: Expiration {
                company: company.clone(),
                told: Box::pin(self.ends.idle_go.clone().notified_owned()),
                ends: self.ends.clone(),
                pace: generation.pace.clone(),
                meter,
                timer: Box::pin(sleep_until((Instant::now() + IDLE).into())),
                deadline: generation.limits.deadline,
                is_idle: false,
            },
            state: Worker {
                generation: self.generation.clone(),
                company,
                ends: self.ends.clone(),
                pace: generation.pace.clone(),
                gives_way: gives_way(),
                at_a_time: at_a_time as usize,
                in_total: match in_total {
                    0 => usize::MAX,
                    in_total => in_total as usize,
                },
                calls: generation.profile.outbound_calls,
                _slot: slot,
            },
        })
    }
}

impl WorkerState for Worker {
    type StoreData = State;
    type RequestData = Arc<Ticket>;

    fn should_accept_request(&self, now: usize, in_total: usize) -> ShouldAccept {
        let is_retired = self.ends.retired.load(Ordering::Relaxed);
        // Once its component is known for the other, its instances move to other threads, by way of new ones.
        let is_elsewhere = self.gives_way != self.pace.is_slow();
        if in_total >= self.in_total || (in_total > 0 && (is_retired || is_elsewhere)) {
            ShouldAccept::Never
        } else if now.max(self.company.size()) >= self.at_a_time {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    fn on_request_start(
        &self,
        mut store: StoreContextMut<'_, State>,
        ticket: Arc<Ticket>,
        task: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + 'static + Send + Sync>> {
        let (http, _) = store.data_mut().http_parts();
        http.also(&self.company, self.calls);
        join(&ticket, &self.company, Some(task));
        Box::pin(async move {
            sleep_until(ticket.deadline().into()).await;
        })
    }

    fn drop(&self, mut store: Store<State>, result: Result<(), wasmtime::Error>) {
        store.data().log.end();
        if let Err(error) = result
            && !self.company.is_given_up()
        {
            let request = self.company.first_id();
            let text = trap_text_and_dump(&error, &mut store, request);
            let component = &*store.data().profile.component;
            let requests = self.company.ids();
            tracing::error!(
                component,
                "{component}: an instance ended with its requests ({requests}): {text}"
            );
            if let Some(generation) = self.generation.upgrade() {
                generation.pool.count(Cause::Trap, 1);
            }
            // Before the store is gone: that ends the bodies, and then it must be known why.
            self.company.fail(&text);
        }
        drop(store);
    }
}

impl WorkerExpiration for Expiration {
    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        status: WorkerStatus,
        since: Instant,
    ) -> Poll<()> {
        self.meter.interrupted();
        if self.meter.take_stall() {
            self.pace.slow();
        }
        self.company.wake_by(context.waker());
        self.count(status == WorkerStatus::Idle);
        let told = self.told.as_mut().poll(context).is_ready();
        if told {
            let again = self.ends.idle_go.clone().notified_owned();
            self.told = Box::pin(again);
            // Registers itself; it was told only now.
            let _ = self.told.as_mut().poll(context);
        }
        let limit = match status {
            WorkerStatus::Idle if told || self.ends.retired.load(Ordering::Relaxed) => {
                return Poll::Ready(());
            }
            WorkerStatus::Idle => since + IDLE,
            WorkerStatus::Requests if self.company.is_given_up() => return Poll::Ready(()),
            WorkerStatus::Requests | WorkerStatus::PostReturn => since + self.deadline + GRACE,
        };
        if self.timer.deadline() != limit.into() {
            self.timer.as_mut().reset(limit.into());
        }
        self.timer.as_mut().poll(context)
    }
}

impl Expiration {
    /// Counts the instances that wait for a request.
    fn count(&mut self, is_idle: bool) {
        if self.is_idle != is_idle {
            self.is_idle = is_idle;
            match is_idle {
                true => self.ends.idle.fetch_add(1, Ordering::Relaxed),
                false => self.ends.idle.fetch_sub(1, Ordering::Relaxed),
            };
        }
    }
}

impl Drop for Expiration {
    fn drop(&mut self) {
        self.count(false);
    }
}

/// What came of it, from the errors of the handler.
pub(super) fn process_error(error: &wasmtime::Error, ticket: &Ticket) -> ProcessError {
    use wasmtime_wasi_http::handler::{ExpirationError, InstantiationError, TrapOrPanicError};
    if let Some(fault) = ticket.fault() {
        return fault;
    }
    if let Some(error) = error.downcast_ref::<InstantiationError<Arc<Ticket>>>() {
        return match error.error.downcast_ref::<NoPlace>() {
            Some(NoPlace(none, options)) => no_place(*none, options),
            None => ProcessError::Instantiate(trap_text(&error.error)),
        };
    }
    if error.downcast_ref::<ExpirationError>().is_some() {
        return ProcessError::Deadline(ticket.limit());
    }
    if error.downcast_ref::<TrapOrPanicError>().is_some() {
        return super::head::failed("its instance trapped, in this request or in another one");
    }
    super::head::failed(trap_text(error))
}

/// Wakes whoever waits.
pub(super) type WakerPlace = Mutex<Option<Waker>>;
