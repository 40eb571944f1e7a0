//! The strict settings of the host: its web server, admin, the log and the engine.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Map, Value as Json};

use super::error::SettingsError;
use super::folders::Base;
use super::overrides::Override;
use super::reader::Reader;
use super::setting::{Change, Definition, Scope, Values};
use super::table;
use super::web_server::Web;
use crate::http::Proxies;

/// Everything that `tessera.toml` and `--set` decide.
#[derive(Clone, Debug, PartialEq)]
pub struct HostSettings {
    /// The full path of the site.
    pub site: PathBuf,
    /// The host's web server.
    pub web: Web,
    /// The connections of the whole process.
    pub connections: Connections,
    /// `[proxy]`: the proxies in front.
    pub proxies: Proxies,
    /// The admin endpoint; none when it is switched off.
    pub admin: Option<Admin>,
    /// The health endpoint; none when it has no address.
    pub health: Option<Health>,
    /// The process's log.
    pub log: Log,
    /// What all components share.
    pub engine: Engine,
    /// What is recorded of requests; none where there is no collector.
    pub traces: Option<Traces>,
    /// `[outbound] ca_file`: a file of authorities that components' requests trust as well; a full path.
    pub outbound_ca_file: Option<PathBuf>,
    values: Values,
}

/// `[server]` and `[tls]`: the connections of the whole process, and how it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connections {
    /// The open connections at the same time, over all listeners.
    pub max: u32,
    /// The same of one address; 0 is no limit.
    pub max_per_address: u32,
    /// How long a client may take to send the head of a request.
    pub header_timeout: Duration,
    /// How long a client may send nothing of a body.
    pub body_timeout: Duration,
    /// How long a client may take nothing of a response.
    pub send_timeout: Duration,
    /// Fewest bytes a second that a client must send or take; 0 for any.
    pub rate_min: u32,
    /// `[tls] handshake_timeout`: how long a client may take to agree on a TLS connection.
    pub handshake_timeout: Duration,
    /// How long requests in flight may take to finish when their web server stops.
    pub drain_timeout: Duration,
}

/// `[admin]`: the admin endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// A loopback address with a port.
    pub address: SocketAddr,
    /// The key that was set; without one the host makes one.
    pub access_key: Option<super::Secret>,
}

/// `[admin]`: the health endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Any address of this machine, with a port.
    pub address: SocketAddr,
    /// Whether it has the metrics, too, for whoever has the access key.
    pub metrics: bool,
}

/// `[log]`: the process's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// A level, or a list of `level` and `target=level`, as `tracing` filters are written.
    pub filter: String,
    /// How a line is written.
    pub format: LogFormat,
    /// What the diagnostic log has; none when there is none.
    pub diagnostic: Option<tracing::Level>,
}

/// How a line of the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs: one JSON object per line.
    Json,
}

/// `[traces]`: what is recorded of requests.
#[derive(Clone, Debug, PartialEq)]
pub struct Traces {
    /// Where spans are sent to.
    pub endpoint: http::Uri,
    /// Which part of the requests is recorded, from 0 to 1.
    pub sample: f64,
    /// Whether requests may say themselves that they are recorded.
    pub trust_parents: bool,
    /// A file of header fields for the collector; a full path.
    pub headers_file: Option<PathBuf>,
    /// How long the collector may take.
    pub timeout: Duration,
    /// The spans that wait to be sent.
    pub queue: u32,
    /// What the collector knows the process by.
    pub service_name: String,
}

/// `[engine]`: what all components share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engine {
    /// The instances of all components together.
    pub instances_max: u32,
    /// How much of the memory may be in use before room is made, in per cent.
    pub memory_pressure: u32,
    /// The core dumps of traps that are kept; 0 makes none.
    pub core_dumps: u32,
    /// Whether compiled code is kept in `.tessera/`.
    pub code_cache: bool,
}

impl HostSettings {
    /// Reads `tessera.toml` of a site, if there is one, and lays the overrides above it.
    ///
    /// # Errors
    ///
    /// With every fault that there is, so that all can be mended at once.
    pub fn load(site: &Path, overrides: &[Override]) -> Result<Self, SettingsError> {
        let file = site.join("tessera.toml");
        Self::read(site, Reader::open(Scope::Host, Some(&file), overrides))
    }

    pub(super) fn read(site: &Path, mut reader: Reader) -> Result<Self, SettingsError> {
        let base = Base::of_site(site);
        let web = Web::read(&mut reader, Scope::Host, &base);
        let admin_enabled = reader.value(&table::ADMIN_ENABLED);
        let admin = Admin {
            address: reader.value(&table::ADMIN_ADDRESS),
            access_key: reader.named(&table::ADMIN_ACCESS_KEY),
        };
        let health_metrics = reader.value(&table::ADMIN_HEALTH_METRICS);
        let health_address = reader.value(&table::ADMIN_HEALTH_ADDRESS);
        Ok(Self {
            web,
            connections: Connections {
                max: reader.value(&table::SERVER_CONNECTIONS),
                max_per_address: reader.value(&table::SERVER_ADDRESS_CONNECTIONS),
                header_timeout: reader.value(&table::SERVER_HEADER_TIMEOUT),
                body_timeout: reader.value(&table::SERVER_BODY_TIMEOUT),
                send_timeout: reader.value(&table::SERVER_SEND_TIMEOUT),
                rate_min: reader.value(&table::SERVER_MIN_RATE),
                handshake_timeout: reader.value(&table::TLS_HANDSHAKE_TIMEOUT),
                drain_timeout: reader.value(&table::SERVER_DRAIN_TIMEOUT),
            },
            proxies: Proxies {
                trusted: reader.value(&table::PROXY_TRUSTED),
                field: reader.value(&table::PROXY_HEADER),
                announce: reader.value(&table::PROXY_PROTOCOL),
            },
            admin: admin_enabled.then_some(admin),
            health: health_address.map(|address| Health {
                address,
                metrics: health_metrics,
            }),
            log: Log {
                filter: reader.value(&table::LOG_LEVEL),
                format: reader.value(&table::LOG_FORMAT),
                diagnostic: reader.value(&table::LOG_DIAGNOSTIC),
            },
            engine: Engine {
                instances_max: reader.value(&table::ENGINE_INSTANCES),
                memory_pressure: reader.value(&table::ENGINE_PRESSURE),
                core_dumps: reader.value(&table::ENGINE_CORE_DUMPS),
                code_cache: reader.value(&table::ENGINE_CODE_CACHE),
            },
            traces: traces(&mut reader, &base),
            outbound_ca_file: ca_file(&mut reader, &base),
            values: reader.finish()?,
            site: base.own.unwrap_or_default(),
        })
    }

    /// Gives the full path of `certificateFolder`, whatever else is wrong: where a pair is to be made that the settings
    /// ask for. None when that setting itself is wrong.
    pub fn certificate_folder(site: &Path, overrides: &[Override]) -> Option<PathBuf> {
        let file = site.join("tessera.toml");
        let reader = Reader::open(Scope::Host, Some(&file), overrides);
        let own = Base::of_site(site).own?;
        match reader.written(&table::CERTIFICATE_FOLDER).pop() {
            Some((folder, _)) => Some(own.join(folder)),
            None => Some(own).filter(|_| !reader.is_written(&table::CERTIFICATE_FOLDER)),
        }
    }

    /// Gives the properties of the WebServer class that are settings; those that are only shown are
    /// the caller's to add. Those of legacy sessions are left out where there are scalable ones.
    pub fn properties(&self) -> Map<String, Json> {
        self.values.properties()
    }

    /// Lists what newer settings change, and what it takes for each change to hold.
    pub fn changes(&self, newer: &Self) -> Vec<Change> {
        let mut changes = self.values.changes(&newer.values);
        let key = |settings: &Self| settings.admin.clone().and_then(|admin| admin.access_key);
        if key(self) != key(newer) {
            let setting = &table::ADMIN_ACCESS_KEY;
            changes.push(Change {
                key: setting.key,
                effect: setting.effect(),
            });
        }
        changes
    }

    /// Takes over newer settings of the web server; what belongs to the process stays as it is in use.
    pub fn adopt(&mut self, newer: &Self) {
        self.web = newer.web.clone();
        self.values.adopt(&newer.values);
    }

    pub(super) fn values(&self) -> &Values {
        &self.values
    }
}

fn ca_file(reader: &mut Reader, base: &Base) -> Option<PathBuf> {
    let file = reader.value(&table::OUTBOUND_CA_FILE)?;
    Some(in_site(base, file))
}

fn traces(reader: &mut Reader, base: &Base) -> Option<Traces> {
    let endpoint = reader.value(&table::TRACES_ENDPOINT);
    let sample = reader.value(&table::TRACES_SAMPLE);
    let trust_parents = reader.value(&table::TRACES_TRUST);
    let headers_file = reader.value(&table::TRACES_HEADERS);
    let timeout = reader.value(&table::TRACES_TIMEOUT);
    let queue = reader.value(&table::TRACES_QUEUE);
    let service_name = reader.value(&table::TRACES_SERVICE);
    Some(Traces {
        endpoint: endpoint?,
        sample,
        trust_parents,
        headers_file: headers_file.map(|file| in_site(base, file)),
        timeout,
        queue,
        service_name,
    })
}

/// The full path of a file of the settings.
fn in_site(base: &Base, file: PathBuf) -> PathBuf {
    match &base.own {
        Some(own) => own.join(&file),
        None => file,
    }
}
