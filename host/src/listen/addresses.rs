//! How many connections each address has open, so that none takes the places of all others.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// How often the log is told that connections are closed.
const WARNING_INTERVAL: Duration = Duration::from_secs(60);
/// The part of an IPv6 address that belongs to one customer: they choose the rest as they like.
const IPV6_PREFIX: u128 = u128::MAX << 64;

/// The open connections by address.
#[derive(Debug)]
pub struct ClientCounts {
    /// Of one address; none is no limit.
    max: Option<u32>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// By address, IPv4 as IPv6; only those that have one open.
    open: HashMap<u128, u32>,
    warned: Option<Instant>,
    refused: u64,
}

/// A connection that is counted, until dropped.
#[derive(Debug)]
pub(super) struct Counted {
    /// None where there is no limit.
    of: Option<(Arc<ClientCounts>, u128)>,
}

impl ClientCounts {
    /// Allows `max` connections of each address; 0 is no limit.
    pub fn new(max: u32) -> Arc<Self> {
        Arc::new(Self {
            max: Some(max).filter(|max| *max > 0),
            state: Mutex::default(),
        })
    }

    /// Counts a connection, or says that there are too many of this address. This machine's own are not counted.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Counted> {
        let address = address.to_canonical();
        let Some(max) = self.max.filter(|_| !address.is_loopback()) else {
            return Some(Counted { of: None });
        };
        let key = key(address);
        let mut state = self.state.lock();
        let open = state.open.entry(key).or_default();
        if *open < max {
            *open += 1;
            return Some(Counted {
                of: Some((self.clone(), key)),
            });
        }
        tracing::debug!(client = %address, max, "closed at once: its address has too many connections");
        state.refused += 1;
        let is_due = |warned: Instant| warned.elapsed() >= WARNING_INTERVAL;
        if state.warned.is_none_or(is_due) {
            let refused = std::mem::take(&mut state.refused);
            state.warned = Some(Instant::now());
            tracing::warn!(
                client = %address,
                max,
                refused,
                "connections are closed at once: their address has as many as server.max_connections_per_address allows"
            );
        }
        None
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let Some((addresses, key)) = &self.of else {
            return;
        };
        let mut state = addresses.state.lock();
        if let Some(open) = state.open.get_mut(key) {
            *open -= 1;
            if *open == 0 {
                state.open.remove(key);
            }
        }
    }
}

fn key(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => Ipv6Addr::to_bits(address) & IPV6_PREFIX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admit(addresses: &Arc<ClientCounts>, address: &str) -> Option<Counted> {
        addresses.admit(address.parse().unwrap())
    }

    #[tokio::test]
    async fn each_address_has_its_own_number() {
        let addresses = ClientCounts::new(2);
        let one = admit(&addresses, "192.0.2.1").unwrap();
        let two = admit(&addresses, "::ffff:192.0.2.1").unwrap();
        assert!(admit(&addresses, "192.0.2.1").is_none());
        let other = admit(&addresses, "192.0.2.2").unwrap();
        drop(one);
        let three = admit(&addresses, "192.0.2.1").unwrap();
        assert!(admit(&addresses, "192.0.2.1").is_none());
        drop((two, three, other));
        assert!(addresses.state.lock().open.is_empty());
    }

    #[tokio::test]
    async fn a_network_of_ipv6_is_one() {
        let addresses = ClientCounts::new(2);
        let _one = admit(&addresses, "2001:db8::1").unwrap();
        let _two = admit(&addresses, "2001:db8::ffff:1:2:3").unwrap();
        assert!(admit(&addresses, "2001:db8::2").is_none());
        assert!(admit(&addresses, "2001:db8:0:1::2").is_some());
    }

    #[tokio::test]
    async fn this_machine_and_no_limit_are_not_counted() {
        let addresses = ClientCounts::new(1);
        let loopback = ["127.0.0.1", "127.0.0.1", "::1", "::1", "::ffff:127.0.0.1"];
        let held: Vec<_> = loopback.map(|it| admit(&addresses, it).unwrap()).into();
        let unlimited = ClientCounts::new(0);
        let more = [(); 5].map(|()| admit(&unlimited, "192.0.2.1").unwrap());
        for addresses in [&addresses, &unlimited] {
            assert!(addresses.state.lock().open.is_empty());
        }
        drop((held, more));
    }
}
