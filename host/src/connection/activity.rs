//! Knows what a connection is at: a request in progress, the head of the next one, or nothing, and since when; and whether
//! its client takes what it is sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::Timeouts;
use super::pace::Pace;

/// No time.
const NEVER: u64 = u64::MAX;

/// What one connection is at. Its task alone reads and writes, so that no two parts of it are changed at once; requests of
/// HTTP/2 end elsewhere. Times are milliseconds since the connection began.
#[derive(Debug)]
pub(super) struct Activity {
    began: Instant,
    in_progress: AtomicU32,
    /// Responses that have begun, and wait for nothing but the client.
    owed: AtomicU32,
    /// Since when nothing is in progress, or nothing was sent.
    silent_since: AtomicU64,
    /// When the head of the next request began; a new connection owes one at once.
    head_since: AtomicU64,
    /// The number of the request whose head began, or 0.
    head_begun: AtomicU64,
    /// HTTP/2 sends frames that belong to no request: bytes are no head there.
    is_multiplexed: AtomicBool,
    /// What is to be sent waits for the client to take what was sent before.
    is_blocked: AtomicBool,
    /// Bytes that were sent.
    sent: AtomicU64,
    /// Nothing is missing that the client could still expect.
    is_concluded: AtomicBool,
}

/// A request in progress, until dropped.
pub(super) struct InProgress {
    activity: Arc<Activity>,
    /// How many shared the connection when it began, itself included; 0 where they follow one another.
    shared: u32,
    is_owed: bool,
}

impl InProgress {
    /// How many shared the connection when it began, itself included; 0 where they follow one another.
    pub(super) fn number(&self) -> u32 {
        self.shared
    }
}

/// What is to be done about a connection's silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing yet; look again after this time.
    Wait(Duration),
    /// No head came: end it now.
    NothingCame,
    /// A head began, and did not end in time.
    HeadIsLate,
    /// Nothing happens on it: let it end.
    IsIdle,
    /// The client does not take what it asked for: end it now.
    IsNotRead,
}

impl Activity {
    pub(super) fn new() -> Self {
        Self {
            began: Instant::now(),
            in_progress: AtomicU32::new(0),
            owed: AtomicU32::new(0),
            silent_since: AtomicU64::new(0),
            head_since: AtomicU64::new(0),
            head_begun: AtomicU64::new(0),
            is_multiplexed: AtomicBool::new(false),
            is_blocked: AtomicBool::new(false),
            sent: AtomicU64::new(0),
            is_concluded: AtomicBool::new(false),
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(NEVER - 1)
    }

    /// A part of the head of a request came, and no more; requests are counted from 1.
    pub(super) fn head_begins(&self, number: u64) {
        let begun = self.head_begun.swap(number, Ordering::Relaxed);
        if begun != number && self.head_since.load(Ordering::Relaxed) == NEVER {
            self.head_since.store(self.now(), Ordering::Relaxed);
        }
    }

    /// Bytes went to the client: a response is on its way, which may take longer than the handler did.
    pub(super) fn sent(&self, bytes: usize) {
        self.is_blocked.store(false, Ordering::Relaxed);
        let sent = self.sent.load(Ordering::Relaxed);
        self.sent
            .store(sent.wrapping_add(bytes as u64), Ordering::Relaxed);
        self.is_silent_from_now();
    }

    fn is_silent_from_now(&self) {
        let now = self.now();
        self.silent_since.store(now, Ordering::Relaxed);
        if self.head_since.load(Ordering::Relaxed) != NEVER {
            // A head that came meanwhile has to wait for its turn.
            self.head_since.store(now, Ordering::Relaxed);
        }
    }

    /// Bytes that should go to the client have to wait for it.
    pub(super) fn blocked(&self) {
        self.is_blocked.store(true, Ordering::Relaxed);
    }

    /// The head of a request is complete.
    pub(super) fn begin(self: &Arc<Self>, number: u64, is_multiplexed: bool) -> InProgress {
        let before = self.in_progress.fetch_add(1, Ordering::Relaxed);
        self.head_ends(number);
        if is_multiplexed {
            self.is_multiplexed.store(true, Ordering::Relaxed);
        }
        InProgress {
            activity: self.clone(),
            shared: if is_multiplexed { before + 1 } else { 0 },
            is_owed: false,
        }
    }

    /// The head of a request is complete, whose response is about to be sent.
    pub(super) fn head_ends(&self, number: u64) {
        // That of a later one may have begun.
        if self.head_begun.load(Ordering::Relaxed) <= number {
            self.head_begun.store(0, Ordering::Relaxed);
            self.head_since.store(NEVER, Ordering::Relaxed);
        }
    }

    /// Whether a request is in progress.
    pub(super) fn is_in_progress(&self) -> bool {
        self.in_progress.load(Ordering::Relaxed) > 0
    }

    /// The connection is given up. Unless an answer breaks off by that, its client is told that this is the end; HTTP/2
    /// says by itself which answers are complete.
    pub(super) fn conclude(&self) {
        let is_complete = !self.is_in_progress();
        let is_multiplexed = self.is_multiplexed.load(Ordering::Relaxed);
        self.is_concluded
            .store(is_complete || is_multiplexed, Ordering::Relaxed);
    }

    pub(super) fn is_concluded(&self) -> bool {
        self.is_concluded.load(Ordering::Relaxed)
    }

    /// Holds the connection to its timeouts. `pace` is what was seen before.
    pub(super) fn judge(&self, timeouts: Timeouts, pace: &mut Pace) -> Verdict {
        let longest = timeouts.shortest();
        let is_blocked = self.is_blocked.load(Ordering::Relaxed);
        let is_owed = is_blocked || self.owed.load(Ordering::Relaxed) > 0;
        let sent = self.sent.load(Ordering::Relaxed);
        if pace.is_too_slow(is_owed, sent, timeouts.send, timeouts.rate_min) {
            return Verdict::IsNotRead;
        }
        if is_blocked || self.is_in_progress() {
            return Verdict::Wait(longest);
        }
        let has_head = self.head_begun.load(Ordering::Relaxed) > 0;
        let (since, limit, verdict) = match self.head_since.load(Ordering::Relaxed) {
            NEVER => {
                let since = self.silent_since.load(Ordering::Relaxed);
                (since, timeouts.keep_alive, Verdict::IsIdle)
            }
            since if has_head => (since, timeouts.header, Verdict::HeadIsLate),
            since => (since, timeouts.header, Verdict::NothingCame),
        };
        let passed = Duration::from_millis(self.now().saturating_sub(since));
        match limit.checked_sub(passed) {
            // A head may begin meanwhile, whose limit is the nearer one.
            Some(left) if !left.is_zero() => Verdict::Wait(left.min(longest)),
            _ => verdict,
        }
    }
}

impl InProgress {
    /// There is something for the client to take.
    pub(super) fn is_owed(&mut self) {
        if !self.is_owed {
            self.is_owed = true;
            self.activity.owed.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The next part of the response is still being made.
    pub(super) fn is_not_owed(&mut self) {
        if self.is_owed {
            self.is_owed = false;
            self.activity.owed.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        self.is_not_owed();
        self.activity.in_progress.fetch_sub(1, Ordering::Relaxed);
        self.activity.is_silent_from_now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUTS: Timeouts = Timeouts {
        header: Duration::from_secs(3),
        keep_alive: Duration::from_secs(20),
        send: Duration::from_secs(30),
        rate_min: 100,
    };

    async fn pass(seconds: u64) {
        tokio::time::advance(Duration::from_secs(seconds)).await;
    }

    /// Looks every second, as often as it takes until there is something to be done, and says after how many.
    async fn wait(activity: &Activity) -> (u32, Verdict) {
        let mut pace = Pace::default();
        for seconds in 0..1000 {
            match activity.judge(TIMEOUTS, &mut pace) {
                Verdict::Wait(_) => pass(1).await,
                verdict => return (seconds, verdict),
            }
        }
        panic!("nothing was to be done");
    }

    fn judge(activity: &Activity) -> Verdict {
        activity.judge(TIMEOUTS, &mut Pace::default())
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_connection_owes_a_head() {
        let activity = Activity::new();
        assert_eq!(judge(&activity), Verdict::Wait(Duration::from_secs(3)));
        pass(3).await;
        assert_eq!(judge(&activity), Verdict::NothingCame);
        activity.head_begins(2);
        assert_eq!(judge(&activity), Verdict::HeadIsLate);
    }

    #[tokio::test(start_paused = true)]
    async fn between_requests_the_longer_limit_holds_until_a_head_begins() {
        let activity = Arc::new(Activity::new());
        drop(activity.begin(1, false));
        pass(10).await;
        assert_eq!(judge(&activity), Verdict::Wait(Duration::from_secs(3)));
        activity.head_begins(2);
        pass(2).await;
        // More of it changes nothing.
        activity.head_begins(2);
        pass(1).await;
        assert_eq!(judge(&activity), Verdict::HeadIsLate);
        drop(activity.begin(2, false));
        pass(20).await;
        assert_eq!(judge(&activity), Verdict::IsIdle);
    }

    #[tokio::test(start_paused = true)]
    async fn a_response_on_its_way_is_not_silence() {
        let activity = Arc::new(Activity::new());
        drop(activity.begin(1, false));
        activity.head_begins(2);
        for _ in 0..50 {
            pass(2).await;
            activity.sent(1);
            assert!(matches!(judge(&activity), Verdict::Wait(_)));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_in_progress_may_take_its_time() {
        let activity = Arc::new(Activity::new());
        let (one, two) = (activity.begin(1, true), activity.begin(1, true));
        pass(100).await;
        drop(one);
        assert!(matches!(judge(&activity), Verdict::Wait(_)));
        drop(two);
        pass(4).await;
        assert!(
            matches!(judge(&activity), Verdict::Wait(_)),
            "frames are no head"
        );
        // A head that waited for its turn has its time from then on.
        activity.head_begins(2);
        let slow = activity.begin(1, false);
        pass(100).await;
        drop(slow);
        assert_eq!(judge(&activity), Verdict::Wait(Duration::from_secs(3)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_is_left() {
        let activity = Arc::new(Activity::new());
        let mut response = activity.begin(1, false);
        activity.sent(100_000);
        activity.blocked();
        assert_eq!(wait(&activity).await, (30, Verdict::IsNotRead));
        // Its windows of HTTP/2 may block a response, too; while that is being made it is not the client's fault.
        activity.sent(1);
        response.is_owed();
        assert_eq!(wait(&activity).await, (30, Verdict::IsNotRead));
        response.is_not_owed();
        pass(1000).await;
        assert!(matches!(judge(&activity), Verdict::Wait(_)));
    }
}
