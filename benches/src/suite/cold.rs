//! Starts with many components, components that are dropped in, and what idle things take of memory.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use super::content::Work;
use super::options::Placement;
use super::peers::{For, Kind, Over, Served};
use super::results::{Asked, Finding};
use super::rounds::Setup;
use super::{progress, variant};
use crate::client::{self, Client};
use crate::{clock, server};

const COUNTS: [u64; 4] = [1, 10, 100, 1000];
const QUICK_COUNTS: [u64; 3] = [1, 10, 100];
/// Of so many components each has code of its own; further ones are copies of them, lest the first start compile for minutes.
const DIFFERENT: u64 = 100;
const ANSWER_MAX: Duration = Duration::from_secs(300);
const CONNECTIONS: usize = 10_000;
const CONNECTIONS_AT_ONCE: usize = 500;
const SESSIONS: usize = 10_000;

/// What issue 9 asks.
const START_MAX: f64 = 1.0;
const COMPONENT_KIB_MAX: f64 = 300.0;
const CONNECTION_KIB_MAX: f64 = 10.0;

/// Measures all of it.
pub(crate) fn measure(setup: &Setup<'_>) -> Result<Vec<Finding>, String> {
    let mut findings = starts(setup)?;
    findings.extend(dropped_in(setup)?);
    findings.extend(connections(setup)?);
    findings.extend(sessions(setup)?);
    Ok(findings)
}

fn finding(name: String, value: f64, unit: &'static str, asked: Asked) -> Finding {
    Finding {
        group: "cold",
        name,
        value,
        unit,
        asked,
    }
}

/// On all cores, as it is in life.
fn wanted(with_components: bool) -> For<'static> {
    For {
        placement: Placement::Shared,
        over: Over::Http1,
        head: "",
        with_components,
    }
}

fn starts(setup: &Setup<'_>) -> Result<Vec<Finding>, String> {
    let module = measured()?;
    let mut findings = Vec::new();
    let mut of_one = None;
    let counts: &[u64] = if setup.options.quick {
        &QUICK_COUNTS
    } else {
        &COUNTS
    };
    for &count in counts {
        progress::step(&format!("cold: {count} components"));
        let write = |work: &Work, ports| {
            let site = work.site(ports, false)?;
            let components = site.join("components");
            fs::create_dir_all(&components).map_err(|error| error.to_string())?;
            for number in 0..count {
                let to = components.join(format!("c{number}.wasm"));
                variant::write(&module, number % DIFFERENT, &to)?;
            }
            Ok::<_, String>(site)
        };
        // The first start compiles, the second is the one that counts; sites are kept between the two.
        let measure = |is_second: bool| -> Result<(f64, (u64, u64)), String> {
            let began = Instant::now();
            let server = Served::start_site(setup.peers, setup.work, |ports| match is_second {
                true => setup.work.settle(ports),
                false => write(setup.work, ports),
            })?;
            let path = format!("/c{}/hello", count - 1);
            answers(&server.url(Over::Http1, &path))?;
            server.wait_for_components(count as usize)?;
            let answered = began.elapsed().as_secs_f64();
            Ok((answered, server.group.memory()))
        };
        let (first, _) = measure(false)?;
        let (second, (resident, private)) = measure(true)?;
        let asked = match count {
            1000 => Asked::AtMost(START_MAX),
            _ => Asked::Nothing,
        };
        findings.push(finding(
            format!("first start with {count} components until all are there, everything compiled"),
            first,
            "s",
            Asked::Nothing,
        ));
        findings.push(finding(
            format!("start with {count} components until all are there, code from the cache"),
            second,
            "s",
            asked,
        ));
        let (one, one_private) = *of_one.get_or_insert((resident, private));
        if count > 1 {
            let each = |all: u64, one: u64| all.saturating_sub(one) as f64 / (count - 1) as f64;
            let each_private = each(private, one_private);
            findings.push(finding(
                format!("resident memory of each of {count} idle components (of it private: {each_private:.0} KiB)"),
                each(resident, one),
                "KiB",
                Asked::AtMost(COMPONENT_KIB_MAX),
            ));
        }
    }
    Ok(findings)
}

fn measured() -> Result<Vec<u8>, String> {
    fs::read(server::test_guest("measured")?).map_err(|error| error.to_string())
}

/// Asks until there is an answer.
fn answers(url: &str) -> Result<(), String> {
    clock::wait_until(ANSWER_MAX, || client::get(url, None).is_ok())
        .map_err(|error| format!("{url}: {error}"))
}

fn dropped_in(setup: &Setup<'_>) -> Result<Vec<Finding>, String> {
    progress::step("cold: components dropped in");
    let module = measured()?;
    let server = Served::start(setup.peers, setup.work, Kind::Tessera, wanted(true))?;
    let components = setup.work.path().join("site/components");
    let drop_in = |name: &str, number: u64| {
        let to = components.join(format!("{name}.wasm"));
        variant::write(&module, number, &to)?;
        let began = Instant::now();
        answers(&server.url(Over::Http1, &format!("/{name}/hello")))?;
        Ok::<_, String>(began.elapsed().as_secs_f64() * 1000.0)
    };
    let new = drop_in("new", 1_000_001)?;
    let known = drop_in("known", 1_000_001)?;
    let told = |what: &str| format!("from dropping a component in to its first answer, {what}");
    Ok(vec![
        finding(told("compiled"), new, "ms", Asked::Nothing),
        finding(told("code from the cache"), known, "ms", Asked::Nothing),
    ])
}

fn connections(setup: &Setup<'_>) -> Result<Vec<Finding>, String> {
    let mut findings = Vec::new();
    for kind in [Kind::Tessera, Kind::Hyper, Kind::Nginx] {
        if setup.peers.path(kind.peer()).is_none() {
            continue;
        }
        progress::step(&format!("cold: idle connections of {}", kind.peer()));
        let server = Served::start(setup.peers, setup.work, kind, wanted(false))?;
        let url = server.url(Over::Http1, "/1k.txt");
        Client::open(&url, 1, None)?.round()?;
        let (_, before) = server.group.memory();
        let mut open: Vec<Vec<TcpStream>> = Vec::new();
        for _ in 0..CONNECTIONS / CONNECTIONS_AT_ONCE {
            let mut client = Client::open(&url, CONNECTIONS_AT_ONCE, None)?;
            client.round()?;
            // Without the buffers of this side.
            open.push(client.into_streams());
        }
        let (_, after) = server.group.memory();
        let asked = match kind {
            Kind::Tessera => Asked::AtMost(CONNECTION_KIB_MAX),
            _ => Asked::Nothing,
        };
        findings.push(finding(
            format!(
                "private memory of each of {CONNECTIONS} idle connections, {}",
                kind.peer()
            ),
            after.saturating_sub(before) as f64 / CONNECTIONS as f64,
            "KiB",
            asked,
        ));
        drop(open);
    }
    Ok(findings)
}

fn sessions(setup: &Setup<'_>) -> Result<Vec<Finding>, String> {
    progress::step("cold: sessions");
    let server = Served::start(setup.peers, setup.work, Kind::Tessera, wanted(true))?;
    let url = server.url(Over::Http1, "/measured/session");
    let mut client = Client::open(&url, 8, None)?;
    for _ in 0..50 {
        client.round()?;
    }
    let (_, before) = server.group.memory();
    // Who has no cookie gets a session of its own.
    for _ in 0..SESSIONS / 8 {
        client.round()?;
    }
    let (_, after) = server.group.memory();
    let memory = after.saturating_sub(before) as f64 / SESSIONS as f64;
    let disk = size(&setup.work.path().join("site/.tessera")) as f64 / 1024.0 / SESSIONS as f64;
    Ok(vec![
        finding(
            format!("private memory of each of {SESSIONS} sessions"),
            memory,
            "KiB",
            Asked::Nothing,
        ),
        finding(
            "the store's file and the code cache, for each of them".to_owned(),
            disk,
            "KiB",
            Asked::Nothing,
        ),
    ])
}

/// The bytes of all files below a folder.
fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(data) if data.is_dir() => size(&entry.path()),
        Ok(data) => data.len(),
        Err(_) => 0,
    });
    sizes.sum()
}
