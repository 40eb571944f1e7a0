//! The table of settings is whole: every setting is read, described, and named once.

use std::collections::BTreeSet;

use super::*;

#[test]
fn every_setting_of_a_web_server_is_read() {
    let host = host_settings("", &[]).unwrap();
    let component = component_settings("").unwrap();
    for (server, values) in [
        (Scope::Host, host.values()),
        (Scope::Component, component.values()),
    ] {
        let read: BTreeSet<_> = values.keys().collect();
        let defined: BTreeSet<_> = SETTINGS
            .iter()
            .filter(|it| it.scope().covers(server))
            .map(|it| it.key())
            .collect();
        assert_eq!(read, defined, "{server:?}");
    }
}

#[test]
fn every_default_can_be_written() {
    for definition in SETTINGS {
        let default = definition.default_text();
        let is_value = default.starts_with('"') && default.ends_with('"');
        if is_value || default.parse::<f64>().is_ok() || default.parse::<bool>().is_ok() {
            let needs_port = definition.key() == "HTTPEnabled";
            let result = read_one(definition.key(), &default);
            assert!(
                result.is_ok() || needs_port,
                "{}: {result:?}",
                definition.key()
            );
        }
    }
}

#[test]
fn keys_are_of_one_table_and_of_one_list() {
    let keys: BTreeSet<_> = SETTINGS.iter().map(|it| it.key()).collect();
    assert_eq!(keys.len(), SETTINGS.len());
    for definition in SETTINGS {
        let key = definition.key();
        assert!(
            !NOT_YET.contains(&key) && !READ_ONLY.iter().any(|it| it.name == key),
            "{key}"
        );
        assert!(
            definition.doc().ends_with('.') && !definition.allowed().contains('|'),
            "{key}"
        );
        let table = TABLES.iter().find(|it| it.name == definition.table());
        match table {
            Some(table) => assert!(table.scope.covers(definition.scope()), "{key}"),
            None => assert_eq!(definition.table(), "", "{key}"),
        }
    }
}

#[test]
fn the_reference_page_names_every_setting() {
    let page = reference_markdown();
    for definition in SETTINGS.iter().filter(|it| !it.is_any_name()) {
        assert!(
            page.contains(&format!("| `{}` |", definition.name())),
            "{}",
            definition.key()
        );
    }
    for table in TABLES {
        let heading = format!("## `[{}]`", table.name);
        assert!(page.contains(&heading), "{heading}");
    }
    // A bar in a value would be a column too many.
    for table in page.split("\n\n").filter(|part| part.starts_with("| ")) {
        let columns = |row: &str| row.matches('|').count();
        let head = table.lines().next().unwrap();
        for row in table.lines() {
            assert_eq!(columns(row), columns(head), "{row}");
        }
    }
}

#[test]
fn the_reference_page_is_current() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/settings.md");
    let expected = reference_markdown();
    if std::env::var_os("TESSERA_BLESS").is_some() {
        std::fs::write(&page, &expected).unwrap();
    }
    let committed = std::fs::read_to_string(&page).unwrap_or_default();
    assert!(
        committed == expected,
        "docs/settings.md is stale; run `TESSERA_BLESS=1 cargo test -p tessera-host reference_page`"
    );
}
