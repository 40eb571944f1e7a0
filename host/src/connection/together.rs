//! Answers that are sent together: those of one turn of a thread's event loop, where they are many.
//!
//! A client that gets each answer by itself sleeps until the next one, and to wake it costs the sender nearly as much as a
//! quick component does; on the same core it takes the processor away, too. Where many requests were answered in a row,
//! further answers wait until the thread has nothing else to do than to look for new requests. Where few were, the client
//! could work on the first one meanwhile; where each took long, nobody should wait for the others: none waits then.

use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::runtime;
use tokio::task::yield_now;

/// What a turn lasts at least in which answers wait.
const BUSY_MIN: Duration = Duration::from_micros(150);
/// What an answer takes at most, on the average, in such a turn.
const ANSWER_MAX: Duration = Duration::from_micros(100);
/// Most connections that a thread hears of at once, and so about the most answers that one may wait for.
const EVENTS_MAX: usize = 32;

thread_local! {
    static TURN: Cell<Turn> = const { Cell::new(Turn::NEW) };
}

/// A runtime whose threads serve connections.
pub fn runtime() -> runtime::Builder {
    let mut builder = runtime::Builder::new_multi_thread();
    builder
        .enable_all()
        .max_io_events_per_tick(EVENTS_MAX)
        .on_thread_park(|| with_turn(Turn::end));
    builder
}

fn with_turn<R>(act: impl FnOnce(&mut Turn) -> R) -> R {
    let mut turn = TURN.get();
    let result = act(&mut turn);
    TURN.set(turn);
    result
}

/// What a thread does from one look for new requests to the next.
#[derive(Clone, Copy, Debug)]
struct Turn {
    /// When it had its first answer, and its latest.
    span: Option<(Instant, Instant)>,
    answers: u32,
    /// One of them waits for the end.
    has_waiting: bool,
    /// Answers waited in the turn before, or should have.
    was_busy: bool,
}

impl Turn {
    const NEW: Self = Self {
        span: None,
        answers: 0,
        has_waiting: false,
        was_busy: false,
    };

    /// There is an answer. Says whether it waits.
    fn answer(&mut self, now: Instant) -> bool {
        let (first, _) = self.span.unwrap_or((now, now));
        self.span = Some((first, now));
        self.answers += 1;
        let waits = self.was_busy || self.is_busy();
        self.has_waiting |= waits;
        waits
    }

    fn is_busy(&self) -> bool {
        let length = self.span.map(|(first, latest)| latest - first);
        length.is_some_and(|length| length >= BUSY_MIN && length <= ANSWER_MAX * self.answers)
    }

    /// The thread is about to wait for requests, or has just looked for them.
    fn end(&mut self) {
        *self = Self {
            was_busy: self.is_busy(),
            ..Self::NEW
        };
    }

    /// One that waited goes on.
    fn resume(&mut self) {
        // The first one tells.
        if self.has_waiting {
            self.end();
        }
    }
}

/// When the answer of a connection is sent.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Departure {
    /// As soon as it can be.
    #[default]
    Now,
    /// At the end of the turn.
    Later,
    /// It waits for that.
    Waiting,
}

impl Departure {
    /// There is an answer to be sent, since a moment ago.
    pub(super) fn of_answer(made: Instant) -> Self {
        match with_turn(|turn| turn.answer(made)) {
            true => Self::Later,
            false => Self::Now,
        }
    }

    /// Waits until it is time.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        match *self {
            Self::Now => Poll::Ready(()),
            Self::Later => {
                *self = Self::Waiting;
                // Asked once it only sees to it that the task is woken, after all that can go on.
                pin!(yield_now()).poll(context)
            }
            Self::Waiting => {
                *self = Self::Now;
                with_turn(Turn::resume);
                Poll::Ready(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Whether each of so many answers waits, that come at such intervals.
    fn waits(turn: &mut Turn, answers: u32, interval: Duration) -> Vec<bool> {
        let now = Instant::now();
        let answer = |number| turn.answer(now + interval * number);
        (0..answers).map(answer).collect()
    }

    #[test]
    fn answers_wait_where_many_come_quickly() {
        let mut turn = Turn::NEW;
        // The sixteenth comes 150 µs after the first.
        let expected = [vec![false; 15], vec![true; 5]].concat();
        assert_eq!(waits(&mut turn, 20, Duration::from_micros(10)), expected);
        turn.end();
        assert_eq!(waits(&mut turn, 2, Duration::from_micros(10)), [true, true]);
        // They were too few.
        turn.end();
        assert_eq!(waits(&mut turn, 2, Duration::from_micros(10)), [false; 2]);
    }

    #[test]
    fn nobody_waits_for_what_takes_long() {
        let mut turn = Turn::NEW;
        assert_eq!(waits(&mut turn, 20, Duration::from_millis(1)), [false; 20]);
        turn.end();
        assert!(!turn.answer(Instant::now()));
    }

    #[test]
    fn the_first_that_goes_on_ends_the_turn() {
        let mut turn = Turn::NEW;
        waits(&mut turn, 20, Duration::from_micros(10));
        turn.resume();
        assert!(turn.was_busy && turn.answers == 0);
        // Others of the same turn say nothing of the next one.
        turn.resume();
        assert!(turn.was_busy);
    }

    #[tokio::test]
    async fn what_waits_is_sent_when_the_others_are_done() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let tell = |departure: Departure, name: &'static str| {
            let (told, mut departure) = (told.clone(), departure);
            tokio::spawn(async move {
                told.lock().unwrap().push(format!("{name} made"));
                poll_fn(|context| departure.poll(context)).await;
                told.lock().unwrap().push(format!("{name} sent"));
            })
        };
        let tasks = [
            tell(Departure::Later, "a"),
            tell(Departure::Now, "b"),
            tell(Departure::Later, "c"),
        ];
        for task in tasks {
            task.await.unwrap();
        }
        let mut told = told.lock().unwrap().clone();
        // Which of those that wait goes on first is the runtime's to say.
        told[4..].sort();
        assert_eq!(
            told,
            ["a made", "b made", "b sent", "c made", "a sent", "c sent"]
        );
    }
}
