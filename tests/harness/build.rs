//! Where the build has put what is tested.

use std::env;
use std::path::{Path, PathBuf};

/// The root of the repository.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests lie in a folder of the repository")
}

/// The server: `TESSERA_BIN`, or the one of the dev profile.
pub fn tessera_binary() -> PathBuf {
    let named = env::var_os("TESSERA_BIN").and_then(|path| std::path::absolute(path).ok());
    let path = named.unwrap_or_else(|| target("debug/tessera"));
    assert!(
        path.is_file(),
        "{}: not built; run `cargo build -p tessera-host`, or `cargo xtask test` for all",
        path.display()
    );
    path
}

/// The module of a test guest.
pub fn guest(name: &str) -> PathBuf {
    module("test-guests", name)
}

/// The module of a component that is shipped.
pub fn component(name: &str) -> PathBuf {
    module("components", name)
}

fn module(folder: &str, name: &str) -> PathBuf {
    let path = target(folder).join(format!("{name}.wasm"));
    assert!(
        path.is_file(),
        "{}: not built; run `cargo xtask guests`",
        path.display()
    );
    path
}

/// A path in Cargo's target folder.
pub fn target(path: &str) -> PathBuf {
    let target =
        env::var_os("CARGO_TARGET_DIR").map_or_else(|| repository().join("target"), PathBuf::from);
    // Cargo takes a relative one from where it was started, which is the root in all our commands.
    repository().join(target).join(path)
}
