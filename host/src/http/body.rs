//! The bodies of responses, and the size limit around those of requests.

use std::fmt;
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

/// Bytes read at once from a file that is streamed.
const PIECE_BYTES: usize = 128 * 1024;

/// The body of a response: nothing, bytes in memory, or a file that is read as the client takes it.
#[derive(Debug, Default)]
pub struct Body {
    kind: Kind,
    held: Option<Held>,
}

/// Something that lasts as long as the body: what counts requests in progress.
struct Held(#[expect(dead_code, reason = "held to be dropped")] Box<dyn Send + Sync>);

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Held")
    }
}

#[derive(Debug, Default)]
enum Kind {
    #[default]
    Empty,
    Bytes(Bytes),
    File(FileBody),
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

    /// The first `length` bytes of a file.
    pub fn file(file: File, length: u64) -> Self {
        Self {
            kind: Kind::File(FileBody {
                file: Arc::new(file),
                position: 0,
                end: length,
                reading: None,
            }),
            held: None,
        }
    }

    /// The same body, which drops `held` when it has been sent or given up.
    pub fn holding(mut self, held: impl Send + Sync + 'static) -> Self {
        self.held = Some(Held(Box::new(held)));
        self
    }

    /// How many bytes there are.
    pub fn length(&self) -> u64 {
        match &self.kind {
            Kind::Empty => 0,
            Kind::Bytes(bytes) => bytes.len() as u64,
            Kind::File(file) => file.end - file.position,
        }
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
            held: None,
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
            Kind::Empty => return Poll::Ready(None),
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
        matches!(self.kind, Kind::Empty)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length())
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
    B: http_body::Body<Data = Bytes, Error = hyper::Error> + Unpin,
{
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = match ready!(Pin::new(&mut self.body).poll_frame(context)) {
            None => return Poll::Ready(None),
            Some(Err(error)) => {
                return Poll::Ready(Some(Err(BodyError::Incomplete(error.to_string()))));
            }
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
        assert_eq!(body.length(), 300_000);
        assert_eq!(body.collect().await.unwrap().to_bytes(), content);
    }

    #[tokio::test]
    async fn a_file_that_shrinks_is_an_error_and_not_a_short_answer() {
        let file = tempfile::tempfile().unwrap();
        assert!(Body::file(file, 10).collect().await.is_err());
    }
}
