//! End-to-end tests against the real binary, in files named after the folders of `host/src`.
//!
//! Here belongs what shows only when everything works together. What one function does is tested beside it.

#![expect(
    clippy::unwrap_used,
    reason = "whatever goes wrong in a test ends the test"
)]

mod tidy;

// Lifecycle.
mod settings;
mod properties;
mod sockets;
mod service_manager;
mod health;
mod deploy;
mod reload;
mod succession;
mod code_cache;
mod admin;
mod webadmin;
mod information;
mod control;
mod lifecycle;
mod contention;
mod bodies;
mod cli;
mod inspect;
mod scaffold;
mod examples;

// Data path.
mod listen;
mod tls;
mod secured;
mod connection;
mod at_once;
mod at_once_calls;
mod corpus;
mod slow;
mod http2;
mod flood;
mod client_address;
mod addresses;
mod files;
mod ranges;
mod listing;
mod probes;
mod route;
mod grants;
mod keyvalue;
mod authentication;
mod sessions;
mod rate_limit;
mod statistics;
mod metrics;
mod web_logs;
mod connection_ids;
mod guard;
mod special;
mod rules;
mod handlers;
mod error_pages;
mod dynamic;
mod tags;
mod semi_dynamic;
mod commands;
mod parts;
mod raw_data;
mod responses;
mod failures;
mod wasi_http;
mod outbound_tls;
mod traces;
mod turns;
mod neighbours;
mod limits;
mod hostile;
mod processes;
mod pools;
mod pilot;
mod places;
mod stop;
