//! Which origins an entry of `CORSSettings` is about.

use super::origin::{Host, Origin, host_and_port, parse_port};

/// The rule for everybody.
pub(super) const ANYBODY: &str = "*";

/// One of the ten syntaxes, taken apart: `[scheme://]host[:port]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rule<'a> {
    /// Without one, http and https.
    scheme: Option<&'a str>,
    host: Pattern<'a>,
    /// Without one, any port.
    port: Option<u16>,
}

/// The host of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pattern<'a> {
    /// `*`
    Any,
    /// `192.168.*`: IPv4 addresses that begin so, with the dot; never a name that looks like one.
    Octets(&'a str),
    /// `*.example.com`: all names that end so, with the dot; not `example.com` itself.
    Below(&'a str),
    /// Anything else.
    Exactly(Host<'a>),
}

/// Whether a rule is about an origin. None is an opaque one: nobody knows whose it is, so that only `*` is about it.
pub(super) fn matches(rule: &str, origin: Option<&Origin<'_>>) -> bool {
    if rule == ANYBODY {
        return true;
    }
    let (Some(rule), Some(origin)) = (Rule::parse(rule), origin) else {
        return false;
    };
    let has_scheme = |scheme: &str| origin.scheme.eq_ignore_ascii_case(scheme);
    let is_scheme = match rule.scheme {
        Some(scheme) => has_scheme(scheme),
        None => has_scheme("http") || has_scheme("https"),
    };
    is_scheme
        && rule.host.matches(origin.host)
        && rule.port.is_none_or(|port| origin.port == Some(port))
}

impl<'a> Rule<'a> {
    /// None is a rule that was not checked, and about nobody.
    fn parse(text: &'a str) -> Option<Self> {
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (Some(scheme), rest),
            None => (None, text),
        };
        if !rest.contains('*') {
            let (host, port) = host_and_port(rest)?;
            let host = Pattern::Exactly(host);
            return Some(Self { scheme, host, port });
        }
        let (host, port) = match rest.split_once(':') {
            Some((host, port)) => (host, Some(parse_port(port)?)),
            None => (rest, None),
        };
        let host = Pattern::of(host)?;
        Some(Self { scheme, host, port })
    }
}

impl<'a> Pattern<'a> {
    fn of(host: &'a str) -> Option<Self> {
        if host == "*" {
            return Some(Self::Any);
        }
        if let Some(below) = host.strip_prefix('*') {
            let is_suffix = below.starts_with('.') && host_and_port(below).is_some();
            return is_suffix.then_some(Self::Below(below));
        }
        let octets = host
            .strip_suffix('*')
            .filter(|octets| octets.ends_with('.'))?;
        let are_octets = octets
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
        are_octets.then_some(Self::Octets(octets))
    }

    fn matches(self, host: Host<'_>) -> bool {
        match self {
            Self::Any => true,
            // The text of an IPv4 address has one spelling only, so that comparing texts is comparing octets.
            Self::Octets(octets) => {
                host.address.is_some_and(|it| it.is_ipv4()) && host.text.starts_with(octets)
            }
            Self::Below(suffix) => {
                let at = host
                    .text
                    .len()
                    .checked_sub(suffix.len())
                    .filter(|at| *at > 0);
                let end = at.and_then(|at| host.text.get(at..));
                host.address.is_none() && end.is_some_and(|end| end.eq_ignore_ascii_case(suffix))
            }
            Self::Exactly(exactly) => exactly == host,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rule: &str, about: &[&str], not_about: &[&str]) {
        for (origins, expected) in [(about, true), (not_about, false)] {
            for text in origins {
                let found = matches(rule, Origin::parse(text).as_ref());
                assert_eq!(found, expected, "{rule} and {text}");
            }
        }
    }

    #[test]
    fn addresses() {
        check(
            "192.168.5.17",
            &["http://192.168.5.17", "https://192.168.5.17:9"],
            &[
                "http://192.168.5.1",
                "http://192.168.5.17.evil.com",
                "ftp://192.168.5.17",
                "null",
            ],
        );
        check(
            "192.168.5.17:8081",
            &["http://192.168.5.17:8081", "https://192.168.5.17:8081"],
            &["http://192.168.5.17", "http://192.168.5.17:80810"],
        );
        check(
            "http://192.168.5.17:8081",
            &["http://192.168.5.17:8081"],
            &["https://192.168.5.17:8081", "http://192.168.5.17"],
        );
        check(
            "[2001:db8::5]:81",
            &["http://[2001:db8::5]:81", "https://[2001:DB8:0:0::5]:81"],
            &["http://[2001:db8::5]", "http://[2001:db8::6]:81"],
        );
        check(
            "http://[::1]",
            &["http://[::1]"],
            &["https://[::1]", "http://127.0.0.1"],
        );
    }

    #[test]
    fn addresses_that_begin_so() {
        check(
            "192.168.*",
            &["http://192.168.5.17", "https://192.168.0.1:8443"],
            &[
                "http://192.168.evil.com",
                "http://192.168.5.17.evil.com",
                "http://192.1680.1.1",
                "http://192.168",
                "http://1.192.168.5",
                "http://192.168.5.17.18",
                "http://192.168.05.17",
            ],
        );
        check(
            "192.168.*:8081",
            &["http://192.168.5.17:8081"],
            &["http://192.168.5.17", "http://192.168.5.17:8082"],
        );
        check("10.*", &["http://10.0.0.1"], &["http://100.0.0.1"]);
    }

    #[test]
    fn names() {
        check(
            "myproject.mydomain.com",
            &[
                "http://myproject.mydomain.com",
                "https://myProject.myDomain.com:8443",
            ],
            &[
                "http://x.myproject.mydomain.com",
                "http://myproject.mydomain.com.evil.com",
                "http://mydomain.com",
            ],
        );
        check(
            "http://myproject.mydomain.com",
            &[
                "http://myproject.mydomain.com",
                "http://myproject.mydomain.com:81",
            ],
            &["https://myproject.mydomain.com"],
        );
        check(
            "*.mydomain.com",
            &["http://a.mydomain.com", "https://A.B.MyDomain.com:81"],
            &[
                "http://mydomain.com",
                "http://evilmydomain.com",
                "http://.mydomain.com",
                "http://a.mydomain.com.evil.com",
                "capacitor://a.mydomain.com",
            ],
        );
        check(
            "http://*.mydomain.com",
            &["http://a.mydomain.com"],
            &["https://a.mydomain.com", "http://mydomain.com"],
        );
    }

    #[test]
    fn everybody() {
        check(
            "*",
            &["http://a", "chrome-extension://abc", "null", "???"],
            &[],
        );
        check("http://*", &["http://a"], &["https://a", "null"]);
    }

    #[test]
    fn a_rule_that_is_none_is_about_nobody() {
        for rule in [
            "", "**", "a*b", "*a.com", "192.168*", "a.*", "http://", "*:x", "192.*.5", "[::*]",
        ] {
            check(
                rule,
                &[],
                &[
                    "http://a",
                    "http://a.com",
                    "http://192.168.5.17",
                    "http://[::1]",
                    "null",
                ],
            );
        }
    }
}
