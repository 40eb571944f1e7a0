//! Why a port could not be had.

use std::io;
use std::net::SocketAddr;

/// A port could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("{server}: cannot listen on {address}: {}", self.reason())]
pub struct BindError {
    pub(super) server: String,
    pub(super) address: SocketAddr,
    /// The setting that names the port.
    pub(super) key: &'static str,
    pub(super) cause: Cause,
}

#[derive(Debug)]
pub(super) enum Cause {
    /// Another web server of this process listens there, or this one with its other protocol.
    Taken(String),
    /// Another web server listens there with TLS, and its certificate has all the names of this one's.
    SameNames(String),
    /// The system said no.
    System(io::Error),
}

/// What kind of failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BindFailure {
    /// Somebody has the port.
    InUse,
    /// It needs privileges.
    Denied,
    /// The machine does not have the address.
    NoSuchAddress,
    /// Something else.
    Other,
}

impl BindError {
    /// What kind of failure it is.
    pub fn failure(&self) -> BindFailure {
        match &self.cause {
            Cause::Taken(_) | Cause::SameNames(_) => BindFailure::InUse,
            Cause::System(error) => match error.kind() {
                io::ErrorKind::PermissionDenied => BindFailure::Denied,
                io::ErrorKind::AddrInUse => BindFailure::InUse,
                io::ErrorKind::AddrNotAvailable => BindFailure::NoSuchAddress,
                _ => BindFailure::Other,
            },
        }
    }

    fn reason(&self) -> String {
        let (port, key) = (self.address.port(), self.key);
        let other = if key == "HTTPSPort" { 8443 } else { 8080 };
        match (&self.cause, self.failure()) {
            (Cause::Taken(name), _) if *name == self.server => {
                format!("port {port} is its own other port; HTTPPort and HTTPSPort must differ")
            }
            (Cause::Taken(name), _) => format!(
                "port {port} is in use by the web server {name:?}; stop that one, or choose another port in {key}"
            ),
            (Cause::SameNames(name), _) => format!(
                "port {port} is in use by the web server {name:?}, whose certificate has every name of this one's: \
                 servers share a port only if clients can tell them apart by name; choose another port in {key}"
            ),
            (_, BindFailure::Denied) => format!(
                "port {port} needs privileges; choose another, for example --set {key}={other}, or let the service \
                 manager open it (docs/deployment.md)"
            ),
            (_, BindFailure::InUse) => format!(
                "port {port} is in use, by another program or another web server of this one; stop that, or choose \
                 another port in {key} (for the host also by --set {key}={other})"
            ),
            (_, BindFailure::NoSuchAddress) => {
                "this machine does not have the address; see IPAddressToListen".to_owned()
            }
            (Cause::System(error), BindFailure::Other) => error.to_string(),
        }
    }
}
