//! How much memory the process may take.

use std::fs;
use std::path::{Path, PathBuf};

/// Where neither the machine nor a control group tells: as much as a small machine has.
const UNKNOWN: u64 = 1 << 30;

/// The machine's memory in bytes, or that of the nearest control group around the process that has less.
pub(crate) fn available() -> u64 {
    let machine = fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| total(&text));
    let group = fs::read_to_string("/proc/self/cgroup")
        .ok()
        .and_then(|text| limit(Path::new("/sys/fs/cgroup"), &text));
    machine.into_iter().chain(group).min().unwrap_or(UNKNOWN)
}

fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// The lowest limit of the process's group and of all groups around it: each of them holds.
fn limit(root: &Path, own: &str) -> Option<u64> {
    let limits = groups(root, own);
    // No limit is the word "max".
    limits
        .iter()
        .filter_map(|folder| number(&folder.join("memory.max")))
        .min()
}

/// The process's group and all groups around it. In a container, where its own group may be shown as the root, that is
/// the only one.
fn groups(root: &Path, own: &str) -> Vec<PathBuf> {
    let Some(path) = own.lines().find_map(|line| line.strip_prefix("0::")) else {
        return Vec::new();
    };
    let folder = root.join(path.trim_start_matches('/'));
    let within = folder.ancestors().filter(|folder| folder.starts_with(root));
    within.map(Path::to_owned).collect()
}

fn number(file: &Path) -> Option<u64> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

/// How much of the memory is in use, in per cent: of the machine, or of a group around the process that has less left.
/// What files have in the system's own cache, which it gives up when it must, is not counted.
pub(crate) fn in_use() -> Option<u32> {
    let machine = fs::read_to_string("/proc/meminfo").ok();
    let machine = machine.and_then(|text| machine_in_use(&text));
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let groups = groups(Path::new("/sys/fs/cgroup"), &own);
    let groups = groups.iter().filter_map(|folder| group_in_use(folder));
    machine.into_iter().chain(groups).max()
}

fn machine_in_use(meminfo: &str) -> Option<u32> {
    let of = |name: &str| {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    let total = of("MemTotal:")?;
    per_cent(total.saturating_sub(of("MemAvailable:")?), total)
}

fn group_in_use(folder: &Path) -> Option<u32> {
    // From `high` on the system slows the group down, at `max` it kills.
    let limits = ["memory.max", "memory.high"].map(|name| number(&folder.join(name)));
    let limit = limits.into_iter().flatten().min()?;
    let statistics = fs::read_to_string(folder.join("memory.stat")).unwrap_or_default();
    let files = statistics
        .lines()
        .find_map(|line| line.strip_prefix("inactive_file "))
        .and_then(|bytes| bytes.trim().parse().ok());
    let used = number(&folder.join("memory.current"))?.saturating_sub(files.unwrap_or_default());
    let pressure = fs::read_to_string(folder.join("memory.pressure")).unwrap_or_default();
    if stalls(&pressure) {
        return Some(100);
    }
    per_cent(used, limit)
}

/// Whether everything in the group has stood still for memory more than a tenth of the last ten seconds.
fn stalls(pressure: &str) -> bool {
    const STALLED_MAX: f64 = 10.0;
    let full = pressure.lines().find_map(|line| line.strip_prefix("full "));
    let share = full.and_then(|line| line.split_whitespace().next()?.strip_prefix("avg10="));
    share.is_some_and(|share| share.parse().is_ok_and(|share: f64| share > STALLED_MAX))
}

fn per_cent(part: u64, whole: u64) -> Option<u32> {
    let share = u128::from(part) * 100 / u128::from(whole.max(1));
    u32::try_from(share).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_limit_of_all_groups_counts() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("system.slice/tessera.service");
        fs::create_dir_all(&folder).unwrap();
        assert_eq!(
            limit(root.path(), "0::/system.slice/tessera.service\n"),
            None
        );
        fs::write(folder.join("memory.max"), "max\n").unwrap();
        fs::write(root.path().join("system.slice/memory.max"), "1000\n").unwrap();
        assert_eq!(
            limit(root.path(), "0::/system.slice/tessera.service\n"),
            Some(1000)
        );
        fs::write(folder.join("memory.max"), "300\n").unwrap();
        assert_eq!(
            limit(root.path(), "0::/system.slice/tessera.service\n"),
            Some(300)
        );
        fs::write(root.path().join("memory.max"), "200\n").unwrap();
        assert_eq!(limit(root.path(), "0::/../../elsewhere\n"), Some(200));
        assert_eq!(limit(root.path(), "1:cpu:/\n"), None);
    }

    #[test]
    fn what_is_in_use_is_told_by_machine_and_group() {
        let meminfo = "MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: 250 kB\n";
        assert_eq!(machine_in_use(meminfo), Some(75));
        assert_eq!(
            machine_in_use("MemTotal: 0 kB\nMemAvailable: 0 kB\n"),
            Some(0)
        );
        assert_eq!(machine_in_use("MemTotal: 7"), None);
        assert!(in_use().is_some());

        let group = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(group.path().join(name), text).unwrap();
        assert_eq!(group_in_use(group.path()), None);
        write("memory.current", "900\n");
        write("memory.max", "max\n");
        assert_eq!(group_in_use(group.path()), None);
        write("memory.max", "1000\n");
        assert_eq!(group_in_use(group.path()), Some(90));
        write("memory.stat", "anon 1\ninactive_file 400\nactive_file 7\n");
        assert_eq!(group_in_use(group.path()), Some(50));
        write("memory.high", "500\n");
        assert_eq!(group_in_use(group.path()), Some(100));
        write("memory.high", "max\n");
        let calm = "some avg10=50.00 avg60=0.00\nfull avg10=9.00 avg60=0.00 total=1\n";
        write("memory.pressure", calm);
        assert_eq!(group_in_use(group.path()), Some(50));
        write(
            "memory.pressure",
            "some avg10=0.00\nfull avg10=10.01 avg60=0.00 total=1\n",
        );
        assert_eq!(group_in_use(group.path()), Some(100));
        for text in ["", "full", "full avg10=", "full avg10=x", "avg10=99"] {
            assert!(!stalls(text), "{text}");
        }
    }

    #[test]
    fn the_machine_tells_its_memory_in_kibibytes() {
        assert_eq!(
            total("MemFree: 1 kB\nMemTotal:       2048 kB\n"),
            Some(2 << 20)
        );
        assert_eq!(total("MemTotal: much"), None);
        assert!(available() > 0);
    }
}
