//! A client's TCP connection as it is: others may write to it, too.

use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustix::fs::sendfile;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::direct::TakesFiles;
use crate::http::Piece;

/// A client's TCP connection.
pub struct Socket {
    reading: OwnedReadHalf,
    writing: Arc<OwnedWriteHalf>,
}

impl Socket {
    /// Of a connection that was accepted.
    pub fn new(stream: TcpStream) -> Self {
        let (reading, writing) = stream.into_split();
        Self {
            reading,
            writing: Arc::new(writing),
        }
    }

    fn stream(&self) -> &TcpStream {
        self.reading.as_ref()
    }

    /// Waits until something can be written, and does so.
    fn poll_io<T>(
        &self,
        context: &mut Context<'_>,
        mut write: impl FnMut() -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        loop {
            ready!(self.stream().poll_write_ready(context))?;
            match write() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => return Poll::Ready(written),
            }
        }
    }
}

impl TakesFiles for Socket {
    const TAKES_FILES: bool = true;

    fn poll_file(&self, context: &mut Context<'_>, piece: &Piece) -> Poll<io::Result<usize>> {
        self.poll_io(context, || {
            self.stream().try_io(Interest::WRITABLE, || {
                let mut position = piece.position;
                let (to, from) = (self.stream(), &piece.file);
                Ok(sendfile(to, from, Some(&mut position), piece.length)?)
            })
        })
    }

    fn writing(&self) -> Option<Arc<OwnedWriteHalf>> {
        Some(self.writing.clone())
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.reading).poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_io(context, || self.writing.try_write(bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_io(context, || self.writing.try_write_vectored(slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = SockRef::from(self.stream()).shutdown(Shutdown::Write);
        Poll::Ready(match shut {
            // The client was first.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            shut => shut,
        })
    }
}
