//! Measures Tessera: side by side with a bare hyper server, and per idle component.
//!
//! ```sh
//! cargo xtask guests && cargo build --release
//! cargo run --release -p tessera-benches            # both; needs `wrk` (Debian's package of that name)
//! cargo run --release -p tessera-benches -- load    # the side-by-side only
//! cargo run --release -p tessera-benches -- idle    # the cost of idle components only
//! ```
//!
//! Machines are noisy: what counts is the ratio of two servers measured in turn in one session, as the median of
//! several rounds, never a number by itself.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "printing is what it is for"
)]

mod baseline;
mod idle;
mod load;
mod server;

use std::process::ExitCode;

fn main() -> ExitCode {
    let result = match std::env::args().nth(1).as_deref() {
        Some("baseline") => baseline::serve(std::env::args().nth(2).unwrap_or_default()),
        Some("load") => load::run(),
        Some("idle") => idle::run(),
        None => load::run().and_then(|()| idle::run()),
        Some(other) => Err(format!("{other}: use load, idle, or nothing for both")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
