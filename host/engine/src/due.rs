//! When a web process must have ended, where that may change while others wait for it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::call::Deadline;

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

#[cfg(test)]
mod tests {
    use super::*;

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
