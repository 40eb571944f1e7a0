//! A client that sends any bytes, right or wrong.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::wait::within;

/// A TCP connection.
#[derive(Debug)]
pub struct RawClient {
    stream: TcpStream,
    received: Vec<u8>,
}

impl RawClient {
    /// Opens a connection.
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = within("a connection", TcpStream::connect(address))
            .await
            .expect("the server does not take connections");
        Self {
            stream,
            received: Vec::new(),
        }
    }

    /// Sends bytes.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes)
            .await
            .expect("the connection broke while sending");
    }

    /// Sends bytes to a server that may have closed the connection already.
    pub async fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
        self.stream.write_all(bytes.as_ref()).await?;
        self.stream.flush().await
    }

    /// Reads until the server closes, and gives everything received so far.
    pub async fn read_to_end(&mut self) -> String {
        // A server that closes with unread bytes of ours resets; what came before counts.
        while self.read_some().await {}
        String::from_utf8_lossy(&self.received).into_owned()
    }

    /// The same as it came.
    pub async fn read_bytes_to_end(&mut self) -> Vec<u8> {
        while self.read_some().await {}
        std::mem::take(&mut self.received)
    }

    /// Sends nothing more.
    pub async fn finish(&mut self) {
        // A server that has closed already need not be told.
        let _ = self.stream.shutdown().await;
    }

    /// Reads until what was received holds `text`, and gives everything up to there.
    pub async fn read_until(&mut self, text: &str) -> String {
        loop {
            let received = String::from_utf8_lossy(&self.received).into_owned();
            if let Some(at) = received.find(text) {
                return received[..at + text.len()].to_owned();
            }
            assert!(
                self.read_some().await,
                "closed before {text:?} came: {received:?}"
            );
        }
    }

    /// Reads until what was received holds `text` so many times, and gives everything.
    pub async fn read_until_count(&mut self, text: &str, count: usize) -> String {
        loop {
            let received = String::from_utf8_lossy(&self.received).into_owned();
            if received.matches(text).count() >= count {
                return received;
            }
            assert!(
                self.read_some().await,
                "closed before {text:?} came {count} times: {received:?}"
            );
        }
    }

    /// Whether the connection is still open after a while without traffic.
    pub async fn is_open_after(&mut self, time: Duration) -> bool {
        tokio::time::timeout(time, self.read_some())
            .await
            .unwrap_or(true)
    }

    /// Sends one request and reads to the end of the connection.
    pub async fn exchange(address: SocketAddr, bytes: impl AsRef<[u8]>) -> String {
        let mut client = Self::connect(address).await;
        client.send(bytes).await;
        client.read_to_end().await
    }

    async fn read_some(&mut self) -> bool {
        let mut buffer = [0; 8192];
        match within("bytes or the end", self.stream.read(&mut buffer)).await {
            Ok(0) | Err(_) => false,
            Ok(count) => {
                self.received.extend_from_slice(&buffer[..count]);
                true
            }
        }
    }
}
