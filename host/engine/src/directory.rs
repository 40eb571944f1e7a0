//! What components may ask of web servers; the host answers through [`ServerDirectory`].

use std::pin::Pin;

/// Which web server a component means (WEB Server's three selectors).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selector {
    /// The asking component's own.
    Database,
    /// The host's.
    HostDatabase,
    /// The one that received the request.
    ReceivingRequest,
}

/// One property of a web server object.
#[derive(Clone, Debug, PartialEq)]
pub struct Property {
    /// Name, as the WebServer class spells it.
    pub name: String,
    /// The value.
    pub value: PropertyValue,
}

/// The value of a property.
#[derive(Clone, Debug, PartialEq)]
pub enum PropertyValue {
    /// No value.
    Null,
    /// True or false.
    Boolean(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// A list or an object, as JSON.
    Json(String),
}

/// Counters of a web server since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServerStatistics {
    /// Requests answered.
    pub requests: u64,
    /// Bytes of response bodies.
    pub bytes_sent: u64,
    /// Web processes that run.
    pub current_processes: u32,
    /// Most web processes that ran at once.
    pub highest_processes: u32,
    /// Files answered from memory.
    pub cache_hits: u64,
    /// Files that were read from disk.
    pub cache_misses: u64,
    /// Bytes in the cache, of all servers that share it.
    pub cache_bytes: u64,
    /// Seconds since the start; 0 while it does not run.
    pub uptime_seconds: u64,
}

/// Most settings that a component may pass to [`ServerDirectory::start`].
pub const SETTINGS_MAX: usize = 128;
/// Longest name of a setting, in bytes.
pub const SETTING_NAME_BYTES_MAX: usize = 256;
/// Most bytes of the values of all settings together.
pub const SETTING_VALUES_BYTES_MAX: usize = 64 * 1024;

/// Why a server was not started or stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlFailure {
    /// There is no server of that name.
    NotFound,
    /// The component may not steer that server, or not now.
    Denied,
    /// Starting failed; at least one error.
    Start(Vec<StartError>),
}

/// One error of starting a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartError {
    /// Stable code.
    pub code: u32,
    /// What is wrong, and what to do.
    pub message: String,
    /// Part of the host that raised it.
    pub signature: &'static str,
}

impl StartError {
    /// A setting that is not even looked at, because it is beyond the limits above: the host's code for bad values.
    pub(crate) fn too_much(message: String) -> Self {
        Self {
            code: Self::BAD_VALUE,
            message,
            signature: Self::SETTINGS,
        }
    }

    /// The host's code for a value that is not allowed.
    pub const BAD_VALUE: u32 = 1103;
    /// The host's signature of errors in settings.
    pub const SETTINGS: &'static str = "settings";
}

/// What takes its time. Dropping it gives up waiting; whether work that has begun goes on is the other side's to say.
pub type Pending<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The web server objects, as one component sees them. Implemented by the host.
pub trait ServerDirectory: Send + Sync + 'static {
    /// The name of the host's server.
    fn host(&self) -> String;
    /// All names, the host's first, running or not.
    fn names(&self) -> Vec<String>;
    /// All properties of a server, `None` if there is none of that name.
    fn properties(&self, name: &str) -> Option<Vec<Property>>;
    /// The counters of a server, `None` if there is none of that name.
    fn statistics(&self, name: &str) -> Option<ServerStatistics>;
    /// Starts a server with settings that last until it is stopped. They are within the limits above.
    ///
    /// Dropping the future does not stop what has begun: a web process past its deadline leaves no server half started.
    fn start(&self, name: &str, settings: Vec<Property>) -> Pending<Result<(), ControlFailure>>;
    /// Stops a server: done when it takes no new request and, if `wait`, when those in progress have ended as well.
    /// One that is stopped already is left as it is. Dropping the future does not stop what has begun.
    fn stop(&self, name: &str, wait: bool) -> Pending<Result<(), ControlFailure>>;
}

/// A directory without servers, for checking and testing components outside of a host.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoDirectory;

impl ServerDirectory for NoDirectory {
    fn host(&self) -> String {
        String::new()
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }

    fn properties(&self, _name: &str) -> Option<Vec<Property>> {
        None
    }

    fn statistics(&self, _name: &str) -> Option<ServerStatistics> {
        None
    }

    fn start(&self, _name: &str, _settings: Vec<Property>) -> Pending<Result<(), ControlFailure>> {
        Box::pin(async { Err(ControlFailure::NotFound) })
    }

    fn stop(&self, _name: &str, _wait: bool) -> Pending<Result<(), ControlFailure>> {
        Box::pin(async { Err(ControlFailure::NotFound) })
    }
}
