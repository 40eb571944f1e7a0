//! Runs wrk, the load generator, and reads what it says.

use std::path::Path;
use std::process::Command;

use crate::server::Server;

const CONNECTIONS: &str = "64";

/// What one run came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) requests_per_second: f64,
    pub(crate) requests: f64,
    /// Processor time that the server took for a request, in microseconds.
    pub(crate) cost: f64,
}

/// The command, for those who want to know.
pub(crate) fn command(seconds: u32) -> String {
    format!("wrk -t2 -c{CONNECTIONS} -d{seconds}")
}

/// Loads a URL of a server for some seconds, with a header field or none.
pub(crate) fn run(
    server: &Server,
    url: &str,
    seconds: u32,
    header: Option<&str>,
) -> Result<Run, String> {
    let mut command = load(seconds);
    if let Some(header) = header {
        command.args(["-H", header]);
    }
    measured(server, url, command)
}

/// Loads a server with the requests of a script.
pub(crate) fn run_script(server: &Server, seconds: u32, script: &Path) -> Result<Run, String> {
    let mut command = load(seconds);
    command.arg("-s").arg(script);
    measured(server, &server.url, command)
}

fn load(seconds: u32) -> Command {
    let mut command = Command::new("wrk");
    command.args(["-t2", "-c", CONNECTIONS, "-d", &seconds.to_string()]);
    command
}

fn measured(server: &Server, url: &str, mut command: Command) -> Result<Run, String> {
    let before = server.processor_seconds()?;
    let output = command.arg(url).output().map_err(|error| {
        format!("wrk cannot be run: {error}; install it, for example by `apt-get install wrk`")
    })?;
    let processor_seconds = server.processor_seconds()? - before;
    let text = String::from_utf8_lossy(&output.stdout);
    let faults = |line: &&str| line.contains("Non-2xx") || line.contains("Socket errors");
    if let Some(errors) = text.lines().find(faults) {
        return Err(format!("{url}: {}", errors.trim()));
    }
    let lines = || text.lines().map(str::trim);
    let rate = lines().find_map(|line| line.strip_prefix("Requests/sec:")?.trim().parse().ok());
    let count = lines().find_map(|line| line.split_once(" requests in ")?.0.parse::<f64>().ok());
    match (rate, count) {
        (Some(requests_per_second), Some(requests)) => Ok(Run {
            requests_per_second,
            requests,
            cost: processor_seconds * 1e6 / requests,
        }),
        _ => {
            let errors = String::from_utf8_lossy(&output.stderr);
            Err(format!("wrk printed no rate: {text}{errors}"))
        }
    }
}

/// The median, the lowest and the highest.
pub(crate) fn summary(mut values: Vec<f64>) -> (f64, f64, f64) {
    values.sort_by(f64::total_cmp);
    let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
    (
        at(values.len() / 2),
        at(0),
        at(values.len().saturating_sub(1)),
    )
}
