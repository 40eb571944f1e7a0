//! What a cache is worth by its size: hits, speed and memory with 10 to 100,000 files, where the cache has room for 1, 10
//! and 100 % of them.

use std::fs;
use std::path::Path;

use crate::admin;
use crate::server::{Server, binary};
use crate::wrk;

const COUNTS: [u64; 4] = [10, 1_000, 10_000, 100_000];
const SHARES: [u64; 3] = [1, 10, 100];
const FILE_BYTES: u64 = 4096;
/// What the cache counts for a page beside its content and path.
const OVERHEAD_BYTES: u64 = 2900 + 20;
const FILES_IN_FOLDER: u64 = 1000;
const WARM_SECONDS: u32 = 2;
const SECONDS: u32 = 4;
/// How files are picked: a random number from 0 to 1 to this power is the place among them.
const PICKS: [(&str, u32); 2] = [("all alike", 1), ("some more", 4)];

/// Measures and prints a table.
pub(crate) fn run() -> Result<(), String> {
    println!(
        "{} after {WARM_SECONDS} s of the same; files of {FILE_BYTES} bytes, picked at random, all alike or some more often \
         than others (a tenth of them has {:.0} % of the requests)\n",
        wrk::command(SECONDS),
        100.0 * 0.1_f64.powf(0.25)
    );
    println!(
        "| files | room for | cache.size KiB | picked | hits | requests per second | µs for a request | resident KiB at start | after | more than at start, to cache.size |\n\
         |---|---|---|---|---|---|---|---|---|---|"
    );
    for count in COUNTS {
        let site = tempfile::tempdir().map_err(|error| error.to_string())?;
        write_files(site.path(), count).map_err(|error| error.to_string())?;
        for share in SHARES {
            for (name, power) in PICKS {
                let row = measure(site.path(), count, share, power)?;
                println!(
                    "| {count} | {share} % | {} | {name} | {row} |",
                    size(count, share) / 1024
                );
            }
        }
    }
    println!();
    Ok(())
}

/// The room for a share of the files, in bytes.
fn size(count: u64, share: u64) -> u64 {
    count * (FILE_BYTES + OVERHEAD_BYTES) * share / 100
}

fn write_files(site: &Path, count: u64) -> std::io::Result<()> {
    let folder = site.join("WebFolder");
    let content = "x".repeat(FILE_BYTES as usize);
    for number in 0..count {
        let folder = folder.join(format!("d{}", number / FILES_IN_FOLDER));
        if number % FILES_IN_FOLDER == 0 {
            fs::create_dir_all(&folder)?;
        }
        fs::write(folder.join(format!("f{number}.bin")), &content)?;
    }
    Ok(())
}

fn measure(site: &Path, count: u64, share: u64, power: u32) -> Result<String, String> {
    let bytes = size(count, share);
    let settings = format!(
        "[cache]\nsize = {bytes}\n[keep_alive]\nmax_requests = 0\n{}",
        admin::SETTINGS
    );
    let written = fs::write(site.join("tessera.toml"), settings);
    let script = site.join("pick.lua");
    written
        .and_then(|()| fs::write(&script, picking(count, power)))
        .map_err(|error| error.to_string())?;
    let server = Server::tessera(&binary(), site)?;
    let (before, _) = server.memory()?;
    wrk::run_script(&server, WARM_SECONDS, &script)?;
    let loads = loads(&server)?;
    let run = wrk::run_script(&server, SECONDS, &script)?;
    let loads = self::loads(&server)? - loads;
    let (after, _) = server.memory()?;
    let growth = (after.saturating_sub(before) * 1024) as f64 / bytes as f64;
    Ok(format!(
        "{:.1} % | {:.0} | {:.1} | {before} | {after} | {growth:.2}",
        100.0 * (1.0 - loads / run.requests),
        run.requests_per_second,
        run.cost
    ))
}

/// How often something was read into the cache since the start.
fn loads(server: &Server) -> Result<f64, String> {
    let path = format!("{}/statistics", admin::host(server)?);
    let statistics = admin::ask(server, &path)?;
    admin::value(&statistics, "\"numOfLoads\"")
        .and_then(|loads| loads.parse().ok())
        .ok_or_else(|| format!("{path} has no numOfLoads"))
}

/// A script for wrk.
fn picking(count: u64, power: u32) -> String {
    format!(
        "local thread = 0\n\
         function setup(it) thread = thread + 1; it:set('number', thread) end\n\
         function init() math.randomseed(number * 7919) end\n\
         function request()\n\
           local file = math.floor({count} * math.random() ^ {power})\n\
           return wrk.format('GET', '/d' .. math.floor(file / {FILES_IN_FOLDER}) .. '/f' .. file .. '.bin')\n\
         end\n"
    )
}
