//! What names a place on the network: ports, addresses, host names, mounts.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use serde_json::{Value as Json, json};

use super::{Kind, Preset, Refusal};
use crate::settings::file::Loose;
use crate::settings::web_server::Addresses;

/// More would be a mistake: a machine rarely has as many addresses.
const ADDRESSES_MAX: usize = 64;
/// Each connection is compared with all of them.
const NETWORKS_MAX: usize = 256;
/// What browsers and proxies still carry.
const PATH_BYTES_MAX: usize = 1024;

/// A TCP port; 0 stands for the one that the protocol is known by.
#[derive(Debug)]
pub(in crate::settings) struct Port {
    pub(in crate::settings) standard: u16,
}

impl Kind for Port {
    type Value = u16;
    const TYPE: &'static str = "number";
    const NOUN: &'static str = "a whole number";

    fn read(&self, loose: &Loose) -> Result<u16, Refusal> {
        let Loose::Integer(number) = loose else {
            return Err(Refusal::Type);
        };
        let port = u16::try_from(*number).map_err(|_| Refusal::Value)?;
        Ok(if port == 0 { self.standard } else { port })
    }

    fn allowed(&self) -> String {
        format!("from 0 to 65535 (TCP port; 0 means {})", self.standard)
    }

    fn default_text(&self) -> String {
        format!("{} for the host; none for a component", self.standard)
    }

    fn json(&self, value: &u16) -> Json {
        (*value).into()
    }

    fn schema(&self) -> Json {
        // It is shown as null where there is none.
        json!({"type": ["integer", "null"], "minimum": 0, "maximum": u16::MAX})
    }
}

/// The addresses that a web server listens on.
#[derive(Debug)]
pub(in crate::settings) struct AddressList;

impl Kind for AddressList {
    type Value = Addresses;
    const TYPE: &'static str = "text or list of texts";
    const IS_TEXT: bool = true;

    fn read(&self, loose: &Loose) -> Result<Addresses, Refusal> {
        let one = |loose: &Loose| loose.text()?.parse().map_err(|_| Refusal::Value);
        let list: Vec<IpAddr> = match loose {
            Loose::List(list) if list.is_empty() || list.len() > ADDRESSES_MAX => {
                return Err(Refusal::Value);
            }
            Loose::List(list) => list.iter().map(one).collect::<Result<_, _>>()?,
            single => vec![one(single)?],
        };
        let mut addresses = Vec::with_capacity(list.len());
        for address in list.iter().map(IpAddr::to_canonical) {
            if addresses.contains(&address) {
                return Err(Refusal::Because(format!("must name {address} only once")));
            }
            addresses.push(address);
        }
        if !addresses.iter().any(IpAddr::is_unspecified) {
            return Ok(Addresses::Only(addresses));
        }
        if addresses.len() > 1 {
            let reason = "must not name others beside 0.0.0.0 or ::, which mean every address";
            return Err(Refusal::Because(reason.to_owned()));
        }
        Ok(Addresses::Any)
    }

    fn allowed(&self) -> String {
        "an IPv4 or IPv6 address such as \"127.0.0.1\" or \"::1\", or a list of 1 to 64 of them; \
         \"0.0.0.0\" means every address, IPv6 included"
            .to_owned()
    }

    fn default_text(&self) -> String {
        "\"0.0.0.0\"".to_owned()
    }

    fn json(&self, value: &Addresses) -> Json {
        match value {
            Addresses::Any => "0.0.0.0".into(),
            Addresses::Only(list) => match list.as_slice() {
                [address] => address.to_string().into(),
                list => list.iter().map(ToString::to_string).collect(),
            },
        }
    }

    fn schema(&self) -> Json {
        let list = json!({
            "type": "array",
            "items": {"type": "string"},
            "minItems": 1,
            "maxItems": ADDRESSES_MAX,
        });
        json!({"anyOf": [{"type": "string"}, list], "default": "0.0.0.0"})
    }
}

impl Preset for AddressList {
    fn preset(&self) -> Addresses {
        Addresses::Any
    }
}

/// Addresses and networks.
#[derive(Debug)]
pub(in crate::settings) struct NetworkList;

impl Kind for NetworkList {
    type Value = Vec<IpNet>;
    const TYPE: &'static str = "text or list of texts";
    const IS_TEXT: bool = true;

    fn read(&self, loose: &Loose) -> Result<Vec<IpNet>, Refusal> {
        let list = match loose {
            Loose::List(list) => list.as_slice(),
            single => std::slice::from_ref(single),
        };
        if list.len() > NETWORKS_MAX {
            return Err(Refusal::Value);
        }
        list.iter().map(|one| network(one.text()?)).collect()
    }

    fn allowed(&self) -> String {
        format!(
            "an IPv4 or IPv6 address or network such as \"10.0.0.1\" or \"2001:db8::/32\", or a list of at most \
             {NETWORKS_MAX} of them"
        )
    }

    fn default_text(&self) -> String {
        "[]".to_owned()
    }

    fn json(&self, value: &Vec<IpNet>) -> Json {
        let one = |net: &IpNet| match net.prefix_len() == net.max_prefix_len() {
            true => net.addr().to_string(),
            false => net.to_string(),
        };
        value.iter().map(one).collect()
    }

    fn schema(&self) -> Json {
        let list = json!({
            "type": "array",
            "items": {"type": "string"},
            "maxItems": NETWORKS_MAX,
        });
        json!({"anyOf": [{"type": "string"}, list], "default": []})
    }
}

impl Preset for NetworkList {
    fn preset(&self) -> Vec<IpNet> {
        Vec::new()
    }
}

/// An address or a network, IPv4 as such.
fn network(text: &str) -> Result<IpNet, Refusal> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(address.to_canonical().into());
    }
    let net: IpNet = text.parse().map_err(|_| Refusal::Value)?;
    if net.prefix_len() == 0 {
        let reason = "must not be everybody: any client could say that it is another one";
        return Err(Refusal::Because(reason.to_owned()));
    }
    if net.trunc() != net {
        let reason = format!(
            "must be {} or a longer prefix: {text} is no network",
            net.trunc()
        );
        return Err(Refusal::Because(reason));
    }
    Ok(net)
}

/// An address and a port that can be reached from this machine only.
#[derive(Debug)]
pub(in crate::settings) struct Loopback {
    pub(in crate::settings) default: SocketAddr,
}

impl Kind for Loopback {
    type Value = SocketAddr;
    const TYPE: &'static str = "text";
    const IS_TEXT: bool = true;

    fn read(&self, loose: &Loose) -> Result<SocketAddr, Refusal> {
        let address: SocketAddr = loose.text()?.parse().map_err(|_| Refusal::Value)?;
        if address.ip().to_canonical().is_loopback() {
            Ok(address)
        } else {
            Err(Refusal::Value)
        }
    }

    fn allowed(&self) -> String {
        format!(
            "a loopback address with a port, such as \"{}\" or \"[::1]:7080\"",
            self.default
        )
    }

    fn default_text(&self) -> String {
        format!("\"{}\"", self.default)
    }

    fn json(&self, value: &SocketAddr) -> Json {
        value.to_string().into()
    }

    fn schema(&self) -> Json {
        json!({"type": "string", "default": self.default.to_string()})
    }
}

impl Preset for Loopback {
    fn preset(&self) -> SocketAddr {
        self.default
    }
}

/// The path under which the host hands requests to a component.
#[derive(Debug)]
pub(in crate::settings) struct MountPath;

impl Kind for MountPath {
    type Value = String;
    const TYPE: &'static str = "text";
    const IS_TEXT: bool = true;

    fn read(&self, loose: &Loose) -> Result<String, Refusal> {
        mount_path(loose.text()?).ok_or(Refusal::Value)
    }

    fn allowed(&self) -> String {
        "a path such as \"/shop\": it starts with a slash, and its segments are letters, digits and \
         any of -._~!$&'()*+,;=:@"
            .to_owned()
    }

    fn default_text(&self) -> String {
        "\"/\" and the component's name; \"/\" alone where `mount.host` is named".to_owned()
    }

    fn json(&self, value: &String) -> Json {
        value.as_str().into()
    }

    fn schema(&self) -> Json {
        json!({"type": "string"})
    }
}

/// The host name for which the host hands requests to a component.
#[derive(Debug)]
pub(in crate::settings) struct HostName;

impl Kind for HostName {
    type Value = String;
    const TYPE: &'static str = "text";
    const IS_TEXT: bool = true;

    fn read(&self, loose: &Loose) -> Result<String, Refusal> {
        host_name(loose.text()?).ok_or(Refusal::Value)
    }

    fn allowed(&self) -> String {
        "a DNS name in ASCII (\"xn--\" for others) or an IP address, without a port, such as \
         \"shop.example.com\""
            .to_owned()
    }

    fn default_text(&self) -> String {
        "any".to_owned()
    }

    fn json(&self, value: &String) -> Json {
        value.as_str().into()
    }

    fn schema(&self) -> Json {
        json!({"type": "string"})
    }
}

/// Takes the path of a mount without the slash at its end, if it is one; `/` stays.
pub(in crate::settings) fn mount_path(path: &str) -> Option<String> {
    if path == "/" {
        return Some(path.to_owned());
    }
    let is_in_segment = |b: u8| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&b);
    let is_segment =
        |segment: &str| !matches!(segment, "" | "." | "..") && segment.bytes().all(is_in_segment);
    let path = path.strip_suffix('/').unwrap_or(path);
    let is_path =
        path.len() <= PATH_BYTES_MAX && path.strip_prefix('/')?.split('/').all(is_segment);
    is_path.then(|| path.to_owned())
}

/// Takes a host name in the one spelling it is compared in, if it is one.
pub(in crate::settings) fn host_name(name: &str) -> Option<String> {
    if let Ok(address) = name.parse::<IpAddr>() {
        return Some(address.to_canonical().to_string());
    }
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_in_label = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(is_in_label)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    // Digits at the end are an IPv4 address gone wrong: no top-level domain is a number.
    let last = name.rsplit('.').next()?;
    let is_number = last.bytes().all(|b| b.is_ascii_digit());
    let is_name = name.len() <= 253 && !is_number && name.split('.').all(is_label);
    is_name.then(|| name.to_ascii_lowercase())
}
