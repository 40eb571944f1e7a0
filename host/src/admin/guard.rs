//! Whether a request came by a name of this machine.
//!
//! A web page can have its own host name lead to 127.0.0.1 (DNS rebinding) and so have a visitor's browser talk to
//! admin as if it were the page's own server. Such requests carry the page's name.

use std::net::IpAddr;

use hyper::header::HOST;
use hyper::http::uri::Authority;
use hyper::{HeaderMap, Uri};

/// Whether the request names a loopback host, and no other, in `Host` and in its target.
pub(super) fn is_local(uri: &Uri, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return false;
    };
    let Ok(host) = Authority::try_from(host.as_bytes()) else {
        return false;
    };
    is_loopback(&host) && uri.authority().is_none_or(is_loopback)
}

fn is_loopback(authority: &Authority) -> bool {
    if authority.as_str().contains('@') {
        return false;
    }
    let host = authority.host();
    let address = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    match address.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        // Names below localhost never leave this machine (RFC 6761, section 6.3).
        Err(_) => {
            let name = host.trim_end_matches('.').to_ascii_lowercase();
            name == "localhost" || name.ends_with(".localhost")
        }
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn check(target: &str, hosts: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(HOST, HeaderValue::from_str(host).unwrap());
        }
        is_local(&target.parse().unwrap(), &headers)
    }

    #[test]
    fn names_of_this_machine_pass() {
        for host in [
            "localhost",
            "LOCALHOST:7080",
            "localhost.",
            "tessera.localhost:7080",
            "127.0.0.1:7080",
            "127.1.2.3",
            "[::1]:7080",
        ] {
            assert!(check("/healthz", &[host]), "{host}");
        }
        assert!(check("http://localhost:7080/healthz", &["localhost:7080"]));
    }

    #[test]
    fn other_names_do_not() {
        for host in [
            "",
            "evil.example",
            "localhost.evil.example",
            "notlocalhost",
            "127.0.0.1.nip.io:7080",
            "192.168.0.1:7080",
            "0.0.0.0:7080",
            "[::]:7080",
            "localhost@evil.example",
            "evil.example@localhost",
        ] {
            assert!(!check("/healthz", &[host]), "{host}");
        }
        assert!(!check("/healthz", &[]));
        assert!(!check("/healthz", &["localhost", "evil.example"]));
        assert!(!check("http://evil.example/healthz", &["localhost"]));
    }
}
