//! What the system knows of the process, under the names that Prometheus has for it.

use std::fs;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, clock_gettime};

use super::text::Text;

/// Writes what is known; what the system does not tell is left out. Reads files, for microseconds.
pub(super) fn write(text: &mut Text, started: Instant) {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let now = UNIX_EPOCH.elapsed().unwrap_or_default();
    text.one_gauge(
        "process_start_time_seconds",
        "When the process began, in seconds since 1970.",
        now.saturating_sub(started.elapsed()).as_secs_f64(),
    );
    text.one_counter(
        "process_cpu_seconds_total",
        "Processor time of all threads.",
        cpu_time().as_secs_f64(),
    );
    if let Some(kibibytes) = field(&status, "VmRSS:") {
        let help = "Memory of the process that is in RAM.";
        text.one_gauge("process_resident_memory_bytes", help, kibibytes * 1024);
    }
    if let Some(kibibytes) = field(&status, "VmSize:") {
        let help = "Address space of the process; the pool of instances reserves much of it, and uses little.";
        text.one_gauge("process_virtual_memory_bytes", help, kibibytes * 1024);
    }
    if let Some(threads) = field(&status, "Threads:") {
        text.one_gauge("process_threads", "Threads.", threads);
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        // The one that lists them is among them.
        let count = open.count().saturating_sub(1);
        text.one_gauge("process_open_fds", "Open files and sockets.", count);
    }
    if let Some(max) = getrlimit(Resource::Nofile).current {
        let help = "Most files and sockets that may be open.";
        text.one_gauge("process_max_fds", help, max);
    }
}

pub(super) fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// A number in `/proc/self/status`.
pub(super) fn field(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Seconds since 1970, for what has a date.
pub(super) fn since_1970(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_tells_of_this_process() {
        let mut text = Text::default();
        write(&mut text, Instant::now());
        let text = text.finish();
        let value = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|line| line.trim().parse::<f64>().ok())
        };
        assert!(
            value("process_resident_memory_bytes ") > Some(1e6),
            "{text}"
        );
        assert!(value("process_open_fds ") > Some(2.0), "{text}");
        assert!(value("process_start_time_seconds ") > Some(1e9), "{text}");
        assert!(value("process_cpu_seconds_total ").is_some(), "{text}");
    }

    #[test]
    fn what_is_not_there_is_none() {
        assert_eq!(field("VmRSS:\t  12 kB\n", "VmRSS:"), Some(12));
        assert_eq!(field("VmRSS:\n", "VmRSS:"), None);
        assert_eq!(field("", "VmRSS:"), None);
    }
}
