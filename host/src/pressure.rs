//! Memory that runs short: seen early, and answered by making room, what is least dear first.

use std::sync::Arc;
use std::time::Duration;

use tessera_engine::Engine;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::exchange::Exchange;
use crate::memory;

/// Time between two looks: short beside what it takes to fill a machine's memory, long beside what a look costs.
const LOOK: Duration = Duration::from_secs(1);
/// How far the use must fall below the setting before all is as it was, in per cent: else it would be so every other
/// second only.
const MARGIN: u32 = 5;

/// Looks until dropped.
pub(crate) struct Pressure(JoinHandle<()>);

/// What can make room.
trait Rooms {
    /// Drops files that are kept in memory and asked for least; says how many bytes.
    fn trim_files(&self) -> u64;
    /// Drops the instances that wait for a request; says how many.
    fn drop_instances(&self) -> usize;
    /// Whether requests may wait for an instance.
    fn let_wait(&self, may: bool);
}

/// What was done so far: one more with each look that finds too much in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    #[default]
    Nothing,
    Files,
    Instances,
    Queues,
}

struct Response<R> {
    rooms: R,
    /// The use at which room is made, in per cent.
    limit: u32,
    step: Step,
}

impl Pressure {
    /// Begins to look; `limit` is in per cent.
    pub(crate) fn watch(limit: u32, engine: Arc<Engine>, exchange: Arc<Exchange>) -> Self {
        let rooms = Process { engine, exchange };
        let mut response = Response::new(rooms, limit);
        Self(tokio::spawn(async move {
            let mut looks = tokio::time::interval(LOOK);
            looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                looks.tick().await;
                // Reading what the system says of a large group takes it a while.
                if let Ok(Some(used)) = tokio::task::spawn_blocking(memory::in_use).await {
                    response.look(used);
                }
            }
        }))
    }
}

impl Drop for Pressure {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl<R: Rooms> Response<R> {
    fn new(rooms: R, limit: u32) -> Self {
        Self {
            rooms,
            limit,
            step: Step::default(),
        }
    }

    /// Does the next thing, and all before it again, if so many per cent are too much.
    fn look(&mut self, used: u32) {
        if used.saturating_add(MARGIN) < self.limit && self.step > Step::Nothing {
            self.rooms.let_wait(true);
            self.step = Step::Nothing;
            tracing::info!(used, "there is enough memory again");
        }
        if used < self.limit {
            return;
        }
        let (next, limit) = (self.step.next(), self.limit);
        let is_new = next > self.step;
        self.step = next;
        let bytes = self.rooms.trim_files();
        if is_new && next == Step::Files {
            tracing::warn!(
                used,
                limit,
                bytes,
                "memory is short: the cache of files makes room"
            );
        }
        if next >= Step::Instances {
            let instances = self.rooms.drop_instances();
            if is_new && next == Step::Instances {
                tracing::warn!(
                    used,
                    limit,
                    instances,
                    "memory is still short: idle instances make room"
                );
            }
        }
        if next >= Step::Queues && is_new {
            self.rooms.let_wait(false);
            tracing::warn!(
                used,
                limit,
                "memory is still short: no request waits for an instance"
            );
        }
    }
}

impl Step {
    fn next(self) -> Self {
        match self {
            Self::Nothing => Self::Files,
            Self::Files => Self::Instances,
            Self::Instances | Self::Queues => Self::Queues,
        }
    }
}

/// The process: its files and its components.
struct Process {
    engine: Arc<Engine>,
    exchange: Arc<Exchange>,
}

impl Rooms for Process {
    fn trim_files(&self) -> u64 {
        self.exchange.caches().trim()
    }

    fn drop_instances(&self) -> usize {
        self.engine.drop_idle_instances()
    }

    fn let_wait(&self, may: bool) {
        self.engine.let_wait(may);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    #[derive(Default)]
    struct Told(RefCell<Vec<&'static str>>);

    impl Rooms for Told {
        fn trim_files(&self) -> u64 {
            self.0.borrow_mut().push("files");
            1
        }

        fn drop_instances(&self) -> usize {
            self.0.borrow_mut().push("instances");
            1
        }

        fn let_wait(&self, may: bool) {
            let told = if may { "wait" } else { "no wait" };
            self.0.borrow_mut().push(told);
        }
    }

    #[test]
    fn room_is_made_in_order_and_only_as_long_as_it_is_needed() {
        let mut response = Response::new(Told::default(), 90);
        let mut told = |used: u32| {
            response.look(used);
            response.rooms.0.take()
        };
        assert!(told(0).is_empty() && told(89).is_empty());
        assert_eq!(told(90), ["files"]);
        assert_eq!(told(95), ["files", "instances"]);
        assert_eq!(told(95), ["files", "instances", "no wait"]);
        assert_eq!(told(99), ["files", "instances"]);
        // Not yet far enough below.
        assert!(told(86).is_empty());
        assert_eq!(told(91), ["files", "instances"]);
        assert_eq!(told(84), ["wait"]);
        assert!(told(84).is_empty());
        assert_eq!(told(100), ["files"]);
    }
}
