//! The versions of a component and its last failures, as `tessera show` prints them.

use serde_json::{Map, Value};

use super::output::{self, first_line, printable};
use super::target::{objects, text, texts};

/// Characters of a digest that tell versions apart for people.
const DIGEST_SHOWN: usize = 12;

/// Whether a member of the document has a table of its own instead of a line.
pub(super) fn is_shown_below(key: &str) -> bool {
    key == "generations" || key == "errors"
}

/// The tables of a component, each with an empty line before it; nothing of the host.
pub(super) fn tables(server: &Value) -> String {
    let mut text = String::new();
    let generations = &server["generations"];
    if objects(generations).next().is_some() {
        text.push_str("\ngenerations\n");
        text.push_str(&table(generations));
        text.push_str(&newest(generations));
    }
    let errors = &server["errors"];
    if objects(errors).next().is_some() {
        text.push_str("\nlast errors\n");
        text.push_str(&failures(errors));
    }
    text
}

fn table(generations: &Value) -> String {
    let titles = [
        "NUMBER", "STATE", "DIGEST", "BYTES", "LOADED", "IN", "REQUESTS", "TRAPS", "ERROR",
    ];
    let mut rows = vec![titles.map(str::to_owned)];
    for generation in objects(generations) {
        let number = |key: &str| match generation.get(key) {
            None | Some(Value::Null) => "-".to_owned(),
            Some(number) => number.to_string(),
        };
        let digest: String = text(generation, "digest")
            .chars()
            .take(DIGEST_SHOWN)
            .collect();
        let from_cache = generation.get("fromCache") == Some(&true.into());
        let took = format!(
            "{} s{}",
            number("loadTime"),
            if from_cache { " (code on disk)" } else { "" }
        );
        rows.push([
            number("number"),
            printable(text(generation, "state")),
            printable(&digest),
            number("size"),
            printable(text(generation, "loadedAt")),
            took,
            number("requests"),
            number("traps"),
            first_line(text(generation, "error")),
        ]);
    }
    output::columns(&rows)
}

/// What the newest version that compiles has and wants.
fn newest(generations: &Value) -> String {
    let compiles =
        |generation: &&Map<String, Value>| generation.get("imports").is_some_and(Value::is_array);
    let Some(generation) = objects(generations).find(compiles) else {
        return String::new();
    };
    let list = |names: Vec<String>| match names.join(", ") {
        names if names.is_empty() => "-".to_owned(),
        names => names,
    };
    let permissions = generation.get("permissions").and_then(Value::as_object);
    let asked = permissions.map(|permissions| texts(permissions, "asked"));
    let granted = permissions.and_then(|permissions| permissions.get("granted"));
    let rows = [
        ["exports", &list(texts(generation, "exports"))],
        ["imports", &list(texts(generation, "imports"))],
        ["asked", &list(asked.unwrap_or_default())],
        [
            "granted",
            &granted.map(ToString::to_string).unwrap_or_default(),
        ],
    ];
    output::columns(&rows.map(|row| row.map(printable)))
}

fn failures(errors: &Value) -> String {
    let rows: Vec<_> = objects(errors)
        .map(|error| {
            let request = format!("{} {}", text(error, "method"), text(error, "url"));
            [
                printable(text(error, "at")),
                printable(text(error, "request")),
                printable(&request),
                printable(text(error, "kind")),
                first_line(text(error, "message")),
            ]
        })
        .collect();
    output::columns(&rows)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::layout::laid_out;
    use super::*;

    #[test]
    fn versions_and_failures_are_tables() {
        let server = json!({
            "generations": [
                {"number": null, "state": "refused", "digest": "", "size": 0, "loadedAt": "now", "loadTime": 0.5,
                 "fromCache": null, "requests": 0, "traps": 0, "error": "broken\nbadly", "imports": null},
                {"number": 2, "state": "serving", "digest": "0123456789abcdef", "size": 7, "loadedAt": "before",
                 "loadTime": 0.001, "fromCache": true, "requests": 9, "traps": 1, "error": null,
                 "exports": ["a"], "imports": ["b", "c\u{1b}"],
                 "permissions": {"asked": [], "granted": {"control": ["self"]}}},
            ],
            "errors": [{"at": "then", "request": "00ff", "method": "GET", "url": "/x", "kind": "trap", "message": "oh\nno"}],
        });
        let expected = "
generations
NUMBER  STATE    DIGEST        BYTES  LOADED  IN                      REQUESTS  TRAPS  ERROR
-       refused                0      now     0.5 s                   0         0      broken
2       serving  0123456789ab  7      before  0.001 s (code on disk)  9         1
exports  a
imports  b, c\\u{1b}
asked    -
granted  {\"control\":[\"self\"]}

last errors
then  00ff  GET /x  trap  oh
";
        assert_eq!(laid_out(&tables(&server), None), expected);
        assert_eq!(tables(&json!({"kind": "host"})), "");
    }
}
