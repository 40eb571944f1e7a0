//! Requests that components send: to other servers over one client of the process, and to each other inside of it, where
//! their permissions let them.

mod address;
mod client;
mod inside;
mod resolve;
mod roots;
mod timed;

use std::sync::Arc;
use std::sync::OnceLock;
use std::time::Duration;

use ::http::uri::Scheme;
use ::http::{Method, Request, Response, Uri};
use http_body_util::BodyExt;
use hyper_util::client::legacy::connect::capture_connection;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use tessera_engine::{Origin, Outbound, OutboundBody, OutboundError, OutboundTimes, Pending};
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::settings::{AllowedHosts, Destination, Permissions};
use crate::traces::Asking;
pub(crate) use client::Client;
use client::http_error;
pub(crate) use inside::{Inhabitant, Inside};
use inside::{Interior, Neighbours, inhabitant};
pub(crate) use roots::Roots;
use timed::TimedBody;

/// Waiting times where the component names none, and the longest that it may name.
const CONNECT: Duration = Duration::from_secs(10);
const FIRST_BYTE: Duration = Duration::from_secs(60);
const BETWEEN_BYTES: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(600);

/// The clients of the process. Connections are kept by host; those that may lead to private addresses are kept apart, for
/// components that may not use them.
#[derive(Default)]
pub(crate) struct Clients {
    public: OnceLock<Client>,
    interior: Arc<Interior>,
    roots: Roots,
}

impl Clients {
    /// Those that trust servers whose certificates these roots have signed.
    pub(crate) fn trusting(roots: Roots) -> Self {
        Self {
            roots,
            ..Self::default()
        }
    }

    /// The way out for a component.
    pub(crate) fn for_component(&self, name: &str, permissions: &Permissions) -> Arc<dyn Outbound> {
        let hosts = &permissions.hosts;
        let networks = hosts.networks();
        let client = match networks.is_empty() {
            true => {
                let public = || Client::new(Vec::new(), &self.roots);
                self.public.get_or_init(public).clone()
            }
            false => Client::new(networks.clone(), &self.roots),
        };
        Arc::new(WayOut {
            component: name.into(),
            hosts: hosts.clone(),
            networks,
            client,
            neighbours: Neighbours::new(
                self.interior.clone(),
                name.into(),
                permissions.components.clone(),
            ),
        })
    }

    /// The way out for the process itself, to wherever the operator has it go.
    pub(crate) fn of_the_host(&self) -> Client {
        let everywhere = [
            IpNet::from(Ipv4Net::default()),
            IpNet::from(Ipv6Net::default()),
        ];
        Client::new(everywhere.to_vec(), &self.roots)
    }

    /// Has `inside` answer the requests of components to each other, on the runtime that serves.
    pub(crate) fn connect<I: Inside>(&self, inside: &Arc<I>, runtime: Handle) {
        self.interior.connect(inside, runtime);
    }
}

/// The way out for one component.
struct WayOut {
    component: Arc<str>,
    hosts: AllowedHosts,
    networks: Vec<IpNet>,
    client: Client,
    neighbours: Neighbours,
}

impl Outbound for WayOut {
    fn send(
        &self,
        mut request: Request<OutboundBody>,
        times: OutboundTimes,
        origin: &mut Origin,
    ) -> Pending<Result<Response<OutboundBody>, OutboundError>> {
        let asking = Asking::begin(origin, &self.component, &mut request);
        let sending = self.send_on(request, times, origin);
        let Some(asking) = asking else {
            return sending;
        };
        Box::pin(async move {
            let result = sending.await;
            asking.end(result.as_ref().map(|response| response.status().as_u16()));
            result
        })
    }
}

impl WayOut {
    fn send_on(
        &self,
        request: Request<OutboundBody>,
        times: OutboundTimes,
        origin: &mut Origin,
    ) -> Pending<Result<Response<OutboundBody>, OutboundError>> {
        let uri = request.uri().clone();
        if let Some(to) = destination(&uri).and_then(|to| inhabitant(to.host)) {
            return self.neighbours.send(to, request, times, origin);
        }
        let id = origin.id;
        if let Err(error) = self.check(&request) {
            log(&self.component, request.uri(), &error, id);
            return Box::pin(async { Err(error) });
        }
        let sending = send(self.client.clone(), request, times);
        let component = self.component.clone();
        Box::pin(async move {
            let (uri, result) = sending.await;
            result.inspect_err(|error| log(&component, &uri, error, id))
        })
    }

    /// Holds a request to the permissions, before anything is asked of anybody.
    fn check(&self, request: &Request<OutboundBody>) -> Result<(), OutboundError> {
        let uri = request.uri();
        let destination =
            destination(uri).ok_or(OutboundError::Unsupported("its URL has no host"))?;
        if request.method() == Method::CONNECT {
            return Err(OutboundError::Unsupported("CONNECT makes a tunnel"));
        }
        if !self.hosts.allow(destination) {
            return Err(OutboundError::Denied);
        }
        // The client asks no resolver about an address.
        match destination.host.parse() {
            Ok(ip) if !address::may_go(ip, &self.networks) => Err(OutboundError::AddressDenied),
            _ => Ok(()),
        }
    }
}

/// What the operator should know; the rest is the component's to handle.
fn log(component: &str, uri: &Uri, error: &OutboundError, id: u64) {
    let request = format_args!("{id:016x}");
    let scheme = uri.scheme_str().unwrap_or_default();
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    match error {
        OutboundError::Denied => {
            tracing::warn!(component, %request, "{component}, request {request}: a request to {scheme}://{authority} is not permitted; [permissions] hosts = [\"{scheme}://{authority}\"] in its settings would allow it");
        }
        OutboundError::AddressDenied => {
            tracing::warn!(component, %request, "{component}, request {request}: a request to {scheme}://{authority} is not permitted: its address is private, or of this machine; name the address itself, or its network, in [permissions] hosts to allow it");
        }
        error => {
            tracing::debug!(component, %request, "a request to {scheme}://{authority} failed: {error}");
        }
    }
}

/// Where a URL leads.
fn destination(uri: &Uri) -> Option<Destination<'_>> {
    let is_secured = *uri.scheme()? == Scheme::HTTPS;
    let host = uri.host()?;
    let host = host.strip_prefix('[').unwrap_or(host);
    let host = host.strip_suffix(']').unwrap_or(host);
    let default = if is_secured { 443 } else { 80 };
    let authority = uri.authority()?.as_str();
    // A name and a password in front are no part of any address, and hide it from people.
    let is_plain = !authority.contains('@') && !host.is_empty();
    is_plain.then_some(Destination {
        is_secured,
        host,
        port: uri.port_u16().unwrap_or(default),
    })
}

fn limit(wanted: Option<Duration>, default: Duration) -> Duration {
    wanted.unwrap_or(default).min(LONGEST)
}

/// Sends a request, and gives its URL back with what came of it.
async fn send(
    client: Client,
    mut request: Request<OutboundBody>,
    times: OutboundTimes,
) -> (Uri, Result<Response<OutboundBody>, OutboundError>) {
    let uri = request.uri().clone();
    let mut captured = capture_connection(&mut request);
    let mut responding = Box::pin(client.send(request));
    // There is a response, or a connection on which it will come.
    let connected = timeout(limit(times.connect, CONNECT), async {
        tokio::select! {
            response = &mut responding => Some(response),
            _ = captured.wait_for_connection_metadata() => None,
        }
    });
    let response = match connected.await {
        Err(_) => return (uri, Err(OutboundError::ConnectTimeout)),
        Ok(Some(response)) => response,
        Ok(None) => match timeout(limit(times.first_byte, FIRST_BYTE), responding).await {
            Ok(response) => response,
            Err(_) => return (uri, Err(OutboundError::ReadTimeout)),
        },
    };
    let between = limit(times.between_bytes, BETWEEN_BYTES);
    let response = response.map(|response| {
        response.map(|body| {
            let body = body.map_err(|error| http_error(&error)).boxed_unsync();
            TimedBody::boxed(body, between)
        })
    });
    (uri, response)
}

#[cfg(test)]
mod tests;
