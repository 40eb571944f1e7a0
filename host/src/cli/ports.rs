//! Which web servers of a site would want the same port.

use std::fs;
use std::net::IpAddr;

use tessera_host::settings::{Addresses, Listen, Tls, Web};

/// Where a web server would listen.
#[derive(Clone, Debug)]
pub(super) struct Listening {
    pub(super) name: String,
    listen: Listen,
    launches: bool,
}

/// Two web servers that want the same port.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Clash {
    /// Where the later one of the two is in the list.
    pub(super) later: usize,
    /// Whether both can run all the same.
    pub(super) is_fine: bool,
    /// Names both, and says what to do.
    pub(super) text: String,
}

/// One port of a web server.
#[derive(Clone, Copy)]
struct Port<'a> {
    server: usize,
    owner: &'a Listening,
    number: u16,
    tls: Option<&'a Tls>,
}

impl Listening {
    pub(super) fn new(name: &str, web: &Web) -> Self {
        Self {
            name: name.to_owned(),
            listen: web.listen.clone(),
            launches: web.launch_at_startup,
        }
    }

    fn ports(&self, server: usize) -> impl Iterator<Item = Port<'_>> {
        let port = move |number, tls| Port {
            server,
            owner: self,
            number,
            tls,
        };
        let http = self.listen.http.map(|number| port(number, None));
        let https = self.listen.https.as_ref();
        http.into_iter()
            .chain(https.map(|https| port(https.port, Some(&https.tls))))
    }
}

impl Port<'_> {
    fn setting(&self) -> &'static str {
        match self.tls {
            Some(_) => "HTTPSPort",
            None => "HTTPPort",
        }
    }
}

/// Compares all ports of all web servers.
pub(super) fn clashes(servers: &[Listening]) -> Vec<Clash> {
    let ports: Vec<Port<'_>> = servers
        .iter()
        .enumerate()
        .flat_map(|(index, server)| server.ports(index))
        .collect();
    let mut clashes = Vec::new();
    for (index, later) in ports.iter().enumerate() {
        clashes.extend(
            ports
                .iter()
                .take(index)
                .filter_map(|port| clash(port, later)),
        );
    }
    clashes
}

fn clash(port: &Port<'_>, later: &Port<'_>) -> Option<Clash> {
    if port.number != later.number {
        return None;
    }
    let shared = shared_address(&port.owner.listen.addresses, &later.owner.listen.addresses)?;
    let (one, other, number) = (&port.owner.name, &later.owner.name, port.number);
    let (is_fine, text) = match (port.tls, later.tls) {
        (Some(a), Some(b)) if shared.is_the_same && !have_one_certificate(a, b) => {
            let text = format!(
                "{one} and {other} share port {number} on {} for HTTPS: the host names in their certificates tell them apart",
                shared.shown
            );
            (true, text)
        }
        (Some(_), Some(_)) if shared.is_the_same => {
            let text = format!(
                "{one} and {other} would share port {number} on {} for HTTPS, but have the same certificate, so that nothing tells them apart: choose another HTTPSPort or certificateFolder for one of them",
                shared.shown
            );
            (false, text)
        }
        _ => {
            let text = format!(
                "{one} ({}) and {other} ({}) would both listen on port {number} of {}: choose another port, or other addresses in IPAddressToListen, for one of them",
                port.setting(),
                later.setting(),
                shared.shown
            );
            (false, text)
        }
    };
    // One that is started by hand only may be meant to take turns with the other.
    let take_turns = port.server != later.server && !(port.owner.launches && later.owner.launches);
    Some(Clash {
        later: later.server,
        is_fine: is_fine || take_turns,
        text,
    })
}

/// What two lists of addresses have in common.
struct Shared {
    shown: String,
    /// Both name it, rather than one of them naming every address.
    is_the_same: bool,
}

fn shared_address(one: &Addresses, other: &Addresses) -> Option<Shared> {
    let shared = |shown: String, is_the_same| Shared { shown, is_the_same };
    match (one, other) {
        (Addresses::Any, Addresses::Any) => Some(shared("every address".to_owned(), true)),
        (Addresses::Any, Addresses::Only(list)) | (Addresses::Only(list), Addresses::Any) => {
            list.first().map(|ip| shared(ip.to_string(), false))
        }
        (Addresses::Only(one), Addresses::Only(other)) => {
            let both: Option<&IpAddr> = one.iter().find(|ip| other.contains(ip));
            both.map(|ip| shared(ip.to_string(), true))
        }
    }
}

fn have_one_certificate(one: &Tls, other: &Tls) -> bool {
    let certificate = |tls: &Tls| fs::read(tls.certificate_folder.join("cert.pem")).ok();
    one.certificate_folder == other.certificate_folder
        || certificate(one).is_some_and(|pem| Some(pem) == certificate(other))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tessera_host::settings::{Https, TlsVersion};

    use super::*;

    fn server(name: &str, addresses: &[&str], http: u16, https: u16, folder: &Path) -> Listening {
        let tls = Tls {
            certificate_folder: folder.to_owned(),
            min_version: TlsVersion::Tls12,
            cipher_suites: None,
        };
        Listening {
            name: name.to_owned(),
            listen: Listen {
                http: Some(http).filter(|port| *port > 0),
                https: Some(https)
                    .filter(|port| *port > 0)
                    .map(|port| Https { port, tls }),
                addresses: match addresses {
                    [] => Addresses::Any,
                    list => Addresses::Only(list.iter().map(|ip| ip.parse().unwrap()).collect()),
                },
            },
            launches: true,
        }
    }

    /// Whether two servers can run beside one another, and what is said of them.
    #[track_caller]
    fn check(one: Listening, other: Listening, is_fine: Option<bool>, expected: &str) {
        let clashes = clashes(&[one, other]);
        assert_eq!(
            clashes.first().map(|clash| clash.is_fine),
            is_fine,
            "{clashes:?}"
        );
        for clash in clashes {
            assert_eq!(clash.later, 1);
            for part in ["one", "two", expected] {
                assert!(clash.text.contains(part), "{part}: {clash:?}");
            }
        }
    }

    #[test]
    fn ports_of_plain_http_are_nobody_elses() {
        let at = Path::new("/site");
        let one = |addresses| server("one", addresses, 80, 0, at);
        let two = |addresses| server("two", addresses, 80, 0, at);
        check(one(&[]), two(&[]), Some(false), "port 80 of every address");
        check(one(&[]), two(&["127.0.0.1"]), Some(false), "127.0.0.1");
        check(
            one(&["::1", "127.0.0.1"]),
            two(&["127.0.0.1"]),
            Some(false),
            "127.0.0.1",
        );
        check(one(&["127.0.0.1"]), two(&["127.0.0.2"]), None, "");
        check(one(&[]), server("two", &[], 81, 0, at), None, "");
        let crossed = server("two", &[], 0, 80, at);
        check(one(&[]), crossed, Some(false), "two (HTTPSPort)");
    }

    #[test]
    fn https_is_shared_by_those_with_certificates_of_their_own() {
        let place = tempfile::tempdir().unwrap();
        let folders = ["a", "b", "c"].map(|name| place.path().join(name));
        for (folder, content) in folders.iter().zip(["1", "2", "1"]) {
            fs::create_dir(folder).unwrap();
            fs::write(folder.join("cert.pem"), content).unwrap();
        }
        let [a, b, c] = &folders;
        let one = || server("one", &[], 0, 443, a);
        let two = |folder| server("two", &[], 0, 443, folder);
        check(one(), two(b), Some(true), "share port 443");
        check(one(), two(c), Some(false), "same certificate");
        check(one(), two(a), Some(false), "same certificate");
        // The system does not give out one port of an address twice over different sockets.
        let narrow = server("two", &["127.0.0.1"], 0, 443, b);
        check(one(), narrow, Some(false), "would both listen");
    }

    #[test]
    fn one_that_does_not_launch_may_take_turns() {
        let at = Path::new("/site");
        let mut two = server("two", &[], 80, 0, at);
        two.launches = false;
        check(server("one", &[], 80, 0, at), two, Some(true), "port 80");
    }

    #[test]
    fn a_server_can_be_in_its_own_way() {
        let clashes = clashes(&[server("one", &[], 80, 80, Path::new("/site"))]);
        assert_eq!(clashes.len(), 1);
        assert!(!clashes[0].is_fine, "{clashes:?}");
    }
}
