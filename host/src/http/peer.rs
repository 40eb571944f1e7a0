//! Who is at the other end of a connection, and which address they reached us at.

use std::net::SocketAddr;

/// The two ends of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// The client.
    pub client: SocketAddr,
    /// Our end, as the client sees it.
    pub server: SocketAddr,
    /// Whether the connection is encrypted.
    pub secured: bool,
}
