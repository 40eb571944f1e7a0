//! What the harness is asked for on its command line.

use std::path::PathBuf;

/// Where servers and load generators run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placement {
    /// The server on one core, the load generator on another.
    Pinned,
    /// Both on all cores.
    Shared,
}

impl Placement {
    /// Its name in results.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pinned => "pinned",
            Self::Shared => "shared",
        }
    }

    /// The core for the server.
    pub(crate) fn of_server(self) -> Option<&'static str> {
        (self == Self::Pinned).then_some("0")
    }

    /// The core for the load generator.
    pub(crate) fn of_load(self) -> Option<&'static str> {
        (self == Self::Pinned).then_some("1")
    }

    /// How many cores the server has.
    pub(crate) fn cores(self) -> usize {
        match self {
            Self::Pinned => 1,
            Self::Shared => std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

/// All that can be chosen.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// Few scenarios, short runs.
    pub(crate) quick: bool,
    /// Names of scenarios or of their groups; all if there is none.
    pub(crate) only: Vec<String>,
    /// Names of peers; all if there is none. Tessera always takes part.
    pub(crate) peers: Vec<String>,
    /// Where results go, if not to a folder of today.
    pub(crate) out: Option<PathBuf>,
    /// The binary to measure, if not that of `cargo build --release`.
    pub(crate) tessera: Option<PathBuf>,
    pub(crate) rounds: usize,
    /// Of one run.
    pub(crate) seconds: u32,
    pub(crate) placements: Vec<Placement>,
    /// Only says what there is.
    pub(crate) list: bool,
}

/// What can be given.
pub(crate) const USAGE: &str = "\
  --quick                few scenarios, three rounds of one second: some minutes
  --only NAME,...        only these scenarios or groups of them; --list names them
  --peers NAME,...       only these peers: nginx, caddy, static-web-server, hyper, workerd, wasmtime
  --placement WHERE      pinned, shared or both (default: both; with --quick: pinned)
  --rounds N             1 to 99 (default: 5; with --quick: 3)
  --seconds N            of each run, 1 to 600 (default: 2; with --quick: 1)
  --tessera PATH         the binary to measure (default: target/release/tessera)
  --out FOLDER           where the results go (default: benches/results/DATE)
  --list                 says which scenarios there are, and which peers are found";

impl Options {
    /// Reads them; an error says what was wrong and what there is.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self {
            quick: false,
            only: Vec::new(),
            peers: Vec::new(),
            out: None,
            tessera: None,
            rounds: 0,
            seconds: 0,
            placements: Vec::new(),
            list: false,
        };
        let mut rest = arguments.iter();
        while let Some(word) = rest.next() {
            let (name, given) = match word.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (word.as_str(), None),
            };
            let mut value = || {
                let value = given.clone().or_else(|| rest.next().cloned());
                value.ok_or_else(|| format!("{name} wants a value\n\n{USAGE}"))
            };
            match name {
                "--quick" => options.quick = true,
                "--list" => options.list = true,
                "--only" => options.only.extend(names(&value()?)),
                "--peers" => options.peers.extend(names(&value()?)),
                "--out" => options.out = Some(value()?.into()),
                "--tessera" => options.tessera = Some(value()?.into()),
                "--rounds" => options.rounds = number(name, &value()?, 99)? as usize,
                "--seconds" => options.seconds = number(name, &value()?, 600)?,
                "--placement" => options.placements = placements(&value()?)?,
                other => return Err(format!("{other}: no such option\n\n{USAGE}")),
            }
        }
        options.fill();
        Ok(options)
    }

    /// What was not given.
    fn fill(&mut self) {
        if self.rounds == 0 {
            self.rounds = if self.quick { 3 } else { 5 };
        }
        if self.seconds == 0 {
            self.seconds = if self.quick { 1 } else { 2 };
        }
        if self.placements.is_empty() {
            self.placements = match self.quick {
                true => vec![Placement::Pinned],
                false => vec![Placement::Pinned, Placement::Shared],
            };
        }
    }

    /// Whether a scenario of a group was asked for by name.
    pub(crate) fn names(&self, group: &str, name: &str) -> bool {
        let mut only = self.only.iter();
        only.any(|asked| asked == group || asked == name)
    }

    /// Whether a peer may take part.
    pub(crate) fn wants_peer(&self, name: &str) -> bool {
        self.peers.is_empty() || self.peers.iter().any(|peer| peer == name)
    }
}

fn names(list: &str) -> impl Iterator<Item = String> {
    let names = list.split(',').map(str::trim);
    names.filter(|name| !name.is_empty()).map(str::to_owned)
}

fn number(name: &str, value: &str, most: u32) -> Result<u32, String> {
    match value.parse() {
        Ok(number) if (1..=most).contains(&number) => Ok(number),
        _ => Err(format!(
            "{name} {value}: a number from 1 to {most} is wanted"
        )),
    }
}

fn placements(value: &str) -> Result<Vec<Placement>, String> {
    match value {
        "pinned" => Ok(vec![Placement::Pinned]),
        "shared" => Ok(vec![Placement::Shared]),
        "both" => Ok(vec![Placement::Pinned, Placement::Shared]),
        other => Err(format!("--placement {other}: pinned, shared or both")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Options, String> {
        let words: Vec<_> = text.split_whitespace().map(str::to_owned).collect();
        Options::parse(&words)
    }

    #[test]
    fn quick_is_short_unless_said_otherwise() {
        let quick = parse("--quick").unwrap();
        assert_eq!((quick.rounds, quick.seconds), (3, 1));
        assert_eq!(quick.placements, [Placement::Pinned]);
        let longer = parse("--quick --rounds 7 --seconds=4 --placement both").unwrap();
        assert_eq!((longer.rounds, longer.seconds), (7, 4));
        assert_eq!(longer.placements, [Placement::Pinned, Placement::Shared]);
        let full = parse("").unwrap();
        assert_eq!(
            (full.rounds, full.seconds, full.placements.len()),
            (5, 2, 2)
        );
    }

    #[test]
    fn scenarios_are_chosen_by_name_or_group() {
        let options = parse("--only static,hello --only=costs").unwrap();
        assert!(options.names("static", "static-1k"));
        assert!(options.names("handlers", "hello"));
        assert!(options.names("costs", "costs"));
        assert!(!options.names("handlers", "echo"));
        assert!(!parse("").unwrap().names("static", "static-1k"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let check = |text: &str, expected: &str| {
            let error = parse(text).unwrap_err();
            assert!(error.starts_with(expected), "{text}: {error}");
        };
        check("--fast", "--fast: no such option");
        check("--rounds 0", "--rounds 0: a number from 1 to 99");
        check("--rounds", "--rounds wants a value");
        check(
            "--placement left",
            "--placement left: pinned, shared or both",
        );
    }
}
