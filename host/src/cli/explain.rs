//! `tessera explain`: what would answer a URL.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::failure::Failure;
use super::output::{self, printable};
use super::target::Target;

/// Says what would answer a GET of a URL: which web server, mount, handler, file or component. Runs nothing.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The URL, or a path of the host such as /shop/cart.
    url: String,
    #[command(flatten)]
    target: Target,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let target = &arguments.target;
    let url = utf8_percent_encode(&arguments.url, NON_ALPHANUMERIC);
    let path = format!("/api/v1/explain?url={url}");
    target.print(&target.client()?.get(&path)?, told)
}

fn told(answer: &Value) -> String {
    let lines = [
        ("received by", "receivedBy"),
        ("mount", "mount"),
        ("answered by", "server"),
        ("path there", "path"),
        ("stage", "by"),
        ("detail", "detail"),
        ("file", "file"),
        ("in memory", "inMemory"),
        ("has tags", "hasTags"),
        ("status", "status"),
    ];
    let rows: Vec<_> = lines
        .iter()
        .filter_map(|(title, key)| {
            let shown = match answer.get(key)? {
                Value::Null => return None,
                Value::String(text) if text.is_empty() => return None,
                Value::String(text) => printable(text),
                Value::Bool(true) => "yes".to_owned(),
                Value::Bool(false) => "no".to_owned(),
                other => other.to_string(),
            };
            Some([(*title).to_owned(), shown])
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
    fn what_is_known_is_told_line_by_line() {
        let answer = json!({"url": "/a", "receivedBy": "site", "server": "site", "mount": null, "path": "/a", "by": "file",
            "detail": "", "file": "/srv/a\u{1b}", "inMemory": true, "hasTags": false, "status": 200});
        let expected = "\
received by  site
answered by  site
path there   /a
stage        file
file         /srv/a\\u{1b}
in memory    yes
has tags     no
status       200
";
        assert_eq!(laid_out(&told(&answer), None), expected);
    }
}
