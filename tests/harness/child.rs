//! The process under test, and everything that it prints.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::Mutex;
use std::thread::JoinHandle;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::build::tessera_binary;
use crate::wait::wait_until;

/// How a process ended, and what it had printed.
#[derive(Clone, Debug)]
pub struct Exit {
    /// The exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// All of standard output.
    pub stdout: String,
    /// All of standard error.
    pub stderr: String,
}

/// Runs `tessera` with arguments, in a folder, to its end, on a machine where no host runs.
pub async fn run<S: AsRef<OsStr>>(
    folder: &Path,
    arguments: impl IntoIterator<Item = S> + Send,
) -> Exit {
    let notes = TempDir::new().expect("there are temporary folders");
    Process::start(folder, notes.path(), arguments).end().await
}

/// A running process; killed when dropped.
pub(crate) struct Process {
    child: Child,
    stdout: Captured,
    stderr: Captured,
}

impl Process {
    /// Starts `tessera` in a folder. In `notes` hosts leave word for commands that look for one.
    pub(crate) fn start<S: AsRef<OsStr>>(
        folder: &Path,
        notes: &Path,
        arguments: impl IntoIterator<Item = S>,
    ) -> Self {
        Self::start_with(folder, notes, arguments, &[])
    }

    /// The same with further variables in its environment.
    pub(crate) fn start_with<S: AsRef<OsStr>>(
        folder: &Path,
        notes: &Path,
        arguments: impl IntoIterator<Item = S>,
        variables: &[(String, OsString)],
    ) -> Self {
        let binary = tessera_binary();
        let mut child = Command::new(&binary)
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // What the tests' own environment says of logs and colours is not the subject; nor is the memory of the
            // debug information that a backtrace takes, 60 MB of it.
            .env_remove("RUST_LOG")
            .env_remove("RUST_BACKTRACE")
            .env_remove("RUST_LIB_BACKTRACE")
            .env("NO_COLOR", "1")
            .env("XDG_RUNTIME_DIR", notes)
            // Those of a service manager that runs the tests.
            .env_remove("NOTIFY_SOCKET")
            .env_remove("WATCHDOG_USEC")
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .spawn()
            .unwrap_or_else(|error| panic!("{} does not start: {error}", binary.display()));
        let stdout = Captured::of(child.stdout.take().expect("it is piped"));
        let stderr = Captured::of(child.stderr.take().expect("it is piped"));
        Self {
            child,
            stdout,
            stderr,
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has printed so far.
    pub(crate) fn stdout(&self) -> String {
        self.stdout.text()
    }

    pub(crate) fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// How it ended; `None` while it runs.
    pub(crate) fn ended(&mut self) -> Option<Exit> {
        let status = self.child.try_wait().expect("it can be waited for")?;
        Some(self.exit(status))
    }

    /// Waits for its end.
    pub(crate) async fn end(mut self) -> Exit {
        wait_until("the process has ended", async || self.ended()).await
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).expect("process ids are positive");
        let id = Pid::from_raw(id).expect("process ids are positive");
        kill_process(id, signal).expect("it can be sent signals");
    }

    fn exit(&mut self, status: ExitStatus) -> Exit {
        Exit {
            code: status.code(),
            stdout: self.stdout.whole(),
            stderr: self.stderr.whole(),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Fails when it has ended, which is as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "process {}\n--- stdout\n{}--- stderr\n{}---",
            self.id(),
            self.stdout(),
            self.stderr()
        )
    }
}

/// A stream that a thread of its own reads, so that the process never waits for us.
struct Captured {
    text: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Captured {
    fn of(mut stream: impl Read + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(Vec::new()));
        let into = text.clone();
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(count @ 1..) = stream.read(&mut buffer) {
                into.lock().unwrap().extend_from_slice(&buffer[..count]);
            }
        });
        Self {
            text,
            reader: Some(reader),
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.text.lock().unwrap()).into_owned()
    }

    /// All of it, once the process has ended.
    fn whole(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().expect("reading a pipe does not panic");
        }
        self.text()
    }
}
