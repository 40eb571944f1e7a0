//! Bodies of requests that the client compressed, decompressed for who reads them.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http_body::Frame;
use tessera_engine::BodyError;
use tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};
use tokio_util::io::poll_read_buf;

use super::coding::Coding;
use super::source::Source;

/// Bytes of one frame.
const FRAME_BYTES: usize = 16 * 1024;

/// A body, decompressed, that fails once it is longer than allowed: a few bytes can stand for very many.
pub struct DecodedBody {
    decoder: Pin<Box<dyn AsyncRead + Send>>,
    frame: BytesMut,
    left: u64,
    has_ended: bool,
}

impl DecodedBody {
    /// Allows `limit` bytes of what `body` stands for.
    pub fn new<B>(coding: Coding, body: B, limit: u64) -> Self
    where
        B: http_body::Body<Data = Bytes, Error = BodyError> + Send + Unpin + 'static,
    {
        let source = Source::new(body);
        Self {
            decoder: match coding {
                Coding::Brotli => coding.decoder(SmallWindow::new(source)),
                Coding::Zstd | Coding::Gzip => coding.decoder(source),
            },
            frame: BytesMut::new(),
            left: limit,
            has_ended: false,
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        self.frame.reserve(FRAME_BYTES);
        let read = poll_read_buf(self.decoder.as_mut(), context, &mut self.frame);
        let count = match ready!(read) {
            Ok(0) => return Poll::Ready(None),
            Ok(count) => count,
            Err(error) => return Poll::Ready(Some(Err(cause(error)))),
        };
        Poll::Ready(Some(match self.left.checked_sub(count as u64) {
            Some(left) => {
                self.left = left;
                Ok(self.frame.split().freeze())
            }
            None => Err(BodyError::TooLarge),
        }))
    }
}

impl http_body::Body for DecodedBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.has_ended {
            return Poll::Ready(None);
        }
        let data = ready!(self.poll(context));
        self.has_ended = !matches!(data, Some(Ok(_)));
        Poll::Ready(data.map(|data| data.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.has_ended
    }
}

/// What the body itself failed of, or that it is not what its head says.
fn cause(error: io::Error) -> BodyError {
    error.downcast::<BodyError>().unwrap_or_else(|error| {
        BodyError::Incomplete(format!("it is not compressed as its head says: {error}"))
    })
}

/// Refuses the "large window" variant of br, which the content coding does not have and the decoder would take: its
/// windows are up to 1 GiB.
struct SmallWindow<S> {
    source: S,
    has_begun: bool,
}

impl<S> SmallWindow<S> {
    fn new(source: S) -> Self {
        Self {
            source,
            has_begun: false,
        }
    }
}

impl<S: AsyncBufRead + Unpin> AsyncBufRead for SmallWindow<S> {
    fn poll_fill_buf(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        let bytes = ready!(Pin::new(&mut this.source).poll_fill_buf(context))?;
        if !this.has_begun && bytes.first().is_some_and(|first| first & 0x7f == 0x11) {
            return Poll::Ready(Err(io::Error::other("its window is too large")));
        }
        this.has_begun |= !bytes.is_empty();
        Poll::Ready(Ok(bytes))
    }

    fn consume(mut self: Pin<&mut Self>, count: usize) {
        Pin::new(&mut self.source).consume(count);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for SmallWindow<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.source).poll_read(context, buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Body;
    use http_body_util::BodyExt;

    fn compressed(coding: Coding, text: &[u8]) -> Bytes {
        super::super::encoded::encode(coding, Some(9), Bytes::copy_from_slice(text)).unwrap()
    }

    async fn decoded(
        coding: Coding,
        bytes: impl Into<Bytes>,
        limit: u64,
    ) -> Result<Bytes, BodyError> {
        let body = Body::from(bytes.into());
        let body = body.map_err(|error| BodyError::Incomplete(error.to_string()));
        let decoded = DecodedBody::new(coding, body, limit).collect().await?;
        Ok(decoded.to_bytes())
    }

    #[tokio::test]
    async fn what_was_compressed_comes_back() {
        let text: Vec<u8> = (0..300_000u32).map(|i| (i % 97) as u8).collect();
        for coding in Coding::BY_PREFERENCE {
            let bytes = compressed(coding, &text);
            assert!(bytes.len() < text.len() / 2, "{coding:?}");
            assert_eq!(decoded(coding, bytes, 300_000).await.unwrap(), text);
            assert_eq!(
                decoded(coding, compressed(coding, b""), 0).await.unwrap(),
                ""
            );
        }
    }

    #[tokio::test]
    async fn the_limit_is_that_of_what_it_stands_for() {
        let zeros = vec![0; 10_000_000];
        for coding in Coding::BY_PREFERENCE {
            let bomb = compressed(coding, &zeros);
            assert!(bomb.len() < 20_000, "{coding:?}: {}", bomb.len());
            let error = decoded(coding, bomb, 9_999_999).await.unwrap_err();
            assert!(matches!(error, BodyError::TooLarge), "{coding:?}: {error}");
        }
    }

    #[tokio::test]
    async fn what_is_cut_or_wrong_is_an_error() {
        for coding in Coding::BY_PREFERENCE {
            let whole = compressed(coding, b"a text that is long enough to be cut somewhere");
            let wrong = Bytes::from_static(b"this was never compressed");
            for bytes in [whole.slice(..whole.len() - 3), wrong] {
                let error = decoded(coding, bytes, 1000).await.unwrap_err();
                assert!(matches!(error, BodyError::Incomplete(_)), "{coding:?}");
            }
        }
    }

    #[tokio::test]
    async fn members_follow_each_other() {
        for coding in [Coding::Zstd, Coding::Gzip] {
            let two = [compressed(coding, b"one"), compressed(coding, b"two")].concat();
            assert_eq!(decoded(coding, two, 6).await.unwrap(), "onetwo");
        }
    }

    #[tokio::test]
    async fn windows_that_are_too_large_are_refused() {
        // br: the mark of a large window, and a window of 2^30.
        let error = decoded(Coding::Brotli, vec![0x11, 0x1e, 0, 0], 1000).await;
        assert!(error.unwrap_err().to_string().contains("window"));
        // zstd: a frame whose header asks for 2^27.
        let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x88, 0x01, 0x00, 0x00];
        let error = decoded(Coding::Zstd, frame.to_vec(), 1000).await;
        assert!(error.is_err());
    }

    #[tokio::test]
    async fn no_bytes_panic() {
        let mut seed = 0x2545_f491_4f6c_dd1d_u64;
        for round in 0..300 {
            let mut bytes: Vec<u8> = Vec::new();
            for _ in 0..round % 64 {
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                bytes.push(seed.to_le_bytes()[0]);
            }
            for coding in Coding::BY_PREFERENCE {
                let mut damaged = compressed(coding, b"some text, some text").to_vec();
                let at = round % damaged.len();
                damaged[at] ^= seed.to_le_bytes()[1] | 1;
                let _ = decoded(coding, damaged, 10_000).await;
                let _ = decoded(coding, bytes.clone(), 10_000).await;
            }
        }
    }
}
