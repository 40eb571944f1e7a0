//! Knows what a connection is at: a request in progress, the head of the next one, or nothing, and since when.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::Timeouts;

/// What one connection is at.
#[derive(Debug)]
pub(super) struct Activity(Mutex<State>);

#[derive(Debug)]
struct State {
    in_progress: u32,
    /// Since when nothing is in progress.
    silent_since: Instant,
    /// When the head of the next request began; a new connection owes one at once.
    head_since: Option<Instant>,
    /// HTTP/2 sends frames that belong to no request: bytes are no head there.
    is_multiplexed: bool,
    /// What is to be sent waits for the client to take what was sent before.
    is_blocked: bool,
    /// Nothing is missing that the client could still expect.
    is_concluded: bool,
}

/// A request in progress, until dropped.
pub(super) struct InProgress {
    activity: Arc<Activity>,
    number: u32,
}

impl InProgress {
    /// How many shared the connection when it began, itself included; 0 where they follow one another.
    pub(super) fn number(&self) -> u32 {
        self.number
    }
}

/// What is to be done about a connection's silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing yet; look again after this time.
    Wait(Duration),
    /// No head came in time: end it now.
    HeadIsLate,
    /// Nothing happens on it: let it end.
    IsIdle,
}

impl Activity {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self(Mutex::new(State {
            in_progress: 0,
            silent_since: now,
            head_since: Some(now),
            is_multiplexed: false,
            is_blocked: false,
            is_concluded: false,
        }))
    }

    /// Bytes came from the client.
    pub(super) fn received(&self) {
        let mut state = self.0.lock();
        if state.in_progress == 0 && !state.is_multiplexed && state.head_since.is_none() {
            state.head_since = Some(Instant::now());
        }
    }

    /// Bytes went to the client: a response is on its way, which may take longer than the handler did.
    pub(super) fn sent(&self) {
        let mut state = self.0.lock();
        let now = Instant::now();
        state.is_blocked = false;
        state.silent_since = now;
        if state.head_since.is_some() {
            // A head that came meanwhile has to wait for its turn.
            state.head_since = Some(now);
        }
    }

    /// Bytes that should go to the client have to wait for it.
    pub(super) fn blocked(&self) {
        self.0.lock().is_blocked = true;
    }

    /// The head of a request is complete.
    pub(super) fn begin(self: &Arc<Self>, is_multiplexed: bool) -> InProgress {
        let mut state = self.0.lock();
        state.in_progress += 1;
        state.head_since = None;
        state.is_multiplexed |= is_multiplexed;
        InProgress {
            activity: self.clone(),
            number: if is_multiplexed { state.in_progress } else { 0 },
        }
    }

    /// The connection is given up. Unless an answer breaks off by that, its client is told that this is the end; HTTP/2
    /// says by itself which answers are complete.
    pub(super) fn conclude(&self) {
        let mut state = self.0.lock();
        state.is_concluded = state.in_progress == 0 || state.is_multiplexed;
    }

    pub(super) fn is_concluded(&self) -> bool {
        self.0.lock().is_concluded
    }

    /// Holds the connection to its timeouts.
    pub(super) fn judge(&self, timeouts: Timeouts) -> Verdict {
        let state = self.0.lock();
        let longest = timeouts.shortest();
        let (since, limit, verdict) = match (state.in_progress, state.head_since) {
            _ if state.is_blocked => return Verdict::Wait(longest),
            (0, Some(since)) => (since, timeouts.header, Verdict::HeadIsLate),
            (0, None) => (state.silent_since, timeouts.keep_alive, Verdict::IsIdle),
            _ => return Verdict::Wait(longest),
        };
        match limit.checked_sub(since.elapsed()) {
            // A head may begin meanwhile, whose limit is the nearer one.
            Some(left) if !left.is_zero() => Verdict::Wait(left.min(longest)),
            _ => verdict,
        }
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        let mut state = self.activity.0.lock();
        state.in_progress -= 1;
        state.silent_since = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUTS: Timeouts = Timeouts {
        header: Duration::from_secs(3),
        keep_alive: Duration::from_secs(20),
    };

    async fn pass(seconds: u64) {
        tokio::time::advance(Duration::from_secs(seconds)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_connection_owes_a_head() {
        let activity = Activity::new();
        assert_eq!(
            activity.judge(TIMEOUTS),
            Verdict::Wait(Duration::from_secs(3))
        );
        pass(3).await;
        assert_eq!(activity.judge(TIMEOUTS), Verdict::HeadIsLate);
    }

    #[tokio::test(start_paused = true)]
    async fn between_requests_the_longer_limit_holds_until_a_head_begins() {
        let activity = Arc::new(Activity::new());
        drop(activity.begin(false));
        pass(10).await;
        assert_eq!(
            activity.judge(TIMEOUTS),
            Verdict::Wait(Duration::from_secs(3))
        );
        activity.received();
        pass(3).await;
        assert_eq!(activity.judge(TIMEOUTS), Verdict::HeadIsLate);
        drop(activity.begin(false));
        pass(20).await;
        assert_eq!(activity.judge(TIMEOUTS), Verdict::IsIdle);
    }

    #[tokio::test(start_paused = true)]
    async fn a_response_on_its_way_is_not_silence() {
        let activity = Arc::new(Activity::new());
        drop(activity.begin(false));
        activity.received();
        for _ in 0..50 {
            pass(2).await;
            activity.sent();
            assert!(matches!(activity.judge(TIMEOUTS), Verdict::Wait(_)));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_in_progress_may_take_its_time() {
        let activity = Arc::new(Activity::new());
        let (one, two) = (activity.begin(true), activity.begin(true));
        pass(100).await;
        drop(one);
        activity.received();
        assert!(matches!(activity.judge(TIMEOUTS), Verdict::Wait(_)));
        drop(two);
        activity.received();
        pass(4).await;
        assert!(
            matches!(activity.judge(TIMEOUTS), Verdict::Wait(_)),
            "frames are no head"
        );
    }
}
