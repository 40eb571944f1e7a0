//! What can go wrong: with the engine as a whole, with loading a component, with one web process.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::answer::Answer;
use crate::reached::Limit;

/// The engine could not be made.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Wasmtime refused the configuration.
    #[error("the WebAssembly engine cannot start: {0}")]
    Configuration(String),
    /// The runtime for long-running guests could not be started.
    #[error("cannot start the threads that guests run on")]
    Threads(#[source] io::Error),
}

/// A component could not be loaded. The generation that serves stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The module's file could not be read.
    #[error("{path}: cannot be read: {source}")]
    Read {
        /// The module.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not a component.
    #[error("not a WebAssembly component: {0}")]
    NotAComponent(String),
    /// The component does not compile, or asks for more than the engine gives.
    #[error("does not compile: {0}")]
    Compile(String),
    /// The component imports functions that this host does not provide.
    #[error(
        "imports what is not in this version of Tessera: {0}; use a newer Tessera, or do without it"
    )]
    NotProvided(String),
    /// The component imports something in another shape than this host provides it.
    #[error("cannot be linked: {0}")]
    Link(String),
    /// The component imports what its settings do not grant.
    #[error("imports {import}, which it was not granted: {setting} of its settings")]
    NotGranted {
        /// The interface.
        import: String,
        /// What to do, ending in the table of the settings.
        setting: &'static str,
    },
    /// A folder that the settings grant cannot be used.
    #[error("[permissions] folders: {path}: {source}", path = path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The component has none of the hooks that make it a web server.
    #[error(
        "exports none of tessera:web/connection, tessera:web/actions, wasi:http/incoming-handler (0.2), wasi:http/handler (0.3); it exports {0}: \
         export at least one of them (in Rust: #[on_web_connection] or #[web_method])"
    )]
    NoHooks(String),
    /// Its instances cannot serve several requests at a time.
    #[error(
        "pool.policy = \"concurrent\" is for components that export wasi:http/handler (0.3); \
         use \"reuse\" or \"fresh\""
    )]
    NotConcurrent,
    /// Its instances cannot belong to a session.
    #[error(
        "keepSession is not for components that export wasi:http/handler (0.3), whose instances serve several requests at \
         a time; set keepSession = false"
    )]
    NoSessions,
    /// Two methods have one name.
    #[error(
        "has two methods named {0:?} (names are compared without regard to case); rename one of them"
    )]
    DoubledMethod(String),
    /// One of its handlers names a method that it does not have.
    #[error("declares a handler whose method {0:?} it does not have; `actions.methods` lists them")]
    NoHandlerMethod(String),
    /// Asking the component for its methods failed.
    #[error("cannot be asked for its methods: {0}")]
    Methods(#[source] ProcessError),
}

/// A web process ended without an answer.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// On Web Authentication refused the request.
    #[error("refused by On Web Authentication{}", reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default())]
    Unauthorized {
        /// Why, if the hook failed rather than refused.
        reason: Option<String>,
        /// What it set and sent before: a challenge, a page to log in on.
        answer: Box<Answer>,
    },
    /// The component does not have the hook that the request needs.
    #[error("the component has no {0}")]
    NoHook(&'static str),
    /// A handler returned an error.
    #[error("{hook} failed: {message}")]
    Failed {
        /// The hook that returned it.
        hook: &'static str,
        /// The handler's own words.
        message: String,
    },
    /// The guest trapped.
    #[error("trapped in {hook}: {message}")]
    Trap {
        /// The hook that was running.
        hook: &'static str,
        /// The trap, and the backtrace.
        message: String,
    },
    /// The guest trapped after it had been refused memory.
    #[error("ran out of memory in {hook} (limit {limit} bytes, [limits] memory): {message}")]
    OutOfMemory {
        /// The hook that was running.
        hook: &'static str,
        /// The limit that was reached.
        limit: u64,
        /// The trap, and the backtrace.
        message: String,
    },
    /// The guest ended at another limit.
    #[error("{limit} in {hook} (limit {value}, {}): {message}", limit.setting())]
    Limit {
        /// The hook that was running.
        hook: &'static str,
        /// The limit that was reached.
        limit: Limit,
        /// Its value.
        value: String,
        /// The trap, and the backtrace.
        message: String,
    },
    /// The wall-clock deadline passed.
    #[error("not finished after {0:?} ([limits] deadline)")]
    Deadline(Duration),
    /// No instance was free in time.
    #[error("no instance was free within {0:?} ([pool] queue_timeout)")]
    Busy(Duration),
    /// As many requests wait for an instance as may.
    #[error(
        "no instance is free, and {0} requests of the component wait already ([pool] queue), or memory is short"
    )]
    QueueFull(usize),
    /// As many requests of the session wait for its instance as may.
    #[error("the session's instance is at work, and {0} of its requests wait already")]
    SessionBusy(usize),
    /// The body of the request was too large for the server.
    #[error("the request's body is too large")]
    BodyTooLarge,
    /// The store of sessions fails, and the request needs a session.
    #[error("the store of sessions is not available")]
    NoSessions,
    /// An instance could not be made.
    #[error("cannot be instantiated: {0}")]
    Instantiate(String),
}
