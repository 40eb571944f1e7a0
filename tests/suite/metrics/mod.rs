//! `/metrics`: who may read it, that it is what Prometheus takes, and that it counts what happens.

mod counted;
mod files;

use std::collections::BTreeMap;

use tessera_tests::Server;

/// The samples by name and labels as they are written, and what each family is.
pub(super) struct Metrics {
    pub(super) kinds: BTreeMap<String, String>,
    samples: BTreeMap<String, f64>,
}

impl Metrics {
    /// Reads them, and holds them to the format.
    pub(super) async fn of(server: &Server) -> Self {
        let reply = server.admin.get("/metrics").await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let kind = "text/plain; version=0.0.4; charset=utf-8";
        assert_eq!(reply.header("content-type"), Some(kind));
        Self::parse(reply.text())
    }

    fn parse(text: &str) -> Self {
        let (mut kinds, mut samples) = (BTreeMap::new(), BTreeMap::new());
        let mut family = String::new();
        assert!(text.ends_with('\n'));
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').unwrap();
                assert!(help.ends_with('.'), "{line}");
                family = name.to_owned();
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').unwrap();
                assert_eq!(name, family, "{line}");
                let is_counter = kind == "counter";
                assert_eq!(name.ends_with("_total"), is_counter, "{line}");
                let before = kinds.insert(name.to_owned(), kind.to_owned());
                assert_eq!(before, None, "twice: {line}");
            } else {
                let (sample, value) = line.rsplit_once(' ').unwrap();
                let name = sample.split('{').next().unwrap();
                let suffix = name.strip_prefix(&*family);
                let is_histogram = kinds[&family] == "histogram";
                let suffixes = ["_bucket", "_sum", "_count"];
                let is_its = match suffix {
                    Some("") => !is_histogram,
                    Some(suffix) => is_histogram && suffixes.contains(&suffix),
                    None => false,
                };
                assert!(is_its, "{line} below {family}");
                let value = value.parse().unwrap_or_else(|_| panic!("{line}"));
                let before = samples.insert(sample.to_owned(), value);
                assert_eq!(before, None, "twice: {line}");
            }
        }
        Self { kinds, samples }
    }

    /// A sample; 0 where there is none, as of a counter that has not counted yet.
    pub(super) fn get(&self, sample: &str) -> f64 {
        self.samples.get(sample).copied().unwrap_or_default()
    }

    /// Whether anything is told with these words in it.
    pub(super) fn mentions(&self, words: &str) -> bool {
        self.samples.keys().any(|sample| sample.contains(words))
    }
}
