//! Every setting there is, said once: checks, JSON, `--set` and the reference page follow from it.

use std::time::Duration;

use super::setting::{Definition, Scope};
use Scope::{Component, Host};

mod class;
mod component;
mod host;

pub(super) use class::*;
pub(super) use component::*;
pub(super) use host::*;

/// All settings, in the order of the reference page.
pub(super) static SETTINGS: &[&dyn Definition] = &[
    &HTTP_ENABLED,
    &HTTP_PORT,
    &ADDRESSES,
    &ROOT_FOLDER,
    &HOME_PAGE,
    &REQUEST_SIZE,
    &PROCESSES,
    &SERVER_CONNECTIONS,
    &SERVER_HEADER_TIMEOUT,
    &SERVER_KEEP_ALIVE_TIMEOUT,
    &SERVER_DRAIN_TIMEOUT,
    &ADMIN_ENABLED,
    &ADMIN_ADDRESS,
    &ADMIN_ACCESS_KEY,
    &LOG_LEVEL,
    &LOG_FORMAT,
    &ENGINE_INSTANCES,
    &ENGINE_CODE_CACHE,
    &MOUNT_PATH,
    &MOUNT_HOST,
    &MOUNT_STRIP,
    &POOL_POLICY,
    &POOL_MIN,
    &POOL_MAX,
    &POOL_REQUESTS,
    &POOL_QUEUE_TIMEOUT,
    &LIMITS_MEMORY,
    &LIMITS_DEADLINE,
    &LIMITS_RESPONSE,
    &ENVIRONMENT,
];

/// Tessera's own tables, each with its scope and what it is about.
pub(super) static TABLES: &[(&str, Scope, &str)] = &[
    (
        "server",
        Host,
        "The connections of the whole process, and how it ends.",
    ),
    ("admin", Host, "The admin endpoint."),
    ("log", Host, "The process's log."),
    ("engine", Host, "What all components share."),
    (
        "mount",
        Component,
        "Where the host's server hands requests to the component.",
    ),
    (
        "pool",
        Component,
        "The instances kept for the next web process.",
    ),
    ("limits", Component, "What one web process may use."),
    (
        "environment",
        Component,
        "Environment variables, by name, that the component can read.",
    ),
];

/// Properties that are shown and cannot be set.
pub(super) static READ_ONLY: &[&str] = &[
    "isRunning",
    "name",
    "openSSLVersion",
    "perfectForwardSecrecy",
    "sessionCookieName",
];

/// Properties and tables that have a meaning, but not yet in this version.
pub(super) static NOT_YET: &[&str] = &[
    "accessKeyDefined",
    "cache",
    "certificateFolder",
    "characterSet",
    "cipherSuite",
    "CORSEnabled",
    "CORSSettings",
    "debugLog",
    "handlers",
    "HSTSEnabled",
    "HSTSMaxAge",
    "HTTPCompressionLevel",
    "HTTPCompressionThreshold",
    "HTTPTrace",
    "HTTPSEnabled",
    "HTTPSPort",
    "inactiveProcessTimeout",
    "inactiveSessionTimeout",
    "keepSession",
    "logRecording",
    "maxSessions",
    "minTLSVersion",
    "permissions",
    "quotas",
    "rules",
    "scalableSession",
    "sessionCookieDomain",
    "sessionCookiePath",
    "sessionCookieSameSite",
    "sessionIPAddressValidation",
    "admin.https_address",
];

/// Finds a setting by its table (empty at the top level) and its name there.
pub(super) fn find(table: &str, name: &str) -> Option<&'static dyn Definition> {
    let is_it = |definition: &&&dyn Definition| {
        let is_name = definition.name() == name || (definition.is_any_name() && !name.is_empty());
        definition.table() == table && is_name
    };
    SETTINGS.iter().find(is_it).copied()
}

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

const fn minutes(count: u64) -> Duration {
    Duration::from_secs(60 * count)
}
