//! What the operator wrote, turned into values that cannot be wrong.
//!
//! Two steps. `file` and `overrides` read what was written as it was written (*loose*: any key,
//! any type, and the line it stands on). `host` and `component` make strict values of it, small
//! structs per stage of a request, through the definitions in `table`: the one place that says
//! what exists, what is allowed, what the default is and when a change takes effect. Every fault is
//! collected, so that an operator sees all of them at once.

mod component;
mod error;
mod file;
mod host;
mod kind;
mod overrides;
mod reader;
mod reference;
mod setting;
mod table;
mod unknown;
mod value;
mod web_server;

#[cfg(test)]
mod tests;

pub use component::{ComponentSettings, Environment, Limits, Mount, Policy, Pool};
pub use error::{Fault, Place, SettingsError};
pub use host::{Admin, Connections, Engine, HostSettings, Log, LogFormat};
pub use overrides::Override;
pub use reference::reference_markdown;
pub use setting::{Change, Effect};
pub use value::Secret;
pub use web_server::{
    Addresses, Charset, Compression, Cors, CorsRule, Files, Https, KeepAlive, Listen, Requests,
    Responses, Tls, TlsVersion, Web,
};
