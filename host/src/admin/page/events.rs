//! The figures of all web servers once a second, as server-sent events, for pages that are open.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::body::{Body, Frame};
use serde_json::Value;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::MissedTickBehavior;

use super::visits::{Visitor, Visits};
use crate::metrics::{Live, Whole};

/// Time between two events.
const BEAT: Duration = Duration::from_secs(1);
/// Figures that are younger than this are told again, however many pages are open.
const FRESH: Duration = Duration::from_millis(500);
/// Streams at once.
const STREAMS_MAX: usize = 16;
/// Who takes no event for so long is not there any more.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// Before the first event: how long a client waits before it connects again, in milliseconds.
const BEGINNING: &[u8] = b"retry: 2000\n\n";
/// After the last event of a session.
const END: &[u8] = b"event: end\ndata: {}\n\n";

/// Makes the events of all streams.
#[derive(Debug)]
pub(in crate::admin) struct Events {
    places: Arc<Semaphore>,
    latest: Mutex<Latest>,
}

#[derive(Debug, Default)]
struct Latest {
    live: Live,
    event: Option<(Instant, Bytes)>,
}

impl Default for Events {
    fn default() -> Self {
        Self {
            places: Arc::new(Semaphore::new(STREAMS_MAX)),
            latest: Mutex::default(),
        }
    }
}

/// A stream that may begin.
pub(in crate::admin) struct Stream {
    sender: mpsc::Sender<Bytes>,
    _place: OwnedSemaphorePermit,
}

/// The events of one stream as the body of a response.
#[derive(Debug)]
pub(in crate::admin) struct EventBody(mpsc::Receiver<Bytes>);

impl Body for EventBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = self.get_mut().0.poll_recv(context);
        next.map(|event| event.map(|event| Ok(Frame::data(event))))
    }
}

impl Events {
    /// Finds a place for a further stream; none if there are too many.
    pub(in crate::admin) fn open(&self) -> Option<(Stream, EventBody)> {
        let place = self.places.clone().try_acquire_owned().ok()?;
        // An event that waits is older than the next: there is no use in keeping more.
        let (sender, receiver) = mpsc::channel(1);
        let stream = Stream {
            sender,
            _place: place,
        };
        Some((stream, EventBody(receiver)))
    }

    /// The figures of now, or of a moment ago.
    pub(in crate::admin) async fn figures(&self, whole: Whole<'_>, is_draining: bool) -> Bytes {
        let mut latest = self.latest.lock().await;
        if let Some((at, event)) = &latest.event
            && at.elapsed() < FRESH
        {
            return event.clone();
        }
        let mut figures = latest.live.figures(whole).await;
        figures["draining"] = is_draining.into();
        let event = event(&figures);
        latest.event = Some((Instant::now(), event.clone()));
        event
    }
}

/// JSON has no line breaks but in texts, where they are escaped.
fn event(figures: &Value) -> Bytes {
    format!("event: figures\ndata: {figures}\n\n").into()
}

impl Stream {
    /// Sends events until the client goes, its session ends, or the endpoint is about to close. `figures` makes the next.
    pub(in crate::admin) async fn feed<F, W>(
        self,
        visits: &Visits,
        visitor: Option<Visitor>,
        mut stopped: watch::Receiver<bool>,
        figures: F,
    ) where
        F: Fn() -> W,
        W: Future<Output = Bytes>,
    {
        let mut beat = tokio::time::interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        if !self.send(Bytes::from_static(BEGINNING)).await {
            return;
        }
        loop {
            tokio::select! {
                _ = beat.tick() => {}
                () = self.sender.closed() => return,
                _ = stopped.changed() => return,
            }
            let goes_on = visitor.is_none_or(|visitor| visits.goes_on(visitor, Instant::now()));
            if !goes_on {
                self.send(Bytes::from_static(END)).await;
                return;
            }
            let next = figures().await;
            tokio::select! {
                is_sent = self.send(next) => if !is_sent { return },
                _ = stopped.changed() => return,
            }
        }
    }

    async fn send(&self, event: Bytes) -> bool {
        let sending = self.sender.send_timeout(event, SEND_TIMEOUT);
        sending.await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[test]
    fn there_are_only_so_many_streams() {
        let events = Events::default();
        let mut open: Vec<_> = (0..STREAMS_MAX)
            .map(|_| events.open().expect("a place"))
            .collect();
        assert!(events.open().is_none());
        open.pop();
        assert!(events.open().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_ends_with_its_session_and_with_the_endpoint() {
        let (events, visits) = (Events::default(), Visits::default());
        let figures = || async { Bytes::from_static(b"data: 1\n\n") };
        let (stop, stopped) = watch::channel(false);
        // Nobody's session: it is over at once.
        let halves = visits.open(Instant::now()).unwrap();
        let found = visits.find(&halves.cookie, Some(&halves.proof), Instant::now());
        let super::super::Known::Visitor(visitor) = found else {
            panic!("{found:?}")
        };
        visits.end(visitor);
        let (stream, body) = events.open().unwrap();
        let feeding = stream.feed(&visits, Some(visitor), stopped.clone(), figures);
        let (body, ()) = tokio::join!(body.collect(), feeding);
        let expected = [BEGINNING, END].concat();
        assert_eq!(body.unwrap().to_bytes(), expected);

        let (stream, mut body) = events.open().unwrap();
        let feeding = stream.feed(&visits, None, stopped, figures);
        let reading = async {
            for expected in [BEGINNING, b"data: 1\n\n", b"data: 1\n\n"] {
                let frame = body.frame().await.unwrap().unwrap();
                assert_eq!(frame.into_data().unwrap(), expected);
            }
            stop.send(true).unwrap();
            while body.frame().await.is_some() {}
        };
        tokio::join!(reading, feeding);
    }
}
