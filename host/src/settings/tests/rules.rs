//! `rules` and `handlers`: whose methods handlers are, and the files that the lists may stand in.

use super::*;
use std::fs;

#[test]
fn a_handler_of_the_host_names_a_component_and_one_of_a_component_itself() {
    let handler = |class: &str| format!("handlers = [{{pattern = 'a', method = 'm'{class}}}]\n");
    assert!(host_settings(&handler(", class = 'any'"), &[]).is_ok());
    assert!(component_settings(&handler("")).is_ok());
    assert!(component_settings(&handler(", class = 'shop'")).is_ok());

    let error = host_settings(&handler(""), &[]).unwrap_err().to_string();
    assert!(error.contains("tessera.toml:1: handlers = ["), "{error}");
    assert!(error.contains("entry 1: needs class"), "{error}");
    let error = component_settings(&handler(", class = 'bank'"));
    let error = error.unwrap_err().to_string();
    assert!(error.contains("settings.toml:1: handlers = ["), "{error}");
    assert!(
        error.contains("class must be \"shop\" or left out"),
        "{error}"
    );
}

#[test]
fn what_is_given_is_above_the_files() {
    let site = tempfile::tempdir().unwrap();
    fs::write(
        site.path().join("HTTPRules.json"),
        "[{\"regexPattern\": \"/\", \"status\": 404}]",
    )
    .unwrap();
    let shown = |overrides: &[Override]| {
        let settings = HostSettings::load(site.path(), overrides).unwrap();
        settings.properties()["rules"].clone()
    };
    assert_eq!(shown(&[]), json!([{"regexPattern": "/", "status": 404}]));
    let set = parsed(&["rules=[{regexPattern='/a', denyAccess=true}]"]);
    assert_eq!(
        shown(&set),
        json!([{"regexPattern": "/a", "denyAccess": true}])
    );
    assert_eq!(shown(&parsed(&["rules=[]"])), json!([]));

    let component = site.path().join("components/shop");
    fs::create_dir_all(&component).unwrap();
    fs::write(
        component.join("HTTPHandlers.json"),
        "[{\"pattern\": \"a\"}]",
    )
    .unwrap();
    let error = ComponentSettings::load("shop", Some(&component), &[]).unwrap_err();
    assert_eq!(error.faults()[0].kind(), FaultKind::File);
    let error = error.to_string();
    assert!(
        error.contains("HTTPHandlers.json:1: handlers = {"),
        "{error}"
    );
    assert!(error.ends_with("entry 1: needs method"), "{error}");
}

#[test]
fn the_order_of_toml_tables_is_kept() {
    let text = "[[rules]]\nregexPattern = '/b'\n[rules.setHeaders]\nA = '1'\n[[rules]]\nregexPattern = '/a'\n";
    let settings = host_settings(text, &[]).unwrap();
    let patterns: Vec<_> = settings.web.responses.rules.list.iter().collect();
    assert_eq!(patterns[0].pattern, "/b");
    assert_eq!(patterns[0].set.len(), 1);
    assert_eq!(patterns[1].pattern, "/a");
}

#[test]
fn the_examples_of_the_page_are_right() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/rules.md");
    let page = fs::read_to_string(page).unwrap();
    let blocks: Vec<_> = page.split("```").skip(1).step_by(2).collect();
    let toml = blocks
        .iter()
        .filter_map(|block| block.strip_prefix("toml\n"));
    let mut count = 0;
    for block in toml {
        // It needs a certificate.
        let block = block.replace("HSTSEnabled = true", "");
        let settings = host_settings(&block, &[]);
        let settings = settings.unwrap_or_else(|error| panic!("{error}\n{block}"));
        let web = settings.web;
        count += web.responses.rules.list.len() + web.requests.handlers.list.len();
    }
    assert!(count >= 9, "{count}");
    let json = blocks.iter().find_map(|block| block.strip_prefix("json\n"));
    let list: Json = serde_json::from_str(json.unwrap()).unwrap();
    let given = given(Origin::Start, &json!({ "rules": list }));
    assert!(host_with("", &given).is_ok());
}
