//! Load: what is sent to a server, by wrk or h2load, and what they say came of it.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::options::Placement;
use super::peers::Over;
use super::process;

/// Connections of wrk, and of h2load with its streams.
const CONNECTIONS: &str = "64";
const H2_CONNECTIONS: &str = "16";
const H2_STREAMS: &str = "10";
/// The same for large files, of which many at a time would only wait for each other.
const LARGE_CONNECTIONS: &str = "4";
const LARGE_STREAMS: &str = "1";

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    /// Header fields, each `Name: value`.
    pub(crate) fields: Vec<String>,
    /// A body, which makes it a POST.
    pub(crate) body: Option<String>,
    /// A script for wrk instead, which makes the requests itself.
    pub(crate) script: Option<String>,
    /// Whether the answer is of many MiB.
    pub(crate) is_large: bool,
}

/// What one run came to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Run {
    pub(crate) per_second: f64,
    pub(crate) requests: f64,
    /// Microseconds.
    pub(crate) p50: Option<f64>,
    pub(crate) p99: Option<f64>,
}

/// Sends it as fast as answers come, for some seconds. A run with an error is no run.
pub(crate) fn load(
    url: &str,
    over: Over,
    request: &Request,
    seconds: u32,
    placement: Placement,
    folder: &Path,
) -> Result<Run, String> {
    let threads = match placement {
        Placement::Pinned => "1",
        Placement::Shared => "2",
    };
    let command = match over.is_http2() {
        true => h2load(url, request, seconds, threads),
        false => wrk(url, request, seconds, threads, folder)?,
    };
    let text = process::output(&command, placement.of_load())?;
    let run = match over.is_http2() {
        true => read_h2load(&text),
        false => read_wrk(&text),
    };
    run.map_err(|error| format!("{url}: {error}"))
}

fn h2load(url: &str, request: &Request, seconds: u32, threads: &str) -> Command {
    let mut command = Command::new("h2load");
    let (connections, streams) = match request.is_large {
        true => (LARGE_CONNECTIONS, LARGE_STREAMS),
        false => (H2_CONNECTIONS, H2_STREAMS),
    };
    command.args(["-t", threads, "-c", connections, "-m", streams]);
    command.args(["-D", &seconds.to_string()]);
    for field in &request.fields {
        command.args(["-H", field]);
    }
    command.arg(url);
    command
}

fn wrk(
    url: &str,
    request: &Request,
    seconds: u32,
    threads: &str,
    folder: &Path,
) -> Result<Command, String> {
    let mut command = Command::new("wrk");
    let connections = match request.is_large {
        true => LARGE_CONNECTIONS,
        false => CONNECTIONS,
    };
    command.args(["-t", threads, "-c", connections, "--latency"]);
    command.args(["-d", &seconds.to_string()]);
    for field in &request.fields {
        command.args(["-H", field]);
    }
    let script = match (&request.script, &request.body) {
        (Some(script), _) => Some(script.clone()),
        (None, Some(body)) => Some(posting(body)),
        (None, None) => None,
    };
    if let Some(script) = script {
        let path = folder.join("load.lua");
        fs::write(&path, script).map_err(|error| format!("{}: {error}", path.display()))?;
        command.arg("-s").arg(path);
    }
    command.arg(url);
    Ok(command)
}

/// A script that posts a body; its header fields come from wrk's command line.
fn posting(body: &str) -> String {
    // Long brackets of a level that no body of ours has.
    format!("wrk.method = 'POST'\nwrk.body = [==[{body}]==]\n")
}

/// What wrk printed.
fn read_wrk(text: &str) -> Result<Run, String> {
    let lines = || text.lines().map(str::trim);
    let faults = |line: &&str| line.contains("Non-2xx") || line.contains("Socket errors");
    if let Some(errors) = lines().find(faults) {
        return Err(errors.to_owned());
    }
    let after = |name: &str| lines().find_map(|line| line.strip_prefix(name).map(str::trim));
    let per_second = after("Requests/sec:").and_then(|rate| rate.parse().ok());
    let requests = lines().find_map(|line| line.split_once(" requests in ")?.0.parse().ok());
    match (per_second, requests) {
        (Some(per_second), Some(requests)) if requests > 0.0 => Ok(Run {
            per_second,
            requests,
            p50: after("50%").and_then(microseconds),
            p99: after("99%").and_then(microseconds),
        }),
        _ => Err(no_rate("wrk", text)),
    }
}

fn no_rate(program: &str, text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let lines: Vec<_> = lines.filter(|line| !line.contains("progress")).collect();
    let last = lines.len().saturating_sub(4);
    let last = lines.get(last..).unwrap_or_default();
    format!("{program} said no rate: {}", last.join("; "))
}

/// A time as load generators write it: `1.23ms`.
fn microseconds(text: &str) -> Option<f64> {
    let units = [("us", 1.0), ("ms", 1e3), ("m", 6e7), ("s", 1e6)];
    units.iter().find_map(|(unit, factor)| {
        let number: f64 = text.strip_suffix(unit)?.parse().ok()?;
        Some(number * factor)
    })
}

/// What h2load printed.
fn read_h2load(text: &str) -> Result<Run, String> {
    let line = |start: &str| {
        text.lines()
            .find_map(|line| line.trim().strip_prefix(start))
    };
    let finished = line("finished in ").ok_or_else(|| no_rate("h2load", text))?;
    let per_second = finished
        .split(',')
        .find_map(|part| part.trim().strip_suffix(" req/s")?.parse().ok());
    let requests = line("requests:").unwrap_or_default();
    let count = |name: &str| {
        let mut parts = requests.split(',').map(str::trim);
        let part = parts.find_map(|part| part.strip_suffix(name))?;
        part.trim().parse::<f64>().ok()
    };
    let codes = line("status codes:").unwrap_or_default();
    let other: f64 = ["4xx", "5xx"]
        .iter()
        .filter_map(|name| {
            let mut parts = codes.split(',').map(str::trim);
            parts.find_map(|part| part.strip_suffix(name)?.trim().parse::<f64>().ok())
        })
        .sum();
    let failed = count("failed").unwrap_or(0.0) + count("errored").unwrap_or(0.0);
    if failed + other > 0.0 {
        return Err(format!("h2load had errors: {requests}; {codes}"));
    }
    match (per_second, count("succeeded")) {
        (Some(per_second), Some(requests)) if requests > 0.0 => Ok(Run {
            per_second,
            requests,
            p50: None,
            p99: None,
        }),
        _ => Err(no_rate("h2load", text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRK: &str = "Running 1s test @ http://127.0.0.1:8091/\n  1 threads and 64 connections\n  Thread Stats   Avg      Stdev     Max   +/- Stdev\n    Latency     1.51ms    2.02ms  31.11ms   87.69%\n    Req/Sec    57.92k     7.15k   70.11k    70.00%\n  Latency Distribution\n     50%  812.00us\n     75%    1.56ms\n     90%    3.81ms\n     99%    9.54ms\n  57811 requests in 1.01s, 69.08MB read\nRequests/sec:  57221.42\nTransfer/sec:     68.37MB\n";
    const H2LOAD: &str = "starting benchmark...\n\nfinished in 2.00s, 51234.50 req/s, 55.11MB/s\nrequests: 102469 total, 102629 started, 102469 done, 102469 succeeded, 0 failed, 0 errored, 0 timeout\nstatus codes: 102469 2xx, 0 3xx, 0 4xx, 0 5xx\n";

    #[test]
    fn a_run_of_wrk_is_read() {
        let run = read_wrk(WRK).unwrap();
        assert_eq!(run.per_second, 57221.42);
        assert_eq!(run.requests, 57811.0);
        assert_eq!((run.p50, run.p99), (Some(812.0), Some(9540.0)));
    }

    #[test]
    fn a_run_of_wrk_with_errors_is_none() {
        for line in [
            "  Non-2xx or 3xx responses: 7\n",
            "  Socket errors: connect 0, read 3, write 0, timeout 0\n",
        ] {
            assert_eq!(read_wrk(&format!("{WRK}{line}")).unwrap_err(), line.trim());
        }
        assert!(read_wrk("unable to connect").is_err());
        assert!(read_wrk(&WRK.replace("57811 requests", "0 requests")).is_err());
    }

    #[test]
    fn a_run_of_h2load_is_read() {
        let run = read_h2load(H2LOAD).unwrap();
        assert_eq!((run.per_second, run.requests), (51234.5, 102469.0));
    }

    #[test]
    fn a_run_of_h2load_with_errors_is_none() {
        for (from, to) in [
            ("0 5xx", "3 5xx"),
            ("0 4xx", "1 4xx"),
            ("0 failed", "2 failed"),
        ] {
            let error = read_h2load(&H2LOAD.replace(from, to)).unwrap_err();
            assert!(error.starts_with("h2load had errors"), "{error}");
        }
        assert!(read_h2load("").is_err());
    }

    #[test]
    fn times_have_units() {
        let check = |text: &str, expected| assert_eq!(microseconds(text), expected, "{text}");
        check("812.00us", Some(812.0));
        check("1.5ms", Some(1500.0));
        check("2s", Some(2e6));
        check("1.00m", Some(6e7));
        check("12", None);
    }
}
