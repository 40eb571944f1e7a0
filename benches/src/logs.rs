//! What the access log costs: pages from memory with each of its formats, in turn with the same without a log.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::admin;
use crate::server::{Server, binary};
use crate::wrk;

/// `logRecording`, from 0.
const FORMATS: [&str; 6] = ["none", "CLF", "DLF", "ELF", "WLF", "JSON"];
const PAGES: [(&str, usize); 2] = [("1k.txt", 1024), ("10k.txt", 10 * 1024)];
const ROUNDS: usize = 9;
const SECONDS: u32 = 1;
/// What browsers send: the field is in most formats.
const AGENT: &str =
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// A server with one of the formats.
struct Contender {
    name: &'static str,
    server: Server,
    _site: TempDir,
}

/// Measures and prints a table for each page.
pub(crate) fn run(other: Option<&Path>) -> Result<(), String> {
    let binary = other.map_or_else(binary, Path::to_owned);
    let started = FORMATS.iter().enumerate();
    let started = started.map(|(format, name)| start(&binary, name, format));
    let contenders = started.collect::<Result<Vec<_>, _>>()?;
    println!(
        "{}, {ROUNDS} rounds, each server in its turn; the ratio is the median of those to the run without a log in the same round\n",
        wrk::command(SECONDS)
    );
    for (page, bytes) in PAGES {
        println!(
            "| {bytes} bytes, access log | requests per second | to none (lowest to highest) | µs of processor time for a request |\n|---|---|---|---|"
        );
        for (name, runs) in measure(&contenders, page)? {
            let of = |value: &dyn Fn(&(f64, f64, f64)) -> f64| {
                wrk::summary(runs.iter().map(value).collect())
            };
            let (rate, ..) = of(&|run| run.0);
            let (ratio, lowest, highest) = of(&|run| run.1);
            let (cost, ..) = of(&|run| run.2);
            println!(
                "| {name} | {rate:.0} | {ratio:.3} ({lowest:.3} to {highest:.3}) | {cost:.2} |"
            );
        }
        println!();
    }
    contenders.iter().try_for_each(is_complete)
}

fn start(binary: &Path, name: &'static str, format: usize) -> Result<Contender, String> {
    let site = tempfile::tempdir().map_err(|error| error.to_string())?;
    let folder = site.path().join("WebFolder");
    let settings = format!(
        "logRecording = {format}\n[weblog]\nrotation = \"every 100 MB\"\nkeep = 1\n[keep_alive]\nmax_requests = 0\n{}",
        admin::SETTINGS
    );
    let mut written = fs::create_dir(&folder);
    for (page, bytes) in PAGES {
        written = written.and_then(|()| fs::write(folder.join(page), "x".repeat(bytes)));
    }
    written
        .and_then(|()| fs::write(site.path().join("tessera.toml"), settings))
        .map_err(|error| error.to_string())?;
    Ok(Contender {
        name,
        server: Server::tessera(binary, site.path())?,
        _site: site,
    })
}

/// Requests a second, their ratio to those without a log, and what a request cost, of each round.
type Runs = Vec<(f64, f64, f64)>;

fn measure(contenders: &[Contender], page: &str) -> Result<Vec<(&'static str, Runs)>, String> {
    let mut all: Vec<_> = contenders
        .iter()
        .map(|one| (one.name, Runs::new()))
        .collect();
    // The first round warms up.
    for round in 0..=ROUNDS {
        let mut none = None;
        for (contender, (_, runs)) in contenders.iter().zip(&mut all) {
            let url = format!("{}{page}", contender.server.url);
            let run = wrk::run(&contender.server, &url, SECONDS, Some(AGENT))?;
            let rate = run.requests_per_second;
            let ratio = rate / *none.get_or_insert(rate);
            if round > 0 {
                runs.push((rate, ratio, run.cost));
            }
        }
    }
    Ok(all)
}

/// A log that loses lines costs too little.
fn is_complete(contender: &Contender) -> Result<(), String> {
    let path = admin::host(&contender.server)?;
    let properties = admin::ask(&contender.server, &path)?;
    match admin::value(&properties, "\"lost\"").as_deref() {
        Some("0") => Ok(()),
        None if contender.name == "none" => Ok(()),
        lost => Err(format!("{}: {lost:?} lines were lost", contender.name)),
    }
}
