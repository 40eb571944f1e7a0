//! The servers under test, as child processes that end with the benchmark.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// What Tessera's last line of its start says.
const READY: &str = "ready in";

/// A server that listens.
pub(crate) struct Server {
    child: Child,
    /// Where, with a slash at the end.
    pub(crate) url: String,
    /// The same for HTTPS, if it speaks that.
    pub(crate) secured_url: Option<String>,
    /// What it printed until it was ready.
    pub(crate) output: String,
}

impl Server {
    /// The bare hyper server with the head and the body of a response, over TLS if there is a folder with a certificate.
    pub(crate) fn baseline(
        body: &str,
        head: &str,
        certificate: Option<&Path>,
    ) -> Result<Self, String> {
        let this = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut command = Command::new(this);
        command.arg("baseline").args([body, head]).args(certificate);
        let mut server = Self::start(&mut command, "://")?;
        if let Some(url) = server.secured_url.take() {
            server.url = url;
        }
        Ok(server)
    }

    /// Tessera with a site, ready to answer.
    pub(crate) fn tessera(binary: &Path, site: &Path) -> Result<Self, String> {
        is_there(binary, "cargo build --release")?;
        Self::start(serve(&mut Command::new(binary), site), READY)
    }

    /// The same under Valgrind's callgrind, with one thread for requests: what several do depends on chance. Dumps go
    /// to a folder.
    pub(crate) fn under_callgrind(
        binary: &Path,
        site: &Path,
        dumps: &Path,
    ) -> Result<Self, String> {
        is_there(binary, "cargo build --release")?;
        let file = |option: &str, name: &str| format!("{option}={}", dumps.join(name).display());
        let mut command = Command::new("valgrind");
        command
            .arg("--tool=callgrind")
            .arg(file("--callgrind-out-file", "out"))
            .arg(file("--log-file", "log"))
            .arg(binary)
            .env("TOKIO_WORKER_THREADS", "1");
        Self::start(serve(&mut command, site), READY)
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
            secured_url: None,
            output: String::new(),
        };
        for line in BufReader::new(stdout).lines() {
            let line = line.map_err(|error| error.to_string())?;
            let mut urls = line.split_whitespace();
            if let Some(url) = urls.clone().find(|word| word.starts_with("https://")) {
                server.secured_url.get_or_insert_with(|| url.to_owned());
            }
            if server.url.is_empty()
                && let Some(url) = urls.find(|word| word.starts_with("http://"))
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

    /// The number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The processor time that it took so far, all threads together.
    pub(crate) fn processor_seconds(&self) -> Result<f64, String> {
        /// `USER_HZ`, which Linux shows to all programs as 100.
        const TICKS_PER_SECOND: f64 = 100.0;
        let path = format!("/proc/{}/stat", self.child.id());
        let stat = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        // The program's name stands in brackets and may hold anything; user and system time are the 12th and 13th after it.
        let fields = stat.rsplit(") ").next().unwrap_or_default();
        let ticks = fields.split(' ').skip(11).take(2);
        let ticks: Result<Vec<f64>, _> = ticks.map(str::parse).collect();
        let ticks = ticks.map_err(|error| format!("{path}: {error}"))?;
        Ok(ticks.iter().sum::<f64>() / TICKS_PER_SECOND)
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

fn serve<'a>(command: &'a mut Command, site: &Path) -> &'a mut Command {
    command.arg("serve").arg(site).arg("--free-ports")
}

fn is_there(file: &Path, made_by: &str) -> Result<(), String> {
    match file.is_file() {
        true => Ok(()),
        false => Err(format!(
            "{}: not there; run `{made_by}` first",
            file.display()
        )),
    }
}

/// Tessera's binary, as `cargo build --release` made it.
pub(crate) fn binary() -> PathBuf {
    target().join("release/tessera")
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
    is_there(&path, "cargo xtask guests")?;
    Ok(path)
}

/// A component for tests, as `cargo xtask guests` built it.
pub(crate) fn test_guest(name: &str) -> Result<PathBuf, String> {
    let path = target().join("test-guests").join(format!("{name}.wasm"));
    is_there(&path, "cargo xtask guests")?;
    Ok(path)
}
