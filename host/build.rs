//! Puts the guest SDK and the WIT contract into the binary, for `tessera new`, and the name of the TLS library.

use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// What a component needs, relative to the root of the repository; folders with all that is in them.
const PARTS: [&str; 5] = [
    "guest-sdk/Cargo.toml",
    "guest-sdk/src",
    "guest-sdk/macros/Cargo.toml",
    "guest-sdk/macros/src",
    "wit",
];

fn main() -> Result<(), Box<dyn Error>> {
    let manifest_folder = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    let root = manifest_folder
        .parent()
        .ok_or("the host's folder has no parent")?;
    let mut files = Vec::new();
    for part in PARTS {
        println!("cargo::rerun-if-changed={}", root.join(part).display());
        collect(&root.join(part), &mut files)?;
    }
    files.sort();

    let mut table = String::from("&[\n");
    for file in files {
        let name = file.strip_prefix(root)?;
        writeln!(table, "    ({name:?}, include_str!({file:?})),")?;
    }
    table.push_str("]\n");
    let out = PathBuf::from(std::env::var("OUT_DIR")?).join("sdk.rs");
    fs::write(out, table)?;
    println!(
        "cargo::rustc-env=TESSERA_TLS_LIBRARY={}",
        tls_library(&root.join("Cargo.lock"))
    );
    Ok(())
}

/// What `openSSLVersion` says, with the versions that were built in. Without a lock file, as in an unpacked package,
/// only the names are known.
fn tls_library(lock_file: &Path) -> String {
    let lock = match fs::read_to_string(lock_file) {
        Ok(lock) => {
            println!("cargo::rerun-if-changed={}", lock_file.display());
            lock
        }
        Err(_) => String::new(),
    };
    let named = |package: &str| match locked_versions(&lock, package)[..] {
        [version] => format!("{package} {version}"),
        // None, or several of which nobody says which is ours.
        _ => package.to_owned(),
    };
    format!("{} ({})", named("rustls"), named("aws-lc-rs"))
}

/// The versions of a package in a lock file: each stands in the line below the name.
fn locked_versions<'a>(lock: &'a str, package: &str) -> Vec<&'a str> {
    let name = format!("name = \"{package}\"");
    let lines = lock.lines().zip(lock.lines().skip(1));
    lines
        .filter(|(line, _)| *line == name)
        .filter_map(|(_, next)| next.strip_prefix("version = \"")?.strip_suffix('"'))
        .collect()
}

/// Lists sources only: an editor's copies and a checkout's leftovers are none.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            collect(&entry?.path(), files)?;
        }
    } else if matches!(
        path.extension().and_then(|extension| extension.to_str()),
        Some("rs" | "toml" | "wit")
    ) {
        files.push(path.to_owned());
    }
    Ok(())
}
