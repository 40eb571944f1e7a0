//! What the compiler says of functions that no attribute can take: each file in `refused/` with what it is told.
//!
//! After a change that is meant, `TRYBUILD=overwrite cargo test -p tessera-guest --test refused` writes the texts anew.

use std::process::Command;

/// The compiler whose words stand in `refused/`; another one may choose others for what is not of our making.
const RELEASE: &str = "rustc 1.95.";

#[test]
#[allow(
    clippy::print_stderr,
    reason = "who runs the tests is to know what was not compared"
)]
fn wrong_signatures_are_told_where_they_stand() {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().unwrap();
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    if !version.starts_with(RELEASE) {
        eprintln!("not compared: the texts are those of {RELEASE}, this is {version}");
        return;
    }
    trybuild::TestCases::new().compile_fail("tests/refused/*.rs");
}
