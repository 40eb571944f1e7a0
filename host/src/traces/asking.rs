//! The span of a request that a component sends, and the context that goes with it.

use std::any::Any;
use std::time::{Instant, SystemTime};

use ::http::Request;
use tessera_engine::{Origin, OutboundError};

use super::context::Context;
use super::request::known;
use super::span::{Span, SpanKind, Traced, Value};

/// A request on its way; given up if it is dropped before it has ended.
#[derive(Debug)]
pub(crate) struct Asking {
    span: Option<Span>,
    queue: std::sync::Arc<super::Queue>,
}

impl Asking {
    /// Has a request hand on the context of what its component is answering. None where that is not recorded.
    pub(crate) fn begin<B>(
        origin: &Origin,
        component: &str,
        request: &mut Request<B>,
    ) -> Option<Self> {
        let stages: &dyn Any = origin.stages.as_deref()?;
        let traced = stages.downcast_ref::<Traced>()?;
        // A component that keeps spans of its own says which of them asks.
        let own = Context::of(request.headers());
        let own = own.filter(|own| own.trace == traced.context().trace);
        if !traced.is_recorded() {
            if own.is_none() {
                traced.context().put_into(request.headers_mut());
            }
            return None;
        }
        let parent = own.as_ref().unwrap_or_else(|| traced.context());
        let method = known(request.method());
        let mut span = traced.child(parent.span, method.into(), SpanKind::Client, Instant::now());
        let uri = request.uri();
        let scheme = uri.scheme_str().unwrap_or_default();
        let host = uri.host().unwrap_or_default();
        let port = uri.port_u16();
        let default = if scheme == "https" { 443 } else { 80 };
        let authority = match port {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        // Neither names and passwords nor queries, which may be secrets.
        let url = format!("{scheme}://{authority}{}", uri.path());
        let port = Value::Number(port.unwrap_or(default).into());
        span.attributes = vec![
            ("http.request.method", method.into()),
            ("server.address", Value::text(host)),
            ("server.port", port),
            ("url.full", Value::text(&url)),
            ("tessera.component", Value::text(component)),
        ];
        let context = Context {
            span: span.id,
            ..parent.clone()
        };
        let context = Context {
            is_sampled: true,
            ..context
        };
        context.put_into(request.headers_mut());
        Some(Self {
            span: Some(span),
            queue: traced.queue.clone(),
        })
    }

    /// The head of the response is there, or will not come.
    pub(crate) fn end(mut self, result: Result<u16, &OutboundError>) {
        let Some(mut span) = self.span.take() else {
            return;
        };
        match result {
            Ok(status) => {
                let code = Value::Number(status.into());
                span.attributes.push(("http.response.status_code", code));
                if status >= 400 {
                    let error = Value::text(&status.to_string());
                    span.attributes.push(("error.type", error));
                    span.is_error = true;
                }
            }
            Err(error) => {
                span.attributes.push(("error.type", kind(error).into()));
                span.is_error = true;
            }
        }
        span.ended = SystemTime::now();
        self.queue.take(span);
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        if let Some(mut span) = self.span.take() {
            span.attributes.push(("error.type", "cancelled".into()));
            span.is_error = true;
            span.ended = SystemTime::now();
            self.queue.take(span);
        }
    }
}

fn kind(error: &OutboundError) -> &'static str {
    match error {
        OutboundError::Denied => "denied",
        OutboundError::AddressDenied => "address_denied",
        OutboundError::TooMany => "too_many",
        OutboundError::Unsupported(_) => "unsupported",
        OutboundError::Name(_) => "name",
        OutboundError::Refused => "refused",
        OutboundError::Connect(_) => "connect",
        OutboundError::ConnectTimeout => "connect_timeout",
        OutboundError::Certificate(_) => "certificate",
        OutboundError::ReadTimeout => "read_timeout",
        OutboundError::Terminated(_) => "terminated",
        OutboundError::Protocol(_) => "protocol",
        OutboundError::Body(_) => "body",
    }
}
