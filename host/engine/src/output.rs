//! What guests write to standard output and error: lines in the host's log, under the component's name.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// Longest line that is logged whole; the rest goes into the next line.
const LINE_BYTES_MAX: usize = 8 * 1024;
/// Most that one web process may log: a loop of prints must not fill the disk.
const OUTPUT_BYTES_MAX: usize = 256 * 1024;

/// Which of the two streams.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stream {
    Output,
    Error,
}

/// The log of one instance. All streams handed to the guest write here.
#[derive(Debug)]
pub(crate) struct GuestLog {
    component: Arc<str>,
    lines: Mutex<Lines>,
}

#[derive(Debug, Default)]
struct Lines {
    request: u64,
    partial: [Vec<u8>; 2],
    written: usize,
}

impl GuestLog {
    pub(crate) fn new(component: Arc<str>) -> Self {
        Self {
            component,
            lines: Mutex::default(),
        }
    }

    /// Starts the output of the next web process.
    pub(crate) fn begin(&self, request: u64) {
        let mut lines = self.lines.lock();
        lines.request = request;
        lines.written = 0;
    }

    /// Logs what was written without a line end, when the web process has ended.
    pub(crate) fn end(&self) {
        let mut lines = self.lines.lock();
        for stream in [Stream::Output, Stream::Error] {
            let rest = std::mem::take(&mut lines.partial[stream as usize]);
            if !rest.is_empty() {
                self.log(stream, lines.request, &rest);
            }
        }
    }

    fn write(&self, stream: Stream, bytes: &[u8]) {
        let mut lines = self.lines.lock();
        if lines.written > OUTPUT_BYTES_MAX {
            return;
        }
        lines.written += bytes.len();
        let request = lines.request;
        let partial = &mut lines.partial[stream as usize];
        for byte in bytes {
            if *byte == b'\n' || partial.len() >= LINE_BYTES_MAX {
                self.log(stream, request, partial);
                partial.clear();
            }
            if *byte != b'\n' {
                partial.push(*byte);
            }
        }
        if lines.written > OUTPUT_BYTES_MAX {
            tracing::warn!(component = &*self.component, request = %format_args!("{request:016x}"),
                "more than {OUTPUT_BYTES_MAX} bytes of output; the rest of this web process is not logged");
        }
    }

    fn log(&self, stream: Stream, request: u64, line: &[u8]) {
        let line = String::from_utf8_lossy(line);
        let line = line.trim_end_matches('\r');
        if line.is_empty() {
            // The message of a panic begins with one.
            return;
        }
        match stream {
            Stream::Output => {
                tracing::info!(target: "guest", component = &*self.component, request = %format_args!("{request:016x}"), "{line}");
            }
            Stream::Error => {
                tracing::warn!(target: "guest", component = &*self.component, request = %format_args!("{request:016x}"), "{line}");
            }
        }
    }
}

/// One stream of a [`GuestLog`], as WASI wants it.
#[derive(Clone)]
pub(crate) struct LogStream {
    pub(crate) log: Arc<GuestLog>,
    pub(crate) stream: Stream,
}

impl IsTerminal for LogStream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for LogStream {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl AsyncWrite for LogStream {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.log.write(self.stream, bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl OutputStream for LogStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.log.write(self.stream, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(LINE_BYTES_MAX)
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for LogStream {
    async fn ready(&mut self) {}
}
