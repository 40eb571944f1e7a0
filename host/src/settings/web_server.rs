//! What the host and a component have in common: the properties of the WebServer class.

use std::net::{IpAddr, Ipv6Addr};
use std::path::PathBuf;

use super::reader::Reader;
use super::table;

/// Where a web server object listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// The port for HTTP; none when it is switched off, or when a component named no port.
    pub http: Option<u16>,
    /// The addresses; each is bound with each port.
    pub addresses: Addresses,
}

/// The addresses that a web server object listens on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Addresses {
    /// Every address of the machine, IPv4 and IPv6.
    Any,
    /// These, at least one, each once, and none of them unspecified.
    Only(Vec<IpAddr>),
}

impl Addresses {
    /// Lists what to bind; `Any` is `::`, to be bound for IPv4 as well where the machine has both.
    pub fn to_bind(&self) -> Vec<IpAddr> {
        match self {
            Self::Any => vec![Ipv6Addr::UNSPECIFIED.into()],
            Self::Only(list) => list.clone(),
        }
    }
}

/// What is served from files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The full path of `rootFolder`; whether it exists is not looked at.
    pub root: PathBuf,
    /// The page that answers `/`, relative to the root.
    pub home_page: Option<String>,
}

/// What requests may take of a web server object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requests {
    /// The largest request body in bytes; none is no limit.
    pub body_bytes_max: Option<u64>,
    /// `maxConcurrentProcesses`: the web processes at the same time.
    pub processes_max: u32,
}

impl Requests {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let body_bytes_max = reader.value(&table::REQUEST_SIZE);
        Self {
            // The documents: "passing the maximum value means that, in practice, no limit is set".
            body_bytes_max: Some(body_bytes_max).filter(|max| *max < table::REQUEST_SIZE.kind.max),
            processes_max: reader.value(&table::PROCESSES),
        }
    }
}
