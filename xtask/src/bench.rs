//! `cargo xtask bench`: brings the peers, builds what is measured, and hands over to the harness in `benches`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result};

use crate::checkout::Checkout;
use crate::{console, guests, peers, process, suite, toolchain};

/// Prepares what the options ask for and runs the harness; what is not for xtask goes to it as it is.
pub(crate) fn run(checkout: &Checkout, arguments: &[OsString]) -> Result<ExitCode> {
    let mut wanted = Wanted::of(arguments);
    if wanted.is_guard {
        return guard(checkout, &wanted);
    }
    if !wanted.is_list && !wanted.as_it_is {
        if !wanted.without_peers {
            peers::bring(checkout, &wanted.peers)?;
        }
        let compiler = toolchain::setup(checkout)?;
        guests::build(checkout, &compiler)?;
        if wanted.tessera.is_none() {
            build(checkout, "tessera-host")?;
        }
        build(checkout, "tessera-benches")?;
    }
    let harness = checkout.target.join("release/tessera-benches");
    let mut command = Command::new(&harness);
    command.arg("suite").args(wanted.rest.drain(..));
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot start {}", harness.display()))?;
    Ok(match status.success() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// Counts instructions of the hot paths and compares them with those of the repository.
fn guard(checkout: &Checkout, wanted: &Wanted) -> Result<ExitCode> {
    if !wanted.as_it_is {
        let compiler = toolchain::setup(checkout)?;
        guests::build(checkout, &compiler)?;
        match wanted.is_dev {
            // The tests' command then has nothing left to build.
            true => suite::build_all(checkout)?,
            false => {
                build(checkout, "tessera-host")?;
                build(checkout, "tessera-benches")?;
            }
        }
    }
    let built = checkout.target.join(match wanted.is_dev {
        true => "debug",
        false => "release",
    });
    let tessera = wanted.tessera.clone();
    let tessera = tessera.unwrap_or_else(|| built.join("tessera"));
    let harness = built.join("tessera-benches");
    let mut command = Command::new(&harness);
    command.arg("guard").arg(tessera);
    for (is_given, option) in [(wanted.is_dev, "--dev"), (wanted.is_bless, "--bless")] {
        if is_given {
            command.arg(option);
        }
    }
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot start {}", harness.display()))?;
    Ok(match status.success() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

fn build(checkout: &Checkout, package: &str) -> Result<()> {
    console::step(&format!("{package}, for speed"), || {
        process::run(process::cargo(checkout).args(["build", "--release", "-p", package]))
    })
}

/// What xtask itself has to know of the options.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wanted {
    /// Nothing is built or brought.
    as_it_is: bool,
    /// Peers are taken as they are.
    without_peers: bool,
    is_list: bool,
    is_guard: bool,
    is_bless: bool,
    /// What tests are run with, in place of a build for speed.
    is_dev: bool,
    tessera: Option<PathBuf>,
    /// Empty for all.
    peers: Vec<String>,
    /// For the harness.
    rest: Vec<OsString>,
}

impl Wanted {
    fn of(arguments: &[OsString]) -> Self {
        let mut wanted = Self::default();
        let mut option = String::new();
        for argument in arguments {
            let word = argument.to_string_lossy();
            match &*word {
                "--no-build" => wanted.as_it_is = true,
                "--no-install" => wanted.without_peers = true,
                "--guard" => wanted.is_guard = true,
                "--bless" => wanted.is_bless = true,
                "--dev" => wanted.is_dev = true,
                _ => wanted.rest.push(argument.clone()),
            }
            wanted.is_list |= word == "--list";
            let (name, value) = match word.split_once('=') {
                Some((name, value)) => (name.to_owned(), value),
                None => (std::mem::take(&mut option), &*word),
            };
            match name.as_str() {
                "--tessera" => wanted.tessera = Some(value.into()),
                "--peers" => {
                    let names = value.split(',').map(str::trim);
                    wanted.peers.extend(names.map(str::to_owned));
                }
                _ => option = word.into_owned(),
            }
        }
        wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(text: &str) -> Wanted {
        let words: Vec<_> = text.split_whitespace().map(OsString::from).collect();
        Wanted::of(&words)
    }

    #[test]
    fn what_is_for_xtask_does_not_reach_the_harness() {
        let wanted = wanted("--quick --no-build --only static --no-install");
        assert!(wanted.as_it_is && wanted.without_peers && !wanted.is_list);
        assert_eq!(wanted.rest, ["--quick", "--only", "static"]);
    }

    #[test]
    fn what_is_for_both_is_read_in_either_form() {
        for text in [
            "--tessera /x --peers nginx,caddy --list",
            "--list --tessera=/x --peers=nginx,caddy",
        ] {
            let wanted = wanted(text);
            assert_eq!(wanted.tessera, Some("/x".into()), "{text}");
            assert_eq!(wanted.peers, ["nginx", "caddy"], "{text}");
            assert!(wanted.is_list);
            assert_eq!(wanted.rest.len(), text.split_whitespace().count());
        }
    }
}
