//! Where the server does otherwise than RFC 9113 and RFC 7541 demand: what it does, and that the documents say so.
//!
//! Each deviation stands in `docs/http2.md` under its title, with what follows from it and with its cause. A case
//! here that fails shows a server that has come nearer to the rule, or has gone further from it.

mod accepted;
mod codes;
mod scope;

use std::collections::BTreeSet;
use std::fs;

use tessera_tests::repository;

use super::case::{Case, run};

/// A deviation.
struct Deviation {
    /// The title in `docs/http2.md`.
    title: &'static str,
    cases: Vec<Case>,
}

fn all() -> Vec<Deviation> {
    let groups = [codes::all(), scope::all(), accepted::all()];
    groups.into_iter().flatten().collect()
}

#[tokio::test]
async fn the_server_deviates_as_its_documents_say() {
    let cases: Vec<_> = all().into_iter().flat_map(|one| one.cases).collect();
    assert!(cases.iter().all(Case::deviates), "a rule that is kept");
    run(cases).await;
}

#[test]
fn every_deviation_is_documented() {
    let document = fs::read_to_string(repository().join("docs/http2.md")).unwrap();
    let (_, documented) = document.split_once("\n## Deviations\n").unwrap();
    let titles = documented
        .lines()
        .filter_map(|line| line.strip_prefix("### "));
    let known = all().into_iter().map(|one| one.title);
    assert_eq!(
        titles.collect::<BTreeSet<_>>(),
        known.collect::<BTreeSet<_>>()
    );
    let cases = all().into_iter().flat_map(|one| one.cases);
    for section in cases.map(|case| case.section) {
        let (rfc, section) = section.split_once(' ').unwrap();
        let cited = format!("RFC {rfc}, {section}");
        assert!(documented.contains(&cited), "{cited} is not cited");
    }
}
