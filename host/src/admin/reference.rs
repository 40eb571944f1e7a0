//! `docs/admin.md` is true: its tables are those of the code, and it shows how to call every operation.

use std::path::{Path, PathBuf};

use super::route::{OPERATIONS, Operation, Takes, needs_key};
use crate::server::ErrorCode;

/// The web server of the examples.
const EXAMPLE: &str = "shop";
/// The session of the examples.
const ID: &str = "5d2f0c7a9b1e4c3d8f6a0b2c4d6e8f01";

fn page_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/admin.md")
}

fn page() -> String {
    std::fs::read_to_string(page_file()).unwrap()
}

fn operations_table() -> String {
    let mut table = "| method | path | does | body | key |\n|---|---|---|---|---|\n".to_owned();
    for operation in OPERATIONS {
        let body = match operation.takes {
            Takes::Nothing => "",
            Takes::Settings => "settings, or nothing",
            Takes::Patch => "session options",
            Takes::Module => "a module",
        };
        let key = if needs_key(operation.path) {
            "yes"
        } else {
            "no"
        };
        table.push_str(&format!(
            "| {} | `{}` | {} {} | {body} | {key} |\n",
            operation.method, operation.path, operation.summary, operation.details
        ));
    }
    table
}

fn errors_table() -> String {
    let mut table = "| `errCode` | `componentSignature` | meaning |\n|---|---|---|\n".to_owned();
    let mut codes = ErrorCode::ALL.to_vec();
    codes.sort_by_key(|code| code.number());
    for code in codes {
        let (number, signature) = (code.number(), code.signature());
        table.push_str(&format!(
            "| {number} | `{signature}` | {} |\n",
            code.meaning()
        ));
    }
    table
}

/// Puts a table between the marks of its name.
fn with_table(page: &str, name: &str, table: &str) -> String {
    let (begin, end) = (
        format!("<!-- {name}: generated -->\n"),
        format!("<!-- end of {name} -->"),
    );
    let (before, rest) = page.split_once(&begin).unwrap();
    let (_, after) = rest.split_once(&end).unwrap();
    format!("{before}{begin}\n{table}\n{end}{after}")
}

#[test]
fn the_tables_of_the_admin_page_are_current() {
    let expected = with_table(&page(), "operations", &operations_table());
    let expected = with_table(&expected, "errors", &errors_table());
    if std::env::var_os("TESSERA_BLESS").is_some() {
        std::fs::write(page_file(), &expected).unwrap();
    }
    assert!(
        page() == expected,
        "docs/admin.md is stale; run `TESSERA_BLESS=1 cargo test -p tessera-host admin_page`"
    );
}

#[test]
fn the_admin_page_shows_how_to_call_everything() {
    let page = page();
    let is_shown = |operation: &Operation| {
        let path = operation
            .path
            .replace("{name}", EXAMPLE)
            .replace("{id}", ID);
        let method = match operation.method {
            "GET" => None,
            method => Some(format!("-X {method} ")),
        };
        page.lines()
            .filter(|line| line.starts_with("curl "))
            .any(|line| {
                let mut words = line.split_whitespace();
                let is_of_method = match &method {
                    Some(method) => line.contains(method),
                    None => !line.contains("-X "),
                };
                is_of_method && words.any(|word| word.ends_with(&format!("7080{path}")))
            })
    };
    let missing: Vec<_> = OPERATIONS
        .iter()
        .filter(|operation| !is_shown(operation))
        .map(|operation| (operation.method, operation.path))
        .collect();
    assert!(missing.is_empty(), "without a curl line: {missing:?}");
}

#[test]
fn error_codes_are_stable_and_each_has_one() {
    let mut numbers: Vec<_> = ErrorCode::ALL.iter().map(|code| code.number()).collect();
    numbers.sort_unstable();
    // Programs compare them: a number that was given out once keeps its meaning.
    let expected = [
        1001, 1002, 1099, 1101, 1102, 1103, 1104, 1105, 1201, 1202, 1203, 1204, 1301, 1401, 1402,
    ];
    assert_eq!(numbers, expected);
}
