//! How a command fails: a message that says what to do, and an exit code.
#![expect(
    clippy::print_stderr,
    reason = "the one place that tells the user what went wrong"
)]

use std::fmt::Display;
use std::process::ExitCode;

use super::output::printable;

/// Exit code for bad settings and bad usage.
pub(super) const USAGE: u8 = 2;
const OTHER: u8 = 1;

/// Why a command did not do what was asked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    exit_code: u8,
    message: String,
}

impl Failure {
    /// What was asked for is wrong: the user has to ask differently, or mend the settings.
    pub(super) fn usage(message: impl Display) -> Self {
        Self {
            exit_code: USAGE,
            message: message.to_string(),
        }
    }

    /// What was asked for is right, but cannot be done now.
    pub(super) fn other(message: impl Display) -> Self {
        Self {
            exit_code: OTHER,
            message: message.to_string(),
        }
    }

    /// Tells the user. Several faults are several lines.
    pub(super) fn report(&self) -> ExitCode {
        for line in self.message.lines() {
            eprintln!("error: {}", printable(line));
        }
        ExitCode::from(self.exit_code)
    }

    #[cfg(test)]
    pub(super) fn message(&self) -> &str {
        &self.message
    }
}

/// Says something that is no failure: what happens next, or what to know.
pub(super) fn notice(message: impl Display) {
    eprintln!("tessera: {message}");
}
