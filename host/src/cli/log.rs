//! Where the log goes: the standard error, as the settings or `RUST_LOG` want it.

use std::io::{self, IsTerminal};

use tessera_host::settings::{Log, LogFormat};
use tracing_subscriber::EnvFilter;

use super::failure::Failure;

const VARIABLE: &str = "RUST_LOG";

/// Begins to log for the rest of the process.
pub(super) fn start(settings: &Log) -> Result<(), Failure> {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter(&settings.filter)?)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    let started = match settings.format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    started.map_err(|error| Failure::other(format!("the log cannot be started: {error}")))
}

/// Begins to log what a user should know of a command that is over soon.
pub(super) fn start_quiet() -> Result<(), Failure> {
    tracing_subscriber::fmt()
        .with_env_filter(filter("warn")?)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .without_time()
        .with_target(false)
        .try_init()
        .map_err(|error| Failure::other(format!("the log cannot be started: {error}")))
}

fn filter(standard: &str) -> Result<EnvFilter, Failure> {
    let (source, text) = match std::env::var(VARIABLE) {
        Ok(text) if !text.trim().is_empty() => (VARIABLE, text),
        _ => ("log.level", standard.to_owned()),
    };
    EnvFilter::try_new(&text).map_err(|error| {
        Failure::usage(format!(
            "{source}={text}: {error}; write a level such as info, or info,tessera_host=debug"
        ))
    })
}
