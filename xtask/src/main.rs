//! `cargo xtask`: the chores of this repository, each one command.
//!
//! Everything that the README, the contributors' guide or CI tells to run is here, so that the three cannot differ.

mod bench;
mod checkout;
mod console;
mod dist;
mod guests;
mod lint;
mod peers;
mod process;
mod reference;
mod site;
mod suite;
mod toolchain;
mod training;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::checkout::Checkout;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  setup                         look what this machine lacks for building guests, and install it
  guests                        build every component, into target/components and target/test-guests
  run [SITE] [-- ARGUMENT...]   build guests and host for speed, then serve SITE, a folder or the name of an example
                                (default: welcome);
                                what follows -- goes to `tessera serve`
  dist [--plain]                build the binary to hand out, target/dist/tessera: optimised across crates, and by a profile of
                                a load on it; --plain does without the profile
  test [-- ARGUMENT...]         run all tests; what follows -- goes to the test programs: a filter, --nocapture, ...
  bench [OPTION...]             bring other servers, build for speed, and measure all side by side (docs/benchmarks.md);
                                --quick: in some minutes; --list: what there is; --no-install: no other servers are
                                brought; --no-build: nothing is built either; --guard [--dev] [--bless]: instructions only
  docs [--check]                write the reference pages in docs/; --check only says whether they are current
  lint                          formatting, Clippy, rustdoc and reference pages, warnings refused
  ci                            lint, then test

environment:
  TESSERA_WASIP2        how to get the target wasm32-wasip2: auto (default), rustup or apt
  TESSERA_WASIP2_DIR    where `apt` keeps the standard library it compiles (default: ~/.cache/tessera/wasip2)";

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    match dispatch(&arguments) {
        Ok(code) => code,
        Err(error) => {
            console::error(&error);
            ExitCode::FAILURE
        }
    }
}

/// Finds the command and runs it. Only tests fail without an error: their last line is the totals.
fn dispatch(arguments: &[OsString]) -> Result<ExitCode> {
    let words: Vec<&str> = arguments
        .iter()
        .map(|word| word.to_str().unwrap_or("?"))
        .collect();
    let checkout = Checkout::find()?;
    match words.as_slice() {
        [] | ["help" | "--help" | "-h", ..] => console::result(USAGE),
        ["setup"] => {
            toolchain::setup(&checkout)?;
            lint::show_tools(&checkout);
        }
        ["guests"] => {
            guests::build(&checkout, &toolchain::setup(&checkout)?)?;
        }
        ["run", ..] => {
            let (before, after) = split_at_dashes(&arguments[1..]);
            return site::run(&checkout, &before, &after);
        }
        ["dist"] => dist::build(&checkout, false)?,
        ["dist", "--plain"] => dist::build(&checkout, true)?,
        ["test"] => return suite::run(&checkout, &[]),
        ["test", "--", ..] => return suite::run(&checkout, &arguments[2..]),
        ["bench", ..] => return bench::run(&checkout, &arguments[1..]),
        ["docs"] => reference::write(&checkout)?,
        ["docs", "--check"] => reference::check(&checkout)?,
        ["lint"] => lint::run(&checkout)?,
        ["ci"] => {
            lint::run(&checkout)?;
            return suite::run(&checkout, &[]);
        }
        other => bail!("no such command: {}\n\n{USAGE}", other.join(" ")),
    }
    Ok(ExitCode::SUCCESS)
}

/// What stands before the first `--`, and what stands after it.
fn split_at_dashes(arguments: &[OsString]) -> (Vec<OsString>, Vec<OsString>) {
    let mut halves = arguments.splitn(2, |word| word == "--").map(<[_]>::to_vec);
    (
        halves.next().unwrap_or_default(),
        halves.next().unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_split_at_the_first_dashes() {
        let words = |text: &str| {
            text.split_whitespace()
                .map(OsString::from)
                .collect::<Vec<_>>()
        };
        let check = |all: &str, before: &str, after: &str| {
            assert_eq!(
                split_at_dashes(&words(all)),
                (words(before), words(after)),
                "{all}"
            );
        };
        check("", "", "");
        check("site", "site", "");
        check("-- --watch", "", "--watch");
        check("site -- --set A=1 -- x", "site", "--set A=1 -- x");
    }

    #[test]
    fn an_unknown_command_is_an_error_that_names_it() {
        let error = dispatch(&[OsString::from("dance")])
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("no such command: dance"), "{error}");
    }
}
