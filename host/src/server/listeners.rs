//! The listeners of one web server object, from their opening to the end of their last connection.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

use super::WebServer;
use crate::connection::Closing;
use crate::exchange::Exchange;
use crate::listen::{self, BindError, ConnectionLimits};
use crate::settings::Listen;

/// A server's ports could not be opened.
pub type ListenError = BindError;

/// What a connection needs to know of the server that accepted it.
pub struct Receiver {
    /// The way of a request.
    pub exchange: Arc<Exchange>,
    /// The server that the connection belongs to.
    pub server: Arc<WebServer>,
}

/// Open ports that nobody accepts connections from yet.
pub struct Bound {
    listeners: Vec<TcpListener>,
}

/// Open ports, and the connections that came in by them.
pub struct Listeners {
    addresses: Vec<SocketAddr>,
    closing: watch::Sender<Closing>,
}

impl Bound {
    /// Opens the ports of the settings; with `free_ports`, ports that the system picks.
    pub fn open(
        server: &str,
        listen: &Listen,
        free_ports: bool,
    ) -> Result<Option<Self>, ListenError> {
        let Some(port) = listen.http else {
            return Ok(None);
        };
        let port = if free_ports { 0 } else { port };
        let listeners = listen::bind(server, &listen.addresses.to_bind(), port)?;
        Ok(Some(Self { listeners }))
    }

    /// Begins to accept connections.
    pub fn accept(self, receiver: Receiver, limits: &Arc<ConnectionLimits>) -> Listeners {
        let (closing, _) = watch::channel(Closing::No);
        let receiver = Arc::new(receiver);
        let mut addresses = Vec::with_capacity(self.listeners.len());
        for listener in self.listeners {
            addresses.extend(listener.local_addr());
            tokio::spawn(listen::accept(
                listener,
                receiver.clone(),
                limits.clone(),
                closing.subscribe(),
            ));
        }
        Listeners { addresses, closing }
    }
}

impl Listeners {
    /// The port, the same on all addresses.
    pub fn port(&self) -> Option<u16> {
        self.addresses.first().map(SocketAddr::port)
    }

    /// Where a browser on this machine reaches the server.
    pub fn urls(&self) -> Vec<String> {
        self.addresses.iter().map(|address| url(*address)).collect()
    }

    /// Closes the ports at once, and ends every connection after the requests it is at, or after `drain`.
    pub async fn stop(self, drain: Duration) {
        // Nobody listening is nobody to tell.
        let _ = self.closing.send(Closing::AfterRequests);
        if tokio::time::timeout(drain, self.closing.closed())
            .await
            .is_err()
        {
            tracing::warn!(
                ?drain,
                "requests in progress are cut off: they did not end in time"
            );
            let _ = self.closing.send(Closing::Now);
            self.closing.closed().await;
        }
    }
}

fn url(address: SocketAddr) -> String {
    let ip = match address.ip() {
        ip if ip.is_unspecified() => IpAddr::from([127, 0, 0, 1]),
        ip => ip,
    };
    match SocketAddr::new(ip, address.port()) {
        address if address.port() == 80 && ip.is_ipv4() => format!("http://{ip}/"),
        address => format!("http://{address}/"),
    }
}

#[cfg(test)]
mod tests {
    use super::url;

    #[test]
    fn urls_are_what_a_browser_takes() {
        for (address, expected) in [
            ("[::]:8080", "http://127.0.0.1:8080/"),
            ("0.0.0.0:80", "http://127.0.0.1/"),
            ("[::1]:81", "http://[::1]:81/"),
            ("192.0.2.7:8443", "http://192.0.2.7:8443/"),
        ] {
            assert_eq!(url(address.parse().unwrap()), expected);
        }
    }
}
