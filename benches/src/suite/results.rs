//! All that was measured, and what it says: medians, ratios, what was asked for and whether it was reached.

use serde_json::{Value, json};

use super::options::Placement;
use super::rounds::{Measured, Row, Sample};
use crate::wrk::summary;

/// A median with the lowest and the highest value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Spread {
    /// None if there is no value.
    pub(crate) fn of(values: Vec<f64>) -> Option<Self> {
        let values: Vec<_> = values
            .into_iter()
            .filter(|value| value.is_finite())
            .collect();
        if values.is_empty() {
            return None;
        }
        let (median, low, high) = summary(values);
        Some(Self { median, low, high })
    }
}

/// What is asked of a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Asked {
    AtLeast(f64),
    AtMost(f64),
    Nothing,
}

impl Asked {
    /// Whether a value is what is asked.
    pub(crate) fn is_met_by(self, value: f64) -> Option<bool> {
        match self {
            Self::AtLeast(least) => Some(value >= least),
            Self::AtMost(most) => Some(value <= most),
            Self::Nothing => None,
        }
    }

    fn told(self) -> String {
        match self {
            Self::AtLeast(least) => format!("≥ {least}"),
            Self::AtMost(most) => format!("≤ {most}"),
            Self::Nothing => String::new(),
        }
    }
}

/// A number that is not a rate of requests.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) group: &'static str,
    pub(crate) name: String,
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
    pub(crate) asked: Asked,
}

/// Everything of one run of the harness.
#[derive(Clone, Debug, Default)]
pub(crate) struct Results {
    pub(crate) date: String,
    /// What the machine is, by name.
    pub(crate) machine: Vec<(&'static str, String)>,
    pub(crate) versions: Vec<(&'static str, String)>,
    pub(crate) missing: Vec<String>,
    pub(crate) rounds: usize,
    pub(crate) seconds: u32,
    pub(crate) measured: Vec<Measured>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) failed: Vec<String>,
}

/// What issue 9 asks: scenario, contender, peer, and at least how many times its requests a second.
const TARGETS: [(&str, &str, &str, f64); 18] = [
    ("static-1k", "tessera", "nginx", 1.35),
    ("static-10k", "tessera", "nginx", 1.35),
    ("static-1k", "tessera", "caddy", 3.0),
    ("static-10k", "tessera", "caddy", 3.0),
    ("static-1k", "tessera", "static-web-server", 1.5),
    ("static-10k", "tessera", "static-web-server", 1.5),
    ("static-1k", "tessera", "hyper", 0.92),
    ("static-10k", "tessera", "hyper", 0.92),
    ("static-1k-tls", "tessera", "nginx", 1.2),
    ("static-10k-tls", "tessera", "nginx", 1.2),
    ("static-1k-h2-tls", "tessera", "nginx", 1.0),
    ("static-10k-h2-tls", "tessera", "nginx", 1.0),
    ("hello", "tessera", "hyper", 0.85),
    ("hello", "tessera-fresh", "hyper", 0.4),
    ("hello", "tessera", "workerd", 1.5),
    ("wasi-fresh", "tessera", "wasmtime", 2.0),
    ("wasi-reuse", "tessera", "wasmtime-reuse", 2.0),
    ("wasi-concurrent", "tessera", "wasmtime", 1.5),
];

/// A target with what was measured.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) what: String,
    pub(crate) placement: Placement,
    pub(crate) asked: String,
    /// By requests a second, and by processor time for a request.
    pub(crate) rate: Spread,
    pub(crate) cost: Option<Spread>,
    pub(crate) is_reached: bool,
}

impl Row {
    /// The runs that count.
    pub(crate) fn good(&self) -> impl Iterator<Item = &Sample> {
        self.samples
            .iter()
            .filter_map(|sample| sample.as_ref().ok())
    }

    /// Of something of each run.
    pub(crate) fn spread(&self, of: impl Fn(&Sample) -> f64) -> Option<Spread> {
        Spread::of(self.good().map(of).collect())
    }
}

impl Measured {
    /// The row of a contender.
    pub(crate) fn row(&self, name: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.name == name)
    }

    /// How many times as fast one is as another, round by round; rounds in which either failed do not count.
    pub(crate) fn ratio(&self, ours: &Row, theirs: &Row) -> Option<Spread> {
        pairs(ours, theirs, |ours, theirs| {
            ours.run.per_second / theirs.run.per_second
        })
    }

    /// The same by processor time: how many times as much the other takes.
    pub(crate) fn cost_ratio(&self, ours: &Row, theirs: &Row) -> Option<Spread> {
        pairs(ours, theirs, |ours, theirs| theirs.cost / ours.cost)
    }
}

fn pairs(ours: &Row, theirs: &Row, ratio: impl Fn(&Sample, &Sample) -> f64) -> Option<Spread> {
    let pairs = ours.samples.iter().zip(&theirs.samples);
    let both =
        pairs.filter_map(|(ours, theirs)| Some(ratio(ours.as_ref().ok()?, theirs.as_ref().ok()?)));
    Spread::of(both.collect())
}

impl Results {
    /// The targets that were measured.
    pub(crate) fn outcomes(&self) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for (scenario, ours, theirs, least) in TARGETS {
            for measured in self.measured.iter().filter(|one| one.name == scenario) {
                let (Some(our), Some(their)) = (measured.row(ours), measured.row(theirs)) else {
                    continue;
                };
                let Some(rate) = measured.ratio(our, their) else {
                    continue;
                };
                outcomes.push(Outcome {
                    what: format!("{}: {ours} to {theirs}", measured.title),
                    placement: measured.placement,
                    asked: Asked::AtLeast(least).told(),
                    rate,
                    cost: measured.cost_ratio(our, their),
                    is_reached: rate.median >= least,
                });
            }
        }
        outcomes
    }

    /// All of it for programs.
    pub(crate) fn json(&self) -> Value {
        let pairs = |pairs: &[(&str, String)]| -> Value {
            let pairs = pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), json!(value)));
            Value::Object(pairs.collect())
        };
        let outcomes = self.outcomes();
        let outcomes: Vec<_> = outcomes.iter().map(|one| {
            json!({
                "what": one.what, "placement": one.placement.name(), "asked": one.asked,
                "rate": spread(Some(one.rate)), "cost": spread(one.cost), "reached": one.is_reached,
            })
        }).collect();
        let findings: Vec<_> = self
            .findings
            .iter()
            .map(|one| {
                json!({
                    "group": one.group, "name": one.name, "value": one.value, "unit": one.unit,
                    "asked": one.asked.told(), "reached": one.asked.is_met_by(one.value),
                })
            })
            .collect();
        json!({
            "date": self.date,
            "machine": pairs(&self.machine),
            "versions": pairs(&self.versions),
            "missing": self.missing,
            "rounds": self.rounds,
            "seconds": self.seconds,
            "targets": outcomes,
            "scenarios": self.measured.iter().map(scenario).collect::<Vec<_>>(),
            "findings": findings,
            "failed": self.failed,
        })
    }
}

impl Finding {
    /// What is asked of it, or nothing.
    pub(crate) fn asked(&self) -> String {
        self.asked.told()
    }
}

fn scenario(measured: &Measured) -> Value {
    let rows: Vec<_> = measured
        .rows
        .iter()
        .map(|row| {
            let runs: Vec<_> = row
                .samples
                .iter()
                .map(|sample| match sample {
                    Ok(sample) => json!({
                        "requests_per_second": sample.run.per_second,
                        "requests": sample.run.requests,
                        "p50_microseconds": sample.run.p50,
                        "p99_microseconds": sample.run.p99,
                        "processor_microseconds_per_request": sample.cost,
                    }),
                    Err(error) => json!({ "void": error }),
                })
                .collect();
            json!({
                "name": row.name,
                "requests_per_second": spread(row.spread(|sample| sample.run.per_second)),
                "processor_microseconds_per_request": spread(row.spread(|sample| sample.cost)),
                "runs": runs,
            })
        })
        .collect();
    json!({
        "name": measured.name,
        "group": measured.group,
        "title": measured.title,
        "placement": measured.placement.name(),
        "contenders": rows,
        "left_out": measured.left_out,
    })
}

fn spread(spread: Option<Spread>) -> Value {
    spread.map_or(
        Value::Null,
        |spread| json!({ "median": spread.median, "low": spread.low, "high": spread.high }),
    )
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::generate::Run;
    use super::*;

    /// A scenario with rows of rates; a rate of 0 is a void run. Each request costs 10 µs at 100,000 a second.
    pub(crate) fn measured(name: &str, rows: &[(&'static str, &[f64])]) -> Measured {
        let sample = |rate: &f64| match *rate {
            0.0 => Err("void".to_owned()),
            per_second => Ok(Sample {
                run: Run {
                    per_second,
                    requests: per_second,
                    p50: Some(100.0),
                    p99: Some(1500.0),
                },
                cost: 1e6 / per_second,
            }),
        };
        let rows = rows.iter().map(|(name, rates)| Row {
            name,
            samples: rates.iter().map(sample).collect(),
        });
        Measured {
            name: name.to_owned(),
            group: "static",
            title: format!("title of {name}"),
            placement: Placement::Pinned,
            rows: rows.collect(),
            left_out: Vec::new(),
        }
    }

    #[test]
    fn ratios_are_taken_round_by_round() {
        let one = measured(
            "x",
            &[
                ("tessera", &[100.0, 80.0, 30.0]),
                ("nginx", &[50.0, 20.0, 30.0]),
            ],
        );
        let ratio = one.ratio(&one.rows[0], &one.rows[1]).unwrap();
        assert_eq!((ratio.median, ratio.low, ratio.high), (2.0, 1.0, 4.0));
        assert_eq!(
            one.cost_ratio(&one.rows[0], &one.rows[1]).unwrap().median,
            2.0
        );
    }

    #[test]
    fn a_void_run_takes_its_round_along() {
        let one = measured(
            "x",
            &[
                ("tessera", &[100.0, 0.0, 90.0]),
                ("nginx", &[50.0, 1.0, 0.0]),
            ],
        );
        let ratio = one.ratio(&one.rows[0], &one.rows[1]).unwrap();
        assert_eq!((ratio.low, ratio.high), (2.0, 2.0));
        let none = measured("x", &[("tessera", &[0.0]), ("nginx", &[1.0])]);
        assert!(none.ratio(&none.rows[0], &none.rows[1]).is_none());
    }

    #[test]
    fn a_target_is_reached_by_the_median() {
        let mut results = Results::default();
        let rows: [(&'static str, &[f64]); 2] =
            [("tessera", &[134.0, 136.0, 140.0]), ("nginx", &[100.0; 3])];
        results.measured.push(measured("static-1k", &rows));
        let outcomes = results.outcomes();
        assert_eq!(outcomes.len(), 1);
        assert!(outcomes[0].is_reached);
        assert_eq!(outcomes[0].asked, "≥ 1.35");
        assert_eq!(results.json()["targets"][0]["reached"], true);
    }

    #[test]
    fn every_target_names_what_is_measured() {
        let all = super::super::scenarios::all();
        for (scenario, ours, theirs, _) in TARGETS {
            let scenario = all.iter().find(|one| one.name == scenario).unwrap();
            for name in [ours, theirs] {
                let mut contenders = scenario.contenders.iter();
                assert!(
                    contenders.any(|one| one.name == name),
                    "{} {name}",
                    scenario.name
                );
            }
        }
    }
}
