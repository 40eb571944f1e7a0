//! The body of a request: read once from the network, whole or piece by piece, as the component asks.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes, BytesMut};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;

use crate::limits::MemoryBudget;
use crate::wit::WitBodyError;

/// A request's body as the host hands it over, with the server's size limit already around it.
pub type RequestBody = UnsyncBoxBody<Bytes, BodyError>;

/// Why a body could not be read to its end.
#[derive(Clone, Debug, thiserror::Error)]
pub enum BodyError {
    /// Larger than the server's `maxRequestSize`, or than the component could hold.
    #[error("the body is larger than maxRequestSize, or than the component's memory")]
    TooLarge,
    /// The client went away, was too slow, or broke the framing.
    #[error("the body ended early: {0}")]
    Incomplete(String),
}

impl From<BodyError> for WitBodyError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge => Self::TooLarge,
            BodyError::Incomplete(_) => Self::Incomplete,
        }
    }
}

/// Largest piece that `read-body` returns.
pub(crate) const PIECE_BYTES_MAX: usize = 1024 * 1024;

/// The body of the current request and how much of it was read.
pub(crate) struct BodyReader {
    source: Option<RequestBody>,
    /// Read from the network but not yet taken by `read-body`: the beginning that `$2` showed, or all of it.
    buffered: Bytes,
    /// The first error; the body stays broken.
    error: Option<BodyError>,
    /// Most bytes that may be buffered: what the guest, which gets a copy, could hold.
    buffer_max: u64,
    /// What the buffers of all requests take counts as memory of the guests.
    budget: Arc<MemoryBudget>,
    taken: u64,
    /// Its parts were read, and nothing else can be.
    is_in_parts: bool,
}

impl BodyReader {
    pub(crate) fn new(
        source: Option<RequestBody>,
        buffer_max: u64,
        budget: Arc<MemoryBudget>,
    ) -> Self {
        Self {
            source,
            buffered: Bytes::new(),
            error: None,
            buffer_max,
            budget,
            taken: 0,
            is_in_parts: false,
        }
    }

    /// No body, held to the same limits.
    pub(crate) fn none(&self) -> Self {
        Self::new(None, self.buffer_max, self.budget.clone())
    }

    /// Whether the body was refused for its size.
    pub(crate) fn is_too_large(&self) -> bool {
        matches!(self.error, Some(BodyError::TooLarge))
    }

    /// Reads ahead until `length` bytes are there or the body ends, and shows what there is.
    pub(crate) async fn peek(&mut self, length: usize) -> Result<&[u8], BodyError> {
        while self.buffered.len() < length {
            let Some(frame) = self.next_frame().await? else {
                break;
            };
            self.buffered = join(&self.buffered, frame);
        }
        Ok(&self.buffered[..self.buffered.len().min(length)])
    }

    /// All that was not taken by [`Self::piece`]. Stays, so that it can be asked for again.
    pub(crate) async fn whole(&mut self) -> Result<Bytes, BodyError> {
        let Some(first) = self.next_frame().await? else {
            return Ok(self.buffered.clone());
        };
        let mut all = BytesMut::with_capacity(self.buffered.len() + first.len());
        all.extend_from_slice(&self.buffered);
        let mut next = Some(first);
        while let Some(frame) = next {
            self.account(frame.len() as u64)?;
            all.extend_from_slice(&frame);
            next = self.next_frame().await?;
        }
        self.buffered = all.freeze();
        Ok(self.buffered.clone())
    }

    /// What was not read yet, to be read elsewhere: piece by piece, held only to the server's limit. None if that is nothing.
    pub(crate) fn rest(&mut self) -> Option<RequestBody> {
        let error = self.error.take();
        let source = self.source.take();
        let read = std::mem::take(&mut self.buffered);
        if read.is_empty() && error.is_none() {
            return source;
        }
        let rest = Rest {
            read,
            error,
            source,
        };
        Some(rest.boxed_unsync())
    }

    /// Counts bytes that are kept of it.
    pub(crate) fn account(&mut self, bytes: u64) -> Result<(), BodyError> {
        if self.taken + bytes > self.buffer_max || !self.budget.take(bytes) {
            self.source = None;
            self.error = Some(BodyError::TooLarge);
            return Err(BodyError::TooLarge);
        }
        self.taken += bytes;
        Ok(())
    }

    /// All of it, if it was read as a whole before and nothing of it was taken.
    pub(crate) fn kept(&self) -> Option<Bytes> {
        let is_kept = self.source.is_none() && self.error.is_none() && !self.buffered.is_empty();
        is_kept.then(|| self.buffered.clone())
    }

    /// The next piece for its parts; empty at the end. Nothing else can be read of it afterwards.
    pub(crate) async fn part_piece(&mut self, max: usize) -> Result<Bytes, BodyError> {
        self.is_in_parts = false;
        let piece = self.piece(max).await;
        self.is_in_parts = true;
        piece
    }

    /// The next piece of at most `max` bytes; empty at the end.
    pub(crate) async fn piece(&mut self, max: usize) -> Result<Bytes, BodyError> {
        let max = max.min(PIECE_BYTES_MAX);
        if self.buffered.is_empty() {
            self.buffered = self.next_frame().await?.unwrap_or_default();
        }
        let length = self.buffered.len().min(max);
        let piece = self.buffered.slice(..length);
        self.buffered.advance(length);
        Ok(piece)
    }

    /// The next data frame that is not empty, `None` at the end.
    async fn next_frame(&mut self) -> Result<Option<Bytes>, BodyError> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        if self.is_in_parts {
            return Err(BodyError::Incomplete("it was read as parts".to_owned()));
        }
        while let Some(source) = &mut self.source {
            match source.frame().await {
                None => self.source = None,
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) if !data.is_empty() => return Ok(Some(data)),
                    _ => {}
                },
                Some(Err(error)) => {
                    self.source = None;
                    self.error = Some(error.clone());
                    return Err(error);
                }
            }
            if self.source.as_ref().is_some_and(Body::is_end_stream) {
                self.source = None;
            }
        }
        Ok(None)
    }
}

/// A body whose beginning was read already.
struct Rest {
    read: Bytes,
    error: Option<BodyError>,
    source: Option<RequestBody>,
}

impl Body for Rest {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if !self.read.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.read)))));
        }
        if let Some(error) = self.error.take() {
            return Poll::Ready(Some(Err(error)));
        }
        match &mut self.source {
            Some(source) => Pin::new(source).poll_frame(context),
            None => Poll::Ready(None),
        }
    }
}

impl Drop for BodyReader {
    fn drop(&mut self) {
        self.budget.give_back(self.taken);
    }
}

fn join(a: &Bytes, b: Bytes) -> Bytes {
    if a.is_empty() {
        return b;
    }
    let mut both = BytesMut::with_capacity(a.len() + b.len());
    both.extend_from_slice(a);
    both.extend_from_slice(&b);
    both.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::{Full, StreamBody};
    use std::convert::Infallible;

    fn limited(body: Option<RequestBody>) -> BodyReader {
        BodyReader::new(body, 1000, Arc::new(MemoryBudget::new(1500)))
    }

    fn reader(text: &'static str) -> BodyReader {
        let body = Full::new(Bytes::from_static(text.as_bytes()));
        limited(Some(
            body.map_err(|never: Infallible| match never {})
                .boxed_unsync(),
        ))
    }

    #[tokio::test]
    async fn what_was_peeked_is_still_read() {
        let mut body = reader("hello world");
        assert_eq!(body.peek(5).await.unwrap(), b"hello");
        assert_eq!(body.whole().await.unwrap(), "hello world");
        assert_eq!(body.whole().await.unwrap(), "hello world");
    }

    #[tokio::test]
    async fn what_was_peeked_is_still_passed_on() {
        let mut body = reader("hello world");
        assert_eq!(body.peek(5).await.unwrap(), b"hello");
        let rest = body.rest().unwrap().collect().await.unwrap();
        assert_eq!(rest.to_bytes(), "hello world");
        assert!(body.rest().is_none());
        assert_eq!(body.whole().await.unwrap(), "");
    }

    #[tokio::test]
    async fn pieces_end_with_an_empty_one() {
        let mut body = reader("hello");
        assert_eq!(body.piece(3).await.unwrap(), "hel");
        assert_eq!(body.piece(3).await.unwrap(), "lo");
        assert_eq!(body.piece(3).await.unwrap(), "");
        assert_eq!(body.whole().await.unwrap(), "");
        assert_eq!(limited(None).piece(9).await.unwrap(), "");
    }

    #[tokio::test]
    async fn buffers_are_bounded_for_one_and_for_all() {
        let body = |length: usize| {
            let body = Full::new(Bytes::from(vec![b'x'; length]));
            Some(
                body.map_err(|never: Infallible| match never {})
                    .boxed_unsync(),
            )
        };
        let budget = Arc::new(MemoryBudget::new(1500));
        let mut one = BodyReader::new(body(1000), 1000, budget.clone());
        let mut two = BodyReader::new(body(1000), 1000, budget.clone());
        assert_eq!(one.whole().await.unwrap().len(), 1000);
        assert!(two.whole().await.is_err() && two.is_too_large());
        drop((one, two));
        assert_eq!(budget.used(), 0);
        let mut larger = BodyReader::new(body(1001), 1000, budget.clone());
        assert!(larger.whole().await.is_err());
        // Piece by piece, any length passes.
        assert_eq!(
            BodyReader::new(body(1001), 1000, budget)
                .piece(2000)
                .await
                .unwrap()
                .len(),
            1001
        );
    }

    #[tokio::test]
    async fn a_broken_body_stays_broken() {
        let frames: Vec<Result<Frame<Bytes>, BodyError>> = vec![
            Ok(Frame::data(Bytes::from_static(b"a"))),
            Err(BodyError::TooLarge),
        ];
        let stream = StreamBody::new(futures_list(frames));
        let mut body = limited(Some(BodyExt::boxed_unsync(stream)));
        assert_eq!(body.piece(1).await.unwrap(), "a");
        assert!(body.whole().await.is_err());
        assert!(body.piece(1).await.is_err());
        assert!(body.is_too_large());
    }

    fn futures_list<T: Send + Unpin + 'static>(
        list: Vec<T>,
    ) -> impl futures_core::Stream<Item = T> + Send + 'static {
        struct List<T>(std::vec::IntoIter<T>);
        impl<T: Unpin> futures_core::Stream for List<T> {
            type Item = T;
            fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<T>> {
                Poll::Ready(self.0.next())
            }
        }
        List(list.into_iter())
    }
}
