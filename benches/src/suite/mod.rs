//! The harness behind `cargo xtask bench`: every scenario for Tessera and its peers in turn, and what came of it in files.

mod chart;
mod cold;
mod content;
mod costs;
mod generate;
mod latency;
mod machine;
mod options;
mod peers;
mod process;
mod progress;
mod results;
mod rounds;
mod scenarios;
mod table;
mod variant;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use content::Work;
use options::{Options, Placement};
use peers::Peers;
use results::{Finding, Results};
use rounds::Setup;
use scenarios::Scenario;

/// A part that is no scenario of requests a second.
type Chapter = (&'static str, fn(&Setup<'_>) -> Result<Vec<Finding>, String>);

/// Those, in their order.
const CHAPTERS: [Chapter; 3] = [
    ("latency", latency::measure),
    ("cold", cold::measure),
    ("costs", costs::measure),
];
/// What load is made with, and what looks at the answers.
const TOOLS: [&str; 4] = ["wrk", "h2load", "curl", "taskset"];

/// Measures what the arguments ask for, and writes the results.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let options = Options::parse(arguments)?;
    let peers = Peers::find(&options)?;
    let chosen = chosen(&options)?;
    if options.list {
        return list(&peers);
    }
    for tool in TOOLS {
        if !process::is_there(tool) {
            return Err(format!(
                "{tool} is not there; install it, for example by `apt-get install wrk nghttp2-client curl util-linux`"
            ));
        }
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if cores < 2 && options.placements.contains(&Placement::Pinned) {
        return Err("this machine has one core: use --placement shared".to_owned());
    }
    let began = Instant::now();
    let with_many = chosen.iter().any(|one| one.name == "static-many");
    let work = Work::new(with_many)?;
    process::clear_away_on_signals(work.path())?;
    let setup = Setup {
        options: &options,
        peers: &peers,
        work: &work,
    };
    let out = options
        .out
        .clone()
        .unwrap_or_else(|| today(&machine::date()));
    let mut results = Results {
        date: machine::date(),
        machine: machine::told(),
        versions: versions(&peers),
        missing: peers.missing.clone(),
        rounds: options.rounds,
        seconds: options.seconds,
        ..Results::default()
    };
    for placement in &options.placements {
        for scenario in &chosen {
            if *placement == Placement::Shared && !scenario.is_shared && options.only.is_empty() {
                continue;
            }
            progress::step(&format!("{}, {}", scenario.name, placement.name()));
            match rounds::measure(&setup, scenario, *placement) {
                Ok(measured) => results.measured.push(measured),
                Err(error) => failed(&mut results, &scenario.name, &error),
            }
            // What was measured stays, whatever happens later.
            write(&results, &out)?;
        }
    }
    for (name, chapter) in CHAPTERS {
        if options.only.is_empty() || options.names(name, name) {
            match chapter(&setup) {
                Ok(findings) => results.findings.extend(findings),
                Err(error) => failed(&mut results, name, &error),
            }
            write(&results, &out)?;
        }
    }
    print(&table::page(&results));
    progress::note(&format!(
        "{} s; results in {}",
        began.elapsed().as_secs(),
        out.display()
    ));
    Ok(())
}

fn failed(results: &mut Results, name: &str, error: &str) {
    progress::note(&format!("failed: {error}"));
    results.failed.push(format!("{name}: {error}"));
}

/// The scenarios that were asked for; a name that nothing has is an error.
fn chosen(options: &Options) -> Result<Vec<Scenario>, String> {
    let all = scenarios::all();
    for name in &options.only {
        let is_scenario = all
            .iter()
            .any(|one| one.name == *name || one.group == *name);
        if !is_scenario && !CHAPTERS.iter().any(|(chapter, _)| chapter == name) {
            return Err(format!(
                "--only {name}: there is no such scenario; --list names them"
            ));
        }
    }
    let is_wanted = |one: &Scenario| match options.only.is_empty() {
        true => one.is_quick || !options.quick,
        false => options.names(one.group, &one.name),
    };
    Ok(all.into_iter().filter(is_wanted).collect())
}

fn list(peers: &Peers) -> Result<(), String> {
    for scenario in scenarios::all() {
        print(&format!(
            "{:10} {:18} {}\n",
            scenario.group, scenario.name, scenario.title
        ));
    }
    for (name, _) in CHAPTERS {
        print(&format!("{name}\n"));
    }
    for peer in &peers.found {
        print(&format!(
            "peer {}: {} ({})\n",
            peer.name,
            peer.version,
            peer.path.display()
        ));
    }
    for missing in &peers.missing {
        print(&format!("peer {missing}\n"));
    }
    Ok(())
}

fn versions(peers: &Peers) -> Vec<(&'static str, String)> {
    let versions = peers
        .found
        .iter()
        .map(|peer| (peer.name, peer.version.clone()));
    versions.collect()
}

fn today(date: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("results")
        .join(date)
}

/// Everything so far, into the folder of the results.
fn write(results: &Results, out: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", out.display());
    fs::create_dir_all(out).map_err(failed)?;
    let json = serde_json::to_vec_pretty(&results.json()).map_err(|error| error.to_string())?;
    fs::write(out.join("results.json"), json).map_err(failed)?;
    fs::write(out.join("README.md"), table::page(results)).map_err(failed)?;
    for (name, _, picture) in chart::all(results) {
        fs::write(out.join(name), picture).map_err(failed)?;
    }
    Ok(())
}

/// That nobody reads it to its end, as `| head` does not, is no failure.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}
