//! Who is at the other end of a connection, and which address they reached us at.

use std::net::SocketAddr;

/// The two ends of a connection, or of the way of a request through proxies that are trusted.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// The client. The port is 0 where only its address is known.
    pub client: SocketAddr,
    /// Our end, as the client sees it.
    pub server: SocketAddr,
    /// The number of the connection, as the process has accepted them, from 1; 0 where there is none.
    pub connection: u64,
    /// Whether the client's connection is encrypted.
    pub secured: bool,
}
