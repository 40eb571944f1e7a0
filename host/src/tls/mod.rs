//! TLS: certificates from a folder, kept up to date, and the handshake of a connection.
//!
//! Each web server object with an HTTPS port has one [`ServerTls`]. Several may share an address and a port: the name
//! that a client asks for (SNI) then decides whose certificate it gets, see [`handshake()`]; who asks for none, or for one
//! that nobody has, gets the host's, or else that of the first component by name. Once a connection is set up, nothing
//! here is on the path of its requests.

mod config;
mod error;
mod files;
mod handshake;
mod pair;
pub mod self_signed;
mod server;

#[cfg(test)]
mod tests;

pub use error::{Fault, TlsError};
pub use files::{CERTIFICATE, KEY};
pub use handshake::{HandshakeError, handshake, is_for_http2};
pub use server::{Refreshed, ServerTls};

/// Names the TLS library and its cryptography with their versions, for `openSSLVersion`.
pub fn library() -> &'static str {
    env!("TESSERA_TLS_LIBRARY")
}
