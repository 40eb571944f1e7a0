//! Serves HTTP/1.1 or HTTP/2 on one connection until it closes.

mod activity;
mod direct;
mod flood;
mod observed;

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::exchange;
use ::http::header::{CONNECTION, HOST};
use ::http::{HeaderValue, Version};

use crate::http::{DirectFiles, HEADER_FIELDS_MAX, Peer, Proxies, Request, Response};
use crate::server::Receiver;
use crate::settings::KeepAlive;
pub use direct::TakesFiles;

use activity::{Activity, Verdict};
use direct::Direct;
use flood::Watched;
use observed::Observed;

/// Most bytes that the head of a request may take.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Requests that one HTTP/2 connection may have open.
const STREAMS_MAX: u32 = 200;

/// How long a connection may be silent.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// Until the head of a request is there.
    pub header: Duration,
    /// Between two requests.
    pub keep_alive: Duration,
}

impl Timeouts {
    /// How long nothing can be late.
    fn shortest(self) -> Duration {
        self.header.min(self.keep_alive)
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

/// How a connection is served, beside what its server's settings say.
pub struct Terms<'a> {
    /// What is spoken.
    pub protocol: Protocol,
    /// How long a client may take for the head of a request.
    pub header_timeout: Duration,
    /// Whether the connection should end.
    pub closing: watch::Receiver<Closing>,
    /// The proxies in front, who may speak for others.
    pub proxies: &'a Proxies,
    /// Whether a host is another web server's, which shares the port; asked for each request.
    pub is_anothers: &'a (dyn Fn(&str) -> bool + Sync),
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
    let (mut closing, is_anothers) = (terms.closing, terms.is_anothers);
    let spokesman = Some(terms.proxies).filter(|proxies| proxies.speaks_for_others(&peer));
    let (activity, requests) = (Arc::new(Activity::new()), AtomicU64::new(0));
    let direct = DirectFiles::default();
    let (stream, caught) = Watched::new(Direct::new(stream, direct.clone()), terms.protocol);
    let stream = Observed::new(stream, activity.clone());
    // What is written in one piece is copied before, and stand-ins of pieces of files must not be.
    let takes_files = S::TAKES_FILES && stream.is_write_vectored();
    let timeouts = || Timeouts {
        header: terms.header_timeout,
        keep_alive: receiver.server.keep_alive().timeout,
    };
    let service = service_fn(|request: Request| {
        let is_multiplexed = request.version() == Version::HTTP_2;
        let (receiver, in_progress) = (receiver.clone(), activity.begin(is_multiplexed));
        // HTTP/2 frames what it sends.
        let direct = (takes_files && !is_multiplexed).then(|| direct.clone());
        let number = requests.fetch_add(1, Ordering::Relaxed) + 1;
        let is_misdirected = peer.secured && host(&request).is_some_and(|host| is_anothers(&host));
        let peer = spokesman.map_or(peer, |proxies| proxies.client_of(request.headers(), peer));
        async move {
            let mut response = if is_misdirected {
                exchange::misdirected(&receiver, &request, peer)
            } else {
                exchange::handle(&receiver, request, peer).await
            };
            if !is_multiplexed {
                close_after(&mut response, number, receiver.server.keep_alive());
            }
            // In progress until its last byte was taken: a slow download is no idle connection.
            let number = in_progress.number();
            Ok::<_, Infallible>(response.map(|body| {
                let body = body.shared(number).holding(in_progress);
                match &direct {
                    Some(direct) => body.sent_by(direct),
                    None => body,
                }
            }))
        }
    });
    let builder = builder(terms.protocol);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let mut next_look = pin!(tokio::time::sleep(timeouts().shortest()));
    let mut ending = false;
    let is_told = loop {
        tokio::select! {
            result = connection.as_mut() => {
                let Err(error) = result else {
                    break false;
                };
                tracing::debug!(client = %peer.client, %error, "connection ended");
                // A body that failed has broken off, and is not in progress any more.
                break !error.downcast_ref().is_some_and(hyper::Error::is_user);
            }
            changed = closing.wait_for(|closing| closing.is_news(ending)) => {
                // An error is a server that is gone: end as when told to.
                if changed.is_ok_and(|closing| *closing == Closing::Now) || ending {
                    break true;
                }
                ending = true;
                connection.as_mut().graceful_shutdown();
            }
            () = next_look.as_mut() => {
                let timeouts = timeouts();
                let wait = match activity.judge(timeouts) {
                    Verdict::Wait(wait) => wait,
                    Verdict::HeadIsLate => break true,
                    Verdict::IsIdle if ending => break true,
                    Verdict::IsIdle => {
                        ending = true;
                        connection.as_mut().graceful_shutdown();
                        timeouts.keep_alive
                    }
                };
                next_look.as_mut().reset(Instant::now() + wait);
            }
        }
    };
    if is_told {
        activity.conclude();
    }
    caught.end(peer).await;
}

/// The host that a request names, without its port.
fn host(request: &Request) -> Option<String> {
    let authority = request.uri().authority().cloned().or_else(|| {
        let field = request.headers().get(HOST)?;
        field.to_str().ok()?.parse().ok()
    });
    authority.map(|authority| authority.host().to_owned())
}

/// Closes an HTTP/1 connection after its last request. HTTP/2 has no such limit: the documents' is one on a series of
/// requests, and what is one connection there would be six of HTTP/1.
fn close_after(response: &mut Response, number: u64, keep_alive: KeepAlive) {
    let is_last = keep_alive.requests_max.is_some_and(|max| number >= max);
    if is_last || !keep_alive.enabled {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
    }
}

fn builder(protocol: Protocol) -> Builder<TokioExecutor> {
    let builder = Builder::new(TokioExecutor::new());
    let mut builder = match protocol {
        Protocol::Either => builder,
        Protocol::Http1 => builder.http1_only(),
        Protocol::Http2 => builder.http2_only(),
    };
    builder
        .http1()
        .timer(TokioTimer::new())
        // Ours tells a head that is late from a connection that is idle; hyper's does not.
        .header_read_timeout(None)
        .max_headers(HEADER_FIELDS_MAX)
        .max_buf_size(HEAD_BYTES_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEAD_BYTES_MAX as u32);
    builder
}
