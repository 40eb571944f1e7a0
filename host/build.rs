//! Puts the guest SDK and the WIT contract into the binary, for `tessera new`.

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
    Ok(())
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
