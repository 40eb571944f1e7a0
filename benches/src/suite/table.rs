//! Results as a page of Markdown.

use std::fmt::Write;

use super::chart;
use super::results::{Results, Spread};
use super::rounds::{Measured, Row};

/// The page.
pub(crate) fn page(results: &Results) -> String {
    let mut page = format!("# {}\n\n", results.date);
    let told = |pairs: &[(&str, String)]| {
        let pairs = pairs.iter().map(|(name, value)| format!("{name} {value}"));
        pairs.collect::<Vec<_>>().join("; ")
    };
    push(
        &mut page,
        &format!("Machine: {}.\n", told(&results.machine)),
    );
    push(
        &mut page,
        &format!("Versions: {}.\n", told(&results.versions)),
    );
    for missing in &results.missing {
        push(&mut page, &format!("Not measured: {missing}.\n"));
    }
    let how = format!(
        "{} rounds of {} s, all in turn there and back; medians, lowest and highest in brackets. \"Times\" is Tessera to the other, round by round: above 1 \
         Tessera is better. \"Pinned\" is server on one core and load generator on another, \"shared\" is both on all cores. Made by \
         `cargo xtask bench`; all runs are in `results.json`.\n",
        results.rounds, results.seconds
    );
    push(&mut page, &how);
    for (file, title, _) in chart::all(results) {
        push(&mut page, &format!("![{title}]({file})\n"));
    }
    targets(results, &mut page);
    findings(results, &mut page);
    let mut groups: Vec<&str> = results.measured.iter().map(|one| one.group).collect();
    groups.dedup();
    groups.sort_unstable();
    groups.dedup();
    for group in groups {
        push(&mut page, &format!("## {group}\n"));
        push(
            &mut page,
            "| scenario | cores | who | requests/s | times | µs of processor time | times | p99 ms |\n|---|---|---|---|---|---|---|---|",
        );
        for measured in results.measured.iter().filter(|one| one.group == group) {
            for row in &measured.rows {
                push(&mut page, &line(measured, row));
            }
        }
        page.push('\n');
    }
    let mut left_out: Vec<String> = Vec::new();
    for one in &results.measured {
        left_out.extend(
            one.left_out
                .iter()
                .map(|why| format!("- {}: {why}", one.name)),
        );
        for row in &one.rows {
            let void = row
                .samples
                .iter()
                .filter_map(|sample| sample.as_ref().err());
            left_out
                .extend(void.map(|why| format!("- {}: a run of {}: {why}", one.name, row.name)));
        }
    }
    left_out.extend(results.failed.iter().map(|why| format!("- {why}")));
    if !left_out.is_empty() {
        push(
            &mut page,
            &format!("## Left out\n\n{}\n", left_out.join("\n")),
        );
    }
    page
}

fn push(page: &mut String, line: &str) {
    page.push_str(line);
    page.push('\n');
}

fn targets(results: &Results, page: &mut String) {
    let outcomes = results.outcomes();
    if outcomes.is_empty() {
        return;
    }
    push(page, "## What is asked\n");
    push(
        page,
        "| requests a second | cores | asked | measured | by processor time | |\n|---|---|---|---|---|---|",
    );
    for one in outcomes {
        let reached = if one.is_reached { "reached" } else { "missed" };
        let cost = one.cost.map_or_else(String::new, ratio);
        let line = format!(
            "| {} | {} | {} | {} | {cost} | {reached} |",
            one.what,
            one.placement.name(),
            one.asked,
            ratio(one.rate)
        );
        push(page, &line);
    }
    page.push('\n');
}

fn findings(results: &Results, page: &mut String) {
    if results.findings.is_empty() {
        return;
    }
    push(page, "## Latency, memory, starts, costs\n");
    push(page, "| | | asked | |\n|---|---|---|---|");
    for one in &results.findings {
        let reached = match one.asked.is_met_by(one.value) {
            Some(true) => "reached",
            Some(false) => "missed",
            None => "",
        };
        let value = number(one.value);
        let line = format!(
            "| {} | {value} {} | {} | {reached} |",
            one.name,
            one.unit,
            one.asked()
        );
        push(page, &line);
    }
    page.push('\n');
}

/// A row of a scenario beside Tessera.
fn line(measured: &Measured, row: &Row) -> String {
    let mut line = format!(
        "| {} | {} | {} ",
        measured.title,
        measured.placement.name(),
        row.name
    );
    let tessera = measured.row("tessera").filter(|ours| ours.name != row.name);
    let rate = row.spread(|sample| sample.run.per_second);
    let cost = row.spread(|sample| sample.cost);
    let p99 = row.spread(|sample| sample.run.p99.unwrap_or(f64::NAN) / 1000.0);
    let times = tessera.and_then(|ours| measured.ratio(ours, row));
    let cost_times = tessera.and_then(|ours| measured.cost_ratio(ours, row));
    let with_spread = |spread: Spread| {
        let [median, low, high] = [spread.median, spread.low, spread.high].map(number);
        format!("{median} ({low} to {high})")
    };
    let empty = String::new;
    for cell in [
        rate.map_or_else(|| "void".to_owned(), with_spread),
        times.map_or_else(empty, ratio),
        cost.map_or_else(empty, with_spread),
        cost_times.map_or_else(empty, ratio),
        p99.map_or_else(empty, |spread| number(spread.median)),
    ] {
        // Writing to a text does not fail.
        let _ = write!(line, "| {cell} ");
    }
    line.push('|');
    line
}

fn ratio(spread: Spread) -> String {
    format!(
        "{:.2} ({:.2} to {:.2})",
        spread.median, spread.low, spread.high
    )
}

/// As many digits as mean something.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 => format!("{value:.0}"),
        medium if medium >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::results::tests::measured;
    use super::super::results::{Asked, Finding};
    use super::*;

    #[test]
    fn a_page_has_ratios_targets_and_what_was_left_out() {
        let mut results = Results {
            date: "2026-01-02".to_owned(),
            rounds: 3,
            seconds: 1,
            missing: vec!["caddy: not found".to_owned()],
            ..Results::default()
        };
        let rows: [(&'static str, &[f64]); 2] = [
            ("tessera", &[60_000.0, 61_000.0, 62_000.0]),
            ("nginx", &[50_000.0; 3]),
        ];
        let mut one = measured("static-1k", &rows);
        one.left_out.push("workerd: ended at its start".to_owned());
        results.measured.push(one);
        results.findings.push(Finding {
            group: "cold",
            name: "start with 1000 components".to_owned(),
            value: 0.5,
            unit: "s",
            asked: Asked::AtMost(1.0),
        });
        let page = page(&results);
        for expected in [
            "# 2026-01-02\n",
            "Not measured: caddy: not found.",
            "| title of static-1k: tessera to nginx | pinned | ≥ 1.35 | 1.22 (1.20 to 1.24) | 1.22 (1.20 to 1.24) | missed |",
            "| start with 1000 components | 0.50 s | ≤ 1 | reached |",
            "| title of static-1k | pinned | nginx | 50000 (50000 to 50000) | 1.22 (1.20 to 1.24) | 20.0 (20.0 to 20.0) | 1.22 (1.20 to 1.24) | 1.50 |",
            "- static-1k: workerd: ended at its start",
            "![Static files: requests a second on one core](static.svg)",
        ] {
            assert!(page.contains(expected), "{expected}\n{page}");
        }
    }

    #[test]
    fn a_row_of_void_runs_says_so() {
        let one = measured("x", &[("tessera", &[0.0]), ("nginx", &[1.0])]);
        assert!(line(&one, &one.rows[0]).contains("| void |"));
    }
}
