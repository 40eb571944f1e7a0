//! The PROXY protocol, versions 1 and 2: a trusted proxy says before everything else whose connection it hands on.
//!
//! <https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt>

mod header;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use header::{HEAD_BYTES, LINE_BEGINS, LINE_BYTES_MAX, SIGNATURE};

/// Longest rest of a binary header, in bytes: addresses take 36, and what else proxies add a few hundred.
const REST_BYTES_MAX: usize = 4096;

/// The two ends of a connection to a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ends {
    /// Who connected.
    pub(super) client: SocketAddr,
    /// What they connected to.
    pub(super) server: SocketAddr,
}

/// A connection did not begin with a header as it should be.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProxyError {
    #[error("the PROXY header was not there within {0:?}")]
    TimedOut(Duration),
    #[error("the connection broke in the midst of the PROXY header: {0}")]
    Broken(#[from] io::Error),
    #[error("a trusted proxy begins without a PROXY header, which proxy.protocol demands")]
    Missing,
    #[error("the PROXY header is longer than {0} bytes")]
    TooLong(usize),
    #[error("the PROXY header is wrong: {0}")]
    Malformed(&'static str),
}

/// Takes the header off a connection, and nothing beyond it. `None` where the connection is the proxy's own, or of a kind
/// that has no address.
pub(super) async fn read(
    stream: &mut TcpStream,
    timeout: Duration,
) -> Result<Option<Ends>, ProxyError> {
    match tokio::time::timeout(timeout, unbounded(stream)).await {
        Ok(result) => result,
        Err(_) => Err(ProxyError::TimedOut(timeout)),
    }
}

async fn unbounded(stream: &mut TcpStream) -> Result<Option<Ends>, ProxyError> {
    // No header of either version is shorter.
    let mut begin = [0; SIGNATURE.len()];
    stream.read_exact(&mut begin).await?;
    if begin == *SIGNATURE {
        return binary(stream).await;
    }
    if !begin.starts_with(LINE_BEGINS) {
        return Err(ProxyError::Missing);
    }
    let mut line = begin.to_vec();
    while !line.ends_with(b"\n") {
        // Looked at first: what comes after the line is not ours to take.
        let mut seen = [0; LINE_BYTES_MAX];
        let room = seen.get_mut(line.len()..).unwrap_or_default();
        if room.is_empty() {
            return Err(ProxyError::TooLong(LINE_BYTES_MAX));
        }
        let count = stream.peek(room).await?;
        let new = room.get_mut(..count).unwrap_or_default();
        let end = new.iter().position(|byte| *byte == b'\n');
        let new = match end {
            Some(end) => new.get_mut(..=end).unwrap_or_default(),
            None => new,
        };
        if new.is_empty() {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        stream.read_exact(new).await?;
        line.extend_from_slice(new);
    }
    header::of_line(&line).map_err(ProxyError::Malformed)
}

async fn binary(stream: &mut TcpStream) -> Result<Option<Ends>, ProxyError> {
    let mut head = [0; HEAD_BYTES];
    stream.read_exact(&mut head).await?;
    let [command, family, length @ ..] = head;
    let length = usize::from(u16::from_be_bytes(length));
    if length > REST_BYTES_MAX {
        return Err(ProxyError::TooLong(REST_BYTES_MAX));
    }
    let mut rest = vec![0; length];
    stream.read_exact(&mut rest).await?;
    header::of_bytes(command, family, &rest).map_err(ProxyError::Malformed)
}
