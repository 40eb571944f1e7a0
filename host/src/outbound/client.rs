//! The HTTP client: HTTP/1.1 and HTTP/2, kept connections, TLS by the provider that the server has.

use std::error::Error as _;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use ::http::{Request, Response};
use hyper::body::Incoming;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use ipnet::IpNet;
use rustls::ClientConfig;
use tessera_engine::{OutboundBody, OutboundError};

use super::resolve::{Prohibited, Resolver, Unknown};
use super::roots::Roots;

/// How long a connection without a request is kept, and how many to one host.
const IDLE: Duration = Duration::from_secs(30);
const IDLE_PER_HOST_MAX: usize = 32;
/// The largest header of a response.
const HEADER_BYTES_MAX: u32 = 64 * 1024;

/// A client and its connections.
#[derive(Clone)]
pub(crate) struct Client {
    client: legacy::Client<HttpsConnector<HttpConnector<Resolver>>, OutboundBody>,
}

impl Client {
    /// One that goes to the Internet, and to these networks.
    pub(super) fn new(networks: Vec<IpNet>, roots: &Roots) -> Self {
        let mut connector = HttpConnector::new_with_resolver(Resolver::new(networks));
        connector.enforce_http(false);
        connector.set_nodelay(true);
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(tls(roots))
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(connector);
        let client = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
            .http1_max_buf_size(HEADER_BYTES_MAX as usize)
            .http2_max_header_list_size(HEADER_BYTES_MAX)
            .build(connector);
        Self { client }
    }

    pub(crate) async fn send(
        &self,
        request: Request<OutboundBody>,
    ) -> Result<Response<Incoming>, OutboundError> {
        self.client
            .request(request)
            .await
            .map_err(|error| outbound_error(&error))
    }
}

fn tls(roots: &Roots) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let versions = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap_or_else(|_| ClientConfig::builder());
    versions
        .with_root_certificates(roots.store())
        .with_no_client_auth()
}

/// What it was, from the causes of an error.
fn outbound_error(error: &legacy::Error) -> OutboundError {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.is::<Prohibited>() {
            return OutboundError::AddressDenied;
        }
        if let Some(unknown) = error.downcast_ref::<Unknown>() {
            return OutboundError::Name(unknown.0.to_string());
        }
        if let Some(error) = error.downcast_ref::<OutboundError>() {
            return error.clone();
        }
        if let Some(error) = error.downcast_ref::<rustls::Error>() {
            return OutboundError::Certificate(error.to_string());
        }
        if let Some(error) = error.downcast_ref::<io::Error>() {
            // What TLS says is wrapped in one.
            if let Some(tls) = tls_error(error) {
                return OutboundError::Certificate(tls.to_string());
            }
            if error.kind() == io::ErrorKind::ConnectionRefused {
                return OutboundError::Refused;
            }
        }
        if let Some(error) = error.downcast_ref::<hyper::Error>() {
            return http_error(error);
        }
        cause = error.source();
    }
    OutboundError::Connect(chain(error))
}

/// What TLS said, however often it was wrapped.
fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    let inner = error.get_ref()?;
    let outer = || inner.downcast_ref::<io::Error>().and_then(tls_error);
    inner.downcast_ref::<rustls::Error>().or_else(outer)
}

/// What broke a connection that there was.
pub(super) fn http_error(error: &hyper::Error) -> OutboundError {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<OutboundError>() {
            return error.clone();
        }
        cause = error.source();
    }
    match error.is_parse() {
        true => OutboundError::Protocol(chain(error)),
        false => OutboundError::Terminated(chain(error)),
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += ": ";
        text += &error.to_string();
        cause = error.source();
    }
    text
}
