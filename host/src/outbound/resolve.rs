//! Names to addresses, without those that requests may not go to.
//!
//! It stands between the resolver and the connection, so that a name whose answer changes helps nobody.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::dns::Name;
use ipnet::IpNet;
use tower_service::Service;

use super::address::may_go;

/// A name leads only to addresses that requests may not go to.
#[derive(Debug, thiserror::Error)]
#[error("none of the addresses of the name is permitted")]
pub(super) struct Prohibited;

/// A name has no address.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unknown(pub(super) io::Error);

/// The system's resolver, held to what is permitted.
#[derive(Clone, Debug)]
pub(super) struct Resolver {
    networks: Arc<[IpNet]>,
}

type Answer = Result<std::vec::IntoIter<SocketAddr>, Box<dyn std::error::Error + Send + Sync>>;

impl Resolver {
    pub(super) fn new(networks: Vec<IpNet>) -> Self {
        Self {
            networks: networks.into(),
        }
    }
}

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = Box<dyn std::error::Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let networks = self.networks.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            let mut addresses: Vec<SocketAddr> = found.map_err(Unknown)?.collect();
            let has_any = !addresses.is_empty();
            addresses.retain(|address| may_go(address.ip(), &networks));
            match addresses.is_empty() && has_any {
                true => Err(Prohibited.into()),
                false => Ok(addresses.into_iter()),
            }
        })
    }
}
