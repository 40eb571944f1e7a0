//! What the service manager is told: that the site is served, that its settings are read again, that it ends, and that it
//! is alive. systemd's protocol (sd_notify(3)): datagrams of lines to the UNIX socket that `NOTIFY_SOCKET` names.

mod watchdog;

use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rustix::time::{ClockId, clock_gettime};

use crate::server::{Registry, State as ServerState};
pub use watchdog::Watchdog;

/// A manager that does not read its socket must not hold up the host.
const SEND_TIMEOUT: Duration = Duration::from_secs(1);
/// What the end takes beyond the drain of requests: admin's connections, the logs, the threads.
const END_TIME: Duration = Duration::from_secs(5);
/// Bytes of a status; more is not for one line.
const STATUS_BYTES_MAX: usize = 400;

/// The service manager that started this process.
///
/// What it put into the environment stays there, for taking it out is not safe once there are threads; the process starts no
/// other programs, and components have only the variables that their settings name.
#[derive(Debug)]
pub struct ServiceManager {
    socket: UnixDatagram,
    address: SocketAddr,
    /// How often it wants to be told that the process is alive.
    watchdog: Option<Duration>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    phase: Phase,
    /// Reloads that are going on.
    reloads: u32,
    status: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Starting,
    Serving,
    Ending,
}

/// `NOTIFY_SOCKET` names nothing that can be told anything.
#[derive(Debug, thiserror::Error)]
#[error(
    "the service manager cannot be told anything: NOTIFY_SOCKET = {name:?} must be an absolute path or begin with @, \
     and name a UNIX socket: {source}"
)]
pub struct BadSocket {
    name: OsString,
    source: io::Error,
}

/// The settings are being read again, until dropped.
#[derive(Debug)]
pub(crate) struct Reloading(Arc<ServiceManager>);

impl ServiceManager {
    /// The one that the environment names, if it names any.
    ///
    /// # Errors
    ///
    /// When what it names is no address of a UNIX socket.
    pub fn from_environment() -> Result<Option<Arc<Self>>, BadSocket> {
        let Some(name) = env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else {
            return Ok(None);
        };
        let text = |name| env::var(name).ok();
        let time = text("WATCHDOG_USEC");
        let watchdog = time.and_then(|time| watchdog_of(&time, text("WATCHDOG_PID").as_deref()));
        Self::at(&name, watchdog).map(Some)
    }

    /// The one at a socket: a path, or `@` and a name that is on no disk.
    fn at(name: &OsStr, watchdog: Option<Duration>) -> Result<Arc<Self>, BadSocket> {
        let made = || {
            let address = address(name.as_bytes())?;
            let socket = UnixDatagram::unbound()?;
            socket.set_write_timeout(Some(SEND_TIMEOUT))?;
            Ok((socket, address))
        };
        let (socket, address) = made().map_err(|source| BadSocket {
            name: name.to_owned(),
            source,
        })?;
        Ok(Arc::new(Self {
            socket,
            address,
            watchdog,
            state: Mutex::default(),
        }))
    }

    /// How often it wants to be told that the process is alive, if it does.
    pub fn watchdog(&self) -> Option<Duration> {
        self.watchdog
    }

    /// The ports answer.
    pub fn ready(&self, status: &str) {
        let mut state = self.state.lock();
        state.phase = Phase::Serving;
        state.status = one_line(status);
        self.send(&format!("READY=1\nSTATUS={}\n", state.status));
    }

    /// What is told people who ask for the state of the service.
    pub fn status(&self, status: &str) {
        let mut state = self.state.lock();
        let status = one_line(status);
        if state.phase == Phase::Serving && state.status != status {
            state.status = status;
            if state.reloads == 0 {
                self.send(&format!("STATUS={}\n", state.status));
            }
        }
    }

    /// The settings and components are read again, until what this gives is dropped. Before the site is served, and while
    /// it ends, that is nothing to tell.
    pub(crate) fn reloading(self: &Arc<Self>) -> Reloading {
        let mut state = self.state.lock();
        state.reloads += 1;
        if state.phase == Phase::Serving && state.reloads == 1 {
            // By this the manager knows it from a reload that ended before it asked.
            let now = clock_gettime(ClockId::Monotonic);
            let microseconds = now.tv_sec * 1_000_000 + now.tv_nsec / 1_000;
            self.send(&format!(
                "RELOADING=1\nMONOTONIC_USEC={microseconds}\nSTATUS=reading settings and components again\n"
            ));
        }
        Reloading(self.clone())
    }

    /// The process ends, after requests in flight, which have so long.
    pub fn stopping(&self, drain_timeout: Duration) {
        let mut state = self.state.lock();
        state.phase = Phase::Ending;
        let longest = (drain_timeout + END_TIME).as_micros();
        self.send(&format!(
            "STOPPING=1\nEXTEND_TIMEOUT_USEC={longest}\nSTATUS=stopping: requests in flight have {drain_timeout:?} to finish\n"
        ));
    }

    /// The process is alive.
    fn alive(&self) {
        self.send("WATCHDOG=1\n");
    }

    fn send(&self, lines: &str) {
        if let Err(error) = self.socket.send_to_addr(lines.as_bytes(), &self.address) {
            tracing::warn!(%error, "the service manager could not be told: {}", lines.trim_end());
        }
    }
}

impl Drop for Reloading {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.reloads -= 1;
        if state.phase == Phase::Serving && state.reloads == 0 {
            self.0.send(&format!("READY=1\nSTATUS={}\n", state.status));
        }
    }
}

/// What there is to say of all web servers, in one line.
pub fn summary(registry: &Registry) -> String {
    let all = registry.all();
    let running = all.iter().filter(|server| server.is_running()).count();
    let is_failed =
        |state: ServerState| matches!(state, ServerState::Failed | ServerState::Loading);
    let failed: Vec<_> = all
        .iter()
        .filter(|server| is_failed(server.state()) && !server.is_gone())
        .map(|server| server.name())
        .collect();
    let servers = match running {
        1 => "1 web server runs".to_owned(),
        count => format!("{count} web servers run"),
    };
    match failed.is_empty() {
        true => servers,
        false => format!("{servers}; not running: {}", failed.join(", ")),
    }
}

/// The time within which the manager wants to be told, if it is this process that it means.
fn watchdog_of(microseconds: &str, process: Option<&str>) -> Option<Duration> {
    let is_ours = process.is_none_or(|id| id.parse() == Ok(std::process::id()));
    let time = microseconds.parse().ok().map(Duration::from_micros)?;
    (is_ours && !time.is_zero()).then_some(time)
}

fn address(name: &[u8]) -> io::Result<SocketAddr> {
    match name {
        [b'@', name @ ..] if !name.is_empty() => SocketAddr::from_abstract_name(name),
        [b'/', _, ..] => SocketAddr::from_pathname(OsStr::from_bytes(name)),
        _ => Err(io::ErrorKind::InvalidInput.into()),
    }
}

/// A line break would begin another assignment.
fn one_line(text: &str) -> String {
    let mut line: String = text
        .chars()
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .collect();
    if line.len() > STATUS_BYTES_MAX {
        line.truncate(line.floor_char_boundary(STATUS_BYTES_MAX));
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A socket as a manager has it, and what is told over it.
    fn manager(folder: &tempfile::TempDir) -> (UnixDatagram, Arc<ServiceManager>) {
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_nonblocking(true).unwrap();
        (socket, ServiceManager::at(path.as_os_str(), None).unwrap())
    }

    fn told(socket: &UnixDatagram) -> Option<String> {
        let mut buffer = [0; 1024];
        let length = socket.recv(&mut buffer).ok()?;
        Some(String::from_utf8_lossy(&buffer[..length]).into_owned())
    }

    #[test]
    fn what_happens_is_told_in_its_order() {
        let folder = tempfile::tempdir().unwrap();
        let (socket, manager) = manager(&folder);
        // The first reload of all is a part of the start.
        drop(manager.reloading());
        manager.status("too early");
        assert_eq!(told(&socket), None);
        manager.ready("1 web server runs");
        assert_eq!(
            told(&socket).unwrap(),
            "READY=1\nSTATUS=1 web server runs\n"
        );
        manager.status("1 web server runs");
        assert_eq!(told(&socket), None, "it was told");
        let (first, second) = (manager.reloading(), manager.reloading());
        let reloading = told(&socket).unwrap();
        assert!(
            reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="),
            "{reloading}"
        );
        manager.status("2 web servers run\nMAINPID=1");
        drop(first);
        assert_eq!(told(&socket), None, "one goes on");
        drop(second);
        assert_eq!(
            told(&socket).unwrap(),
            "READY=1\nSTATUS=2 web servers run MAINPID=1\n"
        );
        let reloading = manager.reloading();
        told(&socket).unwrap();
        manager.stopping(Duration::from_secs(10));
        let stopping = told(&socket).unwrap();
        assert!(
            stopping.starts_with("STOPPING=1\nEXTEND_TIMEOUT_USEC=15000000\nSTATUS="),
            "{stopping}"
        );
        drop(reloading);
        assert_eq!(told(&socket), None, "it is not ready any more");
    }

    #[test]
    fn names_without_a_path_are_understood_and_others_refused() {
        let name = format!("tessera-notify-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let socket = UnixDatagram::bind_addr(&address).unwrap();
        let manager = ServiceManager::at(OsStr::new(&format!("@{name}")), None).unwrap();
        manager.ready("");
        assert_eq!(told(&socket).unwrap(), "READY=1\nSTATUS=\n");
        let long = format!("/{}", "a".repeat(200));
        for name in ["run/notify", "@", "/", "vsock:2:1", &long] {
            let error = ServiceManager::at(OsStr::new(name), None).unwrap_err();
            assert!(error.to_string().contains("NOTIFY_SOCKET"), "{error}");
        }
    }

    #[test]
    fn the_watchdog_is_for_the_process_that_it_names() {
        let own = std::process::id().to_string();
        for (time, process, expected) in [
            ("30000000", None, Some(30)),
            ("30000000", Some(own.as_str()), Some(30)),
            ("30000000", Some("1"), None),
            ("30000000", Some("x"), None),
            ("0", None, None),
            ("-1", None, None),
            ("soon", None, None),
        ] {
            let expected = expected.map(Duration::from_secs);
            assert_eq!(watchdog_of(time, process), expected, "{time} {process:?}");
        }
    }

    #[test]
    fn a_manager_that_is_gone_is_no_fault() {
        let folder = tempfile::tempdir().unwrap();
        let (socket, manager) = manager(&folder);
        drop(socket);
        manager.ready("1 web server runs");
    }

    #[test]
    fn a_status_is_one_line_of_some_length() {
        assert_eq!(one_line("a\nb\u{1b}"), "a b ");
        let long = one_line(&"é".repeat(1000));
        assert!(
            long.len() < STATUS_BYTES_MAX + 8 && long.ends_with('…'),
            "{long}"
        );
    }
}
