//! What a request costs in allocations and in system calls, beside bare hyper. Counted, not timed: the machine may be busy.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::options::Placement;
use super::peers::{For, Kind, Over, Served};
use super::process::{self, Group};
use super::progress;
use super::results::{Asked, Finding};
use super::rounds::Setup;
use crate::client::Client;
use crate::clock;

/// Requests that are counted: rounds over so many connections.
const CONNECTIONS: usize = 8;
const ROUNDS: usize = 1000;
const WARM_UP_ROUNDS: usize = 100;
const ATTACH_MAX: Duration = Duration::from_secs(20);

/// What is counted: its name, the path in Tessera and in bare hyper, and how many allocations more than hyper's are asked.
const CASES: [(&str, &str, &str, f64); 3] = [
    ("file of 1 KiB", "/1k.txt", "/1k.txt", 2.0),
    ("file of 10 KiB", "/10k.txt", "/10k.txt", 2.0),
    ("hello, reuse", "/measured/hello", "/hello", 20.0),
];

/// Counts both.
pub(crate) fn measure(setup: &Setup<'_>) -> Result<Vec<Finding>, String> {
    let mut findings = Vec::new();
    for (name, tessera, hyper, more) in CASES {
        progress::step(&format!("costs: {name}"));
        let allocations = |kind, path: &str| allocations(setup, kind, path);
        let (ours, theirs) = (
            allocations(Kind::Tessera, tessera)?,
            allocations(Kind::Hyper, hyper)?,
        );
        let finding = |name: String, value, asked| Finding {
            group: "costs",
            name,
            value,
            unit: "per request",
            asked,
        };
        findings.extend([
            finding(
                format!("allocations, {name}: tessera"),
                ours.count,
                Asked::AtMost(rounded(theirs.count + more)),
            ),
            finding(
                format!("allocations, {name}: hyper"),
                theirs.count,
                Asked::Nothing,
            ),
            finding(
                format!("bytes allocated, {name}: tessera"),
                ours.bytes,
                Asked::Nothing,
            ),
            finding(
                format!("bytes allocated, {name}: hyper"),
                theirs.bytes,
                Asked::Nothing,
            ),
        ]);
        if !process::is_there("strace") {
            progress::note("no strace: system calls are not counted");
            continue;
        }
        let ours = calls(setup, Kind::Tessera, tessera)?;
        let theirs = calls(setup, Kind::Hyper, hyper)?;
        let told = |calls: &Calls| {
            let each = calls
                .each
                .iter()
                .map(|(name, count)| format!("{name} {count:.2}"));
            each.collect::<Vec<_>>().join(", ")
        };
        findings.extend([
            // A timer now and then is nobody's fault.
            finding(
                format!("system calls, {name}: tessera ({})", told(&ours)),
                ours.all,
                Asked::AtMost(rounded(theirs.all + 0.05)),
            ),
            finding(
                format!("system calls, {name}: hyper ({})", told(&theirs)),
                theirs.all,
                Asked::Nothing,
            ),
        ]);
    }
    Ok(findings)
}

fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

struct Allocations {
    count: f64,
    bytes: f64,
}

/// A server with connections that have asked before.
fn warm(
    setup: &Setup<'_>,
    kind: Kind,
    path: &str,
    preload: &[(&str, &Path)],
) -> Result<(Served, Client), String> {
    let wanted = For {
        placement: Placement::Pinned,
        over: Over::Http1,
        head: "content-type: text/plain\netag: \"1\"\nlast-modified: Thu, 01 Jan 2026 00:00:00 GMT\naccept-ranges: bytes",
        with_components: path.starts_with("/measured/"),
    };
    let server = Served::start_with(setup.peers, setup.work, kind, wanted, preload)?;
    let mut client = Client::open(&server.url(Over::Http1, path), CONNECTIONS, None)?;
    for _ in 0..WARM_UP_ROUNDS {
        client.round()?;
    }
    Ok((server, client))
}

fn allocations(setup: &Setup<'_>, kind: Kind, path: &str) -> Result<Allocations, String> {
    let library = counter(setup.work.path())?;
    let counts = setup.work.path().join("counts");
    fs::write(&counts, [0; 4096]).map_err(|error| format!("{}: {error}", counts.display()))?;
    let preload = [
        ("LD_PRELOAD", library.as_path()),
        ("TESSERA_COUNTS", counts.as_path()),
    ];
    let (_server, mut client) = warm(setup, kind, path, &preload)?;
    let before = read_counts(&counts)?;
    for _ in 0..ROUNDS {
        client.round()?;
    }
    let after = read_counts(&counts)?;
    if after[0] == 0 {
        return Err(format!(
            "{} uses another allocator than the system's",
            kind.peer()
        ));
    }
    let requests = (CONNECTIONS * ROUNDS) as f64;
    Ok(Allocations {
        count: (after[0] - before[0]) as f64 / requests,
        bytes: (after[1] - before[1]) as f64 / requests,
    })
}

/// The library that counts, compiled once.
fn counter(folder: &Path) -> Result<PathBuf, String> {
    let library = folder.join("count.so");
    if !library.is_file() {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/suite/count.c");
        let mut command = Command::new("cc");
        command.args(["-O2", "-shared", "-fPIC", "-o"]);
        process::output(command.arg(&library).arg(source), None)?;
    }
    Ok(library)
}

fn read_counts(file: &Path) -> Result<[u64; 2], String> {
    let bytes = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let mut counts = [0; 2];
    for (count, bytes) in counts.iter_mut().zip(bytes.chunks_exact(8)) {
        *count = bytes.try_into().map_or(0, u64::from_ne_bytes);
    }
    Ok(counts)
}

struct Calls {
    all: f64,
    /// The most frequent ones.
    each: Vec<(String, f64)>,
}

fn calls(setup: &Setup<'_>, kind: Kind, path: &str) -> Result<Calls, String> {
    let (server, mut client) = warm(setup, kind, path, &[])?;
    let folder = setup.work.path();
    let summary = folder.join("calls");
    let mut command = Command::new("strace");
    command.args(["-f", "-c", "-o"]).arg(&summary);
    command.args(["-p", &server.group.id().to_string()]);
    let strace = Group::start(&command, None, &folder.join("strace.log"))?;
    clock::wait_until(ATTACH_MAX, || strace.said().contains("attached"))
        .map_err(|error| format!("strace: {error}: {}", strace.said()))?;
    // Every thread is waiting by now in a call that began before.
    for _ in 0..ROUNDS {
        client.round()?;
    }
    drop(strace);
    let text = fs::read_to_string(&summary).map_err(|error| format!("strace: {error}"))?;
    let counts = read_calls(&text);
    let requests = (CONNECTIONS * ROUNDS) as f64;
    let all: u64 = counts.iter().map(|(_, count)| count).sum();
    if all == 0 {
        return Err(format!("strace counted nothing: {text}"));
    }
    let each = counts.into_iter().take(5);
    let each = each.map(|(name, count)| (name, count as f64 / requests));
    Ok(Calls {
        all: all as f64 / requests,
        each: each.filter(|(_, count)| *count >= 0.01).collect(),
    })
}

/// The calls of a summary of strace, the most frequent first.
fn read_calls(text: &str) -> Vec<(String, u64)> {
    let mut calls: Vec<_> = text
        .lines()
        .filter_map(|line| {
            // % time, seconds, usecs/call, calls, errors (or nothing), syscall
            let words: Vec<_> = line.split_whitespace().collect();
            let name = words.last().filter(|name| **name != "total")?;
            words.first()?.parse::<f64>().ok()?;
            Some(((*name).to_owned(), words.get(3)?.parse().ok()?))
        })
        .collect();
    calls.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    calls
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_of_strace_is_read() {
        let text = "% time     seconds  usecs/call     calls    errors syscall\n\
                    ------ ----------- ----------- --------- --------- ----------------\n \
                    60.00    0.100000          10     10000           writev\n \
                    30.00    0.050000           5     20000     10000 recvfrom\n\
                    ------ ----------- ----------- --------- --------- ----------------\n\
                    100.00    0.150000           7     30000     10000 total\n";
        let expected = [
            ("recvfrom".to_owned(), 20_000),
            ("writev".to_owned(), 10_000),
        ];
        assert_eq!(read_calls(text), expected);
        assert!(read_calls("").is_empty());
    }
}
