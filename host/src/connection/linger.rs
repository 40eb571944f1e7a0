//! The end of a connection whose client may still be sending: what it sends is read and dropped for a while. The system
//! would else answer it with a reset, at which clients throw away answers that they have not read.

use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::{Instant, Sleep};

/// Longest wait for the client's next bytes.
const SILENCE_MAX: Duration = Duration::from_secs(2);
/// Longest wait at all: the connection has its place for as long.
const TIME_MAX: Duration = Duration::from_secs(5);
/// Most bytes that are read: an upload is in vain, and should end soon.
const BYTES_MAX: usize = 16 * 1024 * 1024;
/// Bytes read at once.
const PIECE_BYTES: usize = 16 * 1024;

/// What is left to be done before the connection is closed.
#[derive(Debug, Default)]
pub(super) struct Linger {
    state: State,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    NotYet,
    Reading {
        bytes: usize,
        timer: Option<Timer>,
    },
    Over,
}

#[derive(Debug)]
struct Timer {
    next: Pin<Box<Sleep>>,
    end: Instant,
}

impl Linger {
    /// Nothing comes any more.
    pub(super) fn forgo(&mut self) {
        self.state = State::Over;
    }

    /// Whether our side is shut.
    pub(super) fn has_begun(&self) -> bool {
        matches!(self.state, State::Reading { .. })
    }

    /// Reads and drops until the client ends its side, too, or a limit is reached. Where nothing can be unread this is over
    /// at once if nothing has come.
    pub(super) fn poll<S>(
        &mut self,
        stream: &mut S,
        has_unread: bool,
        context: &mut Context<'_>,
    ) -> Poll<()>
    where
        S: AsyncRead + Unpin,
    {
        if let State::NotYet = self.state {
            self.state = State::Reading {
                bytes: 0,
                timer: None,
            };
        }
        let State::Reading { bytes, timer } = &mut self.state else {
            return Poll::Ready(());
        };
        let before = *bytes;
        loop {
            let mut space = [MaybeUninit::uninit(); PIECE_BYTES];
            let mut piece = ReadBuf::uninit(&mut space);
            match Pin::new(&mut *stream).poll_read(context, &mut piece) {
                Poll::Ready(Ok(())) if !piece.filled().is_empty() => *bytes += piece.filled().len(),
                Poll::Ready(_) => break,
                Poll::Pending if *bytes == 0 && !has_unread => break,
                Poll::Pending => {
                    let timer = timer.get_or_insert_with(Timer::new);
                    if timer.poll(*bytes > before, context).is_ready() {
                        break;
                    }
                    return Poll::Pending;
                }
            }
            if *bytes > BYTES_MAX {
                break;
            }
        }
        self.state = State::Over;
        Poll::Ready(())
    }
}

impl Timer {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            next: Box::pin(tokio::time::sleep_until(now + SILENCE_MAX)),
            end: now + TIME_MAX,
        }
    }

    fn poll(&mut self, has_heard: bool, context: &mut Context<'_>) -> Poll<()> {
        if has_heard {
            let next = (Instant::now() + SILENCE_MAX).min(self.end);
            self.next.as_mut().reset(next);
        }
        self.next.as_mut().poll(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use tokio::io::{AsyncWriteExt, DuplexStream, duplex};

    async fn linger(stream: &mut DuplexStream, has_unread: bool) -> Duration {
        let begun = Instant::now();
        let mut linger = Linger::default();
        poll_fn(|context| linger.poll(stream, has_unread, context)).await;
        begun.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_has_nothing_to_say_is_not_waited_for() {
        let (mut ours, _theirs) = duplex(1024);
        assert!(linger(&mut ours, false).await < Duration::from_millis(1));
        // Where it may be sending there is a limit.
        let silence = linger(&mut ours, true).await;
        assert!(silence >= SILENCE_MAX && silence < TIME_MAX, "{silence:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_has_come_is_read_to_its_end() {
        let (mut ours, mut theirs) = duplex(1024);
        let sender = tokio::spawn(async move {
            theirs.write_all(&[b'x'; 100_000]).await.unwrap();
        });
        assert!(linger(&mut ours, true).await < Duration::from_secs(1));
        sender.await.unwrap();
        // Whether or not it was known beforehand.
        let (mut ours, mut theirs) = duplex(1024);
        theirs.write_all(b"x").await.unwrap();
        assert!(linger(&mut ours, false).await >= SILENCE_MAX);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_goes_on_and_on_is_left() {
        let (mut ours, mut theirs) = duplex(1024);
        let drip = tokio::spawn(async move {
            while theirs.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
        let time = linger(&mut ours, true).await;
        assert!(time >= TIME_MAX && time < TIME_MAX * 2, "{time:?}");
        drip.abort();
        let (mut ours, mut theirs) = duplex(1024 * 1024);
        let flood = tokio::spawn(async move {
            let mut bytes = 0;
            while theirs.write_all(&[b'x'; 65_536]).await.is_ok() {
                bytes += 65_536;
            }
            bytes
        });
        linger(&mut ours, true).await;
        drop(ours);
        let bytes = flood.await.unwrap();
        assert!((BYTES_MAX..BYTES_MAX * 2).contains(&bytes), "{bytes}");
    }
}
