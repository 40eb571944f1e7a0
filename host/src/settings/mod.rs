//! What the operator wrote, turned into values that cannot be wrong.
//!
//! Two steps. `file` and `overrides` read what was written as it was written (*loose*: any key,
//! any type, and the place it stands at). `host` and `component` make strict values of it, small
//! structs per stage of a request, through the definitions in `table`: the one place that says
//! what exists, what is allowed, what the default is and when a change takes effect. Every fault is
//! collected, so that an operator sees all of them at once.

mod allowed_hosts;
mod assemble;
mod authentication;
mod component;
mod error;
mod file;
mod folders;
mod grants;
mod host;
mod json_file;
mod kind;
mod listing;
mod logs;
mod overrides;
mod reader;
mod reference;
mod rule;
mod schema;
mod sessions;
mod setting;
mod table;
mod unknown;
mod value;
mod web_server;

#[cfg(test)]
mod tests;

pub use allowed_hosts::{AllowedHosts, Destination};
pub use authentication::{Authentication, Mode};
pub use component::{
    ComponentSettings, Environment, Limits, Mount, Permissions, Policy, Pool, Reload,
};
pub use error::{Fault, FaultKind, Place, SettingsError};
pub(crate) use folders::is_inside;
pub use folders::{CERTIFICATE_FILE, KEY_FILE};
pub use grants::{Bucket, FolderGrant, Grants, StoreKind};
pub use host::{Admin, Connections, Engine, Health, HostSettings, Log, LogFormat, Traces};
pub(crate) use json_file::LIST_FILES;
pub(crate) use listing::schema as listing_schema;
pub use logs::{AccessField, AccessFormat, DebugLevel, Rotation, TimeOfDay, WebLogs, Weekdays};
pub use overrides::{Origin, Override};
pub use reference::reference_markdown;
pub use rule::{Handler, Handlers, Patterns, Rule, Rules, declared_json};
pub use schema::schema;
pub use sessions::{LegacySessions, SessionCookie, Sessions};
pub use setting::{Change, Effect, Scope, effect_of};
pub use value::Secret;
pub use web_server::{
    Addresses, CacheSettings, Charset, Compression, Cors, CorsRule, Files, Https, KeepAlive,
    Listen, Missing, Rate, Requests, Responses, Tls, TlsVersion, Web,
};
