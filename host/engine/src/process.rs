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
use crate::call::{Call, Deadline, Target};
use crate::clock::TICK;
use crate::component::Method;
use crate::cpu::{CpuMeter, Metered};
use crate::error::ProcessError;
use crate::generation::{Generation, PoolPolicy};
use crate::instance::Instance;
use crate::slots::{NoSlot, Place};
use crate::state::Exchange;

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
        let generation = self.clone();
        // Boxed here and now, so that the call is not moved again with each future around this one.
        let work = Box::pin(web_process(
            self.clone(),
            call,
            target,
            deadline,
            meter.clone(),
        ));
        async move { drive(work, meter, deadline.after, generation).await }
    }
}

/// Asks a new instance for its methods. It is kept if the policy is to keep any.
pub(crate) async fn ask_methods(generation: &Generation) -> Result<Vec<Method>, ProcessError> {
    // The boxed future borrows the generation, so it cannot move to the other runtime; loading does not happen
    // on a serving thread anyway.
    let asking = async {
        let mut instance = new_idle_instance(generation).await?;
        let methods = instance.ask_methods().await?;
        instance.finish(idle_exchange(generation));
        if generation.pool_options.policy == PoolPolicy::Reuse {
            generation.pool.put(instance);
        }
        Ok(methods
            .into_iter()
            .map(|method| Method {
                name: method.name,
                available: method.available,
            })
            .collect())
    };
    let limit = generation.limits.deadline;
    tokio::time::timeout(limit, asking)
        .await
        .unwrap_or(Err(ProcessError::Deadline(limit)))
}

/// An instance that waits for its first request.
pub(crate) async fn new_idle_instance(generation: &Generation) -> Result<Instance, ProcessError> {
    match place(generation).await? {
        Place::Instance(instance) => Ok(instance),
        Place::Slot(slot) => {
            let meter = CpuMeter::new(generation.limits.cpu_time);
            Instance::new(generation, slot, idle_exchange(generation), meter).await
        }
    }
}

/// Room for an instance; where it takes a wait, an instance that has become idle meanwhile.
async fn place(generation: &Generation) -> Result<Place<Instance>, ProcessError> {
    let options = &generation.pool_options;
    let place = generation.engine.place(&generation.pool).await;
    place.map_err(|none| match none {
        NoSlot::Late => ProcessError::Busy(options.queue_timeout),
        NoSlot::QueueFull => ProcessError::QueueFull(options.queue),
    })
}

async fn web_process(
    generation: Arc<Generation>,
    call: Call,
    target: Target,
    deadline: Deadline,
    meter: Arc<CpuMeter>,
) -> Result<Answer, ProcessError> {
    let exchange = exchange(&generation, call, deadline);
    let kept = if generation.pool_options.policy == PoolPolicy::Reuse {
        generation.pool.take()
    } else {
        None
    };
    let place = match kept {
        Some(instance) => Place::Instance(instance),
        None => place(&generation).await?,
    };
    let mut instance = match place {
        Place::Instance(mut instance) => {
            instance.begin(exchange, meter);
            instance
        }
        Place::Slot(slot) => Instance::new(&generation, slot, exchange, meter).await?,
    };
    keep_some_ahead(&generation);

    let result = instance.perform(target).await;
    let exchange = instance.finish(idle_exchange(&generation));
    let trapped = matches!(
        result,
        Err(ProcessError::Trap { .. }
            | ProcessError::OutOfMemory { .. }
            | ProcessError::Limit { .. })
    );
    match instance.end(trapped, &generation.pool_options) {
        Some(cause) => generation.pool.count(cause, 1),
        None => {
            generation.pool.put(instance);
        }
    }
    if exchange.body.is_too_large() && matches!(exchange.answer.body, AnswerBody::Empty) {
        return Err(ProcessError::BodyTooLarge);
    }
    result.map(|()| exchange.answer)
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
    limit: Duration,
    generation: Arc<Generation>,
) -> Result<Answer, ProcessError> {
    let pace = &generation.pace;
    let driving = async {
        let begins_here = !pace.is_slow();
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
            // It may only have waited: those that begin elsewhere are measured, and tell.
            pace.slow();
        }
        let background = generation.engine.background();
        let metered = Metered {
            work,
            meter: meter.clone(),
        };
        let result = AbortOnDrop(background.spawn(metered)).join().await;
        if !begins_here && meter.spent() < TICK {
            pace.quick();
        } else if !begins_here {
            pace.slow();
        }
        result
    };
    tokio::time::timeout(limit, driving)
        .await
        .unwrap_or(Err(ProcessError::Deadline(limit)))
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

fn exchange(generation: &Generation, call: Call, deadline: Deadline) -> Exchange {
    Exchange::new(
        call,
        deadline,
        generation.limits.memory,
        generation.engine.budget.clone(),
    )
}

fn idle_exchange(generation: &Generation) -> Exchange {
    exchange(
        generation,
        Call::outside_of_a_request(),
        deadline(generation.limits.deadline),
    )
}
