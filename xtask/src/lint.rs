//! `cargo xtask lint`: what is checked without running anything, the quick checks first.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::checkout::Checkout;
use crate::{console, process, reference};

/// A part of the tool chain that not every installation has.
struct Tool {
    /// Cargo's name for it.
    subcommand: &'static str,
    /// rustup's name for it.
    component: &'static str,
}

const RUSTFMT: Tool = Tool {
    subcommand: "fmt",
    component: "rustfmt",
};
const CLIPPY: Tool = Tool {
    subcommand: "clippy",
    component: "clippy",
};

/// Seconds that rustup may take for a component: long enough for a slow line, short enough for none.
const DOWNLOAD_SECONDS: &str = "120";

/// Runs all checks; the first that fails ends them.
pub(crate) fn run(checkout: &Checkout) -> Result<()> {
    let guests = checkout.guest_workspaces()?;
    console::step("lint", || {
        if RUSTFMT.is_there_or_installed(checkout) {
            format(checkout, &checkout.root)?;
            for workspace in &guests {
                format(checkout, &workspace.folder)?;
            }
        }
        reference::check(checkout)?;
        if CLIPPY.is_there_or_installed(checkout) {
            let mut command = process::cargo(checkout);
            clippy(checkout, &checkout.root, &mut command)?;
            for workspace in &guests {
                // Guests compile natively as well, which is how they are unit-tested.
                let mut command =
                    process::cargo_of_guests(checkout, &workspace.folder, "guests-native");
                clippy(checkout, &workspace.folder, &mut command)?;
            }
        }
        console::step("rustdoc", || {
            let mut command = process::cargo(checkout);
            command.env("RUSTDOCFLAGS", "--deny warnings");
            process::run(command.args(["doc", "--workspace", "--no-deps", "--quiet"]))
        })
    })
}

/// Says which tools of `lint` are there.
pub(crate) fn show_tools(checkout: &Checkout) {
    for tool in [RUSTFMT, CLIPPY] {
        let found = if tool.is_there(checkout) {
            "present"
        } else {
            "missing; only `cargo xtask lint` wants it"
        };
        console::note(format_args!("{}: {found}", tool.component));
    }
}

fn format(checkout: &Checkout, folder: &Path) -> Result<()> {
    console::step(&format!("formatting of {}", name(checkout, folder)), || {
        // In a workspace's root that means all its packages. `--all` would follow the guests' path to the SDK and format
        // the host's workspace once more.
        let mut command = process::cargo(checkout);
        process::run(command.current_dir(folder).args(["fmt", "--check"]))
    })
}

fn clippy(checkout: &Checkout, folder: &Path, command: &mut Command) -> Result<()> {
    console::step(&format!("Clippy on {}", name(checkout, folder)), || {
        process::run(command.args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "--deny",
            "warnings",
        ]))
    })
}

fn name(checkout: &Checkout, folder: &Path) -> String {
    if folder == checkout.root {
        "the workspace".to_owned()
    } else {
        checkout.shown(folder).to_string()
    }
}

impl Tool {
    fn is_there(&self, checkout: &Checkout) -> bool {
        process::succeeds(process::cargo(checkout).args([self.subcommand, "--version"]))
    }

    /// Whether the tool can be used. One that is missing and cannot be had is passed over with a word, for a machine
    /// may have a bare compiler and reach no server of rustup's.
    fn is_there_or_installed(&self, checkout: &Checkout) -> bool {
        if self.is_there(checkout) {
            return true;
        }
        console::note(format_args!(
            "{} is missing: rustup component add {0}",
            self.component
        ));
        let rustup = ["rustup", "component", "add", self.component];
        let mut limited = Command::new("timeout");
        limited.arg(DOWNLOAD_SECONDS).args(rustup);
        process::succeeds(&mut limited);
        let found = self.is_there(checkout);
        if !found {
            console::note(format_args!(
                "SKIPPED: {} could not be installed",
                self.component
            ));
        }
        found
    }
}
