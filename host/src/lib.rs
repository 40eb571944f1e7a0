//! The host: accepts requests, and answers them from files or from components.
//!
//! The list below is the map of the code. The data path stands in the order in which a request meets it.

// Lifecycle: from settings to running servers.
pub mod settings;
pub mod host;
mod memory;
mod pressure;
mod metrics;
mod traces;
pub mod diagnostic;
pub mod notify;
mod private;
pub mod site;
pub mod server;
pub mod admin;

// Data path.
pub mod listen;
pub mod tls;
pub mod connection;
pub mod exchange;
pub mod cors;
pub mod rules;
pub mod route;
pub mod auth;
pub mod sessions;
mod outbound;
pub mod files;
pub mod response;
pub mod weblog;

// Vocabulary: what every stage speaks.
pub mod http;
