//! A connection's stream that follows the frames of both sides, and is taken away where they are a flood.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use super::allowance::{Allowance, Cause};
use super::follow::{Follower, GOAWAY};
use super::goodbye::{Caught, Flood};
use crate::connection::Protocol;

/// What a client of HTTP/2 sends first.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// How long a client may take for the rest of the frame that it is being sent, before it is cut off.
const REST_OF_FRAME: Duration = Duration::from_secs(1);

/// The stream, as long as the connection is no flood.
pub(in crate::connection) struct Watched<S> {
    /// None once it was taken away.
    stream: Option<S>,
    spoken: Spoken,
    caught: Caught<S>,
}

/// What is spoken, as far as is known.
enum Spoken {
    /// Whatever the client begins with; so many bytes of HTTP/2's preface have come.
    Unknown(usize),
    Http1,
    Http2(Watch),
}

struct Watch {
    received: Follower,
    sent: Follower,
    allowance: Allowance,
    /// The lowest last stream that a GOAWAY of ours has named: a further one must not name a higher one.
    announced: u32,
    ending: Option<Ending>,
}

/// The client is not heard any more; the frame that it is being sent comes to its end.
struct Ending {
    cause: Cause,
    last_stream: u32,
    late: Pin<Box<Sleep>>,
    /// Who waits for further bytes.
    reader: Option<Waker>,
}

impl<S> Watched<S> {
    /// The stream, and where it is found after it was taken away.
    pub(in crate::connection) fn new(stream: S, protocol: Protocol) -> (Self, Caught<S>) {
        let caught = Caught::new();
        let spoken = match protocol {
            Protocol::Either => Spoken::Unknown(0),
            Protocol::Http1 => Spoken::Http1,
            Protocol::Http2 => Spoken::Http2(Watch::new(PREFACE.len())),
        };
        let watched = Self {
            stream: Some(stream),
            spoken,
            caught: caught.clone(),
        };
        (watched, caught)
    }

    /// Takes the stream away once the last frame is whole, or the client was too slow for it. `None` as long as the
    /// connection is no flood.
    fn poll_ending(&mut self, context: &mut Context<'_>) -> Option<Poll<io::Error>> {
        let Spoken::Http2(watch) = &mut self.spoken else {
            return None;
        };
        let ending = watch.ending.as_mut()?;
        let is_whole = watch.sent.is_between();
        if !is_whole && ending.late.as_mut().poll(context).is_pending() {
            return Some(Poll::Pending);
        }
        if let Some(stream) = self.stream.take() {
            self.caught.put(Flood {
                stream,
                cause: ending.cause,
                last_stream: ending.last_stream.min(watch.announced),
                is_whole,
            });
        }
        Some(Poll::Ready(taken_away()))
    }

    fn received(&mut self, bytes: &[u8]) {
        match &mut self.spoken {
            Spoken::Http1 => {}
            Spoken::Http2(watch) => watch.received(bytes),
            Spoken::Unknown(seen) => {
                let missing = PREFACE.get(*seen..).unwrap_or_default();
                let count = missing.len().min(bytes.len());
                let (begun, rest) = bytes.split_at(count);
                if !missing.starts_with(begun) {
                    self.spoken = Spoken::Http1;
                } else if count < missing.len() {
                    *seen += count;
                } else {
                    let mut watch = Watch::new(0);
                    watch.received(rest);
                    self.spoken = Spoken::Http2(watch);
                }
            }
        }
    }

    fn sent<'a>(&mut self, pieces: impl IntoIterator<Item = &'a [u8]>, count: usize) {
        let Spoken::Http2(watch) = &mut self.spoken else {
            return;
        };
        let mut left = count;
        for piece in pieces {
            let piece = piece.get(..left).unwrap_or(piece);
            watch.sent(piece);
            left -= piece.len();
            if left == 0 {
                break;
            }
        }
    }

    fn is_ending(&self) -> bool {
        matches!(&self.spoken, Spoken::Http2(watch) if watch.ending.is_some())
    }
}

impl<S: AsyncWrite + Unpin> Watched<S> {
    /// Writes no more than the rest of the frame that was begun.
    fn write_rest(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        // Pending is a frame that is not whole, and the clock that runs meanwhile.
        if let Some(Poll::Ready(error)) = self.poll_ending(context) {
            return Poll::Ready(Err(error));
        }
        let (Some(stream), Spoken::Http2(watch)) = (self.stream.as_mut(), &mut self.spoken) else {
            return Poll::Ready(Err(taken_away()));
        };
        let rest = watch.sent.rest_of_frame(bytes);
        let bytes = bytes.get(..rest).unwrap_or_default();
        let count = ready!(Pin::new(stream).poll_write(context, bytes))?;
        watch.sent(bytes.get(..count).unwrap_or_default());
        let reader = watch.ending.as_mut().and_then(|it| it.reader.take());
        if let Some(reader) = reader {
            reader.wake();
        }
        Poll::Ready(Ok(count))
    }
}

impl Watch {
    /// The first frame of the client comes after so many bytes.
    fn new(after: usize) -> Self {
        Self {
            received: Follower::after(after),
            sent: Follower::after(0),
            allowance: Allowance::new(),
            announced: u32::MAX,
            ending: None,
        }
    }

    fn received(&mut self, mut bytes: &[u8]) {
        // What comes with a flood is not handed on: nobody has seen the requests in it.
        let last_stream = self.allowance.last_stream();
        while let Some(frame) = self.received.next(&mut bytes) {
            if let Err(cause) = self.allowance.received(frame) {
                return self.end(cause, last_stream);
            }
        }
    }

    fn sent(&mut self, mut bytes: &[u8]) {
        while let Some(frame) = self.sent.next(&mut bytes) {
            if frame.kind == GOAWAY {
                self.announced = self.announced.min(frame.word);
            }
            if let Err(cause) = self.allowance.sent(frame) {
                self.end(cause, self.allowance.last_stream());
            }
        }
    }

    fn end(&mut self, cause: Cause, last_stream: u32) {
        if self.ending.is_none() {
            self.ending = Some(Ending {
                cause,
                last_stream,
                late: Box::pin(tokio::time::sleep(REST_OF_FRAME)),
                reader: None,
            });
        }
    }
}

fn taken_away() -> io::Error {
    io::Error::new(
        io::ErrorKind::ConnectionAborted,
        "the client sends too much that asks for nothing",
    )
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        if !self.is_ending() {
            let Some(stream) = self.stream.as_mut() else {
                return Poll::Ready(Err(taken_away()));
            };
            ready!(Pin::new(stream).poll_read(context, buffer))?;
            if let Spoken::Http1 = self.spoken {
                return Poll::Ready(Ok(()));
            }
            self.received(buffer.filled().get(before..).unwrap_or_default());
        }
        let Some(ended) = self.poll_ending(context) else {
            return Poll::Ready(Ok(()));
        };
        buffer.set_filled(before);
        if let Spoken::Http2(watch) = &mut self.spoken
            && let Some(ending) = &mut watch.ending
        {
            ending.reader = Some(context.waker().clone());
        }
        ended.map(Err)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.is_ending() {
            return self.write_rest(context, bytes);
        }
        let Some(stream) = self.stream.as_mut() else {
            return Poll::Ready(Err(taken_away()));
        };
        let count = ready!(Pin::new(stream).poll_write(context, bytes))?;
        self.sent([bytes], count);
        Poll::Ready(Ok(count))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.is_ending() {
            let first = pieces.iter().find(|piece| !piece.is_empty());
            return self.write_rest(context, first.map_or(&[], |piece| piece));
        }
        let Some(stream) = self.stream.as_mut() else {
            return Poll::Ready(Err(taken_away()));
        };
        let count = ready!(Pin::new(stream).poll_write_vectored(context, pieces))?;
        self.sent(pieces.iter().map(|piece| &**piece), count);
        Poll::Ready(Ok(count))
    }

    fn is_write_vectored(&self) -> bool {
        let stream = self.stream.as_ref();
        stream.is_some_and(AsyncWrite::is_write_vectored)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Some(stream) => Pin::new(stream).poll_flush(context),
            None => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Some(stream) => Pin::new(stream).poll_shutdown(context),
            None => Poll::Ready(Ok(())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Peer;
    use crate::metrics::ConnectionCounts;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    /// A frame of 10 bytes on stream 1, 19 bytes long.
    const FRAME: &[u8] = b"\0\0\x0a\0\0\0\0\0\x010123456789";
    const REQUEST: &[u8] = b"\0\0\x01\x01\x05\0\0\0\x07\x82";

    fn peer() -> Peer {
        let address = "192.0.2.1:1".parse().unwrap();
        Peer {
            client: address,
            server: address,
            connection: 1,
            secured: false,
        }
    }

    fn flood() -> Vec<u8> {
        b"\0\0\0\xee\0\0\0\0\0".repeat(2_000)
    }

    fn go_away(last_stream: u8) -> Vec<u8> {
        let head = b"\0\0\x1f\x07\0\0\0\0\0\0\0\0";
        let rest = b"\0\0\0\x0btoo_many_unknown_frames";
        [head, &[last_stream][..], rest].concat()
    }

    type Opened = (Watched<DuplexStream>, Caught<DuplexStream>, DuplexStream);

    /// A connection on which a request has come.
    async fn opened(buffer: usize) -> Opened {
        let (server, mut client) = duplex(buffer);
        let (mut watched, caught) = Watched::new(server, Protocol::Either);
        let begin = [PREFACE, REQUEST].concat();
        client.write_all(&begin).await.unwrap();
        let mut came = vec![0; begin.len()];
        watched.read_exact(&mut came).await.unwrap();
        assert_eq!(came, begin);
        (watched, caught, client)
    }

    /// Reads until nothing more is to be had.
    async fn drained(mut reader: impl AsyncRead + Unpin) -> bool {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(count) = reader.read(&mut buffer).await {
            assert!(count > 0);
        }
        true
    }

    async fn all(mut client: DuplexStream) -> Vec<u8> {
        let mut came = Vec::new();
        client.read_to_end(&mut came).await.unwrap();
        came
    }

    #[tokio::test(start_paused = true)]
    async fn the_frame_that_is_being_sent_comes_to_its_end_and_no_further() {
        let (mut watched, caught, mut client) = opened(1 << 20).await;
        let (begun, rest) = FRAME.split_at(12);
        watched.write_all(begun).await.unwrap();
        client.write_all(&flood()).await.unwrap();
        let (reader, mut writer) = tokio::io::split(watched);
        let reading = tokio::spawn(drained(reader));
        tokio::task::yield_now().await;
        assert!(!reading.is_finished());
        let more = [rest, FRAME].concat();
        assert_eq!(writer.write(&more).await.unwrap(), rest.len());
        assert!(writer.write(&more).await.is_err());
        assert!(reading.await.unwrap());
        assert!(writer.shutdown().await.is_ok());
        caught.end(peer(), &ConnectionCounts::default()).await;
        assert_eq!(all(client).await, [FRAME, &go_away(7)].concat());
    }

    #[tokio::test(start_paused = true)]
    async fn a_frame_that_is_not_taken_is_not_waited_for_for_ever() {
        let (mut watched, caught, mut client) = opened(1 << 20).await;
        watched.write_all(&FRAME[..12]).await.unwrap();
        client.write_all(&flood()).await.unwrap();
        assert!(drained(&mut watched).await);
        caught.end(peer(), &ConnectionCounts::default()).await;
        assert_eq!(all(client).await, &FRAME[..12]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_stream_is_not_above_that_of_a_go_away_before() {
        let (mut watched, caught, mut client) = opened(1 << 20).await;
        let before = b"\0\0\x08\x07\0\0\0\0\0\0\0\0\x03\0\0\0\0";
        watched.write_all(before).await.unwrap();
        // Requests that come with the flood have been seen by nobody.
        client
            .write_all(&[REQUEST, &flood()].concat())
            .await
            .unwrap();
        assert!(drained(&mut watched).await);
        caught.end(peer(), &ConnectionCounts::default()).await;
        assert_eq!(all(client).await, [before, &go_away(3)[..]].concat());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_no_http2_is_passed_on_as_it_is() {
        let mut random = 0x7e55_e7a0_u64;
        let mut next = |end: usize| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            usize::try_from(random % 0xffff_ffff).unwrap() % end
        };
        for round in 0..200 {
            let mut bytes = PREFACE[..next(PREFACE.len())].to_vec();
            bytes.push(b'X');
            bytes.extend((0..next(50_000)).map(|_| next(256) as u8));
            let (server, mut client) = duplex(1 + next(100_000));
            let (mut watched, caught) = Watched::new(server, Protocol::Either);
            let sent = bytes.clone();
            let sending = tokio::spawn(async move {
                client.write_all(&sent).await.unwrap();
                client
            });
            let mut came = Vec::new();
            while came.len() < bytes.len() {
                let mut piece = vec![0; 1 + next(30_000)];
                let count = watched.read(&mut piece).await.unwrap();
                came.extend_from_slice(&piece[..count]);
            }
            assert!(came == bytes, "round {round}");
            watched.write_all(b"HTTP/1.1 400").await.unwrap();
            drop((watched, sending.await.unwrap()));
            caught.end(peer(), &ConnectionCounts::default()).await;
        }
    }
}
