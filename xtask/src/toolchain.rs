//! The compiler that guests are built with: found, or installed.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::checkout::Checkout;
use crate::console;

/// The compiler for `wasm32-wasip2`.
pub(crate) struct GuestCompiler {
    /// A rustc to use for guests only; none if the usual one has the target.
    pub(crate) rustc: Option<PathBuf>,
}

impl GuestCompiler {
    /// Makes a Cargo command compile with it.
    pub(crate) fn apply(&self, command: &mut Command) {
        if let Some(rustc) = &self.rustc {
            command.env("RUSTC", rustc);
        }
    }
}

/// Makes sure that guests can be compiled. Does nothing, quickly, if they already can.
pub(crate) fn setup(checkout: &Checkout) -> Result<GuestCompiler> {
    console::step("setup", || {
        let script = checkout.root.join("xtask/wasip2.sh");
        let output = Command::new("bash")
            .arg(&script)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .context("cannot start bash, which setup is written in")?;
        if !output.status.success() {
            bail!(
                "the target wasm32-wasip2 could not be set up; the lines above say what was tried"
            );
        }
        let printed = String::from_utf8(output.stdout)
            .context("wasip2.sh printed something that is not text")?;
        let rustc = printed.trim();
        Ok(GuestCompiler {
            rustc: (!rustc.is_empty()).then(|| rustc.into()),
        })
    })
}
