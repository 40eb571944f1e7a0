//! An open port: takes connections from the system and hands each to a task of its own.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use ::http::uri::Authority;
use arc_swap::ArcSwap;
use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::addresses::{ClientCounts, Counted};
use super::entry::{Entry, choose, named};
use super::proxy::{self, Ends};
use crate::connection::{self, Patience, Protocol, Socket, Terms};
use crate::http::{Peer, Proxies};
use crate::metrics::ConnectionCounts;
use crate::tls;

/// Pause after an accept that failed for want of descriptors or memory: trying again at once would burn the
/// processor that is needed to end connections.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Failures in a row after which the log is told again: once a second, not twenty times.
const FAILURES_PER_WARNING: u32 = 20;

/// What all ports of the process share.
#[derive(Debug)]
pub struct ConnectionLimits {
    /// Places for open connections.
    pub places: Arc<Semaphore>,
    /// How slow a client may be once a connection stands.
    pub patience: Patience,
    /// How long it may take for the TLS handshake.
    pub handshake_timeout: Duration,
    /// The connections of each address.
    pub addresses: Arc<ClientCounts>,
    /// The proxies in front.
    pub proxies: Proxies,
    /// Most connections that are open at once.
    pub connections_max: u32,
    /// What became of connections.
    pub(crate) counts: ConnectionCounts,
}

/// An open port, with the web servers that answer on it.
pub struct Port {
    address: SocketAddr,
    /// None once it is closed. Behind a lock, so that closing it is done when `close` returns.
    socket: Mutex<Option<TcpListener>>,
    entries: ArcSwap<Vec<Arc<Entry>>>,
    closed: watch::Sender<bool>,
}

impl Port {
    pub(super) fn new(socket: TcpListener) -> io::Result<Arc<Self>> {
        let (closed, _) = watch::channel(false);
        Ok(Arc::new(Self {
            address: socket.local_addr()?,
            socket: Mutex::new(Some(socket)),
            entries: ArcSwap::default(),
            closed,
        }))
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn entries(&self) -> Arc<Vec<Arc<Entry>>> {
        self.entries.load_full()
    }

    pub(super) fn set_entries(&self, entries: Vec<Arc<Entry>>) {
        self.entries.store(Arc::new(entries));
    }

    /// Gives the port back to the system. Connections are not touched.
    pub(super) fn close(&self) {
        drop(self.socket.lock().take());
        self.closed.send_replace(true);
    }

    /// Accepts connections until closed. At the limit of connections each port has a further one in hand, and others
    /// wait in the system's queue.
    pub(super) async fn accept(self: Arc<Self>, limits: Arc<ConnectionLimits>) {
        let mut closed = self.closed.subscribe();
        loop {
            let accepted = tokio::select! {
                accepted = self.next(&limits) => accepted,
                _ = closed.wait_for(|closed| *closed) => return,
            };
            let Some((stream, client, place)) = accepted else {
                return;
            };
            let (port, limits) = (self.clone(), limits.clone());
            tokio::spawn(async move {
                port.serve(stream, client, &limits).await;
                drop(place);
            });
        }
    }

    /// Waits for a connection, then for a place for it: a port that nobody connects to must not keep one from the
    /// others. `None` once the port is closed.
    async fn next(
        &self,
        limits: &ConnectionLimits,
    ) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
        let mut failures = 0_u32;
        loop {
            let accepted = poll_fn(|context| match self.socket.lock().as_ref() {
                Some(socket) => socket.poll_accept(context).map(Some),
                None => Poll::Ready(None),
            });
            match accepted.await? {
                Ok((stream, client)) => {
                    // Closed only when the process ends.
                    let place = limits.places.clone().acquire_owned().await.ok()?;
                    return Some((stream, client, place));
                }
                Err(error) if is_the_clients(&error) => {}
                Err(error) => {
                    if failures.is_multiple_of(FAILURES_PER_WARNING) {
                        tracing::warn!(port = %self.address, %error, "a connection could not be accepted; trying on");
                    }
                    failures = failures.wrapping_add(1);
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    async fn serve(&self, mut stream: TcpStream, client: SocketAddr, limits: &ConnectionLimits) {
        let connection = limits.counts.accepted();
        let Some((ends, _counted)) = prepare(&mut stream, client, limits).await else {
            limits.counts.refused();
            return;
        };
        let Ends { client, server } = ends;
        let entries = self.entries();
        let is_secured = entries.first().is_some_and(|entry| entry.tls().is_some());
        let mut entry = entries.first().cloned();
        let peer = Peer {
            client,
            server,
            connection,
            secured: is_secured,
        };
        if !is_secured {
            if let Some(entry) = entry {
                let stream = Socket::new(stream);
                self.serve_on(stream, peer, &entry, limits, Protocol::Either)
                    .await;
            }
            return;
        }
        let choice = |name: Option<&str>| {
            entry = choose(&entries, name);
            Some(entry.as_ref()?.tls()?.config())
        };
        // Boxed, as what follows: connections without TLS would be as large, and handshakes are soon over.
        match Box::pin(tls::handshake(stream, choice, limits.handshake_timeout)).await {
            Ok(stream) => {
                limits.counts.shook_hands();
                if let Some(entry) = entry {
                    let protocol = if tls::is_for_http2(&stream) {
                        Protocol::Http2
                    } else {
                        Protocol::Http1
                    };
                    Box::pin(self.serve_on(stream, peer, &entry, limits, protocol)).await;
                }
            }
            Err(error) => {
                limits.counts.no_handshake(&error);
                tracing::debug!(%client, %error, "no TLS handshake");
            }
        }
    }

    async fn serve_on<S>(
        &self,
        stream: S,
        peer: Peer,
        entry: &Arc<Entry>,
        limits: &ConnectionLimits,
        protocol: Protocol,
    ) where
        S: tokio::io::AsyncRead
            + tokio::io::AsyncWrite
            + connection::TakesFiles
            + Unpin
            + Send
            + 'static,
    {
        let is_anothers = |host: &connection::AskedHost<'_>| {
            let entries = self.entries.load();
            let is_other = |named: &Arc<Entry>| !Arc::ptr_eq(named, entry);
            // Read where it matters: nearly no port is shared.
            let is_anothers = |host: Authority| named(&entries, host.host()).is_some_and(is_other);
            entries.len() > 1 && host().is_some_and(is_anothers)
        };
        let terms = Terms {
            protocol,
            patience: limits.patience,
            closing: entry.closing(),
            proxies: &limits.proxies,
            is_anothers: &is_anothers,
            counts: &limits.counts,
        };
        connection::serve(stream, peer, entry.receiver.clone(), terms).await;
    }
}

/// Finds out whose connection it is, and counts it. `None` if it is not to be served.
async fn prepare(
    stream: &mut TcpStream,
    client: SocketAddr,
    limits: &ConnectionLimits,
) -> Option<(Ends, Option<Counted>)> {
    // Without it a small response waits for the client's acknowledgement of the one before.
    stream.set_nodelay(true).ok()?;
    let server = stream.local_addr().ok()?;
    let mut ends = Ends { client, server };
    let proxies = &limits.proxies;
    if proxies.announce && proxies.trusts(client.ip()) {
        match proxy::read(stream, limits.handshake_timeout).await {
            Ok(announced) => ends = announced.unwrap_or(ends),
            Err(error) => {
                tracing::debug!(%client, %error, "a connection of a trusted proxy is closed");
                return None;
            }
        }
    }
    // A trusted proxy brings the connections of many.
    let counted = match proxies.trusts(ends.client.ip()) {
        true => None,
        false => Some(limits.addresses.admit(ends.client.ip())?),
    };
    Some((ends, counted))
}

/// Whether the connection was gone before it was accepted: not our concern.
fn is_the_clients(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::NotConnected
    )
}
