//! Serves HTTP/1.1 or HTTP/2 on one connection until it closes.

mod activity;
mod courier;
mod course;
mod direct;
mod flood;
mod gate;
mod linger;
mod observed;
mod pace;
mod pieces;
mod sending;
mod served;
mod socket;
mod together;

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::{Body as _, Incoming};
use hyper::service::service_fn;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use crate::exchange::{self, Begun};
use ::http::header::{CONNECTION, EXPECT};
use ::http::uri::Authority;
use ::http::{HeaderValue, Version};

use crate::http::{
    BodyLimits, BodyWatch, DirectFiles, Peer, PlainGet, Proxies, ReadyMade, Reject, Request,
    RequestBody, Response, Settled, asked_host,
};
use crate::metrics::ConnectionCounts;
use crate::response::Asked;
use crate::server::Receiver;
use crate::settings::KeepAlive;
use crate::weblog::Pending;
pub use direct::TakesFiles;
pub use socket::Socket;
pub use together::runtime;

use activity::Activity;
use course::Course;
use direct::Direct;
use flood::Watched;
use gate::{Answers, Door, Gate};
use observed::Observed;
use sending::Sending;
use served::Served;

/// Most bytes that the head of a request may take.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// What the HTTP/1 library may buffer: any head that the gate lets through, and what is read with its end.
const BUFFER_BYTES_MAX: usize = 2 * HEAD_BYTES_MAX;
/// Requests that one HTTP/2 connection may have open.
const STREAMS_MAX: u32 = 200;

/// How slow a client may be.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How long it may take for the head of a request.
    pub header: Duration,
    /// How long it may send nothing of a body.
    pub body: Duration,
    /// How long it may take nothing of a response.
    pub send: Duration,
    /// Fewest bytes a second, of bodies and of responses; 0 for any.
    pub rate_min: u32,
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// How long a connection may be silent.
#[derive(Clone, Copy, Debug)]
struct Timeouts {
    /// Until the head of a request is there.
    header: Duration,
    /// Between two requests.
    keep_alive: Duration,
    /// While the client takes nothing of a response.
    send: Duration,
    /// Fewest bytes of responses a second, while there are some to be taken; 0 for any.
    rate_min: u32,
}

impl Timeouts {
    fn of(patience: Patience, keep_alive: KeepAlive) -> Self {
        Self {
            header: patience.header,
            keep_alive: keep_alive.timeout,
            send: patience.send,
            rate_min: patience.rate_min,
        }
    }

    /// How long nothing can be late.
    fn shortest(self) -> Duration {
        self.header.min(self.keep_alive).min(self.send)
    }
}

/// What is spoken on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// What the client begins with: nothing was agreed on.
    Either,
    /// HTTP/1.
    Http1,
    /// HTTP/2.
    Http2,
}

/// Reads the host that a request asks for.
pub type AskedHost<'a> = dyn Fn() -> Option<Authority> + 'a;

/// How a connection is served, beside what its server's settings say.
pub struct Terms<'a> {
    /// What is spoken.
    pub protocol: Protocol,
    /// How slow its client may be.
    pub patience: Patience,
    /// Whether the connection should end.
    pub closing: watch::Receiver<Closing>,
    /// Who may speak for others, and how.
    pub proxies: &'a Proxies,
    /// Whether the host of a request is another web server's, which shares the port; asked for each request.
    pub is_anothers: &'a (dyn Fn(&AskedHost<'_>) -> bool + Sync),
    /// What became of connections.
    pub(crate) counts: &'a ConnectionCounts,
}

/// Whether a server's connections should end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// They go on.
    No,
    /// They end after the requests they are at.
    AfterRequests,
    /// They end at once.
    Now,
}

impl Closing {
    /// Whether something is to be done about it, given that the connection is ending or not.
    fn is_news(self, ending: bool) -> bool {
        match self {
            Self::No => false,
            Self::AfterRequests => !ending,
            Self::Now => true,
        }
    }
}

/// Serves a connection. The receiving server's keep-alive settings hold as they are at the moment.
pub async fn serve<S>(stream: S, peer: Peer, receiver: Arc<Receiver>, terms: Terms<'_>)
where
    S: AsyncRead + AsyncWrite + TakesFiles + Unpin + Send + 'static,
{
    let (is_anothers, patience, counts) = (terms.is_anothers, terms.patience, terms.counts);
    let spokesman = Some(terms.proxies).filter(|proxies| proxies.speaks_for_others(&peer));
    let (activity, door) = (Arc::new(Activity::new()), Arc::new(Door::default()));
    let direct = DirectFiles::default();
    let writing = stream.writing().filter(|_| courier::are_there());
    let (stream, caught) = Watched::new(Direct::new(stream, direct.clone()), terms.protocol);
    let stream = Observed::new(stream, activity.clone());
    // What is written in one piece is copied before, and stand-ins of pieces of files must not be.
    let takes_files = S::TAKES_FILES && stream.is_write_vectored();
    let begun = BegunSlot::default();
    let at_once = AtOnce {
        receiver: &receiver,
        begun: &begun,
        peer,
        is_anothers,
        // What its client is behind decides, which only the whole request tells.
        is_for_others: spokesman.is_some(),
    };
    let (protocol, heads) = (terms.protocol, door.clone());
    let gate = Gate::new(stream, protocol, at_once, heads, activity.clone(), writing);
    let service = service_fn(|request: ::http::Request<Incoming>| {
        let version = request.version();
        let is_multiplexed = version == Version::HTTP_2;
        let (number, refused) = door.enter();
        let in_progress = activity.begin(number, is_multiplexed);
        let is_misdirected = peer.secured && is_anothers(&|| asked_host(&request));
        let peer = spokesman.map_or(peer, |proxies| proxies.client_of(request.headers(), peer));
        // HTTP/2 frames what it sends.
        let direct = (takes_files && !is_multiplexed).then(|| direct.clone());
        let (request, watch) = watched(request, patience);
        let (receiver, door) = (receiver.clone(), door.clone());
        let begun = begun.take(number);
        let why = refused.or_else(|| is_misdirected.then_some(Reject::Misdirected));
        let refused_line = refused.and_then(|_| door.refused_line());
        async move {
            let (mut response, mut is_last) = match begun {
                // It has no body, and no reason to be the last.
                Some(begun) => (
                    exchange::go_on(&receiver, request, peer, begun).await,
                    false,
                ),
                None => {
                    let refused = why.map(|why| (why, refused_line.as_deref()));
                    answer(&receiver, request, watch, refused, peer).await
                }
            };
            if !is_multiplexed {
                is_last |= refused.is_some() || ends(number, receiver.server.keep_alive());
                close_after(&mut response, version, is_last, &door);
            }
            let log = Pending::detach(&mut response);
            // A log with bodies has to see them.
            let direct = direct.filter(|_| !log.as_ref().is_some_and(|log| log.wants_body()));
            // In progress until its last byte was taken: a slow download is no idle connection.
            Ok::<_, Infallible>(response.map(|body| {
                let body = body.shared(in_progress.number());
                Sending::new(body.sent_by(direct.as_ref()), in_progress, log)
            }))
        }
    });
    let course = Course {
        activity: &activity,
        door: &door,
        timeouts: || Timeouts::of(patience, receiver.server.keep_alive()),
        closing: terms.closing,
    };
    {
        let mut connection = pin!(Served::new(gate, service));
        let ended = course.run(connection.as_mut()).await;
        // Before the stream is dropped, which looks at it.
        if is_told(&ended, peer) {
            activity.conclude();
        }
    }
    caught.end(peer, counts).await;
}

/// Answers from memory, for a connection.
struct AtOnce<'a> {
    receiver: &'a Receiver,
    begun: &'a BegunSlot,
    peer: Peer,
    is_anothers: &'a (dyn Fn(&AskedHost<'_>) -> bool + Sync),
    is_for_others: bool,
}

impl Answers for AtOnce<'_> {
    fn answer(&self, number: u64, request: PlainGet<'_>, may_call: bool) -> Option<ReadyMade> {
        // The last answer says that it is, and one to another's request that it is misdirected.
        let is_anothers = || self.peer.secured && (self.is_anothers)(&|| request.host.parse().ok());
        let is_for_more =
            self.is_for_others || ends(number, self.receiver.server.keep_alive()) || is_anothers();
        if is_for_more {
            return None;
        }
        match exchange::at_once(self.receiver, request, self.peer, may_call) {
            exchange::AtOnce::Made(made) => Some(made),
            exchange::AtOnce::Nothing => None,
            exchange::AtOnce::Begun(begun) => {
                *self.begun.0.lock() = Some((number, begun));
                None
            }
        }
    }
}

/// The request of a number that a component is at already, while the library reads it.
#[derive(Default)]
struct BegunSlot(Mutex<Option<(u64, Box<Begun>)>>);

impl BegunSlot {
    fn take(&self, number: u64) -> Option<Box<Begun>> {
        let mut slot = self.0.lock();
        let is_it = slot.as_ref().is_some_and(|(begun, _)| *begun == number);
        is_it.then(|| slot.take())?.map(|(_, begun)| begun)
    }
}

/// Whether the client is to be told that a connection is at its end, which the library did not do.
fn is_told(ended: &Option<Result<(), BoxError>>, peer: Peer) -> bool {
    match ended {
        None => true,
        Some(Ok(())) => false,
        Some(Err(error)) => {
            tracing::debug!(client = %peer.client, %error, "connection ended");
            // A body that failed has broken off, and is not in progress any more.
            !error.downcast_ref().is_some_and(hyper::Error::is_user)
        }
    }
}

/// Answers a request, or says why it is refused. Says whether the connection must end, too.
async fn answer(
    receiver: &Receiver,
    mut request: Request,
    watch: Option<BodyWatch>,
    refused: Option<(Reject, Option<&[u8]>)>,
    peer: Peer,
) -> (Response, bool) {
    let asked = watch.is_some().then(|| Asked::of(&request));
    let response = match refused {
        Some((reject, line)) => {
            exchange::refused_unseen(receiver, &mut request, line, peer, reject)
        }
        None => exchange::handle(receiver, request, peer).await,
    };
    match (asked, watch) {
        // Boxed: most requests have no body, and their futures should be small.
        // What makes it may still be reading. The client ends the connection when it has sent and got all.
        (Some(_), Some(watch)) if response.body().is_being_made() => {
            let is_last = !watch.has_ended();
            (response, is_last)
        }
        (Some(asked), Some(watch)) => {
            Box::pin(settled(receiver, asked, watch, peer, response)).await
        }
        _ => (response, false),
    }
}

/// Has an eye on the body of a request, if there is one.
fn watched(request: ::http::Request<Incoming>, patience: Patience) -> (Request, Option<BodyWatch>) {
    let limits = BodyLimits {
        idle: patience.body,
        rate_min: patience.rate_min,
    };
    let has_body = !request.body().is_end_stream();
    let is_asked_for = has_body && request.headers().contains_key(EXPECT);
    let (head, body) = request.into_parts();
    let (body, watch) = RequestBody::new(body, limits, is_asked_for);
    (Request::from_parts(head, body), watch)
}

/// Has done with the body of a request that is answered. One that cannot be read makes the request a bad one, whatever was
/// made of it. Says whether the connection must end, too.
async fn settled(
    receiver: &Receiver,
    asked: Asked,
    watch: BodyWatch,
    peer: Peer,
    mut response: Response,
) -> (Response, bool) {
    let may_read = !asked.is_multiplexed() && !is_closing(&response);
    match watch.settle(may_read).await {
        Settled::Complete => (response, false),
        Settled::Unread => (response, true),
        Settled::Failed(reject) => {
            let mut refused = exchange::refused_after_all(receiver, asked, peer, reject);
            if let Some(log) = Pending::detach(&mut response) {
                log.attach(&mut refused);
            }
            (refused, true)
        }
    }
}

/// Whether a request is the last one of an HTTP/1 connection. HTTP/2 has no such limit: the documents' is one on a series of
/// requests, and what is one connection there would be six of HTTP/1.
fn ends(number: u64, keep_alive: KeepAlive) -> bool {
    !keep_alive.enabled || keep_alive.requests_max.is_some_and(|max| number >= max)
}

/// Whether a response of HTTP/1 says that it is the last one.
fn is_closing(response: &Response) -> bool {
    response
        .headers()
        .get(CONNECTION)
        .is_some_and(|value| value == "close")
}

/// Closes an HTTP/1 connection after its last response.
fn close_after(response: &mut Response, version: Version, is_last: bool, door: &Door) {
    if is_last {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
    } else if !response.status().is_client_error() || !is_closing(response) {
        return;
    }
    door.announce_end();
    if version == Version::HTTP_10 {
        // The library would else promise to keep the connection, beside the field that says otherwise.
        *response.version_mut() = Version::HTTP_10;
    }
}
