//! A web server object as admin, the command line and components show it.

use std::net::{IpAddr, SocketAddr};

use serde_json::{Map, Value, json};

use tessera_engine::PoolStatistics;

use super::{Kind, Serving, State, WebServer};
use crate::sessions::cookie_name;
use crate::settings::declared_json;
use crate::tls::{self, ServerTls};

impl WebServer {
    /// Every property of the WebServer class, and after them what only Tessera knows: `kind`, `state`, `error`, `urls`,
    /// `pending`, `certificate`, `mount`, `generation`, `hooks`, `methods`, `declaredHandlers`, `processes`, `instances`,
    /// `accessLog`.
    pub fn properties(&self) -> Map<String, Value> {
        let serving = self.serving();
        let state = self.state();
        let status = self.status().lock();
        let mut all = match &serving {
            Some(serving) => serving.properties.clone(),
            None => status.stored.clone(),
        };
        // A port that the system picked is not the one of the settings.
        for held in &status.listeners {
            let key = if held.is_secured() {
                "HTTPSPort"
            } else {
                "HTTPPort"
            };
            all.insert(key.into(), held.address().port().into());
        }
        all.insert("name".into(), self.name().into());
        all.insert("isRunning".into(), serving.is_some().into());
        all.insert("openSSLVersion".into(), tls::library().into());
        // Every suite that the library has is one with forward secrecy.
        let has_tls = all.get("HTTPSEnabled") == Some(&true.into());
        all.insert("perfectForwardSecrecy".into(), has_tls.into());
        let cookie = cookie_name(self.name());
        all.insert("sessionCookieName".into(), cookie.into());
        all.insert("accessKeyDefined".into(), status.has_access_key.into());
        let kind = match self.kind() {
            Kind::Host => "host",
            Kind::Component => "component",
        };
        all.insert("kind".into(), kind.into());
        all.insert("state".into(), state.word().into());
        let error = status.error.as_ref().or(status.certificate_error.as_ref());
        all.insert("error".into(), error.cloned().into());
        all.insert("pending".into(), status.pending.clone().into());
        if let Some(tls) = &status.tls {
            all.insert("certificate".into(), certificate(tls));
        }
        let mut urls: Vec<String> = Vec::new();
        for held in &status.listeners {
            urls.push(url(held.address(), held.is_secured()));
        }
        all.insert("urls".into(), urls.into());
        drop(status);
        if let Some(serving) = &serving {
            self.add_serving(serving, &mut all);
        }
        all
    }

    fn add_serving(&self, serving: &Serving, all: &mut Map<String, Value>) {
        let processes = self.processes();
        all.insert(
            "processes".into(),
            json!({
                "current": processes.current(),
                "highest": processes.highest(),
                "refused": processes.refused(),
            }),
        );
        if let Some(log) = &serving.log {
            all.insert("accessLog".into(), log.document());
        }
        if self.kind() == Kind::Host {
            return;
        }
        let mount = serving
            .mount
            .as_ref()
            .map(|mount| json!({"path": mount.path, "host": mount.host, "strip": mount.strip}));
        all.insert("mount".into(), mount.unwrap_or_default());
        all.insert("generation".into(), serving.number.into());
        if let Some(generation) = &serving.generation {
            let hooks = generation.info().hooks;
            all.insert(
                "hooks".into(),
                json!({
                    "On Web Authentication": hooks.authentication,
                    "On Web Connection": hooks.connection,
                    "On Web Close Process": hooks.session_end,
                    "COMPILER_WEB": hooks.compiler,
                }),
            );
            let methods = generation
                .methods()
                .iter()
                .map(|m| json!({"name": m.name, "available": m.available}));
            all.insert("methods".into(), methods.collect());
            let declared = generation.handlers().iter().map(declared_json);
            all.insert("declaredHandlers".into(), declared.collect());
            all.insert("instances".into(), instances(&generation.statistics()));
        }
    }
}

/// The process pool of a component, as JSON.
pub(crate) fn instances(counts: &PoolStatistics) -> Value {
    let retired = &counts.retired;
    json!({
        "idle": counts.idle,
        "created": counts.created,
        "trapped": counts.trapped,
        "retired": {
            "requests": retired.requests,
            "growth": retired.growth,
            "limit": retired.limit,
            "surplus": retired.surplus,
            "room": retired.room,
            "memory": retired.memory,
            "session": retired.session,
        },
        "waiting": counts.waiting,
        "refused": counts.refused,
    })
}

/// What an operator wants to know of a certificate: whom it is for, and until when.
fn certificate(tls: &ServerTls) -> Value {
    let until = tls.not_after().map(httpdate::fmt_http_date);
    json!({"names": *tls.names(), "notAfter": until})
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Loading => "loading",
        }
    }
}

/// Where a browser on this machine reaches a port.
fn url(address: SocketAddr, is_secured: bool) -> String {
    let (scheme, standard) = if is_secured {
        ("https", 443)
    } else {
        ("http", 80)
    };
    let ip = match address.ip() {
        ip if ip.is_unspecified() => IpAddr::from([127, 0, 0, 1]),
        ip => ip,
    };
    match SocketAddr::new(ip, address.port()) {
        address if address.port() == standard && ip.is_ipv4() => format!("{scheme}://{ip}/"),
        address => format!("{scheme}://{address}/"),
    }
}

#[cfg(test)]
mod tests {
    use super::url;

    #[test]
    fn urls_are_what_a_browser_takes() {
        for (address, is_secured, expected) in [
            ("[::]:8080", false, "http://127.0.0.1:8080/"),
            ("0.0.0.0:80", false, "http://127.0.0.1/"),
            ("[::1]:81", false, "http://[::1]:81/"),
            ("0.0.0.0:443", true, "https://127.0.0.1/"),
            ("192.0.2.7:8443", true, "https://192.0.2.7:8443/"),
        ] {
            assert_eq!(url(address.parse().unwrap(), is_secured), expected);
        }
    }
}
