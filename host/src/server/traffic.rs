//! What a web server has answered: the counters of WEB GET STATISTICS.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::http::Response;
use crate::metrics::{Answered, Answers};

/// Counters of one web server.
#[derive(Debug, Default)]
pub struct Traffic {
    /// By kind and status, with their times.
    answers: Answers,
    /// Of response bodies. Shared with bodies whose length nobody knows before they are sent.
    bytes: Arc<AtomicU64>,
    /// Files that were read from disk. Shared with what reads them.
    reads: Arc<AtomicU64>,
    run: Mutex<Run>,
}

/// A run of the server, from its start to its stop.
#[derive(Debug, Default)]
struct Run {
    started: Option<Instant>,
    /// What was counted before it.
    before: Totals,
}

/// All that was counted since the server object was made.
#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    requests: u64,
    bytes: u64,
    files: u64,
    reads: u64,
}

/// The counters at one moment, each since the server started.
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
        *self.run.lock() = Run {
            started: Some(Instant::now()),
            before: self.totals(),
        };
    }

    /// The server stops; what was counted can still be read.
    pub(super) fn stop(&self) {
        self.run.lock().started = None;
    }

    /// Counts files that are read.
    pub(crate) fn reads(&self) -> &Arc<AtomicU64> {
        &self.reads
    }

    /// Counts a response, which took from `began` until now to make.
    pub(crate) fn note(
        &self,
        response: &mut Response,
        answered: Answered,
        began: Instant,
        has_body: bool,
    ) {
        let status = response.status().as_u16();
        self.answers.note(answered, status, began.elapsed());
        if has_body {
            response.body_mut().count_into(&self.bytes);
        }
    }

    /// Counts a response from memory with a body of so many bytes.
    pub(crate) fn note_page(&self, status: u16, bytes: usize, took: Duration) {
        self.answers.note(Answered::Memory, status, took);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// What was answered since the server object was made, by kind, status and time.
    pub(crate) fn answers(&self) -> &Answers {
        &self.answers
    }

    /// Bytes of response bodies since the server object was made.
    pub(crate) fn all_bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Files that were read since the server object was made.
    pub(crate) fn all_reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    fn totals(&self) -> Totals {
        let files = [Answered::File, Answered::Memory].map(|kind| self.answers.count(kind));
        Totals {
            requests: self.answers.total(),
            bytes: self.all_bytes(),
            files: files.iter().sum(),
            reads: self.all_reads(),
        }
    }

    /// The counters now.
    pub fn counts(&self) -> Counts {
        let run = self.run.lock();
        let (now, before) = (self.totals(), run.before);
        let reads = now.reads - before.reads;
        let files = now.files - before.files;
        Counts {
            requests: now.requests - before.requests,
            bytes_sent: now.bytes - before.bytes,
            cache_hits: files.saturating_sub(reads),
            cache_misses: reads,
            uptime_seconds: run.started.map_or(0, |started| started.elapsed().as_secs()),
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
        let (file, now) = (Answered::File, Instant::now());
        traffic.note(&mut page, file, now, true);
        traffic.note(&mut Response::new(Body::from("12345")), file, now, false);
        traffic.note(
            &mut Response::new(Body::unsent(99)),
            Answered::Memory,
            now,
            true,
        );
        traffic.note_page(200, 10, Duration::ZERO);
        traffic.reads().fetch_add(1, Ordering::Relaxed);
        let counts = traffic.counts();
        assert_eq!((counts.requests, counts.bytes_sent), (4, 15));
        assert_eq!((counts.cache_hits, counts.cache_misses), (3, 1));

        // One that is compressed while it is sent is counted as it is.
        let mut body = Body::from("x".repeat(1 << 20));
        assert!(body.encode(Coding::Gzip, None, &Encoders::default()));
        let mut response = Response::new(body);
        traffic.note(&mut response, Answered::Component, now, true);
        assert_eq!(traffic.counts().bytes_sent, 15);
        let sent = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(traffic.counts().bytes_sent, 15 + sent.len() as u64);
        traffic.restart();
        assert_eq!(traffic.counts(), Counts::default());
        assert_eq!(
            traffic.answers().total(),
            5,
            "what is counted stays counted"
        );
    }
}
