//! Requests that components send to other servers; the host sends them through [`Outbound`].

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

use crate::call::Peer;
use crate::chain::Chain;
use crate::directory::Pending;
use crate::stages::Stages;

/// A body on its way to or from another server.
pub type OutboundBody = UnsyncBoxBody<Bytes, OutboundError>;

/// How long a component wants to wait; none leaves it to the host, which waits no longer than it likes in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutboundTimes {
    /// Until there is a connection: name, TCP and TLS.
    pub connect: Option<Duration>,
    /// From then on until the head of the response.
    pub first_byte: Option<Duration>,
    /// Between two pieces of its body.
    pub between_bytes: Option<Duration>,
}

/// Why a request to another server failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutboundError {
    /// The component may not ask that host.
    #[error("not permitted")]
    Denied,
    /// The host's address is one of a private network, or of this machine.
    #[error("its address is not permitted")]
    AddressDenied,
    /// The web process has sent as many requests as it may.
    #[error("too many requests")]
    TooMany,
    /// Neither HTTP nor HTTPS, or a method that makes tunnels.
    #[error("not a request that can be sent: {0}")]
    Unsupported(&'static str),
    /// The host has no address.
    #[error("the name cannot be resolved: {0}")]
    Name(String),
    /// Nobody listens there.
    #[error("connection refused")]
    Refused,
    /// No connection came about for another reason.
    #[error("no connection: {0}")]
    Connect(String),
    /// No connection in time.
    #[error("no connection in time")]
    ConnectTimeout,
    /// The other side's certificate is not to be trusted.
    #[error("certificate refused: {0}")]
    Certificate(String),
    /// No response, or no more of it, in time.
    #[error("no response in time")]
    ReadTimeout,
    /// The connection ended early.
    #[error("the connection ended early: {0}")]
    Terminated(String),
    /// What the other side sent is no HTTP.
    #[error("broken HTTP: {0}")]
    Protocol(String),
    /// The component broke off the body of its request.
    #[error("the body of the request broke off: {0}")]
    Body(String),
}

/// What a component was answering when it sent a request.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The request's identifier, for the log.
    pub id: u64,
    /// Who sent it.
    pub peer: Peer,
    /// When its answer is late.
    pub deadline: Instant,
    /// The components that called each other to get to it.
    pub chain: Chain,
    /// What is told of its stages, which the host made.
    pub stages: Option<Arc<dyn Stages>>,
}

/// The way out for one component. Implemented by the host.
pub trait Outbound: Send + Sync + 'static {
    /// Sends a request, whose URL has scheme and host, and gives the head of the response; its body follows. `origin`
    /// is what is being answered meanwhile. Dropping the future, or the body, gives the request up.
    fn send(
        &self,
        request: Request<OutboundBody>,
        times: OutboundTimes,
        origin: &mut Origin,
    ) -> Pending<Result<Response<OutboundBody>, OutboundError>>;
}

/// No way out, for checking and testing components outside of a host.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoOutbound;

impl Outbound for NoOutbound {
    fn send(
        &self,
        _request: Request<OutboundBody>,
        _times: OutboundTimes,
        _origin: &mut Origin,
    ) -> Pending<Result<Response<OutboundBody>, OutboundError>> {
        Box::pin(async { Err(OutboundError::Denied) })
    }
}

/// Sends a guest's request.
pub(super) fn send(
    outbound: &dyn Outbound,
    request: Request<WasiBody>,
    options: Option<RequestOptions>,
    origin: &mut Origin,
) -> Pending<Result<Response<WasiBody>, Error>> {
    let options = options.unwrap_or_default();
    let times = OutboundTimes {
        connect: options.connect_timeout,
        first_byte: options.first_byte_timeout,
        between_bytes: options.between_bytes_timeout,
    };
    let request = request.map(|body| {
        body.map_err(|error| OutboundError::Body(error.to_string()))
            .boxed_unsync()
    });
    let sending = outbound.send(request, times, origin);
    Box::pin(async move {
        let response = sending.await.map_err(wasi_error)?;
        Ok(response.map(|body| body.map_err(wasi_error).boxed_unsync()))
    })
}

/// The code that stands for it in `wasi:http`.
fn wasi_error(error: OutboundError) -> Error {
    match error {
        OutboundError::Denied => Error::HttpRequestDenied,
        OutboundError::AddressDenied => Error::DestinationIpProhibited,
        OutboundError::TooMany => Error::ConnectionLimitReached,
        OutboundError::Unsupported(_) => Error::HttpRequestMethodInvalid,
        OutboundError::Name(_) => Error::DnsError {
            rcode: None,
            info_code: None,
        },
        OutboundError::Refused => Error::ConnectionRefused,
        OutboundError::Connect(_) => Error::DestinationUnavailable,
        OutboundError::ConnectTimeout => Error::ConnectionTimeout,
        OutboundError::Certificate(_) => Error::TlsCertificateError,
        OutboundError::ReadTimeout => Error::ConnectionReadTimeout,
        OutboundError::Terminated(_) => Error::ConnectionTerminated,
        OutboundError::Protocol(_) | OutboundError::Body(_) => Error::HttpProtocolError,
    }
}
