//! Results as pictures: horizontal bars, readable on light and on dark pages.

use std::fmt::Write;

use super::options::Placement;
use super::results::Results;
use super::rounds::Measured;
use super::table::number;

const WIDTH: f64 = 760.0;
const LABELS: f64 = 170.0;
const NUMBERS: f64 = 110.0;
const BAR: f64 = 18.0;
const GAP: f64 = 4.0;
const TITLE: f64 = 26.0;
const HEAD: f64 = 40.0;

/// What is shown in which picture: its file's name, its title, and its scenarios.
const CHARTS: [(&str, &str, &[&str]); 3] = [
    (
        "static.svg",
        "Static files: requests a second on one core",
        &[
            "static-1k",
            "static-10k",
            "static-1k-tls",
            "static-1k-h2-tls",
        ],
    ),
    (
        "handlers.svg",
        "Handlers: requests a second on one core",
        &["hello", "echo", "form", "table"],
    ),
    (
        "wasi.svg",
        "The same wasi:http component: requests a second on one core",
        &["wasi-fresh", "wasi-reuse", "wasi-concurrent"],
    ),
];

/// The pictures that there are results for: the name of each one's file, its title, and itself.
pub(crate) fn all(results: &Results) -> Vec<(&'static str, &'static str, String)> {
    let mut charts = Vec::new();
    for (file, title, names) in CHARTS {
        let shown: Vec<_> = names
            .iter()
            .filter_map(|name| {
                let mut all = results.measured.iter();
                all.find(|one| one.name == *name && one.placement == Placement::Pinned)
            })
            .collect();
        if !shown.is_empty() {
            charts.push((file, title, chart(title, &shown)));
        }
    }
    charts
}

/// One picture. Each scenario has a scale of its own: what is compared is within it.
fn chart(title: &str, shown: &[&Measured]) -> String {
    let mut body = String::new();
    let mut y = HEAD;
    for measured in shown {
        y += TITLE;
        text(&mut body, "scenario", 0.0, y - 8.0, &measured.title);
        let mut bars: Vec<_> = measured
            .rows
            .iter()
            .filter_map(|row| Some((row.name, row.spread(|sample| sample.run.per_second)?)))
            .collect();
        bars.sort_by(|one, other| other.1.median.total_cmp(&one.1.median));
        let most = bars.iter().map(|bar| bar.1.high).fold(1.0, f64::max);
        let scale = (WIDTH - LABELS - NUMBERS) / most;
        for (name, spread) in bars {
            let class = if name.starts_with("tessera") {
                "ours"
            } else {
                "theirs"
            };
            let middle = y + BAR - 5.0;
            text(&mut body, "name", LABELS - 8.0, middle, name);
            let width = spread.median * scale;
            // Writing to a text does not fail.
            let _ = writeln!(
                body,
                "<rect class=\"{class}\" x=\"{LABELS}\" y=\"{y:.0}\" width=\"{width:.1}\" height=\"{BAR}\" rx=\"2\"/>"
            );
            let (low, high) = (LABELS + spread.low * scale, LABELS + spread.high * scale);
            let line = y + BAR / 2.0;
            let _ = writeln!(
                body,
                "<line class=\"spread\" x1=\"{low:.1}\" y1=\"{line:.0}\" x2=\"{high:.1}\" y2=\"{line:.0}\"/>"
            );
            let label = LABELS + spread.high.max(spread.median) * scale + 6.0;
            text(
                &mut body,
                "number",
                label,
                middle,
                &thousands(spread.median),
            );
            y += BAR + GAP;
        }
        y += GAP * 2.0;
    }
    let title = escaped(title);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{y:.0}\" viewBox=\"0 0 {WIDTH} {y:.0}\" role=\"img\" \
         aria-label=\"{title}\">\n<style>\n\
         text {{ font: 13px system-ui, sans-serif; fill: #24292f; }}\n\
         .title {{ font-size: 16px; font-weight: 600; }}\n\
         .scenario {{ font-weight: 600; }}\n\
         .name {{ text-anchor: end; }}\n\
         .ours {{ fill: #c2410c; }}\n.theirs {{ fill: #8c959f; }}\n\
         .spread {{ stroke: #24292f; stroke-width: 1.5; opacity: .55; }}\n\
         @media (prefers-color-scheme: dark) {{\n\
         text {{ fill: #e6edf3; }}\n.ours {{ fill: #fb923c; }}\n.theirs {{ fill: #6e7681; }}\n.spread {{ stroke: #e6edf3; }}\n}}\n\
         </style>\n<text class=\"title\" x=\"0\" y=\"20\">{title}</text>\n{body}</svg>\n"
    )
}

fn text(body: &mut String, class: &str, x: f64, y: f64, text: &str) {
    // Writing to a text does not fail.
    let _ = writeln!(
        body,
        "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.0}\">{}</text>",
        escaped(text)
    );
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// `57,200`, and small numbers as they are.
fn thousands(value: f64) -> String {
    let digits = number(value);
    match digits.len() {
        4..=6 if !digits.contains('.') => {
            let (front, back) = digits.split_at(digits.len() - 3);
            format!("{front},{back}")
        }
        _ => digits,
    }
}

#[cfg(test)]
mod tests {
    use super::super::results::tests::measured;
    use super::*;

    #[test]
    fn the_fastest_stands_on_top_and_every_bar_is_inside() {
        let one = measured(
            "static-1k",
            &[
                ("nginx", &[50_000.0]),
                ("tessera", &[70_000.0, 72_000.0, 74_000.0]),
            ],
        );
        let mut results = Results::default();
        results.measured.push(one);
        let charts = all(&results);
        assert_eq!(charts.len(), 1);
        let (file, _, picture) = &charts[0];
        assert_eq!(*file, "static.svg");
        assert!(picture.find(">tessera<").unwrap() < picture.find(">nginx<").unwrap());
        assert!(picture.contains(">72,000<") && picture.contains(">50,000<"));
        for width in picture.split("width=\"").skip(2) {
            let width: f64 = width.split('"').next().unwrap().parse().unwrap();
            assert!(width <= WIDTH - LABELS - NUMBERS, "{width}");
        }
    }

    #[test]
    fn names_cannot_break_the_picture() {
        assert_eq!(
            escaped("<a href=\"&\">"),
            "&lt;a href=&quot;&amp;&quot;&gt;"
        );
    }

    #[test]
    fn numbers_have_commas() {
        for (value, expected) in [
            (57_221.4, "57,221"),
            (812_000.0, "812,000"),
            (999.0, "999"),
            (1.5, "1.50"),
        ] {
            assert_eq!(thousands(value), expected);
        }
    }
}
