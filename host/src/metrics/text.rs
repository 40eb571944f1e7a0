//! The text format of Prometheus, version 0.0.4: families, each with its samples.

use std::fmt::{Display, Write as _};
use std::time::Duration;

use super::answers::{BOUNDS_SHOWN, Times};

/// What the text is sent as.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A text in the making.
#[derive(Debug, Default)]
pub(crate) struct Text(String);

/// Labels of a sample: names, which are ours, and values, which may be anything.
pub(super) type Labels<'a> = &'a [(&'a str, &'a str)];

impl Text {
    /// Begins a counter. Its name ends in `_total`.
    pub(super) fn counter(&mut self, name: &'static str, help: &str) -> Family<'_> {
        self.family(name, "counter", help)
    }

    /// Begins a gauge.
    pub(super) fn gauge(&mut self, name: &'static str, help: &str) -> Family<'_> {
        self.family(name, "gauge", help)
    }

    /// Begins a histogram.
    pub(super) fn histogram(&mut self, name: &'static str, help: &str) -> Family<'_> {
        self.family(name, "histogram", help)
    }

    /// A gauge of one sample without labels.
    pub(super) fn one_gauge(&mut self, name: &'static str, help: &str, value: impl Display) {
        self.gauge(name, help).sample(&[], value);
    }

    /// A counter of one sample without labels.
    pub(super) fn one_counter(&mut self, name: &'static str, help: &str, value: impl Display) {
        self.counter(name, help).sample(&[], value);
    }

    fn family(&mut self, name: &'static str, kind: &str, help: &str) -> Family<'_> {
        // A String takes all that is written to it.
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
        Family { text: self, name }
    }

    /// The text.
    pub(crate) fn finish(self) -> String {
        self.0
    }
}

/// A family whose samples are being written.
pub(super) struct Family<'a> {
    text: &'a mut Text,
    name: &'static str,
}

impl Family<'_> {
    /// Writes a sample.
    pub(super) fn sample(&mut self, labels: Labels<'_>, value: impl Display) {
        self.line("", labels, None, value);
    }

    /// Writes a duration, in seconds.
    pub(super) fn seconds(&mut self, labels: Labels<'_>, time: Duration) {
        self.sample(labels, time.as_secs_f64());
    }

    /// Writes the samples of a histogram.
    pub(super) fn times(&mut self, labels: Labels<'_>, times: &Times) {
        let mut below = 0;
        let bounds = BOUNDS_SHOWN.into_iter().chain(["+Inf"]);
        for (bound, count) in bounds.zip(times.counts) {
            below += count;
            self.line("_bucket", labels, Some(bound), below);
        }
        self.line("_sum", labels, None, times.sum.as_secs_f64());
        self.line("_count", labels, None, below);
    }

    fn line(&mut self, suffix: &str, labels: Labels<'_>, le: Option<&str>, value: impl Display) {
        let text = &mut self.text.0;
        text.push_str(self.name);
        text.push_str(suffix);
        let bound = le.map(|bound| ("le", bound));
        let mut separator = '{';
        for (name, value) in labels.iter().copied().chain(bound) {
            text.push(separator);
            text.push_str(name);
            text.push_str("=\"");
            escape(text, value);
            text.push('"');
            separator = ',';
        }
        if separator == ',' {
            text.push('}');
        }
        let _ = writeln!(text, " {value}");
    }
}

/// A value of a label: what would end it, or its line, is escaped.
fn escape(text: &mut String, value: &str) {
    for character in value.chars() {
        match character {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            other => text.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_have_their_samples_below_them() {
        let mut text = Text::default();
        text.one_gauge("a", "What it is.", 1);
        let mut family = text.counter("b_total", "More.");
        family.sample(&[("server", "x\"\\\n{}")], 2);
        family.seconds(
            &[("server", "y"), ("kind", "z")],
            Duration::from_millis(1500),
        );
        let expected = "# HELP a What it is.\n# TYPE a gauge\na 1\n\
            # HELP b_total More.\n# TYPE b_total counter\n\
            b_total{server=\"x\\\"\\\\\\n{}\"} 2\nb_total{server=\"y\",kind=\"z\"} 1.5\n";
        assert_eq!(text.finish(), expected);
    }

    #[test]
    fn the_ranges_of_a_histogram_are_summed_up() {
        let mut text = Text::default();
        let mut counts = [0; BOUNDS_SHOWN.len() + 1];
        (counts[0], counts[2], counts[15]) = (3, 2, 1);
        let times = Times {
            counts,
            sum: Duration::from_secs(2),
        };
        text.histogram("h_seconds", "H.")
            .times(&[("kind", "k")], &times);
        let text = text.finish();
        for line in [
            "h_seconds_bucket{kind=\"k\",le=\"0.0001\"} 3\n",
            "h_seconds_bucket{kind=\"k\",le=\"0.00025\"} 3\n",
            "h_seconds_bucket{kind=\"k\",le=\"10\"} 5\n",
            "h_seconds_bucket{kind=\"k\",le=\"+Inf\"} 6\n",
            "h_seconds_sum{kind=\"k\"} 2\n",
            "h_seconds_count{kind=\"k\"} 6\n",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
    }
}
