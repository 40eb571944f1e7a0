//! A request's body on its way to a guest: read where its connection is, ahead of a guest that has moved elsewhere.
//!
//! A connection hands over a piece of a body and waits until it is taken. As long as guest and connection are one task that
//! costs nothing. A guest that has moved to the threads for those that take long would wait for the other thread with each
//! piece, and the other way round, and those threads get their turn late on a busy machine. So a task beside the connection
//! reads a little ahead for it: the guest finds several pieces each time it gets its turn.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use crate::body::{BodyError, RequestBody};
use crate::limits::MemoryBudget;

/// Bytes that are read ahead at most, but for the last piece: as much as waits of an answer.
const AHEAD_BYTES_MAX: usize = 512 * 1024;
/// A body that is not longer is not worth a task.
const SMALL_BYTES_MAX: usize = 256 * 1024;
/// Pieces that are shorter are put together, so that none keeps a much larger buffer alive.
const SHORT_BYTES_MAX: usize = 16 * 1024;
/// Pieces are put together up to this length.
const JOINED_BYTES_MAX: usize = 64 * 1024;

type Polled = Poll<Option<Result<Frame<Bytes>, BodyError>>>;

/// A body that is read ahead once that helps.
pub(crate) struct GuestBody {
    source: Source,
    passed: usize,
    /// Where the connection is; none outside of a server.
    home: Option<Handle>,
    budget: Arc<MemoryBudget>,
}

enum Source {
    Direct(RequestBody),
    Ahead(Ahead),
}

/// The guest's end of a body that is read ahead. Dropping it ends the reading.
struct Ahead {
    shared: Arc<Shared>,
    task: AbortHandle,
}

struct Shared {
    queue: Mutex<Queue>,
    budget: Arc<MemoryBudget>,
}

#[derive(Default)]
struct Queue {
    pieces: VecDeque<Bytes>,
    /// Short pieces that came last, put together.
    tail: BytesMut,
    bytes: usize,
    /// What comes after the last piece.
    end: Option<End>,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

enum End {
    Complete,
    Trailers(Frame<Bytes>),
    Broken(BodyError),
}

impl GuestBody {
    pub(crate) fn new(source: RequestBody, budget: Arc<MemoryBudget>) -> Self {
        Self {
            source: Source::Direct(source),
            passed: 0,
            home: Handle::try_current().ok(),
            budget,
        }
    }

    /// Whether it is time to read ahead: of a body that is long, for a guest that is elsewhere.
    fn is_far(&self) -> bool {
        self.passed > SMALL_BYTES_MAX
            && self
                .home
                .as_ref()
                .is_some_and(|home| Handle::try_current().is_ok_and(|here| here.id() != home.id()))
    }

    fn read_ahead(&mut self) {
        let Some(home) = self.home.take() else { return };
        let is_possible = self.budget.take(AHEAD_BYTES_MAX as u64);
        if let (true, Source::Direct(source)) = (is_possible, &mut self.source) {
            let source = std::mem::take(source);
            self.source = Source::Ahead(Ahead::begin(source, &home, self.budget.clone()));
        }
    }
}

impl Body for GuestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Polled {
        if self.is_far() {
            self.read_ahead();
        }
        let polled = match &mut self.source {
            Source::Direct(body) => Pin::new(body).poll_frame(context),
            Source::Ahead(ahead) => ahead.shared.queue.lock().poll(context),
        };
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            self.passed = self.passed.saturating_add(data.len());
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Direct(body) => body.is_end_stream(),
            Source::Ahead(ahead) => ahead.shared.queue.lock().is_ended(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Direct(body) => body.size_hint(),
            Source::Ahead(_) => SizeHint::new(),
        }
    }
}

impl Ahead {
    fn begin(source: RequestBody, home: &Handle, budget: Arc<MemoryBudget>) -> Self {
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            budget,
        });
        let task = home.spawn(fill(source, shared.clone()));
        Self {
            shared,
            task: task.abort_handle(),
        }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.budget.give_back(AHEAD_BYTES_MAX as u64);
    }
}

/// Reads a body to its end, never more than there is room for.
async fn fill(mut source: RequestBody, shared: Arc<Shared>) {
    let end = loop {
        poll_fn(|context| shared.queue.lock().poll_room(context)).await;
        match source.frame().await {
            None => break End::Complete,
            Some(Err(error)) => break End::Broken(error),
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => shared.queue.lock().put(data),
                Err(trailers) => break End::Trailers(trailers),
            },
        }
    };
    shared.queue.lock().end(end);
}

impl Queue {
    fn poll(&mut self, context: &Context<'_>) -> Polled {
        if let Some(piece) = self.take() {
            if self.bytes <= AHEAD_BYTES_MAX / 2
                && let Some(writer) = self.writer.take()
            {
                writer.wake();
            }
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        match self.end.take() {
            Some(End::Complete) => {
                self.end = Some(End::Complete);
                Poll::Ready(None)
            }
            Some(End::Trailers(frame)) => {
                self.end = Some(End::Complete);
                Poll::Ready(Some(Ok(frame)))
            }
            Some(End::Broken(error)) => {
                self.end = Some(End::Complete);
                Poll::Ready(Some(Err(error)))
            }
            None => {
                self.reader = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    fn is_ended(&self) -> bool {
        self.bytes == 0 && matches!(self.end, Some(End::Complete))
    }

    fn take(&mut self) -> Option<Bytes> {
        let piece = match self.pieces.pop_front() {
            Some(piece) => piece,
            None if self.tail.is_empty() => return None,
            None => self.tail.split().freeze(),
        };
        self.bytes -= piece.len();
        Some(piece)
    }

    /// Waits until half of the room is free once none is.
    fn poll_room(&mut self, context: &Context<'_>) -> Poll<()> {
        let has_room = match self.writer {
            Some(_) => self.bytes <= AHEAD_BYTES_MAX / 2,
            None => self.bytes < AHEAD_BYTES_MAX,
        };
        match has_room {
            true => {
                self.writer = None;
                Poll::Ready(())
            }
            false => {
                self.writer = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    fn put(&mut self, piece: Bytes) {
        self.bytes += piece.len();
        let is_short = piece.len() < SHORT_BYTES_MAX;
        if !self.tail.is_empty() && (!is_short || self.tail.len() + piece.len() > JOINED_BYTES_MAX)
        {
            self.pieces.push_back(self.tail.split().freeze());
        }
        match is_short {
            true => self.tail.extend_from_slice(&piece),
            false => self.pieces.push_back(piece),
        }
        self.wake_reader();
    }

    fn end(&mut self, end: End) {
        self.end = Some(end);
        self.wake_reader();
    }

    fn wake_reader(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_core::Stream;
    use http::HeaderMap;
    use http_body_util::StreamBody;

    use super::*;

    /// Pieces of these lengths, all of their own byte, and what comes after them; counts those that were taken.
    struct Pieces {
        lengths: VecDeque<usize>,
        end: Option<Result<Frame<Bytes>, BodyError>>,
        taken: Arc<AtomicUsize>,
    }

    impl Stream for Pieces {
        type Item = Result<Frame<Bytes>, BodyError>;

        fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            let Some(length) = self.lengths.pop_front() else {
                return Poll::Ready(self.end.take());
            };
            let number = self.taken.fetch_add(1, Ordering::SeqCst);
            let piece = vec![number as u8; length];
            Poll::Ready(Some(Ok(Frame::data(piece.into()))))
        }
    }

    fn pieces(lengths: Vec<usize>, end: Option<Result<Frame<Bytes>, BodyError>>) -> Pieces {
        Pieces {
            lengths: lengths.into(),
            end,
            taken: Arc::default(),
        }
    }

    fn elsewhere() -> tokio::runtime::Runtime {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(1).enable_all().build().unwrap()
    }

    fn body(pieces: Pieces, budget: &Arc<MemoryBudget>) -> GuestBody {
        GuestBody::new(StreamBody::new(pieces).boxed_unsync(), budget.clone())
    }

    /// Reads a body on another runtime: its bytes, its trailers, and how often it was given something.
    async fn read(mut body: GuestBody) -> Result<(Vec<u8>, Option<HeaderMap>, usize), BodyError> {
        let other = elsewhere();
        let reading = other.spawn(async move {
            let (mut all, mut trailers, mut count) = (Vec::new(), None, 0);
            while let Some(frame) = body.frame().await {
                match frame?.into_data() {
                    Ok(data) => all.extend_from_slice(&data),
                    Err(frame) => trailers = frame.into_trailers().ok(),
                }
                count += 1;
            }
            assert!(body.frame().await.is_none());
            Ok((all, trailers, count))
        });
        let read = reading.await.unwrap();
        other.shutdown_background();
        read
    }

    fn expected(lengths: &[usize]) -> Vec<u8> {
        let pieces = lengths.iter().enumerate();
        pieces
            .flat_map(|(number, length)| vec![number as u8; *length])
            .collect()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_read_ahead_is_what_was_sent() {
        let budget = Arc::new(MemoryBudget::new(u64::MAX));
        let mut trailers = HeaderMap::new();
        trailers.insert("x-sum", "1".parse().unwrap());
        // Before the reading ahead begins, long ones, short ones, and both in turn.
        let mut lengths = vec![100_000; 4];
        lengths.extend(vec![1; 5000]);
        lengths.extend((0..200).map(|number| [20_000, 7][number % 2]));
        let frame = Frame::trailers(trailers.clone());
        let pieces = pieces(lengths.clone(), Some(Ok(frame)));
        let (all, received, count) = read(body(pieces, &budget)).await.unwrap();
        assert!(all == expected(&lengths));
        assert_eq!(received, Some(trailers));
        assert!(count < 1000, "{count} pieces");
        assert_eq!(budget.used(), 0);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn no_more_is_read_ahead_than_there_is_room_for() {
        let budget = Arc::new(MemoryBudget::new(u64::MAX));
        let source = pieces(vec![100_000; 1000], None);
        let taken = source.taken.clone();
        let mut body = body(source, &budget);
        let other = elsewhere();
        let (sender, receiver) = tokio::sync::oneshot::channel();
        other.spawn(async move {
            for _ in 0..4 {
                body.frame().await.unwrap().unwrap();
            }
            sender.send(body).ok().unwrap();
        });
        let body = receiver.await.unwrap();
        assert_eq!(budget.used(), AHEAD_BYTES_MAX as u64);
        // Nobody takes anything: the pieces that fit, and the one that is one too many. Whether the last piece was taken
        // before there was no room, or after, is a matter of the threads.
        let room = AHEAD_BYTES_MAX / 100_000 + 1;
        while taken.load(Ordering::SeqCst) < 3 + room {
            tokio::task::yield_now().await;
        }
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert!(taken.load(Ordering::SeqCst) <= 4 + room);
        drop(body);
        // Its task ends as well.
        while budget.used() > 0 {
            tokio::task::yield_now().await;
        }
        other.shutdown_background();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_breaks_off_does_so_after_what_was_read() {
        let budget = Arc::new(MemoryBudget::new(u64::MAX));
        let broken = || pieces(vec![100_000; 7], Some(Err(BodyError::TooLarge)));
        assert!(matches!(
            read(body(broken(), &budget)).await,
            Err(BodyError::TooLarge)
        ));
        // Where there is no memory for it, it is read all the same.
        let nothing = Arc::new(MemoryBudget::new(0));
        let whole = pieces(vec![100_000; 7], None);
        let (all, _, count) = read(body(whole, &nothing)).await.unwrap();
        assert_eq!((all.len(), count), (700_000, 7));
    }

    #[tokio::test]
    async fn here_and_while_it_is_short_nothing_is_read_ahead() {
        let budget = Arc::new(MemoryBudget::new(u64::MAX));
        let mut here = body(pieces(vec![100_000; 10], None), &budget);
        while here.frame().await.is_some() {
            assert_eq!(budget.used(), 0);
        }
    }
}
