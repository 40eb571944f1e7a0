//! How much memory the process may take.

use std::fs;
use std::path::Path;

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

/// The lowest limit of the process's group and of all groups around it: each of them holds. In a container, where its
/// own group may be shown as the root, that is the only one.
fn limit(root: &Path, own: &str) -> Option<u64> {
    let path = own.lines().find_map(|line| line.strip_prefix("0::"))?;
    let mut folder = root.join(path.trim_start_matches('/'));
    let mut lowest: Option<u64> = None;
    while folder.starts_with(root) {
        let max = fs::read_to_string(folder.join("memory.max")).ok();
        // No limit is the word "max".
        let max = max.and_then(|text| text.trim().parse().ok());
        lowest = lowest.into_iter().chain(max).min();
        if !folder.pop() {
            break;
        }
    }
    lowest
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
    fn the_machine_tells_its_memory_in_kibibytes() {
        assert_eq!(
            total("MemFree: 1 kB\nMemTotal:       2048 kB\n"),
            Some(2 << 20)
        );
        assert_eq!(total("MemTotal: much"), None);
        assert!(available() > 0);
    }
}
