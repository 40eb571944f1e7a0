//! `CORSSettings`: the hosts whose pages may ask, and with which methods.

use std::net::Ipv4Addr;

use serde_json::{Value as Json, json};

use super::network::host_name;
use super::{Kind, Preset, Refusal};
use crate::settings::error::shown;
use crate::settings::file::Loose;
use crate::settings::web_server::CorsRule;

/// Every request from another host's page is compared with all of them.
const RULES_MAX: usize = 1_000;
const METHODS: [&str; 8] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH",
];

/// A list of `{host, methods}`.
#[derive(Debug)]
pub(in crate::settings) struct CorsRules;

impl Kind for CorsRules {
    type Value = Vec<CorsRule>;
    const TYPE: &'static str = "list of tables";

    fn read(&self, loose: &Loose) -> Result<Vec<CorsRule>, Refusal> {
        let Loose::List(list) = loose else {
            return Err(Refusal::Type);
        };
        if list.len() > RULES_MAX {
            return Err(Refusal::Value);
        }
        let mut rules = Vec::new();
        for (index, entry) in list.iter().enumerate() {
            // One long list is hard to search: the entry is told.
            let rule = rule(entry)
                .map_err(|reason| Refusal::Because(format!("entry {}: {reason}", index + 1)))?;
            rules.extend(rule);
        }
        Ok(rules)
    }

    fn allowed(&self) -> String {
        format!(
            "a list of at most {RULES_MAX} {{host, methods}}; host is an address (192.168.5.17), a part of \
             one (192.168.*), a name (www.example.com), all below a name (*.example.com), each with or \
             without http:// or https:// before and a port behind it, or *; methods are any of {}, joined \
             by semicolons, or \"\" for all",
            METHODS.join(", ")
        )
    }

    fn default_text(&self) -> String {
        "[]".to_owned()
    }

    fn json(&self, value: &Vec<CorsRule>) -> Json {
        let rule = |rule: &CorsRule| json!({"host": rule.host, "methods": rule.methods.join(";")});
        value.iter().map(rule).collect()
    }

    fn schema(&self) -> Json {
        let text = json!({"type": ["string", "null"]});
        json!({
            "type": "array",
            "maxItems": RULES_MAX,
            "items": {
                "type": "object",
                "properties": {"host": text, "methods": text},
                "additionalProperties": false,
            },
            "default": [],
        })
    }
}

impl Preset for CorsRules {
    fn preset(&self) -> Vec<CorsRule> {
        Vec::new()
    }
}

/// Reads one entry; one without a host is ignored, as the documents have it.
fn rule(entry: &Loose) -> Result<Option<CorsRule>, String> {
    let Loose::Table(members) = entry else {
        return Err(format!(
            "must be {{host, methods}}, not {}",
            entry.type_name()
        ));
    };
    let (mut host, mut methods) = ("", "");
    for (name, value) in members {
        let member = match name.as_str() {
            "host" => &mut host,
            "methods" => &mut methods,
            other => {
                return Err(format!(
                    "has no \"{}\": only host and methods",
                    shown(other)
                ));
            }
        };
        let wrong = |_| format!("{name} must be a text, not {}", value.type_name());
        *member = value.text().map_err(wrong)?;
    }
    let methods = read_methods(methods)?;
    if host.is_empty() {
        return Ok(None);
    }
    let host = host.to_ascii_lowercase();
    if !is_host(&host) {
        let forms = "192.168.5.17, 192.168.*, www.example.com or *.example.com, with or without \
                     http:// or https:// before and a port behind it, or *";
        return Err(format!(
            "host \"{}\" must be one of the forms {forms}",
            shown(&host)
        ));
    }
    Ok(Some(CorsRule { host, methods }))
}

fn read_methods(text: &str) -> Result<Vec<String>, String> {
    let mut methods: Vec<String> = Vec::new();
    for name in text
        .split(';')
        .map(str::trim)
        .filter(|name| !name.is_empty())
    {
        let Some(method) = METHODS
            .iter()
            .find(|method| method.eq_ignore_ascii_case(name))
        else {
            let known = METHODS.join(", ");
            return Err(format!("method \"{}\" must be one of {known}", shown(name)));
        };
        if !methods.iter().any(|known| known == method) {
            methods.push((*method).to_owned());
        }
    }
    Ok(methods)
}

/// Whether a text in lower case is one of the ten forms of the documents, or a combination of their parts.
fn is_host(text: &str) -> bool {
    if text == "*" {
        return true;
    }
    let schemes = ["http://", "https://"];
    let rest = schemes.iter().find_map(|scheme| text.strip_prefix(scheme));
    let rest = rest.unwrap_or(text);
    let (host, has_right_port) = match rest.split_once(':') {
        Some((host, port)) => (host, is_port(port)),
        None => (rest, true),
    };
    has_right_port && (is_address_part(host) || is_name(host))
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u16>().is_ok_and(|port| port > 0)
}

/// `10.0.0.1`, or `10.0.*` and its like.
fn is_address_part(text: &str) -> bool {
    let Some(part) = text.strip_suffix(".*") else {
        return text.parse::<Ipv4Addr>().is_ok();
    };
    let given = part.split('.').count();
    given < 4
        && format!("{part}{}", ".0".repeat(4 - given))
            .parse::<Ipv4Addr>()
            .is_ok()
}

/// `www.example.com`, or `*.example.com`.
fn is_name(text: &str) -> bool {
    let name = text.strip_prefix("*.").unwrap_or(text);
    // Sandboxed pages of anybody have the origin "null"; who means them writes *.
    let is_other = name.ends_with('.') || name == "null" || name.parse::<Ipv4Addr>().is_ok();
    !is_other && host_name(name).is_some_and(|found| found == name)
}

#[cfg(test)]
mod tests {
    use super::is_host;

    #[test]
    fn hosts_are_of_the_documented_forms() {
        let right = [
            "192.168.5.17:8081",
            "192.168.5.17",
            "192.168.*",
            "192.168.*:8081",
            "http://192.168.5.17:8081",
            "http://*.mydomain.com",
            "http://myproject.mydomain.com",
            "*.mydomain.com",
            "myproject.mydomain.com",
            "*",
            "10.*",
            "10.1.2.*",
            "https://localhost:3000",
            "*.mydomain.com:8081",
            "xn--bcher-kva.example",
        ];
        for host in right {
            assert!(is_host(host), "{host}");
        }
        let wrong = [
            "",
            "**",
            "*.*",
            "*:80",
            "http://*",
            "ftp://a.b",
            "http://",
            "http://a.b/",
            "a.b/c",
            "a.b:0",
            "a.b:65536",
            "a.b:+1",
            "a.b:",
            "a.*",
            "192.*.5.17",
            "192.168.5.17.*",
            "192.168.5.300",
            "*.10.0.0.1",
            "192.168.",
            "user@a.b",
            "a b",
            "a..b",
            "a.b.",
            "größe.de",
            "[::1]:80",
            "::1",
            "a.b\r\nx: y",
            "null",
        ];
        for host in wrong {
            assert!(!is_host(host), "{host}");
        }
    }
}
