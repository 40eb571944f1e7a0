//! What the machine is, for those who read the results later.

use std::fs;
use std::process::Command;

/// Processor, cores, memory, kernel, system, and how busy it is with other things.
pub(crate) fn told() -> Vec<(&'static str, String)> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = read("/proc/loadavg");
    let load = load.split(' ').take(3).collect::<Vec<_>>().join(" ");
    vec![
        (
            "processor",
            field(&read("/proc/cpuinfo"), "model name", ':'),
        ),
        ("cores", cores.to_string()),
        ("memory", field(&read("/proc/meminfo"), "MemTotal", ':')),
        (
            "kernel",
            read("/proc/sys/kernel/osrelease").trim().to_owned(),
        ),
        (
            "system",
            field(&read("/etc/os-release"), "PRETTY_NAME", '='),
        ),
        ("wrk", said("wrk", &["-v"])),
        ("h2load", said("h2load", &["--version"])),
        // Of the sources; a binary that was named may be of others.
        (
            "commit",
            said(
                "git",
                &[
                    "-C",
                    env!("CARGO_MANIFEST_DIR"),
                    "rev-parse",
                    "--short",
                    "HEAD",
                ],
            ),
        ),
        ("load before", load),
    ]
}

/// The day, as `2026-01-31`.
pub(crate) fn date() -> String {
    said("date", &["+%Y-%m-%d"])
}

/// The first line that a program prints. Some fail when they are asked for their version, and print it all the same.
fn said(program: &str, arguments: &[&str]) -> String {
    let Ok(output) = Command::new(program).args(arguments).output() else {
        return String::new();
    };
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().next().unwrap_or_default();
    line.split(" Copyright")
        .next()
        .unwrap_or_default()
        .trim()
        .to_owned()
}

/// The first value of this name in a file of lines.
fn field(text: &str, name: &str, separator: char) -> String {
    let value = text.lines().find_map(|line| {
        let (before, value) = line.split_once(separator)?;
        (before.trim() == name).then(|| value.trim().trim_matches('"').to_owned())
    });
    value.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_their_whole_name() {
        let text = "model\t: 85\nmodel name\t: A Processor\nmodel name : B\n";
        assert_eq!(field(text, "model name", ':'), "A Processor");
        assert_eq!(
            field("NAME=x\nPRETTY_NAME=\"Debian 12\"", "PRETTY_NAME", '='),
            "Debian 12"
        );
        assert_eq!(field("", "x", ':'), "");
    }
}
