//! All open ports of the process: who may have one, who shares one, when it is closed.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use parking_lot::Mutex;

use super::bind;
use super::entry::Entry;
use super::error::{BindError, Cause};
use super::inherited::Inherited;
use super::port::{ConnectionLimits, Port};
use crate::server::Receiver;
use crate::settings::Listen;
use crate::tls::ServerTls;

/// The ports of the process.
pub struct Ports {
    limits: Arc<ConnectionLimits>,
    /// In place of those of the settings the system picks ports, one for each.
    picks: bool,
    state: Mutex<State>,
}

struct State {
    /// By the address and port of the settings, which the system's pick may differ from.
    open: BTreeMap<SocketAddr, Owned>,
    /// What the system picked for a port of the settings: the same again after a stop and a start.
    picked: HashMap<u16, u16>,
    inherited: Inherited,
}

struct Owned {
    port: Arc<Port>,
    /// Who opened it; as long as nobody answers on it, it is kept for them.
    server: String,
}

/// What a server wants to listen on.
struct Want {
    address: SocketAddr,
    key: &'static str,
    tls: Option<Arc<ServerTls>>,
}

/// Ports that are a server's from now on, but on which it does not answer yet. Dropped, it gives the new ones back.
pub struct Claim {
    ports: Arc<Ports>,
    wants: Vec<Want>,
    opened: Vec<SocketAddr>,
}

/// What came of taking claimed ports.
pub struct Taken {
    /// New ports, on which no connection is accepted yet.
    pub opened: Vec<Arc<Port>>,
    /// Ports that were given back; their connections are to be drained.
    pub given_back: Vec<Held>,
}

/// One port that a server answers on.
pub struct Held {
    wanted: SocketAddr,
    port: Arc<Port>,
    entry: Arc<Entry>,
}

impl Ports {
    /// What all ports share.
    pub(crate) fn limits(&self) -> &ConnectionLimits {
        &self.limits
    }

    /// No port is open yet.
    pub fn new(limits: Arc<ConnectionLimits>, picks: bool, inherited: Inherited) -> Arc<Self> {
        let state = State {
            open: BTreeMap::new(),
            picked: HashMap::new(),
            inherited,
        };
        Arc::new(Self {
            limits,
            picks,
            state: Mutex::new(state),
        })
    }

    /// Opens what `listen` names and `held` does not hold already. All or nothing: after an error all is as before.
    pub fn claim(
        self: &Arc<Self>,
        server: &str,
        listen: &Listen,
        tls: Option<&Arc<ServerTls>>,
        held: &[Held],
    ) -> Result<Claim, BindError> {
        let mut claim = Claim {
            ports: self.clone(),
            wants: Vec::new(),
            opened: Vec::new(),
        };
        for want in wants(listen, tls) {
            let error = |cause| BindError {
                server: server.to_owned(),
                address: want.address,
                key: want.key,
                cause,
            };
            if claim
                .wants
                .iter()
                .any(|other| other.address == want.address)
            {
                return Err(error(Cause::Taken(server.to_owned())));
            }
            let mut state = self.state.lock();
            let is_open = state.open.contains_key(&want.address);
            if is_open {
                state.may_join(server, &want, held).map_err(error)?;
            } else {
                let port = state
                    .open(want.address, self.picks)
                    .map_err(|source| error(Cause::System(source)))?;
                let server = server.to_owned();
                state.open.insert(want.address, Owned { port, server });
                claim.opened.push(want.address);
            }
            drop(state);
            claim.wants.push(want);
        }
        Ok(claim)
    }

    /// Begins to accept connections.
    pub fn accept(&self, opened: Vec<Arc<Port>>) {
        for port in opened {
            tokio::spawn(port.accept(self.limits.clone()));
        }
    }

    /// Takes a server off a port, and closes the port if it was the last one. Its connections are not touched.
    fn leave(&self, held: &Held) {
        let mut state = self.state.lock();
        let mut entries = held.port.entries().as_ref().clone();
        entries.retain(|entry| !Arc::ptr_eq(entry, &held.entry));
        let is_empty = entries.is_empty();
        held.port.set_entries(entries);
        if is_empty {
            held.port.close();
            state.open.remove(&held.wanted);
        }
    }
}

impl State {
    fn open(&mut self, address: SocketAddr, picks: bool) -> std::io::Result<Arc<Port>> {
        if let Some(socket) = self.inherited.take(address)? {
            return Port::new(socket);
        }
        if !picks {
            return Port::new(bind::listen(address)?);
        }
        let wanted = address.port();
        let at = |port| bind::listen(SocketAddr::new(address.ip(), port));
        let socket = match self.picked.get(&wanted) {
            // Between a stop and a start somebody else may have got it.
            Some(port) => at(*port).or_else(|_| at(0)),
            None => at(0),
        }?;
        let port = Port::new(socket)?;
        self.picked.insert(wanted, port.address().port());
        Ok(port)
    }

    /// Whether a server may answer on a port that is open.
    fn may_join(&self, server: &str, want: &Want, held: &[Held]) -> Result<(), Cause> {
        let Some(open) = self.open.get(&want.address) else {
            return Ok(());
        };
        let entries = open.port.entries();
        let is_own = |entry: &Arc<Entry>| held.iter().any(|held| Arc::ptr_eq(&held.entry, entry));
        let others: Vec<_> = entries.iter().filter(|entry| !is_own(entry)).collect();
        if others.is_empty() {
            // Ours, or kept for whoever opened it.
            return if entries.is_empty() && open.server != server {
                Err(Cause::Taken(open.server.clone()))
            } else {
                Ok(())
            };
        }
        for other in &others {
            let name = other.receiver.server.name();
            let (Some(tls), Some(theirs)) = (&want.tls, other.tls()) else {
                return Err(Cause::Taken(name.to_owned()));
            };
            let names = tls.names();
            if names.iter().all(|name| theirs.names().contains(name)) {
                return Err(Cause::SameNames(name.to_owned()));
            }
        }
        Ok(())
    }
}

impl Claim {
    /// Makes the server one of those that answer on the claimed ports; of those held before, the ones that are not
    /// claimed are given back.
    pub fn take(mut self, receiver: &Arc<Receiver>, held: &mut Vec<Held>) -> Taken {
        let mut before = std::mem::take(held);
        let mut opened = Vec::new();
        for want in std::mem::take(&mut self.wants) {
            let own = before.iter().position(|held| held.wanted == want.address);
            if let Some(own) = own {
                let kept = before.swap_remove(own);
                kept.entry.set_tls(want.tls);
                held.push(kept);
                continue;
            }
            let Some(port) = self.port(want.address) else {
                continue;
            };
            let entry = Entry::new(receiver.clone(), want.tls);
            let mut entries = port.entries().as_ref().clone();
            entries.push(entry.clone());
            // Who came first differs from one start to the next.
            entries.sort_by(|one, other| one.rank().cmp(&other.rank()));
            port.set_entries(entries);
            if self.opened.contains(&want.address) {
                opened.push(port.clone());
            }
            held.push(Held {
                wanted: want.address,
                port,
                entry,
            });
        }
        self.opened.clear();
        for given_back in &before {
            self.ports.leave(given_back);
        }
        Taken {
            opened,
            given_back: before,
        }
    }

    fn port(&self, address: SocketAddr) -> Option<Arc<Port>> {
        let state = self.ports.state.lock();
        Some(state.open.get(&address)?.port.clone())
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut state = self.ports.state.lock();
        for address in &self.opened {
            if let Some(owned) = state.open.remove(address) {
                owned.port.close();
            }
        }
    }
}

impl Held {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.port.address()
    }

    /// Whether it is for HTTPS.
    pub fn is_secured(&self) -> bool {
        self.entry.tls().is_some()
    }

    /// Lets the connections that came by it end after their requests; after `drain` they are cut off.
    pub async fn drain(self, drain: std::time::Duration) {
        self.entry.drain(drain).await;
    }

    /// Gives the port back at once.
    pub fn leave(&self, ports: &Ports) {
        ports.leave(self);
    }
}

fn wants(listen: &Listen, tls: Option<&Arc<ServerTls>>) -> Vec<Want> {
    let addresses: Vec<IpAddr> = listen.addresses.to_bind();
    let http = listen.http.map(|port| (port, "HTTPPort", None));
    let https = listen
        .https
        .as_ref()
        .map(|https| (https.port, "HTTPSPort", tls.cloned()));
    let mut wants = Vec::new();
    for (port, key, tls) in http.into_iter().chain(https) {
        for ip in &addresses {
            wants.push(Want {
                address: SocketAddr::new(*ip, port),
                key,
                tls: tls.clone(),
            });
        }
    }
    wants
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Guard;
    use crate::connection::Patience;
    use crate::exchange::Exchange;
    use crate::metrics::ConnectionCounts;
    use crate::server::{Kind, Registry, WebServer};
    use crate::settings::Addresses;
    use std::time::Duration;
    use tokio::sync::Semaphore;

    fn ports(picks: bool) -> Arc<Ports> {
        let limits = ConnectionLimits {
            places: Arc::new(Semaphore::new(10)),
            patience: Patience {
                header: Duration::from_secs(1),
                body: Duration::from_secs(1),
                send: Duration::from_secs(1),
                rate_min: 0,
            },
            handshake_timeout: Duration::from_secs(1),
            addresses: crate::listen::ClientCounts::new(0),
            proxies: crate::http::Proxies::default(),
            connections_max: 10,
            counts: ConnectionCounts::default(),
        };
        Ports::new(Arc::new(limits), picks, Inherited::default())
    }

    fn listen(addresses: &[[u8; 4]], port: u16) -> Listen {
        Listen {
            http: Some(port),
            https: None,
            addresses: Addresses::Only(addresses.iter().map(|ip| IpAddr::from(*ip)).collect()),
        }
    }

    fn receiver(name: &str) -> Arc<Receiver> {
        let server = WebServer::new(name, Kind::Component);
        let registry = Arc::new(Registry::new(server.clone()));
        Arc::new(Receiver {
            exchange: Arc::new(Exchange::new(
                false,
                registry,
                None,
                Guard::new(std::path::Path::new("")).unwrap(),
                None,
            )),
            server,
        })
    }

    fn free_port() -> u16 {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        socket.local_addr().unwrap().port()
    }

    #[tokio::test]
    async fn a_port_belongs_to_one_server() {
        let (ports, port) = (ports(false), free_port());
        let wanted = listen(&[[127, 0, 0, 1]], port);
        let claim = ports.claim("one", &wanted, None, &[]).unwrap();
        let refused = ports
            .claim("two", &wanted, None, &[])
            .err()
            .unwrap()
            .to_string();
        assert!(
            refused.contains("\"one\"") && refused.contains("HTTPPort"),
            "{refused}"
        );
        let mut held = Vec::new();
        drop(claim.take(&receiver("one"), &mut held));
        assert!(ports.claim("two", &wanted, None, &[]).is_err());
        held[0].leave(&ports);
        assert!(ports.claim("two", &wanted, None, &[]).is_ok());
    }

    #[tokio::test]
    async fn a_claim_is_all_or_nothing() {
        let (ports, port) = (ports(false), free_port());
        let taken = std::net::TcpListener::bind(("127.0.0.2", port)).unwrap();
        let wanted = listen(&[[127, 0, 0, 1], [127, 0, 0, 2]], port);
        let error = ports.claim("one", &wanted, None, &[]).err().unwrap();
        assert_eq!(error.failure(), crate::listen::BindFailure::InUse);
        let text = error.to_string();
        assert!(
            text.contains(&format!("127.0.0.2:{port}")) && text.contains("--set HTTPPort=8080"),
            "{text}"
        );
        let first = listen(&[[127, 0, 0, 1]], port);
        assert!(ports.claim("two", &first, None, &[]).is_ok(), "given back");
        drop(taken);
    }

    #[tokio::test]
    async fn what_stays_is_not_closed_by_a_move() {
        let ports = ports(false);
        let (stays, goes) = ([127, 0, 0, 1], [127, 0, 0, 2]);
        let port = free_port();
        let claim = ports.claim("one", &listen(&[stays, goes], port), None, &[]);
        let (receiver, mut held) = (receiver("one"), Vec::new());
        drop(claim.unwrap().take(&receiver, &mut held));
        let kept = held[0].port.clone();
        let claim = ports
            .claim("one", &listen(&[stays], port), None, &held)
            .unwrap();
        let taken = claim.take(&receiver, &mut held);
        assert_eq!(
            (held.len(), taken.given_back.len(), taken.opened.len()),
            (1, 1, 0)
        );
        assert!(Arc::ptr_eq(&kept, &held[0].port));
        assert!(std::net::TcpListener::bind(SocketAddr::from((goes, port))).is_ok());
    }

    #[tokio::test]
    async fn a_picked_port_is_the_same_on_all_addresses_and_after_a_stop() {
        let ports = ports(true);
        let wanted = listen(&[[127, 0, 0, 1], [127, 0, 0, 2]], 80);
        let mut held = Vec::new();
        let claim = ports.claim("one", &wanted, None, &[]).unwrap();
        drop(claim.take(&receiver("one"), &mut held));
        let picked = held[0].address().port();
        assert_eq!(held[1].address().port(), picked);
        for held in held.drain(..) {
            held.leave(&ports);
        }
        let claim = ports.claim("one", &wanted, None, &[]).unwrap();
        drop(claim.take(&receiver("one"), &mut held));
        assert_eq!(held[0].address().port(), picked);
    }
}
