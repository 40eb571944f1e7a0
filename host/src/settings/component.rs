//! The strict settings of one component: its web server, mount, pool, limits and environment.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value as Json};

use super::allowed_hosts::AllowedHosts;
use super::authentication::Authentication;
use super::error::{Fault, Place, SettingsError};
use super::folders::Base;
use super::grants::{FolderGrant, Grants, read_folders, read_grants};
use super::kind::network::mount_path;
use super::overrides::Override;
use super::reader::Reader;
use super::rule::{Handler, Handlers};
use super::setting::{Change, Definition, Scope, Values};
use super::table;
use super::web_server::Web;

/// Everything that a component's `settings.toml` decides.
#[derive(Clone, Debug, PartialEq)]
pub struct ComponentSettings {
    /// Its web server; it has ports only when it named one.
    pub web: Web,
    /// Where the host hands requests to it; none when it has only its own port.
    pub mount: Option<Mount>,
    /// The instances kept.
    pub pool: Pool,
    /// What one web process may use.
    pub limits: Limits,
    /// What a new version must pass.
    pub reload: Reload,
    /// What the component may do beside answering requests.
    pub permissions: Permissions,
    /// What the component reads as environment variables.
    pub environment: Environment,
    /// Secrets, configuration and key-value buckets.
    pub grants: Grants,
    values: Values,
}

/// `[mount]`: where the host's server hands requests to a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Begins with a slash and, but for `/` itself, does not end with one.
    pub path: String,
    /// A host name in lower case, or an IP address without brackets; none is any.
    pub host: Option<String>,
    /// Whether the path is taken off what the component sees.
    pub strip: bool,
}

/// `[pool]`: the instances kept for the next web process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Whether instances are kept at all.
    pub policy: Policy,
    /// The instances kept ready however quiet it is; not above `max`.
    pub min: u32,
    /// The idle instances kept for the next requests.
    pub max: u32,
    /// The requests that an instance serves at a time, with `concurrent`.
    pub concurrency: u32,
    /// The requests after which an instance is retired; none is no limit.
    pub requests_max: Option<u64>,
    /// The growth, in bytes, after which an instance is retired.
    pub growth_bytes_max: u64,
    /// The requests that wait when the engine has no instance to give.
    pub queue_max: u32,
    /// How long a request waits for an instance when the engine has none to give.
    pub queue_timeout: Duration,
}

/// How long an instance lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// What suits the component: that of the Tessera world reuses, one of wasi:http 0.2 is fresh, one of 0.3 concurrent.
    Auto,
    /// It serves several requests at a time.
    Concurrent,
    /// It serves one request after another.
    Reuse,
    /// It serves a single request.
    Fresh,
    /// It serves the requests of one legacy session.
    Session,
}

/// `[limits]`: what one web process may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The memory of one instance.
    pub memory_bytes: u64,
    /// The elements of all tables of one instance.
    pub table_elements: u32,
    /// The wall-clock time of one web process.
    pub deadline: Duration,
    /// The wall-clock time of a response that is sent piece by piece.
    pub stream_time: Duration,
    /// The time that one web process may compute.
    pub cpu_time: Duration,
    /// The largest response body.
    pub response_bytes: u64,
    /// The requests that one web process may send to other servers.
    pub outbound_calls: u32,
    /// The bytes that one call of a host function may pass.
    pub call_bytes: u64,
    /// The handles that one instance may hold.
    pub handles: u32,
}

/// `[reload]`: what a new version must pass before, and after, it takes over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reload {
    /// Whether it may import more than the version before.
    pub accept_new_imports: bool,
    /// The URL that it is asked for before it takes over.
    pub probe: Option<String>,
    /// Its first requests, during which it may be taken back; 0 is none.
    pub trial_requests: u64,
    /// The traps among them that take it back; at least 1.
    pub rollback_after_traps: u64,
}

/// `[permissions]`: what the component may do beside answering requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permissions {
    /// The servers that it may start and stop: names, `self`, `host`, or `*` for all but itself.
    pub control: Vec<String>,
    /// The folders that it may use.
    pub folders: Vec<FolderGrant>,
    /// The servers that it may send requests to.
    pub hosts: AllowedHosts,
    /// The servers of this process that it may send requests to: names, `self`, `host`, or `*` for all but itself.
    pub components: Vec<String>,
}

/// `[environment]`: variables for the component. Only the names are ever printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Environment(pub(super) BTreeMap<String, String>);

impl Environment {
    /// Lists the variables, name and value, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl ComponentSettings {
    /// Reads `settings.toml` in the folder of a component, and lays the overrides above it; a bare
    /// module has neither folder nor file, and so the defaults below the overrides.
    ///
    /// # Errors
    ///
    /// With every fault that there is, so that all can be mended at once.
    pub fn load(
        name: &str,
        folder: Option<&Path>,
        overrides: &[Override],
    ) -> Result<Self, SettingsError> {
        let file = folder.map(|folder| folder.join("settings.toml"));
        let reader = Reader::open(Scope::Component, file.as_deref(), overrides);
        Self::read(name, folder, reader)
    }

    pub(super) fn read(
        name: &str,
        folder: Option<&Path>,
        mut reader: Reader,
    ) -> Result<Self, SettingsError> {
        let base = Base::of_component(folder);
        let mut web = Web::read(&mut reader, Scope::Component, &base);
        web.authentication = Authentication::read(&mut reader, name);
        check_handlers(name, &mut reader, &web.requests.handlers);
        let environment = reader.variables(&table::ENVIRONMENT);
        let is_legacy = web.legacy.is_some();
        Ok(Self {
            web,
            mount: read_mount(name, &mut reader),
            pool: read_pool(&mut reader, is_legacy),
            limits: Limits {
                memory_bytes: reader.value(&table::LIMITS_MEMORY),
                table_elements: reader.value(&table::LIMITS_TABLES),
                deadline: reader.value(&table::LIMITS_DEADLINE),
                stream_time: reader.value(&table::LIMITS_STREAM),
                cpu_time: reader.value(&table::LIMITS_CPU),
                response_bytes: reader.value(&table::LIMITS_RESPONSE),
                outbound_calls: reader.value(&table::LIMITS_OUTBOUND),
                call_bytes: reader.value(&table::LIMITS_CALL),
                handles: reader.value(&table::LIMITS_HANDLES),
            },
            reload: Reload {
                accept_new_imports: reader.value(&table::RELOAD_NEW_IMPORTS),
                probe: reader.value(&table::RELOAD_PROBE),
                trial_requests: reader.value(&table::RELOAD_TRIAL),
                rollback_after_traps: reader.value(&table::RELOAD_TRAPS),
            },
            permissions: Permissions {
                control: reader.value(&table::CONTROL),
                folders: read_folders(&mut reader, &base),
                hosts: reader.value(&table::HOSTS),
                components: reader.value(&table::COMPONENTS),
            },
            grants: read_grants(&mut reader, &base, &environment),
            environment: Environment(environment),
            values: reader.finish()?,
        })
    }

    /// Gives the properties of the WebServer class that are settings; those that are only shown are
    /// the caller's to add. Those of legacy sessions are left out where there are scalable ones.
    /// `HTTPPort` and `HTTPSPort` are null where there is none, and so are the folders of a bare module.
    pub fn properties(&self) -> Map<String, Json> {
        self.values.properties()
    }

    /// What the component was granted: the settings of `[permissions]`, and the names of its environment variables.
    pub fn granted(&self) -> Map<String, Json> {
        let mut granted = self.values.of_table("permissions");
        let names = self.environment.iter().map(|(name, _)| name);
        granted.insert("environment".to_owned(), names.collect());
        let grants = &self.grants;
        let secrets: Json = grants.secrets.keys().map(String::as_str).collect();
        let config = grants.config.iter().map(|(name, _)| name);
        let buckets: Json = grants.buckets.keys().map(String::as_str).collect();
        granted.insert("secrets".to_owned(), secrets);
        granted.insert("config".to_owned(), config.collect());
        granted.insert("keyvalue".to_owned(), buckets);
        granted
    }

    /// Lists what newer settings change, and what it takes for each change to hold.
    pub fn changes(&self, newer: &Self) -> Vec<Change> {
        let mut changes = self.values.changes(&newer.values);
        let (old, new) = (&self.grants, &newer.grants);
        let tables: [(bool, &dyn Definition); 4] = [
            (self.environment != newer.environment, &table::ENVIRONMENT),
            (old.secrets != new.secrets, &table::SECRETS),
            (old.config != new.config, &table::CONFIG),
            (old.buckets != new.buckets, &table::KEYVALUE),
        ];
        for (_, setting) in tables.iter().filter(|(differs, _)| *differs) {
            changes.push(Change {
                key: setting.table(),
                effect: setting.effect(),
            });
        }
        changes
    }

    pub(super) fn values(&self) -> &Values {
        &self.values
    }
}

/// A component answers with methods of its own: those of others are theirs to offer, and the host's.
fn check_handlers(name: &str, reader: &mut Reader, handlers: &Handlers) {
    let is_other = |handler: &Handler| handler.class.as_ref().is_some_and(|class| class != name);
    if let Some(index) = handlers.list.iter().position(is_other) {
        let reason = format!(
            "entry {}: class must be \"{name}\" or left out: a component answers with its own methods",
            index + 1
        );
        reader.refuse(&[&table::HANDLERS], reason);
    }
}

fn read_mount(name: &str, reader: &mut Reader) -> Option<Mount> {
    let path = reader.named(&table::MOUNT_PATH);
    let host = reader.named(&table::MOUNT_HOST);
    let strip = reader.value(&table::MOUNT_STRIP);
    let has_port = reader.is_written(&table::HTTP_PORT) || reader.is_written(&table::HTTPS_PORT);
    if has_port && !reader.has_table("mount") {
        return None;
    }
    let has_path = reader.is_written(&table::MOUNT_PATH);
    let path = match (path, &host) {
        (Some(path), _) => path,
        // A component with a host name of its own has all of its paths.
        (None, Some(_)) => "/".to_owned(),
        (None, None) => {
            let path = if name.is_empty() || name.contains('/') {
                None
            } else {
                mount_path(&format!("/{name}"))
            };
            if path.is_none() && !has_path {
                let reason = "the name cannot be part of a URL: use letters, digits and any of \
                              -._~ only, or name [mount] path";
                reader.add(Fault::of_place(
                    Place::ComponentName(name.to_owned()),
                    reason,
                ));
            }
            path.unwrap_or_default()
        }
    };
    Some(Mount { path, host, strip })
}

/// Legacy sessions keep the instances, and nothing else does beside them.
fn read_policy(reader: &mut Reader, is_legacy: bool) -> Policy {
    let policy = reader.value(&table::POOL_POLICY);
    match (is_legacy, policy) {
        (false, Policy::Session) => {
            let reason = "\"session\" needs keepSession = true (and scalableSession = false)";
            reader.refuse(&[&table::POOL_POLICY, &table::KEEP_SESSION], reason);
        }
        (true, Policy::Auto | Policy::Session) => return Policy::Session,
        (true, _) => {
            let reason = "must be \"session\", or left out, with keepSession = true: instances belong to sessions then";
            reader.refuse(&[&table::POOL_POLICY, &table::KEEP_SESSION], reason);
        }
        (false, _) => {}
    }
    policy
}

fn read_pool(reader: &mut Reader, is_legacy: bool) -> Pool {
    let pool = Pool {
        policy: read_policy(reader, is_legacy),
        min: reader.value(&table::POOL_MIN),
        max: reader.value(&table::POOL_MAX),
        concurrency: reader.value(&table::POOL_CONCURRENCY),
        requests_max: Some(reader.value(&table::POOL_REQUESTS)).filter(|max| *max > 0),
        growth_bytes_max: reader.value(&table::POOL_GROWTH),
        queue_max: reader.value(&table::POOL_QUEUE),
        queue_timeout: reader.value(&table::POOL_QUEUE_TIMEOUT),
    };
    // The default of `min` is 0, so it was written when it is above `max`.
    if pool.min > pool.max {
        reader.refuse(
            &[&table::POOL_MIN, &table::POOL_MAX],
            format!("pool.min must not be above pool.max, which is {}", pool.max),
        );
    }
    pool
}
