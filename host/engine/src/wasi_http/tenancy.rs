//! One instance of `wasi:http` 0.3 and the requests that it has: it takes them from its mailbox, at most so many at a time,
//! and ends with the last one, a trap, or its time.

use std::future::{pending, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::Poll;
use std::time::Instant;

use futures_util::stream::{FuturesUnordered, Stream};
use parking_lot::Mutex;
use wasmtime::component::Accessor;
use wasmtime::{AsContextMut, Store};
use wasmtime_wasi_http::handler::{Prepared, Proxy};
use wasmtime_wasi_http::{WasiHttpCtxView, WasiHttpView};

use super::expiration::{Expiration, Expired, Since};
use super::mailbox::{Job, Mailbox, Mode};
use super::service::Ends;
use super::ticket::{Company, join};
use crate::clock::TICKS_INLINE;
use crate::cpu::CpuMeter;
use crate::generation::Generation;
use crate::instance::trap_text_and_dump;
use crate::pool::{Cause, Kept};
use crate::slots::Slot;
use crate::state::State;

/// What an instance does, from its first request to its end. It needs to be polled only while it has some.
pub(super) type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// An instance, in the hands of who polls it.
pub(crate) struct Tenancy {
    pub(super) work: Work,
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) meter: Arc<CpuMeter>,
}

/// How many requests an instance takes.
#[derive(Clone, Copy)]
pub(super) struct Capacity {
    pub(super) at_a_time: usize,
    pub(super) in_total: usize,
}

/// What an instance is made of.
pub(super) struct Household {
    pub(super) store: Store<State>,
    pub(super) proxy: Proxy,
    pub(super) capacity: Capacity,
    pub(super) generation: Weak<Generation>,
    pub(super) ends: Arc<Ends>,
    pub(super) meter: Arc<CpuMeter>,
    /// Last, so that the place is free only when the instance is gone.
    pub(super) slot: Slot<Kept>,
}

/// Whether one more request is taken.
#[derive(PartialEq, Eq)]
enum Accepts {
    Yes,
    NotNow,
    NeverAgain,
}

/// The instance's end, however it comes.
struct End {
    store: Option<Store<State>>,
    generation: Weak<Generation>,
    company: Arc<Company>,
    mailbox: Arc<Mailbox>,
    _slot: Slot<Kept>,
}

impl Tenancy {
    pub(super) fn new(household: Household) -> Self {
        let company = Arc::<Company>::default();
        let mailbox = Arc::<Mailbox>::default();
        let meter = household.meter.clone();
        let work = Box::pin(work(household, company, mailbox.clone()));
        Self {
            work,
            mailbox,
            meter,
        }
    }
}

async fn work(household: Household, company: Arc<Company>, mailbox: Arc<Mailbox>) {
    let Household {
        store,
        proxy,
        capacity,
        generation,
        ends,
        meter,
        slot,
    } = household;
    let Some((calls, deadline)) = generation.upgrade().map(|generation| {
        let deadline = generation.limits.deadline;
        (generation.profile.outbound_calls, deadline)
    }) else {
        return;
    };
    let mut end = End {
        store: Some(store),
        generation,
        company: company.clone(),
        mailbox: mailbox.clone(),
        _slot: slot,
    };
    let desk = Desk {
        proxy,
        capacity,
        calls,
        ends,
        company: company.clone(),
        mailbox,
        has_room: AtomicBool::new(true),
        since: Mutex::default(),
    };
    let Some(store) = &mut end.store else {
        return;
    };
    let expiration = Expiration::new(company, deadline);
    let result = attended(store, &desk, expiration, &meter).await;
    if result.is_ok() {
        end.count(match desk.ends.is_retired() {
            true => Cause::Surplus,
            false => Cause::Requests,
        });
    }
    end.come(result);
}

/// What takes the requests of an instance and has its guest answer them.
struct Desk {
    proxy: Proxy,
    capacity: Capacity,
    calls: u32,
    ends: Arc<Ends>,
    company: Arc<Company>,
    mailbox: Arc<Mailbox>,
    /// Only once nothing of the guest can go on is there room for one more request: what computes had better be alone.
    has_room: AtomicBool,
    since: Mutex<Since>,
}

/// Runs the guest until it has ended, or has to.
async fn attended(
    store: &mut Store<State>,
    desk: &Desk,
    mut expiration: Expiration,
    meter: &CpuMeter,
) -> wasmtime::Result<()> {
    let running = store.run_concurrent(async |accessor| desk.serve(accessor).await);
    let mut running = pin!(running);
    poll_fn(|context| {
        // Before anybody looks which clients are there: who leaves later is heard of.
        desk.company.wake_by(context.waker());
        let mut polled = running.as_mut().poll(context);
        if polled.is_pending() {
            meter.interrupted();
            if let Poll::Ready(expired) = expiration.poll(context, &desk.since.lock()) {
                return Poll::Ready(Err(expired.into()));
            }
            if !desk.has_room.swap(true, Ordering::Relaxed) && !desk.mailbox.is_done() {
                polled = running.as_mut().poll(context);
            }
        }
        polled.map(Result::flatten)
    })
    .await
}

impl Desk {
    async fn serve(&self, accessor: &Accessor<State>) -> wasmtime::Result<()> {
        let Proxy::P3(service) = &self.proxy else {
            return Err(not_p3());
        };
        let func = *service.wasi_http_handler().func_handle().func();
        let mut running = pin!(FuturesUnordered::new());
        let mut total = 0;
        poll_fn(|context| {
            loop {
                match running.as_mut().poll_next(context) {
                    Poll::Ready(Some(Ok(began))) => self.since.lock().answered(began),
                    Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error)),
                    Poll::Ready(None) | Poll::Pending => {}
                }
                let has_room = running.is_empty() || self.has_room.load(Ordering::Relaxed);
                if !has_room {
                    // Between two steps of the guest.
                    return Poll::Pending;
                }
                let is_ready = accessor
                    .poll_ready_for_concurrent_call(func, context)
                    .is_ready();
                let accepts = self.accepts(running.len(), total);
                // The first one is what it was made for.
                let is_ready = is_ready || total == 0;
                let is_done =
                    running.is_empty() && accessor.poll_no_interesting_tasks(context).is_ready();
                if is_done && (accepts == Accepts::NeverAgain || !is_ready) {
                    return Poll::Ready(Ok(()));
                }
                let takes_one = is_ready && accepts == Accepts::Yes;
                let mode = match takes_one {
                    _ if is_done && self.company.clients() == 0 => Mode::Idle,
                    true => Mode::Open,
                    false => Mode::Busy,
                };
                let Some(job) = self.mailbox.next(mode, is_done, context.waker()) else {
                    if is_done {
                        self.since.lock().rest();
                    }
                    return Poll::Pending;
                };
                if !takes_one {
                    // It was offered before this became known.
                    job.give_back();
                    continue;
                }
                total += 1;
                // Kept until it is answered: as long as somebody waits for it, it has a client.
                let ticket = job.ticket.clone();
                let prepared = self.begin(accessor, *job, running.is_empty());
                let began = Instant::now();
                self.since.lock().begun(began);
                running.push(async move {
                    // Who waits for it looks after its deadline.
                    prepared?.run(accessor, pending()).await?;
                    drop(ticket);
                    wasmtime::error::Ok(began)
                });
            }
        })
        .await
    }

    fn accepts(&self, now: usize, total: usize) -> Accepts {
        let Capacity {
            at_a_time,
            in_total,
        } = self.capacity;
        if total >= in_total
            || (total > 0 && self.ends.is_retired())
            || (now > 0 && self.company.is_late())
        {
            Accepts::NeverAgain
        } else if now.max(self.company.clients()) >= at_a_time {
            Accepts::NotNow
        } else {
            Accepts::Yes
        }
    }

    fn begin(
        &self,
        accessor: &Accessor<State>,
        job: Job,
        is_alone: bool,
    ) -> wasmtime::Result<Prepared<'_, State>> {
        self.has_room.store(false, Ordering::Relaxed);
        accessor.with(|mut store| {
            let mut store = store.as_context_mut();
            if is_alone {
                // From here on, not from when its last request ended.
                store.set_epoch_deadline(TICKS_INLINE);
            }
            let prepared = Prepared::new(
                store.as_context_mut(),
                &self.proxy,
                job.request,
                view,
                job.answer,
            )?;
            let Prepared::P3 { call, .. } = &prepared else {
                return Err(not_p3());
            };
            let (http, _) = store.data_mut().http_parts();
            http.also(&self.company, self.calls);
            join(&job.ticket, &self.company, Some(call.task()));
            Ok(prepared)
        })
    }
}

fn not_p3() -> wasmtime::Error {
    wasmtime::format_err!("not a component of wasi:http 0.3")
}

fn view(state: &mut State) -> WasiHttpCtxView<'_> {
    state.http()
}

impl End {
    fn count(&self, cause: Cause) {
        if let Some(generation) = self.generation.upgrade() {
            generation.pool.count(cause, 1);
        }
    }

    fn come(&mut self, result: Result<(), wasmtime::Error>) {
        let Some(mut store) = self.store.take() else {
            return;
        };
        store.data().log.end();
        if let Err(error) = result
            && error.downcast_ref() != Some(&Expired::GivenUp)
        {
            let request = self.company.first_id();
            let text = trap_text_and_dump(&error, &mut store, request);
            let component = &*store.data().profile.component;
            let requests = self.company.ids();
            tracing::error!(
                component,
                "{component}: an instance ended with its requests ({requests}): {text}"
            );
            self.count(Cause::Trap);
            // Before the store is gone: that ends the bodies, and then it must be known why.
            self.company.fail(&text);
        }
        drop(store);
        self.mailbox.end();
    }
}

impl Drop for End {
    /// Idle when it was dropped, or in the middle of a panic.
    fn drop(&mut self) {
        let result = match std::thread::panicking() {
            true => Err(wasmtime::format_err!("the host panicked")),
            false => Ok(()),
        };
        self.come(result);
    }
}
