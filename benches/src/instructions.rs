//! Two builds of Tessera under Valgrind: how many instructions a request takes, which does not depend on what else the
//! machine does.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::client::{Client, get, get_whole, validator};
use crate::clock::pause;
use crate::server::Server;
use crate::site::{CASES, Case, Site};

/// What the guard counts: the cases that builds are compared with, and a page that the client has already.
const NOT_MODIFIED: Case = ("static page, 1 KiB, not modified", "page1.txt");

const CONNECTIONS: usize = 8;
/// Rounds before it counts: what is done once only is done then.
const WARM_UP_ROUNDS: usize = 25;
const ROUNDS: usize = 250;
const IDLE: Duration = Duration::from_secs(5);
const LOADING_MAX: Duration = Duration::from_secs(300);

/// Counts and prints a table. A folder keeps the counts for `callgrind_annotate`.
pub(crate) fn run(old: &Path, new: &Path, keep: Option<&Path>) -> Result<(), String> {
    println!(
        "callgrind, one thread for requests, {CONNECTIONS} connections, {} requests; user mode only\n",
        CONNECTIONS * ROUNDS
    );
    println!("| case | old | new | new to old |\n|---|---|---|---|");
    let counts = [("old", old), ("new", new)].map(|(name, binary)| {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let folder = keep.map_or_else(|| folder.path().to_owned(), |keep| keep.join(name));
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        count_all(binary, &folder, false)
    });
    let [old, new] = counts;
    for (((case, _), old), new) in CASES.iter().zip(old?).zip(new?) {
        println!("| {case} | {old:.0} | {new:.0} | {:.3} |", new / old);
    }
    println!();
    Ok(())
}

/// Instructions for a request of one binary, by case; those that the guard looks at.
pub(crate) fn of(binary: &Path) -> Result<BTreeMap<String, f64>, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let counts = count_all(binary, folder.path(), true)?;
    let names = CASES.iter().chain([&NOT_MODIFIED]);
    let names = names.map(|(name, _)| (*name).to_owned());
    Ok(names.zip(counts).collect())
}

/// Instructions for a request of each case, and, if that is wanted, of a page that has not changed.
fn count_all(binary: &Path, folder: &Path, with_not_modified: bool) -> Result<Vec<f64>, String> {
    let start = |site: &Path| Server::under_callgrind(binary, site, folder);
    let (_site, server) = Site::served_endless(start)?;
    let counting = Counting {
        process: server.id(),
        folder,
    };
    let warm = |path: &str, validator: Option<&str>| {
        let url = format!("{}{path}", server.url);
        wait_for(&url)?;
        let mut client = Client::open(&url, CONNECTIONS, validator)?;
        for _ in 0..WARM_UP_ROUNDS {
            client.round()?;
        }
        Ok::<_, String>(client)
    };
    for (_, path) in CASES {
        warm(path, None)?;
    }
    // A server that has nothing to do counts as well.
    let began = Instant::now();
    let idle = counting.of("idle", || {
        pause(IDLE);
        Ok(())
    })?;
    let idle_per_second = idle / began.elapsed().as_secs_f64();
    let count = |name: &str, path: &str, validator: Option<&str>| {
        // Of its own: connections that wait for their turn are closed meanwhile.
        let mut client = warm(path, validator)?;
        let began = Instant::now();
        let count = counting.of(name, || (0..ROUNDS).try_for_each(|_| client.round()))?;
        let idle = idle_per_second * began.elapsed().as_secs_f64();
        Ok::<_, String>((count - idle) / (ROUNDS * CONNECTIONS) as f64)
    };
    let mut counts = Vec::new();
    for (name, path) in CASES {
        counts.push(count(name, path, None)?);
    }
    if with_not_modified {
        let (name, path) = NOT_MODIFIED;
        let (head, _) = get_whole(&format!("{}{path}", server.url), None)?;
        counts.push(count(name, path, Some(&validator(&head)?))?);
    }
    Ok(counts)
}

/// Waits until the component is loaded; under Valgrind that takes longer than the server waits itself.
fn wait_for(url: &str) -> Result<(), String> {
    let began = Instant::now();
    loop {
        match get(url, None) {
            Ok(_) => return Ok(()),
            Err(error) if began.elapsed() > LOADING_MAX => return Err(error),
            Err(_) => pause(Duration::from_millis(200)),
        }
    }
}

struct Counting<'a> {
    process: u32,
    folder: &'a Path,
}

impl Counting<'_> {
    /// The instructions of the process while something runs.
    fn of(&self, name: &str, what: impl FnOnce() -> Result<(), String>) -> Result<f64, String> {
        let before = self.dumps()?;
        self.control("-z")?;
        what()?;
        self.control("-d")?;
        let after = self.dumps()?;
        let dump = after.iter().find(|one| !before.contains(one));
        let dump = dump.ok_or("callgrind wrote no dump")?;
        let from = self.folder.join(dump);
        let text = fs::read_to_string(&from).map_err(|error| error.to_string())?;
        fs::rename(from, self.folder.join(format!("callgrind.{name}")))
            .map_err(|error| error.to_string())?;
        let totals = text.lines().find_map(|line| line.strip_prefix("totals: "));
        totals
            .and_then(|totals| totals.trim().parse().ok())
            .ok_or_else(|| "a dump without totals".to_owned())
    }

    fn dumps(&self) -> Result<Vec<std::ffi::OsString>, String> {
        let files = fs::read_dir(self.folder).map_err(|error| error.to_string())?;
        Ok(files.flatten().map(|file| file.file_name()).collect())
    }

    fn control(&self, what: &str) -> Result<(), String> {
        let done = Command::new("callgrind_control")
            .args([what, &self.process.to_string()])
            .output()
            .map_err(|error| format!("callgrind_control: {error}"))?;
        let text = String::from_utf8_lossy(&done.stdout);
        if done.status.success() && text.contains("OK.") {
            Ok(())
        } else {
            Err(format!("callgrind_control {what}: {text}"))
        }
    }
}
