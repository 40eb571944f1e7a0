//! Serves HTTP/1.1 or HTTP/2 on one connection until it closes.

mod activity;
mod observed;

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::exchange;
use ::http::Version;

use crate::http::{Peer, Request};
use crate::server::Receiver;
use activity::{Activity, Verdict};
use observed::Observed;

/// Most header fields of a request, and most bytes that its head may take.
const HEADER_FIELDS_MAX: usize = 128;
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

/// Serves a connection.
pub async fn serve(
    stream: TcpStream,
    peer: Peer,
    receiver: Arc<Receiver>,
    timeouts: Timeouts,
    mut closing: watch::Receiver<Closing>,
) {
    let activity = Arc::new(Activity::new());
    let service = service_fn(|request: Request| {
        let is_multiplexed = request.version() == Version::HTTP_2;
        let (receiver, in_progress) = (receiver.clone(), activity.begin(is_multiplexed));
        async move {
            let response = exchange::handle(&receiver, request, peer).await;
            // In progress until its last byte was taken: a slow download is no idle connection.
            Ok::<_, Infallible>(response.map(|body| body.holding(in_progress)))
        }
    });
    let builder = builder();
    let stream = TokioIo::new(Observed::new(stream, activity.clone()));
    let mut connection = pin!(builder.serve_connection(stream, service));
    let mut next_look = pin!(tokio::time::sleep(timeouts.header.min(timeouts.keep_alive)));
    let mut ending = false;
    loop {
        tokio::select! {
            result = connection.as_mut() => {
                if let Err(error) = result {
                    tracing::debug!(client = %peer.client, %error, "connection ended");
                }
                return;
            }
            changed = closing.wait_for(|closing| match closing {
                Closing::No => false,
                Closing::AfterRequests => !ending,
                Closing::Now => true,
            }) => {
                // An error is a server that is gone: end as when told to.
                if changed.is_ok_and(|closing| *closing == Closing::Now) || ending {
                    return;
                }
                ending = true;
                connection.as_mut().graceful_shutdown();
            }
            () = next_look.as_mut() => {
                let wait = match activity.judge(timeouts) {
                    Verdict::Wait(wait) => wait,
                    Verdict::HeadIsLate => return,
                    Verdict::IsIdle if ending => return,
                    Verdict::IsIdle => {
                        ending = true;
                        connection.as_mut().graceful_shutdown();
                        timeouts.keep_alive
                    }
                };
                next_look.as_mut().reset(Instant::now() + wait);
            }
        }
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
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
