//! Compressed bodies of responses: at once where all is in memory and small, else as the client takes them.

use std::fmt;
use std::future::poll_fn;
use std::io::{self, Cursor};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use bytes::{Bytes, BytesMut};
use tokio::io::AsyncRead;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::io::poll_read_buf;

use super::Body;
use super::coding::Coding;
use super::source::Source;

/// Bytes of one frame of a body that is compressed on its way.
const FRAME_BYTES: usize = 16 * 1024;
/// Bodies that may be compressed on their way at the same time. Each takes up to 8 MiB as long as its client is slow to
/// read; those past the limit are sent as they are.
const STREAMS_MAX: usize = 64;

/// The places for bodies that are compressed on their way, shared by the whole process.
#[derive(Clone, Debug)]
pub struct Encoders(Arc<Semaphore>);

impl Default for Encoders {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(STREAMS_MAX)))
    }
}

/// A body on its way through a coder.
pub(super) struct EncodedBody {
    encoder: Pin<Box<dyn AsyncRead + Send>>,
    frame: BytesMut,
    _place: OwnedSemaphorePermit,
}

impl fmt::Debug for EncodedBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EncodedBody")
    }
}

impl EncodedBody {
    /// Takes the place of `body`; none if there is no place for another one.
    pub(super) fn begin(
        coding: Coding,
        level: Option<u8>,
        body: &mut Body,
        encoders: &Encoders,
    ) -> Option<Self> {
        let place = encoders.0.clone().try_acquire_owned().ok()?;
        let (length, body) = (body.length(), std::mem::take(body));
        Some(Self {
            encoder: coding.encoder(level, length, Source::new(body)),
            frame: BytesMut::new(),
            _place: place,
        })
    }

    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        self.frame.reserve(FRAME_BYTES);
        let read = poll_read_buf(self.encoder.as_mut(), context, &mut self.frame);
        Poll::Ready(match ready!(read) {
            Ok(0) => None,
            Ok(_) => Some(Ok(self.frame.split().freeze())),
            Err(error) => Some(Err(error)),
        })
    }
}

/// Compresses all of a body that is in memory, at a level from 1 to 9 (none is a compromise).
pub fn encode(coding: Coding, level: Option<u8>, bytes: Bytes) -> io::Result<Bytes> {
    // Texts come out at a third, mostly.
    let mut encoded = BytesMut::with_capacity(bytes.len() / 2);
    let mut encoder = coding.encoder(level, Some(bytes.len() as u64), Cursor::new(bytes));
    let all = poll_fn(|context| {
        loop {
            encoded.reserve(1024);
            if ready!(poll_read_buf(encoder.as_mut(), context, &mut encoded))? == 0 {
                return Poll::Ready(io::Result::Ok(()));
            }
        }
    });
    match pin!(all).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done.map(|()| encoded.freeze()),
        // Memory never has to be waited for.
        Poll::Pending => Err(io::Error::other("the coder waits for more than there is")),
    }
}
