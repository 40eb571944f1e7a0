//! What the harness says while it works, on standard error: results go to files and to standard output.

use std::io::Write;

/// A line about what begins now.
pub(crate) fn step(text: &str) {
    let _ = writeln!(std::io::stderr(), "==> {text}");
}

/// A line within that.
pub(crate) fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "    {text}");
}
