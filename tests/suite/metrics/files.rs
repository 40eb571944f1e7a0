//! The dashboard, the alerts and the page about metrics name only metrics that there are, and the page names all.

use std::collections::BTreeSet;
use std::path::Path;

use tessera_tests::Site;

use super::Metrics;

/// Names in a text that look like those of metrics.
fn names_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|it: char| !it.is_ascii_alphanumeric() && it != '_');
    words
        .filter(|word| word.starts_with("tessera_") || word.starts_with("process_"))
        .map(str::to_owned)
        .collect()
}

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    std::fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[tokio::test]
async fn dashboard_alerts_and_page_know_the_metrics_that_there_are() {
    let server = Site::new().guest("echo").start().await;
    let metrics = Metrics::of(&server).await;
    let is_one = |name: &str| {
        let family = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|suffix| name.strip_suffix(suffix))
            .filter(|family| {
                metrics
                    .kinds
                    .get(*family)
                    .is_some_and(|it| it == "histogram")
            });
        metrics.kinds.contains_key(family.unwrap_or(name))
    };
    for path in [
        "deploy/grafana/tessera.json",
        "deploy/prometheus/alerts.yml",
        "docs/metrics.md",
    ] {
        let names = names_in(&read(path));
        assert!(names.len() > 5, "{path}: {names:?}");
        let unknown: Vec<_> = names.iter().filter(|name| !is_one(name)).collect();
        assert!(unknown.is_empty(), "{path}: {unknown:?}");
    }
    let page = names_in(&read("docs/metrics.md"));
    let missing: Vec<_> = metrics
        .kinds
        .keys()
        .filter(|name| !page.contains(*name))
        .collect();
    assert!(missing.is_empty(), "docs/metrics.md: {missing:?}");
}

#[test]
fn the_dashboard_is_json_with_a_panel_for_each_place() {
    let dashboard: serde_json::Value =
        serde_json::from_str(&read("deploy/grafana/tessera.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64()).collect();
    assert_eq!(ids.len(), panels.len());
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        assert!(panel["targets"][0]["expr"].is_string(), "{panel}");
    }
}
