//! What is still to be sent on a connection, in the pieces that it is kept in.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::task::Poll;

use bytes::{Buf, Bytes};

/// Pieces that are handed to the system at once: of some responses, should a client have asked for several.
const SLICES: usize = 16;

/// What is still to be sent, in its order.
#[derive(Debug, Default)]
pub(super) struct Pieces(VecDeque<Bytes>);

impl Pieces {
    pub(super) fn add(&mut self, pieces: impl IntoIterator<Item = Bytes>) {
        let pieces = pieces.into_iter();
        self.0.extend(pieces.filter(|piece| !piece.is_empty()));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn length(&self) -> usize {
        self.0.iter().map(Bytes::len).sum()
    }

    /// Puts all of another behind its own, and leaves that empty.
    pub(super) fn end_with(&mut self, last: &mut Self) {
        self.0.append(&mut last.0);
    }

    /// Puts those of another before its own, and leaves that empty.
    pub(super) fn begin_with(&mut self, first: &mut Self) {
        first.0.append(&mut self.0);
        std::mem::swap(&mut self.0, &mut first.0);
    }

    /// Sends them all, some at a time.
    pub(super) fn poll_send(
        &mut self,
        mut write: impl FnMut(&[IoSlice<'_>]) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<()>> {
        while !self.is_empty() {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let filled = self.0.iter().zip(&mut slices);
            let count = filled
                .map(|(piece, slice)| *slice = IoSlice::new(piece))
                .count();
            match write(slices.get(..count).unwrap_or_default()) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(sent)) => self.sent(sent),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(Ok(()))
    }

    fn sent(&mut self, mut count: usize) {
        while let Some(piece) = self.0.front_mut() {
            if count < piece.len() {
                piece.advance(count);
                return;
            }
            count -= piece.len();
            self.0.pop_front();
        }
    }
}

#[cfg(test)]
impl Pieces {
    /// All of it.
    pub(super) fn whole(&self) -> Vec<u8> {
        self.0.iter().flatten().copied().collect()
    }
}
