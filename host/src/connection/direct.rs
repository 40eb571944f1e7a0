//! A connection's stream that sends pieces of files without reading them, where bytes stand for such.

use std::io::{self, IoSlice};
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use tokio_rustls::server::TlsStream;

use crate::http::{DirectFiles, Piece};

/// Bytes that are read at once where the system cannot send from a file.
const READ_BYTES: usize = 16 * 1024;

/// A stream that may be able to take pieces of files.
pub trait TakesFiles {
    /// Whether it is.
    const TAKES_FILES: bool;

    /// Sends some of a piece, and says how much.
    fn poll_file(&self, context: &mut Context<'_>, piece: &Piece) -> Poll<io::Result<usize>>;

    /// Where others may write to it what goes out as it is.
    fn writing(&self) -> Option<Arc<OwnedWriteHalf>> {
        None
    }
}

/// What is sent has to be encrypted first.
impl TakesFiles for TlsStream<TcpStream> {
    const TAKES_FILES: bool = false;

    fn poll_file(&self, _: &mut Context<'_>, _: &Piece) -> Poll<io::Result<usize>> {
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }
}

/// The stream, and the pieces that it is to send.
pub(super) struct Direct<S> {
    stream: S,
    files: DirectFiles,
}

impl<S> Direct<S> {
    pub(super) fn new(stream: S, files: DirectFiles) -> Self {
        Self { stream, files }
    }
}

impl<S: AsyncWrite + TakesFiles + Unpin> Direct<S> {
    fn poll_piece(&mut self, context: &mut Context<'_>, piece: &Piece) -> Poll<io::Result<usize>> {
        let sent = match ready!(self.stream.poll_file(context, piece)) {
            // Some file systems cannot.
            Err(error) if is_unsupported(&error) => {
                let mut bytes = [0; READ_BYTES];
                let space = bytes
                    .get_mut(..piece.length.min(READ_BYTES))
                    .unwrap_or_default();
                let count = piece.file.read_at(space, piece.position)?;
                let bytes = bytes.get(..count).unwrap_or_default();
                ready!(Pin::new(&mut self.stream).poll_write(context, bytes))
            }
            sent => sent,
        };
        match sent {
            // The file has become shorter.
            Ok(0) => Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
            Ok(count) => {
                self.files.sent(count);
                Poll::Ready(Ok(count))
            }
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

fn is_unsupported(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidInput, Unsupported};
    matches!(error.kind(), InvalidInput | Unsupported)
}

impl<S: AsyncRead + Unpin> AsyncRead for Direct<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + TakesFiles + Unpin> AsyncWrite for Direct<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.files.meant_by(bytes)? {
            Some(piece) => self.poll_piece(context, &piece),
            None => Pin::new(&mut self.stream).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // Up to the first piece of a file; that is sent by the next call, when it is the first.
        let stand_in = slices
            .iter()
            .position(|slice| DirectFiles::is_stand_in(slice));
        let before = stand_in
            .and_then(|index| slices.get(..index))
            .unwrap_or(slices);
        let is_first = stand_in.is_some() && before.iter().all(|slice| slice.is_empty());
        match slices.get(before.len()) {
            Some(stand_in) if is_first => self.poll_write(context, stand_in),
            _ => Pin::new(&mut self.stream).poll_write_vectored(context, before),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::sync::Arc;

    use bytes::Bytes;
    use http_body_util::BodyExt;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::connection::Socket;
    use crate::http::{Content, StoredFile};

    /// A stream on which files cannot be sent.
    struct Unable(Vec<u8>);

    impl TakesFiles for Unable {
        const TAKES_FILES: bool = true;

        fn poll_file(&self, _: &mut Context<'_>, _: &Piece) -> Poll<io::Result<usize>> {
            Poll::Ready(Err(io::ErrorKind::InvalidInput.into()))
        }
    }

    impl AsyncWrite for Unable {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            // Not all at once, as sockets do.
            let count = bytes.len().min(10_000);
            self.0.extend_from_slice(&bytes[..count]);
            Poll::Ready(Ok(count))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    fn content(length: usize) -> (Vec<u8>, std::fs::File) {
        let content: Vec<u8> = (0..length)
            .map(|i| u8::try_from(i % 251).unwrap())
            .collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&content).unwrap();
        (content, file)
    }

    /// What a body gives to a connection that sends files.
    async fn given(file: std::fs::File, files: &DirectFiles) -> Vec<Bytes> {
        let stored = StoredFile::new(
            Arc::new(file.try_clone().unwrap()),
            &file.metadata().unwrap(),
        );
        let mut body = Content::File(stored).whole().sent_by(Some(files));
        let mut given = Vec::new();
        while let Some(frame) = body.frame().await {
            given.push(frame.unwrap().into_data().unwrap());
        }
        given
    }

    #[tokio::test]
    async fn the_pieces_are_sent_where_their_stand_ins_are() {
        let (content, file) = content(600_000);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap());
        let (mut client, served) = (client.await.unwrap(), listener.accept().await.unwrap().0);
        let files = DirectFiles::default();
        let mut stream = Direct::new(Socket::new(served), files.clone());
        let expected = [b"head", &content[..], b"tail"].concat();
        let reading = tokio::spawn(async move {
            let mut received = Vec::new();
            client.read_to_end(&mut received).await.unwrap();
            received
        });
        let given = given(file, &files).await;
        assert!(given.iter().all(|piece| DirectFiles::is_stand_in(piece)));
        let all = [vec![Bytes::from("head")], given, vec![Bytes::from("tail")]].concat();
        let mut slices: Vec<_> = all.iter().map(|piece| IoSlice::new(piece)).collect();
        let mut slices = &mut slices[..];
        while !slices.is_empty() {
            let sent = stream.write_vectored(slices).await.unwrap();
            IoSlice::advance_slices(&mut slices, sent);
        }
        stream.shutdown().await.unwrap();
        assert!(reading.await.unwrap() == expected);
    }

    #[tokio::test]
    async fn what_the_system_cannot_send_is_read() {
        let (content, file) = content(300_000);
        let files = DirectFiles::default();
        let mut stream = Direct::new(Unable(Vec::new()), files.clone());
        for piece in given(file, &files).await {
            stream.write_all(&piece).await.unwrap();
        }
        assert!(stream.stream.0 == content);
    }

    #[tokio::test]
    async fn a_file_that_ends_early_and_a_piece_that_is_not_known_are_errors() {
        let (_, file) = content(300_000);
        let files = DirectFiles::default();
        let given = given(file.try_clone().unwrap(), &files).await;
        file.set_len(0).unwrap();
        let mut stream = Direct::new(Unable(Vec::new()), files);
        let error = stream.write(&given[0]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        // Another connection's, or not the next one: nothing is sent for it.
        let mut other = Direct::new(Unable(Vec::new()), DirectFiles::default());
        assert!(other.write(&given[0]).await.is_err());
        assert!(stream.write(&given[0][1..]).await.is_err());
        assert!(other.stream.0.is_empty() && stream.stream.0.is_empty());
    }
}
