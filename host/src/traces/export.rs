//! Sends spans to the collector, in batches, off the way of requests. What it does not take in time is lost, and counted.

use std::sync::Arc;
use std::time::Duration;

use ::http::header::{CONTENT_TYPE, USER_AGENT};
use ::http::{HeaderMap, HeaderValue, Method, Request, Uri};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};

use super::otlp;
use super::queue::Queue;
use super::span::Span;
use crate::outbound::Client;

/// Spans of one request to the collector.
const BATCH: usize = 512;
/// How long the first span of a batch waits for others.
const INTERVAL: Duration = Duration::from_secs(1);
/// How long the end of the process waits for the last ones.
const LAST_TIME: Duration = Duration::from_secs(2);
/// The largest answer of a collector that is read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// What sends.
pub(super) struct Exporter {
    pub(super) endpoint: Uri,
    pub(super) fields: HeaderMap,
    pub(super) timeout: Duration,
    pub(super) service: String,
    pub(super) client: Client,
    pub(super) queue: Arc<Queue>,
}

/// Sending, until dropped.
pub(crate) struct Exporting {
    task: JoinHandle<()>,
    stop: Option<oneshot::Sender<()>>,
}

impl Exporter {
    pub(super) fn start(self, spans: mpsc::Receiver<Span>) -> Exporting {
        let (stop, stopped) = oneshot::channel();
        Exporting {
            task: tokio::spawn(self.run(spans, stopped)),
            stop: Some(stop),
        }
    }

    async fn run(self, mut spans: mpsc::Receiver<Span>, mut stopped: oneshot::Receiver<()>) {
        let mut is_failing = false;
        loop {
            let mut batch = Vec::new();
            let is_last = tokio::select! {
                _ = &mut stopped => true,
                () = fill(&mut spans, &mut batch) => false,
            };
            if is_last {
                while let Ok(span) = spans.try_recv() {
                    batch.push(span);
                }
            }
            for spans in batch.chunks(BATCH) {
                let sent = timeout(self.timeout, self.send(spans)).await;
                let sent = sent.unwrap_or_else(|_| Err("no answer in time".to_owned()));
                self.note(spans.len() as u64, sent, &mut is_failing);
            }
            if is_last || spans.is_closed() {
                return;
            }
        }
    }

    /// Counts what became of spans, and says so when that changes.
    fn note(&self, spans: u64, sent: Result<u64, String>, is_failing: &mut bool) {
        let counts = self.queue.counts();
        let was_failing = *is_failing;
        match sent {
            Ok(rejected) => {
                let rejected = rejected.min(spans);
                counts.note_exported(spans - rejected);
                counts.note_refused(rejected);
                *is_failing = false;
                if was_failing {
                    tracing::info!(collector = %self.endpoint, "the collector of traces takes spans again");
                }
            }
            Err(error) => {
                counts.note_refused(spans);
                *is_failing = true;
                if !was_failing {
                    tracing::warn!(
                        collector = %self.endpoint, %error,
                        "the collector of traces takes no spans: they are lost, and counted in the metrics, until it does again"
                    );
                }
            }
        }
    }

    /// Sends a batch; gives how many of it were not taken.
    async fn send(&self, spans: &[Span]) -> Result<u64, String> {
        let body = otlp::encoded(&self.service, spans).map_err(|error| error.to_string())?;
        let body = Full::new(Bytes::from(body)).map_err(|never| match never {});
        let mut request = Request::new(body.boxed_unsync());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.endpoint.clone();
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let agent = concat!("tessera/", env!("CARGO_PKG_VERSION"));
        headers.insert(USER_AGENT, HeaderValue::from_static(agent));
        headers.extend(self.fields.clone());
        let response = self.client.send(request).await;
        let response = response.map_err(|error| error.to_string())?;
        let status = response.status();
        let answer = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect();
        let answer = answer.await.map_err(|error| error.to_string())?.to_bytes();
        match status.is_success() {
            true => Ok(rejected(&answer)),
            false => Err(format!("it answers {status}")),
        }
    }
}

impl Exporting {
    /// Sends what there is, for a moment at most.
    pub(crate) async fn finish(mut self) {
        if let Some(stop) = self.stop.take() {
            // Fails when the task has ended already.
            let _ = stop.send(());
        }
        let _ = timeout(LAST_TIME, &mut self.task).await;
    }
}

impl Drop for Exporting {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Waits for a span, and then a moment for others. May be given up at any time: what came is in the batch.
async fn fill(spans: &mut mpsc::Receiver<Span>, batch: &mut Vec<Span>) {
    if spans.recv_many(batch, BATCH).await == 0 {
        return;
    }
    let end = Instant::now() + INTERVAL;
    while batch.len() < BATCH {
        let more = spans.recv_many(batch, BATCH - batch.len());
        match timeout_at(end, more).await {
            Ok(1..) => {}
            Ok(0) | Err(_) => return,
        }
    }
}

/// How many spans a collector took no further, as its answer says it.
fn rejected(answer: &[u8]) -> u64 {
    let answer: serde_json::Value = serde_json::from_slice(answer).unwrap_or_default();
    let count = &answer["partialSuccess"]["rejectedSpans"];
    let text = count.as_str().and_then(|count| count.parse().ok());
    count.as_u64().or(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_what_was_not_taken() {
        for (answer, expected) in [
            ("{}", 0),
            ("", 0),
            ("no json", 0),
            (r#"{"partialSuccess":{}}"#, 0),
            (r#"{"partialSuccess":{"rejectedSpans":"3"}}"#, 3),
            (r#"{"partialSuccess":{"rejectedSpans":4}}"#, 4),
            (r#"{"partialSuccess":{"rejectedSpans":-4}}"#, 0),
        ] {
            assert_eq!(rejected(answer.as_bytes()), expected, "{answer}");
        }
    }
}
