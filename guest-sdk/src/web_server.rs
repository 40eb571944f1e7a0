//! Web server objects: the host's and every component's.
//!
//! A server is known by its name: a component's is that of its module, the host's that of the site's folder.

use std::fmt;

use crate::host::web_server as host;
use crate::types::Value;

/// Which web server [`server`] names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selector {
    /// The one of the component that asks.
    Database,
    /// The host's.
    HostDatabase,
    /// The one that received the request being answered.
    ReceivingRequest,
}

/// One property of a server, or one setting for [`start`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Property {
    /// Its name, as `tessera.toml` spells it: `HTTPPort`, `isRunning`.
    pub name: String,
    /// Its value; a list or an object as JSON.
    pub value: Value,
}

impl Property {
    /// Makes a property, for example `Property::new("HTTPPort", 8081)`.
    pub fn new(name: impl Into<String>, value: impl Into<Value>) -> Self {
        Self {
            name: name.into(),
            value: value.into(),
        }
    }
}

/// One error of [`start`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartError {
    /// Stable code; the reference lists them.
    pub err_code: u32,
    /// What is wrong.
    pub message: String,
    /// Part of the host that raised it.
    pub component_signature: String,
}

/// Counters of a web server since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Requests answered.
    pub requests: u64,
    /// Bytes sent.
    pub bytes_sent: u64,
    /// Web processes running now.
    pub current_processes: u32,
    /// Most web processes that ran at once.
    pub highest_processes: u32,
    /// Files answered from the cache.
    pub cache_hits: u64,
    /// Files that had to be read.
    pub cache_misses: u64,
    /// Bytes that the cache holds.
    pub cache_bytes: u64,
    /// Seconds since it started.
    pub uptime_seconds: u64,
}

/// Why a server cannot be asked or steered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerError {
    /// There is no server of that name.
    NotFound,
    /// The component's `[permissions]` do not let it steer that server.
    Denied,
    /// Starting failed.
    Start(Vec<StartError>),
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("there is no web server of that name"),
            Self::Denied => {
                f.write_str("the component's permissions do not let it steer that web server")
            }
            Self::Start(errors) => {
                f.write_str("the web server did not start")?;
                for error in errors {
                    f.write_str(": ")?;
                    f.write_str(&error.message)?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for ServerError {}

/// The name of a web server object.
pub fn server(selector: Selector) -> String {
    host::server(selector)
}

/// The names of all web server objects, running or not, the host's first.
pub fn servers() -> Vec<String> {
    host::servers()
}

/// All properties of a server: of a running one the values in use, of a stopped one those of the next start.
pub fn properties(name: &str) -> Result<Vec<Property>, ServerError> {
    host::get_properties(name)
}

/// Starts a server, with settings that last until it is stopped.
pub fn start(name: &str, settings: &[Property]) -> Result<(), ServerError> {
    host::start(name, settings)
}

/// Stops a server once its requests in progress are finished, and forgets the settings given to [`start`].
pub fn stop(name: &str) -> Result<(), ServerError> {
    host::stop(name)
}

/// The counters of a server.
pub fn statistics(name: &str) -> Result<Statistics, ServerError> {
    host::get_statistics(name)
}
