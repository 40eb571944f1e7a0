//! Where the log goes: the standard error, as the settings or `RUST_LOG` want it, and the diagnostic log.

use std::io;

use tessera_host::diagnostic::DiagnosticLog;
use tessera_host::settings::{HostSettings, LogFormat};
use tracing::Subscriber;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer};

use super::failure::Failure;
use super::output::has_colours;

const VARIABLE: &str = "RUST_LOG";

/// Begins to log for the rest of the process.
pub(super) fn start(settings: &HostSettings) -> Result<(), Failure> {
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(has_colours());
    let layer = match settings.log.format {
        LogFormat::Text => layer.boxed(),
        LogFormat::Json => layer.json().boxed(),
    };
    let layer = layer.with_filter(filter(&settings.log.filter)?);
    tracing_subscriber::registry()
        .with(layer)
        .with(diagnostic(settings)?)
        .try_init()
        .map_err(|error| Failure::other(format!("the log cannot be started: {error}")))
}

/// The diagnostic log, if the settings want one.
fn diagnostic<S>(settings: &HostSettings) -> Result<Option<impl Layer<S> + use<S>>, Failure>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let Some(level) = settings.log.diagnostic else {
        return Ok(None);
    };
    let folder = settings.site.join("Logs");
    let log = DiagnosticLog::begin(&folder, settings.web.logs.keep).map_err(|error| {
        let folder = folder.display();
        Failure::other(format!(
            "the diagnostic log cannot be written in {folder}: {error}; log.diagnostic=off does without"
        ))
    })?;
    Ok(Some(log.with_filter(LevelFilter::from_level(level))))
}

/// Begins to log what a user should know of a command that is over soon.
pub(super) fn start_quiet() -> Result<(), Failure> {
    tracing_subscriber::fmt()
        .with_env_filter(filter("warn")?)
        .with_writer(io::stderr)
        .with_ansi(has_colours())
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
