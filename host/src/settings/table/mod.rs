//! Every setting there is, said once: checks, JSON, `--set` and the reference page follow from it.

use std::time::Duration;

use super::setting::{Definition, Scope};
use Scope::{Both, Component, Host};

mod authentication;
mod class;
mod component;
mod files;
mod host;
mod limits;
mod logs;
mod outbound;
mod proxy;
mod reload;
mod responses;
mod sessions;
mod traces;
mod web;

pub(super) use authentication::*;
pub(super) use class::*;
pub(super) use component::*;
pub(super) use files::*;
pub(super) use host::*;
pub(super) use limits::*;
pub(super) use logs::*;
pub(super) use outbound::*;
pub(super) use proxy::*;
pub(super) use reload::*;
pub(super) use responses::*;
pub(super) use sessions::*;
pub(super) use traces::*;
pub(super) use web::*;

/// All settings, in the order of the reference page.
pub(super) static SETTINGS: &[&dyn Definition] = &[
    &HTTP_ENABLED,
    &HTTP_PORT,
    &HTTPS_ENABLED,
    &HTTPS_PORT,
    &ADDRESSES,
    &CERTIFICATE_FOLDER,
    &MIN_TLS_VERSION,
    &CIPHER_SUITE,
    &ROOT_FOLDER,
    &HOME_PAGE,
    &REQUEST_SIZE,
    &PROCESSES,
    &HTTP_TRACE,
    &CHARACTER_SET,
    &COMPRESSION_LEVEL,
    &COMPRESSION_THRESHOLD,
    &CORS_ENABLED,
    &CORS_SETTINGS,
    &HSTS_ENABLED,
    &HSTS_MAX_AGE,
    &RULES,
    &HANDLERS,
    &SCALABLE_SESSION,
    &KEEP_SESSION,
    &PROCESS_TIMEOUT,
    &SESSION_TIMEOUT,
    &MAX_SESSIONS,
    &COOKIE_DOMAIN,
    &COOKIE_PATH,
    &COOKIE_SAME_SITE,
    &SESSION_ADDRESS,
    &DEBUG_LOG,
    &LOG_RECORDING,
    &KEEP_ALIVE_ENABLED,
    &KEEP_ALIVE_REQUESTS,
    &KEEP_ALIVE_TIMEOUT,
    &LAUNCH,
    &EXTENDED_CHARACTERS,
    &SYNC_URLS,
    &WEBLOG_FIELDS,
    &WEBLOG_ROTATION,
    &WEBLOG_KEEP,
    &WEBLOG_MASK,
    &RATE_REQUESTS,
    &RATE_BURST,
    &SESSION_STORE,
    &SESSIONS_SIZE,
    &SESSION_SIZE,
    &SESSION_ROLES,
    &FILES_LISTING,
    &FILES_CLEAN_URLS,
    &FILES_FALLBACK,
    &CACHE_ENABLED,
    &CACHE_SIZE,
    &CACHE_OWN_SIZE,
    &CACHE_OBJECT_SIZE,
    &CACHE_REVALIDATE,
    &SERVER_CONNECTIONS,
    &SERVER_ADDRESS_CONNECTIONS,
    &SERVER_HEADER_TIMEOUT,
    &SERVER_BODY_TIMEOUT,
    &SERVER_SEND_TIMEOUT,
    &SERVER_MIN_RATE,
    &SERVER_DRAIN_TIMEOUT,
    &TLS_HANDSHAKE_TIMEOUT,
    &PROXY_TRUSTED,
    &PROXY_HEADER,
    &PROXY_PROTOCOL,
    &ADMIN_ENABLED,
    &ADMIN_ADDRESS,
    &ADMIN_ACCESS_KEY,
    &ADMIN_HEALTH_ADDRESS,
    &ADMIN_HEALTH_METRICS,
    &LOG_LEVEL,
    &LOG_FORMAT,
    &LOG_DIAGNOSTIC,
    &ENGINE_INSTANCES,
    &ENGINE_PRESSURE,
    &ENGINE_CODE_CACHE,
    &ENGINE_CORE_DUMPS,
    &OUTBOUND_CA_FILE,
    &TRACES_ENDPOINT,
    &TRACES_SAMPLE,
    &TRACES_TRUST,
    &TRACES_HEADERS,
    &TRACES_TIMEOUT,
    &TRACES_QUEUE,
    &TRACES_SERVICE,
    &MOUNT_PATH,
    &MOUNT_HOST,
    &MOUNT_STRIP,
    &AUTHENTICATION_MODE,
    &AUTHENTICATION_REALM,
    &AUTHENTICATION_USERS,
    &POOL_POLICY,
    &POOL_MIN,
    &POOL_MAX,
    &POOL_CONCURRENCY,
    &POOL_REQUESTS,
    &POOL_GROWTH,
    &POOL_QUEUE,
    &POOL_QUEUE_TIMEOUT,
    &LIMITS_MEMORY,
    &LIMITS_TABLES,
    &LIMITS_DEADLINE,
    &LIMITS_STREAM,
    &LIMITS_CPU,
    &LIMITS_RESPONSE,
    &LIMITS_OUTBOUND,
    &LIMITS_CALL,
    &LIMITS_HANDLES,
    &RELOAD_NEW_IMPORTS,
    &RELOAD_PROBE,
    &RELOAD_TRIAL,
    &RELOAD_TRAPS,
    &CONTROL,
    &COMPONENTS,
    &FOLDERS,
    &HOSTS,
    &ENVIRONMENT,
    &SECRETS,
    &CONFIG,
    &KEYVALUE,
];

/// One of Tessera's own tables.
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) scope: Scope,
    /// One sentence for the reference page.
    pub(super) doc: &'static str,
}

/// Tessera's own tables, in the order of the reference page.
pub(super) static TABLES: &[Table] = &[
    Table {
        name: "keep_alive",
        scope: Both,
        doc: "Connections that are kept for further requests.",
    },
    Table {
        name: "web",
        scope: Both,
        doc: "The web server, where the WebServer class has no property for it.",
    },
    Table {
        name: "weblog",
        scope: Both,
        doc: "The access log and the debug log of the web server: see `logs.md`.",
    },
    Table {
        name: "rate_limit",
        scope: Both,
        doc: "How often one client may ask.",
    },
    Table {
        name: "sessions",
        scope: Both,
        doc: "Scalable sessions.",
    },
    Table {
        name: "files",
        scope: Both,
        doc: "What is answered where a URL names no file.",
    },
    Table {
        name: "cache",
        scope: Both,
        doc: "Static files in memory.",
    },
    Table {
        name: "server",
        scope: Host,
        doc: "The connections of the whole process, and how it ends.",
    },
    Table {
        name: "tls",
        scope: Host,
        doc: "TLS of the whole process.",
    },
    Table {
        name: "proxy",
        scope: Host,
        doc: "Proxies in front of the whole process.",
    },
    Table {
        name: "admin",
        scope: Host,
        doc: "The admin endpoint.",
    },
    Table {
        name: "log",
        scope: Host,
        doc: "The process's log.",
    },
    Table {
        name: "engine",
        scope: Host,
        doc: "What all components share.",
    },
    Table {
        name: "outbound",
        scope: Host,
        doc: "Requests of components to other servers.",
    },
    Table {
        name: "traces",
        scope: Host,
        doc: "What is recorded of requests, for a collector of traces: see `traces.md`.",
    },
    Table {
        name: "mount",
        scope: Component,
        doc: "Where the host's server hands requests to the component.",
    },
    Table {
        name: "authentication",
        scope: Component,
        doc: "Names and passwords that the host asks for.",
    },
    Table {
        name: "pool",
        scope: Component,
        doc: "The instances kept for the next web process.",
    },
    Table {
        name: "limits",
        scope: Component,
        doc: "What one web process may use.",
    },
    Table {
        name: "reload",
        scope: Component,
        doc: "What a new version of the component must pass before, and after, it takes over.",
    },
    Table {
        name: "permissions",
        scope: Component,
        doc: "What the component may do beside answering requests.",
    },
    Table {
        name: "environment",
        scope: Component,
        doc: "Environment variables, by name, that the component can read.",
    },
    Table {
        name: "secrets",
        scope: Component,
        doc: "Secrets, by name, each in a file of its own that only its owner and group can read. \
              They are read when the component is loaded, and again by a reload.",
    },
    Table {
        name: "config",
        scope: Component,
        doc: "Values, by name, that the component reads through `wasi:config/store`.",
    },
    Table {
        name: "keyvalue",
        scope: Component,
        doc: "Buckets, by name, that the component opens through `wasi:keyvalue`.",
    },
];

/// A property that is shown and cannot be set.
pub(super) struct ReadOnly {
    pub(super) name: &'static str,
    /// Its type in JSON Schema.
    pub(super) schema_type: &'static str,
    /// One sentence for the reference page.
    pub(super) doc: &'static str,
}

/// Properties that are shown and cannot be set.
pub(super) static READ_ONLY: &[ReadOnly] = &[
    ReadOnly {
        name: "accessKeyDefined",
        schema_type: "boolean",
        doc: "Whether admin has an access key; always false for a component, which has no admin.",
    },
    ReadOnly {
        name: "isRunning",
        schema_type: "boolean",
        doc: "Whether the web server runs.",
    },
    ReadOnly {
        name: "name",
        schema_type: "string",
        doc: "Its name: the component's, or that of the site's folder for the host.",
    },
    ReadOnly {
        name: "openSSLVersion",
        schema_type: "string",
        doc: "The TLS library and its version.",
    },
    ReadOnly {
        name: "perfectForwardSecrecy",
        schema_type: "boolean",
        doc: "Whether every TLS connection has keys of its own that nobody can work out later.",
    },
    ReadOnly {
        name: "sessionCookieName",
        schema_type: "string",
        doc: "The name of the session cookie.",
    },
];

/// Properties and settings that have a meaning, but not yet in this version.
pub(super) static NOT_YET: &[&str] = &["quotas", "admin.https_address"];

/// Settings that have another key now.
pub(super) static RENAMED: &[(&str, &str)] = &[("server.keep_alive_timeout", "keep_alive.timeout")];

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
