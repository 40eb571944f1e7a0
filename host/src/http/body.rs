//! The bodies of responses, and the size limit around those of requests.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tessera_engine::BodyError;
use tokio::task::JoinHandle;

use super::coding::Coding;
use super::encoded::{EncodedBody, Encoders, encode};

/// Bytes read at once from a file that is streamed.
const PIECE_BYTES: usize = 128 * 1024;
/// Bodies in memory up to this size are compressed where the request is handled: their length is then known, which
/// clients like, and no coder waits for a slow one.
const ENCODE_AT_ONCE_BYTES_MAX: usize = 64 * 1024;

/// The body of a response: nothing, bytes in memory, or what is read or compressed as the client takes it.
#[derive(Debug, Default)]
pub struct Body {
    kind: Kind,
}

#[derive(Debug, Default)]
enum Kind {
    #[default]
    Empty,
    /// So many bytes that are not sent.
    Unsent(u64),
    Bytes(Bytes),
    File(FileBody),
    Encoded(EncodedBody),
}

/// A file on its way: at most one piece is read ahead.
#[derive(Debug)]
struct FileBody {
    file: Arc<File>,
    position: u64,
    end: u64,
    reading: Option<JoinHandle<io::Result<Bytes>>>,
}

impl Body {
    /// A body without bytes.
    pub fn empty() -> Self {
        Self::default()
    }

    /// A body of which only the length is known, and nothing is sent: that of a 304.
    pub fn unsent(length: u64) -> Self {
        Self {
            kind: Kind::Unsent(length),
        }
    }

    /// The first `length` bytes of a file.
    pub fn file(file: File, length: u64) -> Self {
        Self {
            kind: Kind::File(FileBody {
                file: Arc::new(file),
                position: 0,
                end: length,
                reading: None,
            }),
        }
    }

    /// How many bytes there are; none if only sending them will tell.
    pub fn length(&self) -> Option<u64> {
        match &self.kind {
            Kind::Empty => Some(0),
            Kind::Unsent(length) => Some(*length),
            Kind::Bytes(bytes) => Some(bytes.len() as u64),
            Kind::File(file) => Some(file.end - file.position),
            Kind::Encoded(_) => None,
        }
    }

    /// Compresses the body, at a level from 1 to 9 (none is a compromise). Says whether it was: a large one needs a place
    /// among the encoders.
    pub fn encode(&mut self, coding: Coding, level: Option<u8>, encoders: &Encoders) -> bool {
        let encoded = match &self.kind {
            Kind::Empty | Kind::Unsent(_) | Kind::Encoded(_) => return false,
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

impl<T: Into<Bytes>> From<T> for Body {
    fn from(bytes: T) -> Self {
        let bytes = bytes.into();
        Self {
            kind: if bytes.is_empty() {
                Kind::Empty
            } else {
                Kind::Bytes(bytes)
            },
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let file = match &mut self.kind {
            Kind::Empty | Kind::Unsent(_) => return Poll::Ready(None),
            Kind::Encoded(body) => {
                let data = ready!(body.poll(context));
                if !matches!(data, Some(Ok(_))) {
                    self.kind = Kind::Empty;
                }
                return Poll::Ready(data.map(|data| data.map(Frame::data)));
            }
            Kind::Bytes(bytes) => {
                let bytes = std::mem::take(bytes);
                self.kind = Kind::Empty;
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            Kind::File(file) => file,
        };
        let piece = ready!(file.poll_piece(context));
        if file.position == file.end || !matches!(piece, Some(Ok(_))) {
            self.kind = Kind::Empty;
        }
        Poll::Ready(piece.map(|piece| piece.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.kind, Kind::Empty | Kind::Unsent(_))
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

impl FileBody {
    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if self.position == self.end {
            return Poll::Ready(None);
        }
        let (position, file) = (self.position, &self.file);
        let length = usize::try_from(self.end - position)
            .unwrap_or(PIECE_BYTES)
            .min(PIECE_BYTES);
        let reading = self.reading.get_or_insert_with(|| {
            let file = file.clone();
            tokio::task::spawn_blocking(move || read_piece(&file, position, length))
        });
        let piece = ready!(Pin::new(reading).poll(context))
            .unwrap_or_else(|error| Err(io::Error::other(error)));
        self.reading = None;
        if let Ok(piece) = &piece {
            self.position += piece.len() as u64;
        }
        Poll::Ready(Some(piece))
    }
}

fn read_piece(file: &File, position: u64, length: usize) -> io::Result<Bytes> {
    let mut piece = vec![0; length];
    file.read_exact_at(&mut piece, position)?;
    Ok(piece.into())
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
    async fn a_file_is_streamed_to_its_end() {
        let mut file = tempfile::tempfile().unwrap();
        let content: Vec<u8> = (0..300_000u32).map(|i| (i % 251) as u8).collect();
        file.write_all(&content).unwrap();
        let body = Body::file(file, content.len() as u64);
        assert_eq!(body.length(), Some(300_000));
        assert_eq!(body.collect().await.unwrap().to_bytes(), content);
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

    #[tokio::test]
    async fn a_file_that_shrinks_is_an_error_and_not_a_short_answer() {
        let file = tempfile::tempfile().unwrap();
        assert!(Body::file(file, 10).collect().await.is_err());
    }
}
