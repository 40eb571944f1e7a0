//! The body of a request as it comes from the client: held to a pace, and looked after until the connection can go on
//! without it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use parking_lot::Mutex;
use tessera_engine::{BodyError, OutboundBody, OutboundError};
use tokio::time::{Instant, Sleep};

use super::{Copied, Reject};

/// Most bytes of a body that nobody wanted and that are read so that the connection can be kept.
const REST_BYTES_MAX: u64 = 64 * 1024;
/// How long they are waited for, and the answer with them.
const REST_TIME_MAX: Duration = Duration::from_millis(500);

/// How slow a client may be with a body.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimits {
    /// Longest wait for the next bytes; also the time over which the rate is measured.
    pub idle: Duration,
    /// Fewest bytes a second while they are waited for; 0 for any.
    pub rate_min: u32,
}

/// The body of a request, as whoever answers it reads it.
#[derive(Debug)]
pub struct RequestBody(Origin, Option<Arc<Mutex<Copied>>>);

/// Who sends a body.
#[derive(Debug)]
enum Origin {
    /// Nobody: there is none.
    Nobody,
    /// The client at the other end of a connection.
    Client(Arc<Mutex<Received>>),
    /// A component, inside of this process.
    Component(Mutex<OutboundBody>),
}

/// What the connection keeps of a body that it handed over.
#[derive(Debug)]
pub struct BodyWatch(Arc<Mutex<Received>>);

/// What became of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It was read to its end: the next request may follow.
    Complete,
    /// Something of it may still come.
    Unread,
    /// It could not be read.
    Failed(Reject),
}

#[derive(Debug)]
struct Received {
    /// None at the end, or when nobody may read on.
    body: Option<Incoming>,
    state: State,
    clock: Clock,
    /// The client waits to be told to send it.
    is_asked_for: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Unread,
    Begun,
    Ended,
    Failed(Reject),
}

/// Measures the time in which a client is waited for.
#[derive(Debug)]
struct Clock {
    limits: BodyLimits,
    timer: Option<Pin<Box<Sleep>>>,
    since: Option<Instant>,
    /// How long it was waited for, and what came, since the rate was last looked at.
    waited: Duration,
    bytes: u64,
}

impl RequestBody {
    /// Takes a body. There is nothing to watch where there is none. `is_asked_for`: reading it tells the client to send it.
    pub fn new(
        body: Incoming,
        limits: BodyLimits,
        is_asked_for: bool,
    ) -> (Self, Option<BodyWatch>) {
        if body.is_end_stream() {
            return (Self(Origin::Nobody, None), None);
        }
        let received = Arc::new(Mutex::new(Received {
            body: Some(body),
            state: State::Unread,
            clock: Clock::new(limits),
            is_asked_for,
        }));
        (
            Self(Origin::Client(received.clone()), None),
            Some(BodyWatch(received)),
        )
    }

    /// What a component sends from inside of this process.
    pub fn of_component(body: OutboundBody) -> Self {
        let origin = match body.is_end_stream() {
            true => Origin::Nobody,
            false => Origin::Component(Mutex::new(body)),
        };
        Self(origin, None)
    }

    /// Copies what is read of it from now on.
    pub fn copy_to(&mut self, copied: Arc<Mutex<Copied>>) {
        self.1 = Some(copied);
    }
}

impl http_body::Body for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = match &self.0 {
            Origin::Nobody => Poll::Ready(None),
            Origin::Client(received) => received.lock().poll(context),
            Origin::Component(body) => {
                let frame = ready!(Pin::new(&mut *body.lock()).poll_frame(context));
                let broken = |error: OutboundError| BodyError::Incomplete(error.to_string());
                Poll::Ready(frame.map(|frame| frame.map_err(broken)))
            }
        };
        if let (Some(copied), Poll::Ready(Some(Ok(frame)))) = (&self.1, &frame) {
            copied
                .lock()
                .add(frame.data_ref().map_or(&[][..], |data| data));
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Origin::Nobody => true,
            Origin::Client(received) => received.lock().state == State::Ended,
            Origin::Component(body) => body.lock().is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Origin::Nobody => SizeHint::with_exact(0),
            Origin::Client(received) => received.lock().size_hint(),
            Origin::Component(body) => body.lock().size_hint(),
        }
    }
}

impl BodyWatch {
    /// Whether all of it was read.
    pub fn has_ended(&self) -> bool {
        self.0.lock().state == State::Ended
    }

    /// The request is answered: nobody reads its body from now on. `may_read`: what is left of a small one is read, so that
    /// the connection can be kept.
    pub async fn settle(self, may_read: bool) -> Settled {
        let mut rest = self.0.lock().take();
        let is_wanted = rest.state == State::Begun || !rest.is_asked_for;
        let is_small = rest.size_hint().lower() <= REST_BYTES_MAX;
        if matches!(rest.state, State::Unread | State::Begun) && may_read && is_wanted && is_small {
            let mut bytes = 0;
            let drop_all = std::future::poll_fn(|context| rest.poll_rest(&mut bytes, context));
            // Late is what it is then.
            let _ = tokio::time::timeout(REST_TIME_MAX, drop_all).await;
        }
        match rest.state {
            State::Unread | State::Begun => Settled::Unread,
            State::Ended => Settled::Complete,
            State::Failed(reject) => Settled::Failed(reject),
        }
    }
}

impl Received {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        loop {
            let Some(body) = &mut self.body else {
                return Poll::Ready(match self.state {
                    State::Ended => None,
                    _ => Some(Err(BodyError::Incomplete("nobody may read on".to_owned()))),
                });
            };
            self.state = State::Begun;
            match Pin::new(&mut *body).poll_frame(context) {
                Poll::Pending => {
                    ready!(self.clock.poll(context));
                    return Poll::Ready(Some(Err(
                        self.fail(Reject::BodyLate, "it is late".to_owned())
                    )));
                }
                Poll::Ready(None) => {
                    self.body = None;
                    self.state = State::Ended;
                }
                Poll::Ready(Some(Err(error))) => {
                    const UNREADABLE: Reject =
                        Reject::Malformed("the body could not be read to its end");
                    return Poll::Ready(Some(Err(self.fail(UNREADABLE, error.to_string()))));
                }
                Poll::Ready(Some(Ok(frame))) => {
                    let has_ended = body.is_end_stream();
                    let Some(data) = frame.data_ref() else {
                        // Trailers, which end it. Who does not ask for them drops them: they are no fields of the head.
                        self.body = None;
                        self.state = State::Ended;
                        return Poll::Ready(Some(Ok(frame)));
                    };
                    if self.clock.heard(data.len()) {
                        return Poll::Ready(Some(Err(
                            self.fail(Reject::BodyLate, "it is slow".to_owned())
                        )));
                    }
                    if has_ended {
                        self.body = None;
                        self.state = State::Ended;
                    }
                    return Poll::Ready(Some(Ok(frame)));
                }
            }
        }
    }

    fn fail(&mut self, reject: Reject, why: String) -> BodyError {
        self.body = None;
        self.state = State::Failed(reject);
        BodyError::Incomplete(why)
    }

    /// Reads what is left, within limits, and drops it.
    fn poll_rest(&mut self, bytes: &mut u64, context: &mut Context<'_>) -> Poll<()> {
        while let Some(Ok(frame)) = ready!(self.poll(context)) {
            *bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
            if *bytes > REST_BYTES_MAX {
                break;
            }
        }
        Poll::Ready(())
    }

    /// Takes the body away from whoever may still hold it.
    fn take(&mut self) -> Self {
        let nothing = Self {
            body: None,
            state: self.state,
            clock: Clock::new(self.clock.limits),
            is_asked_for: self.is_asked_for,
        };
        std::mem::replace(self, nothing)
    }

    fn size_hint(&self) -> SizeHint {
        let hint = self.body.as_ref().map(Incoming::size_hint);
        hint.unwrap_or_else(|| SizeHint::with_exact(0))
    }
}

impl Clock {
    fn new(limits: BodyLimits) -> Self {
        Self {
            limits,
            timer: None,
            since: None,
            waited: Duration::ZERO,
            bytes: 0,
        }
    }

    /// Waits for the client; ready when that was too long.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let is_new = self.since.is_none();
        let since = *self.since.get_or_insert_with(Instant::now);
        let end = since + self.limits.idle;
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(end)));
        if is_new {
            timer.as_mut().reset(end);
        }
        timer.as_mut().poll(context)
    }

    /// Bytes came. Says whether they are too few for the time they took.
    fn heard(&mut self, bytes: usize) -> bool {
        self.bytes += bytes as u64;
        let Some(since) = self.since.take() else {
            return false;
        };
        self.waited += since.elapsed();
        if self.waited < self.limits.idle {
            return false;
        }
        let is_slow = is_below_rate(self.bytes, self.waited, self.limits.rate_min);
        self.waited = Duration::ZERO;
        self.bytes = 0;
        is_slow
    }
}

/// Whether so many bytes in a time are fewer than so many a second.
pub fn is_below_rate(bytes: u64, time: Duration, rate_min: u32) -> bool {
    u128::from(bytes) * 1000 < u128::from(rate_min) * time.as_millis()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    const LIMITS: BodyLimits = BodyLimits {
        idle: Duration::from_secs(10),
        rate_min: 100,
    };

    async fn pass(seconds: u64) {
        tokio::time::advance(Duration::from_secs(seconds)).await;
    }

    /// Whether a client is in time that sends so many bytes every so many seconds.
    async fn is_in_time(bytes: usize, every: u64, limits: BodyLimits) -> bool {
        let mut clock = Clock::new(limits);
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..50 {
            for _ in 0..every {
                if clock.poll(&mut context).is_ready() {
                    return false;
                }
                pass(1).await;
            }
            if clock.poll(&mut context).is_ready() || clock.heard(bytes) {
                return false;
            }
        }
        true
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_must_go_on_and_at_a_pace() {
        assert!(is_in_time(100, 1, LIMITS).await);
        assert!(is_in_time(900, 9, LIMITS).await);
        assert!(!is_in_time(99, 1, LIMITS).await);
        assert!(!is_in_time(1_000_000, 11, LIMITS).await);
        let any = BodyLimits {
            rate_min: 0,
            ..LIMITS
        };
        assert!(is_in_time(1, 9, any).await);
        assert!(!is_in_time(1, 11, any).await);
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_time_counts_in_which_the_client_is_waited_for() {
        let mut clock = Clock::new(LIMITS);
        for _ in 0..100 {
            // A handler that takes its time.
            pass(60).await;
            assert!(!clock.heard(1));
        }
    }
}
