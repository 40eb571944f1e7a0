//! One scenario: its servers are started, each is asked once whether it answers as it must, and then they are loaded in turn.

use std::fs;
use std::process::Command;

use super::content::Work;
use super::generate::{self, Request, Run};
use super::options::{Options, Placement};
use super::peers::{For, Kind, Over, Peers, Served};
use super::process;
use super::progress;
use super::scenarios::{Contender, Expect, Scenario};
use crate::client;

const WARM_UP_SECONDS: u32 = 1;
/// Visitors that have a session.
const SESSIONS: usize = 256;

/// What every measurement needs.
pub(crate) struct Setup<'a> {
    pub(crate) options: &'a Options,
    pub(crate) peers: &'a Peers,
    pub(crate) work: &'a Work,
}

/// A run, and the processor time that the server took for a request, in microseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) run: Run,
    pub(crate) cost: f64,
}

/// All runs of one contender, one a round; an error voids its run.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) samples: Vec<Result<Sample, String>>,
}

/// What came of a scenario.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) name: String,
    pub(crate) group: &'static str,
    pub(crate) title: String,
    pub(crate) placement: Placement,
    pub(crate) rows: Vec<Row>,
    /// Who was left out, and why.
    pub(crate) left_out: Vec<String>,
}

/// Somebody who takes part, with the server that runs and what it is sent.
struct Ready<'a> {
    contender: &'a Contender,
    server: usize,
    url: String,
    request: Request,
}

/// Measures a scenario.
pub(crate) fn measure(
    setup: &Setup<'_>,
    scenario: &Scenario,
    placement: Placement,
) -> Result<Measured, String> {
    let mut measured = Measured {
        name: scenario.name.clone(),
        group: scenario.group,
        title: scenario.title.clone(),
        placement,
        rows: Vec::new(),
        left_out: Vec::new(),
    };
    let servers = start_all(setup, scenario, placement, &mut measured.left_out);
    let mut all = Vec::new();
    for contender in &scenario.contenders {
        let Some(server) = servers.iter().position(|one| one.kind == contender.kind) else {
            continue;
        };
        match ready(setup, scenario, contender, &servers, server, placement) {
            Ok(ready) => all.push(ready),
            Err(error) => measured
                .left_out
                .push(format!("{}: {error}", contender.name)),
        }
    }
    measured.rows = in_turn(setup, scenario, placement, &servers, &all);
    for row in &measured.rows {
        for fault in row
            .samples
            .iter()
            .filter_map(|sample| sample.as_ref().err())
        {
            progress::note(&format!("{}: void: {fault}", row.name));
        }
    }
    for reason in &measured.left_out {
        progress::note(&format!("left out: {reason}"));
    }
    Ok(measured)
}

/// The servers of a scenario. Tessera first: bare hyper answers with the fields that it does.
fn start_all(
    setup: &Setup<'_>,
    scenario: &Scenario,
    placement: Placement,
    left_out: &mut Vec<String>,
) -> Vec<Served> {
    let mut kinds = vec![Kind::Tessera];
    for contender in &scenario.contenders {
        let is_there = setup.peers.path(contender.kind.peer()).is_some();
        if is_there && !kinds.contains(&contender.kind) {
            kinds.push(contender.kind);
        }
    }
    let mut servers: Vec<Served> = Vec::new();
    for kind in kinds {
        let head = match (kind, servers.first()) {
            (Kind::Hyper, Some(tessera)) if scenario.group == "static" => {
                let path = scenario.contenders.first().map_or("/", |one| &one.path);
                fields(&tessera.url(Over::Http1, path)).unwrap_or_default()
            }
            _ => String::new(),
        };
        let wanted = For {
            placement,
            over: scenario.over,
            head: &head,
            with_components: scenario.group != "static",
        };
        match Served::start(setup.peers, setup.work, kind, wanted) {
            Ok(server) => servers.push(server),
            Err(error) => left_out.push(format!("{}: {error}", kind.peer())),
        }
    }
    servers
}

/// Looks whether somebody answers as the scenario expects, and warms the server up.
fn ready<'a>(
    setup: &Setup<'_>,
    scenario: &Scenario,
    contender: &'a Contender,
    servers: &[Served],
    server: usize,
    placement: Placement,
) -> Result<Ready<'a>, String> {
    let running = servers.get(server).ok_or("no server")?;
    let url = running.url(scenario.over, &contender.path);
    let mut request = scenario.request.clone();
    if scenario.is_conditional {
        request.fields.push(client::validator(&fields(&url)?)?);
    }
    probe(setup, scenario, &url, &request)?;
    if scenario.has_sessions {
        request.script = Some(visitors(&url)?);
    }
    let folder = setup.work.path();
    let over = scenario.over;
    generate::load(&url, over, &request, WARM_UP_SECONDS, placement, folder)
        .map_err(|error| with_log(error, running))?;
    Ok(Ready {
        contender,
        server,
        url,
        request,
    })
}

fn in_turn(
    setup: &Setup<'_>,
    scenario: &Scenario,
    placement: Placement,
    servers: &[Served],
    all: &[Ready<'_>],
) -> Vec<Row> {
    let mut rows: Vec<Row> = all
        .iter()
        .map(|ready| Row {
            name: ready.contender.name,
            samples: Vec::new(),
        })
        .collect();
    for round in 0..setup.options.rounds {
        // There and back again: who comes after whom changes, and whatever the machine does over time falls on all.
        let order: Vec<usize> = match round % 2 {
            0 => (0..all.len()).collect(),
            _ => (0..all.len()).rev().collect(),
        };
        for index in order {
            let (Some(ready), Some(row)) = (all.get(index), rows.get_mut(index)) else {
                continue;
            };
            let Some(server) = servers.get(ready.server) else {
                continue;
            };
            row.samples
                .push(sample(setup, scenario, placement, server, ready));
        }
    }
    rows
}

fn sample(
    setup: &Setup<'_>,
    scenario: &Scenario,
    placement: Placement,
    server: &Served,
    ready: &Ready<'_>,
) -> Result<Sample, String> {
    let before = server.group.processor_seconds();
    let run = generate::load(
        &ready.url,
        scenario.over,
        &ready.request,
        setup.options.seconds,
        placement,
        setup.work.path(),
    )
    .map_err(|error| with_log(error, server))?;
    let seconds = server.group.processor_seconds() - before;
    Ok(Sample {
        cost: seconds * 1e6 / run.requests,
        run,
    })
}

/// What went wrong, with the last that the server said.
fn with_log(error: String, server: &Served) -> String {
    let said = server.group.said();
    match said.lines().last() {
        Some(last) => format!("{error}; the server's last line: {last}"),
        None => error,
    }
}

/// Asks once and compares with what is expected.
fn probe(
    setup: &Setup<'_>,
    scenario: &Scenario,
    url: &str,
    request: &Request,
) -> Result<(), String> {
    let mut command = curl();
    command.args([
        "-o",
        "/dev/null",
        "-w",
        "%{http_code} %{size_download} %{http_version}",
    ]);
    command.arg(match scenario.over {
        Over::Http1 | Over::Http1Tls => "--http1.1",
        Over::Http2 => "--http2-prior-knowledge",
        Over::Http2Tls => "--http2",
    });
    for field in &request.fields {
        command.args(["-H", field]);
    }
    if let Some(body) = &request.body {
        let path = setup.work.path().join("body");
        fs::write(&path, body).map_err(|error| error.to_string())?;
        command
            .arg("--data-binary")
            .arg(format!("@{}", path.display()));
    }
    let text = process::output(command.arg(url), None)?;
    let version = if scenario.over.is_http2() { "2" } else { "1.1" };
    check(&text, &scenario.expect, version).map_err(|error| format!("{url}: {error}"))
}

/// Whether what curl said, `200 1024 1.1`, is what is expected.
fn check(said: &str, expect: &Expect, version: &str) -> Result<(), String> {
    let mut words = said.split_whitespace();
    let (status, bytes, spoke) = (words.next(), words.next(), words.next());
    let bytes: Option<u64> = bytes.and_then(|bytes| bytes.parse().ok());
    let (wanted, is_right) = match expect {
        Expect::Bytes(wanted) => ("200", bytes == Some(*wanted)),
        Expect::AtLeast(wanted) => ("200", bytes >= Some(*wanted)),
        Expect::FewerThan(wanted) => (
            "200",
            bytes.is_some_and(|bytes| bytes > 0 && bytes < *wanted),
        ),
        Expect::NotModified => ("304", bytes == Some(0)),
    };
    match status == Some(wanted) && is_right && spoke == Some(version) {
        true => Ok(()),
        false => Err(format!(
            "answered {said:?} (status, bytes, HTTP version), {expect:?} over HTTP/{version} is expected"
        )),
    }
}

fn curl() -> Command {
    let mut command = Command::new("curl");
    command.args(["-sS", "-k", "--max-time", "60"]);
    command
}

/// The header fields of an answer, a line each.
fn fields(url: &str) -> Result<String, String> {
    let text = process::output(curl().args(["-o", "/dev/null", "-D", "-"]).arg(url), None)?;
    let lines = text.lines().skip(1).map(str::trim);
    let lines: Vec<_> = lines.filter(|line| !line.is_empty()).collect();
    Ok(lines.join("\n"))
}

/// A script for wrk with the cookies of so many visitors, each of whom asked once.
fn visitors(url: &str) -> Result<String, String> {
    let mut cookies = Vec::new();
    for _ in 0..SESSIONS {
        let (head, _) = client::get_whole(url, None)?;
        let cookie = head.lines().find_map(cookie).ok_or("no session began")?;
        cookies.push(format!("'{cookie}'"));
    }
    Ok(format!(
        "local cookies = {{ {} }}\n\
         local number = 0\n\
         function request()\n\
           number = number + 1\n\
           return wrk.format('GET', nil, {{ Cookie = cookies[number % {SESSIONS} + 1] }})\n\
         end\n",
        cookies.join(", ")
    ))
}

/// `NAME=VALUE` of a header field that sets a cookie.
fn cookie(field: &str) -> Option<&str> {
    let (name, value) = field.split_once(':')?;
    let is_one = name.eq_ignore_ascii_case("set-cookie");
    is_one.then(|| value.split(';').next().unwrap_or_default().trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_expected_is_measured() {
        let ok = |said: &str, expect: &Expect| check(said, expect, "1.1").is_ok();
        assert!(ok("200 1024 1.1", &Expect::Bytes(1024)));
        assert!(!ok("200 1023 1.1", &Expect::Bytes(1024)));
        assert!(!ok("404 1024 1.1", &Expect::Bytes(1024)));
        assert!(!ok("200 1024 2", &Expect::Bytes(1024)));
        assert!(ok("200 1025 1.1", &Expect::AtLeast(1024)));
        assert!(!ok("200 1023 1.1", &Expect::AtLeast(1024)));
        assert!(ok("200 10 1.1", &Expect::FewerThan(1024)));
        assert!(!ok("200 1024 1.1", &Expect::FewerThan(1024)));
        assert!(ok("304 0 1.1", &Expect::NotModified));
        assert!(!ok("200 0 1.1", &Expect::NotModified));
        assert!(!ok("", &Expect::AtLeast(0)));
    }

    #[test]
    fn a_cookie_is_what_stands_before_its_attributes() {
        assert_eq!(cookie("Set-Cookie: a=b; Path=/"), Some("a=b"));
        assert_eq!(cookie("Server: a=b"), None);
    }
}
