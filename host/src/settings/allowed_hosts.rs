//! The servers that a component may send requests to.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

/// What `[permissions] hosts` allows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedHosts(Vec<AllowedHost>);

/// One entry: `[scheme://]host[:port]`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct AllowedHost {
    is_secured: bool,
    host: Host,
    /// None is any.
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    /// Every name.
    Any,
    /// Every name below this one, which is in lower case.
    Below(String),
    /// This name, in lower case.
    Name(String),
    /// An address, or the addresses of a network.
    Net(IpNet),
}

/// Where a request is to go.
#[derive(Clone, Copy, Debug)]
pub struct Destination<'a> {
    /// Whether by HTTPS.
    pub is_secured: bool,
    /// A name or an address, without brackets, in any case.
    pub host: &'a str,
    /// The port, that of the scheme if the request named none.
    pub port: u16,
}

impl AllowedHosts {
    /// All of `entries`.
    ///
    /// # Errors
    ///
    /// With the first entry that is none.
    pub(super) fn of<'a>(entries: impl IntoIterator<Item = &'a str>) -> Result<Self, &'a str> {
        let mut hosts: Vec<AllowedHost> = Vec::new();
        for entry in entries {
            let host = AllowedHost::of(entry).ok_or(entry)?;
            if !hosts.contains(&host) {
                hosts.push(host);
            }
        }
        Ok(Self(hosts))
    }

    /// The entries, as they are written shortest.
    pub(super) fn entries(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(ToString::to_string)
    }

    /// Whether requests may be sent there, whatever address a name may lead to.
    pub fn allow(&self, destination: Destination<'_>) -> bool {
        let address = destination.host.parse::<IpAddr>().ok();
        self.0.iter().any(|entry| {
            entry.is_secured == destination.is_secured
                && entry.port.is_none_or(|port| port == destination.port)
                && match (&entry.host, address) {
                    (Host::Net(net), Some(address)) => net.contains(&address.to_canonical()),
                    (_, Some(_)) | (Host::Net(_), None) => false,
                    (Host::Any, None) => true,
                    (Host::Name(name), None) => name.eq_ignore_ascii_case(destination.host),
                    (Host::Below(name), None) => is_below(destination.host, name),
                }
        })
    }

    /// The networks named as such: requests may go to them although they are private. `localhost` names this machine's.
    pub fn networks(&self) -> Vec<IpNet> {
        let mut networks = Vec::new();
        for entry in &self.0 {
            match &entry.host {
                Host::Net(net) => networks.push(*net),
                Host::Name(name) if name == "localhost" => {
                    let own = ["127.0.0.0/8", "::1/128"];
                    networks.extend(own.iter().filter_map(|net| net.parse::<IpNet>().ok()));
                }
                _ => {}
            }
        }
        networks
    }
}

fn is_below(host: &str, name: &str) -> bool {
    let Some(at) = host.len().checked_sub(name.len() + 1) else {
        return false;
    };
    let (front, back) = (host.get(..at), host.get(at + 1..));
    front.is_some_and(|front| !front.is_empty())
        && host.as_bytes().get(at) == Some(&b'.')
        && back.is_some_and(|back| back.eq_ignore_ascii_case(name))
}

impl AllowedHost {
    fn of(entry: &str) -> Option<Self> {
        let (is_secured, rest) = match entry.split_once("://") {
            None => (true, entry),
            Some(("https", rest)) => (true, rest),
            Some(("http", rest)) => (false, rest),
            Some(_) => return None,
        };
        let default = if is_secured { 443 } else { 80 };
        // An IPv6 address or network may stand without brackets where no port follows.
        if let Some(net) = network(rest) {
            return Some(Self {
                is_secured,
                host: Host::Net(net),
                port: Some(default),
            });
        }
        let is_bracketed = rest.ends_with(']');
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, "*")) => (host, None),
            Some((host, port)) if !is_bracketed => (host, Some(number(port)?)),
            _ => (rest, Some(default)),
        };
        let host = match host.strip_prefix('[') {
            Some(inner) => Host::Net(network(inner.strip_suffix(']')?)?),
            None => Host::of(host)?,
        };
        Some(Self {
            is_secured,
            host,
            port,
        })
    }
}

impl Host {
    fn of(text: &str) -> Option<Self> {
        if let Some(net) = network(text).filter(|net| net.addr().is_ipv4()) {
            return Some(Self::Net(net));
        }
        match text.strip_prefix("*.") {
            _ if text == "*" => Some(Self::Any),
            Some(name) => Some(Self::Below(dns_name(name)?)),
            None => Some(Self::Name(dns_name(text)?)),
        }
    }
}

fn network(text: &str) -> Option<IpNet> {
    match text.parse::<IpAddr>() {
        Ok(address) => Some(IpNet::from(address.to_canonical())),
        Err(_) => text.parse::<IpNet>().ok().map(|net| net.trunc()),
    }
}

/// A port as people write it: no sign, no zero in front.
fn number(text: &str) -> Option<u16> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|_| is_plain)
}

/// A name in lower case. One of digits and dots only would be taken for an address by some.
fn dns_name(text: &str) -> Option<String> {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let is_name = text.len() <= 253
        && text.split('.').all(is_label)
        && text.bytes().any(|byte| byte.is_ascii_alphabetic());
    is_name.then(|| text.to_ascii_lowercase())
}

impl fmt::Display for AllowedHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let default = if self.is_secured { 443 } else { 80 };
        if !self.is_secured {
            f.write_str("http://")?;
        }
        match &self.host {
            Host::Any => f.write_str("*")?,
            Host::Below(name) => write!(f, "*.{name}")?,
            Host::Name(name) => f.write_str(name)?,
            Host::Net(net) => {
                let is_v6 = net.addr().is_ipv6();
                let is_one = net.prefix_len() == net.max_prefix_len();
                let text = match is_one {
                    true => net.addr().to_string(),
                    false => net.to_string(),
                };
                match is_v6 && self.port != Some(default) {
                    true => write!(f, "[{text}]")?,
                    false => f.write_str(&text)?,
                }
            }
        }
        match self.port {
            Some(port) if port == default => Ok(()),
            Some(port) => write!(f, ":{port}"),
            None => f.write_str(":*"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(entry: &str, url: &str) -> bool {
        let (scheme, rest) = url.split_once("://").unwrap();
        let (host, port) = rest.rsplit_once(' ').unwrap();
        let destination = Destination {
            is_secured: scheme == "https",
            host,
            port: port.parse().unwrap(),
        };
        AllowedHosts::of([entry]).unwrap().allow(destination)
    }

    #[test]
    fn an_entry_allows_what_it_names_and_nothing_else() {
        for (entry, allowed, refused) in [
            (
                "api.example.com",
                &["https://api.example.com 443", "https://API.Example.com 443"][..],
                &[
                    "http://api.example.com 80",
                    "http://api.example.com 443",
                    "https://api.example.com 8443",
                    "https://xapi.example.com 443",
                    "https://api.example.com.evil.org 443",
                    "https://127.0.0.1 443",
                ][..],
            ),
            (
                "*.example.org:8443",
                &["https://a.example.org 8443", "https://a.b.EXAMPLE.org 8443"],
                &[
                    "https://example.org 8443",
                    "https://.example.org 8443",
                    "https://aexample.org 8443",
                    "https://a.example.org 443",
                ],
            ),
            (
                "http://localhost:9000",
                &["http://localhost 9000"],
                &["https://localhost 9000", "http://127.0.0.1 9000"],
            ),
            (
                "http://10.0.0.0/8:*",
                &["http://10.1.2.3 80", "http://::ffff:10.1.2.3 8080"],
                &["http://11.0.0.1 80", "http://ten.example 80"],
            ),
            (
                "[fd00::1]:8443",
                &["https://fd00::1 8443"],
                &["https://fd00::2 8443", "https://fd00::1 443"],
            ),
            ("*", &["https://any.example 443"], &["https://1.2.3.4 443"]),
        ] {
            for url in allowed {
                assert!(allows(entry, url), "{entry} {url}");
            }
            for url in refused {
                assert!(!allows(entry, url), "{entry} {url}");
            }
        }
    }

    #[test]
    fn entries_are_shown_as_they_are_written_shortest() {
        for (entry, shown) in [
            ("https://Api.Example.com:443", "api.example.com"),
            ("http://a:80", "http://a"),
            ("::1", "::1"),
            ("[::1]:443", "::1"),
            ("http://[::1]:9000", "http://[::1]:9000"),
            ("10.1.2.3/8:*", "10.0.0.0/8:*"),
            ("*:*", "*:*"),
        ] {
            let hosts = AllowedHosts::of([entry]).unwrap();
            assert_eq!(hosts.entries().collect::<Vec<_>>(), [shown]);
            let again = hosts.entries().collect::<Vec<_>>();
            let again = AllowedHosts::of(again.iter().map(String::as_str)).unwrap();
            assert_eq!(again, hosts);
        }
        for entry in [
            "", "ftp://a", "a:0", "a:65536", "a:+1", "a:", "a/b", "a b", "*a.com", "1.2.3", "[::1",
            "-a", "a..b", "user@a", "http://", "*.", "[a.com]",
        ] {
            assert_eq!(AllowedHosts::of([entry]), Err(entry));
        }
    }

    #[test]
    fn private_addresses_are_named_by_addresses() {
        let networks = |entry| {
            let networks = AllowedHosts::of([entry]).unwrap().networks();
            let text: Vec<_> = networks.iter().map(ToString::to_string).collect();
            text.join(" ")
        };
        assert_eq!(networks("http://localhost:9000"), "127.0.0.0/8 ::1/128");
        assert_eq!(networks("10.0.0.0/8"), "10.0.0.0/8");
        assert_eq!(networks("db.example.com"), "");
        assert_eq!(networks("*"), "");
    }
}
