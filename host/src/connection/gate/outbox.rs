//! What the gate itself sends: the pieces of responses from memory, in their order.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;
use tokio::net::tcp::OwnedWriteHalf;

use crate::connection::activity::Activity;
use crate::connection::courier::Parcel;
use crate::connection::pieces::Pieces;
use crate::connection::together::Departure;
use crate::http::ReadyMade;

/// The pieces that are still to be sent.
#[derive(Default)]
pub(super) struct Outbox {
    pieces: Pieces,
    /// What was written may still be on its way, as inside TLS.
    is_unflushed: bool,
    departure: Departure,
    /// Where others may write; none where the connection sends all itself.
    writing: Option<Arc<OwnedWriteHalf>>,
    /// By which pieces that wait are given away.
    parcel: Option<Arc<Parcel>>,
    /// Pieces were given away, and may not have been sent.
    is_given: bool,
}

impl Outbox {
    pub(super) fn new(writing: Option<Arc<OwnedWriteHalf>>) -> Self {
        Self {
            writing,
            ..Self::default()
        }
    }

    pub(super) fn put(&mut self, response: ReadyMade) {
        if let Some(made) = response.made {
            self.departure = Departure::of_answer(made);
        }
        self.pieces
            .add(response.head.into_iter().chain([response.body]));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty() && !self.is_given
    }

    /// Sends all of it, or gives it away to be sent before anything that comes after it.
    pub(super) fn poll<S>(
        &mut self,
        stream: &mut S,
        activity: &Activity,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>>
    where
        S: AsyncWrite + Unpin,
    {
        ready!(self.poll_taken_back(context))?;
        if self.departure.is_for_courier()
            && let Some(writing) = &self.writing
        {
            activity.sent(self.pieces.length());
            let new = || Parcel::new(writing.clone());
            let parcel = self.parcel.get_or_insert_with(new);
            parcel.give(&mut self.pieces, context);
            self.is_given = true;
            self.departure = Departure::Now;
        }
        ready!(self.departure.poll(context));
        self.poll_pieces(stream, context)
    }

    /// Sends all of it, also what was given away.
    pub(super) fn poll_all<S>(
        &mut self,
        stream: &mut S,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>>
    where
        S: AsyncWrite + Unpin,
    {
        ready!(self.poll_taken_back(context))?;
        self.departure = Departure::Now;
        self.poll_pieces(stream, context)
    }

    /// Whether something was given away, and may not have been sent.
    pub(super) fn is_given(&self) -> bool {
        self.is_given
    }

    fn poll_taken_back(&mut self, context: &Context<'_>) -> Poll<io::Result<()>> {
        if self.is_given
            && let Some(parcel) = &self.parcel
        {
            ready!(parcel.poll_taken_back(&mut self.pieces, context))?;
            self.is_given = false;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_pieces<S>(&mut self, stream: &mut S, context: &mut Context<'_>) -> Poll<io::Result<()>>
    where
        S: AsyncWrite + Unpin,
    {
        if !self.pieces.is_empty() {
            self.is_unflushed = true;
            let write = |slices: &[io::IoSlice<'_>]| {
                Pin::new(&mut *stream).poll_write_vectored(context, slices)
            };
            ready!(self.pieces.poll_send(write))?;
        }
        if self.is_unflushed {
            ready!(Pin::new(stream).poll_flush(context))?;
            self.is_unflushed = false;
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use ::bytes::Bytes;
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
        poll_fn(|context| outbox.poll(&mut here, &Activity::new(), context))
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
        let sent = poll_fn(|context| outbox.poll(&mut here, &Activity::new(), context)).await;
        assert_eq!(sent.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
