//! What xtask says: a line when a step begins, a line with its time when it ends.
//!
//! Progress goes to stderr, where Cargo's goes too. Stdout is for results: test output, totals, usage.
#![expect(
    clippy::print_stderr,
    reason = "saying what happens is what this module is for"
)]

use std::fmt::Display;
use std::io::Write;
use std::time::Instant;

use anyhow::Result;

/// Runs one step of work and says how long it took. What failed is left to the error to say.
pub(crate) fn step<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    eprintln!("==> {what}");
    let started = Instant::now();
    let outcome = work()?;
    eprintln!("    {what}: {:.1} s", started.elapsed().as_secs_f64());
    Ok(outcome)
}

/// Says something within a step.
pub(crate) fn note(text: impl Display) {
    eprintln!("    {text}");
}

/// Prints a result to stdout. That nobody reads it to its end, as `| head` does not, is no failure.
pub(crate) fn result(text: impl Display) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Prints an error with everything that led to it.
pub(crate) fn error(error: &anyhow::Error) {
    eprintln!("error: {error:#}");
}
