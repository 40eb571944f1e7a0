//! House rules that a program can check: see `CONTRIBUTING.md`.

use std::fs;
use std::path::{Path, PathBuf};

use tessera_tests::repository;

/// Where a file is cut in two.
const LINES_MAX: usize = 450;
/// Files that may be longer, each with its reason.
const LONGER: &[(&str, &str)] = &[];
/// Where code of ours is.
const CODE: &[&str] = &[
    "host",
    "guest-sdk",
    "components",
    "examples",
    "tests",
    "benches",
    "xtask",
];
/// The one file that may be unsafe.
const UNSAFE: &str = "host/engine/src/code_cache.rs";
/// Code for WebAssembly, where generated bindings are.
const GUESTS: &str = "guest-sdk/";
const ENGINE: &str = "host/engine/";
/// File and folder names that say nothing.
const NO_NAMES: &[&str] = &[
    "util", "utils", "helper", "helpers", "common", "misc", "manager",
];

struct Source {
    /// Relative to the repository.
    path: String,
    text: String,
}

impl Source {
    /// Lines of code, numbered from 1: no comments.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate();
        lines
            .map(|(index, line)| (index + 1, line.trim()))
            .filter(|(_, line)| !line.starts_with("//"))
    }

    /// The places where a line of code holds `text`.
    fn places(&self, text: &str) -> Vec<String> {
        let holds = self.code().filter(|(_, line)| line.contains(text));
        holds
            .map(|(number, line)| format!("{}:{number}: {line}", self.path))
            .collect()
    }
}

fn sources() -> Vec<Source> {
    let mut sources = Vec::new();
    for folder in CODE {
        collect(&repository().join(folder), &mut sources);
    }
    assert!(sources.len() > 100, "{} files found", sources.len());
    sources
}

fn collect(folder: &Path, sources: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name == "target" || name.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            collect(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push(Source {
                text: fs::read_to_string(&path).unwrap(),
                path: relative(&path),
            });
        }
    }
}

fn relative(path: &Path) -> String {
    let path = path.strip_prefix(repository()).unwrap();
    path.to_string_lossy().into_owned()
}

fn assert_none(faults: &[String], rule: &str) {
    assert!(faults.is_empty(), "{rule}:\n{}", faults.join("\n"));
}

#[test]
fn every_file_says_what_it_owns() {
    let faults: Vec<_> = sources()
        .into_iter()
        .filter(|source| !source.text.starts_with("//! "))
        .map(|source| source.path)
        .collect();
    assert_none(&faults, "a file opens with one sentence about what it owns");
}

#[test]
fn no_file_is_too_long() {
    let mut faults = Vec::new();
    for source in sources() {
        let lines = source.text.lines().count();
        let is_excepted = LONGER.iter().any(|(path, _)| *path == source.path);
        if (lines > LINES_MAX) != is_excepted {
            faults.push(format!("{}: {lines} lines", source.path));
        }
    }
    assert_none(
        &faults,
        "a file has at most 450 lines, or is excepted with a reason",
    );
}

#[test]
fn nothing_is_unfinished() {
    // In two halves, so that this file itself is not found.
    let marks = [
        concat!("to", "do!"),
        concat!("unimpl", "emented!"),
        concat!("#[ig", "nore"),
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
    ];
    let mut faults = Vec::new();
    for source in sources() {
        for (number, line) in source.text.lines().enumerate() {
            if marks.iter().any(|mark| line.contains(mark)) {
                faults.push(format!("{}:{}: {line}", source.path, number + 1));
            }
        }
    }
    assert_none(
        &faults,
        "what is there is finished, and no test is left out",
    );
}

#[test]
fn names_mean_something() {
    let is_empty = |part: &&str| NO_NAMES.contains(&part.trim_end_matches(".rs"));
    let faults: Vec<_> = sources()
        .into_iter()
        .map(|source| source.path)
        .filter(|path| path.split('/').any(|part| is_empty(&part)))
        .collect();
    assert_none(&faults, "a file is named after what it owns");
}

#[test]
fn only_the_engine_knows_wasmtime() {
    let mut faults: Vec<_> = sources()
        .iter()
        .filter(|source| !source.path.starts_with(ENGINE))
        .flat_map(|source| [source.places("wasmtime::"), source.places("wasmtime_wasi")].concat())
        .filter(|place| !place.starts_with("tests/suite/tidy.rs"))
        .collect();
    for manifest in manifests() {
        let path = relative(&manifest);
        let text = fs::read_to_string(&manifest).unwrap();
        if !path.starts_with(ENGINE) && text.lines().any(|line| line.starts_with("wasmtime")) {
            faults.push(path);
        }
    }
    assert_none(&faults, "Wasmtime is named in host/engine only");
}

/// The manifests of all packages but the workspace's own, which names every dependency.
fn manifests() -> Vec<PathBuf> {
    let mut manifests = Vec::new();
    for folder in CODE {
        let folder = repository().join(folder);
        let below = fs::read_dir(&folder).unwrap();
        let folders = below.map(|entry| entry.unwrap().path()).chain([folder]);
        let files = folders.map(|folder| folder.join("Cargo.toml"));
        manifests.extend(files.filter(|file| file.is_file()));
    }
    assert!(manifests.len() > 10, "{manifests:?}");
    manifests
}

#[test]
fn what_is_not_safe_is_in_one_place() {
    let keyword = concat!("unsa", "fe ");
    let lint = concat!("unsa", "fe_code");
    let faults: Vec<_> = sources()
        .iter()
        .filter(|source| source.path != UNSAFE && !source.path.starts_with(GUESTS))
        .flat_map(|source| [source.places(keyword), source.places(lint)].concat())
        .collect();
    assert_none(&faults, "only code_cache.rs has a reason to be unsafe");
}

#[test]
fn the_map_of_the_code_is_complete() {
    let map = fs::read_to_string(repository().join("ARCHITECTURE.md")).unwrap();
    let host = repository().join("host/src");
    let folders = fs::read_dir(host)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let is_named = |name: &str| {
        let spellings = [format!("host/src/{name}`"), format!("`{name}`")];
        spellings.iter().any(|spelling| map.contains(spelling))
    };
    let missing: Vec<_> = folders
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .filter(|name| !is_named(name))
        .collect();
    assert_none(&missing, "ARCHITECTURE.md names every folder of host/src");
}

#[test]
fn every_dependency_is_named_once() {
    // Versions stand in the workspace's manifest, so that two packages never disagree.
    let mut faults = Vec::new();
    for package in ["host", "host/engine", "host/tags", "tests", "benches"] {
        let path = format!("{package}/Cargo.toml");
        let text = fs::read_to_string(repository().join(&path)).unwrap();
        let (_, dependencies) = text.split_once("dependencies]\n").unwrap_or_default();
        for line in dependencies.lines() {
            let is_dependency = line.contains(" = ") || line.contains(".workspace");
            if is_dependency && !line.contains("workspace = true") {
                faults.push(format!("{path}: {line}"));
            }
        }
    }
    assert_none(
        &faults,
        "a package takes its dependencies from the workspace",
    );
}
