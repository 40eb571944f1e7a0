//! The `tessera` program.

mod cli;

use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    // The first thing, so that what `serve` prints is the whole way to readiness.
    let started = Instant::now();
    cli::run(started)
}
