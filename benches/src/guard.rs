//! Instructions of the hot paths against the numbers in the repository: what made a request dearer is seen before it is merged.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::instructions;

/// How much more than the number in the repository is too much.
const MORE_MAX: f64 = 1.05;

/// How a binary was compiled: each way has numbers of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Profile {
    Release,
    /// As tests are run, and so in CI, which has no time for a build for speed. What makes a request do more shows here, too.
    Dev,
}

impl Profile {
    fn name(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Dev => "dev",
        }
    }

    fn file(self) -> &'static str {
        match self {
            Self::Release => "instructions.json",
            Self::Dev => "instructions-dev.json",
        }
    }

    /// What compares again, and with `--bless` renews the numbers.
    fn command(self) -> &'static str {
        match self {
            Self::Release => "cargo xtask bench --guard",
            Self::Dev => "cargo xtask bench --guard --dev",
        }
    }
}

/// What is to be done with which binary.
#[derive(Debug, PartialEq)]
struct Wanted<'a> {
    binary: &'a Path,
    profile: Profile,
    is_bless: bool,
}

impl<'a> Wanted<'a> {
    fn of(arguments: &'a [String]) -> Result<Self, String> {
        let usage = || "guard BINARY [--dev] [--bless]".to_owned();
        let (binary, options) = arguments.split_first().ok_or_else(usage)?;
        let mut wanted = Self {
            binary: Path::new(binary),
            profile: Profile::Release,
            is_bless: false,
        };
        for option in options {
            match &**option {
                "--dev" => wanted.profile = Profile::Dev,
                "--bless" => wanted.is_bless = true,
                _ => return Err(usage()),
            }
        }
        Ok(wanted)
    }
}

/// Counts the cases of a binary, and compares or, with `--bless`, writes the numbers.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let Wanted {
        binary,
        profile,
        is_bless,
    } = Wanted::of(arguments)?;
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(profile.file());
    let compiler = compiler()?;
    let known = Numbers::read(&file)?;
    let counted = instructions::of(binary)?;
    if is_bless {
        let numbers = Numbers {
            compiler,
            cases: counted,
        };
        fs::write(&file, numbers.text(profile))
            .map_err(|error| format!("{}: {error}", file.display()))?;
        println!("written: {}", file.display());
        return Ok(());
    }
    if known.compiler != compiler {
        // Another compiler makes other code: neither better nor worse than what is known of this one, which is nothing.
        println!(
            "{} are of {}, this is {compiler}: not compared",
            file.display(),
            known.compiler
        );
    }
    println!("| case | known | counted | |\n|---|---|---|---|");
    let mut faults = Vec::new();
    for (case, counted) in &counted {
        let known_count = known.cases.get(case).copied();
        let verdict = verdict(known_count, *counted);
        let shown = known_count.map_or_else(String::new, |count| format!("{count:.0}"));
        println!(
            "| {case} | {shown} | {counted:.0} | {} |",
            verdict.clone().unwrap_or_else(|fault| fault)
        );
        faults.extend(verdict.err().map(|fault| format!("{case}: {fault}")));
    }
    match faults.is_empty() || known.compiler != compiler {
        true => Ok(()),
        false => Err(format!(
            "{}\n\nA request takes more instructions than {} knows. Look what does (`tessera-benches instructions OLD FOLDER` \
             and callgrind_annotate); if it is worth it, renew the numbers by `{} --bless` and say \
             in the commit's message what they buy.",
            faults.join("\n"),
            file.display(),
            profile.command(),
        )),
    }
}

/// What is to be said of a count: an error if it is too much, or unknown.
fn verdict(known: Option<f64>, counted: f64) -> Result<String, String> {
    let Some(known) = known else {
        return Err("not known yet".to_owned());
    };
    let ratio = counted / known;
    match ratio {
        more if more > MORE_MAX => Err(format!("{ratio:.3} times as many, {MORE_MAX} is allowed")),
        less if less < 1.0 / MORE_MAX => Ok(format!("{ratio:.3}: fewer; renew the numbers")),
        _ => Ok(format!("{ratio:.3}")),
    }
}

/// What the file has.
#[derive(Debug, PartialEq)]
struct Numbers {
    compiler: String,
    cases: BTreeMap<String, f64>,
}

impl Numbers {
    /// No file is no numbers.
    fn read(file: &Path) -> Result<Self, String> {
        match fs::read_to_string(file) {
            Ok(text) => Self::parse(&text).map_err(|error| format!("{}: {error}", file.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self {
                compiler: "nobody".to_owned(),
                cases: BTreeMap::new(),
            }),
            Err(error) => Err(format!("{}: {error}", file.display())),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let tree: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let compiler = tree["compiler"].as_str().ok_or("no compiler")?;
        let cases = tree["cases"].as_object().ok_or("no cases")?;
        let cases = cases.iter().map(|(name, count)| {
            let count = count.as_f64().filter(|count| *count > 0.0);
            let count = count.ok_or_else(|| format!("{name}: no count"))?;
            Ok((name.clone(), count))
        });
        Ok(Self {
            compiler: compiler.to_owned(),
            cases: cases.collect::<Result<_, String>>()?,
        })
    }

    fn text(&self, profile: Profile) -> String {
        let cases: BTreeMap<_, _> = self
            .cases
            .iter()
            .map(|(name, count)| (name, count.round()))
            .collect();
        let (name, command) = (profile.name(), profile.command());
        let about = format!(
            "Instructions of a request in user mode, {name} profile; made by `{command} --bless`."
        );
        let tree = json!({
            "about": about,
            "compiler": self.compiler,
            "cases": cases,
        });
        format!("{tree:#}\n")
    }
}

/// The compiler, as `rustc 1.95.0 (…)`, and what it compiles for.
fn compiler() -> Result<String, String> {
    let output = Command::new("rustc")
        .arg("-vV")
        .output()
        .map_err(|error| format!("rustc: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
    let version = line("rustc ").ok_or("rustc told no version")?;
    Ok(format!(
        "rustc {version} for {}",
        line("host: ").unwrap_or("?")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_per_cent_more_are_too_many() {
        assert!(verdict(Some(1000.0), 1050.0).is_ok());
        assert!(verdict(Some(1000.0), 1051.0).is_err());
        assert!(verdict(Some(1000.0), 900.0).unwrap().contains("renew"));
        assert!(verdict(None, 1.0).is_err());
    }

    #[test]
    fn each_profile_has_numbers_of_its_own() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let dev = words("target/debug/tessera --bless --dev");
        let expected = Wanted {
            binary: Path::new("target/debug/tessera"),
            profile: Profile::Dev,
            is_bless: true,
        };
        assert_eq!(Wanted::of(&dev), Ok(expected));
        let release = words("tessera");
        assert_eq!(Wanted::of(&release).unwrap().profile, Profile::Release);
        assert!(Wanted::of(&words("tessera --fast")).is_err());
        assert!(Wanted::of(&[]).is_err());
        assert_ne!(Profile::Dev.file(), Profile::Release.file());
    }

    #[test]
    fn numbers_are_read_as_they_were_written() {
        let numbers = Numbers {
            compiler: "rustc 1".to_owned(),
            cases: BTreeMap::from([("hello".to_owned(), 30_809.0)]),
        };
        for profile in [Profile::Release, Profile::Dev] {
            assert_eq!(
                Numbers::parse(&numbers.text(profile)).as_ref(),
                Ok(&numbers)
            );
        }
        for text in ["", "{}", "{\"compiler\":\"x\",\"cases\":{\"a\":0}}"] {
            assert!(Numbers::parse(text).is_err(), "{text}");
        }
    }
}
