//! Latency at half of what a server can do at most: quiet, and while a component is replaced again and again.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::generate::{self, Request};
use super::options::Placement;
use super::peers::{For, Kind, Over, Served};
use super::results::{Asked, Finding};
use super::rounds::Setup;
use super::{process, progress, variant};
use crate::{clock, server};

const CONNECTIONS: &str = "32";
const BETWEEN_RELOADS: Duration = Duration::from_millis(250);
/// How many times the p99.9 may be longer while reloads go on.
const LONGER_MAX: f64 = 2.0;

/// Who is asked for what.
const CASES: [(&str, &str, Kind, &str); 5] = [
    ("file of 1 KiB", "tessera", Kind::Tessera, "/1k.txt"),
    ("file of 1 KiB", "nginx", Kind::Nginx, "/1k.txt"),
    ("file of 1 KiB", "hyper", Kind::Hyper, "/1k.txt"),
    ("hello", "tessera", Kind::Tessera, "/measured/hello"),
    ("hello", "hyper", Kind::Hyper, "/hello"),
];

/// What the client of fixed rate said, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Latency {
    p50: f64,
    p99: f64,
    p999: f64,
}

/// Measures all of them.
pub(crate) fn measure(setup: &Setup<'_>) -> Result<Vec<Finding>, String> {
    let mut findings = Vec::new();
    for placement in &setup.options.placements {
        for (what, name, kind, path) in CASES {
            if setup.peers.path(kind.peer()).is_none() {
                continue;
            }
            let what = format!("{what}, {name}, {}", placement.name());
            progress::step(&format!("latency: {what}"));
            measure_one(setup, *placement, kind, path, &what, &mut findings)?;
        }
    }
    Ok(findings)
}

fn measure_one(
    setup: &Setup<'_>,
    placement: Placement,
    kind: Kind,
    path: &str,
    what: &str,
    findings: &mut Vec<Finding>,
) -> Result<(), String> {
    let wanted = For {
        placement,
        over: Over::Http1,
        head: "",
        with_components: true,
    };
    let server = Served::start(setup.peers, setup.work, kind, wanted)?;
    let url = server.url(Over::Http1, path);
    let seconds = setup.options.seconds;
    let folder = setup.work.path();
    let most = generate::load(
        &url,
        Over::Http1,
        &Request::default(),
        seconds,
        placement,
        folder,
    )?;
    let rate = most.per_second / 2.0;
    let quiet = at_rate(setup, &url, rate, placement)?;
    tell(findings, what, rate, quiet);
    if kind != Kind::Tessera || !path.starts_with("/measured/") {
        return Ok(());
    }
    let module = folder.join("site/components/measured/measured.wasm");
    let before = reloads(&server);
    let busy = while_reloading(&module, || at_rate(setup, &url, rate, placement))?;
    let count = reloads(&server).saturating_sub(before);
    if count == 0 {
        return Err(format!("nothing was reloaded: {}", server.group.said()));
    }
    let what = format!("{what}, during {count} reloads");
    tell(findings, &what, rate, busy);
    findings.push(Finding {
        group: "latency",
        name: format!("p99.9 of {what}, to that without"),
        value: busy.p999 / quiet.p999,
        unit: "times",
        asked: Asked::AtMost(LONGER_MAX),
    });
    Ok(())
}

fn tell(findings: &mut Vec<Finding>, what: &str, rate: f64, latency: Latency) {
    let values = [
        ("p50", latency.p50),
        ("p99", latency.p99),
        ("p99.9", latency.p999),
    ];
    findings.extend(values.map(|(name, value)| Finding {
        group: "latency",
        name: format!("{name} of {what}, at {rate:.0} requests a second"),
        value: value / 1000.0,
        unit: "ms",
        asked: Asked::Nothing,
    }));
}

fn at_rate(
    setup: &Setup<'_>,
    url: &str,
    rate: f64,
    placement: Placement,
) -> Result<Latency, String> {
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    // Three times as long as others: a p99.9 wants many requests.
    let seconds = setup.options.seconds * 3;
    let mut command = Command::new(this);
    command.args([
        "openloop",
        url,
        &format!("{rate:.1}"),
        &seconds.to_string(),
        CONNECTIONS,
    ]);
    let text = process::output(&command, placement.of_load())?;
    read(&text).map_err(|error| format!("{url}: {error}"))
}

/// What `openloop` printed. Errors void it.
fn read(text: &str) -> Result<Latency, String> {
    let words: Vec<_> = text.split_whitespace().collect();
    let value = |name: &str| {
        let place = words.iter().position(|word| *word == name)?;
        words.get(place + 1)?.parse::<f64>().ok()
    };
    match (value("errors"), value("p50"), value("p99"), value("p99.9")) {
        (Some(0.0), Some(p50), Some(p99), Some(p999)) if p50 > 0.0 => {
            Ok(Latency { p50, p99, p999 })
        }
        _ => Err(format!("no latency: {}", text.trim())),
    }
}

/// How often the server said that a component was loaded.
fn reloads(server: &Served) -> usize {
    server.group.all_said().matches("reloaded").count()
}

/// Does something while a component is replaced all the time.
fn while_reloading<T>(
    module: &Path,
    what: impl FnOnce() -> Result<T, String>,
) -> Result<T, String> {
    let original = std::fs::read(server::test_guest("measured")?);
    let original = original.map_err(|error| error.to_string())?;
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reloading = scope.spawn(|| {
            let mut number = 0;
            while !is_over.load(Ordering::Relaxed) {
                number += 1;
                variant::write(&original, number, module)?;
                clock::pause(BETWEEN_RELOADS);
            }
            Ok::<_, String>(())
        });
        let outcome = what();
        is_over.store(true, Ordering::Relaxed);
        let reloaded = reloading
            .join()
            .map_err(|_| "a thread panicked".to_owned())?;
        reloaded.and(outcome)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_latency_with_errors_is_none() {
        let text = "requests 1000 errors 0 p50 120 p99 900 p99.9 2100 max 5000\n";
        let expected = Latency {
            p50: 120.0,
            p99: 900.0,
            p999: 2100.0,
        };
        assert_eq!(read(text), Ok(expected));
        assert!(read(&text.replace("errors 0", "errors 1")).is_err());
        assert!(read("").is_err());
    }
}
