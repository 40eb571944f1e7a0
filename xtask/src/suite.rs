//! `cargo xtask test`: every test there is, and one line with their totals.

use std::ffi::OsString;
use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result};

use crate::checkout::{Checkout, Purpose};
use crate::{console, guests, process, toolchain};

/// Runs all tests, to the end even if some fail. The totals are the last line printed.
pub(crate) fn run(checkout: &Checkout, arguments: &[OsString]) -> Result<ExitCode> {
    let mut totals = Totals::default();
    let outcome = console::step("test", || {
        let compiler = toolchain::setup(checkout)?;
        guests::build(checkout, &compiler)?;
        build_all(checkout)?;
        console::step("tests of the host and the SDK", || {
            let mut command = process::cargo(checkout);
            command.args(["test", "--workspace", "--no-fail-fast"]);
            tally(command.arg("--").args(arguments), &mut totals)
        })?;
        for workspace in checkout.guest_workspaces()? {
            // Test guests are what is tested with; they have no tests of their own.
            if workspace.purpose == Purpose::Test {
                continue;
            }
            console::step(
                &format!("tests of {}", checkout.shown(&workspace.folder)),
                || {
                    let mut command =
                        process::cargo_of_guests(checkout, &workspace.folder, "guests-native");
                    command.args(["test", "--workspace", "--no-fail-fast"]);
                    tally(command.arg("--").args(arguments), &mut totals)
                },
            )?;
        }
        Ok(())
    });
    if let Err(error) = outcome {
        // What could not be built or started has not passed, whatever the tests before it said.
        console::error(&error);
        totals.failed += 1;
    }
    console::result(&totals);
    Ok(if totals.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Builds the server that end-to-end tests start, together with all tests.
///
/// Together, because Cargo chooses the features of shared dependencies by what it is asked to build: asked for
/// `tessera-host` alone it would compile much of Wasmtime a second time.
pub(crate) fn build_all(checkout: &Checkout) -> Result<()> {
    console::step("host and tests", || {
        let mut command = process::cargo(checkout);
        process::run(command.args(["build", "--workspace", "--bins", "--tests"]))
    })
}

/// Runs `cargo test`, passes its output on and counts. A run that breaks off without naming a failed test, because it
/// did not compile or because a test program crashed, counts as one failure.
fn tally(command: &mut Command, totals: &mut Totals) -> Result<()> {
    let shown = process::shown(command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{shown}`"))?;
    let mut output = BufReader::new(
        child
            .stdout
            .take()
            .context("the tests' output is not captured")?,
    );
    let mut terminal = std::io::stdout().lock();
    let mut run = Totals::default();
    let mut line = Vec::new();
    while output.read_until(b'\n', &mut line)? > 0 {
        terminal.write_all(&line)?;
        run.add(&String::from_utf8_lossy(&line));
        line.clear();
    }
    if !child.wait()?.success() && run.failed == 0 {
        console::note(format_args!(
            "`{shown}` broke off: counted as one failed test"
        ));
        run.failed = 1;
    }
    totals.passed += run.passed;
    totals.failed += run.failed;
    totals.skipped += run.skipped;
    Ok(())
}

/// How many tests ended how.
#[derive(Debug, Default, PartialEq, Eq)]
struct Totals {
    passed: u64,
    failed: u64,
    skipped: u64,
}

impl Totals {
    /// Adds the counts of a line `test result: ok. 5 passed; 0 failed; 1 ignored; ...`; other lines count nothing.
    fn add(&mut self, line: &str) {
        let Some((_, counts)) = line
            .strip_prefix("test result: ")
            .and_then(|rest| rest.split_once(". "))
        else {
            return;
        };
        for count in counts.split("; ") {
            let Some((number, what)) = count.trim().split_once(' ') else {
                continue;
            };
            let Ok(number) = number.parse::<u64>() else {
                continue;
            };
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.skipped += number,
                _ => {}
            }
        }
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} passed, {} failed", self.passed, self.failed)?;
        match self.skipped {
            0 => Ok(()),
            skipped => write!(out, ", {skipped} skipped"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(output: &str, expected: &str) {
        let mut totals = Totals::default();
        output.lines().for_each(|line| totals.add(line));
        assert_eq!(totals.to_string(), expected, "{output}");
    }

    #[test]
    fn totals_add_up_over_runs() {
        check("", "0 passed, 0 failed");
        check(
            "running 7 tests\ntest a ... ok\n\n\
             test result: ok. 5 passed; 0 failed; 0 ignored; 0 measured; 2 filtered out; finished in 0.01s\n\n\
             test result: FAILED. 10 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s\n",
            "15 passed, 3 failed",
        );
        check(
            "test result: ok. 1 passed; 0 failed; 2 ignored; 0 measured\n",
            "1 passed, 0 failed, 2 skipped",
        );
    }

    #[test]
    fn what_a_test_prints_is_not_counted() {
        check(
            "9 passed; 9 failed\nassertion: test result: ok. 9 passed; 0 failed\n",
            "0 passed, 0 failed",
        );
    }

    #[test]
    fn a_run_that_breaks_off_is_a_failure() {
        let mut totals = Totals::default();
        tally(
            Command::new("cargo")
                .args(["no-such-command-here"])
                .stderr(Stdio::null()),
            &mut totals,
        )
        .unwrap();
        assert_eq!(
            totals,
            Totals {
                passed: 0,
                failed: 1,
                skipped: 0
            }
        );
    }
}
