//! The servers under test, as child processes that end with the benchmark.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A server that listens.
pub(crate) struct Server {
    child: Child,
    /// Where, with a slash at the end.
    pub(crate) url: String,
    /// What it printed until it was ready.
    pub(crate) output: String,
}

impl Server {
    /// The bare hyper server.
    pub(crate) fn baseline(body: &str) -> Result<Self, String> {
        let this = std::env::current_exe().map_err(|error| error.to_string())?;
        Self::start(Command::new(this).arg("baseline").arg(body), "http://")
    }

    /// Tessera with a site, ready to answer.
    pub(crate) fn tessera(site: &Path) -> Result<Self, String> {
        let binary = target().join("release/tessera");
        if !binary.is_file() {
            return Err(format!(
                "{}: not there; run `cargo build --release` first",
                binary.display()
            ));
        }
        Self::start(
            Command::new(binary)
                .arg("serve")
                .arg(site)
                .arg("--free-ports"),
            "ready in",
        )
    }

    /// Starts a server and waits for the line that says it is ready.
    fn start(command: &mut Command, ready: &str) -> Result<Self, String> {
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{command:?}: {error}"))?;
        let stdout = child.stdout.take().ok_or("no standard output")?;
        let mut server = Self {
            child,
            url: String::new(),
            output: String::new(),
        };
        for line in BufReader::new(stdout).lines() {
            let line = line.map_err(|error| error.to_string())?;
            if server.url.is_empty()
                && let Some(url) = line
                    .split_whitespace()
                    .find(|word| word.starts_with("http://"))
            {
                server.url = url.to_owned();
            }
            server.output.push_str(&line);
            server.output.push('\n');
            if line.contains(ready) {
                return Ok(server);
            }
        }
        Err(format!(
            "{command:?} ended before it was ready:\n{}",
            server.output
        ))
    }

    /// Resident memory in KiB: all of it, and without what is shared with other processes or backed by files.
    pub(crate) fn memory(&self) -> Result<(u64, u64), String> {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok())
                .ok_or_else(|| format!("{path}: no {name}"))
        };
        Ok((field("VmRSS:")?, field("RssAnon:")?))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The folder that Cargo builds into.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"),
        PathBuf::from,
    )
}

/// A shipped component, as `cargo xtask guests` built it.
pub(crate) fn component(name: &str) -> Result<PathBuf, String> {
    let path = target().join("components").join(format!("{name}.wasm"));
    if path.is_file() {
        Ok(path)
    } else {
        Err(format!(
            "{}: not there; run `cargo xtask guests` first",
            path.display()
        ))
    }
}
