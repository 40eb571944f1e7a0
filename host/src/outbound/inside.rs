//! Requests of components to each other, and to the host's server: answered in this process, without a socket.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use ::http::{Method, Request as HttpRequest, Response as HttpResponse, Version};
use http_body_util::BodyExt;
use tessera_engine::{Broken, Origin, OutboundBody, OutboundError, OutboundTimes, Pending};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use super::timed::TimedBody;
use super::{BETWEEN_BYTES, FIRST_BYTE, limit};
use crate::http::{FromInside, Peer, Reject, Request, RequestBody, Response};
use crate::server::{Kind, WebServer};

/// The host's server; with the name of a component in front, that component's. Nothing else is below it, on any network:
/// `internal` is for private use.
const DOMAIN: &str = "tessera.internal";
/// Most bytes of the header fields, as a connection takes them.
const HEADER_BYTES_MAX: usize = 64 * 1024;
/// How long after its caller's deadline a call ends at the latest. That deadline itself ends caller and call, with the
/// status that belongs to it; a call that told its caller at the same moment would race it. What outlives a caller is
/// what an instance of many requests still waits for.
const LAST_WORD: Duration = Duration::from_secs(5);

/// Whose server a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inhabitant<'a> {
    /// The host's.
    Host,
    /// A component's, by its name in any case.
    Component(&'a str),
}

/// What answers such requests.
pub(crate) trait Inside: Send + Sync + 'static {
    /// The server, running or not.
    fn find(&self, inhabitant: Inhabitant<'_>) -> Option<Arc<WebServer>>;

    /// Its response, by all the stages that a client's request has.
    fn answer(
        self: Arc<Self>,
        server: Arc<WebServer>,
        request: Request,
        peer: Peer,
    ) -> Pending<Response>;

    /// Its response to a request that is refused before all of them.
    fn refuse(
        self: Arc<Self>,
        server: Arc<WebServer>,
        request: &Request,
        peer: Peer,
        reject: Reject,
    ) -> Response;
}

/// The way to what answers, once there is one.
#[derive(Default)]
pub(crate) struct Interior(OnceLock<(Weak<dyn Inside>, Handle)>);

/// What one component may send to its neighbours.
pub(super) struct Neighbours {
    interior: Arc<Interior>,
    component: Arc<str>,
    /// `[permissions] components`: names, `self`, `host`, or `*` for all but itself.
    permitted: Vec<String>,
}

/// Whose server the host of a URL is, if it is one of this process.
pub(super) fn inhabitant(host: &str) -> Option<Inhabitant<'_>> {
    if host.eq_ignore_ascii_case(DOMAIN) {
        return Some(Inhabitant::Host);
    }
    let at = host.len().checked_sub(DOMAIN.len() + 1)?;
    let (name, domain) = (host.get(..at)?, host.get(at + 1..)?);
    let is_below = host.as_bytes().get(at) == Some(&b'.') && domain.eq_ignore_ascii_case(DOMAIN);
    (is_below && !name.is_empty()).then_some(Inhabitant::Component(name))
}

impl Interior {
    /// Has `inside` answer on `runtime`, the one that serves. It is not owned: what it owns holds on to this.
    pub(crate) fn connect<I: Inside>(&self, inside: &Arc<I>, runtime: Handle) {
        let inside: Weak<I> = Arc::downgrade(inside);
        // There is one in a process.
        let _ = self.0.set((inside, runtime));
    }
}

impl Neighbours {
    pub(super) fn new(
        interior: Arc<Interior>,
        component: Arc<str>,
        permitted: Vec<String>,
    ) -> Self {
        Self {
            interior,
            component,
            permitted,
        }
    }

    /// Sends a request to a neighbour.
    pub(super) fn send(
        &self,
        inhabitant: Inhabitant<'_>,
        request: HttpRequest<OutboundBody>,
        times: OutboundTimes,
        origin: &mut Origin,
    ) -> Pending<Result<HttpResponse<OutboundBody>, OutboundError>> {
        let (id, uri) = (origin.id, request.uri().clone());
        let result = self.begin(inhabitant, request, times, origin);
        let component = self.component.clone();
        match result {
            Ok(answering) => Box::pin(answering),
            Err(error) => {
                let request = format_args!("{id:016x}");
                let authority = uri.authority().map_or("", |authority| authority.as_str());
                match error {
                    OutboundError::Denied => {
                        let name = match inhabitant {
                            Inhabitant::Host => "host",
                            Inhabitant::Component(name) => name,
                        };
                        tracing::warn!(component = &*component, %request, "{component}, request {request}: a request to {authority} is not permitted; [permissions] components = [\"{name}\"] in its settings would allow it");
                    }
                    OutboundError::TooMany => {
                        tracing::warn!(component = &*component, %request, "{component}, request {request}: a request to {authority} is refused: components have called each other too often for one request of a client");
                    }
                    _ => {
                        tracing::debug!(component = &*component, %request, "a request to {authority} failed: {error}");
                    }
                }
                Box::pin(async { Err(error) })
            }
        }
    }

    fn begin(
        &self,
        inhabitant: Inhabitant<'_>,
        request: HttpRequest<OutboundBody>,
        times: OutboundTimes,
        origin: &mut Origin,
    ) -> Result<
        impl Future<Output = Result<HttpResponse<OutboundBody>, OutboundError>> + Send + use<>,
        OutboundError,
    > {
        if request.method() == Method::CONNECT {
            return Err(OutboundError::Unsupported("CONNECT makes a tunnel"));
        }
        if request.uri().port().is_some() {
            return Err(OutboundError::Unsupported(
                "servers of this process are asked without a port",
            ));
        }
        let unknown = || OutboundError::Name("no component has that name".to_owned());
        let (inside, runtime) = self.interior.0.get().ok_or_else(unknown)?;
        let inside = inside.upgrade().ok_or_else(unknown)?;
        let server = inside.find(inhabitant);
        if !self.permits(inhabitant, server.as_deref()) {
            return Err(OutboundError::Denied);
        }
        let server = server.ok_or_else(unknown)?;
        let chain = match origin.chain.call() {
            Ok(chain) => Ok(chain),
            Err(Broken::TooDeep) => Err(Reject::Loop),
            Err(Broken::TooMany) => return Err(OutboundError::TooMany),
        };
        let peer = Peer {
            client: SocketAddr::new(origin.peer.client, 0),
            server: SocketAddr::new(origin.peer.server, 0),
            connection: 0,
            secured: request.uri().scheme_str() == Some("https"),
        };
        let mut request = request.map(RequestBody::of_component);
        // What is asked of one: the authority is in the URL, and no field is of the connection.
        *request.version_mut() = Version::HTTP_2;
        let refused = match chain {
            Err(reject) => Some(reject),
            Ok(chain) => {
                request.extensions_mut().insert(FromInside {
                    caller: self.component.clone(),
                    chain,
                });
                is_too_large(&request).then_some(Reject::HeadTooLarge)
            }
        };
        let answering = match refused {
            Some(reject) => Answering::Ready(inside.refuse(server, &request, peer, reject)),
            // On the threads that serve, as any other request, and in a task of its own: what it computes is not the
            // caller's.
            None => Answering::Task(AbortOnDrop(
                runtime.spawn(inside.answer(server, request, peer)),
            )),
        };
        let head = limit(times.first_byte, FIRST_BYTE);
        let late = (Instant::now() + head).min(Instant::from_std(origin.deadline) + LAST_WORD);
        let between = limit(times.between_bytes, BETWEEN_BYTES);
        Ok(async move {
            let response = match answering {
                Answering::Ready(response) => response,
                Answering::Task(task) => timeout_at(late, task.join())
                    .await
                    .map_err(|_| OutboundError::ReadTimeout)??,
            };
            Ok(response.map(|body| {
                let broken = |error: std::io::Error| OutboundError::Terminated(error.to_string());
                TimedBody::boxed(body.map_err(broken).boxed_unsync(), between)
            }))
        })
    }

    /// Whether `[permissions] components` names a server, which may not be there.
    fn permits(&self, inhabitant: Inhabitant<'_>, server: Option<&WebServer>) -> bool {
        let name = match (server, inhabitant) {
            (Some(server), Inhabitant::Component(_)) => server.name(),
            (None, Inhabitant::Component(name)) => name,
            (_, Inhabitant::Host) => "host",
        };
        let is_host = inhabitant == Inhabitant::Host;
        debug_assert!(server.is_none_or(|server| is_host == (server.kind() == Kind::Host)));
        let is_own = !is_host && name == &*self.component;
        self.permitted.iter().any(|entry| match entry.as_str() {
            "self" => is_own,
            "host" => is_host,
            "*" => !is_own,
            entry => !is_host && entry == name,
        })
    }
}

fn is_too_large(request: &Request) -> bool {
    let fields = request.headers().iter();
    let bytes: usize = fields
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    bytes > HEADER_BYTES_MAX
}

enum Answering {
    Ready(Response),
    Task(AbortOnDrop),
}

/// A task that ends when nobody waits for it any more.
struct AbortOnDrop(JoinHandle<Response>);

impl AbortOnDrop {
    async fn join(mut self) -> Result<Response, OutboundError> {
        let ended = (&mut self.0).await;
        ended.map_err(|error| OutboundError::Terminated(error.to_string()))
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::Registry;

    #[test]
    fn hosts_of_this_process_are_told_from_others() {
        for (host, expected) in [
            ("tessera.internal", Some(Inhabitant::Host)),
            ("Tessera.Internal", Some(Inhabitant::Host)),
            ("shop.tessera.internal", Some(Inhabitant::Component("shop"))),
            ("a.b.TESSERA.internal", Some(Inhabitant::Component("a.b"))),
            (".tessera.internal", None),
            ("xtessera.internal", None),
            ("internal", None),
            ("tessera.internal.example.com", None),
            ("\u{e9}tessera.internal", None),
        ] {
            assert_eq!(inhabitant(host), expected, "{host}");
        }
    }

    #[test]
    fn permissions_name_components() {
        let host = WebServer::new("site", Kind::Host);
        let registry = Registry::new(host.clone());
        let (shop, blog) = (registry.component("shop"), registry.component("blog"));
        let cases: [(&[&str], [bool; 3]); 6] = [
            (&[], [false, false, false]),
            (&["self"], [false, true, false]),
            (&["host"], [true, false, false]),
            (&["blog", "site"], [false, false, true]),
            (&["*"], [true, false, true]),
            (&["*", "shop"], [true, true, true]),
        ];
        for (permitted, expected) in cases {
            let permitted = permitted.iter().map(|name| (*name).to_owned()).collect();
            let neighbours = Neighbours::new(Arc::default(), "shop".into(), permitted);
            let host = neighbours.permits(Inhabitant::Host, Some(&host));
            let of = |server: &WebServer| {
                neighbours.permits(Inhabitant::Component(server.name()), Some(server))
            };
            assert_eq!(
                [host, of(&shop), of(&blog)],
                expected,
                "{:?}",
                neighbours.permitted
            );
        }
    }
}
