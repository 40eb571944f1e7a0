//! A web process: one request on one instance, within its deadline.
//!
//! It begins on the thread that read the request, because most handlers are done before a switch to another
//! thread would be. One that still runs after two ticks of the clock moves to the runtime for long-running
//! guests, whose threads yield to those that serve: a looping component delays neither files nor timers. The next ones of
//! a component that was slow begin there (`pace.rs`).

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use crate::answer::{Answer, AnswerBody};
use crate::bound;
use crate::call::{Call, Deadline, Target};
use crate::clock::TICK;
use crate::component::{DeclaredHandler, Method};
use crate::cpu::{CpuMeter, Metered};
use crate::due::{Due, in_time};
use crate::ended::{Ended, Home, Rest};
use crate::error::ProcessError;
use crate::forensics::Cost;
use crate::generation::{Generation, PoolOptions, PoolPolicy};
use crate::instance::Instance;
use crate::pool::{Cause, Kept};
use crate::slots::{NoSlot, Place};
use crate::stages::Stage;
use crate::state::Exchange;
use crate::wasi_http;

impl Generation {
    /// Runs one request and returns what the component answered.
    ///
    /// Dropping the future ends the web process: its instance is gone at the guest's next chance to yield.
    pub fn run(
        self: &Arc<Self>,
        call: Call,
        target: Target,
    ) -> impl Future<Output = Result<Answer, ProcessError>> + Send + use<> {
        let meter = CpuMeter::new(self.limits.cpu_time);
        let deadline = deadline(self.limits.deadline);
        let is_http = target == Target::Connection && self.component.hooks.has_http();
        let begun = match is_http || self.component.is_service() {
            true => Begun::Http(self.begin_http(call, deadline, meter)),
            false if self.component.sends_raw_data() => {
                Begun::Http(self.begin_raw(call, target, deadline, meter))
            }
            // Boxed here and now, so that the call is not moved again with each future around this one.
            false => Begun::Hooks(
                Box::pin(web_process(
                    self.clone(),
                    exchange(self, call, deadline),
                    target,
                    meter.clone(),
                )),
                meter,
            ),
        };
        let generation = self.clone();
        async move {
            match begun {
                Begun::Hooks(work, meter) => drive(work, meter, deadline, generation).await,
                Begun::Http(answering) => answering.await,
            }
        }
    }

    /// A web process whose handler is one of `wasi:http`: it may go on when there is an answer.
    fn begin_http(
        self: &Arc<Self>,
        call: Call,
        deadline: Deadline,
        meter: Arc<CpuMeter>,
    ) -> Pin<Box<dyn Future<Output = Result<Answer, ProcessError>> + Send>> {
        let asked = wasi_http::Asked {
            id: call.id,
            is_head: call.method == http::Method::HEAD,
            deadline,
            due: Due::Fixed(deadline),
            is_raw: false,
        };
        let (responder, head, body) = wasi_http::responder();
        let mut exchange = exchange(self, call, deadline);
        #[cfg(feature = "p3")]
        if self.component.is_service() {
            let generation = self.clone();
            return Box::pin(async move {
                let service = generation.service();
                let timed = generation.meters.guest();
                let stages = exchange.call.stages.clone();
                let answer = wasi_http::answer_shared(&generation, service, exchange, asked).await;
                if let Some(stages) = stages {
                    let stage = Stage::guest(&Target::Connection);
                    stages.ended(&generation.profile.component, stage, timed.began());
                }
                answer
            });
        }
        exchange.responder = Some(responder);
        let cookie = exchange.expect_early_cookie();
        let (generation, counted) = (self.clone(), meter.clone());
        let work =
            Box::pin(
                async move { performed(&generation, exchange, Target::Connection, counted).await },
            );
        let generation = self.clone();
        Box::pin(async move {
            let mut answer =
                wasi_http::answer(work, (head, body), meter, &generation, asked).await?;
            answer.session_cookie = cookie.and_then(|cookie| cookie.send());
            Ok(answer)
        })
    }
}

/// A web process that has begun.
enum Begun<W> {
    /// It answers when it has ended. With what counts its time.
    Hooks(Pin<Box<W>>, Arc<CpuMeter>),
    /// It answers on its way.
    Http(Pin<Box<dyn Future<Output = Result<Answer, ProcessError>> + Send>>),
}

/// Asks a new instance for its methods and handlers. It is kept if the policy is to keep any.
pub(crate) async fn ask_methods(
    generation: &Generation,
) -> Result<(Vec<Method>, Vec<DeclaredHandler>), ProcessError> {
    // The boxed future borrows the generation, so it cannot move to the other runtime; loading does not happen
    // on a serving thread anyway.
    let asking = async {
        let mut instance = new_idle_instance(generation).await?;
        let methods = instance.ask_methods().await?;
        let handlers = instance.ask_handlers().await?;
        instance.finish();
        if generation.pool_options.policy == PoolPolicy::Reuse {
            generation.pool.put(Kept::Instance(instance));
        }
        let methods = methods.into_iter().map(|method| Method {
            name: method.name,
            available: method.available,
        });
        let handlers = handlers.into_iter().map(DeclaredHandler::from);
        Ok((methods.collect(), handlers.collect()))
    };
    let limit = generation.limits.deadline;
    tokio::time::timeout(limit, asking)
        .await
        .unwrap_or(Err(ProcessError::Deadline(limit)))
}

/// An instance that waits for its first request.
pub(crate) async fn new_idle_instance(generation: &Generation) -> Result<Instance, ProcessError> {
    match place(generation, true).await? {
        Place::Instance(kept) => only_one(kept),
        Place::Slot(slot) => {
            let meter = CpuMeter::new(generation.limits.cpu_time);
            Instance::new(generation, slot, idle_exchange(generation), meter).await
        }
    }
}

/// What is kept of a component that has one request at a time in an instance.
fn only_one(kept: Kept) -> Result<Instance, ProcessError> {
    let other = || ProcessError::Instantiate("the instance is one for several requests".to_owned());
    kept.instance().ok_or_else(other)
}

/// Room for an instance; where it takes a wait, an instance that has become idle meanwhile.
async fn place(generation: &Generation, may_wait: bool) -> Result<Place<Kept>, ProcessError> {
    if !may_wait {
        let place = generation.engine.place_now(&generation.pool);
        return place.ok_or(ProcessError::Busy(Duration::ZERO));
    }
    let place = generation.engine.place(&generation.pool).await;
    place.map_err(|none| no_place(none, &generation.pool_options))
}

/// What is said of a request that found no instance.
pub(crate) fn no_place(none: NoSlot, options: &PoolOptions) -> ProcessError {
    match none {
        NoSlot::Late => ProcessError::Busy(options.queue_timeout),
        NoSlot::QueueFull => ProcessError::QueueFull(options.queue),
    }
}

async fn web_process(
    generation: Arc<Generation>,
    exchange: Box<Exchange>,
    target: Target,
    meter: Arc<CpuMeter>,
) -> Result<Answer, ProcessError> {
    let mut ended = performed(&generation, exchange, target, meter).await;
    let is_too_large = ended.is_body_too_large();
    let result = ended.take_result();
    let answer = ended.settle();
    if is_too_large && matches!(answer.body, AnswerBody::Empty) {
        return Err(ProcessError::BodyTooLarge);
    }
    result.map(|()| answer)
}

/// Runs the hooks of one request on an instance.
pub(crate) async fn performed(
    generation: &Arc<Generation>,
    mut exchange: Box<Exchange>,
    target: Target,
    meter: Arc<CpuMeter>,
) -> Ended {
    if let Some(context) = exchange.call.context.take() {
        // Boxed: no other request's future should be as large.
        return Box::pin(bound::performed(context, exchange, target, meter)).await;
    }
    let kept = match generation.pool_options.policy {
        PoolPolicy::Reuse => generation.pool.take().and_then(Kept::instance),
        _ => None,
    };
    let mut instance = match kept {
        Some(mut instance) => {
            instance.begin(exchange, meter);
            instance
        }
        // Boxed: where instances are kept, hardly a request needs another one.
        None => match Box::pin(another(generation, exchange, meter)).await {
            Ok(instance) => instance,
            Err(error) => return Ended::without_instance(error),
        },
    };
    keep_some_ahead(generation);

    let (result, exchange) = carried_out(generation, &mut instance, target).await;
    let trapped = trap_cause(&result).is_some();
    let end = instance.end(trapped, &generation.pool_options);
    Ended {
        result,
        rest: Some(Rest {
            home: Home::Pool(generation.pool.clone()),
            end,
            instance,
            exchange,
        }),
    }
}

/// Runs the hooks of one request, and finishes what they sent.
pub(crate) async fn carried_out(
    generation: &Generation,
    instance: &mut Instance,
    target: Target,
) -> (Result<(), ProcessError>, Box<Exchange>) {
    let timed = generation.meters.guest();
    let stages = instance.state().exchange.call.stages.clone();
    let told = stages.map(|stages| (stages, Stage::guest(&target)));
    let mut result = instance.perform(target).await;
    if instance.has_draft(&result) {
        // Boxed: few answers have tags, and no other's future should be as large.
        result = Box::pin(instance.transform(generation, result)).await;
    }
    if let Some((stages, stage)) = told {
        stages.ended(&generation.profile.component, stage, timed.began());
    }
    drop(timed);
    let exchange = instance.finish();
    if trap_cause(&result).is_some() {
        let began = exchange.deadline.at - exchange.deadline.after;
        let cost = Cost {
            memory_bytes: instance.memory_bytes(),
            time: began.elapsed(),
        };
        generation.costs.note(exchange.call.id, cost);
    }
    (exchange.with_sessions(result), exchange)
}

/// Why an instance cannot serve again, if its last call ended so that it cannot.
pub(crate) fn trap_cause(result: &Result<(), ProcessError>) -> Option<Cause> {
    let trapped = matches!(
        result,
        Err(ProcessError::Trap { .. }
            | ProcessError::OutOfMemory { .. }
            | ProcessError::Limit { .. }
            | ProcessError::NoSessions)
    );
    trapped.then_some(Cause::Trap)
}

/// An instance for a request that found none: a new one, or one that has become idle while it waited.
pub(crate) async fn another(
    generation: &Generation,
    exchange: Box<Exchange>,
    meter: Arc<CpuMeter>,
) -> Result<Instance, ProcessError> {
    // Who called it has a place of its own meanwhile: nobody waits for a place who has one.
    let may_wait = exchange.call.chain.depth() == 0;
    let stages = exchange.call.stages.clone();
    let tell = |stage, began| {
        if let Some(stages) = &stages {
            stages.ended(&generation.profile.component, stage, began);
        }
    };
    let began = Instant::now();
    let place = place(generation, may_wait).await;
    tell(Stage::Wait, began);
    match place? {
        Place::Instance(kept) => {
            let mut instance = only_one(kept)?;
            instance.begin(exchange, meter);
            Ok(instance)
        }
        Place::Slot(slot) => {
            let began = Instant::now();
            let instance = Instance::new(generation, slot, exchange, meter).await;
            tell(Stage::Instantiate, began);
            instance
        }
    }
}

/// Makes instances ahead again when a request has taken one of them.
fn keep_some_ahead(generation: &Arc<Generation>) {
    let min = generation.pool_options.min;
    if min > 0
        && generation.pool_options.policy == PoolPolicy::Reuse
        && generation.pool.idle() < min
    {
        let generation = generation.clone();
        generation.engine.background().clone().spawn(async move {
            if let Err(error) = generation.refill().await {
                tracing::warn!(component = &*generation.profile.component, %error, "no instance could be made ahead");
            }
        });
    }
}

/// Runs `work` here, and elsewhere once it is slow, or at once if others of the component were.
async fn drive(
    mut work: Pin<Box<impl Future<Output = Result<Answer, ProcessError>> + Send + 'static>>,
    meter: Arc<CpuMeter>,
    deadline: Deadline,
    generation: Arc<Generation>,
) -> Result<Answer, ProcessError> {
    let driving = async {
        let begins_here = !generation.pace.is_slow();
        if begins_here {
            let done = poll_fn(|context| match work.as_mut().poll(context) {
                Poll::Ready(result) => Poll::Ready(Some(result)),
                Poll::Pending if meter.is_slow() => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            })
            .await;
            if let Some(result) = done {
                return result;
            }
        }
        // Boxed: most are done by now, and their futures should be small.
        Box::pin(drive_elsewhere(work, meter, &generation, begins_here)).await
    };
    in_time(deadline, driving).await?
}

/// Runs `work` on the threads for long-running guests. `has_begun` says whether it was slow elsewhere before.
async fn drive_elsewhere(
    work: Pin<Box<impl Future<Output = Result<Answer, ProcessError>> + Send + 'static>>,
    meter: Arc<CpuMeter>,
    generation: &Generation,
    has_begun: bool,
) -> Result<Answer, ProcessError> {
    let pace = &generation.pace;
    if has_begun {
        // It may only have waited: those that begin elsewhere are measured, and tell.
        pace.slow();
    }
    let background = generation.engine.background();
    let metered = Metered {
        work,
        meter: meter.clone(),
    };
    let result = AbortOnDrop(background.spawn(metered)).join().await;
    if !has_begun && meter.spent() < TICK {
        pace.quick();
    } else if !has_begun {
        pace.slow();
    }
    result
}

/// A task that ends when nobody waits for it any more: the client is gone, or the deadline passed.
struct AbortOnDrop(JoinHandle<Result<Answer, ProcessError>>);

impl AbortOnDrop {
    async fn join(mut self) -> Result<Answer, ProcessError> {
        (&mut self.0).await.unwrap_or_else(|error| {
            Err(ProcessError::Trap {
                hook: "the host",
                message: format!("the web process ended unexpectedly: {error}"),
            })
        })
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn deadline(after: Duration) -> Deadline {
    Deadline {
        at: Instant::now() + after,
        after,
    }
}

pub(crate) fn exchange(generation: &Generation, call: Call, deadline: Deadline) -> Box<Exchange> {
    Box::new(Exchange::new(
        call,
        deadline,
        generation.limits.memory,
        generation.engine.budget.clone(),
    ))
}

pub(crate) fn idle_exchange(generation: &Generation) -> Box<Exchange> {
    idle_exchange_of(generation, Call::outside_of_a_request())
}

/// What a hook runs in that answers no request.
pub(crate) fn idle_exchange_of(generation: &Generation, call: Call) -> Box<Exchange> {
    exchange(generation, call, deadline(generation.limits.deadline))
}
