//! A connection that is served: by its gate alone as long as that can answer what it is asked, from then on by the HTTP
//! library, which takes memory and time.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::Service;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};

use super::BoxError;
use super::course::Ends;
use super::gate::{Answers, Gate, Needed};
use super::sending::Sending;
use super::{BUFFER_BYTES_MAX, HEAD_BYTES_MAX, STREAMS_MAX};

/// A connection that is served.
pub(super) struct Served<S, A, V>
where
    S: AsyncRead + AsyncWrite + Unpin,
    A: Answers + Unpin,
    V: Service<Request<Incoming>, Response = Response<Sending>, Error = Infallible>,
    V::Future: Send + 'static,
{
    stage: Stage<S, A, V>,
    is_ending: bool,
}

type Http1<S, A, V> = http1::Connection<TokioIo<Gate<S, A>>, V>;
type Http2<S, A, V> = http2::Connection<TokioIo<Gate<S, A>>, V, TokioExecutor>;

/// Who serves it. Boxed: nothing of the library's is there until it is needed.
enum Stage<S, A, V>
where
    S: AsyncRead + AsyncWrite + Unpin,
    A: Answers + Unpin,
    V: Service<Request<Incoming>, Response = Response<Sending>, Error = Infallible>,
    V::Future: Send + 'static,
{
    /// None only while it becomes another.
    Alone(Option<Box<(Gate<S, A>, V)>>),
    Http1(Pin<Box<Http1<S, A, V>>>),
    Http2(Pin<Box<Http2<S, A, V>>>),
}

impl<S, A, V> Served<S, A, V>
where
    S: AsyncRead + AsyncWrite + Unpin,
    A: Answers + Unpin,
    V: Service<Request<Incoming>, Response = Response<Sending>, Error = Infallible>,
    V::Future: Send + 'static,
{
    pub(super) fn new(gate: Gate<S, A>, service: V) -> Self {
        Self {
            stage: Stage::Alone(Some(Box::new((gate, service)))),
            is_ending: false,
        }
    }

    /// Gives the connection to the library once that is needed; ready is one that has ended before.
    fn poll_alone(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        let Stage::Alone(alone) = &mut self.stage else {
            return Poll::Pending;
        };
        let Some((gate, _)) = alone.as_deref_mut() else {
            return Poll::Ready(Ok(()));
        };
        let needed = match self.is_ending {
            true => Needed::Nothing,
            false => ready!(gate.poll_needed(context))?,
        };
        if needed == Needed::Nothing {
            ready!(Pin::new(gate).poll_shutdown(context))?;
            return Poll::Ready(Ok(()));
        }
        if let Some(alone) = alone.take() {
            let (gate, service) = *alone;
            let stream = TokioIo::new(gate);
            self.stage = match needed {
                Needed::Http2 => Stage::Http2(Box::pin(http2().serve_connection(stream, service))),
                _ => Stage::Http1(Box::pin(http1().serve_connection(stream, service))),
            };
        }
        Poll::Pending
    }
}

impl<S, A, V> Future for Served<S, A, V>
where
    S: AsyncRead + AsyncWrite + Unpin,
    A: Answers + Unpin,
    V: Service<Request<Incoming>, Response = Response<Sending>, Error = Infallible> + Unpin,
    V::Future: Send + 'static,
{
    type Output = Result<(), BoxError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Poll::Ready(ended) = self.poll_alone(context) {
            return Poll::Ready(ended);
        }
        match &mut self.stage {
            Stage::Alone(_) => Poll::Pending,
            Stage::Http1(connection) => connection.as_mut().poll(context).map_err(Into::into),
            Stage::Http2(connection) => connection.as_mut().poll(context).map_err(Into::into),
        }
    }
}

impl<S, A, V> Ends for Served<S, A, V>
where
    S: AsyncRead + AsyncWrite + Unpin,
    A: Answers + Unpin,
    V: Service<Request<Incoming>, Response = Response<Sending>, Error = Infallible> + Unpin,
    V::Future: Send + 'static,
{
    fn let_end(mut self: Pin<&mut Self>) {
        self.is_ending = true;
        match &mut self.stage {
            Stage::Alone(_) => {}
            Stage::Http1(connection) => connection.as_mut().graceful_shutdown(),
            Stage::Http2(connection) => connection.as_mut().graceful_shutdown(),
        }
    }
}

fn http1() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        // Ours tells a head that is late from a connection that is idle; the library's does not.
        .header_read_timeout(None)
        // As many fields as the gate lets through is what it reads without asking for memory.
        .max_buf_size(BUFFER_BYTES_MAX);
    builder
}

fn http2() -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEAD_BYTES_MAX as u32);
    builder
}
