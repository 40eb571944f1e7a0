//! Web server objects: the host's and every component's.
//!
//! A server is known by its name: a component's is that of its module, the host's that of the site's folder. Every
//! component may read the properties of all servers. Which ones it may start and stop, its settings say:
//!
//! ```toml
//! # components/panel/settings.toml
//! [permissions]
//! control = ["shop", "self"]    # also "host", and "*" for all but its own; by default none
//! ```
//!
//! ```
//! use tessera_guest::prelude::*;
//! use tessera_guest::web_server::{Property, Selector, ServerError, WebServer};
//!
//! /// `/4DACTION/open`: lets the shop listen on a port of its own.
//! #[web_method]
//! fn open() -> Result<&'static str, Error> {
//!     let shop = WebServer::named("shop");
//!     shop.stop()?;
//!     match shop.start(&[Property::new("HTTPPort", 8081)]) {
//!         Err(ServerError::Start(errors)) if errors.iter().all(|error| error.err_code == 1201) => {
//!             Ok("Port 8081 is in use.")
//!         }
//!         started => started.map(|()| "Open.").map_err(Error::from),
//!     }
//! }
//!
//! /// `/4DACTION/overview`: the servers that run.
//! #[web_method]
//! fn overview() -> Result<String, Error> {
//!     let mut names = Vec::new();
//!     for server in WebServer::list() {
//!         if server.is_running()? {
//!             names.push(server.name().to_owned());
//!         }
//!     }
//!     let host = WebServer::of(Selector::HostDatabase);
//!     Ok(format!("<p>{}: {}", host.name(), names.join(", ")))
//! }
//! ```
//!
//! # Starting
//!
//! Settings are named as in `settings.toml`: `HTTPPort`, `keep_alive.timeout`, or the table `keep_alive` as one JSON object.
//! They go before those of the server's files until it is stopped. At most 128 of them, names of at most 256 bytes, values
//! of at most 64 KiB together.
//!
//! A component that may start a server may choose its ports and addresses. `[mount]`, `[pool]`, `[limits]` and what grants
//! something (`[permissions]`, `[environment]`, `[secrets]`, `[config]`, `[keyvalue]`) are the operator's (1101), and so are
//! folders outside of the server's own (1103).
//!
//! The component waits meanwhile; what has begun goes on when its deadline passes. It may begin 32 operations, starts and
//! stops, in two seconds: further ones wait.
//!
//! [`StartError::err_code`] is one of these:
//!
//! | code | meaning |
//! |---|---|
//! | 1001 | the web server runs already |
//! | 1002 | the component's module is not in `components/` any more |
//! | 1099 | the process is ending, or something failed that should not |
//! | 1101 | the property is read-only, or only the operator may set it |
//! | 1102 | there is no such setting |
//! | 1103 | the value is of a wrong type or not allowed, or there are too many settings |
//! | 1104 | the setting belongs to the process and holds from its next start |
//! | 1105 | the settings file is wrong |
//! | 1201 | the port is in use |
//! | 1202 | the port needs privileges |
//! | 1203 | this machine does not have the address |
//! | 1204 | the port cannot be opened for another reason |
//! | 1301 | the certificate or its key is missing or wrong |
//! | 1401 | the component cannot be loaded |
//! | 1402 | another component is mounted there |
//!
//! # Stopping
//!
//! A server that is stopped takes no new request; its requests in progress finish, and the component waits for them. It
//! does not for its own server, nor for the one that received the request: it goes on at once, and its response is still
//! sent.

use std::fmt;

use crate::host::web_server as host;
use crate::types::Value;

/// Which web server [`WebServer::of`] and [`server`] mean.
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
    /// Stable code, see [Starting](self#starting).
    pub err_code: u32,
    /// What is wrong.
    pub message: String,
    /// Part of the host that raised it: `server`, `settings`, `listen`, `tls`, `engine`.
    pub component_signature: String,
}

/// Counters of a web server since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Requests answered.
    pub requests: u64,
    /// Bytes of response bodies.
    pub bytes_sent: u64,
    /// Web processes running now.
    pub current_processes: u32,
    /// Most web processes that ran at once.
    pub highest_processes: u32,
    /// Files answered from the cache.
    pub cache_hits: u64,
    /// Files that had to be read.
    pub cache_misses: u64,
    /// Bytes in the cache, of all servers that share it.
    pub cache_bytes: u64,
    /// Seconds since it started; 0 while it does not run.
    pub uptime_seconds: u64,
}

/// Why a server cannot be asked or steered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerError {
    /// There is no server of that name.
    NotFound,
    /// `[permissions] control` of the component's settings does not name that server, or the component is not
    /// answering a request.
    Denied,
    /// Starting failed, with at least one error; stopping, too, when the process is ending (1099).
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
                f.write_str("the web server was not started or stopped")?;
                for error in errors {
                    write!(f, ": {} ({})", error.message, error.err_code)?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for ServerError {}

/// A web server object (WEB Server).
///
/// A name and nothing else: whether there is such a server shows when it is asked something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebServer {
    name: String,
}

impl WebServer {
    /// The one that a selector means.
    pub fn of(selector: Selector) -> Self {
        Self::named(server(selector))
    }

    /// The one of a name.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into() }
    }

    /// All of them, running or not, the host's first (WEB Server list).
    pub fn list() -> Vec<Self> {
        servers().into_iter().map(Self::named).collect()
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// All properties, see [`properties`].
    pub fn properties(&self) -> Result<Vec<Property>, ServerError> {
        properties(&self.name)
    }

    /// One property; [`Value::Null`] if it has none of that name.
    pub fn property(&self, name: &str) -> Result<Value, ServerError> {
        let mut all = self.properties()?.into_iter();
        let found = all.find(|property| property.name == name);
        Ok(found.map(|property| property.value).unwrap_or_default())
    }

    /// Whether it answers requests.
    pub fn is_running(&self) -> Result<bool, ServerError> {
        Ok(self.property("isRunning")? == Value::Boolean(true))
    }

    /// Starts it, see [`start`].
    pub fn start(&self, settings: &[Property]) -> Result<(), ServerError> {
        start(&self.name, settings)
    }

    /// Stops it, see [`stop`].
    pub fn stop(&self) -> Result<(), ServerError> {
        stop(&self.name)
    }

    /// Its counters.
    pub fn statistics(&self) -> Result<Statistics, ServerError> {
        statistics(&self.name)
    }
}

/// The name of a web server object.
pub fn server(selector: Selector) -> String {
    host::server(selector)
}

/// The names of all web server objects, running or not, the host's first.
pub fn servers() -> Vec<String> {
    host::servers()
}

/// All properties of a server, as admin shows them: of a running one the values in use, of a stopped one those of the
/// next start.
pub fn properties(name: &str) -> Result<Vec<Property>, ServerError> {
    host::get_properties(name)
}

/// Starts a server, with settings that last until it is stopped, and waits until it runs.
///
/// # Errors
///
/// [`ServerError::Start`] also when it runs already (1001); see [Starting](self#starting) for all codes.
pub fn start(name: &str, settings: &[Property]) -> Result<(), ServerError> {
    host::start(name, settings)
}

/// Stops a server once its requests in progress are finished, and forgets the settings given to [`start`]. One that does
/// not run is left as it is.
pub fn stop(name: &str) -> Result<(), ServerError> {
    host::stop(name)
}

/// The counters of a server.
pub fn statistics(name: &str) -> Result<Statistics, ServerError> {
    host::get_statistics(name)
}
