//! Instances that belong to a session: its web processes run one after the other on the same one, and each finds the
//! instance's variables as the one before left them.

mod closing;
mod turn;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use crate::call::Target;
use crate::cpu::CpuMeter;
use crate::ended::{Ended, Home, Rest};
use crate::generation::Generation;
use crate::instance::{Instance, Setup};
use crate::process;
use crate::state::Exchange;
use crate::variables::ProcessVariables;

pub(crate) use turn::Turn;

/// Most requests of one session that wait for their turn; `[pool] queue` may be less.
const WAITING_MAX: usize = 32;
/// Of all places for instances, one of so many is the most that the sessions of one component take.
const SHARE: usize = 4;

/// What a session keeps between its requests: an instance of a component, once one was needed.
///
/// One that trapped, or whose web process was cut off, is gone; the next request begins with a new one.
pub struct Context {
    generation: Arc<Generation>,
    kept: Arc<Mutex<Kept>>,
    waiting: AtomicUsize,
    /// Bytes of linear memory when it was looked at last.
    memory: AtomicUsize,
}

/// What lives from one request to the next.
#[derive(Default)]
struct Kept {
    instance: Option<Instance>,
    /// What tags see.
    variables: ProcessVariables,
    /// Its end has come: whoever is late has an instance that is not kept.
    has_ended: bool,
}

impl Context {
    /// Without an instance yet.
    pub fn new(generation: &Arc<Generation>) -> Arc<Self> {
        Arc::new(Self {
            generation: generation.clone(),
            kept: Arc::default(),
            waiting: AtomicUsize::new(0),
            memory: AtomicUsize::new(0),
        })
    }

    /// What its instance is one of.
    pub fn generation(&self) -> &Arc<Generation> {
        &self.generation
    }

    /// Bytes of linear memory that it held when its last web process ended; 0 without an instance.
    pub fn memory_bytes(&self) -> u64 {
        self.memory.load(Ordering::Relaxed) as u64
    }
}

impl Generation {
    /// Most sessions that may keep an instance of this component: a part of all places, so that there are enough left
    /// for the others.
    pub fn sessions_max(&self) -> usize {
        (self.engine.slots.total() / SHARE).max(1)
    }

    /// How long a request waits for an instance: `[pool] queue_timeout`.
    pub fn queue_timeout(&self) -> Duration {
        self.pool_options.queue_timeout
    }

    /// Runs work that no request waits for, on the threads for long-running guests.
    pub fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.engine.background().spawn(work)
    }
}

/// Runs the hooks of one request on the instance of its session, when it is its turn.
pub(crate) async fn performed(
    context: Arc<Context>,
    exchange: Box<Exchange>,
    target: Target,
    meter: Arc<CpuMeter>,
) -> Ended {
    let mut turn = match context.turn().await {
        Ok(turn) => turn,
        Err(error) => return Ended::without_instance(error),
    };
    let generation = &context.generation;
    let mut instance = match turn.take() {
        Some(mut instance) => {
            instance.begin(exchange, meter);
            instance
        }
        None => match process::another(generation, exchange, meter).await {
            Ok(mut instance) => {
                instance.set_up(Setup::Due);
                instance
            }
            Err(error) => return Ended::without_instance(error),
        },
    };
    instance.state_mut().exchange.process_variables = turn.variables();
    let (result, exchange) = process::carried_out(generation, &mut instance, target).await;
    let end = process::trap_cause(&result);
    turn.note(&exchange.process_variables, instance.memory_bytes());
    Ended {
        result,
        rest: Some(Rest {
            home: Home::Session(turn),
            end,
            instance,
            exchange,
        }),
    }
}
