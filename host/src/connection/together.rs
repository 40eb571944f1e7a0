//! Answers that are sent together: those of one turn of a thread's event loop, where they are many.
//!
//! A client that gets each answer by itself sleeps until the next one, and to wake it costs the sender nearly as much as a
//! quick component does; on the same core it takes the processor away, too. Where many requests were answered in a row,
//! further answers wait until the thread has answered all that are there. Where few were, the client could work on the
//! first one meanwhile, and where each took long, nobody should wait for the others: none waits then.

use std::cell::Cell;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tessera_engine::are_guests_at_work;
use tokio::runtime;

use super::courier;

/// What a turn lasts at least in which answers wait.
const BUSY_MIN: Duration = Duration::from_micros(150);
/// What an answer takes at most, on the average, in such a turn.
const ANSWER_MAX: Duration = Duration::from_micros(100);
/// How many answers a turn has at least where others send them, in it and the next ones: to call those takes a while, too,
/// and much longer where guests compute beside.
const MANY_MIN: u32 = 20;
/// So many of the next ones.
const TURNS_AFTER_MANY: u8 = 64;
/// What lasts longer is several turns, even if the thread has never waited for requests meanwhile.
const TURN_MAX: Duration = Duration::from_millis(2);
/// Most connections that a thread hears of at once, and so about the most answers that one waits for.
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

/// The thread that calls has answered some in a row, or many.
#[cfg(test)]
pub(super) fn was_busy(others: Others) {
    with_turn(|turn| {
        turn.was_busy = true;
        turn.after_many = u8::from(matches!(others, Others::Many));
    });
}

/// What was given away in a turn is sent when it ends.
fn with_turn<R>(act: impl FnOnce(&mut Turn) -> R) -> R {
    let mut turn = TURN.get();
    let number = turn.number;
    let result = act(&mut turn);
    TURN.set(turn);
    if turn.number != number {
        courier::send_off();
    }
    result
}

/// What a thread does from one look for new requests to the next.
#[derive(Clone, Copy, Debug)]
struct Turn {
    number: u64,
    /// When it had its first answer, and its latest.
    span: Option<(Instant, Instant)>,
    answers: u32,
    /// Answers waited in the turn before, or should have.
    was_busy: bool,
    /// Turns that are left of those after one with many answers.
    after_many: u8,
}

impl Turn {
    const NEW: Self = Self {
        number: 0,
        span: None,
        answers: 0,
        was_busy: false,
        after_many: 0,
    };

    /// There is an answer. Says whether it waits.
    fn answer(&mut self, now: Instant) -> bool {
        let has_lasted = |(first, _)| now.saturating_duration_since(first) > TURN_MAX;
        if self.span.is_some_and(has_lasted) {
            self.end();
        }
        let (first, _) = self.span.unwrap_or((now, now));
        self.span = Some((first, now));
        self.answers += 1;
        self.are_quick() && (self.was_busy || self.is_long())
    }

    fn length(&self) -> Duration {
        let length = |(first, latest): (Instant, Instant)| latest.saturating_duration_since(first);
        self.span.map_or(Duration::ZERO, length)
    }

    fn is_long(&self) -> bool {
        self.length() >= BUSY_MIN
    }

    /// Whether there are enough answers for others to send them.
    fn has_many(&self) -> bool {
        self.after_many > 0 || self.answers >= MANY_MIN
    }

    /// Whether its answers took little time each.
    fn are_quick(&self) -> bool {
        self.length() <= ANSWER_MAX * self.answers
    }

    /// The thread is about to wait for requests, or has answered all that were there.
    fn end(&mut self) {
        *self = Self {
            number: self.number.wrapping_add(1),
            was_busy: self.is_long() && self.are_quick(),
            after_many: match self.answers {
                MANY_MIN.. => TURNS_AFTER_MANY,
                0 => self.after_many,
                _ => self.after_many.saturating_sub(1),
            },
            ..Self::NEW
        };
    }

    /// One goes on that waited in a turn. The first one ends it.
    fn resume(&mut self, number: u64) {
        if self.number == number {
            self.end();
        }
    }
}

/// How many answers are sent together.
#[derive(Clone, Copy, Debug)]
pub(super) enum Others {
    Few,
    Many,
}

/// When the answer of a connection is sent.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Departure {
    /// As soon as it can be.
    #[default]
    Now,
    /// At the end of the turn of this number, with few or many others.
    Later(u64, Others),
    /// It waits for that.
    Waiting(u64),
}

impl Departure {
    /// There is an answer to be sent, since a moment ago.
    pub(super) fn of_answer(made: Instant) -> Self {
        with_turn(|turn| match turn.answer(made) {
            true if turn.has_many() && !are_guests_at_work() => {
                Self::Later(turn.number, Others::Many)
            }
            true => Self::Later(turn.number, Others::Few),
            false => Self::Now,
        })
    }

    /// Whether it is worth while to have others send it.
    pub(super) fn is_for_courier(self) -> bool {
        matches!(self, Self::Later(_, Others::Many))
    }

    /// Whether something waits.
    pub(super) fn is_put_off(self) -> bool {
        !matches!(self, Self::Now)
    }

    /// Waits until it is time.
    pub(super) fn poll(&mut self, context: &Context<'_>) -> Poll<()> {
        match *self {
            Self::Now => Poll::Ready(()),
            Self::Later(number, _) => {
                *self = Self::Waiting(number);
                // Its task goes on after all others that can.
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Self::Waiting(number) => {
                *self = Self::Now;
                with_turn(|turn| turn.resume(number));
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
        // Nor where all were quick before.
        turn.was_busy = true;
        let now = Instant::now();
        assert!(turn.answer(now));
        assert!(!turn.answer(now + Duration::from_millis(1)));
    }

    #[test]
    fn the_first_that_goes_on_ends_the_turn() {
        let mut turn = Turn::NEW;
        waits(&mut turn, 20, Duration::from_micros(10));
        turn.resume(0);
        assert!(turn.was_busy && turn.answers == 0);
        // Others of the same turn say nothing of the next one.
        assert!(turn.answer(Instant::now()));
        turn.resume(0);
        assert!(turn.was_busy && turn.answers == 1);
    }

    #[test]
    fn a_thread_that_never_rests_has_turns_all_the_same() {
        let mut turn = Turn::NEW;
        assert_eq!(waits(&mut turn, 20, Duration::from_millis(1)), [false; 20]);
        let expected = [vec![false; 15], vec![true; 5]].concat();
        let later = Instant::now() + Duration::from_secs(1);
        let answer = |number| turn.answer(later + Duration::from_micros(10) * number);
        assert_eq!((0..20).map(answer).collect::<Vec<_>>(), expected);
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
            tell(Departure::Later(0, Others::Few), "a"),
            tell(Departure::Now, "b"),
            tell(Departure::Later(0, Others::Few), "c"),
        ];
        for task in tasks {
            task.await.unwrap();
        }
        let expected = ["a made", "b made", "b sent", "c made", "a sent", "c sent"];
        assert_eq!(*told.lock().unwrap(), expected);
    }
}
