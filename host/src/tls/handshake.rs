//! The handshake of one connection: bounded in time, the certificate chosen by the name that the client asks for.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::server::Acceptor;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio_rustls::server::TlsStream;
use tokio_rustls::{LazyConfigAcceptor, StartHandshake};

use super::config::HTTP2;

/// What a client is told that takes the port for one of plain HTTP.
const PLAIN_HTTP: &[u8] = b"HTTP/1.1 400 Bad Request\r\n\
    Connection: close\r\n\
    Content-Type: text/plain; charset=utf-8\r\n\
    Content-Length: 58\r\n\
    \r\n\
    This port speaks HTTPS: use https:// instead of http://.\r\n";

/// A fatal alert, unrecognized_name (RFC 6066, section 3), in a record of its own.
const UNRECOGNIZED_NAME: &[u8] = &[0x15, 3, 3, 0, 2, 2, 112];

/// What a refused client may still send, and for how long: closing while its bytes are on the way would throw away
/// what it was told.
const LINGER_BYTES_MAX: usize = 64 * 1024;
const LINGER: Duration = Duration::from_secs(1);

/// A connection did not become a TLS connection. None of these is the server's fault.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeError {
    /// The client was too slow.
    #[error("the TLS handshake was not finished within {0:?}")]
    TimedOut(Duration),
    /// The client closed the connection before the handshake was over.
    #[error("the client went away in the midst of the TLS handshake")]
    Gone,
    /// The client was told so.
    #[error("the client speaks plain HTTP, or something like it, to an HTTPS port")]
    PlainHttp,
    /// No server answers to the name that the client asked for.
    #[error("no web server has a certificate for {}", shown(.0.as_deref()))]
    NoServer(Option<String>),
    /// Not TLS, no version or suite in common, a certificate that the client refuses, or a connection that broke.
    #[error("the TLS handshake failed: {0}")]
    Failed(#[source] io::Error),
}

/// Makes a connection a TLS connection. `choose` is given the name that the client asks for, if it names one, and
/// gives the configuration, or none to refuse the client. After `timeout` the connection is closed, wherever the
/// handshake is.
pub async fn handshake<S>(
    stream: S,
    choose: impl FnOnce(Option<&str>) -> Option<Arc<ServerConfig>>,
    timeout: Duration,
) -> Result<TlsStream<S>, HandshakeError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match tokio::time::timeout(timeout, unbounded(stream, choose)).await {
        Ok(result) => result,
        Err(_) => Err(HandshakeError::TimedOut(timeout)),
    }
}

/// Whether HTTP/2 was agreed on (by ALPN, the only way); otherwise HTTP/1 is spoken.
pub fn is_for_http2<S>(stream: &TlsStream<S>) -> bool {
    stream.get_ref().1.alpn_protocol() == Some(HTTP2)
}

async fn unbounded<S>(
    mut stream: S,
    choose: impl FnOnce(Option<&str>) -> Option<Arc<ServerConfig>>,
) -> Result<TlsStream<S>, HandshakeError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    // A TLS record begins with its kind, 22; a line of HTTP with a letter.
    let mut first = [0];
    stream.read_exact(&mut first).await.map_err(failed)?;
    let [first] = first;
    if first.is_ascii_alphabetic() {
        refuse(&mut stream, PLAIN_HTTP).await;
        return Err(HandshakeError::PlainHttp);
    }
    // The library holds at most 64 KiB of a ClientHello.
    let stream = Begun {
        first: Some(first),
        stream,
    };
    let start = LazyConfigAcceptor::new(Acceptor::default(), stream)
        .await
        .map_err(failed)?;
    let (accepted, mut stream) = (start.accepted, start.io.stream);
    let chosen = {
        let hello = accepted.client_hello();
        choose(hello.server_name()).ok_or_else(|| hello.server_name().map(str::to_owned))
    };
    match chosen {
        Ok(config) => StartHandshake::from_parts(accepted, stream)
            .into_stream(config)
            .await
            .map_err(failed),
        Err(name) => {
            refuse(&mut stream, UNRECOGNIZED_NAME).await;
            Err(HandshakeError::NoServer(name))
        }
    }
}

/// Says something and closes; whether the client hears it is its own affair.
async fn refuse(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), with: &[u8]) {
    let say = async {
        stream.write_all(with).await?;
        stream.shutdown().await?;
        let (mut ignored, mut count) = ([0; 1024], 0);
        while count < LINGER_BYTES_MAX {
            match stream.read(&mut ignored).await? {
                0 => break,
                more => count += more,
            }
        }
        io::Result::Ok(())
    };
    // Late or broken: there is nothing left to do for this client.
    let _ = tokio::time::timeout(LINGER, say).await;
}

fn failed(error: io::Error) -> HandshakeError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::BrokenPipe => HandshakeError::Gone,
        _ => HandshakeError::Failed(error),
    }
}

/// A client may ask for a name of any length; what is logged is not.
fn shown(name: Option<&str>) -> String {
    match name {
        Some(name) => format!("{:?}", name.chars().take(255).collect::<String>()),
        None => "clients that name no server".to_owned(),
    }
}

/// A stream whose first byte has been looked at: gives it back before all others.
struct Begun<S> {
    first: Option<u8>,
    stream: S,
}

impl<S: AsyncRead + Unpin> AsyncRead for Begun<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if into.remaining() > 0
            && let Some(first) = self.first.take()
        {
            into.put_slice(&[first]);
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Begun<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        from: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, from)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
