//! A connection that sends any bytes, and reads frames.

use std::net::SocketAddr;
use std::pin::pin;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use super::frame::{self, Frame};
use super::hpack::Decoder;
use super::received::{Answer, Received, unpadded};
use super::referee::{Referee, check_fields};
use crate::wait::within;

/// What a client sends first.
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// An open connection. Whatever the server must not send ends the test.
pub struct FrameClient {
    io: Box<dyn Stream>,
    /// What came and was not taken apart yet.
    unread: BytesMut,
    is_closed: bool,
    decoder: Decoder,
    referee: Referee,
    /// HEADERS whose block goes on.
    block: Option<(Frame, Vec<u8>)>,
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

impl FrameClient {
    /// Connects, and sends nothing yet.
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = within("a connection", TcpStream::connect(address)).await;
        let stream = stream.expect("the server does not take connections");
        stream.set_nodelay(true).expect("a socket has options");
        Self::over(stream)
    }

    /// Speaks over a stream that is connected already, such as one with TLS.
    pub fn over(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Self {
        Self {
            io: Box::new(stream),
            unread: BytesMut::new(),
            is_closed: false,
            decoder: Decoder::default(),
            referee: Referee::new(),
            block: None,
        }
    }

    /// Connects, exchanges prefaces and settings, and waits until both sides have acknowledged.
    pub async fn open(address: SocketAddr) -> Self {
        Self::open_with(address, &[]).await
    }

    /// The same with settings of the client.
    pub async fn open_with(address: SocketAddr, settings: &[(u16, u32)]) -> Self {
        let mut client = Self::connect(address).await;
        client.send(PREFACE).await;
        client.send(frame::settings(settings)).await;
        client.send(frame::settings_ack()).await;
        client.settle().await;
        client
    }

    /// Sends bytes, and keeps what comes meanwhile. That the server has closed shows when reading.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        self.referee.sent(bytes);
        let (mut reader, mut writer) = tokio::io::split(&mut self.io);
        let mut writing = pin!(async {
            writer.write_all(bytes).await?;
            writer.flush().await
        });
        let mut buffer = vec![0; 16 * 1024];
        let both = async {
            loop {
                tokio::select! {
                    // An error is a connection that was closed, which reading tells too.
                    _ = writing.as_mut() => return,
                    read = reader.read(&mut buffer), if !self.is_closed => match read {
                        Ok(0) | Err(_) => self.is_closed = true,
                        Ok(count) => self.unread.extend_from_slice(&buffer[..count]),
                    }
                }
            }
        };
        within("bytes to be sent", both).await;
    }

    /// Says that the client sends no more, while it still reads.
    pub async fn finish(&mut self) {
        // An error is a connection that is closed already.
        let _ = self.io.shutdown().await;
    }

    /// Waits for the next frame, or for the end of the connection.
    pub async fn next(&mut self) -> Received {
        loop {
            if let Some(frame) = Frame::take(&mut self.unread) {
                let shown = format!("{frame:?}");
                match self.take(frame) {
                    Ok(Some(received)) => return received,
                    Ok(None) => {}
                    Err(fault) => panic!("the server must not send this: {fault}: {shown:.300}"),
                }
            } else if self.is_closed {
                assert!(self.block.is_none(), "closed within a header block");
                return Received::Closed;
            } else {
                self.read().await;
            }
        }
    }

    /// Waits for something, and gives all that came, it included. Panics if the connection ends before.
    pub async fn next_until(&mut self, is_it: impl Fn(&Received) -> bool) -> Vec<Received> {
        let mut all = Vec::new();
        loop {
            let received = self.next().await;
            let is_closed = received == Received::Closed;
            let found = is_it(&received);
            all.push(received);
            if found {
                return all;
            }
            assert!(!is_closed, "closed too early, after {all:?}");
        }
    }

    /// Waits until the server has answered a PING: what was sent before was looked at then. Gives what came, up to the
    /// end if the server closes.
    pub async fn settle(&mut self) -> Vec<Received> {
        const PAYLOAD: [u8; 8] = *b"settled?";
        self.send(frame::ping(PAYLOAD)).await;
        let is_it = |received: &Received| {
            matches!(received, Received::Pong(PAYLOAD)) || *received == Received::Closed
        };
        self.next_until(is_it).await
    }

    /// Reads to the end of a stream, or of the connection.
    pub async fn answer(&mut self, stream: u32) -> Answer {
        let received = self.next_until(|received| received.ends(stream)).await;
        Answer::of(stream, &received)
    }

    /// Bytes that the server may still send on a stream, by what it has acknowledged; negative if it sent more before.
    pub fn window_of(&self, stream: u32) -> i64 {
        self.referee.window_of(stream)
    }

    async fn read(&mut self) {
        let mut buffer = [0; 16 * 1024];
        match within("a frame or the end", self.io.read(&mut buffer)).await {
            // A server that closes with unread bytes of ours resets; what came before counts.
            Ok(0) | Err(_) => self.is_closed = true,
            Ok(count) => self.unread.extend_from_slice(&buffer[..count]),
        }
    }

    fn take(&mut self, frame: Frame) -> Result<Option<Received>, String> {
        self.referee.check_frame(&frame)?;
        if let Some((head, mut block)) = self.block.take() {
            if frame.kind != frame::CONTINUATION || frame.stream != head.stream {
                return Err(format!("the header block of {} goes on", head.stream));
            }
            block.extend(&frame.payload);
            return self.block_part(head, block, frame.has(frame::END_HEADERS));
        }
        if frame.kind == frame::HEADERS {
            let mut block = unpadded(frame.has(frame::PADDED), frame.payload.clone())?;
            if frame.has(frame::PRIORITIZED) {
                block.drain(..5);
            }
            let is_whole = frame.has(frame::END_HEADERS);
            return self.block_part(frame, block, is_whole);
        }
        let length = frame.payload.len();
        let received = Received::of(frame)?;
        self.referee.check(&received, length)?;
        if received == Received::SettingsAck {
            let limits = self.referee.acknowledged()?;
            self.decoder.set_limit(limits.header_table_size);
        }
        Ok(Some(received))
    }

    fn block_part(
        &mut self,
        head: Frame,
        block: Vec<u8>,
        is_whole: bool,
    ) -> Result<Option<Received>, String> {
        if !is_whole {
            self.block = Some((head, block));
            return Ok(None);
        }
        let decoded = self.decoder.decode(&block)?;
        check_fields(&decoded.fields)?;
        Ok(Some(Received::Head {
            stream: head.stream,
            fields: decoded.fields,
            size_updates: decoded.size_updates,
            is_end: head.has(frame::END_STREAM),
        }))
    }
}
