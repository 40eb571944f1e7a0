//! The `tessera` program.

mod cli;

use std::process::ExitCode;
use std::time::Instant;

use tikv_jemallocator::Jemalloc;

/// Requests allocate and free on several threads at once, small and large, for weeks: the C library's allocator is slower
/// at that, and gives less back.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    // The first thing, so that what `serve` prints is the whole way to readiness.
    let started = Instant::now();
    cli::run(started)
}
