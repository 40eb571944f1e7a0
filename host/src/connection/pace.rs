//! How fast a client takes what it is sent, as seen by looking now and then.

use std::time::Duration;

use tokio::time::Instant;

use crate::http::is_below_rate;

/// What was seen. Nothing is measured while nothing is owed to the client.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// When the client last took something, and how much it had taken then.
    last: Option<(Instant, u64)>,
    /// The same at the beginning of the time over which its rate is measured.
    window: Option<(Instant, u64)>,
}

impl Pace {
    /// Looks. The client may take nothing for `limit`; over as long it must take `rate_min` bytes a second, 0 for any.
    pub(super) fn is_too_slow(
        &mut self,
        is_owed: bool,
        sent: u64,
        limit: Duration,
        rate_min: u32,
    ) -> bool {
        if !is_owed {
            *self = Self::default();
            return false;
        }
        let now = Instant::now();
        let (last, sent_then) = *self.last.get_or_insert((now, sent));
        if sent_then != sent {
            self.last = Some((now, sent));
        } else if now - last >= limit {
            return true;
        }
        let (begun, sent_then) = *self.window.get_or_insert((now, sent));
        let time = now - begun;
        if time < limit {
            return false;
        }
        self.window = Some((now, sent));
        is_below_rate(sent.wrapping_sub(sent_then), time, rate_min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    /// After how many seconds a client is too slow that takes so many bytes every so many seconds.
    async fn measure(bytes: u64, every: u64, rate_min: u32) -> Option<u64> {
        let mut pace = Pace::default();
        let mut sent = 1000;
        for second in 0..100 {
            if second % every == 0 {
                sent += bytes;
            }
            if pace.is_too_slow(true, sent, LIMIT, rate_min) {
                return Some(second);
            }
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        None
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_has_to_take_something_and_enough() {
        assert_eq!(measure(0, 1, 0).await, Some(10));
        assert_eq!(measure(1, 9, 0).await, None);
        assert_eq!(measure(1, 1, 100).await, Some(10));
        assert_eq!(measure(100, 1, 100).await, None);
        assert_eq!(measure(500, 5, 100).await, None);
        assert_eq!(measure(400, 5, 100).await, Some(10));
        assert_eq!(measure(5000, 11, 1).await, Some(10));
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_time_counts_in_which_something_is_owed() {
        let mut pace = Pace::default();
        for second in 0..100 {
            assert!(
                !pace.is_too_slow(second % 9 != 8, 0, LIMIT, 100),
                "{second}"
            );
            tokio::time::advance(Duration::from_secs(1)).await;
        }
    }
}
