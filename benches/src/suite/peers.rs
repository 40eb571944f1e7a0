//! The servers that are compared: which of them are there, and how each is started with its best reasonable configuration.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::content::{COMPONENTS, Work, configuration};
use super::options::{Options, Placement};
use super::process::{self, Group};
use crate::{clock, server};

/// How long a server may take to listen.
const START_MAX: Duration = Duration::from_secs(60);

/// How long all components may take to be compiled.
const COMPONENTS_MAX: Duration = Duration::from_secs(300);

/// A server and the way it is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Tessera,
    Nginx,
    Caddy,
    StaticWebServer,
    Hyper,
    Workerd,
    /// With a part of `wasmtime.flags`, and the guest.
    Wasmtime(&'static str, &'static str),
}

impl Kind {
    /// The name of the peer.
    pub(crate) fn peer(self) -> &'static str {
        match self {
            Self::Tessera => "tessera",
            Self::Nginx => "nginx",
            Self::Caddy => "caddy",
            Self::StaticWebServer => "static-web-server",
            Self::Hyper => "hyper",
            Self::Workerd => "workerd",
            Self::Wasmtime(..) => "wasmtime",
        }
    }
}

/// What a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    Http1,
    Http2,
    Http1Tls,
    Http2Tls,
}

impl Over {
    pub(crate) fn is_tls(self) -> bool {
        matches!(self, Self::Http1Tls | Self::Http2Tls)
    }

    pub(crate) fn is_http2(self) -> bool {
        matches!(self, Self::Http2 | Self::Http2Tls)
    }
}

/// A peer that is on this machine.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) path: PathBuf,
    pub(crate) version: String,
}

/// Those that can take part, and why others cannot.
pub(crate) struct Peers {
    pub(crate) found: Vec<Peer>,
    pub(crate) missing: Vec<String>,
}

impl Peers {
    /// Looks for them in `target/peers` and in the path.
    pub(crate) fn find(options: &Options) -> Result<Self, String> {
        let peers = server::target().join("peers");
        let tessera = options.tessera.clone().unwrap_or_else(server::binary);
        if !tessera.is_file() {
            let tessera = tessera.display();
            return Err(format!(
                "{tessera}: not there; run `cargo build --release` or name another with --tessera"
            ));
        }
        let this = std::env::current_exe().map_err(|error| error.to_string())?;
        let folders: Vec<_> = [
            "bin",
            "usr/sbin",
            "usr/bin",
            "node_modules/@cloudflare/workerd-linux-64/bin",
            "node_modules/@cloudflare/workerd-linux-arm64/bin",
        ]
        .map(|folder| peers.join(folder))
        .into();
        let look = |name| process::found(name, &folders);
        let wasmtime = std::env::var_os("WASMTIME").map(PathBuf::from);
        let mut all = Self {
            found: Vec::new(),
            missing: Vec::new(),
        };
        all.add("tessera", Some(tessera), &["--version"]);
        // Its version is that of Tessera's own lock file.
        all.add("hyper", Some(this), &["version"]);
        if options.wants_peer("nginx") {
            all.add("nginx", look("nginx"), &["-v"]);
        }
        if options.wants_peer("caddy") {
            all.add("caddy", look("caddy"), &["version"]);
        }
        if options.wants_peer("static-web-server") {
            let path = look("static-web-server");
            all.add("static-web-server", path, &["--version"]);
        }
        if options.wants_peer("workerd") {
            all.add("workerd", look("workerd"), &["--version"]);
        }
        if options.wants_peer("wasmtime") {
            let path = wasmtime.or_else(|| look("wasmtime"));
            all.add("wasmtime", path, &["--version"]);
        }
        if !options.wants_peer("hyper") {
            all.found.retain(|peer| peer.name != "hyper");
        }
        Ok(all)
    }

    fn add(&mut self, name: &'static str, path: Option<PathBuf>, ask: &[&str]) {
        let Some(path) = path else {
            return self.missing.push(format!("{name}: not found"));
        };
        let output = Command::new(&path).args(ask).output();
        match output {
            Ok(output) if output.status.success() => {
                let text = [output.stdout, output.stderr].concat();
                let text = String::from_utf8_lossy(&text);
                let version = version(text.lines().next().unwrap_or_default());
                self.found.push(Peer {
                    name,
                    path,
                    version,
                });
            }
            Ok(output) => {
                let text = String::from_utf8_lossy(&output.stderr).into_owned();
                self.missing.push(format!("{name}: {}", text.trim()));
            }
            Err(error) => self.missing.push(format!("{name}: {error}")),
        }
    }

    /// The program of a peer, if it is there.
    pub(crate) fn path(&self, name: &str) -> Option<&Path> {
        let peer = self.found.iter().find(|peer| peer.name == name)?;
        Some(&peer.path)
    }
}

/// A server that listens.
pub(crate) struct Served {
    pub(crate) group: Group,
    pub(crate) kind: Kind,
    ports: [u16; 3],
}

/// What a server is started for.
#[derive(Clone, Copy)]
pub(crate) struct For<'a> {
    pub(crate) placement: Placement,
    pub(crate) over: Over,
    /// The fields that bare hyper answers files with.
    pub(crate) head: &'a str,
    /// Whether Tessera has the components that are measured.
    pub(crate) with_components: bool,
}

impl Served {
    /// Starts a server and waits until it listens.
    pub(crate) fn start(
        peers: &Peers,
        work: &Work,
        kind: Kind,
        wanted: For<'_>,
    ) -> Result<Self, String> {
        Self::start_with(peers, work, kind, wanted, &[])
    }

    /// The same with variables in its environment.
    pub(crate) fn start_with(
        peers: &Peers,
        work: &Work,
        kind: Kind,
        wanted: For<'_>,
        environment: &[(&str, &Path)],
    ) -> Result<Self, String> {
        let ports = free_ports()?;
        let mut command = command(peers, work, kind, wanted, ports)?;
        command.envs(environment.iter().copied());
        // It has one listener only.
        let is_tls_only = kind == Kind::StaticWebServer && wanted.over.is_tls();
        let listens_at = if is_tls_only { ports[2] } else { ports[0] };
        let served = Self::started(work, kind, &command, wanted.placement, ports, listens_at)?;
        if kind == Kind::Tessera && wanted.with_components {
            served.wait_for_components(COMPONENTS.len())?;
        }
        Ok(served)
    }

    /// Starts Tessera on all cores with a site that something writes for its ports.
    pub(crate) fn start_site(
        peers: &Peers,
        work: &Work,
        site: impl FnOnce([u16; 3]) -> Result<PathBuf, String>,
    ) -> Result<Self, String> {
        let ports = free_ports()?;
        let mut command = Command::new(peers.path("tessera").ok_or("not found")?);
        command.arg("serve").arg(site(ports)?);
        let all = Placement::Shared;
        Self::started(work, Kind::Tessera, &command, all, ports, ports[0])
    }

    fn started(
        work: &Work,
        kind: Kind,
        command: &Command,
        placement: Placement,
        ports: [u16; 3],
        listens_at: u16,
    ) -> Result<Self, String> {
        let log = format!("{}-{}.log", kind.peer(), ports[0]);
        let log = work.path().join(log);
        let group = Group::start(command, placement.of_server(), &log)?;
        let mut served = Self { group, kind, ports };
        served.wait(listens_at)?;
        Ok(served)
    }

    /// Waits until Tessera said of so many components that they are there. That it is ready says less: it does not wait for
    /// those that take long.
    pub(crate) fn wait_for_components(&self, count: usize) -> Result<(), String> {
        let started = || self.group.all_said().matches("outcome=Started").count();
        clock::wait_until(COMPONENTS_MAX, || started() >= count)
            .map_err(|error| format!("{error}: {}", self.group.said()))
    }

    fn wait(&mut self, port: u16) -> Result<(), String> {
        let mut has_ended = false;
        let waited = clock::wait_until(START_MAX, || {
            has_ended = self.group.has_ended();
            has_ended || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
        });
        let said = || self.group.said();
        match waited {
            Ok(()) if has_ended => Err(format!("ended at its start: {}", said())),
            Ok(()) => Ok(()),
            Err(error) => Err(format!("{error}: {}", said())),
        }
    }

    /// The URL of a path that begins with a slash.
    pub(crate) fn url(&self, over: Over, path: &str) -> String {
        let [http, h2c, https] = self.ports;
        // Only these have HTTP/2 without TLS on a port of its own.
        let own = matches!(self.kind, Kind::Nginx | Kind::Hyper);
        match over {
            Over::Http2 if own => format!("http://127.0.0.1:{h2c}{path}"),
            Over::Http1 | Over::Http2 => format!("http://127.0.0.1:{http}{path}"),
            Over::Http1Tls | Over::Http2Tls => format!("https://127.0.0.1:{https}{path}"),
        }
    }
}

/// What starts a server on three ports: HTTP, HTTP/2 without TLS where it wants one of its own for that, and HTTPS.
fn command(
    peers: &Peers,
    work: &Work,
    kind: Kind,
    wanted: For<'_>,
    ports: [u16; 3],
) -> Result<Command, String> {
    let path = peers.path(kind.peer()).ok_or_else(|| {
        let peer = kind.peer();
        format!("{peer} is not there, or was not asked for with --peers")
    })?;
    let mut command = Command::new(path);
    match kind {
        Kind::Tessera => {
            let site = work.site(ports, wanted.with_components)?;
            command.arg("serve").arg(site);
        }
        Kind::Nginx => {
            let types = work.path().join("mime.types");
            fs::copy(configuration("mime.types"), types).map_err(|error| error.to_string())?;
            let file = work.write_filled("nginx.conf", ports, wanted.placement)?;
            command.arg("-c").arg(file).arg("-p").arg(work.path());
        }
        Kind::Caddy => {
            let file = work.write_filled("Caddyfile", ports, wanted.placement)?;
            command.args(["run", "--adapter", "caddyfile", "--config"]);
            command.arg(file).env("HOME", work.path());
            command.env("XDG_DATA_HOME", work.path());
            command.env("XDG_CONFIG_HOME", work.path());
        }
        Kind::StaticWebServer => {
            let is_tls = wanted.over.is_tls();
            let own = if is_tls { [ports[2]; 3] } else { ports };
            let flags = work.filled("static-web-server.flags", own, wanted.placement)?;
            command.args(part(&flags, ""));
            if is_tls {
                command.args(part(&flags, "tls"));
            }
        }
        Kind::Hyper => {
            command
                .arg("native")
                .args(ports.map(|port| port.to_string()));
            command.arg(work.root()).arg(wanted.head);
            command.arg(work.certificate());
        }
        Kind::Workerd => {
            fs::copy(configuration("worker.js"), work.path().join("worker.js"))
                .map_err(|error| error.to_string())?;
            let file = work.write_filled("workerd.capnp", ports, wanted.placement)?;
            command.arg("serve").arg(file);
        }
        Kind::Wasmtime(flavour, guest) => {
            let flags = work.filled("wasmtime.flags", ports, wanted.placement)?;
            let port = ports[0];
            command.arg("serve").args(part(&flags, flavour));
            command.arg(format!("--addr=127.0.0.1:{port}"));
            command.arg(server::test_guest(guest)?);
        }
    }
    Ok(command)
}

/// The version in what a program says of itself: `nginx version: nginx/1.22.1`.
fn version(line: &str) -> String {
    let is_digit = |character: char| character.is_ascii_digit();
    let found = line.split_whitespace().find_map(|word| {
        let (start, _) = word.match_indices(is_digit).next()?;
        word.get(start..)
    });
    found.unwrap_or(line).to_owned()
}

/// Three ports that nobody has now.
fn free_ports() -> Result<[u16; 3], String> {
    let failed = |error: std::io::Error| error.to_string();
    let mut ports = [0; 3];
    let mut held = Vec::new();
    for port in &mut ports {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
        *port = listener.local_addr().map_err(failed)?.port();
        held.push(listener);
    }
    Ok(ports)
}

/// The lines of one part of a file with options: those below `[NAME]`, or above all parts where the name is empty.
fn part<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let mut current = "";
    let mut lines = Vec::new();
    for line in text.lines().map(str::trim) {
        let title = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        match title {
            Some(title) => current = title,
            None if current == name && !line.is_empty() && !line.starts_with('#') => {
                lines.push(line);
            }
            None => {}
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_taken_by_their_part() {
        let text = "# a comment\n--a=1\n\n[tls]\n--b\n[other]\n--c\n";
        assert_eq!(part(text, ""), ["--a=1"]);
        assert_eq!(part(text, "tls"), ["--b"]);
        assert!(part(text, "none").is_empty());
    }

    #[test]
    fn every_way_of_wasmtime_has_its_options() {
        let text = fs::read_to_string(configuration("wasmtime.flags")).unwrap();
        for flavour in ["default", "pooling", "reuse", "default-0.3"] {
            assert!(!part(&text, flavour).is_empty(), "{flavour}");
        }
    }

    #[test]
    fn versions_are_found_in_whatever_is_said() {
        assert_eq!(version("nginx version: nginx/1.22.1"), "1.22.1");
        assert_eq!(version("workerd 2026-11-17"), "2026-11-17");
        assert_eq!(version("v2.11.0 h1:abc="), "2.11.0");
        assert_eq!(version("unknown"), "unknown");
    }

    #[test]
    fn ports_differ() {
        let [one, two, three] = free_ports().unwrap();
        assert!(one != two && two != three && one != three);
    }
}
