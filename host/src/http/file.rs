//! A file, or a part of one, on its way to the client: read piece by piece as the client takes it.

use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, IoSliceMut};
use std::num::NonZeroU64;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::SystemTime;

use bytes::Bytes;
use parking_lot::Mutex;
use rustix::fs::{Advice, fadvise};
use rustix::io::{Errno, ReadWriteFlags, preadv2};
use tokio::task::JoinHandle;

use super::direct::{self, DirectFiles, Piece};

/// Bytes read at once. Less costs more system calls; more no longer fits the processor's cache, where the copy to the
/// socket should find what the copy from the file has left.
pub(super) const PIECE_BYTES: usize = 128 * 1024;
/// What the system is asked to fetch from the disk while a piece is sent.
const AHEAD_BYTES: Option<NonZeroU64> = NonZeroU64::new(1024 * 1024);
/// Buffers of one body: the piece that is being written, and the next one.
const BUFFERS_MAX: usize = 2;
/// Bytes of the first piece where one connection has many responses: HTTP/2 keeps up to two pieces of each, however little
/// of them the client takes. Where few are in progress, each further one is twice as large.
const SHARED_PIECE_BYTES: usize = 16 * 1024;
/// So many of them.
const FEW: u32 = 8;

/// A file that is open, and what it was like when the answer was decided on.
#[derive(Clone, Debug)]
pub struct StoredFile {
    file: Arc<File>,
    length: u64,
    /// None where a change does not matter.
    modified: Option<SystemTime>,
}

impl StoredFile {
    /// The whole of a file, as `metadata` has it. If it is changed while it is sent, the connection is cut: what was sent
    /// would be neither the one version nor the other.
    pub fn new(file: impl Into<Arc<File>>, metadata: &Metadata) -> Self {
        Self {
            file: file.into(),
            length: metadata.len(),
            modified: metadata.modified().ok(),
        }
    }

    /// The first `length` bytes of a file, which may change otherwise.
    pub(super) fn of_length(file: impl Into<Arc<File>>, length: u64) -> Self {
        Self {
            file: file.into(),
            length,
            modified: None,
        }
    }

    /// Its length in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Reads all of it.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or was changed meanwhile.
    pub fn read(&self) -> io::Result<Bytes> {
        let length = usize::try_from(self.length).map_err(io::Error::other)?;
        // Not `read_to_end`, which asks the system three more times what is known already.
        let mut content = vec![0; length];
        self.file.read_exact_at(&mut content, 0)?;
        self.check()?;
        Ok(content.into())
    }

    /// An error if it is no longer what it was.
    fn check(&self) -> io::Result<()> {
        let Some(modified) = self.modified else {
            return Ok(());
        };
        let metadata = self.file.metadata()?;
        if metadata.len() == self.length && metadata.modified().is_ok_and(|it| it == modified) {
            return Ok(());
        }
        Err(io::Error::other("the file was changed while it was sent"))
    }
}

/// A read on another thread.
type Reading = JoinHandle<(Buffer, io::Result<usize>)>;

/// A part of a file on its way.
#[derive(Debug)]
pub(super) struct FileBody {
    stored: StoredFile,
    position: u64,
    end: u64,
    /// Bytes of the next piece, and of the largest one.
    piece: usize,
    piece_max: usize,
    buffers: Buffers,
    reading: Option<Reading>,
    /// Where pieces are sent without being read.
    direct: Option<DirectFiles>,
}

impl FileBody {
    /// The bytes of `range`, which ends where the file does at the latest.
    pub(super) fn new(stored: StoredFile, range: Range<u64>) -> Self {
        Self {
            position: range.start,
            end: range.end.min(stored.length),
            stored,
            piece: PIECE_BYTES,
            piece_max: PIECE_BYTES,
            buffers: Buffers::default(),
            reading: None,
            direct: None,
        }
    }

    /// The same, as the `number`th of those that share a connection; 0 is one that has it for itself.
    pub(super) fn share(&mut self, number: u32) {
        if number > 0 {
            self.piece = SHARED_PIECE_BYTES;
        }
        if number > FEW {
            self.piece_max = SHARED_PIECE_BYTES;
        }
    }

    /// Bytes of the next piece.
    fn next_length(&self) -> usize {
        usize::try_from(self.left()).map_or(self.piece, |left| left.min(self.piece))
    }

    /// The same, by way of a connection that can send files.
    pub(super) fn sent_by(&mut self, direct: DirectFiles) {
        self.direct = Some(direct);
    }

    /// Bytes that are still to come.
    pub(super) fn left(&self) -> u64 {
        self.end.saturating_sub(self.position)
    }

    /// The next bytes; nothing after the last.
    pub(super) fn poll_piece(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Bytes>>> {
        if self.left() == 0 {
            return Poll::Ready(None);
        }
        let mut reading = match self.reading.take() {
            Some(reading) => reading,
            None => {
                if let Some(stand_in) = self.hand_over_directly() {
                    return Poll::Ready(Some(stand_in));
                }
                let length = self.next_length();
                let mut buffer = self.buffers.take(length);
                let space = buffer.space(length);
                match read_resident(&self.stored.file, space, self.position) {
                    Some(read) => return Poll::Ready(Some(self.hand_over(buffer, read))),
                    None => self.read_elsewhere(buffer),
                }
            }
        };
        let Poll::Ready(done) = Pin::new(&mut reading).poll(context) else {
            self.reading = Some(reading);
            return Poll::Pending;
        };
        let piece = match done {
            Ok((buffer, read)) => self.hand_over(buffer, read),
            Err(error) => Err(io::Error::other(error)),
        };
        Poll::Ready(Some(piece))
    }

    /// Hands the next piece over to the connection, if it can send files, and will not have to wait for the disk.
    fn hand_over_directly(&mut self) -> Option<io::Result<Bytes>> {
        let direct = self.direct.as_ref()?;
        let length = self.left().min(direct::PIECE_BYTES as u64);
        let last = self.position + length - 1;
        // The system fetches files in longer runs than this: what has both ends in memory has the rest, nearly always.
        if !(is_resident(&self.stored.file, last) && is_resident(&self.stored.file, self.position))
        {
            return None;
        }
        let piece = Piece {
            file: self.stored.file.clone(),
            position: self.position,
            length: usize::try_from(length).ok()?,
        };
        self.position += length;
        if self.left() == 0
            && let Err(error) = self.stored.check()
        {
            return Some(Err(error));
        }
        Some(direct.hand_over(piece))
    }

    /// Reads on a thread that may wait for the disk.
    fn read_elsewhere(&self, mut buffer: Buffer) -> Reading {
        let (file, position) = (self.stored.file.clone(), self.position);
        let length = self.next_length();
        tokio::task::spawn_blocking(move || {
            let read = file.read_at(buffer.space(length), position);
            // Has the system fetch what follows while this is sent. Advice: where it is not taken, nothing is lost.
            let next = position.saturating_add(PIECE_BYTES as u64);
            let _ = fadvise(&file, next, AHEAD_BYTES, Advice::WillNeed);
            (buffer, read)
        })
    }

    fn hand_over(&mut self, buffer: Buffer, read: io::Result<usize>) -> io::Result<Bytes> {
        let count = match read {
            Ok(count) => count,
            // Nothing is lost: read again.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(Bytes::new()),
            Err(error) => return Err(error),
        };
        if count == 0 {
            // Nothing is made up for what is missing: the client has to see that it does not have all.
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.position += count as u64;
        self.piece = (2 * self.piece).min(self.piece_max);
        if self.left() == 0 {
            // Before the last bytes: without them nobody takes what came before for the file.
            self.stored.check()?;
        }
        Ok(buffer.filled(count))
    }
}

/// Reads what the system has in memory, without waiting for more; `None` if that is nothing. A switch to a thread that
/// may wait takes as long as copying some ten KiB.
fn read_resident(file: &File, space: &mut [u8], position: u64) -> Option<io::Result<usize>> {
    let mut space = [IoSliceMut::new(space)];
    match preadv2(file, &mut space, position, ReadWriteFlags::NOWAIT) {
        Ok(count) => Some(Ok(count)),
        // Not in memory; or a file system or a kernel that cannot say.
        Err(Errno::AGAIN | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL | Errno::INTR) => None,
        Err(error) => Some(Err(error.into())),
    }
}

/// Whether the system has a byte of a file in memory.
fn is_resident(file: &File, position: u64) -> bool {
    matches!(read_resident(file, &mut [0], position), Some(Ok(1)))
}

/// The buffers of one body: they are used again, since memory that the system has to hand out first costs as much as
/// filling it.
#[derive(Clone, Debug, Default)]
struct Buffers(Arc<Mutex<Vec<Vec<u8>>>>);

/// One of them; goes back when it is dropped.
struct Buffer {
    bytes: Vec<u8>,
    filled: usize,
    home: Buffers,
}

impl Buffers {
    /// One that is free, or a new one for so many bytes.
    fn take(&self, length: usize) -> Buffer {
        let free = self.0.lock().pop().filter(|free| free.len() >= length);
        Buffer {
            bytes: free.unwrap_or_else(|| vec![0; length]),
            filled: 0,
            home: self.clone(),
        }
    }
}

impl Buffer {
    /// Where to read so many bytes to.
    fn space(&mut self, length: usize) -> &mut [u8] {
        let length = length.min(self.bytes.len());
        self.bytes.get_mut(..length).unwrap_or_default()
    }

    /// The first bytes; the buffer goes back when they are dropped.
    fn filled(mut self, count: usize) -> Bytes {
        self.filled = count;
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.filled).unwrap_or_default()
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut free = self.home.0.lock();
        if free.len() < BUFFERS_MAX {
            free.push(std::mem::take(&mut self.bytes));
        }
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffer")
            .field("filled", &self.filled)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::time::Duration;

    use http_body_util::BodyExt;

    use super::*;
    use crate::http::{Body, Content};

    fn stored(content: &[u8]) -> (File, StoredFile) {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        let stored = StoredFile::new(file.try_clone().unwrap(), &file.metadata().unwrap());
        (file, stored)
    }

    fn content(length: u32) -> Vec<u8> {
        (0..length).map(|i| (i % 251) as u8).collect()
    }

    async fn collected(body: Body) -> io::Result<Bytes> {
        Ok(body.collect().await?.to_bytes())
    }

    #[tokio::test]
    async fn a_file_is_streamed_to_its_end() {
        let content = content(300_000);
        let (file, stored) = stored(&content);
        let whole = Content::File(stored).whole();
        assert_eq!(whole.length(), Some(300_000));
        assert_eq!(collected(whole).await.unwrap(), content);
        let first = Body::file(file, 1000);
        assert_eq!(collected(first).await.unwrap(), content[..1000]);
    }

    #[tokio::test]
    async fn a_part_of_a_file_is_that_part() {
        let all = content(300_000);
        let content = Content::File(stored(&all).1);
        for (start, end) in [(0, 1), (131_071, 131_073), (5, 290_000), (299_999, 300_000)] {
            let part = content.part(start..end);
            assert_eq!(part.length(), Some(end - start));
            let part = collected(part).await.unwrap();
            assert_eq!(part, all[start as usize..end as usize]);
        }
    }

    #[tokio::test]
    async fn what_the_system_has_to_fetch_first_is_sent_too() {
        let content = content(3_000_000);
        let (file, stored) = stored(&content);
        file.sync_all().unwrap();
        fadvise(&file, 0, None, Advice::DontNeed).unwrap();
        let whole = Content::File(stored).whole();
        assert!(collected(whole).await.unwrap() == content);
    }

    #[tokio::test]
    async fn a_file_that_shrinks_is_an_error_and_not_a_short_answer() {
        let (file, stored) = stored(&content(300_000));
        file.set_len(200_000).unwrap();
        assert!(collected(Content::File(stored).whole()).await.is_err());
        let file = tempfile::tempfile().unwrap();
        assert!(collected(Body::file(file, 10)).await.is_err());
    }

    #[tokio::test]
    async fn a_file_that_changes_is_not_sent_to_its_end() {
        let content = content(300_000);
        let (file, stored) = stored(&content);
        let (body, part) = (
            Content::File(stored.clone()).whole(),
            Content::File(stored).part(0..9),
        );
        // Of the same length: only its date tells.
        file.write_at(b"changed", 0).unwrap();
        file.set_modified(SystemTime::now() + Duration::from_secs(1))
            .unwrap();
        for mut body in [body, part] {
            let mut sent = 0;
            let error = loop {
                match body.frame().await.unwrap() {
                    Ok(frame) => sent += frame.into_data().unwrap().len(),
                    Err(error) => break error,
                }
            };
            assert!(
                sent < 300_000 && error.to_string().contains("changed"),
                "{sent}: {error}"
            );
        }
    }

    #[tokio::test]
    async fn a_client_that_is_slow_is_waited_for_with_two_buffers() {
        let (_file, stored) = stored(&content(2_000_000));
        let mut body = FileBody::new(stored, 0..2_000_000);
        let mut sent = 0;
        let mut last = Bytes::new();
        while let Some(piece) = std::future::poll_fn(|context| body.poll_piece(context)).await {
            // As a connection does: one is being written while the next one is read.
            last = piece.unwrap();
            sent += last.len();
            assert!(body.buffers.0.lock().len() < BUFFERS_MAX);
        }
        assert_eq!(sent, 2_000_000);
        drop(last);
        let buffers = body.buffers.0.lock();
        assert_eq!(buffers.len(), BUFFERS_MAX);
        assert!(buffers.iter().all(|buffer| buffer.len() == PIECE_BYTES));
    }
}
