//! `cargo xtask dist`: the binary that is handed out, compiled with what a run under load has taught the compiler.
//!
//! Three builds' work: one that counts how often each branch is taken, a load on it (`training.rs`), and the real one, in
//! which what is used is kept together and the rest out of the way.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::checkout::Checkout;
use crate::{console, guests, process, toolchain, training};

/// Builds `target/dist/tessera`, with a profile unless `is_plain`.
pub(crate) fn build(checkout: &Checkout, is_plain: bool) -> Result<()> {
    let profile = match is_plain {
        true => None,
        false => Some(learn(checkout)?),
    };
    let flags = profile.map(|profile| format!("-Cprofile-use={}", profile.display()));
    let built = console::step("host, as it is handed out", || {
        compile(checkout, "dist", flags.as_deref())
    })?;
    let handed_out = checkout.target.join("dist/tessera");
    if built != handed_out {
        let folder = checkout.target.join("dist");
        fs::create_dir_all(&folder)?;
        // A copy would else write into what Cargo has built there before, which has this name and another.
        if handed_out.exists() {
            fs::remove_file(&handed_out)?;
        }
        fs::copy(&built, &handed_out)
            .with_context(|| format!("cannot copy {} to {}", built.display(), folder.display()))?;
    }
    console::note(format_args!("new: {}", checkout.shown(&handed_out)));
    Ok(())
}

/// Builds a host that counts, puts it under load, and returns what it counted.
fn learn(checkout: &Checkout) -> Result<PathBuf> {
    let merger = Merger::find()?;
    training::check_tools()?;
    guests::build(checkout, &toolchain::setup(checkout)?)?;
    let folder = checkout.target.join("pgo");
    let counts = folder.join("counts");
    if counts.exists() {
        fs::remove_dir_all(&counts)?;
    }
    let flags = format!("-Cprofile-generate={}", counts.display());
    let host = console::step("host that counts", || {
        compile(checkout, "release", Some(&flags))
    })?;
    console::step("load on it", || {
        training::run(checkout, &host, &folder.join("site"))
    })?;
    let profile = folder.join("tessera.profdata");
    merger.merge(&counts, &profile)?;
    Ok(profile)
}

/// Compiles the host and returns where it is. With flags it is built for the machine's target by name: only then are
/// build scripts and macros compiled without them, which would count, too.
fn compile(checkout: &Checkout, profile: &str, flags: Option<&str>) -> Result<PathBuf> {
    let mut cargo = process::cargo(checkout);
    cargo.args(["build", "--package", "tessera-host", "--profile", profile]);
    let Some(flags) = flags else {
        process::run(&mut cargo)?;
        return Ok(checkout.target.join(profile).join("tessera"));
    };
    let target = rustc_says("host")?;
    let folder = checkout.target.join("pgo");
    let given = std::env::var("RUSTFLAGS").unwrap_or_default();
    cargo
        .args(["--target", &target])
        .env("CARGO_TARGET_DIR", &folder)
        .env("RUSTFLAGS", format!("{given} {flags}").trim_start());
    process::run(&mut cargo)?;
    Ok(folder.join(target).join(profile).join("tessera"))
}

/// One line of `rustc -vV`.
fn rustc_says(name: &str) -> Result<String> {
    let text = output(Command::new(rustc()).arg("-vV"))?;
    let line = text.lines().find_map(|line| {
        let (key, value) = line.split_once(": ")?;
        (key == name).then(|| value.to_owned())
    });
    line.with_context(|| format!("`rustc -vV` does not say `{name}`"))
}

fn rustc() -> std::ffi::OsString {
    std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())
}

fn output(command: &mut Command) -> Result<String> {
    let shown = process::shown(command);
    let output = command
        .output()
        .with_context(|| format!("cannot start `{shown}`"))?;
    if !output.status.success() {
        bail!("`{shown}` failed ({})", output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// `llvm-profdata` of the compiler's own LLVM: no other reads what it counts.
struct Merger(PathBuf);

impl Merger {
    fn find() -> Result<Self> {
        let version = rustc_says("LLVM version")?;
        let major = major(&version);
        let libraries = output(Command::new(rustc()).args(["--print", "target-libdir"]))?;
        let own = Path::new(libraries.trim())
            .parent()
            .map(|folder| folder.join("bin/llvm-profdata"));
        let named = PathBuf::from(format!("llvm-profdata-{major}"));
        let all = own.into_iter().chain([named, "llvm-profdata".into()]);
        let found = all.into_iter().find(|program| {
            output(Command::new(program).arg("--version"))
                .is_ok_and(|text| merger_major(&text) == Some(major))
        });
        match found {
            Some(program) => Ok(Self(program)),
            None => bail!(
                "llvm-profdata {major}, which belongs to this compiler, was not found: `rustup component add llvm-tools` or \
                 `apt-get install llvm-{major}` brings it; `cargo xtask dist --plain` does without"
            ),
        }
    }

    fn merge(&self, counts: &Path, profile: &Path) -> Result<()> {
        let is_empty = fs::read_dir(counts).map_or(true, |mut files| files.next().is_none());
        if is_empty {
            bail!(
                "the host has counted nothing: {} is empty",
                counts.display()
            );
        }
        let mut merge = Command::new(&self.0);
        merge.args(["merge", "--output"]).arg(profile).arg(counts);
        process::run(&mut merge)
    }
}

fn major(version: &str) -> &str {
    version.split('.').next().unwrap_or(version)
}

/// The major version in what `llvm-profdata --version` prints.
fn merger_major(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("LLVM version ")?;
    rest.split_whitespace().next().map(major)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_the_compiler_and_of_the_merger_are_compared_by_their_first_number() {
        assert_eq!(major("22.1.2"), "22");
        let printed = "LLVM (http://llvm.org/):\n  LLVM version 22.1.2-rust-1.95.0-stable\n";
        assert_eq!(merger_major(printed), Some("22"));
        assert_eq!(
            merger_major("Debian LLVM version 14.0.6\n  Optimized build."),
            Some("14")
        );
        assert_eq!(merger_major("something else"), None);
    }
}
