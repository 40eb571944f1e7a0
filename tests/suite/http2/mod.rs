//! HTTP/2 frame by frame: the rules of RFC 9113 and RFC 7541 that a server can break or keep.
//!
//! Each rule is a [`case::Case`], in a file by its section. What the server does otherwise than the rule says is in
//! [`deviations`], and in `docs/http2.md` with its cause.

mod case;

mod framing;
mod streams;
mod definitions;
mod settings;
mod windows;
mod messages;
mod fields;
mod hpack;

mod vectors;
mod sending;
mod flow;
mod component;
mod load;
mod random;

mod deviations;

use case::Case;

/// Every rule of which the server keeps all.
fn rules() -> Vec<Case> {
    let by_section = [
        framing::cases(),
        streams::cases(),
        definitions::cases(),
        settings::cases(),
        windows::cases(),
        messages::cases(),
        fields::cases(),
        hpack::cases(),
    ];
    by_section.concat()
}

#[tokio::test]
async fn the_server_keeps_the_rules_of_rfc_9113_and_rfc_7541() {
    let rules = rules();
    assert!(
        !rules.iter().any(Case::deviates),
        "these have a table of their own"
    );
    case::run(rules).await;
}
