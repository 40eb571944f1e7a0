//! When a web process must have ended: also where that may change while others wait for it.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::task::unconstrained;
use tokio::time::sleep_until;

use crate::call::Deadline;
use crate::error::ProcessError;

/// A deadline that several look at.
#[derive(Clone, Debug)]
pub(crate) enum Due {
    /// It stays what it is.
    Fixed(Deadline),
    /// Whoever makes a response piece by piece has it moved with each of them.
    Moving(Arc<Mutex<Deadline>>),
}

impl Due {
    /// One that may be moved.
    pub(crate) fn moving(deadline: Deadline) -> Self {
        Self::Moving(Arc::new(Mutex::new(deadline)))
    }

    /// What it is now.
    pub(crate) fn now(&self) -> Deadline {
        match self {
            Self::Fixed(deadline) => *deadline,
            Self::Moving(deadline) => *deadline.lock(),
        }
    }

    /// Puts it off until `after` from now, but not past `end`.
    pub(crate) fn put_off(&self, after: Duration, end: Deadline) {
        if let Self::Moving(deadline) = self {
            let at = Instant::now() + after;
            *deadline.lock() = match at < end.at {
                true => Deadline { at, after },
                false => end,
            };
        }
    }

    /// Whether it has passed.
    pub(crate) fn has_passed(&self) -> bool {
        self.now().at <= Instant::now()
    }
}

/// What `work` comes to, if it does so in time. Only what is not done at once is given a timer: all threads share those.
pub(crate) async fn in_time<T>(
    deadline: Deadline,
    work: impl Future<Output = T>,
) -> Result<T, ProcessError> {
    let mut work = pin!(work);
    let mut timer: Option<Pin<Box<_>>> = None;
    poll_fn(|context| {
        if let Poll::Ready(done) = work.as_mut().poll(context) {
            return Poll::Ready(Ok(done));
        }
        // It goes off also where the work has had all its turns.
        let new = || Box::pin(unconstrained(sleep_until(deadline.at.into())));
        let timer = timer.get_or_insert_with(new).as_mut();
        timer
            .poll(context)
            .map(|()| Err(ProcessError::Deadline(deadline.after)))
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use tokio::task::yield_now;

    use super::*;

    #[tokio::test]
    async fn what_is_late_is_given_up_and_what_is_done_is_not() {
        let passed = deadline(Duration::ZERO);
        assert_eq!(in_time(passed, ready(1)).await.ok(), Some(1));
        let soon = deadline(Duration::from_millis(20));
        let two = async {
            yield_now().await;
            2
        };
        assert_eq!(in_time(soon, two).await.ok(), Some(2));
        let late = in_time(soon, pending::<()>()).await.unwrap_err();
        assert!(matches!(late, ProcessError::Deadline(after) if after == soon.after));
        // Also what is always about to go on.
        let soon = deadline(Duration::from_millis(20));
        let restless = async {
            loop {
                tokio::task::coop::consume_budget().await;
            }
        };
        let late = in_time::<()>(soon, restless).await.unwrap_err();
        assert!(matches!(late, ProcessError::Deadline(_)));
    }

    fn deadline(after: Duration) -> Deadline {
        Deadline {
            at: Instant::now() + after,
            after,
        }
    }

    #[test]
    fn who_shares_one_sees_it_move_but_not_past_the_end() {
        let (soon, later) = (Duration::from_secs(1), Duration::from_secs(60));
        let due = Due::moving(deadline(Duration::ZERO));
        let seen = due.clone();
        assert!(seen.has_passed());
        let end = deadline(Duration::from_secs(30));
        due.put_off(soon, end);
        assert_eq!(seen.now().after, soon);
        assert!(!seen.has_passed());
        due.put_off(later, end);
        assert_eq!(seen.now().at, end.at);
        assert_eq!(seen.now().after, end.after);
    }

    #[test]
    fn a_fixed_one_stays() {
        let fixed = deadline(Duration::from_secs(1));
        let due = Due::Fixed(fixed);
        due.put_off(Duration::from_secs(9), deadline(Duration::from_secs(99)));
        assert_eq!(due.now().at, fixed.at);
    }
}
