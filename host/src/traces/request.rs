//! The span of a request that a web server answers: <https://opentelemetry.io/docs/specs/semconv/http/http-spans/>.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use ::http::header::USER_AGENT;
use ::http::uri::Authority;
use ::http::{Method, Version};

use super::context::{Context, PARENT};
use super::span::{Span, SpanKind, Traced, Value};
use crate::http::{Peer, PlainGet, Request, asked_host};
use crate::weblog::{Fields, Wanted};

/// A request that is being answered. Nothing is told of one that is not ended.
#[derive(Debug)]
pub(crate) struct Answering {
    traced: Arc<Traced>,
    recorded: Option<Recorded>,
}

#[derive(Debug)]
struct Recorded {
    parent: Option<u64>,
    began: Instant,
    method: &'static str,
    path: String,
    attributes: Vec<(&'static str, Value)>,
}

/// What is told of an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told<'a> {
    /// The web server.
    pub(crate) server: &'a str,
    /// How many bytes of the path are the mount of the component that answered; 0 where none did, or it has no mount.
    pub(crate) mount: usize,
    /// Where the answer came from, as metrics call it.
    pub(crate) kind: &'static str,
    /// Its status.
    pub(crate) status: u16,
}

impl Answering {
    /// One that only hands on the trace of others.
    pub(super) fn unrecorded(traced: Arc<Traced>) -> Box<Self> {
        Box::new(Self {
            traced,
            recorded: None,
        })
    }

    pub(super) fn of(
        traced: Arc<Traced>,
        parent: Option<u64>,
        request: &Request,
        peer: Peer,
        began: Instant,
    ) -> Box<Self> {
        let method = known(request.method());
        let mut attributes = ends(peer, asked_host(request).as_ref());
        attributes.push(("http.request.method", method.into()));
        if method == OTHER {
            let original = Value::text(request.method().as_str());
            attributes.push(("http.request.method_original", original));
        }
        let version = match request.version() {
            Version::HTTP_10 => "1.0",
            Version::HTTP_2 => "2",
            _ => "1.1",
        };
        attributes.push(("network.protocol.version", version.into()));
        if let Some(agent) = request.headers().get(USER_AGENT) {
            let agent = String::from_utf8_lossy(agent.as_bytes());
            attributes.push(("user_agent.original", Value::text(&agent)));
        }
        let path = request.uri().path().to_owned();
        Self::recorded(
            traced,
            Recorded {
                parent,
                began,
                method,
                path,
                attributes,
            },
        )
    }

    pub(super) fn of_plain(
        traced: Arc<Traced>,
        request: &PlainGet<'_>,
        peer: Peer,
        began: Instant,
    ) -> Box<Self> {
        let mut attributes = ends(peer, request.host.parse().ok().as_ref());
        attributes.push(("http.request.method", "GET".into()));
        attributes.push(("network.protocol.version", "1.1".into()));
        if let Some(agent) = Fields::in_lines(request.fields, Wanted::AGENT).agent {
            let agent = String::from_utf8_lossy(agent);
            attributes.push(("user_agent.original", Value::text(&agent)));
        }
        let recorded = Recorded {
            parent: None,
            began,
            method: "GET",
            path: request.path().to_owned(),
            attributes,
        };
        Self::recorded(traced, recorded)
    }

    fn recorded(traced: Arc<Traced>, recorded: Recorded) -> Box<Self> {
        Box::new(Self {
            traced,
            recorded: Some(recorded),
        })
    }

    /// What the parts of it are told to.
    pub(crate) fn traced(&self) -> &Arc<Traced> {
        &self.traced
    }

    /// The field that says where what is done for it belongs, as a line.
    pub(crate) fn line(&self) -> String {
        format!("{PARENT}: {}\r\n", self.traced.context().parent())
    }

    /// There is an answer.
    pub(crate) fn end(self, told: Told<'_>) {
        let Some(recorded) = self.recorded else {
            return;
        };
        let Recorded {
            parent,
            began,
            method,
            path,
            mut attributes,
        } = recorded;
        attributes.push(("url.path", Value::text(&path)));
        let is_error = told.status >= 500;
        let status = i64::from(told.status);
        attributes.push(("http.response.status_code", Value::Number(status)));
        attributes.push(("tessera.server", Value::text(told.server)));
        attributes.push(("tessera.kind", told.kind.into()));
        if is_error {
            attributes.push(("error.type", Value::text(&told.status.to_string())));
        }
        let name = match path.get(..told.mount) {
            None | Some("") => method.into(),
            Some(route) => {
                attributes.push(("http.route", Value::text(route)));
                format!("{method} {route}").into()
            }
        };
        let Context {
            trace, span, state, ..
        } = self.traced.context();
        let ended = SystemTime::now();
        self.traced.queue.take(Span {
            trace: *trace,
            id: *span,
            parent,
            state: state.clone(),
            name,
            kind: SpanKind::Server,
            began: ended.checked_sub(began.elapsed()).unwrap_or(ended),
            ended,
            attributes,
            is_error,
        });
    }
}

/// What stands for methods that nobody knows: clients may invent as many as they like.
const OTHER: &str = "_OTHER";

pub(super) fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        Method::OPTIONS => "OPTIONS",
        Method::TRACE => "TRACE",
        Method::CONNECT => "CONNECT",
        _ => OTHER,
    }
}

/// Who asked, and whom.
fn ends(peer: Peer, host: Option<&Authority>) -> Vec<(&'static str, Value)> {
    let mut attributes = Vec::with_capacity(16);
    let scheme = if peer.secured { "https" } else { "http" };
    attributes.push(("url.scheme", scheme.into()));
    let client = peer.client.ip().to_canonical().to_string();
    attributes.push(("client.address", Value::text(&client)));
    if let Some(host) = host {
        attributes.push(("server.address", Value::text(host.host())));
        if let Some(port) = host.port_u16() {
            attributes.push(("server.port", Value::Number(port.into())));
        }
    }
    attributes
}
