//! Where things are in the checkout, and where its guests' sources are.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The checkout that xtask was started from.
pub(crate) struct Checkout {
    /// The folder of the workspace's `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// Cargo's target folder.
    pub(crate) target: PathBuf,
}

/// A Cargo workspace whose packages are compiled to components.
pub(crate) struct GuestWorkspace {
    /// The folder of its `Cargo.toml`.
    pub(crate) folder: PathBuf,
    pub(crate) purpose: Purpose,
}

/// What a guest is for, which decides where its module goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A component shipped with Tessera or belonging to an example.
    Shipped,
    /// A component that only tests use.
    Test,
}

impl Checkout {
    /// Finds the checkout by the variable that `cargo run` sets, so that a moved checkout needs no rebuild.
    pub(crate) fn find() -> Result<Self> {
        let package = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = package
            .parent()
            .context("xtask lies outside of a workspace")?
            .to_owned();
        let target = match std::env::var_os("CARGO_TARGET_DIR") {
            Some(folder) => std::path::absolute(folder)?,
            None => root.join("target"),
        };
        Ok(Self { root, target })
    }

    /// The folder that modules of this purpose are copied to.
    pub(crate) fn modules(&self, purpose: Purpose) -> PathBuf {
        self.target.join(match purpose {
            Purpose::Shipped => "components",
            Purpose::Test => "test-guests",
        })
    }

    /// All guest workspaces, in a fixed order.
    pub(crate) fn guest_workspaces(&self) -> Result<Vec<GuestWorkspace>> {
        let mut found = Vec::new();
        let mut add = |folder: &Path, purpose| -> Result<()> {
            for folder in manifests_in(folder)? {
                found.push(GuestWorkspace { folder, purpose });
            }
            Ok(())
        };
        add(&self.root.join("components"), Purpose::Shipped)?;
        add(&self.root.join("examples"), Purpose::Shipped)?;
        add(&self.root.join("tests/guests"), Purpose::Test)?;
        Ok(found)
    }

    /// A path as it is shown: relative to the checkout where it lies in it.
    pub(crate) fn shown<'a>(&self, path: &'a Path) -> std::path::Display<'a> {
        path.strip_prefix(&self.root).unwrap_or(path).display()
    }
}

/// The folder itself if it has a manifest, else those of its folders that have one.
fn manifests_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let has_manifest = |folder: &Path| folder.join("Cargo.toml").is_file();
    if has_manifest(folder) {
        return Ok(vec![folder.to_owned()]);
    }
    Ok(folders_in(folder)?
        .into_iter()
        .filter(|folder| has_manifest(folder))
        .collect())
}

/// The folders in a folder, sorted; none if it does not exist.
pub(crate) fn folders_in(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut folders = Vec::new();
    for entry in
        fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?
    {
        let path = entry?.path();
        if path.is_dir() {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}
