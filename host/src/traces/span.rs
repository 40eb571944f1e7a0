//! What is recorded: spans, and the request whose parts they are.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use tessera_engine::{Stage, Stages};

use super::context::Context;
use super::queue::Queue;

/// Bytes of one text; what is longer is cut.
const TEXT_BYTES_MAX: usize = 1024;

/// Something that took its time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Span {
    pub(crate) trace: u128,
    pub(crate) id: u64,
    /// What it is a part of; none at the beginning of a trace.
    pub(crate) parent: Option<u64>,
    pub(crate) state: Option<Arc<str>>,
    pub(crate) name: Cow<'static, str>,
    pub(crate) kind: SpanKind,
    pub(crate) began: SystemTime,
    pub(crate) ended: SystemTime,
    pub(crate) attributes: Vec<(&'static str, Value)>,
    /// Whether it failed.
    pub(crate) is_error: bool,
}

/// The part that the process has in a span, by its number in the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SpanKind {
    /// It is its own affair.
    Internal = 1,
    /// It was asked.
    Server = 2,
    /// It asked others.
    Client = 3,
}

/// What an attribute is worth.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Text(Cow<'static, str>),
    Number(i64),
}

impl Value {
    /// A text that came from elsewhere, of bounded length.
    pub(crate) fn text(text: &str) -> Self {
        let end = text.floor_char_boundary(TEXT_BYTES_MAX);
        Self::Text(Cow::Owned(text.get(..end).unwrap_or_default().to_owned()))
    }
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

/// A request of a client: its context, and where the spans of its parts go. One that is not recorded only hands the
/// context on.
#[derive(Debug)]
pub(crate) struct Traced {
    /// Where whatever is done for the request belongs.
    pub(super) context: Context,
    pub(super) queue: Arc<Queue>,
}

impl Traced {
    /// Whether its parts are recorded.
    pub(crate) fn is_recorded(&self) -> bool {
        self.context.is_sampled
    }

    /// The place in the trace that what is done for it has.
    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    /// A new span that is a part of it, or of one of its parts.
    pub(super) fn child(
        &self,
        parent: u64,
        name: Cow<'static, str>,
        kind: SpanKind,
        began: Instant,
    ) -> Span {
        let ended = SystemTime::now();
        Span {
            trace: self.context.trace,
            id: self.queue.new_id(),
            parent: Some(parent),
            state: self.context.state.clone(),
            name,
            kind,
            began: ended.checked_sub(began.elapsed()).unwrap_or(ended),
            ended,
            attributes: Vec::new(),
            is_error: false,
        }
    }
}

impl Stages for Traced {
    fn ended(&self, component: &str, stage: Stage, began: Instant) {
        if !self.is_recorded() {
            return;
        }
        let mut attributes = vec![("tessera.component", Value::text(component))];
        let name = match stage {
            Stage::Wait => "wait for an instance",
            Stage::Instantiate => "instantiate",
            Stage::Guest { hook, method } => {
                attributes.push(("tessera.hook", hook.into()));
                if let Some(method) = method {
                    attributes.push(("code.function.name", Value::text(&method)));
                }
                "web process"
            }
        };
        let span = self.child(self.context.span, name.into(), SpanKind::Internal, began);
        self.queue.take(Span { attributes, ..span });
    }
}
