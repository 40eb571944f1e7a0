//! Measures Tessera: side by side with a bare hyper server, and per idle component.
//!
//! ```sh
//! cargo xtask guests && cargo build --release
//! cargo run --release -p tessera-benches                    # load and idle; needs `wrk` (Debian's package of that name)
//! cargo run --release -p tessera-benches -- load            # beside a bare hyper server
//! cargo run --release -p tessera-benches -- idle            # what idle components cost
//! cargo run --release -p tessera-benches -- compression     # what clients cost that take compressed answers
//! cargo run --release -p tessera-benches -- sizes           # what a cache is worth by its size
//! cargo run --release -p tessera-benches -- logs [BINARY]   # what the access log costs in each of its formats
//! cargo run --release -p tessera-benches -- compare OLD     # beside another build's binary
//! cargo run --release -p tessera-benches -- instructions OLD [FOLDER]
//!                                                           # the same under Valgrind, counted; FOLDER gets the counts
//! cargo run --release -p tessera-benches -- guard BINARY    # against benches/instructions.json; --dev: instructions-dev.json; --bless writes it
//! cargo xtask bench                                         # everything, beside other servers: `docs/benchmarks.md`
//! ```
//!
//! Machines are noisy: what counts is the ratio of two servers measured in turn in one session, as the median of
//! several rounds, never a number by itself.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "printing is what it is for"
)]

mod admin;
mod baseline;
mod client;
mod clock;
mod compare;
mod compression;
mod guard;
mod handlers;
mod idle;
mod instructions;
mod load;
mod logs;
mod native;
mod openloop;
mod server;
mod site;
mod sizes;
mod suite;
mod wrk;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let what = arguments.next();
    let arguments: Vec<String> = arguments.collect();
    let path = |index: usize| arguments.get(index).map(Path::new);
    let old = || path(0).ok_or_else(|| "which binary is the other one?".to_owned());
    let new: PathBuf = server::binary();
    let result = match what.as_deref() {
        Some("baseline") => {
            let text = |index: usize| arguments.get(index).cloned().unwrap_or_default();
            baseline::serve(text(0), &text(1), path(2))
        }
        Some("native") => native(&arguments).and_then(|settings| native::serve(&settings)),
        Some("openloop") => openloop::run(&arguments),
        Some("version") => version(),
        Some("guard") => guard::run(&arguments),
        Some("suite") => suite::run(&arguments),
        Some("load") => load::run(),
        Some("idle") => idle::run(),
        Some("compression") => compression::run(),
        Some("sizes") => sizes::run(),
        Some("logs") => logs::run(path(0)),
        Some("compare") => old().and_then(|old| compare::run(old, &new)),
        Some("instructions") => old().and_then(|old| instructions::run(old, &new, path(1))),
        None => load::run().and_then(|()| idle::run()),
        Some(other) => Err(format!(
            "{other}: use suite, guard, load, idle, compression, sizes, logs, compare, instructions, or nothing for load and idle"
        )),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// `native PORT PORT PORT ROOT HEAD CERTIFICATE`: ports of HTTP/1, HTTP/2 without TLS, and HTTPS.
fn native(arguments: &[String]) -> Result<native::Settings, String> {
    let [http1, http2, https, root, head, certificate] = arguments else {
        return Err("native PORT PORT PORT ROOT HEAD CERTIFICATE".to_owned());
    };
    let port = |text: &String| text.parse().map_err(|_| format!("{text}: no port"));
    Ok(native::Settings {
        ports: [port(http1)?, port(http2)?, port(https)?],
        root: root.into(),
        head: head.clone(),
        certificate: certificate.into(),
    })
}

/// That of the library in the lock file, which is what bare hyper is.
fn version() -> Result<(), String> {
    let lock = include_str!("../../Cargo.lock");
    let version = lock
        .split_once("name = \"hyper\"\nversion = \"")
        .and_then(|(_, rest)| rest.split_once('"'));
    let (version, _) = version.ok_or("Cargo.lock has no hyper")?;
    println!("hyper {version}");
    Ok(())
}
