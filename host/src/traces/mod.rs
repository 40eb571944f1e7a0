//! Traces: which requests are recorded, and the spans of those, for a collector that speaks OTLP over HTTP.
//!
//! The encoding is written here, as JSON, over the client that components' requests have: the libraries of OpenTelemetry
//! bring an HTTP client, a runtime and a way of globals of their own, for a format of a dozen fields.

mod asking;
mod context;
mod export;
mod headers;
mod otlp;
mod queue;
mod request;
mod span;

use std::sync::Arc;
use std::time::Instant;

use crate::http::{FromInside, Peer, PlainGet, Request};
use crate::outbound::Clients;
use crate::settings;
pub(crate) use asking::Asking;
use context::Context;
pub(crate) use context::{PARENT, STATE};
use export::Exporter;
pub(crate) use export::Exporting;
pub(crate) use headers::HeadersError;
pub(crate) use queue::Counts;
use queue::Queue;
pub(crate) use request::{Answering, Told};
pub(crate) use span::Traced;

/// Draws are 64 bits: this is one more than the highest.
const DRAWS: f64 = 18_446_744_073_709_551_616.0;

/// What decides about requests, and takes their spans.
#[derive(Debug)]
pub(crate) struct Traces {
    queue: Arc<Queue>,
    /// Draws below it are recorded; none where all are.
    below: Option<u64>,
    trusts_parents: bool,
}

impl Traces {
    /// Begins to send what is recorded, on the runtime that is entered. Blocks while it reads a file.
    ///
    /// # Errors
    ///
    /// When the file of further header fields cannot be used.
    pub(crate) fn start(
        settings: &settings::Traces,
        clients: &Clients,
        seed: u64,
    ) -> Result<(Arc<Self>, Exporting), HeadersError> {
        let fields = match &settings.headers_file {
            Some(path) => headers::read(path)?,
            None => ::http::HeaderMap::new(),
        };
        let (queue, spans) = Queue::new(settings.queue as usize, seed);
        let queue = Arc::new(queue);
        let exporter = Exporter {
            endpoint: settings.endpoint.clone(),
            fields,
            timeout: settings.timeout,
            service: settings.service_name.clone(),
            client: clients.of_the_host(),
            queue: queue.clone(),
        };
        let traces = Self {
            queue,
            below: below(settings.sample),
            trusts_parents: settings.trust_parents,
        };
        Ok((Arc::new(traces), exporter.start(spans)))
    }

    /// What has become of spans.
    pub(crate) fn queue(&self) -> &Queue {
        &self.queue
    }

    /// Decides about a request, which says from then on that what is done for it belongs to its span. None where it is
    /// neither recorded nor a part of a trace of others.
    pub(crate) fn begin(
        &self,
        request: &mut Request,
        peer: Peer,
        began: Instant,
    ) -> Option<Box<Answering>> {
        let is_inside = request.extensions().get::<FromInside>().is_some();
        let parent = Context::of(request.headers());
        let is_recorded = match &parent {
            Some(parent) if is_inside || self.trusts_parents => parent.is_sampled,
            // Who asks on behalf of a request that is recorded says so.
            None if is_inside => false,
            _ => self.is_drawn(),
        };
        if !is_recorded {
            let context = parent?;
            let traced = self.traced(Context {
                is_sampled: false,
                ..context
            });
            request.extensions_mut().insert(traced.clone());
            return Some(Answering::unrecorded(traced));
        }
        let context = Context {
            trace: parent
                .as_ref()
                .map_or_else(|| self.queue.new_trace(), |parent| parent.trace),
            span: self.queue.new_id(),
            is_sampled: true,
            state: parent.as_ref().and_then(|parent| parent.state.clone()),
        };
        context.put_into(request.headers_mut());
        let traced = self.traced(context);
        request.extensions_mut().insert(traced.clone());
        let parent = parent.map(|parent| parent.span);
        Some(Answering::of(traced, parent, request, peer, began))
    }

    /// The same for a request of which there is no more than its head, and that names no trace: none where it is not
    /// recorded.
    pub(crate) fn begin_plain(
        &self,
        request: &PlainGet<'_>,
        peer: Peer,
        began: Instant,
    ) -> Option<Box<Answering>> {
        if !self.is_drawn() {
            return None;
        }
        let traced = self.traced(Context {
            trace: self.queue.new_trace(),
            span: self.queue.new_id(),
            is_sampled: true,
            state: None,
        });
        Some(Answering::of_plain(traced, request, peer, began))
    }

    fn traced(&self, context: Context) -> Arc<Traced> {
        Arc::new(Traced {
            context,
            queue: self.queue.clone(),
        })
    }

    fn is_drawn(&self) -> bool {
        self.below.is_none_or(|below| self.queue.draw() < below)
    }
}

/// Whether the fields of a head, as they were sent, name a trace or look as if they did.
pub(crate) fn may_name_a_trace(fields: &[u8]) -> bool {
    let mut lines = fields.split(|byte| *byte == b'\n');
    lines.any(|line| {
        let is = |name: &::http::HeaderName| {
            let name = name.as_str().as_bytes();
            line.get(..name.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(name))
        };
        is(&PARENT) || is(&STATE)
    })
}

/// The bound that so many of all draws are below. From 0 to 1 gives a draw; what is beyond saturates.
fn below(sample: f64) -> Option<u64> {
    (sample < 1.0).then_some((sample * DRAWS) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With its end of the queue.
    pub(super) fn traces(
        sample: f64,
        trusts_parents: bool,
    ) -> (Traces, tokio::sync::mpsc::Receiver<span::Span>) {
        let (queue, spans) = Queue::new(16, 7);
        let traces = Traces {
            queue: Arc::new(queue),
            below: below(sample),
            trusts_parents,
        };
        (traces, spans)
    }

    #[test]
    fn as_many_are_drawn_as_are_to_be() {
        for (sample, expected) in [(0.0, 0..1), (1.0, 10_000..10_001), (0.1, 900..1100)] {
            let (traces, _spans) = traces(sample, false);
            let drawn = (0..10_000).filter(|_| traces.is_drawn()).count();
            assert!(expected.contains(&drawn), "{sample}: {drawn}");
        }
    }

    #[test]
    fn a_full_queue_loses_spans_and_counts_them() {
        let (traces, spans) = traces(1.0, false);
        let traced = traces.traced(Context {
            trace: 1,
            span: 2,
            is_sampled: true,
            state: None,
        });
        for _ in 0..20 {
            use tessera_engine::{Stage, Stages};
            traced.ended("shop", Stage::Wait, Instant::now());
        }
        assert_eq!(
            traces.queue().counts().lost(),
            [("queue", 4), ("collector", 0)]
        );
        assert_eq!(spans.len(), 16);
    }

    #[test]
    fn a_head_that_names_a_trace_is_seen() {
        for (fields, expected) in [
            ("Host: a\r\nTraceParent: 00\r\n", true),
            ("tracestate: a=1\r\n", true),
            ("Host: traceparent\r\nX-Traceparent: 1\r\n", false),
            ("", false),
        ] {
            assert_eq!(may_name_a_trace(fields.as_bytes()), expected, "{fields}");
        }
    }
}
