//! What a web server has answered: the counters of WEB GET STATISTICS.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use parking_lot::Mutex;

use crate::http::Response;

/// Counters of one web server, each since it started.
#[derive(Debug, Default)]
pub struct Traffic {
    requests: AtomicU64,
    /// Of response bodies. Shared with bodies whose length nobody knows before they are sent.
    bytes: Arc<AtomicU64>,
    /// Requests that were answered with a file.
    files: AtomicU64,
    /// Files that were read from disk. Shared with what reads them.
    reads: Arc<AtomicU64>,
    started: Mutex<Option<Instant>>,
}

/// The counters at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests answered, also those that were refused.
    pub requests: u64,
    /// Bytes of response bodies; where the length is known before, as soon as the response begins.
    pub bytes_sent: u64,
    /// Requests for files that were answered from memory.
    pub cache_hits: u64,
    /// Those for which the disk was read.
    pub cache_misses: u64,
    /// Seconds since the start of the server; 0 while it does not run.
    pub uptime_seconds: u64,
}

impl Traffic {
    /// Counts anew: the server starts.
    pub(super) fn restart(&self) {
        for counter in [&self.requests, &self.bytes, &self.files, &self.reads] {
            counter.store(0, Ordering::Relaxed);
        }
        *self.started.lock() = Some(Instant::now());
    }

    /// The server stops; what was counted can still be read.
    pub(super) fn stop(&self) {
        *self.started.lock() = None;
    }

    /// Counts files that are read.
    pub(crate) fn reads(&self) -> &Arc<AtomicU64> {
        &self.reads
    }

    /// Counts a response.
    pub(crate) fn note(&self, response: &mut Response, is_file: bool, has_body: bool) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        if is_file {
            self.files.fetch_add(1, Ordering::Relaxed);
        }
        if has_body {
            response.body_mut().count_into(&self.bytes);
        }
    }

    /// Counts a response from memory with a body of so many bytes.
    pub(crate) fn note_page(&self, bytes: usize) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.files.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// The counters now.
    pub fn counts(&self) -> Counts {
        let reads = self.reads.load(Ordering::Relaxed);
        let files = self.files.load(Ordering::Relaxed);
        let started = *self.started.lock();
        Counts {
            requests: self.requests.load(Ordering::Relaxed),
            bytes_sent: self.bytes.load(Ordering::Relaxed),
            cache_hits: files.saturating_sub(reads),
            cache_misses: reads,
            uptime_seconds: started.map_or(0, |started| started.elapsed().as_secs()),
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;
    use crate::http::{Body, Coding, Encoders};

    #[tokio::test]
    async fn what_is_sent_is_counted() {
        let traffic = Traffic::default();
        traffic.restart();
        let mut page = Response::new(Body::from("12345"));
        traffic.note(&mut page, true, true);
        traffic.note(&mut Response::new(Body::from("12345")), true, false);
        traffic.note(&mut Response::new(Body::unsent(99)), true, true);
        traffic.note_page(10);
        traffic.reads().fetch_add(1, Ordering::Relaxed);
        let counts = traffic.counts();
        assert_eq!((counts.requests, counts.bytes_sent), (4, 15));
        assert_eq!((counts.cache_hits, counts.cache_misses), (3, 1));

        // One that is compressed while it is sent is counted as it is.
        let mut body = Body::from("x".repeat(1 << 20));
        assert!(body.encode(Coding::Gzip, None, &Encoders::default()));
        let mut response = Response::new(body);
        traffic.note(&mut response, false, true);
        assert_eq!(traffic.counts().bytes_sent, 15);
        let sent = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(traffic.counts().bytes_sent, 15 + sent.len() as u64);
        traffic.restart();
        assert_eq!(traffic.counts(), Counts::default());
    }
}
