//! Sockets that a service manager opened before it started the process: ports below 1024 without privileges.

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};

use listenfd::ListenFd;
use tokio::net::TcpListener;

/// Listening sockets from the service manager (`LISTEN_FDS`). They stay open: a port that is closed by a stop could not
/// be opened again at the next start.
#[derive(Debug, Default)]
pub struct Inherited(Vec<StdListener>);

impl Inherited {
    /// Takes what there is. To be called once, before any thread is started: it takes the variables out of the
    /// environment.
    pub fn from_environment() -> io::Result<Self> {
        let mut sockets = ListenFd::from_env();
        let mut listeners = Vec::with_capacity(sockets.len());
        for index in 0..sockets.len() {
            listeners.extend(sockets.take_tcp_listener(index)?);
        }
        Ok(Self(listeners))
    }

    /// Where the sockets listen.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.0
            .iter()
            .filter_map(|socket| socket.local_addr().ok())
            .collect()
    }

    /// A socket for an address of the settings, if there is one. Any address of the settings is any of the socket's,
    /// be it IPv4 or IPv6.
    pub(super) fn take(&self, address: SocketAddr) -> io::Result<Option<TcpListener>> {
        let is_it = |socket: &&StdListener| {
            socket.local_addr().is_ok_and(|local| {
                local == address
                    || (local.port() == address.port()
                        && local.ip().is_unspecified()
                        && address.ip().is_unspecified())
            })
        };
        let Some(socket) = self.0.iter().find(is_it) else {
            return Ok(None);
        };
        let socket = socket.try_clone()?;
        socket.set_nonblocking(true)?;
        TcpListener::from_std(socket).map(Some)
    }
}
