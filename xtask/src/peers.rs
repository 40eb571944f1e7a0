//! The servers that Tessera is compared with: found, or brought from their registries into `target/peers`.
//!
//! Nothing is installed on the machine. A peer that cannot be had is said, and the harness leaves it out.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::checkout::Checkout;
use crate::{console, process};

/// The version of `wasmtime serve`, that of the library in `Cargo.lock`.
const WASMTIME: &str = "48.0.8";

/// Where a peer comes from.
enum From {
    /// A package of Debian, unpacked.
    Debian(&'static str),
    /// A crate with its version, and the features that are needed, if not the usual ones.
    Crates(&'static str, &'static str, Option<&'static str>),
    /// A package of npm.
    Npm(&'static str),
}

/// The peers, the program of each, and where it comes from.
const PEERS: [(&str, &str, From); 5] = [
    ("nginx", "nginx", From::Debian("nginx")),
    ("caddy", "caddy", From::Debian("caddy")),
    (
        "static-web-server",
        "static-web-server",
        From::Crates(
            "static-web-server",
            "^2",
            // TLS and compressed files; others would only be compiled.
            Some("http2-ring,compression-gzip"),
        ),
    ),
    ("workerd", "workerd", From::Npm("workerd")),
    (
        "wasmtime",
        "wasmtime",
        From::Crates("wasmtime-cli", WASMTIME, None),
    ),
];

/// Brings those that are wanted, all if none is named, and are not there yet.
pub(crate) fn bring(checkout: &Checkout, wanted: &[String]) -> Result<()> {
    let folder = checkout.target.join("peers");
    console::step("peers", || {
        for (name, program, from) in &PEERS {
            let is_wanted = wanted.is_empty() || wanted.iter().any(|one| one == name);
            if !is_wanted || is_there(name, program, &folder) {
                continue;
            }
            let outcome = console::step(name, || {
                std::fs::create_dir_all(&folder)?;
                fetch(checkout, from, &folder)
            });
            if let Err(error) = outcome {
                console::note(format_args!("{name} is left out: {error:#}"));
            }
        }
        Ok(())
    })
}

/// Whether the harness will find it: the folders are those in `benches/src/suite/peers.rs`.
fn is_there(name: &str, program: &str, folder: &Path) -> bool {
    if name == "wasmtime" && std::env::var_os("WASMTIME").is_some() {
        return true;
    }
    let own = [
        "bin",
        "usr/sbin",
        "usr/bin",
        "node_modules/@cloudflare/workerd-linux-64/bin",
        "node_modules/@cloudflare/workerd-linux-arm64/bin",
    ];
    let path = std::env::var_os("PATH").unwrap_or_default();
    let own = own.iter().map(|one| folder.join(one));
    let mut folders = own.chain(std::env::split_paths(&path));
    folders.any(|folder: PathBuf| folder.join(program).is_file())
}

fn fetch(checkout: &Checkout, from: &From, folder: &Path) -> Result<()> {
    match from {
        From::Debian(package) => {
            let mut download = Command::new("apt-get");
            process::run(download.current_dir(folder).args(["download", package]))?;
            for archive in archives(folder, package)? {
                process::run(Command::new("dpkg").arg("-x").arg(archive).arg(folder))?;
            }
            Ok(())
        }
        From::Npm(package) => process::run(
            Command::new("npm")
                .args(["install", "--no-audit", "--no-fund", "--prefix"])
                .arg(folder)
                .arg(package),
        ),
        From::Crates(name, version, features) => {
            let mut command = process::cargo(checkout);
            command.args(["install", "--locked", "--root"]);
            command.arg(folder).args([name, "--version", version]);
            if let Some(features) = features {
                command.args(["--no-default-features", "--features", features]);
            }
            process::run(&mut command)
        }
    }
}

/// What was downloaded of a package: `nginx_1.22.1-9_amd64.deb`.
fn archives(folder: &Path, package: &str) -> Result<Vec<PathBuf>> {
    let mut archives = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(&format!("{package}_")) && name.ends_with(".deb") {
            archives.push(path);
        }
    }
    Ok(archives)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_wasmtime_is_that_of_the_lock_file() {
        let lock = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock");
        let lock = std::fs::read_to_string(lock).unwrap();
        let found = format!("name = \"wasmtime\"\nversion = \"{WASMTIME}\"");
        assert!(lock.contains(&found), "{found}");
    }
}
