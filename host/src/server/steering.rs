//! Starting and stopping servers on behalf of components: a few at a time, and not in an endless loop.
//!
//! An operation runs on a task of its own on the serving runtime, whatever thread its guest runs on: a port that it
//! opens stays there. Who waits for it may give up; what has begun is finished.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Map, Value};
use tessera_engine::Pending;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use super::{ControlError, Reloader, UnknownServer};
use crate::settings::{Origin, Override};

/// Operations of all components at the same time: each may load a module, which takes a core for a while.
const AT_ONCE_MAX: usize = 4;
/// Those of one component, so that there is room for others while it waits for a server to drain.
const AT_ONCE_OF_ONE_MAX: usize = 2;
/// What one component may begin within [`PERIOD`]; what is more waits. Enough for a panel that restarts a whole site,
/// and little beside what requests take.
const IN_A_PERIOD_MAX: usize = 32;
const PERIOD: Duration = Duration::from_secs(2);

/// What starts and stops servers.
pub trait Control: Send + Sync + 'static {
    /// Starts a server with settings that last until it is stopped, as a component gave them.
    fn start_server(
        self: Arc<Self>,
        name: String,
        settings: Map<String, Value>,
    ) -> Pending<Result<Result<(), Vec<ControlError>>, UnknownServer>>;

    /// Stops a server, and says whether it was running. With `wait` its requests in progress have ended as well.
    fn stop_server(
        self: Arc<Self>,
        name: String,
        wait: bool,
    ) -> Pending<Result<bool, UnknownServer>>;
}

/// The operations that components have asked for.
pub struct Steering {
    /// Who performs them, and where. Not owned: the servers that it owns hold on to this.
    connection: OnceLock<(Weak<dyn Control>, Handle)>,
    at_once: Arc<Semaphore>,
    /// By component, so that a new version of one has no more than the version before it.
    shares: Mutex<BTreeMap<String, Arc<Share>>>,
}

/// What one component may have in progress, and begin within a period.
pub(crate) struct Share {
    at_once: Arc<Semaphore>,
    in_a_period: Arc<Semaphore>,
}

impl Control for Reloader {
    fn start_server(
        self: Arc<Self>,
        name: String,
        settings: Map<String, Value>,
    ) -> Pending<Result<Result<(), Vec<ControlError>>, UnknownServer>> {
        let settings = Override::from_json(Origin::Guest, &settings);
        Box::pin(async move { self.start(&name, settings).await })
    }

    fn stop_server(
        self: Arc<Self>,
        name: String,
        wait: bool,
    ) -> Pending<Result<bool, UnknownServer>> {
        Box::pin(async move { self.stop(&name, wait).await })
    }
}

impl Default for Steering {
    fn default() -> Self {
        Self {
            connection: OnceLock::new(),
            at_once: Arc::new(Semaphore::new(AT_ONCE_MAX)),
            shares: Mutex::default(),
        }
    }
}

impl Steering {
    /// Lets `control` perform the operations on `runtime`, the one that serves. Before that there are none.
    pub fn connect<C: Control>(&self, control: &Arc<C>, runtime: Handle) {
        let control: Weak<C> = Arc::downgrade(control);
        // A second one would be a mistake of the start of the process; the first stays.
        let _ = self.connection.set((control, runtime));
    }

    /// The share of a component; as many are kept as there are names in the registry.
    pub(crate) fn share(&self, component: &str) -> Arc<Share> {
        let mut shares = self.shares.lock();
        let share = shares.entry(component.to_owned()).or_insert_with(|| {
            Arc::new(Share {
                at_once: Arc::new(Semaphore::new(AT_ONCE_OF_ONE_MAX)),
                in_a_period: Arc::new(Semaphore::new(IN_A_PERIOD_MAX)),
            })
        });
        share.clone()
    }

    /// Performs an operation when there is room for it; `None` if the process is ending.
    ///
    /// Dropping the future gives up a place in the queue, but not an operation that has begun.
    pub(crate) async fn perform<T: Send + 'static>(
        &self,
        share: &Share,
        operation: impl FnOnce(Arc<dyn Control>) -> Pending<T> + Send + 'static,
    ) -> Option<T> {
        let (control, runtime) = self.connection.get()?;
        // The rarest last: nobody holds a place that all share while waiting for one of their own.
        let in_a_period = share.in_a_period.clone().acquire_owned().await.ok()?;
        let of_one = share.at_once.clone().acquire_owned().await.ok()?;
        let of_all = self.at_once.clone().acquire_owned().await.ok()?;
        let control = control.upgrade()?;
        runtime.spawn(async move {
            tokio::time::sleep(PERIOD).await;
            drop(in_a_period);
        });
        let work = runtime.spawn(async move {
            let _places = (of_one, of_all);
            operation(control).await
        });
        work.await
            .inspect_err(
                |error| tracing::error!(%error, "starting or stopping a server ended unexpectedly"),
            )
            .ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Counts what is in progress, and lets it end when told.
    struct Gate {
        begun: AtomicUsize,
        ended: AtomicUsize,
        open: Semaphore,
    }

    impl Control for Gate {
        fn start_server(
            self: Arc<Self>,
            _name: String,
            _settings: Map<String, Value>,
        ) -> Pending<Result<Result<(), Vec<ControlError>>, UnknownServer>> {
            Box::pin(async { Ok(Ok(())) })
        }

        fn stop_server(
            self: Arc<Self>,
            _name: String,
            _wait: bool,
        ) -> Pending<Result<bool, UnknownServer>> {
            Box::pin(async move {
                self.begun.fetch_add(1, Ordering::SeqCst);
                self.open.acquire().await.unwrap().forget();
                self.ended.fetch_add(1, Ordering::SeqCst);
                Ok(true)
            })
        }
    }

    fn gate() -> (Arc<Gate>, Arc<Steering>) {
        let gate = Arc::new(Gate {
            begun: AtomicUsize::new(0),
            ended: AtomicUsize::new(0),
            open: Semaphore::new(0),
        });
        let steering = Arc::new(Steering::default());
        steering.connect(&gate, Handle::current());
        (gate, steering)
    }

    async fn stop(steering: Arc<Steering>, share: Arc<Share>) -> Option<bool> {
        let stop = |control: Arc<dyn Control>| control.stop_server("any".to_owned(), true);
        steering.perform(&share, stop).await.map(Result::unwrap)
    }

    /// Lets every task come as far as it can.
    async fn settle() {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_component_leaves_room_for_others() {
        let (gate, steering) = gate();
        let mut waiting = tokio::task::JoinSet::new();
        for component in ["a", "b", "c"] {
            for _ in 0..5 {
                waiting.spawn(stop(steering.clone(), steering.share(component)));
            }
            settle().await;
            let expected = match component {
                "a" => AT_ONCE_OF_ONE_MAX,
                _ => AT_ONCE_MAX,
            };
            assert_eq!(gate.begun.load(Ordering::SeqCst), expected, "{component}");
        }
        gate.open.add_permits(15);
        assert!(
            waiting
                .join_all()
                .await
                .into_iter()
                .all(|done| done == Some(true))
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_loop_is_held_to_its_share_of_a_period() {
        let (gate, steering) = gate();
        gate.open.add_permits(Semaphore::MAX_PERMITS);
        let share = steering.share("a");
        let looping = tokio::spawn({
            let steering = steering.clone();
            async move {
                loop {
                    stop(steering.clone(), share.clone()).await;
                }
            }
        });
        let begun = || gate.begun.load(Ordering::SeqCst);
        tokio::time::sleep(PERIOD / 2).await;
        assert_eq!(begun(), IN_A_PERIOD_MAX);
        // A new version of the component goes on with what is left, which is nothing.
        let same = tokio::spawn(stop(steering.clone(), steering.share("a")));
        settle().await;
        assert_eq!(begun(), IN_A_PERIOD_MAX);
        tokio::time::sleep(PERIOD).await;
        assert_eq!(begun(), 2 * IN_A_PERIOD_MAX);
        assert_eq!(same.await.unwrap(), Some(true));
        looping.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn what_has_begun_goes_on_when_nobody_waits_for_it() {
        let (gate, steering) = gate();
        let share = steering.share("a");
        let begun = tokio::spawn(stop(steering.clone(), share.clone()));
        settle().await;
        begun.abort();
        settle().await;
        gate.open.add_permits(1);
        settle().await;
        assert_eq!(gate.ended.load(Ordering::SeqCst), 1);
        // Its places are free again.
        assert_eq!(share.at_once.available_permits(), AT_ONCE_OF_ONE_MAX);
        assert_eq!(steering.at_once.available_permits(), AT_ONCE_MAX);
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_in_the_queue_has_begun_nothing() {
        let (gate, steering) = gate();
        let share = steering.share("a");
        let mut waiting: Vec<_> = (0..3)
            .map(|_| tokio::spawn(stop(steering.clone(), share.clone())))
            .collect();
        settle().await;
        waiting.pop().unwrap().abort();
        gate.open.add_permits(2);
        for begun in waiting {
            assert_eq!(begun.await.unwrap(), Some(true));
        }
        settle().await;
        assert_eq!(gate.begun.load(Ordering::SeqCst), 2);
        assert_eq!(share.at_once.available_permits(), AT_ONCE_OF_ONE_MAX);
    }

    #[tokio::test]
    async fn nothing_is_performed_when_the_process_ends() {
        let (gate, steering) = gate();
        drop(gate);
        let share = steering.share("a");
        assert_eq!(stop(steering, share).await, None);
        let unconnected = Arc::new(Steering::default());
        let share = unconnected.share("a");
        assert_eq!(stop(unconnected, share).await, None);
    }
}
