//! What the machine has to give: ports, files, address space, and the time.

use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::process::{Resource, getrlimit};
use tessera_engine::{Engine, EngineOptions};
use tessera_host::settings::HostSettings;

use super::{Finding, Planned};

/// Files that a process needs beside one for each connection: pages, ports, logs, Tessera's own.
const FILES_BESIDE: u64 = 256;
/// Folders that a large site watches.
const WATCHES_MIN: u64 = 8_192;
/// No clock that is set shows a time before this one: 2025.
const FIRST_TIME: Duration = Duration::from_secs(1_735_689_600);
/// How far a file may be ahead of the clock.
const AHEAD_MAX: Duration = Duration::from_secs(60);

/// Whether each port can be opened; those of a site that is served are open already.
pub(super) fn ports(servers: &[Planned], is_served: bool) -> Vec<Finding> {
    if is_served {
        return vec![Finding::good(
            "ports",
            "the site is served, its ports are open",
        )];
    }
    let mut findings = Vec::new();
    for server in servers {
        let listen = &server.web.listen;
        let https = listen.https.as_ref().map(|https| https.port);
        let named = [("HTTPPort", listen.http), ("HTTPSPort", https)];
        for (key, port) in named {
            for ip in listen.addresses.to_bind() {
                if let Some(port) = port {
                    findings.push(port_of(&server.name, key, SocketAddr::new(ip, port)));
                }
            }
        }
    }
    findings
}

fn port_of(name: &str, key: &str, address: SocketAddr) -> Finding {
    let shown = format!("{address} ({key} of {name})");
    let Err(error) = TcpListener::bind(address) else {
        return Finding::good("ports", format!("{shown} is free"));
    };
    let advice = match error.kind() {
        io::ErrorKind::AddrInUse => format!("stop who has it, or choose another {key}"),
        io::ErrorKind::PermissionDenied => format!(
            "choose a {key} from 1024 on, give the right (setcap cap_net_bind_service+ep), or have systemd open it"
        ),
        io::ErrorKind::AddrNotAvailable => {
            "this machine does not have the address: see IPAddressToListen".to_owned()
        }
        _ => format!("choose another {key}"),
    };
    Finding::bad("ports", format!("{shown}: {error}"), advice)
}

/// Whether as many files may be open as there may be connections, and folders watched.
pub(super) fn limits(settings: &HostSettings) -> Vec<Finding> {
    let wanted = u64::from(settings.connections.max) + FILES_BESIDE;
    // The host raises its own limit as far as it may.
    let files = match getrlimit(Resource::Nofile).maximum {
        Some(most) if most < wanted => Finding::warning(
            "open files",
            format!("at most {most}, and {wanted} are wanted for server.max_connections"),
            "raise the limit (LimitNOFILE of the unit, `ulimit -n`), or lower server.max_connections",
        ),
        Some(most) => Finding::good("open files", format!("{most}, and {wanted} are wanted")),
        None => Finding::good("open files", "no limit"),
    };
    let watches = fs::read_to_string("/proc/sys/fs/inotify/max_user_watches");
    let watches = watches.ok().and_then(|text| text.trim().parse().ok());
    let watches = watches.map(|count: u64| match count < WATCHES_MIN {
        true => Finding::warning(
            "watches",
            format!("at most {count} folders can be watched; changes elsewhere are seen late"),
            "sysctl fs.inotify.max_user_watches=65536",
        ),
        false => Finding::good("watches", format!("{count} folders can be watched")),
    });
    std::iter::once(files).chain(watches).collect()
}

/// Whether the pool of instances can be had, by having it.
pub(super) fn address_space(settings: &HostSettings) -> Finding {
    let instances = settings.engine.instances_max;
    let engine = Engine::new(&EngineOptions {
        instances,
        memory: 1 << 30,
        code_cache: None,
        spill_folder: std::env::temp_dir(),
        core_dumps: None,
    });
    match engine {
        Ok(engine) if engine.statistics().allocator.is_some() => {
            Finding::good("address space", format!("enough for {instances} instances"))
        }
        Ok(_) => Finding::warning(
            "address space",
            format!("not enough for a pool of {instances} instances: components start slower"),
            "lower [engine] max_instances, or raise the limit (`ulimit -v unlimited`, vm.overcommit_memory=0)",
        ),
        Err(error) => Finding::bad(
            "address space",
            error.to_string(),
            "lower [engine] max_instances",
        ),
    }
}

/// Whether the clock can be right: sessions, certificates and caches depend on it.
pub(super) fn clock(site: &Path) -> Finding {
    let now = SystemTime::now();
    let shown = httpdate::fmt_http_date(now);
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let advice = "set the clock, and keep it set (chrony, systemd-timesyncd)";
    if since < FIRST_TIME {
        return Finding::bad("clock", format!("{shown} is past"), advice);
    }
    let newest = newest(site);
    match newest.and_then(|(time, name)| Some((time.duration_since(now).ok()?, name))) {
        Some((ahead, name)) if ahead > AHEAD_MAX => {
            let detail = format!("{shown}, but {name} was changed {ahead:.0?} later");
            Finding::warning("clock", detail, advice)
        }
        _ => Finding::good("clock", shown),
    }
}

/// The file of a site's folder that was changed last.
fn newest(site: &Path) -> Option<(SystemTime, String)> {
    let entries = fs::read_dir(site).ok()?.filter_map(Result::ok);
    let times = entries.filter_map(|entry| {
        let time = entry.metadata().ok()?.modified().ok()?;
        Some((time, entry.file_name().to_string_lossy().into_owned()))
    });
    times.max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::State;

    #[test]
    fn a_busy_port_is_bad_and_says_so() {
        let busy = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = busy.local_addr().unwrap();
        let finding = port_of("shop", "HTTPPort", address);
        assert_eq!(finding.state, State::Bad, "{finding:?}");
        assert!(finding.advice.unwrap().contains("another HTTPPort"));
        drop(busy);
        assert_eq!(port_of("shop", "HTTPPort", address).state, State::Good);
    }

    #[test]
    fn a_file_of_the_future_gives_the_clock_away() {
        let site = tempfile::tempdir().unwrap();
        assert_eq!(clock(site.path()).state, State::Good);
        let file = fs::File::create(site.path().join("tessera.toml")).unwrap();
        let future = SystemTime::now() + Duration::from_secs(86_400);
        file.set_modified(future).unwrap();
        let finding = clock(site.path());
        assert_eq!(finding.state, State::Warning, "{finding:?}");
        assert!(finding.detail.contains("tessera.toml"), "{finding:?}");
    }
}
