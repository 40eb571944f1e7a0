//! The proxies in front that are trusted, and what is believed of what they say.

use std::net::IpAddr;

use ::http::HeaderMap;
use ipnet::IpNet;

use super::Peer;
use super::forwarded::{self, ClientField};

/// The proxies in front. By default there are none, and nothing that a client says of itself is believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies {
    /// Their addresses.
    pub trusted: Vec<IpNet>,
    /// The field in which they name the client, if they do.
    pub field: Option<ClientField>,
    /// Whether they begin each connection with a header of the PROXY protocol.
    pub announce: bool,
}

impl Proxies {
    /// Whether an address is one of theirs.
    pub fn trusts(&self, address: IpAddr) -> bool {
        if self.trusted.is_empty() {
            return false;
        }
        let address = address.to_canonical();
        self.trusted.iter().any(|net| net.contains(&address))
    }

    /// Whether what stands in the requests of a connection is believed.
    pub fn speaks_for_others(&self, peer: &Peer) -> bool {
        self.field.is_some() && self.trusts(peer.client.ip())
    }

    /// Gives the client of a request that came from one of them. What is missing or wrong is as the connection has it.
    pub fn client_of(&self, headers: &HeaderMap, peer: Peer) -> Peer {
        let Some(field) = self.field else {
            return peer;
        };
        let hop = forwarded::client(field, headers, |address| self.trusts(address));
        let secured = match field {
            ClientField::XForwardedFor => forwarded::scheme(headers),
            ClientField::Forwarded => hop.and_then(|hop| hop.secured),
        };
        Peer {
            client: hop.map_or(peer.client, |hop| hop.client),
            secured: secured.unwrap_or(peer.secured),
            ..peer
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(field: Option<ClientField>) -> Proxies {
        let nets = ["10.0.0.0/8", "2001:db8::/32", "192.0.2.7/32"];
        Proxies {
            trusted: nets.iter().map(|net| net.parse().unwrap()).collect(),
            field,
            announce: false,
        }
    }

    fn peer(client: &str, secured: bool) -> Peer {
        Peer {
            client: client.parse().unwrap(),
            server: "192.0.2.1:80".parse().unwrap(),
            connection: 1,
            secured,
        }
    }

    #[test]
    fn addresses_are_trusted_in_either_of_their_forms() {
        let proxies = proxies(None);
        for (address, expected) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("11.1.2.3", false),
            ("::ffff:11.1.2.3", false),
            ("2001:db8:1::1", true),
            ("2001:db9::1", false),
            ("192.0.2.7", true),
            ("192.0.2.8", false),
        ] {
            assert_eq!(
                proxies.trusts(address.parse().unwrap()),
                expected,
                "{address}"
            );
        }
        assert!(!Proxies::default().trusts("10.1.2.3".parse().unwrap()));
    }

    #[test]
    fn what_is_not_said_is_as_the_connection_has_it() {
        let all = proxies(Some(ClientField::XForwardedFor));
        let socket = peer("10.0.0.1:1000", true);
        assert!(all.speaks_for_others(&socket));
        assert!(!all.speaks_for_others(&peer("198.51.100.1:1000", true)));
        assert!(!proxies(None).speaks_for_others(&socket));
        for (fields, client, secured) in [
            (&[][..], "10.0.0.1:1000", true),
            (&[("x-forwarded-for", "nonsense")], "10.0.0.1:1000", true),
            (
                &[("x-forwarded-for", "198.51.100.1")],
                "198.51.100.1:0",
                true,
            ),
            (&[("x-forwarded-proto", "http")], "10.0.0.1:1000", false),
            (
                &[("forwarded", "for=198.51.100.1;proto=http")],
                "10.0.0.1:1000",
                true,
            ),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in fields {
                headers.insert(*name, value.parse().unwrap());
            }
            let found = all.client_of(&headers, socket);
            assert_eq!(found.client.to_string(), client, "{fields:?}");
            assert_eq!(found.secured, secured, "{fields:?}");
            assert_eq!(found.server, socket.server);
        }
    }
}
