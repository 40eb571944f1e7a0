//! The bodies of responses, and the size limit around those of requests.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use ::http::HeaderValue;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tessera_engine::{AnswerStream, BodyError};

use super::coding::Coding;
use super::direct::DirectFiles;
use super::encoded::{EncodedBody, Encoders, encode};
use super::file::{FileBody, StoredFile};
use super::parts::PartsBody;
use super::streamed::{StreamedBody, Teller};

/// Bodies in memory up to this size are compressed where the request is handled: their length is then known, which
/// clients like, and no coder waits for a slow one.
const ENCODE_AT_ONCE_BYTES_MAX: usize = 64 * 1024;

/// The body of a response: nothing, bytes in memory, or what is read or compressed as the client takes it.
#[derive(Debug, Default)]
pub struct Body {
    kind: Kind,
    /// Counts what is sent, where that is not known before.
    counter: Option<Arc<AtomicU64>>,
}

#[derive(Debug, Default)]
enum Kind {
    #[default]
    Empty,
    /// So many bytes that are not sent.
    Unsent(u64),
    Bytes(Bytes),
    File(FileBody),
    Parts(Box<PartsBody>),
    Encoded(EncodedBody),
    Streamed(StreamedBody),
}

impl Body {
    /// A body without bytes.
    pub fn empty() -> Self {
        Self::default()
    }

    /// A body of which only the length is known, and nothing is sent: that of a 304.
    pub fn unsent(length: u64) -> Self {
        Self::of(Kind::Unsent(length))
    }

    /// The first `length` bytes of a file.
    pub fn file(file: impl Into<Arc<File>>, length: u64) -> Self {
        Content::File(StoredFile::of_length(file, length)).whole()
    }

    /// What a component is still making.
    pub fn streamed(stream: Box<AnswerStream>) -> Self {
        Self::of(Kind::Streamed(StreamedBody::new(stream)))
    }

    /// All of it, if it is in memory.
    pub fn in_memory(&self) -> Option<Bytes> {
        match &self.kind {
            Kind::Empty => Some(Bytes::new()),
            Kind::Bytes(bytes) => Some(bytes.clone()),
            _ => None,
        }
    }

    /// Whether a component is still making it.
    pub fn is_being_made(&self) -> bool {
        matches!(self.kind, Kind::Streamed(_))
    }

    /// Has `teller` told if what a component makes does not come to its end.
    pub fn tell(&mut self, teller: impl FnOnce() -> Teller) {
        if let Kind::Streamed(body) = &mut self.kind {
            body.tell(teller());
        }
    }

    fn of(kind: Kind) -> Self {
        Self {
            kind,
            counter: None,
        }
    }

    /// Adds the bytes of the body to a counter: now if there is a length, else as they are sent.
    pub fn count_into(&mut self, counter: &Arc<AtomicU64>) {
        match self.length() {
            _ if matches!(self.kind, Kind::Empty | Kind::Unsent(_)) => {}
            Some(length) => drop(counter.fetch_add(length, Ordering::Relaxed)),
            None => self.counter = Some(counter.clone()),
        }
    }

    /// The same body; what it has of files is sent by the connection itself, which must know `direct`, if there is one.
    pub fn sent_by(mut self, direct: Option<&DirectFiles>) -> Self {
        let Some(direct) = direct else {
            return self;
        };
        match &mut self.kind {
            Kind::File(file) => file.sent_by(direct.clone()),
            Kind::Parts(parts) => parts.sent_by(direct.clone()),
            Kind::Empty
            | Kind::Unsent(_)
            | Kind::Bytes(_)
            | Kind::Encoded(_)
            | Kind::Streamed(_) => {}
        }
        self
    }

    /// The same body, as the `number`th of those that share a connection at the moment: it takes less memory at a time.
    /// 0 is one that has the connection for itself.
    pub fn shared(mut self, number: u32) -> Self {
        match &mut self.kind {
            Kind::File(file) => file.share(number),
            Kind::Parts(parts) => parts.share(number),
            Kind::Empty
            | Kind::Unsent(_)
            | Kind::Bytes(_)
            | Kind::Encoded(_)
            | Kind::Streamed(_) => {}
        }
        self
    }

    /// How many bytes there are; none if only sending them will tell.
    pub fn length(&self) -> Option<u64> {
        match &self.kind {
            Kind::Empty => Some(0),
            Kind::Unsent(length) => Some(*length),
            Kind::Bytes(bytes) => Some(bytes.len() as u64),
            Kind::File(file) => Some(file.left()),
            Kind::Parts(parts) => Some(parts.left()),
            Kind::Encoded(_) => None,
            Kind::Streamed(body) => body.left(),
        }
    }

    /// Compresses the body, at a level from 1 to 9 (none is a compromise). Says whether it was: a large one needs a place
    /// among the encoders.
    pub fn encode(&mut self, coding: Coding, level: Option<u8>, encoders: &Encoders) -> bool {
        let encoded = match &self.kind {
            // A coder would keep together what is to arrive piece by piece, and has no trailers.
            Kind::Empty
            | Kind::Unsent(_)
            | Kind::Parts(_)
            | Kind::Encoded(_)
            | Kind::Streamed(_) => return false,
            Kind::Bytes(bytes) if bytes.len() <= ENCODE_AT_ONCE_BYTES_MAX => {
                encode(coding, level, bytes.clone()).ok().map(Kind::Bytes)
            }
            Kind::Bytes(_) | Kind::File(_) => {
                EncodedBody::begin(coding, level, self, encoders).map(Kind::Encoded)
            }
        };
        let Some(kind) = encoded else { return false };
        self.kind = kind;
        true
    }
}

/// The bytes of a representation, to be sent as a whole or in parts, any number of times.
#[derive(Clone, Debug)]
pub enum Content {
    /// In memory.
    Memory(Bytes),
    /// In a file, which is read as the client takes it.
    File(StoredFile),
}

impl Content {
    /// Its length in bytes.
    pub fn length(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File(file) => file.length(),
        }
    }

    /// All of it.
    pub fn whole(&self) -> Body {
        self.part(0..self.length())
    }

    /// The bytes of a range, which must end where the content does at the latest. None of them is copied.
    pub fn part(&self, range: Range<u64>) -> Body {
        match self {
            Self::Memory(bytes) => Body::from(slice(bytes, range)),
            Self::File(file) => Body::of(Kind::File(FileBody::new(file.clone(), range))),
        }
    }

    /// The bytes of several ranges, each with a head of its own: RFC 9110, section 14.6. With the Content-Type of it.
    ///
    /// # Errors
    ///
    /// When the system has no random numbers to tell the parts from their content by.
    pub fn parts(
        &self,
        ranges: Vec<Range<u64>>,
        content_type: &HeaderValue,
    ) -> io::Result<(HeaderValue, Body)> {
        let (multipart, parts) = PartsBody::new(self.clone(), ranges, content_type)?;
        Ok((multipart, Body::of(Kind::Parts(Box::new(parts)))))
    }
}

/// A part of what is in memory; empty if there is no such part.
pub(super) fn slice(bytes: &Bytes, range: Range<u64>) -> Bytes {
    let index = |at: u64| usize::try_from(at).map_or(bytes.len(), |at| at.min(bytes.len()));
    let (start, end) = (index(range.start), index(range.end));
    bytes.slice(start.min(end)..end)
}

impl<T: Into<Bytes>> From<T> for Body {
    fn from(bytes: T) -> Self {
        let bytes = bytes.into();
        Self::of(match bytes.is_empty() {
            true => Kind::Empty,
            false => Kind::Bytes(bytes),
        })
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Kind::Streamed(body) = &mut self.kind {
            let frame = ready!(body.poll(context));
            if let (Some(counter), Some(Ok(frame))) = (&self.counter, &frame) {
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                counter.fetch_add(bytes as u64, Ordering::Relaxed);
            }
            return Poll::Ready(frame);
        }
        let (piece, is_last) = match &mut self.kind {
            Kind::Empty | Kind::Unsent(_) | Kind::Streamed(_) => return Poll::Ready(None),
            Kind::Bytes(bytes) => (Some(Ok(std::mem::take(bytes))), true),
            Kind::Encoded(body) => (ready!(body.poll(context)), false),
            Kind::File(file) => (ready!(file.poll_piece(context)), file.left() == 0),
            Kind::Parts(parts) => (ready!(parts.poll_piece(context)), parts.left() == 0),
        };
        if is_last || !matches!(piece, Some(Ok(_))) {
            self.kind = Kind::Empty;
        }
        if let (Some(counter), Some(Ok(piece))) = (&self.counter, &piece) {
            counter.fetch_add(piece.len() as u64, Ordering::Relaxed);
        }
        Poll::Ready(piece.map(|piece| piece.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Streamed(body) => body.is_end(),
            kind => matches!(kind, Kind::Empty | Kind::Unsent(_)),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Unsent(_) => SizeHint::with_exact(0),
            _ => self
                .length()
                .map_or_else(SizeHint::new, SizeHint::with_exact),
        }
    }
}

/// A request's body that fails once it is longer than allowed, whatever its head said.
pub struct LimitedBody<B> {
    body: B,
    left: u64,
}

impl<B> LimitedBody<B> {
    /// Allows `limit` bytes of `body`.
    pub fn new(body: B, limit: u64) -> Self {
        Self { body, left: limit }
    }
}

impl<B> http_body::Body for LimitedBody<B>
where
    B: http_body::Body<Data = Bytes, Error = BodyError> + Unpin,
{
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = match ready!(Pin::new(&mut self.body).poll_frame(context)) {
            None => return Poll::Ready(None),
            Some(Err(error)) => return Poll::Ready(Some(Err(error))),
            Some(Ok(frame)) => frame,
        };
        if let Some(data) = frame.data_ref() {
            match self.left.checked_sub(data.len() as u64) {
                Some(left) => self.left = left,
                None => return Poll::Ready(Some(Err(BodyError::TooLarge))),
            }
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;
    use std::io::Write;

    #[tokio::test]
    async fn a_body_that_shares_its_connection_begins_with_little() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&vec![7; 300_000]).unwrap();
        for (number, expected) in [(8, &[16, 32, 64, 128][..]), (9, &[16; 18])] {
            let mut body = Body::file(file.try_clone().unwrap(), 300_000).shared(number);
            let mut pieces = Vec::new();
            while let Some(frame) = body.frame().await {
                pieces.push(frame.unwrap().into_data().unwrap().len());
            }
            let last = pieces.pop().unwrap();
            let expected: Vec<_> = expected.iter().map(|kib| kib << 10).collect();
            assert_eq!(pieces, expected);
            assert_eq!(last, 300_000 - expected.iter().sum::<usize>());
        }
    }

    #[tokio::test]
    async fn bodies_of_any_size_are_compressed() {
        let encoders = Encoders::default();
        let text = "a line of a text\n".repeat(60_000);
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        for coding in Coding::BY_PREFERENCE {
            for level in [None, Some(1), Some(9)] {
                let small = Body::from(text[..30_000].to_owned());
                let large = Body::from(text.clone());
                let file = Body::file(file.try_clone().unwrap(), text.len() as u64);
                for mut body in [small, large, file] {
                    let expected = usize::try_from(body.length().unwrap()).unwrap();
                    assert!(body.encode(coding, level, &encoders));
                    assert_eq!(body.length().is_some(), expected == 30_000);
                    let body = body.map_err(|error| BodyError::Incomplete(error.to_string()));
                    let body = super::super::DecodedBody::new(coding, body, 2_000_000);
                    let decoded = body.collect().await.unwrap().to_bytes();
                    assert!(
                        decoded == text.as_bytes()[..expected],
                        "{coding:?} {level:?}"
                    );
                }
            }
        }
    }

    #[tokio::test]
    async fn without_a_place_a_body_stays_as_it_is() {
        let encoders = Encoders::default();
        let large = || Body::from(vec![b'x'; 100_000]);
        let mut on_their_way = Vec::new();
        loop {
            let mut body = large();
            if !body.encode(Coding::Zstd, Some(1), &encoders) {
                assert_eq!(body.collect().await.unwrap().to_bytes().len(), 100_000);
                break;
            }
            on_their_way.push(body);
        }
        assert_eq!(on_their_way.len(), 64);
        // Small ones need none; and a body that was sent gives its place back.
        assert!(Body::from("small").encode(Coding::Zstd, Some(1), &encoders));
        on_their_way.pop().unwrap().collect().await.unwrap();
        assert!(large().encode(Coding::Zstd, Some(1), &encoders));
    }
}
