//! Pieces of files that go to a socket without passing through the memory of this process.
//!
//! A body has only bytes to give, and what carries it to the connection knows nothing of files. So it gives a stand-in of
//! the piece's length, and the connection's stream, which recognizes that by its address, sends the piece in its place.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

/// Bytes of one piece.
pub(super) const PIECE_BYTES: usize = 256 * 1024;

/// Most pieces that wait to be sent: hyper has up to 16 slices waiting.
const WAITING_MAX: usize = 32;

/// Never sent.
static STAND_IN: [u8; PIECE_BYTES] = [0; PIECE_BYTES];

/// The pieces that were handed over to a connection and are not sent yet, in their order. One for each connection that can
/// send files: HTTP/1 without TLS.
#[derive(Clone, Debug, Default)]
pub struct DirectFiles(Arc<Mutex<VecDeque<Piece>>>);

/// A piece of a file.
#[derive(Clone, Debug)]
pub struct Piece {
    /// Open for reading.
    pub file: Arc<File>,
    /// Where the piece begins.
    pub position: u64,
    /// Its length in bytes.
    pub length: usize,
}

impl DirectFiles {
    /// Hands a piece over, and gives what stands for it.
    ///
    /// # Errors
    ///
    /// When those before it are not sent: nobody who sends files is behind this.
    pub(super) fn hand_over(&self, piece: Piece) -> io::Result<Bytes> {
        let stand_in = STAND_IN.get(..piece.length).unwrap_or_default();
        let mut pieces = self.0.lock();
        if pieces.len() == WAITING_MAX {
            return Err(io::Error::other("pieces of files are not sent"));
        }
        pieces.push_back(piece);
        Ok(Bytes::from_static(stand_in))
    }

    /// The piece that `bytes`, about to be written, stand for; `None` if they are bytes to be written.
    ///
    /// # Errors
    ///
    /// When there is no such piece: whatever was sent would be wrong.
    pub fn meant_by(&self, bytes: &[u8]) -> io::Result<Option<Piece>> {
        if !Self::is_stand_in(bytes) {
            return Ok(None);
        }
        let next = self.0.lock().front().cloned();
        match next.filter(|piece| piece.length == bytes.len()) {
            Some(piece) => Ok(Some(piece)),
            None => Err(io::Error::other(
                "a piece of a file is not where it should be",
            )),
        }
    }

    /// Whether bytes are not to be written, but stand for a piece.
    pub fn is_stand_in(bytes: &[u8]) -> bool {
        !bytes.is_empty() && STAND_IN.as_ptr_range().contains(&bytes.as_ptr())
    }

    /// Notes that so many bytes of the first piece were sent.
    pub fn sent(&self, count: usize) {
        let mut pieces = self.0.lock();
        let Some(piece) = pieces.front_mut() else {
            return;
        };
        piece.position += count as u64;
        piece.length = piece.length.saturating_sub(count);
        if piece.length == 0 {
            pieces.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_known_by_what_stands_for_them_and_nothing_else() {
        let files = DirectFiles::default();
        let file = Arc::new(tempfile::tempfile().unwrap());
        let piece = |length| Piece {
            file: file.clone(),
            position: 7,
            length,
        };
        let stand_in = files.hand_over(piece(100)).unwrap();
        assert!(files.meant_by(&[0; 100]).unwrap().is_none());
        assert!(files.meant_by(b"").unwrap().is_none());
        assert_eq!(files.meant_by(&stand_in).unwrap().unwrap().position, 7);
        // Some of it was sent: what is left stands for the rest.
        files.sent(40);
        let rest = files.meant_by(&stand_in[40..]).unwrap().unwrap();
        assert_eq!((rest.position, rest.length), (47, 60));
        assert!(files.meant_by(&stand_in).is_err());
        files.sent(60);
        assert!(files.meant_by(&stand_in[40..]).is_err());
    }

    #[test]
    fn pieces_that_nobody_sends_are_noticed() {
        let files = DirectFiles::default();
        let file = Arc::new(tempfile::tempfile().unwrap());
        let handed_over = (0..100).take_while(|_| {
            let piece = Piece {
                file: file.clone(),
                position: 0,
                length: 1,
            };
            files.hand_over(piece).is_ok()
        });
        assert_eq!(handed_over.count(), WAITING_MAX);
    }
}
