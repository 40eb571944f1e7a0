//! TLS: certificates from a folder, kept up to date, and the handshake of a connection.
//!
//! Each web server object with an HTTPS port has one [`ServerTls`]. Several may share an address and a port: the name
//! that a client asks for (SNI) then decides whose certificate it gets, see [`handshake()`]. Once a connection is set
//! up, nothing here is on the path of its requests.

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
pub use handshake::{HandshakeError, handshake};
pub use server::{Refreshed, ServerTls};

/// Names the TLS library and its cryptography with their versions, for `openSSLVersion`.
pub fn library() -> &'static str {
    env!("TESSERA_TLS_LIBRARY")
}
