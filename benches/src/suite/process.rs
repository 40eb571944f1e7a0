//! Child processes: on cores of their own, ended with all they started, their processor time and memory.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use std::os::unix::process::CommandExt;

use rustix::process::{Pid, Signal, kill_process_group};

/// How long a server may take to end by itself.
const END_MAX: Duration = Duration::from_secs(3);
/// `USER_HZ`, which Linux shows to all programs as 100.
const TICKS_PER_SECOND: f64 = 100.0;

/// Groups of processes that run now, and the folder of this run: what a signal has to clear away.
static RUNNING: Mutex<Vec<u32>> = Mutex::new(Vec::new());
static FOLDER: OnceLock<PathBuf> = OnceLock::new();

/// A process and what it started; they end when this is dropped.
pub(crate) struct Group {
    child: Child,
    /// Where its output goes.
    log: PathBuf,
}

impl Group {
    /// Starts a program on some cores, or on any.
    pub(crate) fn start(
        command: &Command,
        cores: Option<&str>,
        log: &Path,
    ) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("{command:?}: {error}");
        let mut command = placed(command, cores);
        let output = File::create(log).map_err(failed)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone().map_err(failed)?)
            .stderr(output)
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        registry().push(child.id());
        Ok(Self {
            child,
            log: log.to_owned(),
        })
    }

    /// The number of its first process, and of the group.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether its first process has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// What it printed so far.
    pub(crate) fn all_said(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&text).into_owned()
    }

    /// The last lines of what it printed.
    pub(crate) fn said(&self) -> String {
        let text = self.all_said();
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(12)..].join("\n")
    }

    /// The processor time that all of its processes took so far, in seconds.
    pub(crate) fn processor_seconds(&self) -> f64 {
        let group = self.id();
        let all = processes().filter(|process| process.group == group);
        all.map(|process| process.ticks).sum::<u64>() as f64 / TICKS_PER_SECOND
    }

    /// Memory of all its processes in KiB: resident, and of that what no file backs.
    pub(crate) fn memory(&self) -> (u64, u64) {
        let group = self.id();
        let mut sum = (0, 0);
        for process in processes().filter(|process| process.group == group) {
            let status = fs::read_to_string(format!("/proc/{}/status", process.id));
            let status = status.unwrap_or_default();
            sum.0 += field(&status, "VmRSS:").unwrap_or(0);
            sum.1 += field(&status, "RssAnon:").unwrap_or(0);
        }
        sum
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let group = self.id();
        signal(group, Signal::TERM);
        let began = Instant::now();
        while !self.has_ended() && began.elapsed() < END_MAX {
            crate::clock::pause(Duration::from_millis(5));
        }
        // Also what outlived its parent.
        signal(group, Signal::KILL);
        let _ = self.child.wait();
        registry().retain(|one| *one != group);
    }
}

fn registry() -> std::sync::MutexGuard<'static, Vec<u32>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn signal(group: u32, signal: Signal) {
    // It may be gone, which is what is wanted.
    if let Some(group) = i32::try_from(group).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(group, signal);
    }
}

/// The command on its cores, to be killed should the harness be.
fn placed(command: &Command, cores: Option<&str>) -> Command {
    let mut words = Vec::new();
    if is_there("setpriv") {
        words.extend(["setpriv", "--pdeathsig", "TERM", "--"]);
    }
    if let Some(cores) = cores {
        words.extend(["taskset", "-c", cores]);
    }
    let Some((first, rest)) = words.split_first() else {
        return copied(command, Command::new(command.get_program()));
    };
    let mut whole = Command::new(first);
    whole.args(rest).arg(command.get_program());
    copied(command, whole)
}

/// With the arguments, environment and folder of another command.
fn copied(from: &Command, mut to: Command) -> Command {
    to.args(from.get_args());
    for (name, value) in from.get_envs() {
        match value {
            Some(value) => to.env(name, value),
            None => to.env_remove(name),
        };
    }
    if let Some(folder) = from.get_current_dir() {
        to.current_dir(folder);
    }
    to
}

/// Whether a program of this name is in the path.
pub(crate) fn is_there(name: &str) -> bool {
    found(name, &[]).is_some()
}

/// The program of this name, in folders and then in the path.
pub(crate) fn found(name: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let all = folders.iter().cloned().chain(std::env::split_paths(&path));
    all.map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// Runs a load generator to its end and returns what it printed. It ends if the harness does.
pub(crate) fn output(command: &Command, cores: Option<&str>) -> Result<String, String> {
    let mut command = placed(command, cores);
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    match output.status.success() {
        true => Ok(text),
        false => {
            let errors = String::from_utf8_lossy(&output.stderr);
            let status = output.status;
            Err(format!("{command:?}: {status}: {text}{errors}"))
        }
    }
}

/// Ends everything and removes the folder when this process gets SIGINT or SIGTERM.
pub(crate) fn clear_away_on_signals(folder: &Path) -> Result<(), String> {
    let _ = FOLDER.set(folder.to_owned());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    std::thread::spawn(move || {
        runtime.block_on(async {
            use tokio::signal::unix::{SignalKind, signal};
            let Ok(mut terminate) = signal(SignalKind::terminate()) else {
                return;
            };
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            clear_away();
        });
    });
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "the main thread waits for a load generator and cannot be told"
)]
fn clear_away() {
    for group in registry().iter() {
        signal(*group, Signal::KILL);
    }
    if let Some(folder) = FOLDER.get() {
        let _ = fs::remove_dir_all(folder);
    }
    let _ = writeln!(std::io::stderr(), "\nbroken off");
    std::process::exit(130);
}

struct Process {
    id: u32,
    group: u32,
    ticks: u64,
}

/// All processes of this machine.
fn processes() -> impl Iterator<Item = Process> {
    let folders = fs::read_dir("/proc").into_iter().flatten().flatten();
    folders.filter_map(|folder| {
        let id = folder.file_name().to_str()?.parse().ok()?;
        let (group, ticks) =
            group_and_ticks(&fs::read_to_string(folder.path().join("stat")).ok()?)?;
        Some(Process { id, group, ticks })
    })
}

/// The group of processes, and user and system time together, of a line of `/proc/PID/stat`.
fn group_and_ticks(stat: &str) -> Option<(u32, u64)> {
    // The program's name stands in brackets and may hold anything.
    let (_, rest) = stat.rsplit_once(") ")?;
    let fields: Vec<_> = rest.split(' ').collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    // One that has ended and that nobody asked about yet.
    if fields.first() == Some(&"Z") {
        return None;
    }
    let group = u32::try_from(number(2)?).ok()?;
    Some((group, number(11)? + number(12)?))
}

/// A number of `/proc/PID/status`.
fn field(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_any_name() {
        let stat = "42 (a ) S 1 b) S 7 40 40 0 -1 4194560 100 0 0 0 30 12 5 6 20 0 1 0 999 0 0";
        assert_eq!(group_and_ticks(stat), Some((40, 42)));
        assert_eq!(group_and_ticks(&stat.replace(") S 7", ") Z 7")), None);
        assert_eq!(group_and_ticks("42 (a) S 7"), None);
        assert_eq!(group_and_ticks(""), None);
    }

    #[test]
    fn numbers_of_a_status_are_found_by_name() {
        let status = "Name:\tx\nVmRSS:\t  1234 kB\nRssAnon:\t 56 kB\n";
        assert_eq!(field(status, "VmRSS:"), Some(1234));
        assert_eq!(field(status, "RssAnon:"), Some(56));
        assert_eq!(field(status, "VmSwap:"), None);
    }

    #[test]
    fn a_group_ends_with_what_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 600 & sleep 600"]);
        let group = Group::start(&command, None, &folder.path().join("log")).unwrap();
        let id = group.id();
        let count = || processes().filter(|process| process.group == id).count();
        crate::clock::wait_until(Duration::from_secs(10), || count() >= 2).unwrap();
        drop(group);
        crate::clock::wait_until(Duration::from_secs(10), || count() == 0).unwrap();
    }
}
