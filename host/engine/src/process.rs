//! A web process: one request on one instance, within its deadline.
//!
//! It begins on the thread that read the request, because most handlers are done before a switch to another
//! thread would be. One that still runs after two ticks of the clock moves to the runtime for long-running
//! guests, whose threads yield to those that serve: a looping component delays neither files nor timers.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::answer::{Answer, AnswerBody};
use crate::call::{Call, Deadline, Target};
use crate::component::Method;
use crate::error::ProcessError;
use crate::forensics::Cost;
use crate::generation::{Generation, PoolPolicy};
use crate::instance::Instance;
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
        let slow = Arc::new(AtomicBool::new(false));
        let deadline = deadline(self.limits.deadline);
        let background = self.engine.background().clone();
        // Boxed here and now, so that the call is not moved again with each future around this one.
        let work = Box::pin(web_process(
            self.clone(),
            call,
            target,
            deadline,
            slow.clone(),
        ));
        async move { drive(work, &slow, deadline.after, &background).await }
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
    Instance::new(generation, idle_exchange(generation), Arc::default()).await
}

async fn web_process(
    generation: Arc<Generation>,
    call: Call,
    target: Target,
    deadline: Deadline,
    slow: Arc<AtomicBool>,
) -> Result<Answer, ProcessError> {
    let exchange = exchange(&generation, call, deadline);
    let kept = if generation.pool_options.policy == PoolPolicy::Reuse {
        generation.pool.take()
    } else {
        None
    };
    let mut instance = match kept {
        Some(mut instance) => {
            instance.begin(exchange, slow);
            instance
        }
        None => Instance::new(&generation, exchange, slow).await?,
    };
    keep_some_ahead(&generation);

    let result = instance.perform(target).await;
    let exchange = instance.finish(idle_exchange(&generation));
    let trapped = matches!(
        result,
        Err(ProcessError::Trap { .. } | ProcessError::OutOfMemory { .. })
    );
    if trapped {
        generation.trapped.fetch_add(1, Ordering::Relaxed);
        let began = exchange.deadline.at - exchange.deadline.after;
        let cost = Cost {
            memory_bytes: instance.memory_bytes(),
            time: began.elapsed(),
        };
        generation.costs.note(exchange.call.id, cost);
    } else if generation.pool_options.policy == PoolPolicy::Reuse && !instance.is_worn_out() {
        generation.pool.put(instance);
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

/// Runs `work` here, and elsewhere once it is slow.
async fn drive(
    mut work: Pin<Box<impl Future<Output = Result<Answer, ProcessError>> + Send + 'static>>,
    slow: &AtomicBool,
    limit: Duration,
    background: &Handle,
) -> Result<Answer, ProcessError> {
    let driving = async {
        let done = poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(result) => Poll::Ready(Some(result)),
            Poll::Pending if slow.load(Ordering::Relaxed) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
        .await;
        match done {
            Some(result) => result,
            None => AbortOnDrop(background.spawn(work)).join().await,
        }
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
