//! The end of a connection that was a flood: GOAWAY with ENHANCE_YOUR_CALM, and time for the client to read it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::allowance::Cause;
use super::follow::GOAWAY;
use crate::http::Peer;
use crate::metrics::ConnectionCounts;

/// RFC 9113, section 7: the peer behaves in a way that might generate excessive load.
const ENHANCE_YOUR_CALM: u32 = 11;

/// What a client may still send, and for how long: closing while its bytes are on the way would throw away what it was
/// told.
const LINGER_BYTES_MAX: usize = 1024 * 1024;
const LINGER: Duration = Duration::from_secs(1);

/// A connection that was taken from whoever spoke on it.
#[derive(Debug)]
pub(super) struct Flood<S> {
    pub(super) stream: S,
    pub(super) cause: Cause,
    /// The last request that anybody has seen.
    pub(super) last_stream: u32,
    /// Whether the last frame that was sent is whole, so that another one can follow.
    pub(super) is_whole: bool,
}

/// Where the stream of a flood is put.
#[derive(Debug)]
pub(in crate::connection) struct Caught<S>(Arc<Mutex<Option<Flood<S>>>>);

impl<S> Clone for Caught<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S> Caught<S> {
    /// Nothing was caught yet.
    pub(super) fn new() -> Self {
        Self(Arc::default())
    }

    pub(super) fn put(&self, flood: Flood<S>) {
        *self.0.lock() = Some(flood);
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Caught<S> {
    /// If the connection was a flood, tells its client and the log, and closes it.
    pub(in crate::connection) async fn end(self, peer: Peer, counts: &ConnectionCounts) {
        let caught = self.0.lock().take();
        if let Some(flood) = caught {
            let cause = flood.cause.name();
            counts.flood(cause);
            tracing::debug!(client = %peer.client, cause, "an HTTP/2 flood is ended");
            // Boxed: hardly any connection is one, and each would be larger by what it reads into.
            Box::pin(flood.end()).await;
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Flood<S> {
    /// Says why, and closes; whether the client hears it is its own affair.
    async fn end(mut self) {
        let say = async {
            if self.is_whole {
                let frame = go_away(self.last_stream, self.cause.name().as_bytes());
                self.stream.write_all(&frame).await?;
                self.stream.flush().await?;
            }
            self.stream.shutdown().await?;
            let (mut ignored, mut count) = ([0; 4096], 0);
            while count < LINGER_BYTES_MAX {
                match self.stream.read(&mut ignored).await? {
                    0 => break,
                    more => count += more,
                }
            }
            io::Result::Ok(())
        };
        // Late or broken: there is nothing left to do for this client.
        let _ = tokio::time::timeout(LINGER, say).await;
    }
}

/// GOAWAY, as bytes. The word is a few bytes long.
fn go_away(last_stream: u32, word: &[u8]) -> Vec<u8> {
    let length = u32::try_from(8 + word.len()).unwrap_or_default();
    let mut frame = Vec::with_capacity(17 + word.len());
    frame.extend(length.to_be_bytes().into_iter().skip(1));
    frame.extend([GOAWAY, 0, 0, 0, 0, 0]);
    frame.extend(last_stream.to_be_bytes());
    frame.extend(ENHANCE_YOUR_CALM.to_be_bytes());
    frame.extend(word);
    frame
}
