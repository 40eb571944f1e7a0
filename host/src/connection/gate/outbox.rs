//! What the gate itself sends: the pieces of responses from memory, in their order.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ::bytes::{Buf, Bytes};
use tokio::io::AsyncWrite;

use crate::connection::together::Departure;
use crate::http::ReadyMade;

/// Pieces that are handed to the system at once: of some responses, should a client have asked for several.
const SLICES: usize = 16;

/// The pieces that are still to be sent.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    pieces: VecDeque<Bytes>,
    /// What was written may still be on its way, as inside TLS.
    is_unflushed: bool,
    departure: Departure,
}

impl Outbox {
    pub(super) fn put(&mut self, response: ReadyMade) {
        if let Some(made) = response.made {
            self.departure = Departure::of_answer(made);
        }
        let pieces = response.head.into_iter().chain([response.body]);
        self.pieces.extend(pieces.filter(|piece| !piece.is_empty()));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Sends all of it.
    pub(super) fn poll<S>(
        &mut self,
        stream: &mut S,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>>
    where
        S: AsyncWrite + Unpin,
    {
        ready!(self.departure.poll(context));
        while !self.pieces.is_empty() {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let filled = self.pieces.iter().zip(&mut slices);
            let count = filled
                .map(|(piece, slice)| *slice = IoSlice::new(piece))
                .count();
            let slices = slices.get(..count).unwrap_or_default();
            match ready!(Pin::new(&mut *stream).poll_write_vectored(context, slices))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                sent => self.sent(sent),
            }
            self.is_unflushed = true;
        }
        if self.is_unflushed {
            ready!(Pin::new(stream).poll_flush(context))?;
            self.is_unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    fn sent(&mut self, mut count: usize) {
        while let Some(piece) = self.pieces.front_mut() {
            if count < piece.len() {
                piece.advance(count);
                return;
            }
            count -= piece.len();
            self.pieces.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::{AsyncReadExt, duplex};

    use super::*;

    #[tokio::test]
    async fn pieces_are_sent_in_their_order_however_little_is_taken() {
        let mut outbox = Outbox::default();
        let mut expected = Vec::new();
        for number in 0..20_u8 {
            let piece = |letter: u8| Bytes::from(vec![letter + number; usize::from(number) * 7]);
            let head = [piece(b'A'), Bytes::new(), piece(b'a')];
            let body = piece(b'0');
            expected.extend(head.concat());
            expected.extend_from_slice(&body);
            outbox.put(ReadyMade {
                head,
                body,
                made: None,
            });
        }
        let (mut here, mut there) = duplex(13);
        let reading = tokio::spawn(async move {
            let mut received = Vec::new();
            there.read_to_end(&mut received).await.unwrap();
            received
        });
        poll_fn(|context| outbox.poll(&mut here, context))
            .await
            .unwrap();
        drop(here);
        assert_eq!(reading.await.unwrap(), expected);
        assert!(outbox.pieces.is_empty() && !outbox.is_unflushed);
    }

    #[tokio::test]
    async fn a_client_that_is_gone_is_an_error() {
        let mut outbox = Outbox::default();
        outbox.put(ReadyMade {
            head: Default::default(),
            body: Bytes::from_static(b"abc"),
            made: None,
        });
        let (mut here, there) = duplex(1);
        drop(there);
        let sent = poll_fn(|context| outbox.poll(&mut here, context)).await;
        assert_eq!(sent.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
